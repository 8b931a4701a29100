/* A training step of a variational autoencoder: against a twin of both networks and the loss, and
 * that against central finite differences in double precision, through the sampling, whose noise is
 * the same for both. */
#include "base/random.h"
#include "check.h"
#include "nn/gaussian.h"
#include "reference/reference.h"
#include "train/vae.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 4, LATENT = 3, SIZE = 8, IMAGE = SIZE * SIZE, SEED = 5 };
static const double PI = 3.14159265358979323846;

/* ---- the Gaussians ------------------------------------------------------------------------- */

static void gaussian__matches_its_twin_and_differences(void **state)
{
    (void)state;
    enum { N = 5 };
    const double step = 1e-6, weight = 0.3;
    double numbers[4 * N], diff_code[2 * N], z[N], *code = numbers, *noise = numbers + 2 * N,
                                                   *diff_z = numbers + 3 * N;
    float narrow[4 * N], got[2 * N];
    check_random(numbers, 4 * N, 1);
    for (int i = 0; i < 2 * N; i++)
        code[i] *= 3;
    check_narrow(narrow, numbers, 4 * N);
    check_widen(numbers, narrow, 4 * N);
    const float *float_code = narrow, *float_noise = narrow + 2 * N, *float_diff = narrow + 3 * N;

    /* Of float operations a few each; noise and exponentials are below 5. */
    nn_gaussian_sample(got, float_code, float_noise, N);
    reference_gaussian_sample(z, code, noise, N);
    for (int i = 0; i < N; i++)
        assert_true(fabs((double)got[i] - z[i]) < 5e-6);
    const double divergence = reference_gaussian_divergence(code, N);
    assert_true(fabs(nn_gaussian_divergence(float_code, N) - divergence) < 1e-12 * divergence);
    nn_gaussian_backward(got, float_diff, float_code, float_noise, N, (float)weight);
    reference_gaussian_backward(diff_code, diff_z, code, noise, N, (double)(float)weight);
    for (int i = 0; i < 2 * N; i++)
        assert_true(fabs((double)got[i] - diff_code[i]) < 5e-6);

    for (int i = 0; i < 2 * N; i++) {
        double ends[2];
        for (int side = 0; side < 2; side++) {
            const double value = code[i];
            code[i] += side == 0 ? -step : step;
            reference_gaussian_sample(z, code, noise, N);
            ends[side] = (double)(float)weight * reference_gaussian_divergence(code, N);
            for (int k = 0; k < N; k++)
                ends[side] += diff_z[k] * z[k];
            code[i] = value;
        }
        assert_true(fabs((ends[1] - ends[0]) / (2 * step) - diff_code[i]) < 1e-7);
    }
}

static void gaussian__stays_finite_whatever_the_code(void **state)
{
    (void)state;
    const float code[] = {1, -2, 1e30f, -1e30f}, noise[] = {5, -5}, diff_z[] = {1, 1};
    float z[2], diff[4];
    nn_gaussian_sample(z, code, noise, 2);
    nn_gaussian_backward(diff, diff_z, code, noise, 2, 1);
    assert_true(isfinite(z[0]) && isfinite(z[1]) && isfinite(nn_gaussian_divergence(code, 2)));
    for (int i = 0; i < 4; i++)
        assert_true(isfinite(diff[i]));
}

/* ---- the step ------------------------------------------------------------------------------ */

/* All of a step in double precision. */
typedef struct vae_twin {
    twin *encoder, *decoder;
    double images[BATCH * IMAGE], noise[BATCH * LATENT];
    double code[BATCH * 2 * LATENT], z[BATCH * LATENT], variance;
} vae_twin;

/* σ²: five times the variance of a batch's images about their mean. */
static double variance_of(const double *images)
{
    double sum = 0;
    for (int k = 0; k < IMAGE; k++) {
        double mean = 0;
        for (int i = 0; i < BATCH; i++)
            mean += images[i * IMAGE + k] / BATCH;
        for (int i = 0; i < BATCH; i++)
            sum += pow(images[i * IMAGE + k] - mean, 2);
    }
    return 5 * sum / (BATCH * IMAGE);
}

/* The negative ELBO, mean over the batch; its parts to *reconstruction and *divergence. */
static double forward(vae_twin *t, double *reconstruction, double *divergence)
{
    memcpy(t->code, twin_forward(t->encoder, t->images), sizeof t->code);
    *reconstruction = *divergence = 0;
    for (int i = 0; i < BATCH; i++) {
        reference_gaussian_sample(t->z + i * LATENT, t->code + i * 2 * LATENT,
                                  t->noise + i * LATENT, LATENT);
        *divergence += reference_gaussian_divergence(t->code + i * 2 * LATENT, LATENT) / BATCH;
    }
    const double *generated = twin_forward(t->decoder, t->z);
    for (int k = 0; k < BATCH * IMAGE; k++) /* -ln N(x; G(z), σ²) */
        *reconstruction += (pow(t->images[k] - generated[k], 2) / (2 * t->variance) +
                            log(2 * PI * t->variance) / 2) /
                           BATCH;
    return *reconstruction + *divergence;
}

static double loss_of(void *cookie)
{
    double reconstruction, divergence;
    return forward(cookie, &reconstruction, &divergence);
}

/* After forward: into the gradients of both twins. */
static void backward(vae_twin *t)
{
    double diff_generated[BATCH * IMAGE], diff_code[BATCH * 2 * LATENT];
    const double *generated = t->decoder->layers[t->decoder->net->n_layers - 1].dst;
    for (int k = 0; k < BATCH * IMAGE; k++)
        diff_generated[k] = (generated[k] - t->images[k]) / (t->variance * BATCH);
    const double *diff_z = twin_backward(t->decoder, diff_generated);
    for (int i = 0; i < BATCH; i++)
        reference_gaussian_backward(diff_code + i * 2 * LATENT, diff_z + i * LATENT,
                                    t->code + i * 2 * LATENT, t->noise + i * LATENT, LATENT,
                                    1.0 / BATCH);
    twin_backward(t->encoder, diff_code);
}

static void draw_images(float images[BATCH * IMAGE])
{
    double wide[BATCH * IMAGE];
    check_random(wide, BATCH * IMAGE, 2);
    check_narrow(images, wide, BATCH * IMAGE);
}

static vae_twin *vae_twin_create(const ano_model *model, const float *images)
{
    vae_twin *t = calloc(1, sizeof *t);
    assert_non_null(t);
    float noise[BATCH * LATENT];
    base_random_normal(noise, BATCH * LATENT, (base_random){SEED, BASE_PURPOSE_VAE, 3});
    check_widen(t->noise, noise, BATCH * LATENT);
    check_widen(t->images, images, BATCH * IMAGE);
    t->encoder = twin_create(model->networks[ANO_ENCODER], BATCH, true);
    t->decoder = twin_create(model->networks[ANO_GENERATOR], BATCH, true);
    t->variance = variance_of(t->images);
    return t;
}

static void vae_twin_free(vae_twin *t)
{
    twin_free(t->encoder);
    twin_free(t->decoder);
    free(t);
}

static void step__has_the_gradients_of_the_negative_elbo(void **state)
{
    (void)state;
    const ano_model_config config = {
        .size = SIZE, .channels = 1, .latent = LATENT, .base_width = 3, .method = ANO_METHOD_VAE};
    ano_model *model;
    train_vae *vae;
    nn_adam adam[MODEL_NETWORKS] = {0};
    static const ano_network trained[] = {ANO_ENCODER, ANO_GENERATOR};
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(nn_adam_init(&adam[trained[i]], model->networks[trained[i]]->n_parameters,
                                      1e-3, 0.9, 0.999, NULL),
                         ANO_OK);
    assert_int_equal(train_vae_create(&vae, model, adam, BATCH, SEED, NULL), ANO_OK);
    draw_images(train_vae_images(vae));
    vae_twin *t = vae_twin_create(model, train_vae_images(vae));
    double reconstruction, divergence;
    const double loss = forward(t, &reconstruction, &divergence);
    backward(t);

    train_vae_result result;
    assert_int_equal(train_vae_run(&result, vae, 3, NULL), ANO_OK);
    const double share =
        check_net_error(t->encoder->net, BATCH) + check_net_error(t->decoder->net, BATCH);
    assert_true(fabs(result.reconstruction - reconstruction) < share * fabs(loss));
    assert_true(fabs(result.divergence - divergence) < share * fabs(loss));
    assert_true(fabs(model->variance - t->variance) < 1e-12);
    const twin *twins[] = {t->encoder, t->decoder};
    for (int i = 0; i < 2; i++) {
        assert_true(check_greatest(twins[i]->gradients, (int)twins[i]->net->n_parameters) > 1e-3);
        check_distance(ano_network_name(trained[i]), train_vae_gradients(vae, trained[i]),
                       twins[i]->gradients, (int)twins[i]->net->n_parameters, share);
    }
    twin_check_differences(t->encoder, t->encoder->gradients, loss_of, t, 1e-8 * loss);
    twin_check_differences(t->decoder, t->decoder->gradients, loss_of, t, 1e-8 * loss);

    vae_twin_free(t);
    train_vae_free(vae);
    for (int i = 0; i < 2; i++)
        nn_adam_clear(&adam[trained[i]]);
    ano_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian__matches_its_twin_and_differences),
        cmocka_unit_test(gaussian__stays_finite_whatever_the_code),
        cmocka_unit_test(step__has_the_gradients_of_the_negative_elbo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
