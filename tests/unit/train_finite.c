#include "train/finite.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A model and the gradients of a step that went well. */
typedef struct step {
    ano_model *model;
    float *gradients[MODEL_GAN_NETWORKS];
} step;

static step good_step(void)
{
    const ano_model_config config = {.size = 8, .channels = 1, .latent = 3, .base_width = 4};
    step made;
    assert_int_equal(ano_model_create(&made.model, &config, 1, NULL), ANO_OK);
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++)
        made.gradients[i] = base_alloc(made.model->networks[i]->n_parameters, sizeof(float));
    return made;
}

static void clear(step *s)
{
    ano_model_free(s->model);
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++)
        base_free(s->gradients[i]);
}

/* What is said of the step, "" for nothing. */
static const char *check(const step *s, double d_loss, double g_loss)
{
    static ano_error err;
    err = (ano_error)ANO_ERROR_INIT;
    const float *const gradients[MODEL_NETWORKS] = {s->gradients[0], s->gradients[1]};
    const double losses[ANO_MAX_LOSSES] = {d_loss, g_loss};
    const ano_status status = train_check_finite(s->model, gradients, losses, &err);
    assert_int_equal(status, err.message[0] == '\0' ? ANO_OK : ANO_NUMERIC);
    return err.message;
}

static float *gradient_of(const step *s, ano_network network, const char *tensor)
{
    return s->gradients[network] + nn_net_find(s->model->networks[network], tensor)->offset;
}

static float *weight_of(const step *s, ano_network network, const char *tensor)
{
    const nn_net *net = s->model->networks[network];
    return nn_net_data(net, nn_net_find(net, tensor));
}

static void check__says_nothing_of_finite_numbers(void **state)
{
    (void)state;
    step s = good_step();
    *gradient_of(&s, ANO_GENERATOR, "dense.kernel") = 3e38f;
    assert_string_equal(check(&s, 0.7, 0.7), "");
    clear(&s);
}

static void check__names_any_tensor_that_is_not_finite(void **state)
{
    (void)state;
    static const float values[] = {NAN, INFINITY, -INFINITY};
    step s = good_step();
    for (int n = 0; n < MODEL_GAN_NETWORKS; n++)
        for (int t = 0; t < s.model->networks[n]->n_tensors; t++) {
            const nn_tensor *tensor = &s.model->networks[n]->tensors[t];
            float *places[] = {nn_net_data(s.model->networks[n], tensor) + tensor->size - 1,
                               tensor->trainable ? s.gradients[n] + tensor->offset : NULL};
            for (int p = 0; p < 2 && places[p] != NULL; p++) {
                const float before = *places[p];
                *places[p] = values[t % 3];
                const char *message = check(&s, 0.7, 0.7);
                assert_non_null(strstr(message, ano_network_name((ano_network)n)));
                assert_non_null(strstr(message, tensor->name));
                assert_int_equal(p == 1, strstr(message, "gradient") != NULL);
                *places[p] = before;
            }
        }
    clear(&s);
}

static void check__names_the_first_where_it_has_spread(void **state)
{
    (void)state;
    step s = good_step();
    const nn_net *discriminator = s.model->networks[ANO_DISCRIMINATOR];
    /* From the last layer back to the first, into the weights, and into the generator. */
    for (size_t i = 0; i < discriminator->n_parameters; i++)
        s.gradients[ANO_DISCRIMINATOR][i] = discriminator->parameters[i] = NAN;
    *gradient_of(&s, ANO_GENERATOR, "dense.kernel") = NAN;
    const char *last = discriminator->tensors[discriminator->n_tensors - 1].name;
    char expected[160];
    snprintf(expected, sizeof expected,
             "the discriminator broke down first: the gradient of %s is not finite", last);
    assert_string_equal(check(&s, NAN, NAN), expected);
    clear(&s);
}

static void check__names_a_weight_that_the_update_made_too_large(void **state)
{
    (void)state;
    step s = good_step();
    *weight_of(&s, ANO_GENERATOR, "dense.kernel") = INFINITY;
    assert_string_equal(check(&s, 0.7, 0.7),
                        "the generator broke down first: dense.kernel is not finite");
    clear(&s);
}

static void check__tells_whose_loss_it_is(void **state)
{
    (void)state;
    step s = good_step();
    assert_string_equal(check(&s, 0.7, INFINITY),
                        "the generator broke down first: its loss g_loss is not finite");
    assert_string_equal(check(&s, NAN, 0.7),
                        "the discriminator broke down first: its loss d_loss is not finite");
    clear(&s);
}

/* What is said of a step of a method one of whose losses is not finite. */
static const char *check_loss(ano_method method, int loss)
{
    static ano_error err;
    const ano_model_config config = {8, 1, 3, 4, method};
    ano_model *model;
    float *gradients[MODEL_NETWORKS] = {NULL};
    double losses[ANO_MAX_LOSSES] = {0};
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (model->networks[i] != NULL)
            gradients[i] = base_alloc(model->networks[i]->n_parameters, sizeof(float));
    losses[loss] = NAN;
    assert_int_equal(train_check_finite(model, (const float *const *)gradients, losses, &err),
                     ANO_NUMERIC);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        base_free(gradients[i]);
    ano_model_free(model);
    return err.message;
}

static void check__tells_whose_loss_it_is_by_every_method(void **state)
{
    (void)state;
    assert_string_equal(check_loss(ANO_METHOD_PATCH, 0),
                        "the patch_discriminator broke down first: its loss p_loss is not finite");
    assert_string_equal(check_loss(ANO_METHOD_VAE, 0),
                        "the encoder broke down first: its loss vae_loss is not finite");
    assert_string_equal(check_loss(ANO_METHOD_VAE, 1),
                        "the generator broke down first: its loss reconstruction is not finite");
    assert_string_equal(check_loss(ANO_METHOD_ENCODER, 3),
                        "the encoder broke down first: its loss e_loss is not finite");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check__says_nothing_of_finite_numbers),
        cmocka_unit_test(check__names_any_tensor_that_is_not_finite),
        cmocka_unit_test(check__names_the_first_where_it_has_spread),
        cmocka_unit_test(check__names_a_weight_that_the_update_made_too_large),
        cmocka_unit_test(check__tells_whose_loss_it_is),
        cmocka_unit_test(check__tells_whose_loss_it_is_by_every_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
