/* Images with anomalies drawn onto them, beside the same images without. */
#include "data/reader.h"

#include "base/file.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 6, HEIGHT = 37, WIDTH = 50, SEED = 3, ROOM = 128 * 128 * 3 };

static uint8_t texture(size_t i)
{
    return (uint8_t)(90 + (i * 7 + i / 50 * 3 + i / 1850 * 11) % 60);
}

static ano_dataset *in_memory(int n, ano_shape shape, const ano_view *view)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    const size_t size =
        (size_t)n * (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    uint8_t *pixels = malloc(size);
    for (size_t i = 0; i < size; i++)
        pixels[i] = texture(i);
    if (ano_dataset_from_pixels(&dataset, pixels, (size_t)n, shape, view, &err) != ANO_OK)
        fail_msg("%s", err.message);
    free(pixels);
    return dataset;
}

static ano_dataset *drawn_onto(const ano_dataset *normals, uint64_t seed)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *drawn;
    if (ano_dataset_draw_anomalies(&drawn, normals, seed, &err) != ANO_OK)
        fail_msg("%s", err.message);
    return drawn;
}

/* Reads all of an image, `piece` numbers at a time. */
static ano_shape read_image(uint16_t *dst, const ano_dataset *dataset, size_t i, size_t piece)
{
    ano_error err = ANO_ERROR_INIT;
    data_reader reader;
    if (data_reader_open(&reader, dataset, i, &err) != ANO_OK)
        fail_msg("%s", err.message);
    const ano_shape shape = reader.shape;
    const size_t size = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    assert_true(size <= ROOM);
    for (size_t done = 0, n; done < size; done += n) {
        n = size - done < piece ? size - done : piece;
        if (data_reader_numbers(dst + done, &reader, n, &err) != ANO_OK)
            fail_msg("%s", err.message);
    }
    data_reader_close(&reader);
    return shape;
}

/* The numbers in which image i is another, all within a square of `side`. */
static size_t count_changed(const ano_dataset *normals, const ano_dataset *drawn, size_t i,
                            int side)
{
    static uint16_t before[ROOM], after[ROOM];
    const ano_shape shape = read_image(before, normals, i, ROOM);
    const ano_shape again = read_image(after, drawn, i, ROOM);
    assert_memory_equal(&again, &shape, sizeof shape);
    int low[2] = {shape.height, shape.width}, high[2] = {-1, -1};
    size_t n = 0;
    for (int k = 0; k < shape.height * shape.width * shape.channels; k++) {
        if (before[k] == after[k])
            continue;
        const int at[2] = {k / shape.channels / shape.width, k / shape.channels % shape.width};
        for (int a = 0; a < 2; a++) {
            low[a] = at[a] < low[a] ? at[a] : low[a];
            high[a] = at[a] > high[a] ? at[a] : high[a];
        }
        n++;
    }
    if (high[0] - low[0] >= side || high[1] - low[1] >= side)
        fail_msg("image %zu: changed from %d, %d to %d, %d, expected a square of %d", i, low[0],
                 low[1], high[0], high[1], side);
    return n;
}

static void every_image__has_an_anomaly_within_a_window_and_all_else_as_it_was(void **state)
{
    (void)state;
    static const struct {
        ano_shape native;
        ano_view view;
        int side; /* of the window */
    } cases[] = {
        {{HEIGHT, WIDTH, 1}, {.size = 16, .channels = 1, .stride = 8}, 16},
        {{HEIGHT, WIDTH, 3}, {.size = 16, .channels = 3, .stride = 16}, 16},
        {{HEIGHT, WIDTH, 1}, {.size = HEIGHT, .channels = 1, .stride = 8}, HEIGHT},
        {{28, 28, 1}, ANO_VIEW_INIT, 28},
        {{28, 28, 3}, ANO_VIEW_INIT, 28},
        {{20, 32, 1}, ANO_VIEW_INIT, 20},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const ano_shape native = cases[c].native;
        ano_dataset *normals = in_memory(N, native, &cases[c].view);
        ano_dataset *drawn = drawn_onto(normals, SEED);
        const size_t window =
            (size_t)cases[c].side * (size_t)cases[c].side * (size_t)native.channels;
        for (size_t i = 0; i < N; i++) {
            const size_t n = count_changed(normals, drawn, i, cases[c].side);
            if (n == 0 || n > window * 9 / 10)
                fail_msg("case %zu, image %zu: %zu of %zu numbers changed", c, i, n, window);
        }
        ano_dataset_free(normals);
        ano_dataset_free(drawn);
    }
}

static void anomalies__are_the_same_in_whatever_pieces_and_order_they_are_read(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 17, WIDTH, 3 * WIDTH + 5};
    static uint16_t all[ROOM], found[ROOM];
    const ano_view view = {.size = 16, .channels = 1, .stride = 8};
    ano_dataset *normals = in_memory(N, (ano_shape){HEIGHT, WIDTH, 1}, &view);
    ano_dataset *drawn = drawn_onto(normals, SEED), *again = drawn_onto(normals, SEED);
    ano_dataset *other = drawn_onto(normals, SEED + 1);
    for (size_t i = N; i-- > 0;) {
        const size_t bytes = (size_t)HEIGHT * WIDTH * sizeof *all;
        read_image(all, drawn, i, ROOM);
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            read_image(found, again, i, pieces[k]);
            assert_memory_equal(found, all, bytes);
        }
        read_image(found, other, i, ROOM);
        assert_memory_not_equal(found, all, bytes);
    }
    ano_dataset_free(normals);
    ano_dataset_free(drawn);
    ano_dataset_free(again);
    ano_dataset_free(other);
}

static void windows__lie_all_over_the_image(void **state)
{
    (void)state;
    enum { MANY = 40 };
    const ano_view view = {.size = 16, .channels = 1, .stride = 8};
    ano_dataset *normals = in_memory(MANY, (ano_shape){HEIGHT, WIDTH, 1}, &view);
    ano_dataset *drawn = drawn_onto(normals, SEED);
    bool seen[2][2] = {{false}};
    for (size_t i = 0; i < MANY; i++) {
        data_reader reader;
        assert_int_equal(data_reader_open(&reader, drawn, i, NULL), ANO_OK);
        const data_window *window = &reader.window;
        assert_true(window->x >= 0 && window->x + 16 <= WIDTH);
        assert_true(window->y >= 0 && window->y + 16 <= HEIGHT);
        seen[window->y > (HEIGHT - 16) / 2][window->x > (WIDTH - 16) / 2] = true;
        data_reader_close(&reader);
    }
    assert_true(seen[0][0] && seen[0][1] && seen[1][0] && seen[1][1]);
    ano_dataset_free(normals);
    ano_dataset_free(drawn);
}

static void drawn_images__are_anomalous_of_the_class_drawn(void **state)
{
    (void)state;
    float image[28 * 28], again[28 * 28];
    const size_t last = N - 1;
    ano_dataset *normals = in_memory(N, (ano_shape){28, 28, 1}, NULL);
    ano_dataset *drawn = drawn_onto(normals, SEED);
    assert_int_equal(ano_dataset_read(image, normals, &last, 1, NULL), ANO_OK);
    ano_dataset_free(normals);
    assert_int_equal(ano_dataset_count(drawn), N);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(ano_dataset_label(drawn, i), 1);
        assert_string_equal(ano_dataset_class(drawn, i), "drawn");
        assert_int_equal(ano_dataset_index(drawn, i), i);
        assert_null(ano_dataset_mask(drawn, i));
    }
    assert_int_equal(ano_dataset_read(again, drawn, &last, 1, NULL), ANO_OK);
    assert_memory_not_equal(again, image, sizeof image);
    ano_dataset_free(drawn);
}

static void one_image_alone__is_drawn_on_beside_itself(void **state)
{
    (void)state;
    ano_dataset *normals = in_memory(1, (ano_shape){28, 28, 1}, NULL);
    for (uint64_t seed = 0; seed < 20; seed++) {
        ano_dataset *drawn = drawn_onto(normals, seed);
        assert_true(count_changed(normals, drawn, 0, 28) > 0);
        ano_dataset_free(drawn);
    }
    ano_dataset_free(normals);
}

/* ---- images in files ---------------------------------------------------------------------- */

static char place[] = "/tmp/anogan_reader_XXXXXX";

static int make_place(void **state)
{
    (void)state;
    return mkdtemp(place) == NULL || chdir(place) != 0;
}

static int remove_place(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", place);
    return chdir("/") != 0 || system(command) != 0;
}

/* Of 16 bits that are no multiples of 257; `share` of the pixels are there. */
static void put_image(const char *name, int height, int width, double share)
{
    uint8_t bytes[ROOM];
    const int header = snprintf((char *)bytes, sizeof bytes, "P5 %d %d 65535\n", width, height);
    const size_t size = (size_t)(height * width * share) * 2;
    for (size_t i = 0; i < size; i++)
        bytes[(size_t)header + i] = texture(i);
    assert_int_equal(base_file_write(name, bytes, (size_t)header + size, NULL), ANO_OK);
}

static ano_dataset *in_files(const char *const *names, size_t n, const ano_view *view)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    const ano_dataset_options options = {.view = *view};
    if (ano_dataset_open_list(&dataset, names, n, &options, &err) != ANO_OK)
        fail_msg("%s", err.message);
    return dataset;
}

static void files__are_drawn_on_at_the_views_scale_and_keep_their_other_bits(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pgm", "b.pgm", "small.pgm"};
    static const ano_view views[] = {
        {.size = 16, .channels = 1, .stride = 8, .scale = 1},
        {.size = 16, .channels = 1, .stride = 8, .scale = 0.7},
        {.size = 16, .channels = 3, .stride = 8, .scale = 1},
        {.size = 24, .channels = 1},
        {.size = 24, .channels = 1, .fit = ANO_FIT_PAD},
    };
    if (data_decode_check(NULL) != ANO_OK)
        skip();
    put_image(names[0], 60, 41, 1);
    put_image(names[1], 33, 80, 1);
    put_image(names[2], 9, 12, 1); /* than a tile, so it is mirrored */
    for (size_t v = 0; v < sizeof views / sizeof *views; v++) {
        ano_dataset *normals = in_files(names, 3, &views[v]);
        ano_dataset *drawn = drawn_onto(normals, SEED);
        for (size_t i = 0; i < 3; i++)
            if (count_changed(normals, drawn, i, views[v].size) == 0)
                fail_msg("view %zu, image %zu: nothing is drawn", v, i);
        ano_dataset_free(normals);
        ano_dataset_free(drawn);
    }
}

/* Reads an image to its end, or to what is wrong with it. */
static ano_status try_image(ano_error *err, const ano_dataset *dataset, size_t i)
{
    static uint16_t numbers[ROOM];
    *err = (ano_error)ANO_ERROR_INIT;
    data_reader reader;
    ano_status status = data_reader_open(&reader, dataset, i, err);
    if (status == ANO_OK)
        status = data_reader_rows(numbers, &reader, reader.shape.height, err);
    data_reader_close(&reader);
    return status;
}

static void images_that_cannot_be_read__fail_as_before_and_spoil_no_other(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pgm", "gone.pgm", "none.pgm", "b.pgm"};
    const ano_view view = {.size = 16, .channels = 1, .stride = 8, .scale = 1};
    if (data_decode_check(NULL) != ANO_OK)
        skip();
    put_image(names[0], 40, 41, 1);
    put_image(names[2], 40, 41, 0);
    put_image(names[3], 33, 40, 1);
    ano_dataset *normals = in_files(names, 4, &view);
    for (uint64_t seed = 0; seed < 10; seed++) {
        ano_dataset *drawn = drawn_onto(normals, seed);
        for (size_t i = 0; i < 4; i++) {
            ano_error before, after;
            assert_int_equal(try_image(&after, drawn, i), try_image(&before, normals, i));
            assert_int_equal(after.status, i == 1 ? ANO_IO : i == 2 ? ANO_FORMAT : ANO_OK);
            assert_string_equal(after.message, before.message);
        }
        assert_true(count_changed(normals, drawn, 0, view.size) > 0);
        assert_true(count_changed(normals, drawn, 3, view.size) > 0);
        ano_dataset_free(drawn);
    }
    ano_dataset_free(normals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_image__has_an_anomaly_within_a_window_and_all_else_as_it_was),
        cmocka_unit_test(anomalies__are_the_same_in_whatever_pieces_and_order_they_are_read),
        cmocka_unit_test(windows__lie_all_over_the_image),
        cmocka_unit_test(drawn_images__are_anomalous_of_the_class_drawn),
        cmocka_unit_test(one_image_alone__is_drawn_on_beside_itself),
        cmocka_unit_test(files__are_drawn_on_at_the_views_scale_and_keep_their_other_bits),
        cmocka_unit_test(images_that_cannot_be_read__fail_as_before_and_spoil_no_other),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
