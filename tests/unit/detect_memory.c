/* ano_memorise() and what a memory does to scores. */
#include "detect/memory.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "detect/describe.h"
#include "detect/transforms.h"
#include "eval/descriptors.h"
#include "model/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 16, PIXELS = SIZE * SIZE, N = 64, ALL = 15, N_TRAINING = 30, N_ASIDE = 12 };

static uint8_t noise[N * PIXELS];

static char path[] = "/tmp/anogan_memory_XXXXXX";

static int prepare(void **state)
{
    (void)state;
    const int descriptor = mkstemp(path);
    for (uint32_t i = 0; i < sizeof noise; i++) {
        uint32_t words[4];
        base_random_block(words, (base_random){7, BASE_PURPOSE_TEST, 0}, i);
        noise[i] = (uint8_t)(words[0] % 256);
    }
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* The n images from `first` on, whole or in tiles. */
static ano_dataset *images_of(size_t first, size_t n, int side, int stride)
{
    ano_dataset *dataset;
    const size_t pixels = (size_t)side * (size_t)side;
    const ano_view view = {.size = SIZE, .channels = 1, .stride = stride};
    assert_int_equal(ano_dataset_from_pixels(&dataset, noise + first * pixels, n,
                                             (ano_shape){side, side, 1}, &view, NULL),
                     ANO_OK);
    return dataset;
}

static ano_model *model_of(ano_method method, int stride)
{
    const ano_model_config config = {
        .size = SIZE, .channels = 1, .latent = 3, .base_width = 4, .method = method};
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    model->view.stride = stride;
    return model;
}

static ano_score_options brief(void)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = 3;
    options.restarts = 1;
    return options;
}

static ano_model *remembering(ano_method method, unsigned kinds)
{
    ano_model *model = model_of(method, 0);
    ano_dataset *training = images_of(0, N_TRAINING, SIZE, 0);
    ano_dataset *aside = images_of(N_TRAINING, N_ASIDE, SIZE, 0);
    const ano_score_options how = brief();
    assert_int_equal(ano_memorise(model, kinds, training, aside, &how, NULL), ANO_OK);
    ano_dataset_free(training);
    ano_dataset_free(aside);
    return model;
}

static int keep_score(const ano_result *result, void *cookie)
{
    assert_int_equal(result->status, ANO_OK);
    ((float *)cookie)[result->image] = result->score;
    return 0;
}

static void score(float *scores, const ano_model *model, const ano_dataset *images, int threads)
{
    ano_score_options how = brief();
    how.threads = threads;
    const ano_score_sink sink = {.on_result = keep_score, .cookie = scores};
    assert_int_equal(ano_score_images(model, images, &how, &sink, NULL), ANO_OK);
}

/* ---- what a score is ---------------------------------------------------------------------- */

/* The distance of an image to the nearest of the training images, by their histograms. */
static double distance_of(size_t image)
{
    eval_descriptor *descriptor;
    const ano_shape shape = {SIZE, SIZE, 1};
    double least = INFINITY;
    assert_int_equal(eval_descriptor_create(&descriptor, EVAL_HISTOGRAMS, shape, NULL), ANO_OK);
    const size_t d = eval_descriptor_length(descriptor);
    float *vectors = calloc(N * d, sizeof *vectors), pixels[PIXELS];
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < PIXELS; k++)
            pixels[k] = (float)noise[i * PIXELS + k] * 257 / 32767.5f - 1;
        assert_int_equal(eval_describe(vectors + i * d, descriptor, pixels, 1, NULL), ANO_OK);
    }
    for (size_t i = 0; i < N_TRAINING; i++) {
        double squares = 0;
        for (size_t k = 0; k < d; k++)
            squares += pow((double)vectors[i * d + k] - (double)vectors[image * d + k], 2);
        least = fmin(least, sqrt(squares));
    }
    free(vectors);
    eval_descriptor_free(descriptor);
    return least;
}

/* (ln of the last - mean) / sd, mean and sd those of the others. */
static double standardise(const double *values, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i + 1 < n; i++)
        mean += log(values[i]) / (double)(n - 1);
    for (size_t i = 0; i + 1 < n; i++)
        squares += pow(log(values[i]) - mean, 2);
    return (log(values[n - 1]) - mean) / sqrt(squares / (double)(n - 2));
}

static void score__adds_up_what_method_and_distance_say(void **state)
{
    (void)state;
    const size_t image = N_TRAINING + N_ASIDE;
    ano_model *plain = model_of(ANO_METHOD_PATCH, 0);
    ano_model *model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_HISTOGRAMS);
    ano_dataset *images = images_of(N_TRAINING, N_ASIDE + 1, SIZE, 0);
    float own[N_ASIDE + 1], together[N_ASIDE + 1];
    double owns[N_ASIDE + 1], distances[N_ASIDE + 1];
    score(own, plain, images, 1);
    score(together, model, images, 1);
    for (size_t i = 0; i <= N_ASIDE; i++) {
        owns[i] = (double)own[i];
        distances[i] = distance_of(image - N_ASIDE + i);
    }
    const double expected = standardise(owns, N_ASIDE + 1) + standardise(distances, N_ASIDE + 1);
    assert_true(fabs((double)together[N_ASIDE] - expected) < 1e-2);
    ano_dataset_free(images);
    ano_model_free(plain);
    ano_model_free(model);
}

/* What a network is unsure of, half of what a distance counts. */
static void transforms__count_half(void **state)
{
    (void)state;
    ano_model *model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_TRANSFORMS);
    ano_dataset *image = images_of(N - 1, 1, SIZE, 0);
    const model_bank *bank = &model->memory.banks[ANO_MEMORY_TRANSFORMS];
    detect_transforms *transforms;
    detect_memory *memory;
    float pixels[PIXELS], confusion;
    double parts[ANO_MEMORIES];
    const size_t first = 0;
    assert_int_equal(ano_dataset_read(pixels, image, &first, 1, NULL), ANO_OK);
    assert_int_equal(detect_transforms_create(&transforms, bank->vectors, SIZE, 1, false, NULL),
                     ANO_OK);
    assert_int_equal(detect_transforms_confusions(&confusion, NULL, transforms, pixels, 1, NULL),
                     ANO_OK);
    assert_int_equal(detect_memory_create(&memory, model, ANO_MAP_METHOD, NULL), ANO_OK);
    assert_int_equal(detect_memory_compare(parts, NULL, memory, pixels, 1, NULL), ANO_OK);
    assert_true(parts[ANO_MEMORY_TRANSFORMS] ==
                detect_standardised(bank->usual, (double)confusion) / 2);
    detect_memory_free(memory);
    detect_transforms_free(transforms);
    ano_dataset_free(image);
    ano_model_free(model);
}

static int keep_result(const ano_result *result, void *cookie)
{
    *(ano_result *)cookie = *result;
    return 0;
}

static ano_result result_of(const ano_model *model, const ano_dataset *image)
{
    const ano_score_options how = brief();
    ano_result result;
    const ano_score_sink sink = {.on_result = keep_result, .cookie = &result};
    assert_int_equal(ano_score_images(model, image, &how, &sink, NULL), ANO_OK);
    return result;
}

static void result__has_the_parts_that_its_score_adds_up(void **state)
{
    (void)state;
    ano_model *plain = model_of(ANO_METHOD_PATCH, 0), *all = remembering(ANO_METHOD_PATCH, ALL);
    ano_dataset *image = images_of(N - 1, 1, SIZE, 0);
    const ano_result without = result_of(plain, image), with = result_of(all, image);
    assert_true(without.own == (double)without.score);
    double sum = with.own;
    for (int k = 0; k < ANO_MEMORIES; k++) {
        ano_model *model = remembering(ANO_METHOD_PATCH, 1U << k);
        const ano_result one = result_of(model, image);
        assert_true(isnan(without.remembered[k]));
        for (int other = 0; other < ANO_MEMORIES; other++)
            assert_int_equal(isnan(one.remembered[other]), other != k);
        assert_true(one.own == with.own);
        assert_true(one.remembered[k] == with.remembered[k]);
        sum += with.remembered[k];
        ano_model_free(model);
    }
    assert_true(fabs(sum - (double)with.score) < 1e-6 * fabs(sum));
    ano_dataset_free(image);
    ano_model_free(plain);
    ano_model_free(all);
}

static void standardised__is_bounded_below_only(void **state)
{
    (void)state;
    const model_usual usual = {.mean = 1, .sd = 0.5};
    assert_true(fabs(detect_standardised(usual, exp(1.0)) - 0) < 1e-12);
    assert_true(fabs(detect_standardised(usual, exp(51.0)) - 100) < 1e-9);
    assert_true(detect_standardised(usual, 0) == -6);
    assert_true(detect_standardised(usual, 1e-30) == -6);
}

static void training_image__is_usual(void **state)
{
    (void)state;
    ano_model *model = remembering(ANO_METHOD_PATCH, ALL);
    ano_dataset *known = images_of(0, 2, SIZE, 0), *fresh = images_of(N - 2, 2, SIZE, 0);
    float scores[2], others[2];
    score(scores, model, known, 1);
    score(others, model, fresh, 1);
    for (int i = 0; i < 2; i++)
        assert_true(scores[i] < others[i] - 6);
    ano_dataset_free(known);
    ano_dataset_free(fresh);
    ano_model_free(model);
}

static void score__depends_on_the_image_alone(void **state)
{
    (void)state;
    static const ano_method methods[] = {ANO_METHOD_FC, ANO_METHOD_PATCH};
    for (int m = 0; m < 2; m++) {
        ano_model *model = remembering(methods[m], ALL);
        ano_dataset *all = images_of(N_TRAINING, N - N_TRAINING, SIZE, 0);
        float together[N - N_TRAINING], threaded[N - N_TRAINING], alone;
        score(together, model, all, 1);
        score(threaded, model, all, 3);
        assert_memory_equal(together, threaded, sizeof together);
        for (size_t i = 0; i < N - N_TRAINING; i += 5) {
            ano_dataset *one = images_of(N_TRAINING + i, 1, SIZE, 0);
            score(&alone, model, one, 1);
            assert_true(alone == together[i]);
            ano_dataset_free(one);
        }
        ano_dataset_free(all);
        ano_model_free(model);
    }
}

/* ---- tiles -------------------------------------------------------------------------------- */

static void image_in_tiles__is_remembered_whole(void **state)
{
    (void)state;
    enum { SIDE = 64, MOST = N * PIXELS / (SIDE * SIDE) };
    ano_model *model = model_of(ANO_METHOD_PATCH, 8);
    ano_dataset *training = images_of(0, 2, SIDE, 8), *aside = images_of(2, 2, SIDE, 8);
    ano_dataset *all = images_of(0, MOST, SIDE, 8);
    const ano_score_options how = brief();
    float own[MOST], scores[MOST], again[MOST];
    score(own, model, all, 1);
    assert_int_equal(ano_memorise(model, 1U << ANO_MEMORY_HISTOGRAMS, training, aside, &how, NULL),
                     ANO_OK);
    assert_int_equal(ano_model_get_memory(model, ANO_MEMORY_HISTOGRAMS).n, 2);
    assert_int_equal(ano_model_get_memory(model, ANO_MEMORY_HISTOGRAMS).length, 21 * 21 * 8);
    score(scores, model, all, 1);
    score(again, model, all, 2);
    assert_memory_equal(scores, again, sizeof scores);
    for (int i = 0; i < MOST; i++) { /* the first two are remembered, at distance 0 */
        const double remembered =
            (double)scores[i] - detect_standardised(model->memory.method, (double)own[i]);
        assert_true(i < 2 ? fabs(remembered + 6) < 1e-4 : remembered > -6 + 1e-3);
    }
    ano_dataset_free(training);
    ano_dataset_free(aside);
    ano_dataset_free(all);
    ano_model_free(model);
}

/* ---- maps --------------------------------------------------------------------------------- */

enum { MOST_PIXELS = 100 * 100 };

typedef struct mapped {
    float scores[N], maps[N][MOST_PIXELS];
    size_t n_strips;
} mapped;

static int keep_strip(const ano_strip *strip, void *cookie)
{
    mapped *m = cookie;
    const size_t width = (size_t)strip->shape.width;
    memcpy(m->maps[strip->image] + (size_t)strip->y * width, strip->map,
           (size_t)strip->n_rows * width * sizeof(float));
    m->n_strips++;
    return 0;
}

static void map_images(mapped *m, const ano_model *model, const ano_dataset *images, ano_map map)
{
    const ano_score_options how = brief();
    const ano_score_sink sink = {
        .on_strip = keep_strip, .on_result = keep_score, .cookie = m, .map = map};
    memset(m, 0, sizeof *m);
    assert_int_equal(ano_score_images(model, images, &how, &sink, NULL), ANO_OK);
}

static void score__is_the_same_whichever_map_is_wanted(void **state)
{
    (void)state;
    static mapped own, other;
    for (int stride = 0; stride <= 8; stride += 8) {
        const int side = stride > 0 ? 64 : SIZE;
        ano_model *model = model_of(ANO_METHOD_PATCH, stride);
        ano_dataset *training = images_of(0, 2, side, stride);
        ano_dataset *aside = images_of(2, 2, side, stride);
        const ano_score_options how = brief();
        assert_int_equal(ano_memorise(model, ALL, training, aside, &how, NULL), ANO_OK);
        map_images(&own, model, aside, ANO_MAP_METHOD);
        for (ano_map map = ANO_MAP_HISTOGRAMS; map <= ANO_MAP_ALL; map++) {
            map_images(&other, model, aside, map);
            assert_memory_equal(own.scores, other.scores, 2 * sizeof(float));
            assert_int_equal(own.n_strips, other.n_strips);
            assert_memory_not_equal(own.maps[0], other.maps[0], sizeof own.maps[0]);
        }
        ano_dataset_free(training);
        ano_dataset_free(aside);
        ano_model_free(model);
    }
}

/* A cell of 3 x 3 pixels has its value in its middle pixel; all 5 x 5 add up to the square of the
 * distance. */
static void map__has_the_cells_shares_of_the_squared_distance(void **state)
{
    (void)state;
    static mapped m;
    ano_model *model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_HISTOGRAMS);
    ano_dataset *images = images_of(N_TRAINING, N_ASIDE, SIZE, 0);
    map_images(&m, model, images, ANO_MAP_HISTOGRAMS);
    float high = 0;
    for (size_t i = 0; i < N_ASIDE; i++) {
        double sum = 0;
        for (size_t y = 1; y < 15; y += 3)
            for (size_t x = 1; x < 15; x += 3)
                sum += 9 * (double)m.maps[i][y * SIZE + x];
        const double distance = distance_of(N_TRAINING + i);
        assert_true(fabs(sum - distance * distance) < 1e-5 * sum);
        for (size_t k = 0; k < PIXELS; k++)
            high = fmaxf(high, m.maps[i][k]);
    }
    assert_true(ano_model_map_high(model, ANO_MAP_HISTOGRAMS) == high);
    ano_dataset_free(images);
    ano_model_free(model);
}

static void map_of_all__is_the_sum_of_shares_of_what_is_usual(void **state)
{
    (void)state;
    static mapped m;
    static double sums[N_ASIDE * PIXELS];
    ano_model *model = remembering(ANO_METHOD_PATCH, ALL);
    ano_dataset *images = images_of(N_TRAINING, N_ASIDE, SIZE, 0); /* those set aside */
    for (ano_map map = ANO_MAP_METHOD; map <= ANO_MAP_TRANSFORMS; map++) {
        map_images(&m, model, images, map);
        float high = 0;
        for (size_t i = 0; i < N_ASIDE * PIXELS; i++)
            high = fmaxf(high, m.maps[i / PIXELS][i % PIXELS]);
        for (size_t i = 0; i < N_ASIDE * PIXELS; i++)
            sums[i] += (double)m.maps[i / PIXELS][i % PIXELS] / (double)high;
    }
    map_images(&m, model, images, ANO_MAP_ALL);
    for (size_t i = 0; i < N_ASIDE * PIXELS; i++)
        if (!(fabs((double)m.maps[i / PIXELS][i % PIXELS] - sums[i]) < 1e-5 * (1 + sums[i])))
            fail_msg("image %zu, pixel %zu: expected %g, got %g", i / PIXELS, i % PIXELS, sums[i],
                     (double)m.maps[i / PIXELS][i % PIXELS]);
    ano_dataset_free(images);
    ano_model_free(model);
}

static void grids__take_all_of_a_vector_and_stay_in_the_image(void **state)
{
    (void)state;
    ano_model *model = model_of(ANO_METHOD_FC, 0);
    for (ano_memory kind = ANO_MEMORY_HISTOGRAMS; kind <= ANO_MEMORY_FEATURES; kind++) {
        detect_describer *describer;
        eval_grid grids[MODEL_FEATURES_MAPS];
        assert_int_equal(detect_describer_create(&describer, model, kind, NULL), ANO_OK);
        const size_t n = detect_describer_grids(grids, describer);
        size_t length = 0;
        for (size_t i = 0; i < n; i++) {
            length += grids[i].down * grids[i].across * grids[i].channels;
            assert_true((float)grids[i].down * grids[i].cell_height <= SIZE);
            assert_true((float)(grids[i].down + 1) * grids[i].cell_height > SIZE);
            assert_true((float)grids[i].across * grids[i].cell_width <= SIZE);
        }
        assert_int_equal(n > 1, kind == ANO_MEMORY_FEATURES);
        assert_int_equal(length, detect_describer_length(describer));
        detect_describer_free(describer);
    }
    ano_model_free(model);
}

static void map__of_a_training_image_is_nothing(void **state)
{
    (void)state;
    static mapped m;
    ano_model *model = remembering(ANO_METHOD_PATCH, ALL);
    ano_dataset *known = images_of(0, 3, SIZE, 0);
    for (ano_map map = ANO_MAP_HISTOGRAMS; map <= ANO_MAP_FEATURES; map++) {
        map_images(&m, model, known, map);
        for (size_t k = 0; k < PIXELS; k++)
            assert_true(m.maps[2][k] == 0);
    }
    ano_dataset_free(known);
    ano_model_free(model);
}

/* An image of 96 x 96 pixels in tiles of 16 has the map of the same image of 64 x 64, by which it
 * is remembered, half as large again: linear between pixels. */
static void map__of_an_image_in_tiles_is_that_of_the_whole(void **state)
{
    (void)state;
    enum { LARGE = 96, WHOLE = 64 };
    static mapped m, of_whole;
    static uint8_t large[LARGE * LARGE];
    const ano_view view = {.size = SIZE, .channels = 1, .stride = 8};
    ano_model *model = model_of(ANO_METHOD_PATCH, 8);
    ano_dataset *training = images_of(0, 1, WHOLE, 8), *aside = images_of(2, 2, WHOLE, 8), *one;
    const ano_score_options how = brief();
    for (int i = 0; i < LARGE * LARGE; i++) /* a spot in the right half */
        large[i] = i % LARGE > 60 && i % LARGE < 72 && i / LARGE > 20 && i / LARGE < 30 ? 255 : 90;
    assert_int_equal(ano_memorise(model, 1U << ANO_MEMORY_RANDOM, training, aside, &how, NULL),
                     ANO_OK);
    assert_int_equal(
        ano_dataset_from_pixels(&one, large, 1, (ano_shape){LARGE, LARGE, 1}, &view, NULL), ANO_OK);
    map_images(&m, model, one, ANO_MAP_RANDOM);
    assert_true(m.n_strips > 1);
    detect_memory *memory;
    double parts[ANO_MEMORIES];
    assert_int_equal(detect_memory_create(&memory, model, ANO_MAP_RANDOM, NULL), ANO_OK);
    assert_int_equal(detect_memory_compare_read(parts, of_whole.maps[0], memory, one, 0, NULL),
                     ANO_OK);
    const ano_shape shape = detect_memory_map_shape(memory);
    assert_int_equal(shape.height, WHOLE);
    for (int y = 0; y < WHOLE; y += 2) /* four pixels of 64 meet in the middle of one of 96 */
        for (int x = 0; x < WHOLE; x += 2) {
            const float *four = &of_whole.maps[0][y * WHOLE + x];
            const double expected = ((double)four[0] + (double)four[1] + (double)four[WHOLE] +
                                     (double)four[WHOLE + 1]) /
                                    4;
            const double got = (double)m.maps[0][(y / 2 * 3 + 1) * LARGE + x / 2 * 3 + 1];
            assert_true(fabs(got - expected) < 1e-6 + 1e-5 * expected);
        }
    detect_memory_free(memory);
    ano_dataset_free(training);
    ano_dataset_free(aside);
    ano_dataset_free(one);
    ano_model_free(model);
}

static void map__of_what_is_not_remembered_is_refused(void **state)
{
    (void)state;
    ano_model *model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_HISTOGRAMS);
    ano_dataset *image = images_of(0, 1, SIZE, 0);
    const ano_score_options how = brief();
    const ano_score_sink sink = {.map = ANO_MAP_RANDOM};
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_score_images(model, image, &how, &sink, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "does not remember random"));
    ano_model *plain = model_of(ANO_METHOD_PATCH, 0);
    const ano_score_sink all = {.map = ANO_MAP_ALL};
    assert_int_equal(ano_score_images(plain, image, &how, &all, NULL), ANO_ARG);
    const ano_score_sink none = {.map = (ano_map)(ANO_MAP_ALL + 1)};
    assert_int_equal(ano_score_images(model, image, &how, &none, NULL), ANO_ARG);
    ano_dataset_free(image);
    ano_model_free(plain);
    ano_model_free(model);
}

/* ---- files -------------------------------------------------------------------------------- */

static void loaded_model__gives_the_same_scores(void **state)
{
    (void)state;
    ano_model *model = remembering(ANO_METHOD_FC, ALL), *loaded;
    ano_dataset *images = images_of(N_TRAINING, N - N_TRAINING, SIZE, 0);
    float before[N - N_TRAINING], after[N - N_TRAINING];
    assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
    score(before, model, images, 1);
    score(after, loaded, images, 1);
    assert_memory_equal(before, after, sizeof before);
    for (int i = 0; i < ANO_MEMORIES; i++) {
        const ano_memory_info info = ano_model_get_memory(loaded, (ano_memory)i);
        assert_int_equal(info.n, i == ANO_MEMORY_TRANSFORMS ? 1 : N_TRAINING);
        const ano_map map = (ano_map)((int)ANO_MAP_HISTOGRAMS + i);
        assert_true(ano_model_map_high(loaded, map) == ano_model_map_high(model, map));
        assert_true(ano_model_map_high(loaded, map) > 0);
    }
    ano_dataset_free(images);
    ano_model_free(model);
    ano_model_free(loaded);
}

/* Saves a model whose memory is broken, which loading must refuse. */
static void check_refused(ano_model *model, ano_status expected, const char *message)
{
    ano_model *loaded;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
    const ano_status status = ano_model_load(&loaded, path, &err);
    if (status != expected || strstr(err.message, message) == NULL)
        fail_msg("expected %s with \"%s\", got %s: %s", ano_status_name(expected), message,
                 ano_status_name(status), err.message);
    assert_null(loaded);
    ano_model_free(model);
}

/* The same vector twice. */
static void double_vectors(model_bank *bank)
{
    float *twice = base_alloc(2 * bank->d, sizeof *twice);
    for (size_t i = 0; i < 2 * bank->d; i++)
        twice[i] = bank->vectors[i % bank->d];
    base_free(bank->vectors);
    bank->vectors = twice;
    bank->n = 2;
}

static void broken_memory__is_refused(void **state)
{
    (void)state;
    ano_model *model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_RANDOM);
    model->memory.banks[ANO_MEMORY_RANDOM].vectors[5] = NAN;
    check_refused(model, ANO_FORMAT, "memory.random: number 5 is not finite");
    model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_FEATURES);
    model->memory.banks[ANO_MEMORY_FEATURES].d -= 1;
    check_refused(model, ANO_SHAPE, "memory.features: is not of vectors of");
    model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_HISTOGRAMS);
    model->memory.banks[ANO_MEMORY_HISTOGRAMS].usual.sd = 0;
    check_refused(model, ANO_FORMAT, "metadata: memory: histograms is missing or out of range");
    model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_HISTOGRAMS);
    model->memory.banks[ANO_MEMORY_HISTOGRAMS].usual.map_high = -1;
    check_refused(model, ANO_FORMAT, "metadata: memory: histograms is missing or out of range");
    model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_TRANSFORMS);
    model->memory.banks[ANO_MEMORY_TRANSFORMS].d -= 1;
    check_refused(model, ANO_SHAPE, "memory.transforms: is not of vectors of");
    model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_TRANSFORMS);
    double_vectors(&model->memory.banks[ANO_MEMORY_TRANSFORMS]);
    check_refused(model, ANO_SHAPE, "memory.transforms: is not of one network");
    model = remembering(ANO_METHOD_PATCH, 1U << ANO_MEMORY_HISTOGRAMS);
    model->memory.method.mean = 1e9;
    check_refused(model, ANO_FORMAT, "metadata: memory: method is missing or out of range");
}

/* ---- making one --------------------------------------------------------------------------- */

static void memory__needs_images_and_networks(void **state)
{
    (void)state;
    ano_model *model = model_of(ANO_METHOD_FC, 0);
    ano_dataset *training = images_of(0, 3, SIZE, 0), *one = images_of(3, 1, SIZE, 0);
    ano_dataset *two = images_of(3, 2, SIZE, 0);
    const ano_score_options how = brief();
    const unsigned features = 1U << ANO_MEMORY_FEATURES;
    assert_int_equal(ano_memorise(model, ALL + 1, training, two, &how, NULL), ANO_ARG);
    assert_int_equal(ano_memorise(model, 1, training, one, &how, NULL), ANO_ARG);
    nn_net_free(model->networks[ANO_DISCRIMINATOR]);
    model->networks[ANO_DISCRIMINATOR] = NULL;
    assert_int_equal(ano_memorise(model, features, training, two, &how, NULL), ANO_ARG);
    assert_false(model_memory_holds(&model->memory));
    ano_dataset_free(training);
    ano_dataset_free(one);
    ano_dataset_free(two);
    ano_model_free(model);
}

static int stop_in_the_end(double n_done, size_t n, void *cookie)
{
    (void)cookie;
    return n_done > (double)n - 1;
}

static void stopped__leaves_no_memory_and_no_calibration(void **state)
{
    (void)state;
    ano_model *model = remembering(ANO_METHOD_PATCH, 1);
    ano_dataset *training = images_of(0, N_TRAINING, SIZE, 0);
    ano_dataset *aside = images_of(N_TRAINING, N_ASIDE, SIZE, 0);
    ano_score_options how = brief();
    assert_int_equal(ano_calibrate(model, aside, &how, NULL), ANO_OK);
    how.callback = stop_in_the_end;
    assert_int_equal(ano_memorise(model, ALL, training, aside, &how, NULL), ANO_CANCELLED);
    assert_false(model_memory_holds(&model->memory));
    assert_int_equal(ano_model_get_calibration(model).n, 0);
    ano_dataset_free(training);
    ano_dataset_free(aside);
    ano_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__adds_up_what_method_and_distance_say),
        cmocka_unit_test(transforms__count_half),
        cmocka_unit_test(result__has_the_parts_that_its_score_adds_up),
        cmocka_unit_test(standardised__is_bounded_below_only),
        cmocka_unit_test(training_image__is_usual),
        cmocka_unit_test(score__depends_on_the_image_alone),
        cmocka_unit_test(image_in_tiles__is_remembered_whole),
        cmocka_unit_test(score__is_the_same_whichever_map_is_wanted),
        cmocka_unit_test(map__has_the_cells_shares_of_the_squared_distance),
        cmocka_unit_test(map_of_all__is_the_sum_of_shares_of_what_is_usual),
        cmocka_unit_test(grids__take_all_of_a_vector_and_stay_in_the_image),
        cmocka_unit_test(map__of_a_training_image_is_nothing),
        cmocka_unit_test(map__of_an_image_in_tiles_is_that_of_the_whole),
        cmocka_unit_test(map__of_what_is_not_remembered_is_refused),
        cmocka_unit_test(loaded_model__gives_the_same_scores),
        cmocka_unit_test(broken_memory__is_refused),
        cmocka_unit_test(memory__needs_images_and_networks),
        cmocka_unit_test(stopped__leaves_no_memory_and_no_calibration),
    };
    return cmocka_run_group_tests(tests, prepare, remove_file);
}
