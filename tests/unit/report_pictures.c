#include "report/pictures.h"

#include "report/colour.h"

#include <math.h>
#include <png.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_pictures_XXXXXX";
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

/* A picture read back, always in colour. */
typedef struct picture {
    int width, height;
    uint8_t pixels[64][64][3];
} picture;

static picture read_picture(void)
{
    picture read = {0};
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_true(image.width <= 64 && image.height <= 64);
    image.format = PNG_FORMAT_RGB;
    read.width = (int)image.width;
    read.height = (int)image.height;
    assert_true(png_image_finish_read(&image, NULL, read.pixels, 64 * 3, NULL));
    return read;
}

static void expect_colour(const picture *read, int y, int x, int red, int green, int blue)
{
    const uint8_t *got = read->pixels[y][x];
    if (got[0] != red || got[1] != green || got[2] != blue)
        fail_msg("pixel (%d, %d): expected %d %d %d, got %d %d %d", y, x, red, green, blue, got[0],
                 got[1], got[2]);
}

static void grid__puts_images_in_rows_on_white(void **state)
{
    (void)state;
    /* Three images of 1 x 2 pixels, two to a row; a pixel is a square of 2, a gap is 3. */
    const float images[] = {-1, 1, 0, -2, NAN, 0.5f};
    ano_error err = ANO_ERROR_INIT;
    if (report_grid(path, images, 3, (ano_shape){1, 2, 1}, 2, 2, &err) != ANO_OK)
        fail_msg("%s", err.message);
    const picture read = read_picture();
    assert_int_equal(read.width, 3 + 4 + 3 + 4 + 3);
    assert_int_equal(read.height, 3 + 2 + 3 + 2 + 3);
    const int expected[][3] = {
        {3, 3, 0},    {4, 4, 0},   {3, 5, 255}, {4, 6, 255}, /* the first image */
        {3, 10, 128}, {3, 12, 0},                            /* the second; -2 is clipped */
        {8, 3, 0},    {8, 5, 191},                           /* the third; NaN is black */
        {2, 3, 255},  {3, 7, 255}, {5, 3, 255}, {8, 10, 255} /* gaps, and no fourth */
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_colour(&read, expected[i][0], expected[i][1], expected[i][2], expected[i][2],
                      expected[i][2]);
}

static void grid__keeps_colours(void **state)
{
    (void)state;
    const float image[] = {1, -1, 0, -1, 1, 1};
    assert_int_equal(report_grid(path, image, 1, (ano_shape){2, 1, 3}, 1, 1, NULL), ANO_OK);
    const picture read = read_picture();
    expect_colour(&read, 2, 2, 255, 0, 128);
    expect_colour(&read, 3, 2, 0, 255, 255);
}

static void comparison__shows_no_difference_black_and_the_largest_white(void **state)
{
    (void)state;
    /* Three pixels: alike, half as far apart as can be, and as far. A gap is 2. */
    const float image[] = {0, 1, 1}, generated[] = {0, 0, -1};
    assert_int_equal(report_comparison(path, image, generated, (ano_shape){1, 3, 1}, 1, NULL),
                     ANO_OK);
    const picture read = read_picture();
    assert_int_equal(read.width, 2 + 3 + 2 + 3 + 2 + 3 + 2);
    assert_int_equal(read.height, 2 + 1 + 2);
    const int grays[] = {128, 255, 255, 255, 255, 128, 128, 0};
    for (int i = 0; i < 8; i++)
        expect_colour(&read, 2, 2 + i, grays[i], grays[i], grays[i]);
    expect_colour(&read, 2, 12, 0, 0, 0);
    expect_colour(&read, 2, 14, 255, 255, 255);
    const uint8_t *between = read.pixels[2][13];
    if (!(between[0] > between[1] && between[1] > between[2]))
        fail_msg("half the largest difference: expected orange, got %d %d %d", between[0],
                 between[1], between[2]);
}

static void pictures__refuse_what_cannot_be_drawn(void **state)
{
    (void)state;
    const float image[6] = {0};
    const ano_shape shape = {1, 2, 1};
    assert_int_equal(report_grid(path, image, 0, shape, 1, 1, NULL), ANO_ARG);
    assert_int_equal(report_grid(path, image, 1, shape, 0, 1, NULL), ANO_ARG);
    assert_int_equal(report_grid(path, image, 1, shape, 1, 0, NULL), ANO_ARG);
    assert_int_equal(report_grid(path, image, 1, (ano_shape){1, 2, 2}, 1, 1, NULL), ANO_ARG);
    assert_int_equal(report_grid(path, image, 1, shape, 2000000000, 2000000000, NULL), ANO_ARG);
    assert_int_equal(report_comparison(path, image, image, shape, 40000, NULL), ANO_ARG);
    report_png png;
    assert_int_equal(report_picture(&png, image, NULL, (ano_shape){1, 2, 2}, 1, NULL), ANO_ARG);
}

/* The picture in memory, always in colour. */
static picture decode(const report_png *png)
{
    picture read = {0};
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, png->bytes, png->size));
    assert_int_equal(image.width, png->width);
    assert_int_equal(image.height, png->height);
    read.width = png->width < 64 ? png->width : 64;
    read.height = png->height < 64 ? png->height : 64;
    image.format = PNG_FORMAT_RGB;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    for (int y = 0; y < read.height; y++)
        memcpy(read.pixels[y], pixels + 3 * y * png->width, 3 * (size_t)read.width);
    free(pixels);
    return read;
}

static void picture__shows_the_map_over_the_image(void **state)
{
    (void)state;
    uint8_t colours[REPORT_COLOURS][4];
    report_colours(colours);
    const float image[] = {1, -1, -1, -1}, map[] = {0, 0, 1, 5};
    report_png plain, over;
    assert_int_equal(report_picture(&plain, image, NULL, (ano_shape){2, 2, 1}, 1, NULL), ANO_OK);
    assert_int_equal(report_picture(&over, image, map, (ano_shape){2, 2, 1}, 2, NULL), ANO_OK);
    picture read = decode(&plain);
    expect_colour(&read, 0, 0, 255, 255, 255);
    expect_colour(&read, 1, 1, 0, 0, 0);
    read = decode(&over);
    expect_colour(&read, 0, 0, 255, 255, 255); /* nothing lets all of the image through */
    expect_colour(&read, 0, 1, 0, 0, 0);
    for (int x = 0; x < 2; x++) {
        const uint8_t *colour = colours[x == 0 ? 128 : 255];
        int expected[3];
        for (int c = 0; c < 3; c++)
            expected[c] = (int)(colour[3] * colour[c] / 255.0 + 0.5);
        expect_colour(&read, 1, x, expected[0], expected[1], expected[2]);
    }
    report_png_free(&plain);
    report_png_free(&over);
}

static void picture__shrinks_and_keeps_the_highest_of_the_map(void **state)
{
    (void)state;
    enum { SIDE = 2 * REPORT_LONGEST_SIDE };
    float *image = calloc(SIDE * SIDE, sizeof *image), *map = calloc(SIDE * SIDE, sizeof *map);
    image[0] = 1; /* of four pixels, the others gray */
    map[SIDE + 3] = 1;
    report_png plain, over;
    assert_int_equal(report_picture(&plain, image, NULL, (ano_shape){SIDE, SIDE, 1}, 1, NULL),
                     ANO_OK);
    assert_int_equal(report_picture(&over, image, map, (ano_shape){SIDE, SIDE, 1}, 1, NULL),
                     ANO_OK);
    assert_int_equal(plain.width, REPORT_LONGEST_SIDE);
    assert_int_equal(plain.height, REPORT_LONGEST_SIDE);
    picture read = decode(&plain);
    expect_colour(&read, 0, 0, 160, 160, 160);
    expect_colour(&read, 0, 1, 128, 128, 128);
    read = decode(&over);
    assert_true(read.pixels[0][1][0] > 200 && read.pixels[0][1][2] < 150); /* the top colour */
    expect_colour(&read, 1, 1, 128, 128, 128);
    report_png_free(&plain);
    report_png_free(&over);
    free(image);
    free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid__puts_images_in_rows_on_white),
        cmocka_unit_test(grid__keeps_colours),
        cmocka_unit_test(comparison__shows_no_difference_black_and_the_largest_white),
        cmocka_unit_test(picture__shows_the_map_over_the_image),
        cmocka_unit_test(picture__shrinks_and_keeps_the_highest_of_the_map),
        cmocka_unit_test(pictures__refuse_what_cannot_be_drawn),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
