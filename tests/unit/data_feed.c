#include "data/feed.h"

#include "base/error.h"
#include "base/random.h"
#include "data/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    N_IMAGES = 23,
    SIZE = 8,
    IMAGE = SIZE * SIZE,
    BATCH = 4,
    STEPS = N_IMAGES / BATCH,
    BYTES = IMAGE * (int)sizeof(uint16_t),
    ALL = N_IMAGES * BYTES, /* a cache that just holds all images */
    SOME = 6 * BYTES        /* groups of three */
};

/* The linker sends the feed's reading here (--wrap), which counts it and finds images broken. */
static atomic_int n_opened;
static bool is_broken[N_IMAGES];
ano_status __real_data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i,
                                   ano_error *err);
ano_status __wrap_data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i,
                                   ano_error *err);
ano_status __wrap_data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i,
                                   ano_error *err)
{
    n_opened++;
    if (!is_broken[i])
        return __real_data_reader_open(out, dataset, i, err);
    *out = (data_reader){0};
    return base_error(err, ANO_IO, "image %zu is gone", i);
}

static void break_images(size_t first, size_t n)
{
    for (size_t i = 0; i < N_IMAGES; i++)
        is_broken[i] = i >= first && i < first + n;
}

/* Images of one value each, their number. */
static ano_dataset *numbered(size_t n)
{
    uint8_t pixels[N_IMAGES * IMAGE];
    for (size_t i = 0; i < N_IMAGES * IMAGE; i++)
        pixels[i] = (uint8_t)(i / IMAGE);
    ano_dataset *dataset;
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, pixels, n, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    return dataset;
}

/* An image's number from what the networks see of it. */
static size_t number_of(float pixel)
{
    return (size_t)((pixel + 1) * 127.5f + 0.5f);
}

typedef struct told {
    char skipped[512];
} told;

static int tell(size_t n_looked_at, size_t n_images, const char *skipped, void *cookie)
{
    (void)n_looked_at;
    (void)n_images;
    if (skipped != NULL)
        strcat(strcat(((told *)cookie)->skipped, skipped), ";");
    return 0;
}

static data_feed *feed_of(const ano_dataset *dataset, size_t cache, int threads, told *t)
{
    data_feed *feed;
    ano_error err = ANO_ERROR_INIT;
    const data_feed_options options = {.batch = BATCH,
                                       .seed = 7,
                                       .cache = cache,
                                       .threads = threads,
                                       .notice = t != NULL ? tell : NULL,
                                       .cookie = t};
    if (data_feed_create(&feed, dataset, &options, &err) != ANO_OK)
        fail_msg("%s", err.message);
    return feed;
}

/* The numbers of the images of an epoch's samples, in their order. */
static void read_epoch(size_t order[STEPS * BATCH], data_feed *feed, size_t epoch)
{
    for (size_t step = 0; step < STEPS; step++) {
        float images[BATCH * IMAGE];
        ano_error err = ANO_ERROR_INIT;
        if (data_feed_batch(images, feed, epoch, step, &err) != ANO_OK)
            fail_msg("epoch %zu, step %zu: %s", epoch, step, err.message);
        for (size_t i = 0; i < BATCH; i++) {
            order[step * BATCH + i] = number_of(images[i * IMAGE]);
            for (size_t p = 1; p < IMAGE; p++)
                assert_true(images[i * IMAGE + p] == images[i * IMAGE]);
        }
    }
}

/* The order of runs from before there was a feed, which they go on with. */
static void cached_images__are_one_permutation_an_epoch(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = numbered(N_IMAGES);
    data_feed *feed = feed_of(dataset, ALL, 2, NULL);
    assert_int_equal(data_feed_steps(feed), STEPS);
    n_opened = 0;
    for (size_t epoch = 0; epoch < 3; epoch++) {
        size_t expected[N_IMAGES], order[STEPS * BATCH];
        base_random_permutation(expected, N_IMAGES, (base_random){7, BASE_PURPOSE_SHUFFLE, epoch});
        read_epoch(order, feed, epoch);
        assert_memory_equal(order, expected, sizeof order);
    }
    assert_int_equal(n_opened, 0);
    data_feed_free(feed);
    ano_dataset_free(dataset);
}

/* Three by three and once an epoch, and in each epoch otherwise. */
static void streamed_images__come_in_shuffled_groups(void **state)
{
    (void)state;
    ano_dataset *dataset = numbered(N_IMAGES);
    break_images(0, 0);
    data_feed *feed = feed_of(dataset, SOME, 2, NULL);
    n_opened = 0;
    size_t orders[3][STEPS * BATCH];
    for (size_t epoch = 0; epoch < 3; epoch++) {
        bool seen[N_IMAGES] = {false};
        read_epoch(orders[epoch], feed, epoch);
        for (size_t i = 0; i < STEPS * BATCH; i++) {
            assert_false(seen[orders[epoch][i]]);
            seen[orders[epoch][i]] = true;
        }
    }
    assert_memory_not_equal(orders[0], orders[1], sizeof *orders);
    assert_memory_not_equal(orders[1], orders[2], sizeof *orders);
    data_feed_free(feed);
    /* 7 groups an epoch, of which the last has but samples that fill no batch; and one ahead. */
    assert_in_range(n_opened, 3 * 7 * 3, 3 * 7 * 3 + 3);
    ano_dataset_free(dataset);
}

static void batches__hang_on_neither_threads_nor_what_was_read_before(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = numbered(N_IMAGES);
    static const size_t caches[] = {ALL, SOME, 0};
    for (size_t c = 0; c < sizeof caches / sizeof *caches; c++) {
        data_feed *feed = feed_of(dataset, caches[c], 1, NULL);
        size_t orders[2][STEPS * BATCH];
        read_epoch(orders[0], feed, 0);
        read_epoch(orders[1], feed, 1);
        data_feed_free(feed);
        data_feed *other = feed_of(dataset, caches[c], 3, NULL);
        for (size_t k = 2 * STEPS; k-- > 0;) { /* backwards: each a jump */
            const size_t epoch = k / STEPS, step = k % STEPS;
            float images[BATCH * IMAGE];
            assert_int_equal(data_feed_batch(images, other, epoch, step, NULL), ANO_OK);
            for (size_t i = 0; i < BATCH; i++)
                assert_int_equal(number_of(images[i * IMAGE]), orders[epoch][step * BATCH + i]);
        }
        data_feed_free(other);
    }
    ano_dataset_free(dataset);
}

static void unreadable_images__are_told_of_and_left_out(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = numbered(N_IMAGES), *readable = numbered(N_IMAGES - 2);
    static const size_t caches[] = {ALL, SOME};
    for (size_t c = 0; c < 2; c++) {
        size_t order[STEPS * BATCH], expected[STEPS * BATCH];
        break_images(0, 0);
        data_feed *feed = feed_of(readable, caches[c], 2, NULL);
        read_epoch(expected, feed, 0);
        const uint32_t crc = data_feed_crc(feed);
        data_feed_free(feed);
        break_images(N_IMAGES - 2, 2);
        told t = {0};
        feed = feed_of(dataset, caches[c], 2, &t);
        assert_string_equal(t.skipped, "image 21 is gone;image 22 is gone;");
        read_epoch(order, feed, 0);
        assert_memory_equal(order, expected, sizeof order);
        assert_int_equal(data_feed_crc(feed), crc);
        assert_string_equal(t.skipped, "image 21 is gone;image 22 is gone;");
        data_feed_free(feed);
    }
    ano_dataset_free(dataset);
    ano_dataset_free(readable);
}

static void too_few_images__are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t n_broken;
        ano_status status;
        const char *message;
    } cases[] = {
        {0, ANO_ARG, "there are 23 training images, fewer than a batch of 24"},
        {20, ANO_ARG,
         "there are 3 training images, fewer than a batch of 24: 20 images could not be read"},
        {23, ANO_IO, "none of the 23 images can be read: image 0 is gone"},
    };
    ano_dataset *dataset = numbered(N_IMAGES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        break_images(0, cases[i].n_broken);
        data_feed *feed;
        ano_error err = ANO_ERROR_INIT;
        const data_feed_options options = {.batch = 24, .cache = ALL, .threads = 1};
        assert_int_equal(data_feed_create(&feed, dataset, &options, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        assert_null(feed);
    }
    ano_dataset_free(dataset);
}

/* Each place of a lost image is taken by another image of its group, the others stay. */
static void lost_images__are_told_of_once_and_replaced(void **state)
{
    (void)state;
    ano_dataset *dataset = numbered(N_IMAGES);
    size_t whole[3][STEPS * BATCH], order[STEPS * BATCH];
    break_images(0, 0);
    data_feed *feed = feed_of(dataset, SOME, 2, NULL);
    for (size_t epoch = 0; epoch < 3; epoch++)
        read_epoch(whole[epoch], feed, epoch);
    data_feed_free(feed);
    for (int repeat = 0; repeat < 2; repeat++) {
        told t = {0};
        break_images(0, 0);
        feed = feed_of(dataset, SOME, 2, &t);
        break_images(5, 1);
        size_t replacements = 0;
        for (size_t epoch = 0; epoch < 3; epoch++) {
            read_epoch(order, feed, epoch);
            for (size_t i = 0; i < STEPS * BATCH; i++) {
                assert_int_not_equal(order[i], 5);
                if (whole[epoch][i] != 5) {
                    assert_int_equal(order[i], whole[epoch][i]);
                    continue;
                }
                replacements++;
                const size_t first = i / 3 * 3; /* of its group, which is whole or the last */
                bool is_of_group = false;
                for (size_t k = first; k < first + 3 && k < STEPS * BATCH; k++)
                    is_of_group = is_of_group || whole[epoch][k] == order[i];
                assert_true(is_of_group || first + 3 > STEPS * BATCH);
            }
        }
        assert_true(replacements >= 2);
        assert_string_equal(t.skipped, "image 5 is gone;");
        data_feed_free(feed);
    }
    ano_dataset_free(dataset);
}

static void group_that_is_lost_whole__ends_the_feed(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = numbered(N_IMAGES);
    data_feed *feed = feed_of(dataset, SOME, 2, NULL);
    break_images(0, N_IMAGES);
    float images[BATCH * IMAGE];
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(data_feed_batch(images, feed, 0, 0, &err), ANO_IO);
    assert_non_null(strstr(err.message, "can no longer be read"));
    assert_int_equal(data_feed_batch(images, feed, 0, 0, NULL), ANO_IO);
    data_feed_free(feed);
    ano_dataset_free(dataset);
}

/* Two images of 20 x 12 whose pixel (y, x) of image i is 120 i + 20 y / 2 + x: every even row is
 * another one, so a tile tells where it lies. */
static void tiles__lie_at_random_places_and_would_cover_the_images(void **state)
{
    (void)state;
    enum { HEIGHT = 12, WIDTH = 20 };
    uint8_t pixels[2 * HEIGHT * WIDTH];
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                pixels[(i * HEIGHT + y) * WIDTH + x] = (uint8_t)(120 * i + y / 2 * WIDTH + x);
    break_images(0, 0);
    static const size_t caches[] = {2 * sizeof(uint16_t) * HEIGHT * WIDTH, 0};
    for (size_t c = 0; c < 2; c++) {
        ano_dataset *dataset;
        const ano_view view = {.size = SIZE, .channels = 1, .stride = 4};
        assert_int_equal(ano_dataset_from_pixels(&dataset, pixels, 2, (ano_shape){HEIGHT, WIDTH, 1},
                                                 &view, NULL),
                         ANO_OK);
        data_feed *feed = feed_of(dataset, caches[c], 1, NULL);
        assert_int_equal(data_feed_steps(feed), 3); /* 2 x 2 x 3 tiles */
        int n_of[2] = {0}, seen_x[WIDTH] = {0};
        for (size_t k = 0; k < 60; k++) {
            float tiles[BATCH * IMAGE];
            assert_int_equal(data_feed_batch(tiles, feed, k / 3, k % 3, NULL), ANO_OK);
            for (size_t i = 0; i < BATCH; i++) {
                const float *tile = tiles + i * IMAGE;
                const size_t first = number_of(tile[0]), image = first / 120;
                const size_t x = first % 120 % WIDTH, row = first % 120 / WIDTH * 2;
                const size_t y = number_of(tile[SIZE]) == first ? row : row + 1;
                assert_in_range(x, 0, WIDTH - SIZE);
                assert_in_range(y, 0, HEIGHT - SIZE);
                for (size_t p = 0; p < IMAGE; p++)
                    assert_int_equal(
                        number_of(tile[p]),
                        pixels[(image * HEIGHT + y + p / SIZE) * WIDTH + x + p % SIZE]);
                n_of[image]++;
                seen_x[x]++;
            }
        }
        assert_int_equal(n_of[0], 120);
        assert_int_equal(n_of[1], 120);
        for (int x = 0; x <= WIDTH - SIZE; x++)
            assert_true(seen_x[x] > 0);
        data_feed_free(feed);
        ano_dataset_free(dataset);
    }
}

static void batches__are_augmented(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = numbered(N_IMAGES);
    data_feed *feed;
    float images[BATCH * IMAGE], again[BATCH * IMAGE];
    const data_feed_options options = {
        .batch = BATCH, .augment = {.brightness = 0.25}, .cache = ALL, .threads = 1};
    assert_int_equal(data_feed_create(&feed, dataset, &options, NULL), ANO_OK);
    data_feed_batch(images, feed, 0, 1, NULL);
    data_feed_batch(again, feed, 0, 1, NULL);
    assert_memory_equal(images, again, sizeof images);
    data_feed_free(feed);
    feed = feed_of(dataset, ALL, 1, NULL);
    size_t plain[STEPS * BATCH];
    read_epoch(plain, feed, 0);
    int n_changed = 0;
    for (size_t i = 0; i < BATCH; i++)
        n_changed += number_of(images[i * IMAGE]) != plain[BATCH + i];
    assert_true(n_changed > 0);
    data_feed_free(feed);
    ano_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_images__are_one_permutation_an_epoch),
        cmocka_unit_test(streamed_images__come_in_shuffled_groups),
        cmocka_unit_test(batches__hang_on_neither_threads_nor_what_was_read_before),
        cmocka_unit_test(unreadable_images__are_told_of_and_left_out),
        cmocka_unit_test(too_few_images__are_refused),
        cmocka_unit_test(lost_images__are_told_of_once_and_replaced),
        cmocka_unit_test(group_that_is_lost_whole__ends_the_feed),
        cmocka_unit_test(tiles__lie_at_random_places_and_would_cover_the_images),
        cmocka_unit_test(batches__are_augmented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
