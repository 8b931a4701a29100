/* nn_pass_tangent() against the plain twin, over layers in an order that no critic has: ones in
 * place first, last and after each other, views between, sizes that pooling does not divide.
 * Tolerances as in tests/check/penalty.c, which has finite differences too. */
#include "check.h"
#include "formula.h"
#include "nn/choose.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 3, LAYERS_WITH_WEIGHTS = 5, MOST_DRAWS = 200 };
static const double MARGIN = 3e-4;

static const struct way {
    ano_conv conv;
    const char *name;
    double share; /* that rounding may make */
} ways[] = {{ANO_CONV_DIRECT, "direct", 1e-6},
            {ANO_CONV_WINOGRAD, "winograd", 1e-5},
            {ANO_CONV_FFT, "fft", 1e-6}};

static nn_net *create(void)
{
    const nn_layer_spec specs[] = {
        {NN_LEAKY_RELU, .name = "leaky_relu_1", .slope = 0.3f},
        {NN_RESHAPE, .name = "reshape_1", .shape = {7, 9, 2}},
        {NN_CONV, .name = "conv_1", .channels = 16, .kernel = 3},
        {NN_CONV, .name = "conv_2", .channels = 16, .kernel = 5},
        {NN_LEAKY_RELU, .name = "leaky_relu_2", .slope = 0.1f},
        {NN_LEAKY_RELU, .name = "leaky_relu_3", .slope = 0.5f},
        {NN_CONV, .name = "conv_3", .channels = 32, .kernel = 3},
        {NN_LEAKY_RELU, .name = "leaky_relu_4", .slope = 0.2f},
        {NN_MAX_POOL, .name = "max_pool_1", .kernel = 2},
        {NN_CONV, .name = "conv_4", .channels = 3, .kernel = 3},
        {NN_MAX_POOL, .name = "max_pool_2", .kernel = 3},
        {NN_DENSE, .name = "dense", .channels = 5},
        {NN_LEAKY_RELU, .name = "leaky_relu_5", .slope = 0.2f},
        {NN_RESHAPE, .name = "reshape_2", .shape = {5, 1, 1}},
    };
    nn_net *net;
    assert_int_equal(
        nn_net_create(&net, (nn_shape){9, 7, 2}, specs, sizeof specs / sizeof *specs, NULL),
        ANO_OK);
    formula_fill_net(net, "layers");
    return net;
}

/* Images [BATCH][src] that stay clear of kinks. */
static void draw_images(double *images, const nn_net *net)
{
    const int image = (int)nn_shape_size(net->src);
    twin *t = twin_create(net, 1, true);
    uint64_t stream = 0;
    for (int i = 0; i < BATCH; i++)
        do {
            if (++stream == MOST_DRAWS)
                fail_msg("no image lies %g from the kinks", MARGIN);
            check_random(images + i * image, image, stream);
            twin_forward(t, images + i * image);
        } while (!(twin_distance_from_kinks(t) >= MARGIN));
    twin_free(t);
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The derivative of dst, and the gradients, of a pass of its own. */
static void run(float *derivative, float *gradients, const nn_net *net, const float *src,
                const float *diff_dst, const float *tangent)
{
    nn_pass *pass;
    const float *dst, *diff_src;
    assert_int_equal(nn_pass_create(&pass, net, BATCH, NN_SECOND_ORDER, NULL), ANO_OK);
    for (int repeat = 0; repeat < 2; repeat++) { /* nothing is left over from the last time */
        assert_int_equal(nn_pass_forward(&dst, pass, src, NULL), ANO_OK);
        assert_int_equal(nn_pass_backward(&diff_src, pass, diff_dst, gradients, NULL), ANO_OK);
        assert_int_equal(nn_pass_tangent(&dst, pass, tangent, gradients, NULL), ANO_OK);
    }
    memcpy(derivative, dst, BATCH * nn_shape_size(net->dst) * sizeof *derivative);
    nn_pass_free(pass);
}

static void tangents__of_layers_in_any_order_match_their_twin(void **state)
{
    (void)state;
    nn_net *net = create();
    const int n_src = BATCH * (int)nn_shape_size(net->src);
    const int n_dst = BATCH * (int)nn_shape_size(net->dst);
    double *src = check_doubles(n_src), *tangent = check_doubles(n_src);
    double *diff_dst = check_doubles(n_dst);
    float *src_floats = check_floats(n_src), *tangent_floats = check_floats(n_src);
    float *diff_floats = check_floats(n_dst), *derivative = check_floats(n_dst);
    float *gradients = check_floats((int)net->n_parameters);
    draw_images(src, net);
    check_random(tangent, n_src, 1);
    check_random(diff_dst, n_dst, 2);
    check_narrow(src_floats, src, n_src);
    check_narrow(tangent_floats, tangent, n_src);
    check_narrow(diff_floats, diff_dst, n_dst);

    twin *t = twin_create(net, BATCH, true);
    twin_forward(t, src);
    const double along_src = dot(tangent, twin_backward(t, diff_dst), n_src);
    const double *expected = twin_tangent(t, tangent);
    assert_true(fabs(dot(diff_dst, expected, n_dst) - along_src) < 1e-12 * fabs(along_src));
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        const double share = sqrt(2 * LAYERS_WITH_WEIGHTS + 1) * ways[w].share;
        assert_int_equal(nn_choose_methods(net, ways[w].conv, BATCH, NULL), ANO_OK);
        run(derivative, gradients, net, src_floats, diff_floats, tangent_floats);
        print_message("%s\n", ways[w].name);
        check_distance("derivative", derivative, expected, n_dst, share);
        for (int i = 0; i < net->n_tensors; i++)
            check_distance(net->tensors[i].name, gradients + net->tensors[i].offset,
                           t->gradients + net->tensors[i].offset, (int)net->tensors[i].size, share);
    }
    twin_free(t);
    nn_net_free(net);
    free(src);
    free(tangent);
    free(diff_dst);
    free(derivative);
    free(gradients);
    free(src_floats);
    free(tangent_floats);
    free(diff_floats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tangents__of_layers_in_any_order_match_their_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
