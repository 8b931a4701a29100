/* ano_dataset_unfit_map() and ano_dataset_drop_unreadable(). */
#include <anogan/anogan.h>

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { HEIGHT = 12, WIDTH = 20, SIZE = 4 };

/* An image of HEIGHT x WIDTH, seen so. */
static ano_dataset *dataset_with(ano_view view)
{
    static const uint8_t pixels[HEIGHT * WIDTH];
    ano_dataset *dataset;
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, pixels, 1, (ano_shape){HEIGHT, WIDTH, 1}, &view, NULL),
        ANO_OK);
    return dataset;
}

/* A map of the network's size that rises by 1 a column, from 1 on, back on the image. */
static void unfit(float *dst, ano_view view)
{
    float map[SIZE * SIZE];
    for (int i = 0; i < SIZE * SIZE; i++)
        map[i] = (float)(1 + i % SIZE);
    ano_dataset *dataset = dataset_with(view);
    assert_int_equal(ano_dataset_unfit_map(dst, dataset, 0, map, (ano_shape){SIZE, SIZE, 1}, NULL),
                     ANO_OK);
    ano_dataset_free(dataset);
}

/* Where column x of the image lies among the map's columns: at `scale` its middle, less `offset`.
 */
static float expected(int x, double scale, double offset)
{
    const double at = (x + 0.5) * scale - offset - 0.5;
    return (float)(1 + fmin(fmax(at, 0), SIZE - 1));
}

static void a_resized_map__is_stretched_back(void **state)
{
    (void)state;
    float dst[HEIGHT * WIDTH];
    unfit(dst, (ano_view){.size = SIZE, .channels = 1});
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            assert_true(fabsf(dst[y * WIDTH + x] - expected(x, SIZE / 20.0, 0)) < 1e-5f);
}

static void a_cropped_map__leaves_what_was_cut_off_at_0(void **state)
{
    (void)state;
    float dst[HEIGHT * WIDTH];
    unfit(dst, (ano_view){.size = SIZE, .channels = 1, .fit = ANO_FIT_CROP});
    const double scale = SIZE / 12.0, offset = (20 * scale - SIZE) / 2;
    for (int x = 0; x < WIDTH; x++) {
        const bool seen = x >= 4 && x < 16;
        const float value = seen ? expected(x, scale, offset) : 0;
        assert_true(fabsf(dst[5 * WIDTH + x] - value) < 1e-5f);
    }
}

static void a_padded_map__leaves_the_padding_out(void **state)
{
    (void)state;
    float dst[HEIGHT * WIDTH];
    unfit(dst, (ano_view){.size = SIZE, .channels = 1, .fit = ANO_FIT_PAD});
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            assert_true(fabsf(dst[y * WIDTH + x] - expected(x, SIZE / 20.0, 0)) < 1e-5f);
}

static void write_file(const char *folder, const char *name, const char *bytes, size_t size)
{
    char *path = base_path_join(folder, name);
    assert_int_equal(base_file_write(path, bytes, size, NULL), ANO_OK);
    base_free(path);
}

static void images_that_cannot_be_read__are_dropped(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pgm", "b.pgm", "c.pgm"};
    static const char image[] = "P5 2 2 255\nabcd";
    char folder[] = "/tmp/anogan_unfit_XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_file(folder, names[0], image, sizeof image - 1);
    write_file(folder, names[1], image, 11);
    write_file(folder, names[2], image, sizeof image - 1);
    ano_dataset *dataset;
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    options.view.size = SIZE;
    const ano_status opened = ano_dataset_open(&dataset, folder, &options, NULL);
    size_t n_dropped = 0;
    if (opened == ANO_OK)
        assert_int_equal(ano_dataset_drop_unreadable(dataset, &n_dropped, NULL), ANO_OK);
    for (size_t i = 0; i < 3; i++) {
        char *path = base_path_join(folder, names[i]);
        unlink(path);
        base_free(path);
    }
    rmdir(folder);
    assert_int_equal(opened, ANO_OK);
    assert_int_equal(n_dropped, 1);
    assert_int_equal(ano_dataset_count(dataset), 2);
    assert_string_equal(ano_dataset_path(dataset, 1) + sizeof folder, "c.pgm");
    ano_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resized_map__is_stretched_back),
        cmocka_unit_test(a_cropped_map__leaves_what_was_cut_off_at_0),
        cmocka_unit_test(a_padded_map__leaves_the_padding_out),
        cmocka_unit_test(images_that_cannot_be_read__are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
