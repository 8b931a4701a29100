#include <anogan/anogan.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 70, SIZE = 28, PIXELS = SIZE * SIZE, RESTARTS = 2 };

static uint8_t random_pixels[N * PIXELS];

static int fill_pixels(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N * PIXELS; i++) {
        uint32_t words[4];
        base_random_block(words, (base_random){5, BASE_PURPOSE_TEST, 0}, i);
        random_pixels[i] = (uint8_t)(words[0] % 256);
    }
    return 0;
}

/* Scores images [first, first + n) of random_pixels. */
static void score(float *scores, float *generated, float *trace, const ano_model *model,
                  size_t first, size_t n, int iterations)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = iterations;
    options.restarts = RESTARTS;
    assert_int_equal(ano_dataset_from_pixels(&dataset, random_pixels + first * PIXELS, n,
                                             (ano_shape){SIZE, SIZE, 1}, NULL),
                     ANO_OK);
    if (ano_score(scores, generated, trace, model, dataset, &options, &err) != ANO_OK)
        fail_msg("%s", err.message);
    ano_dataset_free(dataset);
}

/* The model's width decides which of oneDNN's kernels run. */
static void check_independence(int base_width, int iterations)
{
    ano_model_config config = ANO_MODEL_CONFIG_INIT;
    config.base_width = base_width;
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    float together[N], alone[N];
    float *generated = base_alloc(N * PIXELS, sizeof(float));
    float *generated_alone = base_alloc(N * PIXELS, sizeof(float));
    score(together, generated, NULL, model, 0, N, iterations);
    const struct {
        size_t first, n;
    } parts[] = {{0, 1}, {69, 1}, {3, 7}, {31, 2}, {1, 64}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        score(alone, generated_alone, NULL, model, parts[p].first, parts[p].n, iterations);
        for (size_t i = 0; i < parts[p].n; i++) {
            const size_t image = parts[p].first + i;
            if (memcmp(&alone[i], &together[image], sizeof(float)) != 0)
                fail_msg("width %d, image %zu of %zu from %zu: expected %.9g, got %.9g", base_width,
                         i, parts[p].n, parts[p].first, (double)together[image], (double)alone[i]);
            assert_memory_equal(generated_alone + i * PIXELS, generated + image * PIXELS,
                                PIXELS * sizeof(float));
        }
    }
    base_free(generated);
    base_free(generated_alone);
    ano_model_free(model);
}

static void score__depends_on_the_image_alone(void **state)
{
    (void)state;
    check_independence(5, 20);
    check_independence(64, 3);
}

static void score__is_the_least_of_the_traces_of_all_searches(void **state)
{
    (void)state;
    enum { ITERATIONS = 25, ROW = RESTARTS * ITERATIONS };
    ano_model_config config = ANO_MODEL_CONFIG_INIT;
    config.base_width = 4;
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    float scores[2], trace[2 * ROW];
    score(scores, NULL, trace, model, 0, 2, ITERATIONS);
    for (size_t i = 0; i < 2; i++) {
        float least = trace[i * ROW];
        for (size_t k = 1; k < ROW; k++)
            least = trace[i * ROW + k] < least ? trace[i * ROW + k] : least;
        assert_true(scores[i] == least);
        assert_true(scores[i] < trace[i * ROW]);
        assert_true(trace[i * ROW] != trace[i * ROW + ITERATIONS]); /* another start */
    }
    ano_model_free(model);
}

static void latent_search__finds_the_latent_of_a_generated_image(void **state)
{
    (void)state;
    enum { IMAGES = 8, ITERATIONS = 1000, LATENT = 30 };
    assert_non_null(getenv("ANOGAN_DATA"));
    char *data = base_path_join(getenv("ANOGAN_DATA"), "mnist-1-vs-9");
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *ones = NULL, *made = NULL;
    ano_model *model = NULL;
    ano_dataset_options data_options = ANO_DATASET_OPTIONS_INIT;
    data_options.normal = "1";
    data_options.count = 3200;
    ano_train_options train_options = ANO_TRAIN_OPTIONS_INIT;
    train_options.epochs = 1;
    ano_model_config config = ANO_MODEL_CONFIG_INIT;
    config.base_width = 16;
    if (ano_dataset_open(&ones, data, &data_options, &err) != ANO_OK ||
        ano_train(&model, ones, &config, &train_options, &err) != ANO_OK)
        fail_msg("%s", err.message);

    float z[IMAGES * LATENT];
    float *images = base_alloc(IMAGES * PIXELS, sizeof(float));
    uint8_t *pixels = base_alloc(IMAGES * PIXELS, 1);
    float *trace = base_alloc(IMAGES * ITERATIONS, sizeof(float));
    float scores[IMAGES];
    base_random_uniform(z, IMAGES * LATENT, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 0});
    assert_int_equal(ano_model_generate(images, model, z, IMAGES, 0, NULL), ANO_OK);
    for (size_t i = 0; i < IMAGES * PIXELS; i++)
        pixels[i] = (uint8_t)((images[i] + 1) * 127.5f + 0.5f);
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = ITERATIONS;
    options.restarts = 1;
    if (ano_dataset_from_pixels(&made, pixels, IMAGES, (ano_shape){SIZE, SIZE, 1}, &err) !=
            ANO_OK ||
        ano_score(scores, NULL, trace, model, made, &options, &err) != ANO_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < IMAGES; i++) {
        const float start = trace[i * ITERATIONS];
        print_message("image %zu: residual %.2f at first, %.3f at last: %.1f times less\n", i,
                      (double)start, (double)scores[i], (double)(start / scores[i]));
        assert_true(start >= 20 * scores[i]);
    }
    base_free(images);
    base_free(pixels);
    base_free(trace);
    base_free(data);
    ano_model_free(model);
    ano_dataset_free(ones);
    ano_dataset_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__depends_on_the_image_alone),
        cmocka_unit_test(score__is_the_least_of_the_traces_of_all_searches),
        cmocka_unit_test(latent_search__finds_the_latent_of_a_generated_image),
    };
    return cmocka_run_group_tests(tests, fill_pixels, NULL);
}
