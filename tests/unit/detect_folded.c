#include "detect/folded.h"

#include "base/memory.h"
#include "model/networks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A generator whose batch norms do something: all statistics and parameters drawn. */
static nn_net *drawn_generator(const ano_model_config *config)
{
    nn_net *net;
    assert_int_equal(model_generator_create(&net, config, NULL), ANO_OK);
    nn_net_initialise(net, 3, BASE_PURPOSE_TEST);
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        if (tensor->n_dims != 1)
            continue;
        const bool positive = strstr(tensor->name, "gamma") || strstr(tensor->name, "variance");
        base_random_uniform(nn_net_data(net, tensor), tensor->size, positive ? 0.5f : -0.3f,
                            positive ? 1.5f : 0.3f,
                            (base_random){4, BASE_PURPOSE_TEST, (uint64_t)i});
    }
    return net;
}

static void assert_near(const char *what, const float *got, const float *expected, size_t n,
                        double tolerance)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs((double)expected[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - (double)expected[i]) <= tolerance * largest))
            fail_msg("%s %zu: expected %.9g, got %.9g", what, i, (double)expected[i],
                     (double)got[i]);
}

/* Folded and layer by layer, forward and backward, n images. */
static void check_config(ano_model_config config, int n)
{
    nn_net *net = drawn_generator(&config);
    const size_t latent = nn_shape_size(net->src), image = nn_shape_size(net->dst);
    float *z = base_alloc((size_t)n * latent, sizeof(float));
    float *diff = base_alloc((size_t)n * image, sizeof(float));
    base_random_uniform(z, (size_t)n * latent, -1, 1, (base_random){5, BASE_PURPOSE_TEST, 0});
    base_random_uniform(diff, (size_t)n * image, -1, 1, (base_random){5, BASE_PURPOSE_TEST, 1});

    nn_pass *layers;
    detect_folded *folded;
    detect_folded_pass *pass;
    const float *expected, *expected_diff;
    assert_int_equal(nn_pass_create(&layers, net, n, NN_DATA_GRADIENT, NULL), ANO_OK);
    assert_int_equal(detect_folded_create(&folded, net, NULL), ANO_OK);
    assert_int_equal(detect_folded_pass_create(&pass, folded, (size_t)n, NULL), ANO_OK);
    for (int repeat = 0; repeat < 2; repeat++) { /* nothing is left over from the last time */
        assert_int_equal(nn_pass_forward(&expected, layers, z, NULL), ANO_OK);
        assert_int_equal(nn_pass_backward(&expected_diff, layers, diff, NULL, NULL), ANO_OK);
        assert_near("pixel", detect_folded_forward(pass, z, (size_t)n), expected, (size_t)n * image,
                    1e-5);
        assert_near("gradient", detect_folded_backward(pass, diff, (size_t)n), expected_diff,
                    (size_t)n * latent, 1e-5);
        for (size_t i = 0; i < (size_t)n * latent; i++)
            z[i] = -z[i];
    }
    detect_folded_pass_free(pass);
    detect_folded_free(folded);
    nn_pass_free(layers);
    base_free(z);
    base_free(diff);
    nn_net_free(net);
}

static void folded_generator__agrees_with_the_layers(void **state)
{
    (void)state;
    check_config((ano_model_config){28, 1, 30, 64, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 3);
    check_config((ano_model_config){28, 3, 30, 16, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 7);
    check_config((ano_model_config){8, 1, 1, 1, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 1);
    check_config((ano_model_config){20, 2, 33, 9, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 4);
    check_config((ano_model_config){32, 3, 30, 16, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 2);
    check_config((ano_model_config){64, 1, 17, 24, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 2);
    check_config((ano_model_config){112, 1, 3, 5, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 1);
}

static void folding__refuses_another_form_of_net(void **state)
{
    (void)state;
    nn_net *net;
    detect_folded *folded;
    ano_error err = ANO_ERROR_INIT;
    const ano_model_config config = {8, 1, 2, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};
    assert_int_equal(model_discriminator_create(&net, &config, NULL), ANO_OK);
    assert_int_equal(detect_folded_create(&folded, net, &err), ANO_UNSUPPORTED);
    assert_null(folded);
    nn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folded_generator__agrees_with_the_layers),
        cmocka_unit_test(folding__refuses_another_form_of_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
