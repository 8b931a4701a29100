#include "report/png.h"

#include "base/random.h"

#include <png.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_png_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/picture.png", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void png__holds_the_pixels_that_were_written(void **state)
{
    (void)state;
    enum { WIDTH = 13, HEIGHT = 7 };
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[HEIGHT * WIDTH * 3], read[HEIGHT * WIDTH * 3];
        const size_t size = (size_t)(HEIGHT * WIDTH * channels);
        uint32_t words[4] = {0};
        for (size_t i = 0; i < size; i++) {
            if (i % 4 == 0)
                base_random_block(words, (base_random){1, BASE_PURPOSE_TEST, 0}, (uint32_t)i);
            pixels[i] = (uint8_t)words[i % 4];
        }
        ano_error err = ANO_ERROR_INIT;
        if (report_png_write(path, pixels, WIDTH, HEIGHT, channels, &err) != ANO_OK)
            fail_msg("%s", err.message);
        png_image image = {.version = PNG_IMAGE_VERSION};
        assert_true(png_image_begin_read_from_file(&image, path));
        const png_uint_32 expected = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
        assert_int_equal(image.width, WIDTH);
        assert_int_equal(image.height, HEIGHT);
        assert_int_equal(image.format, expected);
        assert_true(png_image_finish_read(&image, NULL, read, 0, NULL));
        assert_memory_equal(read, pixels, size);
    }
}

static void png__refuses_sizes_that_no_picture_has(void **state)
{
    (void)state;
    const uint8_t pixel[4] = {0};
    const int sizes[][3] = {{0, 1, 1}, {1, 0, 1}, {1, 1, 2}, {1, 1, 4}, {-1, 1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(report_png_write(path, pixel, sizes[i][0], sizes[i][1], sizes[i][2], NULL),
                         ANO_ARG);
}

static void png__names_the_file_that_cannot_be_written(void **state)
{
    (void)state;
    const uint8_t pixel = 0;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_png_write("/nowhere/at/all.png", &pixel, 1, 1, 1, &err), ANO_IO);
    assert_non_null(strstr(err.message, "/nowhere/at/all.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png__holds_the_pixels_that_were_written),
        cmocka_unit_test(png__refuses_sizes_that_no_picture_has),
        cmocka_unit_test(png__names_the_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
