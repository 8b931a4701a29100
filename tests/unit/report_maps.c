#include "report/maps.h"

#include "base/file.h"
#include "base/memory.h"
#include "report/colour.h"

#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>
#include <setjmp.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_maps_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Removes what is in the folder and returns how many files that was. */
static int clear_folder(void)
{
    int n = 0;
    DIR *files = opendir(folder);
    for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
        char *path = base_path_join(folder, entry->d_name);
        n += unlink(path) == 0;
        base_free(path);
    }
    closedir(files);
    return n;
}

static int remove_files(void **state)
{
    (void)state;
    clear_folder();
    return 0;
}

/* What is in a file, as vips gives it: bytes, 16-bit numbers or floats. */
typedef struct contents {
    int height, width, channels;
    VipsBandFormat format;
    void *pixels; /* g_free */
} contents;

static contents read_file(const char *name)
{
    char *path = base_path_join(folder, name);
    VipsImage *image = vips_image_new_from_file(path, NULL);
    if (image == NULL)
        fail_msg("%s: %s", name, vips_error_buffer());
    size_t size;
    const contents read = {image->Ysize, image->Xsize, image->Bands, image->BandFmt,
                           vips_image_write_to_memory(image, &size)};
    g_object_unref(image);
    base_free(path);
    return read;
}

/* Options for the maps of `images`, all of which have been scored as `scored`. */
static report_maps_options make_options(const ano_dataset *images, ano_shape scored)
{
    return (report_maps_options){.folder = folder,
                                 .stem = "a",
                                 .images = images,
                                 .scored = scored,
                                 .high = 4,
                                 .generates = true};
}

/* A data set of one image, seen so. */
static ano_dataset *dataset_of(const uint8_t *pixels, ano_shape shape, ano_view view)
{
    ano_dataset *dataset;
    assert_int_equal(ano_dataset_from_pixels(&dataset, pixels, 1, shape, &view, NULL), ANO_OK);
    return dataset;
}

/* Whatever its size, the map covers it. */
static const ano_view tiles = {.size = 1, .stride = 1, .scale = 1};

static void write_maps(const report_maps_options *options, const float *map, const float *generated,
                       int rows_at_once)
{
    ano_error err = ANO_ERROR_INIT;
    report_maps *maps;
    if (report_maps_open(&maps, options, &err) != ANO_OK)
        fail_msg("%s", err.message);
    const int width = options->scored.width, height = options->scored.height;
    const ptrdiff_t n_row = (ptrdiff_t)width * options->scored.channels;
    for (int y = 0; y < height; y += rows_at_once) {
        const int n = y + rows_at_once <= height ? rows_at_once : height - y;
        const ano_strip strip = {
            0, options->scored, y, n, NULL, generated + y * n_row, map + (ptrdiff_t)y * width};
        if (report_maps_rows(maps, &strip, &err) != ANO_OK)
            fail_msg("%s", err.message);
    }
    if (report_maps_close(maps, &err) != ANO_OK)
        fail_msg("%s", err.message);
}

/* A row of four pixels in colour, scored as it is: the map goes from 0 to twice its highest value.
 */
static const ano_shape row = {1, 4, 3};
static const float map[] = {0, 2, 4, 8};
static const uint8_t image[] = {255, 128, 0, 0, 0, 0, 255, 255, 255, 77, 78, 79};
static const float generated[] = {-1, -1, -1, 1, 1, 1, 0, 0, 0, -2, 2, 0.5f};

static void maps__hold_values_as_shares_of_the_highest(void **state)
{
    (void)state;
    ano_dataset *dataset = dataset_of(image, row, tiles);
    const report_maps_options options = make_options(dataset, row);
    write_maps(&options, map, generated, 1);
    const contents read = read_file("a_map.png");
    const uint16_t *values = read.pixels;
    assert_int_equal(read.format, VIPS_FORMAT_USHORT);
    assert_int_equal(read.channels, 1);
    const int expected[] = {0, 32768, 65535, 65535};
    for (int i = 0; i < 4; i++)
        if (values[i] != expected[i])
            fail_msg("pixel %d: expected %d, got %d", i, expected[i], values[i]);
    g_free(read.pixels);
    char *path = base_path_join(folder, "a_map.png");
    VipsImage *file = vips_image_new_from_file(path, NULL);
    const char *text = "";
    assert_int_equal(vips_image_get_string(file, "png-comment-0-Description", &text), 0);
    assert_non_null(strstr(text, "value / 65535 * 4"));
    g_object_unref(file);
    base_free(path);
    ano_dataset_free(dataset);
    assert_int_equal(clear_folder(), 3);
}

static void maps__hold_the_values_themselves_as_tiff(void **state)
{
    (void)state;
    ano_dataset *dataset = dataset_of(image, row, tiles);
    report_maps_options options = make_options(dataset, row);
    options.format = REPORT_MAP_TIFF;
    write_maps(&options, map, generated, 1);
    const contents read = read_file("a_map.tiff");
    assert_int_equal(read.format, VIPS_FORMAT_FLOAT);
    assert_memory_equal(read.pixels, map, sizeof map);
    g_free(read.pixels);
    ano_dataset_free(dataset);
    assert_int_equal(clear_folder(), 3);
}

static void maps__lie_over_the_image_the_more_the_higher(void **state)
{
    (void)state;
    uint8_t colours[REPORT_COLOURS][4];
    report_colours(colours);
    for (int channels = 1; channels <= 3; channels += 2) {
        ano_dataset *dataset = dataset_of(image, (ano_shape){1, 4, channels}, tiles);
        const report_maps_options options = make_options(dataset, row);
        write_maps(&options, map, generated, 1);
        const contents read = read_file("a_overlay.png");
        const uint8_t *got = read.pixels;
        assert_int_equal(read.channels, 3);
        for (int x = 0; x < 4; x++) {
            const uint8_t *colour = colours[report_colour_place((double)map[x], 4)];
            for (int c = 0; c < 3; c++) {
                const double below = image[x * channels + c % channels];
                const double expected = below + colour[3] / 255.0 * (colour[c] - below);
                if (fabs(got[3 * x + c] - expected) > 0.5 + 1e-9)
                    fail_msg("pixel %d, component %d: expected %.1f, got %d", x, c, expected,
                             got[3 * x + c]);
            }
        }
        g_free(read.pixels);
        ano_dataset_free(dataset);
    }
}

/* The overlay of a map that is 0 is the image, pixel for pixel, though it was scored in gray and at
 * a quarter of its size. */
static void overlays__have_the_images_own_pixels(void **state)
{
    (void)state;
    enum { HEIGHT = 24, WIDTH = 36 };
    static const float nothing[HEIGHT * WIDTH / 16];
    uint8_t pixels[HEIGHT * WIDTH * 3];
    for (int i = 0; i < HEIGHT * WIDTH * 3; i++)
        pixels[i] = (uint8_t)(i * 89 % 251);
    ano_dataset *dataset =
        dataset_of(pixels, (ano_shape){HEIGHT, WIDTH, 3},
                   (ano_view){.size = 4, .channels = 1, .stride = 4, .scale = 0.25});
    const report_maps_options options =
        make_options(dataset, (ano_shape){HEIGHT / 4, WIDTH / 4, 1});
    write_maps(&options, nothing, nothing, 1);
    const contents read = read_file("a_overlay.png");
    assert_int_equal(read.height, HEIGHT);
    assert_int_equal(read.width, WIDTH);
    assert_memory_equal(read.pixels, pixels, sizeof pixels);
    g_free(read.pixels);
    ano_dataset_free(dataset);
}

/* The image is read anew for its overlay, in its own colours. When it is gone by then, that is
 * said, and no file is begun. */
static void overlays__read_the_images_file_again(void **state)
{
    (void)state;
    static const char ppm[] = "P6 2 1 255\nabcdef";
    static const float nothing[2];
    char place[] = "/tmp/anogan_images_XXXXXX";
    assert_non_null(mkdtemp(place));
    char *path = base_path_join(place, "a.ppm");
    assert_int_equal(base_file_write(path, ppm, sizeof ppm - 1, NULL), ANO_OK);
    ano_dataset *dataset;
    ano_dataset_options which = ANO_DATASET_OPTIONS_INIT;
    which.view = tiles;
    which.view.channels = 1;
    assert_int_equal(ano_dataset_open(&dataset, path, &which, NULL), ANO_OK);
    const report_maps_options options = make_options(dataset, (ano_shape){1, 2, 1});
    write_maps(&options, nothing, nothing, 1);
    const contents read = read_file("a_overlay.png");
    assert_memory_equal(read.pixels, "abcdef", 6);
    g_free(read.pixels);
    assert_int_equal(clear_folder(), 3);

    unlink(path);
    rmdir(place);
    report_maps *maps;
    ano_error err = ANO_ERROR_INIT;
    const ano_strip strip = {0, options.scored, 0, 1, NULL, nothing, nothing};
    assert_int_equal(report_maps_open(&maps, &options, NULL), ANO_OK);
    assert_int_equal(report_maps_rows(maps, &strip, &err), ANO_IO);
    assert_non_null(strstr(err.message, path));
    report_maps_discard(maps);
    assert_int_equal(clear_folder(), 0);
    ano_dataset_free(dataset);
    base_free(path);
}

/* Each file of values is what ano_dataset_unfit_map() says, and where a crop has cut something off
 * the overlay shows the image as it is and the generated image is black. */
static void maps__are_brought_back_to_their_place(void **state)
{
    (void)state;
    enum { HEIGHT = 12, WIDTH = 20, SIZE = 4 };
    const ano_shape scored = {SIZE, SIZE, 1};
    float values[SIZE * SIZE], white[SIZE * SIZE], expected[HEIGHT * WIDTH];
    uint8_t pixels[HEIGHT * WIDTH];
    for (int i = 0; i < SIZE * SIZE; i++) {
        values[i] = (float)(1 + i * 7 % 16);
        white[i] = 1;
    }
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        pixels[i] = (uint8_t)(i % 251);
    for (ano_fit fit = ANO_FIT_RESIZE; fit <= ANO_FIT_PAD; fit++) {
        ano_dataset *dataset = dataset_of(pixels, (ano_shape){HEIGHT, WIDTH, 1},
                                          (ano_view){.size = SIZE, .channels = 1, .fit = fit});
        report_maps_options options = make_options(dataset, scored);
        options.format = REPORT_MAP_TIFF;
        write_maps(&options, values, white, 1);
        assert_int_equal(ano_dataset_unfit_map(expected, dataset, 0, values, scored, NULL), ANO_OK);
        const contents map_file = read_file("a_map.tiff"), overlay = read_file("a_overlay.png"),
                       made = read_file("a_generated.png");
        assert_memory_equal(map_file.pixels, expected, sizeof expected);
        for (int i = 0; i < HEIGHT * WIDTH; i++) {
            const bool seen = fit != ANO_FIT_CROP || (i % WIDTH >= 4 && i % WIDTH < 16);
            const uint8_t *got = (const uint8_t *)overlay.pixels + 3 * i;
            const bool is_plain = got[0] == pixels[i] && got[1] == pixels[i] && got[2] == pixels[i];
            if ((expected[i] > 0) != seen || is_plain == seen ||
                ((const uint8_t *)made.pixels)[i] != (seen ? 255 : 0))
                fail_msg("fit %d, pixel %d: map %f, overlay %d %d %d over %d, generated %d",
                         (int)fit, i, (double)expected[i], got[0], got[1], got[2], pixels[i],
                         ((const uint8_t *)made.pixels)[i]);
        }
        g_free(map_file.pixels);
        g_free(overlay.pixels);
        g_free(made.pixels);
        ano_dataset_free(dataset);
    }
}

static void maps__come_with_the_generated_image(void **state)
{
    (void)state;
    ano_dataset *dataset = dataset_of(image, row, tiles);
    const report_maps_options options = make_options(dataset, row);
    write_maps(&options, map, generated, 1);
    const contents read = read_file("a_generated.png");
    const uint8_t expected[] = {0, 0, 0, 255, 255, 255, 128, 128, 128, 0, 255, 191};
    assert_int_equal(read.channels, 3);
    assert_memory_equal(read.pixels, expected, sizeof expected);
    g_free(read.pixels);
    ano_dataset_free(dataset);
}

static void maps__get_the_size_that_the_image_came_in(void **state)
{
    (void)state;
    enum { LONGEST = 64 * 64, LARGEST = 17 * 300 };
    const int sizes[][4] = {{28, 28, 31, 57}, {64, 64, 17, 300}, {5, 7, 1, 1},
                            {7, 5, 1000, 3},  {64, 61, 61, 64},  {1, 1, 9, 2}};
    float *ones = malloc(LONGEST * sizeof *ones);
    uint8_t *black = calloc(LARGEST, 3);
    for (int i = 0; i < LONGEST; i++)
        ones[i] = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int *size = sizes[i];
        ano_dataset *dataset = dataset_of(black, (ano_shape){size[2], size[3], 3}, tiles);
        const report_maps_options options = make_options(dataset, (ano_shape){size[0], size[1], 1});
        write_maps(&options, ones, ones, 3);
        const char *const names[] = {"a_map.png", "a_overlay.png", "a_generated.png"};
        for (int f = 0; f < 3; f++) {
            const contents read = read_file(names[f]);
            if (read.height != size[2] || read.width != size[3])
                fail_msg("case %zu, %s: expected %d x %d, got %d x %d", i, names[f], size[2],
                         size[3], read.height, read.width);
            for (int p = 0; f == 0 && p < read.height * read.width; p++)
                if (((uint16_t *)read.pixels)[p] != 16384)
                    fail_msg("case %zu, pixel %d: expected 16384, got %d", i, p,
                             ((uint16_t *)read.pixels)[p]);
            g_free(read.pixels);
        }
        ano_dataset_free(dataset);
    }
    free(ones);
    free(black);
}

static void maps__are_the_same_in_strips_of_any_height(void **state)
{
    (void)state;
    enum { SIDE = 16 };
    float values[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        values[i] = (float)(i * 37 % 101) / 100;
    static const uint8_t black[40 * 23];
    ano_dataset *dataset = dataset_of(black, (ano_shape){40, 23, 1}, tiles);
    const report_maps_options options = make_options(dataset, (ano_shape){SIDE, SIDE, 1});
    write_maps(&options, values, values, SIDE);
    const contents once = read_file("a_map.png");
    write_maps(&options, values, values, 5);
    const contents strips = read_file("a_map.png");
    assert_memory_equal(once.pixels, strips.pixels, 40 * 23 * sizeof(uint16_t));
    g_free(once.pixels);
    g_free(strips.pixels);
    ano_dataset_free(dataset);
}

static void maps__leave_nothing_when_they_are_not_completed(void **state)
{
    (void)state;
    ano_dataset *dataset = dataset_of(image, (ano_shape){2, 2, 1}, tiles);
    const report_maps_options options = make_options(dataset, (ano_shape){2, 2, 1});
    const float bad[] = {0, NAN};
    const ano_strip first = {0, options.scored, 0, 1, NULL, generated, map};
    ano_strip second = first, not_finite = first;
    second.n_rows = 2;
    second.y = not_finite.y = 1;
    not_finite.map = bad;
    report_maps *maps;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_maps_open(&maps, &options, NULL), ANO_OK);
    report_maps_discard(maps);
    assert_int_equal(report_maps_open(&maps, &options, NULL), ANO_OK);
    assert_int_equal(report_maps_rows(maps, &second, NULL), ANO_ARG); /* the first is missing */
    assert_int_equal(report_maps_rows(maps, &first, NULL), ANO_OK);
    assert_int_equal(report_maps_rows(maps, &second, NULL), ANO_ARG); /* one too many */
    assert_int_equal(report_maps_rows(maps, &not_finite, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "row 1, column 1"));
    assert_int_equal(report_maps_close(maps, NULL), ANO_ARG); /* one row of two */
    report_maps_discard(NULL);
    ano_dataset_free(dataset);
    assert_int_equal(clear_folder(), 0);
}

static void maps__say_what_libvips_says(void **state)
{
    (void)state;
    /* The file to be written has become a folder. */
    ano_dataset *dataset = dataset_of(image, (ano_shape){1, 2, 1}, tiles);
    const report_maps_options options = make_options(dataset, (ano_shape){1, 2, 1});
    report_maps *maps;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_maps_open(&maps, &options, NULL), ANO_OK);
    char *in_the_way = NULL;
    DIR *files = opendir(folder);
    for (struct dirent *entry; (entry = readdir(files)) != NULL;)
        if (strstr(entry->d_name, "a_map.png") == entry->d_name &&
            strstr(entry->d_name, "-0.tmp")) {
            in_the_way = base_path_join(folder, entry->d_name);
            assert_int_equal(unlink(in_the_way), 0);
            assert_int_equal(mkdir(in_the_way, 0700), 0);
        }
    closedir(files);
    const ano_strip strip = {0, options.scored, 0, 1, NULL, generated, map};
    assert_int_equal(report_maps_rows(maps, &strip, NULL), ANO_OK);
    assert_int_equal(report_maps_close(maps, &err), ANO_IO);
    assert_non_null(strstr(err.message, "a_map.png: cannot be written: "));
    assert_int_not_equal(err.message[strlen(err.message) - 1], '\n');
    assert_string_equal(vips_error_buffer(), "");
    rmdir(in_the_way);
    base_free(in_the_way);
    ano_dataset_free(dataset);
    assert_int_equal(clear_folder(), 0);
}

static void maps__refuse_what_makes_no_file(void **state)
{
    (void)state;
    ano_dataset *dataset = dataset_of(image, (ano_shape){1, 2, 1}, tiles);
    const report_maps_options good = make_options(dataset, (ano_shape){1, 2, 1});
    const char *const stems[] = {"", ".", "..", "../a", "a/b", "/a"};
    report_maps *maps;
    report_maps_options bad;
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
        bad = good;
        bad.stem = stems[i];
        if (report_maps_open(&maps, &bad, NULL) != ANO_ARG || maps != NULL)
            fail_msg("stem \"%s\": expected ARG", stems[i]);
    }
    const double highs[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < sizeof highs / sizeof *highs; i++) {
        bad = good;
        bad.high = highs[i];
        assert_int_equal(report_maps_open(&maps, &bad, NULL), ANO_ARG);
    }
    bad = make_options(dataset, (ano_shape){1, 2, 2});
    assert_int_equal(report_maps_open(&maps, &bad, NULL), ANO_ARG);
    bad = good;
    bad.image = 1;
    assert_int_equal(report_maps_open(&maps, &bad, NULL), ANO_ARG);
    bad = good;
    bad.folder = "/nowhere/at/all";
    assert_int_equal(report_maps_open(&maps, &bad, NULL), ANO_IO);
    ano_dataset_free(dataset);
    assert_int_equal(clear_folder(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(maps__hold_values_as_shares_of_the_highest, remove_files),
        cmocka_unit_test_teardown(maps__hold_the_values_themselves_as_tiff, remove_files),
        cmocka_unit_test_teardown(maps__lie_over_the_image_the_more_the_higher, remove_files),
        cmocka_unit_test_teardown(overlays__have_the_images_own_pixels, remove_files),
        cmocka_unit_test_teardown(overlays__read_the_images_file_again, remove_files),
        cmocka_unit_test_teardown(maps__are_brought_back_to_their_place, remove_files),
        cmocka_unit_test_teardown(maps__come_with_the_generated_image, remove_files),
        cmocka_unit_test_teardown(maps__get_the_size_that_the_image_came_in, remove_files),
        cmocka_unit_test_teardown(maps__are_the_same_in_strips_of_any_height, remove_files),
        cmocka_unit_test_teardown(maps__leave_nothing_when_they_are_not_completed, remove_files),
        cmocka_unit_test_teardown(maps__say_what_libvips_says, remove_files),
        cmocka_unit_test_teardown(maps__refuse_what_makes_no_file, remove_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
