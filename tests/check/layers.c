/* Every kind of layer in src/nn, forward and backward, against the plain twins, over odd sizes and
 * several sizes of batch.
 *
 * Tolerances. The linear layers (dense and the convolutions) are sums of products: what the twin
 * makes of the absolute values of all its numbers is the sum of the absolute values of the terms,
 * and check_sum_error() of the sum's length is the share of it that rounding may cost. The others
 * count their roundings, each at most ε / 2. */
#include "check.h"
#include "nn/net.h"
#include "twin.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double ROUNDING = FLT_EPSILON / 2;

/* A net of one layer, its pass, and its twin, which ran forward and backward on the same numbers.
 */
typedef struct layer_case {
    char name[128];
    nn_net *net;
    nn_pass *pass;
    twin *twin;
    int n, n_src, n_dst, n_parameters;
    double *src, *diff_dst;
    float *src_floats, *diff_dst_floats, *gradients;
    const float *dst, *diff_src; /* the pass's */
} layer_case;

static void draw(double *dst, float *floats, int n, uint64_t stream)
{
    check_random(dst, n, stream);
    check_narrow(floats, dst, n);
}

static void run(layer_case *c, nn_layer_spec spec, nn_shape src, int n, bool training)
{
    ano_error err = ANO_ERROR_INIT;
    *c = (layer_case){.n = n};
    spec.name = "layer";
    assert_int_equal(nn_net_create(&c->net, src, &spec, 1, &err), ANO_OK);
    snprintf(c->name, sizeof c->name, "%dx%dx%dx%d -> %dx%dx%d, kernel %d%s", n, src.h, src.w,
             src.c, c->net->dst.h, c->net->dst.w, c->net->dst.c, spec.kernel,
             training ? ", training" : "");
    c->n_src = n * (int)nn_shape_size(src);
    c->n_dst = n * (int)nn_shape_size(c->net->dst);
    c->n_parameters = (int)c->net->n_parameters;
    c->src = check_doubles(c->n_src);
    c->diff_dst = check_doubles(c->n_dst);
    c->src_floats = check_floats(c->n_src);
    c->diff_dst_floats = check_floats(c->n_dst);
    c->gradients = check_floats(c->n_parameters);
    draw(c->src, c->src_floats, c->n_src, 1);
    draw(c->diff_dst, c->diff_dst_floats, c->n_dst, 2);
    double *numbers = check_doubles(c->n_parameters);
    draw(numbers, c->net->parameters, c->n_parameters, 3);
    free(numbers);
    const int n_statistics = (int)c->net->n_statistics; /* moving mean, then moving variance */
    numbers = check_doubles(n_statistics);
    check_random(numbers, n_statistics, 4);
    for (int i = n_statistics / 2; i < n_statistics; i++)
        numbers[i] = fabs(numbers[i]) + 0.25;
    check_narrow(c->net->statistics, numbers, n_statistics);
    free(numbers);

    c->twin = twin_create(c->net, n, training);
    twin_forward(c->twin, c->src);
    twin_backward(c->twin, c->diff_dst);
    const unsigned uses =
        NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS | (training ? (unsigned)NN_TRAINING : 0);
    if (nn_pass_create(&c->pass, c->net, n, uses, &err) != ANO_OK ||
        nn_pass_forward(&c->dst, c->pass, c->src_floats, &err) != ANO_OK ||
        nn_pass_backward(&c->diff_src, c->pass, c->diff_dst_floats, c->gradients, &err) != ANO_OK)
        fail_msg("%s: %s", c->name, err.message);
}

static void end(layer_case *c)
{
    nn_pass_free(c->pass);
    twin_free(c->twin);
    nn_net_free(c->net);
    free(c->src);
    free(c->diff_dst);
    free(c->src_floats);
    free(c->diff_dst_floats);
    free(c->gradients);
}

static void compare(const layer_case *c, const char *what, const float *got, const double *expected,
                    const double *tolerance, int n)
{
    char name[192];
    snprintf(name, sizeof name, "%s of %s", what, c->name);
    check_close(name, got, expected, tolerance, n);
}

/* The lengths of the sums behind a number of dst, diff_src and a kernel's and a bias's gradient. */
typedef struct sum_lengths {
    int dst, diff_src, kernel, bias;
} sum_lengths;

static void check_linear(nn_layer_spec spec, nn_shape src, int n, sum_lengths lengths)
{
    layer_case c;
    run(&c, spec, src, n, true);
    twin *magnitude = twin_create(c.net, n, true);
    check_absolute(magnitude->parameters, magnitude->parameters, c.n_parameters);
    check_absolute(c.src, c.src, c.n_src);
    check_absolute(c.diff_dst, c.diff_dst, c.n_dst);
    double *dst = magnitude->layers[0].dst, *diff_src = magnitude->diff_src;
    double *gradients = magnitude->gradients;
    twin_forward(magnitude, c.src);
    twin_backward(magnitude, c.diff_dst);
    const int n_kernel = (int)c.net->tensors[0].size, n_bias = c.n_parameters - n_kernel;

    check_tolerance(dst, dst, c.n_dst, check_sum_error(lengths.dst));
    compare(&c, "dst", c.dst, c.twin->layers[0].dst, dst, c.n_dst);
    check_tolerance(diff_src, diff_src, c.n_src, check_sum_error(lengths.diff_src));
    compare(&c, "diff_src", c.diff_src, c.twin->diff_src, diff_src, c.n_src);
    check_tolerance(gradients, gradients, n_kernel, check_sum_error(lengths.kernel));
    compare(&c, "kernel's gradient", c.gradients, c.twin->gradients, gradients, n_kernel);
    check_tolerance(gradients + n_kernel, gradients + n_kernel, n_bias,
                    check_sum_error(lengths.bias));
    compare(&c, "bias's gradient", c.gradients + n_kernel, c.twin->gradients + n_kernel,
            gradients + n_kernel, n_bias);
    twin_free(magnitude);
    end(&c);
}

static void dense__matches_its_twin(void **state)
{
    (void)state;
    static const struct {
        int n;
        nn_shape src;
        int n_out;
    } cases[] = {{1, {1, 1, 1}, 1},  {2, {1, 1, 30}, 128}, {5, {1, 1, 7}, 31},
                 {3, {7, 5, 3}, 1},  {16, {1, 1, 17}, 15}, {1, {1, 1, 33}, 64},
                 {32, {6, 6, 8}, 1}, {7, {1, 1, 100}, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int n = cases[i].n, n_in = (int)nn_shape_size(cases[i].src), n_out = cases[i].n_out;
        check_linear((nn_layer_spec){NN_DENSE, .channels = n_out}, cases[i].src, n,
                     (sum_lengths){n_in, n_out, n, n});
    }
}

/* Maps in and channels out. */
typedef struct map_case {
    int n;
    nn_shape src;
    int n_out;
} map_case;

static const map_case maps[] = {{1, {1, 1, 1}, 1},    {2, {5, 3, 1}, 8},   {1, {7, 7, 3}, 5},
                                {3, {4, 6, 16}, 3},   {5, {9, 11, 8}, 16}, {1, {28, 28, 1}, 8},
                                {2, {14, 14, 17}, 1}, {7, {8, 8, 16}, 32}, {16, {3, 3, 33}, 15},
                                {2, {12, 12, 64}, 3}};

static void check_conv(const map_case *map, int size)
{
    const int area = size * size, pixels = map->n * map->src.h * map->src.w;
    check_linear((nn_layer_spec){NN_CONV, .channels = map->n_out, .kernel = size}, map->src, map->n,
                 (sum_lengths){area * map->src.c, area * map->n_out, pixels, pixels});
}

static void conv__matches_its_twin(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        for (int size = 1; size <= 7; size += 2)
            check_conv(&maps[i], size);
}

/* At the sizes of the networks for 28 × 28 images, where other code may be the fastest. */
static void conv__matches_its_twin_at_real_sizes(void **state)
{
    (void)state;
    check_conv(&(map_case){3, {14, 14, 64}, 64}, 3);
    check_conv(&(map_case){3, {28, 28, 64}, 1}, 5);
    check_conv(&(map_case){3, {28, 28, 1}, 64}, 5);
    check_conv(&(map_case){2, {14, 14, 64}, 128}, 5);
}

static void conv_transposed__matches_its_twin(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        for (int size = 1; size <= 3; size++) {
            const int n = maps[i].n, n_out = maps[i].n_out, area = size * size;
            const int pixels = n * maps[i].src.h * maps[i].src.w;
            check_linear((nn_layer_spec){NN_CONV_TRANSPOSED, .channels = n_out, .kernel = size},
                         maps[i].src, n,
                         (sum_lengths){maps[i].src.c, area * n_out, pixels, pixels * area});
        }
}

/* What batch norm may be off by in one channel: the mean by a sum's rounding, the deviation by
 * half a sum of squares' and the mean's; x̂ by both. */
typedef struct batch_norm_error {
    double sum;               /* check_sum_error of a column */
    double mean;              /* of the mean */
    double inverse_deviation; /* relative */
} batch_norm_error;

static double normal_error(const batch_norm_error *error, double src, double mean, double inverse)
{
    return inverse * (error->mean + ROUNDING * (fabs(src) + fabs(mean))) +
           fabs((src - mean) * inverse) * (error->inverse_deviation + 2 * ROUNDING);
}

static void check_batch_norm_channel(const layer_case *c, int channel, bool training,
                                     double *dst_tolerance, double *diff_tolerance,
                                     double *gradient_tolerance)
{
    const int channels = c->net->dst.c, rows = c->n_dst / channels;
    const twin_layer *own = &c->twin->layers[0];
    const double mean = own->mean[channel], inverse = 1 / sqrt(own->variance[channel] + 1e-3);
    const double gamma = c->twin->parameters[channel],
                 beta = c->twin->parameters[channels + channel];
    batch_norm_error error = {check_sum_error(rows), 0, 3 * ROUNDING};
    if (training) {
        for (int r = 0; r < rows; r++)
            error.mean += error.sum * fabs(c->src[r * channels + channel]) / rows;
        error.mean += ROUNDING * fabs(mean);
        error.inverse_deviation += error.sum + error.mean * inverse;
    }
    double mean_diff = 0, mean_product = 0, product_error = 0; /* of absolute values */
    for (int r = 0; r < rows; r++) {
        const double src = c->src[r * channels + channel];
        const double diff = fabs(c->diff_dst[r * channels + channel]);
        mean_diff += diff / rows;
        mean_product += diff * fabs(src - mean) * inverse / rows;
        product_error += diff * normal_error(&error, src, mean, inverse) / rows;
    }
    product_error += (error.sum + 2 * ROUNDING) * mean_product;
    gradient_tolerance[channel] = product_error * rows;
    gradient_tolerance[channels + channel] = (error.sum + ROUNDING) * mean_diff * rows;
    for (int r = 0; r < rows; r++) {
        const int i = r * channels + channel;
        const double normal = fabs(c->src[i] - mean) * inverse;
        const double off = normal_error(&error, c->src[i], mean, inverse);
        dst_tolerance[i] = fabs(gamma) * (off + 3 * ROUNDING * normal) + ROUNDING * fabs(beta);
        diff_tolerance[i] = fabs(c->diff_dst[i]) * 4 * ROUNDING;
        if (training)
            diff_tolerance[i] += (error.sum + 4 * ROUNDING) * mean_diff + off * mean_product +
                                 normal * (product_error + 4 * ROUNDING * mean_product);
        const double twin_diff = fabs(c->twin->diff_src[i]);
        diff_tolerance[i] = fabs(gamma) * inverse * diff_tolerance[i] +
                            twin_diff * (error.inverse_deviation + 2 * ROUNDING);
    }
}

static void check_batch_norm(nn_shape src, int n, bool training)
{
    layer_case c;
    run(&c, (nn_layer_spec){.kind = NN_BATCH_NORM}, src, n, training);
    const int channels = src.c;
    double *dst = check_doubles(c.n_dst), *diff_src = check_doubles(c.n_src);
    double *gradients = check_doubles(2 * channels), *statistics = check_doubles(2 * channels);
    for (int channel = 0; channel < channels; channel++)
        check_batch_norm_channel(&c, channel, training, dst, diff_src, gradients);
    compare(&c, "dst", c.dst, c.twin->layers[0].dst, dst, c.n_dst);
    compare(&c, "diff_src", c.diff_src, c.twin->diff_src, diff_src, c.n_src);
    compare(&c, "gradients of gamma and beta", c.gradients, c.twin->gradients, gradients,
            2 * channels);
    for (int i = 0; i < 2 * channels; i++) /* random numbers up to 1 and sums of them */
        statistics[i] = training ? 4 * ROUNDING : 0;
    compare(&c, "moving statistics", c.net->statistics, c.twin->statistics, statistics,
            2 * channels);
    free(dst);
    free(diff_src);
    free(gradients);
    free(statistics);
    end(&c);
}

static void batch_norm__matches_its_twin(void **state)
{
    (void)state;
    static const struct {
        int n;
        nn_shape src;
    } cases[] = {{1, {1, 1, 3}},   {2, {1, 1, 100}}, {3, {5, 3, 1}},
                 {5, {1, 1, 17}},  {17, {3, 1, 7}},  {7, {4, 4, 8}},
                 {32, {7, 7, 16}}, {1, {9, 11, 31}}, {33, {2, 3, 5}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_batch_norm(cases[i].src, cases[i].n, true);
        check_batch_norm(cases[i].src, cases[i].n, false);
    }
}

/* Layers without parameters. */
static void check_plain(nn_layer_spec spec, nn_shape src, int n, double dst_error,
                        double diff_error)
{
    layer_case c;
    run(&c, spec, src, n, true);
    double *tolerance = check_doubles(c.n_dst > c.n_src ? c.n_dst : c.n_src);
    check_tolerance(tolerance, c.twin->layers[0].dst, c.n_dst, dst_error);
    compare(&c, "dst", c.dst, c.twin->layers[0].dst, tolerance, c.n_dst);
    for (int i = 0; i < c.n_src; i++) /* diff_dst is up to 1 */
        tolerance[i] = diff_error;
    compare(&c, "diff_src", c.diff_src, c.twin->diff_src, tolerance, c.n_src);
    free(tolerance);
    end(&c);
}

static void activations__match_their_twins(void **state)
{
    (void)state;
    static const struct {
        int n;
        nn_shape src;
    } cases[] = {{1, {1, 1, 1}}, {3, {5, 3, 7}}, {16, {4, 4, 17}}, {5, {1, 1, 100}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nn_shape src = cases[i].src;
        const int n = cases[i].n;
        check_plain((nn_layer_spec){NN_LEAKY_RELU, .slope = 0.2f}, src, n, ROUNDING, ROUNDING);
        check_plain((nn_layer_spec){NN_LEAKY_RELU, .slope = 0}, src, n, 0, 0);
        /* tanh to two units in the last place; 1 - tanh² loses twice as many of 1's */
        check_plain((nn_layer_spec){.kind = NN_TANH}, src, n, 4 * ROUNDING, 11 * ROUNDING);
        check_plain((nn_layer_spec){NN_RESHAPE, .shape = {src.c, src.w, src.h}}, src, n, 0, 0);
    }
}

static void max_pool__matches_its_twin(void **state)
{
    (void)state;
    static const struct {
        int n;
        nn_shape src;
        int window;
    } cases[] = {{1, {2, 2, 1}, 2},  {3, {7, 5, 3}, 2},   {16, {14, 14, 8}, 2},
                 {2, {9, 10, 7}, 3}, {5, {28, 28, 5}, 2}, {1, {3, 3, 33}, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_plain((nn_layer_spec){NN_MAX_POOL, .kernel = cases[i].window}, cases[i].src,
                    cases[i].n, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense__matches_its_twin),
        cmocka_unit_test(conv__matches_its_twin),
        cmocka_unit_test(conv__matches_its_twin_at_real_sizes),
        cmocka_unit_test(conv_transposed__matches_its_twin),
        cmocka_unit_test(batch_norm__matches_its_twin),
        cmocka_unit_test(activations__match_their_twins),
        cmocka_unit_test(max_pool__matches_its_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
