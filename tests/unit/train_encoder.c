/* Training of f-AnoGAN's encoder and of its GAN: gradients against finite differences, and what
 * each step leaves alone. */
#include "train/encoder.h"

#include "base/memory.h"
#include "train/wgan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, SIZE = 8, PIXELS = SIZE * SIZE, LATENT = 3, SEED = 5 };

typedef struct fixture {
    ano_model *model;
    nn_adam adam[MODEL_NETWORKS];
    float images[BATCH * PIXELS];
} fixture;

/* Optimisers that leave the networks as they are have rate 0. */
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

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { SAMPLES = 61 };

/* By differences over 2h of a loss in single precision, off by its rounding of 2^-24 over h, and
 * where an activation or a maximum turns in between by more: most do not, so it is the median of
 * the errors that must be small beside the root mean square of the gradients. */
static void check_gradient(const char *name, nn_net *net, const float *gradients,
                           double (*measure)(void *cookie), void *cookie)
{
    const float h = 0x1p-9f;
    const size_t n = net->n_parameters;
    double errors[SAMPLES], squares = 0;
    float *kept = base_alloc(n, sizeof(float));
    memcpy(kept, gradients, n * sizeof(float));
    for (size_t k = 0; k < SAMPLES; k++) {
        const size_t i = (k * n + n / 2) / SAMPLES;
        const float here = net->parameters[i];
        net->parameters[i] = here + h;
        const double above = measure(cookie);
        net->parameters[i] = here - h;
        const double below = measure(cookie);
        net->parameters[i] = here;
        errors[k] = fabs((double)kept[i] - (above - below) / (2 * (double)h));
        squares += (double)kept[i] * (double)kept[i];
    }
    base_free(kept);
    const double scale = sqrt(squares / SAMPLES);
    qsort(errors, SAMPLES, sizeof *errors, compare);
    if (!(scale > 0 && errors[SAMPLES / 2] < 0.02 * scale))
        fail_msg("%s: the median error is %g, gradients are about %g", name, errors[SAMPLES / 2],
                 scale);
}

/* ---- the encoder --------------------------------------------------------------------------- */

typedef struct encoding {
    fixture *fixture;
    train_encoder *step;
} encoding;

static double encoder_loss(void *cookie)
{
    const encoding *e = cookie;
    double loss;
    assert_int_equal(train_encoder_run(&loss, e->step, e->fixture->images, 7, NULL), ANO_OK);
    return loss;
}

static void encoder_step__has_its_gradient(void **state)
{
    (void)state;
    static const char *const names[] = {"izif", "izi", "ziz"};
    for (ano_encoding kind = ANO_ENCODING_IZIF; kind <= ANO_ENCODING_ZIZ; kind++) {
        fixture f;
        create(&f, 0);
        encoding e = {.fixture = &f};
        assert_int_equal(
            train_encoder_create(&e.step, f.model, &f.adam[ANO_ENCODER], kind, BATCH, SEED, NULL),
            ANO_OK);
        encoder_loss(&e);
        check_gradient(names[kind], f.model->networks[ANO_ENCODER], train_encoder_gradients(e.step),
                       encoder_loss, &e);
        train_encoder_free(e.step);
        clear(&f);
    }
}

static void encoder_step__brings_generated_images_back_and_moves_the_encoder_alone(void **state)
{
    (void)state;
    fixture f, before;
    create(&f, 1e-3);
    create(&before, 0);
    encoding e = {.fixture = &f};
    assert_int_equal(train_encoder_create(&e.step, f.model, &f.adam[ANO_ENCODER], ANO_ENCODING_IZIF,
                                          BATCH, SEED, NULL),
                     ANO_OK);
    /* Images that have a z: all of the loss can go. */
    float z[BATCH * LATENT];
    base_random_uniform(z, BATCH * LATENT, -1, 1, (base_random){SEED, BASE_PURPOSE_SAMPLES, 0});
    assert_int_equal(ano_model_generate(f.images, f.model, z, BATCH, 1, NULL), ANO_OK);
    const double first = encoder_loss(&e);
    for (int i = 0; i < 500; i++)
        encoder_loss(&e);
    assert_true(encoder_loss(&e) < 0.1 * first);
    for (int i = 0; i < MODEL_NETWORKS; i++) {
        const nn_net *net = f.model->networks[i], *old = before.model->networks[i];
        if (net == NULL)
            continue;
        const bool same =
            memcmp(net->parameters, old->parameters, net->n_parameters * sizeof(float)) == 0 &&
            memcmp(net->statistics, old->statistics, net->n_statistics * sizeof(float)) == 0;
        assert_true(same == (i != ANO_ENCODER));
    }
    train_encoder_free(e.step);
    clear(&before);
    clear(&f);
}

/* ---- the GAN ------------------------------------------------------------------------------- */

typedef struct gan {
    train_wgan *step;
    uint64_t number;
    bool of_generator;
} gan;

static double gan_loss(void *cookie)
{
    const gan *g = cookie;
    train_wgan_result result;
    assert_int_equal(train_wgan_run(&result, g->step, g->number, NULL), ANO_OK);
    return g->of_generator ? result.g_loss : result.d_loss;
}

static void wgan_step__has_the_critics_gradient(void **state)
{
    (void)state;
    fixture f;
    create(&f, 0);
    gan g = {.number = 0};
    assert_int_equal(train_wgan_create(&g.step, f.model, f.adam, BATCH, SEED, NULL), ANO_OK);
    memcpy(train_wgan_images(g.step), f.images, sizeof f.images);
    gan_loss(&g);
    check_gradient("critic", f.model->networks[ANO_DISCRIMINATOR],
                   train_wgan_gradients(g.step, ANO_DISCRIMINATOR), gan_loss, &g);
    train_wgan_free(g.step);
    clear(&f);
}

static void wgan_step__moves_the_generator_every_fifth_time(void **state)
{
    (void)state;
    fixture f;
    create(&f, 1e-4);
    gan g = {.number = 0};
    const nn_net *generator = f.model->networks[ANO_GENERATOR];
    const size_t size = generator->n_parameters * sizeof(float);
    float *before = base_alloc(generator->n_parameters, sizeof(float));
    assert_int_equal(train_wgan_create(&g.step, f.model, f.adam, BATCH, SEED, NULL), ANO_OK);
    memcpy(train_wgan_images(g.step), f.images, sizeof f.images);
    for (; g.number < 12; g.number++) {
        const bool fifth = g.number % TRAIN_WGAN_CRITIC_STEPS == TRAIN_WGAN_CRITIC_STEPS - 1;
        memcpy(before, generator->parameters, size);
        gan_loss(&g);
        assert_true((memcmp(before, generator->parameters, size) != 0) == fifth);
        assert_true((train_wgan_gradients(g.step, ANO_GENERATOR) != NULL) == fifth);
        assert_null(train_wgan_gradients(g.step, ANO_ENCODER));
    }
    base_free(before);
    train_wgan_free(g.step);
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
        cmocka_unit_test(encoder_step__has_its_gradient),
        cmocka_unit_test(encoder_step__brings_generated_images_back_and_moves_the_encoder_alone),
        cmocka_unit_test(wgan_step__has_the_critics_gradient),
        cmocka_unit_test(wgan_step__moves_the_generator_every_fifth_time),
        cmocka_unit_test(encoder__needs_an_epoch_beside_its_gans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
