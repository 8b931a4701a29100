/* The ops of a pass that do several layers, forward and backward, against the plain twins of the
 * layers one by one: convolutions of our own with the leaky ReLU and the max pooling after them,
 * composed upsampling, and batch norm with the leaky ReLU after it; that one also against passes
 * over the layers one by one, to the bit.
 *
 * Winograd's error is a share of the numbers' standard deviation (tests/check/winograd.c measures
 * it); here the distance of all numbers of a kind is compared with their length, since a kink of
 * leaky ReLU or max pooling that falls the other way changes few numbers but those by much. */
#include "check.h"
#include "nn/choose.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Ways of convolving many channels, and the distance that rounding may make. */
static const struct way {
    ano_conv conv;
    const char *name;
    double tolerance;
} ways[] = {{ANO_CONV_WINOGRAD, "winograd", 1e-4}, {ANO_CONV_FFT, "fft", 2e-6}};

/* All numbers of a pass over the net against the twins of its layers. */
static void check_net(const char *name, nn_net *net, int batch, double tolerance)
{
    ano_error err = ANO_ERROR_INIT;
    nn_pass *pass;
    nn_net_initialise(net, 1, BASE_PURPOSE_TEST);
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i].n_dims == 1)
            base_random_uniform(nn_net_data(net, &net->tensors[i]), net->tensors[i].size, -0.3f,
                                0.3f, (base_random){2, BASE_PURPOSE_TEST, (uint64_t)i});
    twin *plain = twin_create(net, batch, true);
    const int n_src = batch * (int)nn_shape_size(net->src);
    const int n_dst = batch * (int)nn_shape_size(net->dst);
    double *src = check_doubles(n_src), *diff_dst = check_doubles(n_dst);
    float *src_floats = check_floats(n_src), *diff_floats = check_floats(n_dst);
    float *gradients = check_floats((int)net->n_parameters);
    check_random(src, n_src, 1);
    check_random(diff_dst, n_dst, 2);
    check_narrow(src_floats, src, n_src);
    check_narrow(diff_floats, diff_dst, n_dst);

    const float *dst, *diff_src;
    if (nn_pass_create(&pass, net, batch, NN_TRAINING | NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS,
                       &err) != ANO_OK)
        fail_msg("%s: %s", name, err.message);
    for (int repeat = 0; repeat < 2; repeat++) { /* nothing is left over from the last time */
        assert_int_equal(nn_pass_forward(&dst, pass, src_floats, &err), ANO_OK);
        assert_int_equal(nn_pass_backward(&diff_src, pass, diff_floats, gradients, &err), ANO_OK);
        print_message("%s\n", name);
        check_distance("dst", dst, twin_forward(plain, src), n_dst, tolerance);
        check_distance("diff_src", diff_src, twin_backward(plain, diff_dst), n_src, tolerance);
        for (int i = 0; i < net->n_tensors; i++)
            if (net->tensors[i].trainable)
                check_distance(net->tensors[i].name, gradients + net->tensors[i].offset,
                               plain->gradients + net->tensors[i].offset, (int)net->tensors[i].size,
                               tolerance);
    }
    nn_pass_free(pass);
    twin_free(plain);
    free(src);
    free(diff_dst);
    free(src_floats);
    free(diff_floats);
    free(gradients);
}

typedef struct fused_case {
    nn_shape src;
    int channels, kernel, n_layers, batch; /* n_layers: 1 … 3 of the specs below */
    bool more; /* an activation in place and a transposed convolution after the op */
} fused_case;

static void check_fused(const fused_case *c, const struct way *way)
{
    nn_layer_spec specs[] = {
        {NN_CONV, .name = "conv", .channels = c->channels, .kernel = c->kernel},
        {NN_LEAKY_RELU, .name = "leaky_relu", .slope = 0.2f},
        {NN_MAX_POOL, .name = "max_pool", .kernel = 2},
        {NN_TANH, .name = "tanh"},
        {NN_CONV_TRANSPOSED, .name = "up", .channels = 3, .kernel = 2},
    };
    int n_specs = c->n_layers;
    for (int i = 3; i < 5 && c->more; i++)
        specs[n_specs++] = specs[i];
    char name[128];
    snprintf(name, sizeof name, "%s, %dx%dx%dx%d -> %d, kernel %d, %d layers", way->name, c->batch,
             c->src.h, c->src.w, c->src.c, c->channels, c->kernel, n_specs);

    nn_net *net;
    assert_int_equal(nn_net_create(&net, c->src, specs, n_specs, NULL), ANO_OK);
    assert_int_equal(nn_choose_methods(net, way->conv, c->batch, NULL), ANO_OK);
    assert_int_not_equal(net->layers[0].method, NN_CONV_DIRECT);
    check_net(name, net, c->batch, way->tolerance);
    nn_net_free(net);
}

/* An upsampling block, composed and by the twins of its layers, whose gradients
 * tests/check/reference_gradients.c checks by finite differences: so are those by src, by both
 * layers' weights and by both biases, none of which is zero. */
static void check_upsampling(nn_shape src, int middle, int channels, int kernel, int batch)
{
    const nn_layer_spec specs[] = {
        {NN_LEAKY_RELU, .name = "leaky_relu", .slope = 0.2f},
        {NN_CONV_TRANSPOSED, .name = "up", .channels = middle, .kernel = 2},
        {NN_CONV, .name = "conv", .channels = channels, .kernel = kernel},
        {NN_TANH, .name = "tanh"},
    };
    char name[128];
    snprintf(name, sizeof name, "%dx%dx%dx%d up to %d, %d, kernel %d", batch, src.h, src.w, src.c,
             middle, channels, kernel);
    nn_net *net;
    assert_int_equal(nn_net_create(&net, src, specs, 4, NULL), ANO_OK);
    assert_true(nn_conv_can(net, 2, NN_CONV_COMPOSED));
    net->layers[2].method = NN_CONV_COMPOSED;
    check_net(name, net, batch, 4e-6);
    nn_net_free(net);
}

static void composed_upsampling__matches_the_twins_of_its_layers(void **state)
{
    (void)state;
    check_upsampling((nn_shape){14, 14, 64}, 64, 1, 5, 3);
    check_upsampling((nn_shape){7, 9, 16}, 32, 3, 3, 2);
    check_upsampling((nn_shape){1, 1, 32}, 16, 4, 5, 19);
    check_upsampling((nn_shape){8, 16, 80}, 16, 2, 5, 1);
    check_upsampling((nn_shape){3, 13, 48}, 48, 1, 3, 2);
    check_upsampling((nn_shape){7, 7, 128}, 64, 64, 3, 3);
    check_upsampling((nn_shape){8, 5, 16}, 16, 32, 3, 2);
    check_upsampling((nn_shape){14, 15, 32}, 16, 16, 3, 1);
    check_upsampling((nn_shape){1, 2, 16}, 48, 80, 3, 5);
}

static void fused_convolution__matches_the_twins_of_its_layers(void **state)
{
    (void)state;
    static const fused_case cases[] = {
        {{14, 14, 16}, 32, 5, 1, 3, false}, {{14, 14, 16}, 32, 5, 2, 2, false},
        {{14, 14, 32}, 16, 5, 3, 3, false}, {{9, 11, 16}, 16, 5, 3, 2, false},
        {{14, 14, 16}, 16, 3, 1, 3, false}, {{13, 7, 16}, 48, 3, 3, 2, false},
        {{8, 8, 16}, 16, 3, 2, 2, true},    {{10, 10, 16}, 16, 5, 3, 1, true},
        {{6, 6, 16}, 16, 5, 1, 19, true},   {{28, 28, 1}, 64, 5, 3, 2, false},
        {{9, 11, 3}, 16, 5, 3, 3, false},   {{7, 6, 2}, 32, 3, 2, 19, true},
        {{8, 8, 4}, 16, 7, 1, 2, false},    {{28, 28, 64}, 1, 5, 1, 2, false},
        {{9, 11, 16}, 3, 5, 2, 3, false},   {{6, 8, 32}, 4, 3, 3, 2, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
            check_fused(&cases[i], &ways[k]);
}

static void check_activated_batch_norm(nn_shape src, float slope, int batch)
{
    const nn_layer_spec specs[] = {
        {.kind = NN_TANH, .name = "tanh_1"},
        {.kind = NN_BATCH_NORM, .name = "batch_norm"},
        {NN_LEAKY_RELU, .name = "leaky_relu", .slope = slope},
        {.kind = NN_TANH, .name = "tanh_2"}, /* in place */
        {NN_CONV_TRANSPOSED, .name = "up", .channels = 5, .kernel = 2},
    };
    char name[128];
    snprintf(name, sizeof name, "batch norm of %dx%dx%dx%d, slope %g", batch, src.h, src.w, src.c,
             (double)slope);
    nn_net *net;
    assert_int_equal(nn_net_create(&net, src, specs, 5, NULL), ANO_OK);
    check_net(name, net, batch, 1e-6);
    nn_net_free(net);
}

static void activated_batch_norm__matches_the_twins_of_its_layers(void **state)
{
    (void)state;
    check_activated_batch_norm((nn_shape){5, 3, 9}, 0.2f, 6);
    check_activated_batch_norm((nn_shape){4, 4, 33}, 0, 19);
    check_activated_batch_norm((nn_shape){1, 1, 100}, 0.2f, 32);
    check_activated_batch_norm((nn_shape){7, 8, 16}, 1, 2);
}

/* Passes over layers: `n` nets, each of some of the specs, run one after the other. Results go to
 * dst, diff_src [batch][shape] and to gradients and statistics, each [2 channels]. */
typedef struct chain_result {
    float *dst, *diff_src, *gradients, *statistics;
} chain_result;

static chain_result run_chain(const nn_layer_spec *specs, const int *lengths, int n, nn_shape shape,
                              int batch, unsigned uses)
{
    nn_net *nets[2];
    nn_pass *passes[2];
    const int size = batch * (int)nn_shape_size(shape), channels = shape.c;
    chain_result result = {check_floats(size), check_floats(size), check_floats(2 * channels),
                           check_floats(2 * channels)};
    float *src = check_floats(size), *diff_dst = check_floats(size);
    base_random_uniform(src, (size_t)size, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 0});
    base_random_uniform(diff_dst, (size_t)size, -1, 1, (base_random){2, BASE_PURPOSE_TEST, 0});
    const float *dst = src, *diff = diff_dst;
    for (int i = 0; i < n; specs += lengths[i++]) {
        assert_int_equal(nn_net_create(&nets[i], shape, specs, lengths[i], NULL), ANO_OK);
        base_random_uniform(nets[i]->parameters, nets[i]->n_parameters, -1, 1,
                            (base_random){3, BASE_PURPOSE_TEST, 0});
        base_random_uniform(nets[i]->statistics, nets[i]->n_statistics, 0, 1,
                            (base_random){4, BASE_PURPOSE_TEST, 0});
        assert_int_equal(nn_pass_create(&passes[i], nets[i], batch, uses, NULL), ANO_OK);
        assert_int_equal(nn_pass_forward(&dst, passes[i], dst, NULL), ANO_OK);
    }
    memcpy(result.dst, dst, (size_t)size * sizeof *dst);
    for (int i = n - 1; i >= 0; i--)
        assert_int_equal(nn_pass_backward(&diff, passes[i], diff, result.gradients, NULL), ANO_OK);
    memcpy(result.diff_src, diff, (size_t)size * sizeof *diff);
    memcpy(result.statistics, nets[0]->statistics, nets[0]->n_statistics * sizeof(float));
    for (int i = 0; i < n; i++) {
        nn_pass_free(passes[i]);
        nn_net_free(nets[i]);
    }
    free(src);
    free(diff_dst);
    return result;
}

static void check_same_results(nn_shape shape, int batch, float slope, unsigned uses)
{
    const nn_layer_spec specs[] = {
        {.kind = NN_BATCH_NORM, .name = "batch_norm"},
        {NN_LEAKY_RELU, .name = "leaky_relu", .slope = slope},
    };
    const int size = batch * (int)nn_shape_size(shape), channels = shape.c;
    chain_result fused = run_chain(specs, (int[]){2}, 1, shape, batch, uses);
    chain_result apart = run_chain(specs, (int[]){1, 1}, 2, shape, batch, uses);
    const struct {
        const char *name;
        float *got, *expected;
        int n;
    } arrays[] = {{"dst", fused.dst, apart.dst, size},
                  {"diff_src", fused.diff_src, apart.diff_src, size},
                  {"gradients", fused.gradients, apart.gradients, 2 * channels},
                  {"statistics", fused.statistics, apart.statistics, 2 * channels}};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        for (int i = 0; i < arrays[k].n; i++)
            if (memcmp(&arrays[k].got[i], &arrays[k].expected[i], sizeof(float)) != 0)
                fail_msg("%s of %dx%dx%dx%d, slope %g, at %d: expected %.9g, got %.9g",
                         arrays[k].name, batch, shape.h, shape.w, shape.c, (double)slope, i,
                         (double)arrays[k].expected[i], (double)arrays[k].got[i]);
        free(arrays[k].got);
        free(arrays[k].expected);
    }
}

static void activated_batch_norm__has_the_bits_of_its_layers(void **state)
{
    (void)state;
    static const struct {
        nn_shape shape;
        int batch;
    } cases[] = {{{1, 1, 1}, 2},   {{1, 1, 100}, 3}, {{5, 3, 17}, 1},
                 {{7, 2, 33}, 19}, {{4, 4, 64}, 32}, {{1, 1, 6272}, 5}};
    static const float slopes[] = {0.2f, 0, 1};
    const unsigned gradients = NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t s = 0; s < sizeof slopes / sizeof *slopes; s++) {
            check_same_results(cases[i].shape, cases[i].batch, slopes[s], NN_TRAINING | gradients);
            check_same_results(cases[i].shape, cases[i].batch, slopes[s], gradients);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(composed_upsampling__matches_the_twins_of_its_layers),
        cmocka_unit_test(fused_convolution__matches_the_twins_of_its_layers),
        cmocka_unit_test(activated_batch_norm__matches_the_twins_of_its_layers),
        cmocka_unit_test(activated_batch_norm__has_the_bits_of_its_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
