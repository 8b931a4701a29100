#include <anogan/anogan.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

#include <math.h>
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

static ano_score_options brief(int iterations)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = iterations;
    options.restarts = RESTARTS;
    return options;
}

/* Scores images [first, first + n) of random_pixels. */
static void score(float *scores, float *generated, float *trace, const ano_model *model,
                  size_t first, size_t n, ano_score_options options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    assert_int_equal(ano_dataset_from_pixels(&dataset, random_pixels + first * PIXELS, n,
                                             (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
                     ANO_OK);
    if (ano_score(scores, generated, trace, model, dataset, &options, &err) != ANO_OK)
        fail_msg("%s", err.message);
    ano_dataset_free(dataset);
}

/* The images' numbers together, and in parts on another number of threads. */
static void check_independence(int base_width, ano_score_options options)
{
    const size_t row = RESTARTS * (size_t)options.iterations;
    ano_model_config config = ANO_MODEL_CONFIG_INIT;
    config.base_width = base_width;
    if (options.method == ANO_METHOD_HYBRID)
        config.method = ANO_METHOD_ENCODER;
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    float together[N], alone[N];
    float *generated = base_alloc(N * PIXELS, sizeof(float));
    float *generated_alone = base_alloc(N * PIXELS, sizeof(float));
    float *trace = base_alloc(N * row, sizeof(float));
    float *trace_alone = base_alloc(N * row, sizeof(float));
    options.threads = 2;
    score(together, generated, trace, model, 0, N, options);
    const struct {
        size_t first, n;
    } parts[] = {{0, 1}, {69, 1}, {3, 7}, {31, 2}, {1, 64}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        options.threads = 1 + (int)p % 3;
        score(alone, generated_alone, trace_alone, model, parts[p].first, parts[p].n, options);
        for (size_t i = 0; i < parts[p].n; i++) {
            const size_t image = parts[p].first + i;
            if (memcmp(&alone[i], &together[image], sizeof(float)) != 0)
                fail_msg("width %d, image %zu of %zu from %zu: expected %.9g, got %.9g", base_width,
                         i, parts[p].n, parts[p].first, (double)together[image], (double)alone[i]);
            assert_memory_equal(generated_alone + i * PIXELS, generated + image * PIXELS,
                                PIXELS * sizeof(float));
            assert_memory_equal(trace_alone + i * row, trace + image * row, row * sizeof(float));
        }
    }
    base_free(trace);
    base_free(trace_alone);
    base_free(generated);
    base_free(generated_alone);
    ano_model_free(model);
}

static void score__depends_on_the_image_alone(void **state)
{
    (void)state;
    check_independence(5, brief(20));
    check_independence(64, brief(3));
    ano_score_options early = brief(100); /* the searches end after 40 to 100 iterations */
    early.tolerance = 0.0005;
    early.learning_rate = 1e-2;
    check_independence(5, early);
    ano_score_options lbfgs = brief(30);
    lbfgs.search = ANO_SEARCH_LBFGS;
    check_independence(5, lbfgs);
    for (ano_clip clip = ANO_CLIP_BOUND; clip <= ANO_CLIP_STOCHASTIC; clip++) {
        ano_score_options latent = brief(4);
        latent.method = ANO_METHOD_LATENT;
        latent.clip = clip;
        latent.learning_rate = 0.5; /* out of the prior's range at once */
        check_independence(clip == ANO_CLIP_BOUND ? 16 : 3, latent);
    }
    ano_score_options hybrid = ano_score_options_of(ANO_METHOD_HYBRID);
    hybrid.iterations = 4;
    hybrid.restarts = RESTARTS;
    check_independence(16, hybrid);
}

/* What a callback saw, and when it is to stop the work. */
typedef struct calls {
    size_t n, stop_at;
    double done;
} calls;

static int on_score(double done, size_t total, void *cookie)
{
    calls *seen = cookie;
    assert_true(done >= seen->done && done <= N && total == N);
    seen->done = done;
    return ++seen->n == seen->stop_at;
}

static void callback__sees_every_image_done_and_can_stop_the_work(void **state)
{
    (void)state;
    const ano_model_config config = {SIZE, 1, 3, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};
    ano_model *model;
    ano_dataset *dataset;
    ano_error err = ANO_ERROR_INIT;
    float scores[N];
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, random_pixels, N, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    calls seen = {0};
    ano_score_options options = brief(4);
    options.callback = on_score;
    options.cookie = &seen;
    assert_int_equal(ano_score(scores, NULL, NULL, model, dataset, &options, NULL), ANO_OK);
    assert_true(seen.done == N);
    seen = (calls){.stop_at = 2};
    assert_int_equal(ano_score(scores, NULL, NULL, model, dataset, &options, &err), ANO_CANCELLED);
    assert_int_equal(seen.n, 2);
    ano_dataset_free(dataset);
    ano_model_free(model);
}

static void score__refuses_a_tolerance_that_is_no_share(void **state)
{
    (void)state;
    const ano_model_config config = {SIZE, 1, 3, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};
    const double refused[] = {-0.1, 1, NAN};
    ano_model *model;
    ano_dataset *dataset;
    float scores[N];
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, random_pixels, N, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ano_score_options options = brief(1);
        options.tolerance = refused[i];
        assert_int_equal(ano_score(scores, NULL, NULL, model, dataset, &options, NULL), ANO_ARG);
    }
    ano_dataset_free(dataset);
    ano_model_free(model);
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
    score(scores, NULL, trace, model, 0, 2, brief(ITERATIONS));
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

static void hybrid__begins_where_the_encoder_says(void **state)
{
    (void)state;
    ano_model_config config = ANO_MODEL_CONFIG_INIT;
    config.base_width = 16;
    config.method = ANO_METHOD_ENCODER;
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    float scores[3], *by_encoder = base_alloc(3 * PIXELS, sizeof(float));
    float *by_search = base_alloc(3 * PIXELS, sizeof(float));
    score(scores, by_encoder, NULL, model, 0, 3, ano_score_options_of(ANO_METHOD_ENCODER));
    ano_score_options options = ano_score_options_of(ANO_METHOD_HYBRID);
    options.iterations = 1;
    options.learning_rate = 1e-30; /* where the first iterate is, the second is too */
    score(scores, by_search, NULL, model, 0, 3, options);
    assert_memory_equal(by_search, by_encoder, 3 * PIXELS * sizeof(float));
    base_free(by_encoder);
    base_free(by_search);
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
    if (ano_dataset_from_pixels(&made, pixels, IMAGES, (ano_shape){SIZE, SIZE, 1}, NULL, &err) !=
        ANO_OK)
        fail_msg("%s", err.message);
    const int iterations[] = {[ANO_SEARCH_ADAM] = ITERATIONS, [ANO_SEARCH_LBFGS] = ITERATIONS / 5};
    for (ano_search search = ANO_SEARCH_ADAM; search <= ANO_SEARCH_LBFGS; search++) {
        const size_t row = (size_t)iterations[search];
        ano_score_options options = ANO_SCORE_OPTIONS_INIT;
        options.search = search;
        options.iterations = iterations[search];
        options.restarts = 1;
        if (ano_score(scores, NULL, trace, model, made, &options, &err) != ANO_OK)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < IMAGES; i++) {
            const float start = trace[i * row];
            print_message("%s, image %zu: residual %.2f at first, %.3f at last: %.1f times less\n",
                          ano_search_name(search), i, (double)start, (double)scores[i],
                          (double)(start / scores[i]));
            assert_true(start >= 20 * scores[i]);
        }
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
        cmocka_unit_test(callback__sees_every_image_done_and_can_stop_the_work),
        cmocka_unit_test(score__refuses_a_tolerance_that_is_no_share),
        cmocka_unit_test(score__is_the_least_of_the_traces_of_all_searches),
        cmocka_unit_test(hybrid__begins_where_the_encoder_says),
        cmocka_unit_test(latent_search__finds_the_latent_of_a_generated_image),
    };
    return cmocka_run_group_tests(tests, fill_pixels, NULL);
}
