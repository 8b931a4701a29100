#include "nn/choose.h"

#include "kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void conv_can__holds_the_limits_of_each_method(void **state)
{
    (void)state;
    enum { DIRECT = 1 << NN_CONV_DIRECT, WINOGRAD = 1 << NN_CONV_WINOGRAD };
    enum { FFT = 1 << NN_CONV_FFT, THIN = 1 << NN_CONV_THIN };
    static const struct {
        int height, width, in, out, kernel;
        unsigned methods; /* that can do it */
    } cases[] = {
        {14, 14, 16, 32, 5, DIRECT | WINOGRAD | FFT},
        {15, 14, 16, 32, 5, DIRECT | WINOGRAD},
        {14, 15, 16, 32, 5, DIRECT | WINOGRAD},
        {15, 15, 48, 16, 3, DIRECT | WINOGRAD | FFT},
        {16, 15, 48, 16, 3, DIRECT | WINOGRAD},
        {15, 16, 48, 16, 3, DIRECT | WINOGRAD},
        {1, 1, 16, 16, 3, DIRECT | WINOGRAD | FFT},
        {8, 8, 16, 16, 1, DIRECT},
        {8, 8, 16, 16, 7, DIRECT},
        {8, 8, 24, 16, 3, DIRECT},
        {8, 8, 16, 24, 3, DIRECT},
        {28, 28, 1, 64, 5, DIRECT | THIN},
        {28, 28, 64, KERNELS_MAX_THIN, 7, DIRECT | THIN},
        {28, 28, 64, KERNELS_MAX_THIN + 1, 5, DIRECT},
        {8, 8, 1, 24, 5, DIRECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_layer layer = {.kind = NN_CONV,
                          .src = {cases[i].height, cases[i].width, cases[i].in},
                          .dst = {cases[i].height, cases[i].width, cases[i].out},
                          .kernel = cases[i].kernel};
        const nn_net net = {.n_layers = 1, .layers = &layer};
        for (int method = 0; method <= NN_CONV_COMPOSED; method++)
            if (nn_conv_can(&net, 0, (nn_conv_method)method) != (cases[i].methods >> method & 1))
                fail_msg("case %zu, method %d: expected %u", i, method,
                         cases[i].methods >> method & 1);
        layer.kind = NN_DENSE;
        for (int method = 0; method <= NN_CONV_COMPOSED; method++)
            assert_false(nn_conv_can(&net, 0, (nn_conv_method)method));
    }
}

enum { BATCH = 2, N_LAYERS = 5 };

/* Convolutions that are thin, too large for the FFT, within its limits, for no method but direct.
 */
static nn_net *net_of_all_kinds(void)
{
    static const nn_layer_spec specs[N_LAYERS] = {
        {NN_CONV, .name = "thin", .channels = 16, .kernel = 5},
        {NN_CONV, .name = "large", .channels = 16, .kernel = 5},
        {NN_MAX_POOL, .name = "max_pool", .kernel = 2},
        {NN_CONV, .name = "small", .channels = 32, .kernel = 5},
        {NN_CONV, .name = "odd", .channels = 5, .kernel = 3},
    };
    nn_net *net;
    assert_int_equal(nn_net_create(&net, (nn_shape){20, 20, 1}, specs, N_LAYERS, NULL), ANO_OK);
    return net;
}

static void choose_methods__gives_a_wish_where_it_can(void **state)
{
    (void)state;
    static const struct {
        ano_conv wish;
        nn_conv_method methods[N_LAYERS];
    } cases[] = {
        {ANO_CONV_DIRECT,
         {NN_CONV_DIRECT, NN_CONV_DIRECT, NN_CONV_DIRECT, NN_CONV_DIRECT, NN_CONV_DIRECT}},
        {ANO_CONV_WINOGRAD,
         {NN_CONV_THIN, NN_CONV_WINOGRAD, NN_CONV_DIRECT, NN_CONV_WINOGRAD, NN_CONV_DIRECT}},
        {ANO_CONV_FFT, {NN_CONV_THIN, NN_CONV_DIRECT, NN_CONV_DIRECT, NN_CONV_FFT, NN_CONV_DIRECT}},
    };
    nn_net *net = net_of_all_kinds();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(nn_choose_methods(net, cases[i].wish, BATCH, NULL), ANO_OK);
        for (int layer = 0; layer < N_LAYERS; layer++)
            if (net->layers[layer].method != cases[i].methods[layer])
                fail_msg("wish %d, layer %s: expected %d, got %d", cases[i].wish,
                         net->layers[layer].name, cases[i].methods[layer],
                         net->layers[layer].method);
    }
    nn_net_free(net);
}

static void choose_methods__measures_only_what_can_do_the_layer(void **state)
{
    (void)state;
    nn_net *net = net_of_all_kinds();
    assert_int_equal(nn_choose_methods(net, ANO_CONV_AUTO, BATCH, NULL), ANO_OK);
    assert_int_equal(net->layers[0].method, NN_CONV_THIN);
    assert_int_not_equal(net->layers[1].method, NN_CONV_FFT);
    assert_int_equal(net->layers[4].method, NN_CONV_DIRECT);
    for (int layer = 1; layer < N_LAYERS; layer++) {
        if (net->layers[layer].kind != NN_CONV)
            continue;
        assert_true(nn_conv_can(net, layer, net->layers[layer].method));
        assert_int_not_equal(net->layers[layer].method, NN_CONV_THIN);
    }
    nn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_can__holds_the_limits_of_each_method),
        cmocka_unit_test(choose_methods__gives_a_wish_where_it_can),
        cmocka_unit_test(choose_methods__measures_only_what_can_do_the_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
