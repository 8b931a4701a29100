/* Every kernel of every set that this processor can run against its plain twin: random numbers,
 * sizes around the lengths of vectors, guarded arrays (array.h). Tolerances count the roundings,
 * at most ε / 2 each. Batch norm and the convolutions have programs of their own. */
#include "array.h"
#include "check.h"
#include "kernels/kernels.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const int lengths[] = {0, 1, 7, 15, 16, 17, 31, 33, 64, 100, 1027};
static const int matrices[][2] = {/* rows, channels */
                                  {1, 1},  {3, 7},    {5, 15}, {2, 16},  {7, 17},
                                  {4, 31}, {2, 33},   {9, 64}, {3, 100}, {100, 3},
                                  {33, 1}, {1027, 5}, {0, 16}, {64, 128}};
static const int pools[][4] = {/* height, width, channels, window */
                               {2, 2, 1, 2},  {7, 5, 3, 2},   {4, 6, 15, 2},  {5, 4, 16, 2},
                               {4, 4, 17, 2}, {28, 28, 8, 2}, {9, 10, 7, 3},  {6, 6, 100, 3},
                               {5, 5, 33, 1}, {1, 1, 4, 2},   {32, 32, 2, 15}};

static const int products[][5] = {/* rows, columns, k_count, src_stride, dst_stride */
                                  {1, 16, 1, 1, 16},     {2, 32, 3, 3, 37},
                                  {3, 48, 17, 20, 48},   {7, 64, 100, 100, 64},
                                  {8, 80, 9, 1, 80},     {15, 16, 33, 7, 21},
                                  {6, 112, 0, 1, 112},   {0, 16, 5, 5, 16},
                                  {5, 128, 64, 64, 128}, {14, 192, 31, 31, 200},
                                  {45, 128, 12, 12, 128}};

static void check_same(const kernels *k, const char *what, const array *a, const array *b)
{
    for (int i = 0; i < a->n; i++)
        if (memcmp(&a->narrow[i], &b->narrow[i], sizeof(float)) != 0)
            fail_msg("%s of %s: not the same bits at %d of %d: expected %.9g, got %.9g", what,
                     k->name, i, a->n, (double)a->narrow[i], (double)b->narrow[i]);
}

/* Each runs `check` for every set over a table of sizes. */
static void each_length(void (*check)(const kernels *k, int n))
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
            check(sets[i], lengths[j]);
}

static void each_matrix(void (*check)(const kernels *k, int rows, int channels))
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof matrices / sizeof *matrices; j++)
            check(sets[i], matrices[j][0], matrices[j][1]);
}

static void each_pool(void (*check)(const kernels *k, reference_images images, int window))
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof pools / sizeof *pools; j++) {
            const int *p = pools[j];
            check(sets[i], (reference_images){1, p[0], p[1], p[2]}, p[3]);
        }
}

static void leaky_relu(const kernels *k, int n)
{
    array src = array_create(n, 1), dst = array_create(n, 2);
    array diff_dst = array_create(n, 3), diff_src = array_create(n, 4);
    const float slope = 0.2f;
    for (int i = 0; i < n; i += 3)
        src.wide[i] = i % 2 == 0 ? ldexp(src.wide[i], -30) : 0;
    check_narrow(src.narrow, src.wide, n);

    k->leaky_relu(dst.narrow, src.narrow, (size_t)n, slope);
    reference_leaky_relu(dst.wide, src.wide, n, (double)slope);
    check_tolerance(dst.tolerance, dst.wide, n, ROUNDING);
    array_check(k, "leaky_relu", &dst);

    k->leaky_relu_backward(diff_src.narrow, diff_dst.narrow, dst.narrow, (size_t)n, slope);
    reference_leaky_relu_backward(diff_src.wide, diff_dst.wide, src.wide, n, (double)slope);
    check_tolerance(diff_src.tolerance, diff_src.wide, n, ROUNDING);
    array_check(k, "leaky_relu_backward", &diff_src);

    k->leaky_relu_backward(diff_dst.narrow, diff_dst.narrow, dst.narrow, (size_t)n, slope);
    check_same(k, "leaky_relu_backward in place", &diff_src, &diff_dst);
    k->leaky_relu(src.narrow, src.narrow, (size_t)n, slope);
    check_same(k, "leaky_relu in place", &dst, &src);
    array_free(&src);
    array_free(&dst);
    array_free(&diff_dst);
    array_free(&diff_src);
}

static void leaky_relu__matches_its_twin(void **state)
{
    (void)state;
    each_length(leaky_relu);
}

/* ulps: units in the last place of the exact result, a float's. */
static void tanh_of(const kernels *k, array *src, double ulps)
{
    array dst = array_create(src->n, 2);
    check_narrow(src->narrow, src->wide, src->n);
    check_widen(src->wide, src->narrow, src->n);
    k->tanh(dst.narrow, src->narrow, (size_t)src->n);
    reference_tanh(dst.wide, src->wide, src->n);
    for (int i = 0; i < src->n; i++) {
        const double size = fmax(fabs(dst.wide[i]), (double)FLT_MIN);
        dst.tolerance[i] = ulps * ldexp(1, ilogb(size) + 1 - FLT_MANT_DIG);
    }
    array_check(k, "tanh", &dst);
    k->tanh(src->narrow, src->narrow, (size_t)src->n);
    check_same(k, "tanh in place", &dst, src);
    array_free(&dst);
}

/* Over all floats the largest error is 1.33 ulp, at 0.6283. */
static const double TANH_ULPS = 1.5;

static void tanh__matches_its_twin_at_every_length(void **state)
{
    (void)state;
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (int n = 0; n <= 40; n++) {
            array src = array_create(n, 1);
            for (int j = 0; j < n; j++)
                src.wide[j] *= j % 3 == 0 ? 12 : 1;
            tanh_of(sets[i], &src, TANH_ULPS);
            array_free(&src);
        }
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Every 4099th float from the least to infinity, of either sign in turn. */
static void tanh__is_within_its_accuracy_for_all_sizes(void **state)
{
    (void)state;
    enum { STEP = 4099, INFINITY_BITS = 0x7f800000, N = INFINITY_BITS / STEP };
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++) {
        array src = array_create(N, 1);
        for (int j = 0; j < N; j++)
            src.wide[j] = (j % 2 == 0 ? 1 : -1) * (double)float_of_bits((uint32_t)(1 + j * STEP));
        tanh_of(sets[i], &src, TANH_ULPS);
        array_free(&src);
    }
}

/* In every lane. Zeros keep their sign, and the least of numbers their value. */
static void tanh__keeps_nan_and_zeros_and_ends_at_one(void **state)
{
    (void)state;
    static const float cases[][2] = {/* src, dst */
                                     {INFINITY, 1},
                                     {-INFINITY, -1},
                                     {FLT_MAX, 1},
                                     {-FLT_MAX, -1},
                                     {0, 0},
                                     {-0.0f, -0.0f},
                                     {FLT_TRUE_MIN, FLT_TRUE_MIN},
                                     {-FLT_TRUE_MIN, -FLT_TRUE_MIN},
                                     {FLT_MIN / 3, FLT_MIN / 3},
                                     {-FLT_MIN, -FLT_MIN}};
    enum { N_CASES = sizeof cases / sizeof *cases, LENGTH = 33 };
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (int first = 0; first < LENGTH; first++) {
            array src = array_create(LENGTH, 1), dst = array_create(LENGTH, 2);
            array expected = array_create(LENGTH, 3);
            for (int j = 0; j < LENGTH; j++) {
                src.narrow[j] = cases[(first + j) % N_CASES][0];
                expected.narrow[j] = cases[(first + j) % N_CASES][1];
            }
            src.narrow[first] = expected.narrow[first] = NAN;
            sets[i]->tanh(dst.narrow, src.narrow, LENGTH);
            if (!isnan(dst.narrow[first]))
                fail_msg("tanh of %s: NaN at %d became %g", sets[i]->name, first,
                         (double)dst.narrow[first]);
            dst.narrow[first] = expected.narrow[first]; /* NaNs may differ in their bits */
            check_same(sets[i], "tanh", &expected, &dst);
            array_free(&src);
            array_free(&dst);
            array_free(&expected);
        }
}

/* 1 - dst² is off by two roundings of numbers up to 1, then two products. */
static void tanh_backward(const kernels *k, int n)
{
    array dst = array_create(n, 1), diff_dst = array_create(n, 2);
    array diff_src = array_create(n, 3);
    k->tanh_backward(diff_src.narrow, diff_dst.narrow, dst.narrow, (size_t)n);
    reference_tanh_backward(diff_src.wide, diff_dst.wide, dst.wide, n);
    check_tolerance(diff_src.tolerance, diff_dst.wide, n, 3 * ROUNDING);
    array_check(k, "tanh_backward", &diff_src);
    k->tanh_backward(diff_dst.narrow, diff_dst.narrow, dst.narrow, (size_t)n);
    check_same(k, "tanh_backward in place", &diff_src, &diff_dst);
    array_free(&dst);
    array_free(&diff_dst);
    array_free(&diff_src);
}

static void tanh_backward__matches_its_twin(void **state)
{
    (void)state;
    each_length(tanh_backward);
}

static void add_bias(const kernels *k, int rows, int channels)
{
    const int n = rows * channels;
    array src = array_create(n, 1), dst = array_create(n, 2), bias = array_create(channels, 3);
    k->add_bias(dst.narrow, src.narrow, bias.narrow, (size_t)rows, (size_t)channels);
    for (int i = 0; i < n; i++)
        dst.wide[i] = src.wide[i] + bias.wide[i % channels];
    check_tolerance(dst.tolerance, dst.wide, n, ROUNDING);
    array_check(k, "add_bias", &dst);
    k->add_bias(src.narrow, src.narrow, bias.narrow, (size_t)rows, (size_t)channels);
    check_same(k, "add_bias in place", &dst, &src);
    array_free(&src);
    array_free(&dst);
    array_free(&bias);
}

static void add_bias__matches_its_twin(void **state)
{
    (void)state;
    each_matrix(add_bias);
}

static void column_sums(const kernels *k, int rows, int channels)
{
    const int n = rows * channels;
    array src = array_create(n, 1), sum = array_create(channels, 2);
    array mean = array_create(channels, 3), deviation = array_create(channels, 4);
    double *magnitude = check_doubles(n);

    k->column_sum(sum.narrow, src.narrow, (size_t)rows, (size_t)channels);
    reference_column_sum(sum.wide, src.wide, rows, channels);
    check_absolute(magnitude, src.wide, n);
    reference_column_sum(sum.tolerance, magnitude, rows, channels);
    check_tolerance(sum.tolerance, sum.tolerance, channels, check_sum_error(rows));
    array_check(k, "column_sum", &sum);

    k->column_deviation(deviation.narrow, src.narrow, mean.narrow, (size_t)rows, (size_t)channels);
    reference_column_deviation(deviation.wide, src.wide, mean.wide, rows, channels);
    check_tolerance(deviation.tolerance, deviation.wide, channels,
                    check_sum_error(rows) + 2 * ROUNDING);
    array_check(k, "column_deviation", &deviation);
    free(magnitude);
    array_free(&src);
    array_free(&sum);
    array_free(&mean);
    array_free(&deviation);
}

static void column_sums__match_their_twins(void **state)
{
    (void)state;
    each_matrix(column_sums);
}

/* Nothing is rounded: the twin's numbers, to the bit. Numbers are cut to eighths, so that many
 * windows have two maxima. */
static void max_pool(const kernels *k, reference_images images, int window)
{
    const int height = images.height, width = images.width, channels = images.channels;
    const int n = (height / window) * (width / window) * channels;
    array src = array_create(height * width * channels, 1), dst = array_create(n, 2);
    array diff_src = array_create(src.n, 3), diff_dst = array_create(n, 4);
    guarded argmax_bytes = guard((size_t)n, 5);
    uint8_t *argmax = argmax_bytes.bytes;
    int *expected = calloc((size_t)n + 1, sizeof *expected);
    assert_non_null(expected);
    for (int i = 0; i < src.n; i++)
        src.wide[i] = floor(src.wide[i] * 8) / 8;
    check_narrow(src.narrow, src.wide, src.n);

    k->max_pool(dst.narrow, argmax, src.narrow, height, width, channels, window);
    reference_max_pool(dst.wide, expected, src.wide, images, window);
    array_check(k, "max_pool", &dst);
    for (int i = 0; i < n; i++)
        if (argmax[i] != expected[i])
            fail_msg("max_pool of %s: argmax at %d of %d: expected %d, got %d", k->name, i, n,
                     expected[i], argmax[i]);

    k->max_pool_backward(diff_src.narrow, diff_dst.narrow, argmax, height, width, channels, window);
    reference_max_pool_backward(diff_src.wide, diff_dst.wide, expected, images, window);
    array_check(k, "max_pool_backward", &diff_src);

    k->max_pool_tangent(dst.narrow, diff_src.narrow, argmax, height, width, channels, window);
    reference_max_pool_tangent(dst.wide, diff_src.wide, expected, images, window);
    array_check(k, "max_pool_tangent", &dst);
    k->max_pool_tangent(dst.narrow, src.narrow, argmax, height, width, channels, window);
    reference_max_pool_tangent(dst.wide, src.wide, expected, images, window);
    array_check(k, "max_pool_tangent", &dst);
    free(expected);
    guard_end(&argmax_bytes);
    array_free(&src);
    array_free(&dst);
    array_free(&diff_src);
    array_free(&diff_dst);
}

static void max_pool__matches_its_twin(void **state)
{
    (void)state;
    each_pool(max_pool);
}

/* A row of the product is a dense layer whose bias is what dst held; what lies between the rows of
 * dst stays as it was, a row alone gives the same bits as among others, and so does a product that
 * fetches the operands of the next one. */
static void product(const kernels *k, const int sizes[5])
{
    const int rows = sizes[0], columns = sizes[1], k_count = sizes[2];
    const int src_stride = sizes[3], dst_stride = sizes[4];
    array src = array_create(rows > 0 ? (rows - 1) * src_stride + k_count : 0, 1);
    array weights = array_create(k_count * columns, 2);
    array dst = array_create(rows > 0 ? (rows - 1) * dst_stride + columns : 0, 3);
    array alone = array_create(dst.n, 3), fetching = array_create(dst.n, 3);
    array next_src = array_create(rows * k_count, 4), next_dst = array_create(rows * columns, 5);
    array next_weights = array_create(weights.n, 6);
    double *magnitude = check_doubles(columns), *bias = check_doubles(columns);
    double *src_magnitude = check_doubles(k_count), *weight_magnitude = check_doubles(weights.n);
    check_absolute(weight_magnitude, weights.wide, weights.n);
    kernels_product shape = {.rows = (size_t)rows,
                             .columns = (size_t)columns,
                             .k = (size_t)k_count,
                             .dst_row = (size_t)dst_stride,
                             .src_row = (size_t)src_stride,
                             .src_column = 1,
                             .weights_row = (size_t)columns,
                             .accumulate = true};
    k->product(dst.narrow, src.narrow, weights.narrow, shape);
    kernels_product shape_fetching = shape;
    shape_fetching.next_src = next_src.narrow;
    shape_fetching.next_dst = next_dst.narrow;
    shape_fetching.next_weights = next_weights.narrow;
    k->product(fetching.narrow, src.narrow, weights.narrow, shape_fetching);
    check_same(k, "product, fetching the next", &dst, &fetching);
    shape.rows = 1;
    for (int r = 0; r < rows; r++) {
        const double *src_row = src.wide + r * src_stride;
        double *dst_row = dst.wide + r * dst_stride;
        check_absolute(bias, dst_row, columns);
        check_absolute(src_magnitude, src_row, k_count);
        reference_dense(magnitude, src_magnitude, weight_magnitude, bias, 1, k_count, columns);
        check_tolerance(dst.tolerance + r * dst_stride, magnitude, columns,
                        check_sum_error(k_count));
        memcpy(bias, dst_row, (size_t)columns * sizeof *bias);
        reference_dense(dst_row, src_row, weights.wide, bias, 1, k_count, columns);
        k->product(alone.narrow + r * dst_stride, src.narrow + r * src_stride, weights.narrow,
                   shape);
    }
    array_check(k, "product", &dst);
    check_same(k, "product, row by row", &dst, &alone);
    free(magnitude);
    free(bias);
    free(src_magnitude);
    free(weight_magnitude);
    array_free(&src);
    array_free(&weights);
    array_free(&dst);
    array_free(&alone);
    array_free(&fetching);
    array_free(&next_src);
    array_free(&next_dst);
    array_free(&next_weights);
}

static void product__matches_its_twin(void **state)
{
    (void)state;
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof products / sizeof *products; j++)
            product(sets[i], products[j]);
}

static void adam(const kernels *k, int n)
{
    const kernels_adam_step step = {
        .rate = 0.01f, .share1 = 0.5f, .share2 = 0.001f, .epsilon = 1e-7f};
    const reference_adam_options options = {0, 1 - (double)step.share1, 1 - (double)step.share2,
                                            (double)step.epsilon};
    array parameters = array_create(n, 1), gradients = array_create(n, 2);
    array m = array_create(n, 3), v = array_create(n, 4);
    for (int i = 0; i < n; i++) {
        v.wide[i] = fabs(v.wide[i]);
        /* a fresh moment beside a tiny gradient, as in the first step of training */
        if (i % 3 == 0)
            m.wide[i] = v.wide[i] = 0;
        if (i % 6 == 0)
            gradients.wide[i] = ldexp(gradients.wide[i], -20);
    }
    check_narrow(m.narrow, m.wide, n);
    check_narrow(v.narrow, v.wide, n);
    check_narrow(gradients.narrow, gradients.wide, n);
    for (int i = 0; i < n; i++) {
        const double g = gradients.wide[i];
        m.tolerance[i] = 3 * ROUNDING * (fabs(m.wide[i]) + fabs(g));
        v.tolerance[i] = 4 * ROUNDING * (v.wide[i] + g * g * (1 - options.beta2));
        parameters.tolerance[i] = ROUNDING * (fabs(parameters.wide[i]) + (double)step.rate);
    }
    k->adam(parameters.narrow, m.narrow, v.narrow, gradients.narrow, (size_t)n, step);
    reference_adam(parameters.wide, m.wide, v.wide, gradients.wide, n, options, (double)step.rate);
    for (int i = 0; i < n; i++) {
        const double root = sqrt(v.wide[i]) + options.epsilon;
        parameters.tolerance[i] +=
            (double)step.rate * (m.tolerance[i] + 6 * ROUNDING * fabs(m.wide[i])) / root;
    }
    array_check(k, "adam (m)", &m);
    array_check(k, "adam (v)", &v);
    array_check(k, "adam (parameters)", &parameters);
    array_free(&parameters);
    array_free(&gradients);
    array_free(&m);
    array_free(&v);
}

static void adam__matches_its_twin(void **state)
{
    (void)state;
    each_length(adam);
}

static void kernels__of_the_fastest_set_are_chosen(void **state)
{
    (void)state;
    const kernels *sets[MAX_SETS];
    const int n = kernels_available(sets, MAX_SETS);
    assert_string_equal(sets[0]->name, "generic");
    assert_ptr_equal(kernels_get(), sets[n - 1]);
    for (int i = 0; i < n; i++)
        print_message("checked: %s\n", sets[i]->name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaky_relu__matches_its_twin),
        cmocka_unit_test(tanh__matches_its_twin_at_every_length),
        cmocka_unit_test(tanh__is_within_its_accuracy_for_all_sizes),
        cmocka_unit_test(tanh__keeps_nan_and_zeros_and_ends_at_one),
        cmocka_unit_test(tanh_backward__matches_its_twin),
        cmocka_unit_test(add_bias__matches_its_twin),
        cmocka_unit_test(column_sums__match_their_twins),
        cmocka_unit_test(max_pool__matches_its_twin),
        cmocka_unit_test(product__matches_its_twin),
        cmocka_unit_test(adam__matches_its_twin),
        cmocka_unit_test(kernels__of_the_fastest_set_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
