/* Scores by a variational autoencoder: what they are made of, and what they depend on. */
#include <anogan/anogan.h>

#include "base/memory.h"
#include "base/random.h"
#include "model/model.h"
#include "nn/gaussian.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 12, CHANNELS = 3, IMAGE = SIZE * SIZE * CHANNELS, LATENT = 3, N = 37 };
static const double VARIANCE = 0.4;

static ano_model *trained_model(void)
{
    const ano_model_config config = {.size = SIZE,
                                     .channels = CHANNELS,
                                     .latent = LATENT,
                                     .base_width = 4,
                                     .method = ANO_METHOD_VAE};
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    model->variance = VARIANCE;
    return model;
}

/* The images [first, first + n) of noise. */
static ano_dataset *noise(size_t first, size_t n)
{
    uint8_t *pixels = base_alloc(n * IMAGE, 1);
    for (size_t i = 0; i < n * IMAGE; i++) {
        uint32_t words[4];
        base_random_block(words, (base_random){7, BASE_PURPOSE_TEST, 0},
                          (uint32_t)(first * IMAGE + i));
        pixels[i] = (uint8_t)(words[0] % 256);
    }
    ano_dataset *dataset;
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, pixels, n, (ano_shape){SIZE, SIZE, CHANNELS}, NULL, NULL),
        ANO_OK);
    base_free(pixels);
    return dataset;
}

static ano_score_options how(ano_evidence evidence, int samples)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.evidence = evidence;
    options.samples = samples;
    return options;
}

/* What there is of n images. */
typedef struct found {
    float scores[N], generated[N * IMAGE], maps[N * SIZE * SIZE];
} found;

static int on_strip(const ano_strip *strip, void *cookie)
{
    found *f = cookie;
    const size_t pixel = strip->image * SIZE * SIZE + (size_t)strip->y * SIZE;
    const size_t n = (size_t)strip->n_rows * SIZE;
    memcpy(f->maps + pixel, strip->map, n * sizeof(float));
    memcpy(f->generated + pixel * CHANNELS, strip->generated, n * CHANNELS * sizeof(float));
    return 0;
}

static int on_result(const ano_result *result, void *cookie)
{
    ((found *)cookie)->scores[result->image] = result->score;
    return result->status != ANO_OK;
}

static found *score(const ano_model *model, size_t first, size_t n, ano_score_options options)
{
    found *f = base_alloc(1, sizeof *f);
    ano_dataset *dataset = noise(first, n);
    const ano_score_sink sink = {.on_strip = on_strip, .on_result = on_result, .cookie = f};
    assert_int_equal(ano_score_images(model, dataset, &options, &sink, NULL), ANO_OK);
    ano_dataset_free(dataset);
    return f;
}

static void result__is_the_same_to_the_bit_alone_and_among_others(void **state)
{
    (void)state;
    ano_model *model = trained_model();
    const int samples[] = {1, 3, 31}; /* 31 go through the decoder in two groups */
    for (ano_evidence e = ANO_EVIDENCE_ELBO; e <= ANO_EVIDENCE_UNEXPLAINED; e++)
        for (int s = 0; s < 3; s++) {
            ano_score_options options = how(e, samples[s]);
            found *together = score(model, 0, N, options);
            for (int threads = 1; threads <= 3; threads++) {
                options.threads = threads;
                const size_t first = 5 * (size_t)threads, n = (size_t)threads;
                found *few = score(model, first, n, options);
                assert_memory_equal(few->scores, together->scores + first, n * sizeof(float));
                assert_memory_equal(few->maps, together->maps + first * SIZE * SIZE,
                                    n * SIZE * SIZE * sizeof(float));
                assert_memory_equal(few->generated, together->generated + first * IMAGE,
                                    n * IMAGE * sizeof(float));
                base_free(few);
            }
            base_free(together);
        }
    ano_model_free(model);
}

static void result__is_a_function_of_the_seed(void **state)
{
    (void)state;
    ano_model *model = trained_model();
    ano_score_options options = how(ANO_EVIDENCE_UNEXPLAINED, 2);
    found *first = score(model, 0, 2, options);
    options.seed = 1;
    found *other = score(model, 0, 2, options);
    assert_true(first->scores[0] != other->scores[0]);
    base_free(first);
    base_free(other);
    ano_model_free(model);
}

/* The images as the networks see them. */
static float *pixels_of(size_t first, size_t n)
{
    float *pixels = base_alloc(n * IMAGE, sizeof(float));
    ano_dataset *dataset = noise(first, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ano_dataset_read(pixels + i * IMAGE, dataset, &i, 1, NULL), ANO_OK);
    ano_dataset_free(dataset);
    return pixels;
}

static double divergence(const ano_model *model, const float *image)
{
    const float *code;
    nn_pass *pass;
    assert_int_equal(nn_pass_create(&pass, model->networks[ANO_ENCODER], 1, 0, NULL), ANO_OK);
    assert_int_equal(nn_pass_forward(&code, pass, image, NULL), ANO_OK);
    const double sum = nn_gaussian_divergence(code, LATENT);
    nn_pass_free(pass);
    return sum;
}

/* Of one sample, whose reconstruction is what is generated. */
static void likelihood__is_the_squares_over_twice_the_variance(void **state)
{
    (void)state;
    ano_model *model = trained_model();
    found *likely = score(model, 0, 2, how(ANO_EVIDENCE_RECONSTRUCTION, 1));
    found *elbo = score(model, 0, 2, how(ANO_EVIDENCE_ELBO, 1));
    float *pixels = pixels_of(0, 2);
    for (size_t i = 0; i < 2; i++) {
        double squares = 0, sum = 0;
        for (size_t k = i * IMAGE; k < (i + 1) * IMAGE; k++)
            squares += pow((double)pixels[k] - (double)likely->generated[k], 2);
        for (size_t k = i * SIZE * SIZE; k < (i + 1) * SIZE * SIZE; k++)
            sum += (double)likely->maps[k] * CHANNELS;
        const double expected = squares / (2 * VARIANCE);
        assert_true(fabs((double)likely->scores[i] / expected - 1) < 1e-5);
        assert_true(fabs(sum / expected - 1) < 1e-5);
        const double kl = divergence(model, pixels + i * IMAGE);
        assert_true(kl > 1e-3);
        assert_true(fabs((double)elbo->scores[i] - expected - kl) < 1e-5 * expected);
    }
    base_free(pixels);
    base_free(likely);
    base_free(elbo);
    ano_model_free(model);
}

/* The blurred difference at a pixel, by the plain sum over all pixels. */
static double blurred(const double *left, int y, int x, int c)
{
    double sum = 0, whole = 0;
    for (int d = -4; d <= 4; d++)
        whole += exp(-d * d / 2.0);
    for (int v = 0; v < SIZE; v++)
        for (int u = 0; u < SIZE; u++)
            if (abs(v - y) <= 4 && abs(u - x) <= 4)
                sum += exp(-((v - y) * (v - y) + (u - x) * (u - x)) / 2.0) / (whole * whole) *
                       left[(v * SIZE + u) * CHANNELS + c];
    return sum;
}

static void unexplained__is_the_blurred_squares_as_a_share_of_the_contrast(void **state)
{
    (void)state;
    ano_model *model = trained_model();
    found *f = score(model, 3, 1, how(ANO_EVIDENCE_UNEXPLAINED, 1));
    float *pixels = pixels_of(3, 1);
    double left[IMAGE], mean[CHANNELS] = {0}, contrast = 0, squares = 0, sum = 0;
    for (int k = 0; k < IMAGE; k++) {
        left[k] = (double)pixels[k] - (double)f->generated[k];
        mean[k % CHANNELS] += (double)pixels[k] / (SIZE * SIZE);
    }
    for (int k = 0; k < IMAGE; k++) {
        contrast += pow((double)pixels[k] - mean[k % CHANNELS], 2);
        squares += pow(blurred(left, k / CHANNELS / SIZE, k / CHANNELS % SIZE, k % CHANNELS), 2);
    }
    for (int k = 0; k < SIZE * SIZE; k++)
        sum += (double)f->maps[k] * CHANNELS;
    const double expected = squares / (contrast + IMAGE * VARIANCE / 50);
    assert_true(fabs((double)f->scores[0] / expected - 1) < 1e-5);
    assert_true(fabs(sum / expected - 1) < 1e-5);
    base_free(pixels);
    base_free(f);
    ano_model_free(model);
}

static void score__refuses_what_cannot_be(void **state)
{
    (void)state;
    ano_model *model = trained_model();
    ano_dataset *dataset = noise(0, 1);
    ano_error err = ANO_ERROR_INIT;
    float scores[1];
    ano_score_options options = how(ANO_EVIDENCE_ELBO, 0);
    assert_int_equal(ano_score(scores, NULL, NULL, model, dataset, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "samples is 0"));
    options.samples = 1;
    model->variance = 0;
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_score(scores, NULL, NULL, model, dataset, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "is not trained"));
    ano_dataset_free(dataset);
    ano_model_free(model);
}

static void file__brings_back_the_model_to_the_bit(void **state)
{
    (void)state;
    char path[] = "/tmp/anogan-vae-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    ano_model *model = trained_model(), *again;
    model->variance = 0.1234567890123456789;
    assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&again, path, NULL), ANO_OK);
    unlink(path);
    assert_true(again->variance == model->variance);
    assert_true(ano_model_get_sigma(again) == sqrt(model->variance));
    found *before = score(model, 0, 3, how(ANO_EVIDENCE_ELBO, 4));
    found *after = score(again, 0, 3, how(ANO_EVIDENCE_ELBO, 4));
    assert_memory_equal(before, after, sizeof *before);
    base_free(before);
    base_free(after);
    ano_model_free(model);
    ano_model_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result__is_the_same_to_the_bit_alone_and_among_others),
        cmocka_unit_test(result__is_a_function_of_the_seed),
        cmocka_unit_test(likelihood__is_the_squares_over_twice_the_variance),
        cmocka_unit_test(unexplained__is_the_blurred_squares_as_a_share_of_the_contrast),
        cmocka_unit_test(score__refuses_what_cannot_be),
        cmocka_unit_test(file__brings_back_the_model_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
