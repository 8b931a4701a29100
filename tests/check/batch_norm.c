/* The kernels of batch norm and the leaky ReLU after it, of every set that this processor can run:
 * against their plain twins one after the other, and, to the bit, against the same kernels one
 * after the other. Random numbers, sizes around the lengths of vectors, guarded arrays (array.h).
 * Tolerances count the roundings, at most ε / 2 each. */
#include "array.h"
#include "check.h"
#include "kernels/kernels.h"
#include "reference/reference.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const int matrices[][2] = {/* rows, channels */
                                  {1, 1},  {3, 7},    {5, 15}, {2, 16},  {7, 17},
                                  {4, 31}, {2, 33},   {9, 64}, {3, 100}, {100, 3},
                                  {33, 1}, {1027, 5}, {0, 16}, {64, 128}};
/* Leaky ReLU, ReLU and no activation. */
static const float slopes[] = {0.2f, 0, 1};

static void check_same(const kernels *k, const char *what, const array *a, const array *b)
{
    check_same_bits(k, what, a->narrow, b->narrow, (size_t)a->n * sizeof(float));
}

/* Numbers of a batch norm's channels, and of what goes through it either way. */
typedef struct norm_case {
    int rows, channels, n;
    array mean, inverse_deviation, scale, shift, src, diff_dst;
    kernels_batch_norm norm;
    double *y, *normal, *diff; /* before the activation, x̂, and the gradient by y */
} norm_case;

static norm_case norm_create(int rows, int channels, float slope)
{
    const int n = rows * channels;
    norm_case c = {.rows = rows,
                   .channels = channels,
                   .n = n,
                   .mean = array_create(channels, 1),
                   .inverse_deviation = array_create(channels, 2),
                   .scale = array_create(channels, 3),
                   .shift = array_create(channels, 4),
                   .src = array_create(n, 5),
                   .diff_dst = array_create(n, 6),
                   .y = check_doubles(n),
                   .normal = check_doubles(n),
                   .diff = check_doubles(n)};
    c.norm = (kernels_batch_norm){c.mean.narrow, c.inverse_deviation.narrow, c.scale.narrow,
                                  c.shift.narrow, slope};
    reference_column_affine(c.y, c.src.wide, c.mean.wide, c.scale.wide, c.shift.wide, rows,
                            channels);
    for (int i = 0; i < n; i++)
        c.normal[i] =
            (c.src.wide[i] - c.mean.wide[i % channels]) * c.inverse_deviation.wide[i % channels];
    reference_leaky_relu_backward(c.diff, c.diff_dst.wide, c.y, n, (double)slope);
    return c;
}

static void norm_free(norm_case *c)
{
    array *arrays[] = {&c->mean, &c->inverse_deviation, &c->scale, &c->shift,
                       &c->src,  &c->diff_dst};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        array_free(arrays[i]);
    free(c->y);
    free(c->normal);
    free(c->diff);
}

static void each_norm(void (*check)(const kernels *k, norm_case *c))
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof matrices / sizeof *matrices; j++)
            for (size_t s = 0; s < sizeof slopes / sizeof *slopes; s++) {
                norm_case c = norm_create(matrices[j][0], matrices[j][1], slopes[s]);
                check(sets[i], &c);
                norm_free(&c);
            }
}

static void batch_norm(const kernels *k, norm_case *c)
{
    const size_t rows = (size_t)c->rows, channels = (size_t)c->channels;
    array dst = array_create(c->n, 7);
    k->batch_norm(dst.narrow, c->src.narrow, c->norm, rows, channels);
    reference_leaky_relu(dst.wide, c->y, c->n, (double)c->norm.slope);
    for (int i = 0; i < c->n; i++) {
        const double shift = c->shift.wide[i % c->channels];
        dst.tolerance[i] = 4 * ROUNDING * (fabs(c->y[i] - shift) + fabs(shift));
    }
    array_check(k, "batch_norm", &dst);
    k->batch_norm(c->src.narrow, c->src.narrow, c->norm, rows, channels);
    check_same(k, "batch_norm in place", &dst, &c->src);
    array_free(&dst);
}

static void batch_norm__matches_its_twin(void **state)
{
    (void)state;
    each_norm(batch_norm);
}

static void batch_norm_sums(const kernels *k, norm_case *c)
{
    array sum_diff = array_create(c->channels, 7), sum_product = array_create(c->channels, 8);
    k->batch_norm_sums(sum_diff.narrow, sum_product.narrow, c->diff_dst.narrow, c->src.narrow,
                       c->norm, (size_t)c->rows, (size_t)c->channels);
    reference_batch_norm_sums(sum_diff.wide, sum_product.wide, c->diff, c->src.wide, c->mean.wide,
                              c->inverse_deviation.wide, c->rows, c->channels);
    const double error = check_sum_error(c->rows);
    for (int i = 0; i < c->channels; i++)
        sum_diff.tolerance[i] = sum_product.tolerance[i] = 0;
    for (int i = 0; i < c->n; i++) {
        const double diff = fabs(c->diff[i]);
        sum_diff.tolerance[i % c->channels] += (error + ROUNDING) * diff;
        sum_product.tolerance[i % c->channels] +=
            (error + 3 * ROUNDING) * diff * fabs(c->normal[i]);
    }
    array_check(k, "batch_norm_sums (sum_diff)", &sum_diff);
    array_check(k, "batch_norm_sums (sum_product)", &sum_product);
    array_free(&sum_diff);
    array_free(&sum_product);
}

static void batch_norm_sums__match_their_twin(void **state)
{
    (void)state;
    each_norm(batch_norm_sums);
}

static void batch_norm_backward(const kernels *k, norm_case *c)
{
    const size_t rows = (size_t)c->rows, channels = (size_t)c->channels;
    array diff_src = array_create(c->n, 7);
    array mean_diff = array_create(c->channels, 8), mean_product = array_create(c->channels, 9);
    k->batch_norm_backward(diff_src.narrow, c->diff_dst.narrow, c->src.narrow, mean_diff.narrow,
                           mean_product.narrow, c->norm, rows, channels);
    reference_batch_norm_diff_src(diff_src.wide, c->diff, c->src.wide, c->mean.wide,
                                  c->inverse_deviation.wide, c->scale.wide, mean_diff.wide,
                                  mean_product.wide, c->rows, c->channels);
    for (int i = 0; i < c->n; i++) {
        const int channel = i % c->channels;
        diff_src.tolerance[i] = 6 * ROUNDING * fabs(c->scale.wide[channel]) *
                                (fabs(c->diff[i]) + fabs(mean_diff.wide[channel]) +
                                 fabs(c->normal[i] * mean_product.wide[channel]));
    }
    array_check(k, "batch_norm_backward", &diff_src);
    k->batch_norm_backward(c->diff_dst.narrow, c->diff_dst.narrow, c->src.narrow, mean_diff.narrow,
                           mean_product.narrow, c->norm, rows, channels);
    check_same(k, "batch_norm_backward in place", &diff_src, &c->diff_dst);
    array_free(&diff_src);
    array_free(&mean_diff);
    array_free(&mean_product);
}

static void batch_norm_backward__matches_its_twin(void **state)
{
    (void)state;
    each_norm(batch_norm_backward);
}

/* Makes y of the first row what rounding leaves of zero, and of the last row of every other channel
 * zero: the side of the kink that a number is on must not depend on who computes it. */
static void norm_balance(norm_case *c)
{
    for (int i = 0; i < c->channels && c->rows > 0; i++) {
        const float deviation = c->src.narrow[i] - c->mean.narrow[i];
        c->shift.narrow[i] = i % 2 == 0 ? -(deviation * c->scale.narrow[i]) : 0;
        if (i % 2 != 0)
            c->src.narrow[c->n - c->channels + i] = c->mean.narrow[i];
    }
}

static void together_and_apart(const kernels *k, norm_case *c)
{
    const size_t n = (size_t)c->n, rows = (size_t)c->rows, channels = (size_t)c->channels;
    const float *src = c->src.narrow, *diff_dst = c->diff_dst.narrow;
    kernels_batch_norm alone = c->norm;
    alone.slope = 1;
    norm_balance(c);
    array dst[2], diff_src[2], sum_diff[2], sum_product[2];
    for (int i = 0; i < 2; i++) {
        dst[i] = array_create(c->n, 7);
        diff_src[i] = array_create(c->n, 8);
        sum_diff[i] = array_create(c->channels, 9);
        sum_product[i] = array_create(c->channels, 10);
    }
    array diff = array_create(c->n, 11);
    const float *means[] = {c->inverse_deviation.narrow, c->mean.narrow}; /* any numbers */

    k->batch_norm(dst[0].narrow, src, c->norm, rows, channels);
    k->batch_norm_sums(sum_diff[0].narrow, sum_product[0].narrow, diff_dst, src, c->norm, rows,
                       channels);
    k->batch_norm_backward(diff_src[0].narrow, diff_dst, src, means[0], means[1], c->norm, rows,
                           channels);

    k->batch_norm(dst[1].narrow, src, alone, rows, channels);
    k->leaky_relu(dst[1].narrow, dst[1].narrow, n, c->norm.slope);
    k->leaky_relu_backward(diff.narrow, diff_dst, dst[1].narrow, n, c->norm.slope);
    k->batch_norm_sums(sum_diff[1].narrow, sum_product[1].narrow, diff.narrow, src, alone, rows,
                       channels);
    k->batch_norm_backward(diff_src[1].narrow, diff.narrow, src, means[0], means[1], alone, rows,
                           channels);

    check_same(k, "dst", &dst[1], &dst[0]);
    check_same(k, "sum_diff", &sum_diff[1], &sum_diff[0]);
    check_same(k, "sum_product", &sum_product[1], &sum_product[0]);
    check_same(k, "diff_src", &diff_src[1], &diff_src[0]);
    for (int i = 0; i < 2; i++) {
        array_free(&dst[i]);
        array_free(&diff_src[i]);
        array_free(&sum_diff[i]);
        array_free(&sum_product[i]);
    }
    array_free(&diff);
}

static void batch_norm_and_activation__have_the_same_bits_together_and_apart(void **state)
{
    (void)state;
    each_norm(together_and_apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_norm__matches_its_twin),
        cmocka_unit_test(batch_norm_sums__match_their_twin),
        cmocka_unit_test(batch_norm_backward__matches_its_twin),
        cmocka_unit_test(batch_norm_and_activation__have_the_same_bits_together_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
