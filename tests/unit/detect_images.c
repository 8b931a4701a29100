/* ano_score_images(): whole images and tiles, strips, pools, and what a result depends on. */
#include <anogan/anogan.h>

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 8, MOST = 6, HEIGHT = 29, WIDTH = 21, PIXELS = HEIGHT * WIDTH };

/* What a sink was given. */
typedef struct received {
    size_t n;
    ano_shape shape;
    int rows; /* of the image under way */
    float scores[MOST], map[MOST][PIXELS], pixels[MOST][PIXELS], generated[MOST][PIXELS];
    int stop_at_strip, n_strips;
} received;

static int on_strip(const ano_strip *strip, void *cookie)
{
    received *r = cookie;
    assert_int_equal(strip->image, r->n);
    assert_int_equal(strip->y, r->rows);
    assert_true(strip->n_rows > 0 && strip->y + strip->n_rows <= strip->shape.height);
    const size_t width = (size_t)strip->shape.width, at = (size_t)strip->y * width;
    const size_t n = (size_t)strip->n_rows * width;
    memcpy(r->map[r->n] + at, strip->map, n * sizeof(float));
    memcpy(r->pixels[r->n] + at, strip->pixels, n * sizeof(float));
    memcpy(r->generated[r->n] + at, strip->generated, n * sizeof(float));
    r->rows += strip->n_rows;
    r->shape = strip->shape;
    return ++r->n_strips == r->stop_at_strip;
}

static int on_result(const ano_result *result, void *cookie)
{
    received *r = cookie;
    assert_int_equal(result->image, r->n);
    assert_int_equal(result->status, ANO_OK);
    assert_string_equal(result->message, "");
    assert_true(result->seconds > 0);
    assert_int_equal(r->rows, r->shape.height);
    r->scores[r->n++] = result->score;
    r->rows = 0;
    return 0;
}

static uint8_t noise[MOST * PIXELS];

static int draw_noise(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof noise; i++) {
        uint32_t words[4];
        base_random_block(words, (base_random){7, BASE_PURPOSE_TEST, 0}, i);
        noise[i] = (uint8_t)(words[0] % 256);
    }
    return 0;
}

static ano_model *model_of(int size)
{
    const ano_model_config config = {.size = size, .channels = 1, .latent = 3, .base_width = 4};
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    return model;
}

static ano_score_options brief(void)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = 3;
    options.restarts = 2;
    options.pool = ANO_POOL_MEAN;
    return options;
}

/* Scores the n images from `first` on, height x width of the noise's pixels. */
static ano_status score(received *r, int height, int width, size_t first, size_t n, int stride,
                        ano_score_options options)
{
    ano_dataset *dataset;
    ano_model *model = model_of(SIZE);
    const ano_view view = {.size = SIZE, .channels = 1, .stride = stride};
    assert_int_equal(ano_dataset_from_pixels(&dataset,
                                             noise + first * (size_t)height * (size_t)width, n,
                                             (ano_shape){height, width, 1}, &view, NULL),
                     ANO_OK);
    const ano_status status = ano_score_images(
        model, dataset, &options,
        &(ano_score_sink){.on_strip = on_strip, .on_result = on_result, .cookie = r}, NULL);
    ano_dataset_free(dataset);
    ano_model_free(model);
    return status;
}

static received *received_new(void)
{
    return base_alloc(1, sizeof(received));
}

static void strips__make_up_the_image(void **state)
{
    (void)state;
    const int strides[] = {8, 5, 3, 1};
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
        received *r = received_new();
        assert_int_equal(score(r, HEIGHT, WIDTH, 0, 2, strides[s], brief()), ANO_OK);
        assert_int_equal(r->n, 2);
        for (size_t i = 0; i < 2 * PIXELS; i++)
            assert_true(fabsf(r->pixels[i / PIXELS][i % PIXELS] - ((float)noise[i] / 127.5f - 1)) <
                        1e-6f);
        base_free(r);
    }
}

/* Tiles that do not overlap: the map is what is left of each, the generated image what was made. */
static void map__is_the_mean_over_tiles_of_what_is_left(void **state)
{
    (void)state;
    received *apart = received_new(), *overlapping = received_new();
    assert_int_equal(score(apart, 16, 24, 0, 1, 8, brief()), ANO_OK);
    for (size_t i = 0; i < (size_t)16 * 24; i++) {
        const float left = fabsf(apart->pixels[0][i] - apart->generated[0][i]);
        assert_true(fabsf(apart->map[0][i] - left) < 1e-5f);
    }
    assert_int_equal(score(overlapping, 16, 24, 0, 1, 4, brief()), ANO_OK);
    /* Only the corner tiles see the corners. */
    assert_true(fabsf(overlapping->map[0][0] - apart->map[0][0]) < 1e-5f);
    assert_true(fabsf(overlapping->map[0][16 * 24 - 1] - apart->map[0][16 * 24 - 1]) < 1e-5f);
    size_t n_different = 0;
    for (size_t i = 0; i < (size_t)16 * 24; i++)
        n_different += fabsf(overlapping->map[0][i] - apart->map[0][i]) > 1e-5f;
    assert_true(n_different > 16 * 24 / 2);
    base_free(apart);
    base_free(overlapping);
}

static void result__depends_on_the_image_alone(void **state)
{
    (void)state;
    received *together = received_new();
    ano_score_options options = brief();
    assert_int_equal(score(together, HEIGHT, WIDTH, 0, MOST, 3, options), ANO_OK);
    for (size_t i = 0; i < MOST; i += 5) {
        received *alone = received_new();
        options.threads = 1 + (int)i % 3;
        assert_int_equal(score(alone, HEIGHT, WIDTH, i, 1, 3, options), ANO_OK);
        assert_memory_equal(alone->scores, &together->scores[i], sizeof(float));
        assert_memory_equal(alone->map[0], together->map[i], PIXELS * sizeof(float));
        assert_memory_equal(alone->generated[0], together->generated[i], PIXELS * sizeof(float));
        base_free(alone);
    }
    base_free(together);
}

static void whole_images__get_the_score_that_ano_score_gives(void **state)
{
    (void)state;
    received *r = received_new();
    float scores[MOST], generated[MOST * SIZE * SIZE];
    ano_score_options options = brief();
    options.pool = ANO_POOL_SUM;
    assert_int_equal(score(r, SIZE, SIZE, 0, MOST, 0, options), ANO_OK);
    ano_dataset *dataset;
    ano_model *model = model_of(SIZE);
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, noise, MOST, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    assert_int_equal(ano_score(scores, generated, NULL, model, dataset, &options, NULL), ANO_OK);
    assert_memory_equal(scores, r->scores, sizeof scores);
    ano_dataset_free(dataset);
    ano_model_free(model);
    base_free(r);
}

static int falling(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void pools__are_what_they_are_called(void **state)
{
    (void)state;
    received *r = received_new();
    const double share = 0.1, n_top = ceil(share * PIXELS);
    ano_score_options options = brief();
    options.pool_share = share;
    for (ano_pool pool = ANO_POOL_SUM; pool <= ANO_POOL_MAX; pool++) {
        memset(r, 0, sizeof *r);
        options.pool = pool;
        assert_int_equal(score(r, HEIGHT, WIDTH, 0, 1, 5, options), ANO_OK);
        float sorted[PIXELS];
        memcpy(sorted, r->map[0], sizeof sorted);
        qsort(sorted, PIXELS, sizeof *sorted, falling);
        double sum = 0, top = 0;
        for (size_t i = 0; i < PIXELS; i++) {
            sum += (double)sorted[i];
            top += (double)i < n_top ? (double)sorted[i] / n_top : 0;
        }
        const double expected[] = {[ANO_POOL_SUM] = sum,
                                   [ANO_POOL_MEAN] = sum / PIXELS,
                                   [ANO_POOL_TOP] = top,
                                   [ANO_POOL_MAX] = (double)sorted[0]};
        const double tolerance = pool == ANO_POOL_TOP ? 0.004 : 1e-6;
        if (fabs((double)r->scores[0] / expected[pool] - 1) > tolerance)
            fail_msg("%s: expected %.9g, got %.9g", ano_pool_name(pool), expected[pool],
                     (double)r->scores[0]);
    }
    base_free(r);
}

static void sink__can_stop_the_work(void **state)
{
    (void)state;
    received *r = received_new();
    r->stop_at_strip = 2;
    assert_int_equal(score(r, HEIGHT, WIDTH, 0, 3, 5, brief()), ANO_CANCELLED);
    assert_int_equal(r->n_strips, 2);
    base_free(r);
}

/* What a callback saw: how often there was news in the midst of each image. */
typedef struct news {
    double done;
    size_t within[3];
} news;

static int on_progress(double done, size_t total, void *cookie)
{
    news *seen = cookie;
    if (total != 3 || done < seen->done || done > 3)
        fail_msg("%f of %zu images done after %f", done, total, seen->done);
    if (done > seen->done && done > floor(done))
        seen->within[(size_t)done]++;
    seen->done = done;
    return 0;
}

static void callback__sees_how_far_an_image_is(void **state)
{
    (void)state;
    received *r = received_new();
    news seen = {0};
    ano_score_options options = brief();
    options.callback = on_progress;
    options.cookie = &seen;
    options.threads = 1;
    assert_int_equal(score(r, HEIGHT, WIDTH, 0, 3, 3, options), ANO_OK);
    assert_true(seen.done == 3);
    for (size_t i = 0; i < 3; i++)
        if (seen.within[i] < 3)
            fail_msg("image %zu: expected news from its midst, got it %zu times", i,
                     seen.within[i]);
    base_free(r);
}

static void calibrating__keeps_the_scores_and_the_highest_value_of_the_maps(void **state)
{
    (void)state;
    received *r = received_new();
    ano_dataset *dataset;
    ano_model *model = model_of(SIZE);
    const ano_view view = {.size = SIZE, .channels = 1, .stride = 5};
    const ano_score_options options = brief();
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, noise, MOST, (ano_shape){HEIGHT, WIDTH, 1}, &view, NULL),
        ANO_OK);
    assert_int_equal(ano_calibrate(model, dataset, &options, NULL), ANO_OK);
    assert_int_equal(score(r, HEIGHT, WIDTH, 0, MOST, 5, options), ANO_OK);
    const ano_calibration found = ano_model_get_calibration(model);
    assert_true(ano_calibration_holds(&found, &options));
    assert_int_equal(found.n, MOST);
    float high = 0;
    for (size_t i = 0; i < MOST; i++) {
        assert_true(i == 0 || found.scores[i - 1] <= found.scores[i]);
        assert_true(ano_p_value(found.scores, found.n, (double)r->scores[i]) > 0.1);
        for (size_t k = 0; k < PIXELS; k++)
            high = fmaxf(high, r->map[i][k]);
    }
    assert_true(found.map_high == high);
    ano_dataset_free(dataset);
    ano_model_free(model);
    base_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips__make_up_the_image),
        cmocka_unit_test(map__is_the_mean_over_tiles_of_what_is_left),
        cmocka_unit_test(result__depends_on_the_image_alone),
        cmocka_unit_test(whole_images__get_the_score_that_ano_score_gives),
        cmocka_unit_test(pools__are_what_they_are_called),
        cmocka_unit_test(sink__can_stop_the_work),
        cmocka_unit_test(callback__sees_how_far_an_image_is),
        cmocka_unit_test(calibrating__keeps_the_scores_and_the_highest_value_of_the_maps),
    };
    return cmocka_run_group_tests(tests, draw_noise, NULL);
}
