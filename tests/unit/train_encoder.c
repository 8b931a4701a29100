/* Training of f-AnoGAN's encoder and of its GAN: what each step moves and what it leaves alone.
 * Their gradients are checked in tests/check/encoder.c and wgan.c. */
#include "train/encoder.h"

#include "base/memory.h"
#include "train/wgan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, SIZE = 8, PIXELS = SIZE * SIZE, LATENT = 3, SEED = 5 };

typedef struct fixture {
    ano_model *model;
    nn_adam adam[MODEL_NETWORKS];
    float images[BATCH * PIXELS];
} fixture;

static void create(fixture *f, double rate)
{
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER};
    *f = (fixture){0};
    assert_int_equal(ano_model_create(&f->model, &config, 3, NULL), ANO_OK);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (f->model->networks[i] != NULL)
            assert_int_equal(
                nn_adam_init(&f->adam[i], f->model->networks[i]->n_parameters, rate, 0, 0.9, NULL),
                ANO_OK);
    base_random_uniform(f->images, BATCH * PIXELS, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 0});
}

static void clear(fixture *f)
{
    ano_model_free(f->model);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        nn_adam_clear(&f->adam[i]);
}

/* ---- the encoder --------------------------------------------------------------------------- */

static double run(train_encoder *step, const fixture *f)
{
    double loss;
    assert_int_equal(train_encoder_run(&loss, step, f->images, 7, NULL), ANO_OK);
    return loss;
}

static void encoder_step__brings_generated_images_back_and_moves_the_encoder_alone(void **state)
{
    (void)state;
    fixture f, before;
    create(&f, 1e-3);
    create(&before, 0);
    train_encoder *step;
    assert_int_equal(train_encoder_create(&step, f.model, &f.adam[ANO_ENCODER], ANO_ENCODING_IZIF,
                                          BATCH, SEED, NULL),
                     ANO_OK);
    /* Images that have a z: all of the loss can go. */
    float z[BATCH * LATENT];
    base_random_uniform(z, BATCH * LATENT, -1, 1, (base_random){SEED, BASE_PURPOSE_SAMPLES, 0});
    assert_int_equal(ano_model_generate(f.images, f.model, z, BATCH, 1, NULL), ANO_OK);
    const double first = run(step, &f);
    for (int i = 0; i < 500; i++)
        run(step, &f);
    assert_true(run(step, &f) < 0.1 * first);
    for (int i = 0; i < MODEL_NETWORKS; i++) {
        const nn_net *net = f.model->networks[i], *old = before.model->networks[i];
        if (net == NULL)
            continue;
        const bool same =
            memcmp(net->parameters, old->parameters, net->n_parameters * sizeof(float)) == 0 &&
            memcmp(net->statistics, old->statistics, net->n_statistics * sizeof(float)) == 0;
        assert_true(same == (i != ANO_ENCODER));
    }
    train_encoder_free(step);
    clear(&before);
    clear(&f);
}

/* ---- the GAN ------------------------------------------------------------------------------- */

static void wgan_step__moves_the_generator_every_fifth_time(void **state)
{
    (void)state;
    fixture f;
    create(&f, 1e-4);
    train_wgan *step;
    train_wgan_result result;
    const nn_net *generator = f.model->networks[ANO_GENERATOR];
    const size_t size = generator->n_parameters * sizeof(float);
    float *before = base_alloc(generator->n_parameters, sizeof(float));
    assert_int_equal(train_wgan_create(&step, f.model, f.adam, BATCH, SEED, NULL), ANO_OK);
    memcpy(train_wgan_images(step), f.images, sizeof f.images);
    for (uint64_t number = 0; number < 12; number++) {
        const bool fifth = number % TRAIN_WGAN_CRITIC_STEPS == TRAIN_WGAN_CRITIC_STEPS - 1;
        memcpy(before, generator->parameters, size);
        assert_int_equal(train_wgan_run(&result, step, number, NULL), ANO_OK);
        assert_true((memcmp(before, generator->parameters, size) != 0) == fifth);
        assert_true((train_wgan_gradients(step, ANO_GENERATOR) != NULL) == fifth);
        assert_null(train_wgan_gradients(step, ANO_ENCODER));
    }
    base_free(before);
    train_wgan_free(step);
    clear(&f);
}

/* ---- both ---------------------------------------------------------------------------------- */

static void encoder__needs_an_epoch_beside_its_gans(void **state)
{
    (void)state;
    uint8_t pixels[8 * PIXELS] = {0};
    ano_dataset *images;
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER};
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.epochs = 1;
    options.batch = 4;
    assert_int_equal(
        ano_dataset_from_pixels(&images, pixels, 8, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    assert_int_equal(ano_train(&model, images, &config, &options, &err), ANO_ARG);
    assert_null(model);
    ano_dataset_free(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder_step__brings_generated_images_back_and_moves_the_encoder_alone),
        cmocka_unit_test(wgan_step__moves_the_generator_every_fifth_time),
        cmocka_unit_test(encoder__needs_an_epoch_beside_its_gans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
