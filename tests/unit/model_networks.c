#include "model/networks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void size__says_how_many_blocks_there_are(void **state)
{
    (void)state;
    static const struct {
        int size, blocks;
    } cases[] = {{8, 2},  {16, 2},  {28, 2},  {32, 2},  {48, 2},  {52, 2},  {56, 3},  {64, 3},
                 {96, 3}, {100, 2}, {112, 4}, {128, 4}, {192, 4}, {224, 5}, {252, 2}, {256, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (model_blocks(cases[i].size) != cases[i].blocks)
            fail_msg("size %d: expected %d blocks, got %d", cases[i].size, cases[i].blocks,
                     model_blocks(cases[i].size));
}

static void check_shapes(const nn_net *net, const char *const names[], const nn_shape shapes[],
                         int n)
{
    int next = 0;
    for (int i = 0; i < net->n_layers; i++) {
        const nn_layer *layer = &net->layers[i];
        if (next == n || strcmp(layer->name, names[next]) != 0)
            continue;
        if (memcmp(&layer->dst, &shapes[next], sizeof layer->dst) != 0)
            fail_msg("%s: expected %d x %d x %d, got %d x %d x %d", layer->name, shapes[next].h,
                     shapes[next].w, shapes[next].c, layer->dst.h, layer->dst.w, layer->dst.c);
        next++;
    }
    if (next < n)
        fail_msg("there is no %s in its place", names[next]);
}

static void maps__are_wide_where_they_are_small(void **state)
{
    (void)state;
    const ano_model_config config = {112, 3, 5, 10, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};
    nn_net *net;
    static const char *const upwards[] = {"reshape", "conv_1", "conv_2",
                                          "conv_3",  "conv_4", "tanh"};
    static const nn_shape up[] = {{7, 7, 20},   {14, 14, 20},  {28, 28, 20},
                                  {56, 56, 10}, {112, 112, 3}, {112, 112, 3}};
    assert_int_equal(model_generator_create(&net, &config, NULL), ANO_OK);
    check_shapes(net, upwards, up, 6);
    nn_net_free(net);
    static const char *const downwards[] = {"conv_1", "conv_2", "conv_3", "max_pool_4", "dense"};
    static const nn_shape down[] = {
        {112, 112, 10}, {56, 56, 20}, {28, 28, 20}, {7, 7, 20}, {1, 1, 1}};
    assert_int_equal(model_discriminator_create(&net, &config, NULL), ANO_OK);
    check_shapes(net, downwards, down, 5);
    nn_net_free(net);
}

static void config__names_what_is_out_of_range(void **state)
{
    (void)state;
    static const struct {
        ano_model_config config;
        const char *word; /* NULL: nothing is */
    } cases[] = {{{8, 1, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, NULL},
                 {{256, 4, 4096, 64, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, NULL},
                 {{4, 1, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "size"},
                 {{260, 1, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "size"},
                 {{30, 1, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "size"},
                 {{28, 0, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "channels"},
                 {{28, 5, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "channels"},
                 {{28, 1, 4097, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "latent"},
                 {{28, 1, 1, 1025, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "base_width"},
                 {{252, 1, 4096, 1024, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, "parameters"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_error err = ANO_ERROR_INIT;
        const ano_status expected = cases[i].word == NULL ? ANO_OK : ANO_ARG;
        assert_int_equal(model_config_check(&cases[i].config, &err), expected);
        if (cases[i].word != NULL)
            assert_non_null(strstr(err.message, cases[i].word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size__says_how_many_blocks_there_are),
        cmocka_unit_test(maps__are_wide_where_they_are_small),
        cmocka_unit_test(config__names_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
