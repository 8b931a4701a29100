/* The pictures are made by libvips and read back by the decoder. */
#include "base/file.h"
#include "base/memory.h"
#include "data/decode.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>

#include <cmocka.h>

enum { WIDTH = 37, HEIGHT = 23, MAX_NUMBERS = 128 * 128 * 4 };

static char folder[] = "/tmp/anogan_decode_XXXXXX";
static const size_t no_limit = SIZE_MAX;
static const ano_view as_is = {.channels = 1, .scale = 1}, as_rgb = {.channels = 3, .scale = 1};

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || vips_init("test") != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* In one of a few buffers, used in turn. */
static const char *at(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Smooth, so that a picture of it is not all noise, and different in all channels and places. */
static void paint(uint8_t *dst, int width, int height, int channels)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *dst++ = (uint8_t)((x * (5 + c) + y * 3 + x * y / 7 + 90 * c) % 256);
}

static VipsImage *picture(const void *numbers, int width, int height, int channels,
                          VipsBandFormat format)
{
    const size_t size = (size_t)(width * height * channels) * (format == VIPS_FORMAT_UCHAR    ? 1
                                                               : format == VIPS_FORMAT_USHORT ? 2
                                                                                              : 4);
    VipsImage *image =
        vips_image_new_from_memory_copy(numbers, size, width, height, channels, format);
    assert_non_null(image);
    const bool wide = format == VIPS_FORMAT_USHORT;
    image->Type = channels < 3 ? (wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                               : (wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
    return image;
}

/* Writes the picture to at(name) as options in its name say ("a.png[palette]"), and frees it. */
static void save(VipsImage *image, const char *name)
{
    if (vips_image_write_to_file(image, at(name), NULL) != 0)
        fail_msg("%s: %s", name, vips_error_buffer());
    g_object_unref(image);
}

static ano_shape decode(uint16_t *dst, const char *path, const ano_view *view)
{
    ano_error err = ANO_ERROR_INIT;
    data_decoder *decoder;
    if (data_decode_open(&decoder, path, view, no_limit, &err) != ANO_OK)
        fail_msg("%s", err.message);
    const ano_shape shape = data_decode_shape(decoder);
    const size_t n = (size_t)(shape.height * shape.width * shape.channels);
    assert_true(n <= MAX_NUMBERS);
    if (data_decode_read(dst, decoder, n, &err) != ANO_OK)
        fail_msg("%s", err.message);
    data_decode_close(decoder);
    return shape;
}

static void expect_numbers(const uint16_t *found, const uint16_t *expected, size_t n,
                           const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (found[i] != expected[i])
            fail_msg("%s: number %zu is %u, expected %u", what, i, found[i], expected[i]);
}

static void expect_shape(ano_shape found, int height, int width, int channels, const char *what)
{
    if (found.height != height || found.width != width || found.channels != channels)
        fail_msg("%s: is %d x %d x %d, expected %d x %d x %d", what, found.height, found.width,
                 found.channels, height, width, channels);
}

/* ---- what is in a file -------------------------------------------------------------------- */

static void eight_bits__are_257_times_themselves_in_every_lossless_format(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a.png", "a.png[interlace]", "a.tif",           "a.tif[tile,compression=lzw]",
        "a.ppm", "a.webp[lossless]", "a.jp2[lossless]", "a.bmp"};
    static uint16_t found[MAX_NUMBERS], expected[MAX_NUMBERS];
    static uint8_t pixels[WIDTH * HEIGHT * 3];
    for (int channels = 1; channels <= 3; channels += 2)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            char name[64];
            const bool is_gray = channels == 1;
            if (is_gray && (strstr(names[i], "webp") != NULL || strstr(names[i], "bmp") != NULL))
                continue; /* they have colour only */
            paint(pixels, WIDTH, HEIGHT, channels);
            for (size_t k = 0; k < sizeof pixels; k++)
                expected[k] = (uint16_t)(257 * pixels[k]);
            save(picture(pixels, WIDTH, HEIGHT, channels, VIPS_FORMAT_UCHAR), names[i]);
            snprintf(name, sizeof name, "%.*s", (int)strcspn(names[i], "["), names[i]);
            expect_shape(decode(found, at(name), is_gray ? &as_is : &as_rgb), HEIGHT, WIDTH,
                         channels, names[i]);
            expect_numbers(found, expected, (size_t)(WIDTH * HEIGHT * channels), names[i]);
            unlink(at(name));
        }
}

static void sixteen_bits__are_taken_as_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {"a.png", "a.tif", "a.ppm"};
    static uint16_t found[MAX_NUMBERS], numbers[WIDTH * HEIGHT * 3];
    for (size_t i = 0; i < WIDTH * HEIGHT * 3; i++)
        numbers[i] = (uint16_t)(i * 7919);
    for (int channels = 1; channels <= 3; channels += 2)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            save(picture(numbers, WIDTH, HEIGHT, channels, VIPS_FORMAT_USHORT), names[i]);
            decode(found, at(names[i]), channels == 1 ? &as_is : &as_rgb);
            expect_numbers(found, numbers, (size_t)(WIDTH * HEIGHT * channels), names[i]);
        }
}

static void one_bit_and_palettes__become_gray_and_rgb(void **state)
{
    (void)state;
    static const uint8_t bits[] = {0, 255, 255, 0, 255, 0};
    static const uint16_t gray[] = {0, 65535, 65535, 0, 65535, 0};
    static const uint8_t colours[] = {255, 0, 0, 0, 0, 255, 0, 0, 255, 255, 0, 0};
    static const uint16_t rgb[] = {65535, 0, 0, 0, 0, 65535, 0, 0, 65535, 65535, 0, 0};
    static const char *const bilevel[] = {"a.png[bitdepth=1]", "a.tif[bitdepth=1]"};
    static const char *const indexed[] = {"p.png[palette,Q=100,dither=0]", "p.gif[dither=0]"};
    uint16_t found[12];
    for (size_t i = 0; i < sizeof bilevel / sizeof *bilevel; i++) {
        char name[64];
        save(picture(bits, 3, 2, 1, VIPS_FORMAT_UCHAR), bilevel[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(bilevel[i], "["), bilevel[i]);
        expect_shape(decode(found, at(name), &as_is), 2, 3, 1, bilevel[i]);
        expect_numbers(found, gray, 6, bilevel[i]);
    }
    static const char pbm[] = "P1\n3 2\n1 0 0 1 0 1\n"; /* 1 is black */
    assert_int_equal(base_file_write(at("a.pbm"), pbm, sizeof pbm - 1, NULL), ANO_OK);
    decode(found, at("a.pbm"), &as_is);
    expect_numbers(found, gray, 6, "a.pbm");
    for (size_t i = 0; i < sizeof indexed / sizeof *indexed; i++) {
        char name[64];
        save(picture(colours, 2, 2, 3, VIPS_FORMAT_UCHAR), indexed[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(indexed[i], "["), indexed[i]);
        expect_shape(decode(found, at(name), &as_rgb), 2, 2, 3, indexed[i]);
        expect_numbers(found, rgb, 12, indexed[i]);
    }
}

static void alpha__lies_over_black(void **state)
{
    (void)state;
    static const uint8_t gray[] = {200, 0, 200, 51, 200, 255};
    static const uint8_t rgb[] = {100, 150, 200, 0, 100, 150, 200, 255};
    static const uint16_t flat_gray[] = {0, 200 * 257 / 5, 200 * 257};
    static const uint16_t flat_rgb[] = {0, 0, 0, 100 * 257, 150 * 257, 200 * 257};
    uint16_t found[6];
    save(picture(gray, 3, 1, 2, VIPS_FORMAT_UCHAR), "ga.png");
    expect_shape(decode(found, at("ga.png"), &as_is), 1, 3, 1, "ga.png");
    expect_numbers(found, flat_gray, 3, "ga.png");
    save(picture(rgb, 2, 1, 4, VIPS_FORMAT_UCHAR), "rgba.tif");
    expect_shape(decode(found, at("rgba.tif"), &as_rgb), 1, 2, 3, "rgba.tif");
    expect_numbers(found, flat_rgb, 6, "rgba.tif");
}

/* Orientation: what EXIF calls the side of the picture that row 0 and column 0 of the file are. */
static void exif__turns_the_picture(void **state)
{
    (void)state;
    static const uint8_t pixels[] = {1, 2, 3, 4, 5, 6}; /* 1 2 3 over 4 5 6 */
    static const uint8_t turned[9][6] = {
        [1] = {1, 2, 3, 4, 5, 6}, [2] = {3, 2, 1, 6, 5, 4}, [3] = {6, 5, 4, 3, 2, 1},
        [4] = {4, 5, 6, 1, 2, 3}, [5] = {1, 4, 2, 5, 3, 6}, [6] = {4, 1, 5, 2, 6, 3},
        [7] = {6, 3, 5, 2, 4, 1}, [8] = {3, 6, 2, 5, 1, 4}};
    for (int orientation = 1; orientation <= 8; orientation++) {
        char what[32];
        uint16_t found[6], expected[6];
        ano_shape size;
        snprintf(what, sizeof what, "orientation %d", orientation);
        for (size_t i = 0; i < 6; i++)
            expected[i] = (uint16_t)(257 * turned[orientation][i]);
        VipsImage *image = picture(pixels, 3, 2, 1, VIPS_FORMAT_UCHAR);
        vips_image_set_int(image, VIPS_META_ORIENTATION, orientation);
        save(image, "turned.tif");
        const int height = orientation < 5 ? 2 : 3;
        expect_shape(decode(found, at("turned.tif"), &as_is), height, 5 - height, 1, what);
        expect_numbers(found, expected, 6, what);
        assert_int_equal(data_decode_size(&size, at("turned.tif"), no_limit, NULL), ANO_OK);
        expect_shape(size, height, 5 - height, 1, what);
    }
    static uint8_t large[48 * 32];
    VipsImage *image = picture(large, 48, 32, 1, VIPS_FORMAT_UCHAR);
    vips_image_set_int(image, VIPS_META_ORIENTATION, 6);
    save(image, "turned.jpg");
    static uint16_t found[48 * 32];
    expect_shape(decode(found, at("turned.jpg"), &as_is), 48, 32, 1, "turned.jpg");
}

static void cmyk__becomes_rgb(void **state)
{
    (void)state;
    static uint8_t inks[16 * 16 * 4]; /* left: paper; right: cyan */
    static uint16_t found[16 * 16 * 3];
    for (size_t i = 0; i < 256; i++)
        inks[4 * i] = i % 16 < 8 ? 0 : 255;
    VipsImage *image = picture(inks, 16, 16, 4, VIPS_FORMAT_UCHAR);
    image->Type = VIPS_INTERPRETATION_CMYK;
    save(image, "cmyk.jpg[Q=100]");
    expect_shape(decode(found, at("cmyk.jpg"), &as_rgb), 16, 16, 3, "cmyk.jpg");
    for (size_t c = 0; c < 3; c++)
        assert_in_range(found[c], 63000, 65535);
    const uint16_t *cyan = found + 15 * 3;
    assert_in_range(cyan[0], 0, 20000);
    assert_in_range(cyan[2], 45000, 65535);
}

static void gray__is_the_luma_of_rgb_and_rgb_three_times_gray(void **state)
{
    (void)state;
    static const uint8_t rgb[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77, 255, 255, 255};
    static const uint16_t luma[] = {19595, 38469, 7471, 77 * 257, 65535};
    static const uint8_t gray[] = {0, 128, 255};
    static const uint16_t thrice[] = {0, 0, 0, 32896, 32896, 32896, 65535, 65535, 65535};
    uint16_t found[9];
    save(picture(rgb, 5, 1, 3, VIPS_FORMAT_UCHAR), "rgb.png");
    decode(found, at("rgb.png"), &as_is);
    expect_numbers(found, luma, 5, "luma");
    save(picture(gray, 3, 1, 1, VIPS_FORMAT_UCHAR), "gray.png");
    decode(found, at("gray.png"), &as_rgb);
    expect_numbers(found, thrice, 9, "RGB");
}

/* ---- views -------------------------------------------------------------------------------- */

static const ano_view views[] = {
    {.size = 16, .channels = 3, .fit = ANO_FIT_RESIZE, .scale = 1},
    {.size = 64, .channels = 3, .fit = ANO_FIT_RESIZE, .scale = 1},
    {.size = 32, .channels = 1, .fit = ANO_FIT_RESIZE, .scale = 1}, /* wider, but not as high */
    {.size = 16, .channels = 3, .fit = ANO_FIT_CROP, .scale = 1},
    {.size = 64, .channels = 1, .fit = ANO_FIT_CROP, .scale = 1},
    {.size = 16, .channels = 1, .fit = ANO_FIT_PAD, .scale = 1},
    {.size = 64, .channels = 3, .fit = ANO_FIT_PAD, .scale = 1},
    {.size = 16, .channels = 3, .stride = 8, .scale = 1},
    {.size = 16, .channels = 3, .stride = 8, .scale = 0.7},
    {.size = 32, .channels = 1, .stride = 8, .scale = 1.5},
    {.size = 64, .channels = 3, .stride = 8, .scale = 1}, /* mirrored both ways */
    {.size = 64, .channels = 3, .stride = 64, .scale = 0.5},
};

static void reading__is_the_same_from_file_and_memory_and_in_parts_of_any_length(void **state)
{
    (void)state;
    static uint16_t whole[MAX_NUMBERS], parts[MAX_NUMBERS];
    static uint8_t pixels[WIDTH * HEIGHT * 3];
    paint(pixels, WIDTH, HEIGHT, 3);
    static const char *const names[] = {"view.png", "view.tif", "view.ppm", "view.webp[lossless]"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char name[64];
        save(picture(pixels, WIDTH, HEIGHT, 3, VIPS_FORMAT_UCHAR), names[k]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(names[k], "["), names[k]);
        for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
            ano_error err = ANO_ERROR_INIT;
            data_decoder *decoder;
            char what[64];
            snprintf(what, sizeof what, "view %zu of %s", i, name);
            const ano_shape shape = decode(whole, at(name), &views[i]);
            if (views[i].stride == 0)
                expect_shape(shape, views[i].size, views[i].size, views[i].channels, what);
            assert_int_equal(data_decode_open_pixels(
                                 &decoder, pixels, (ano_shape){HEIGHT, WIDTH, 3}, &views[i], &err),
                             ANO_OK);
            const ano_shape same = data_decode_shape(decoder);
            expect_shape(same, shape.height, shape.width, shape.channels, what);
            const size_t size = (size_t)(shape.height * shape.width * shape.channels);
            for (size_t done = 0, n = 1; done < size; done += n, n = 2 * n + 1) {
                n = done + n < size ? n : size - done;
                assert_int_equal(data_decode_read(parts + done, decoder, n, &err), ANO_OK);
            }
            expect_numbers(parts, whole, size, what);
            data_decode_close(decoder);
        }
    }
}

/* A kernel whose weights do not add up to 1, or that reads past an edge, would change it. */
static void fitting__leaves_a_plain_picture_plain(void **state)
{
    (void)state;
    static uint8_t pixels[WIDTH * HEIGHT * 3];
    static uint16_t found[MAX_NUMBERS];
    memset(pixels, 77, sizeof pixels);
    save(picture(pixels, WIDTH, HEIGHT, 3, VIPS_FORMAT_UCHAR), "plain.png");
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        const ano_shape shape = decode(found, at("plain.png"), &views[i]);
        for (size_t k = 0; k < (size_t)(shape.height * shape.width * shape.channels); k++)
            if (found[k] != 77 * 257)
                fail_msg("view %zu: number %zu is %u, expected %d", i, k, found[k], 77 * 257);
    }
}

static void shrinking__averages_what_is_too_fine_to_be_seen(void **state)
{
    (void)state;
    static uint8_t stripes[128 * 128];
    static uint16_t found[8 * 8];
    for (size_t i = 0; i < sizeof stripes; i++)
        stripes[i] = i % 2 != 0 ? 255 : 0;
    save(picture(stripes, 128, 128, 1, VIPS_FORMAT_UCHAR), "stripes.png");
    decode(found, at("stripes.png"), &(ano_view){.size = 8, .channels = 1, .scale = 1});
    for (size_t i = 0; i < 64; i++)
        assert_in_range(found[i], 32000, 33600);
}

static void crop__keeps_the_middle_and_pad_repeats_the_edge(void **state)
{
    (void)state;
    static const uint8_t pixels[] = {1, 2, 3, 4, 5, 6, 7, 8}; /* 4 wide, 2 high */
    static const uint16_t middle[] = {2, 3, 6, 7};
    static const uint16_t padded[] = {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8};
    uint16_t found[16];
    save(picture(pixels, 4, 2, 1, VIPS_FORMAT_UCHAR), "edge.png");
    decode(found, at("edge.png"), &(ano_view){2, 1, ANO_FIT_CROP, 0, 1});
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(found[i], 257 * middle[i]);
    decode(found, at("edge.png"), &(ano_view){4, 1, ANO_FIT_PAD, 0, 1});
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(found[i], 257 * padded[i]);
}

static void tiles__see_a_small_image_mirrored_to_the_right_and_below(void **state)
{
    (void)state;
    static const uint8_t pixels[] = {1, 2, 3, 4, 5, 6}; /* 3 wide, 2 high */
    static const uint16_t mirrored[] = {1, 2, 3, 3, 2, 4, 5, 6, 6, 5, 4, 5, 6,
                                        6, 5, 1, 2, 3, 3, 2, 1, 2, 3, 3, 2};
    uint16_t found[25];
    save(picture(pixels, 3, 2, 1, VIPS_FORMAT_UCHAR), "small.png");
    expect_shape(decode(found, at("small.png"), &(ano_view){5, 1, ANO_FIT_RESIZE, 5, 1}), 5, 5, 1,
                 "tile");
    for (size_t i = 0; i < 25; i++)
        assert_int_equal(found[i], 257 * mirrored[i]);
    expect_shape(decode(found, at("small.png"), &(ano_view){2, 1, ANO_FIT_RESIZE, 2, 1}), 2, 3, 1,
                 "tiles");
}

/* ---- what is wrong with a file ------------------------------------------------------------ */

static void expect_refusal(const char *path, size_t max_pixels, ano_status status, const char *text)
{
    static uint16_t numbers[MAX_NUMBERS];
    ano_error err = ANO_ERROR_INIT;
    data_decoder *decoder;
    ano_status found = data_decode_open(&decoder, path, &as_rgb, max_pixels, &err);
    if (found == ANO_OK) {
        const ano_shape shape = data_decode_shape(decoder);
        found = data_decode_read(numbers, decoder, (size_t)(shape.height * shape.width * 3), &err);
        data_decode_close(decoder);
    }
    if (found != status || err.status != status || strstr(err.message, path) != err.message ||
        strstr(err.message, text) == NULL || strchr(err.message, '\n') != NULL)
        fail_msg("%s: expected %s '%s', got %s '%s'", path, ano_status_name(status), text,
                 ano_status_name(found), err.message);
}

static void a_file_cut_short_or_broken__is_refused_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"cut.png",  "cut.jpg", "cut.tif[compression=lzw]",
                                        "cut.webp", "cut.ppm", "cut.bmp"};
    static uint8_t pixels[100 * 100 * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 97);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64], *bytes;
        size_t size;
        save(picture(pixels, 100, 100, 3, VIPS_FORMAT_UCHAR), names[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(names[i], "["), names[i]);
        assert_int_equal(base_file_read(&bytes, &size, at(name), NULL), ANO_OK);
        assert_int_equal(base_file_write(at(name), bytes, size / 2, NULL), ANO_OK);
        expect_refusal(at(name), no_limit, ANO_FORMAT, "");
        assert_int_equal(base_file_write(at(name), bytes, 16, NULL), ANO_OK);
        expect_refusal(at(name), no_limit, ANO_FORMAT, "");
        base_free(bytes);
    }
    save(picture(pixels, 100, 100, 3, VIPS_FORMAT_UCHAR), "broken.png");
    char *bytes;
    size_t size;
    assert_int_equal(base_file_read(&bytes, &size, at("broken.png"), NULL), ANO_OK);
    memset(bytes + size / 2, 0x55, 64);
    assert_int_equal(base_file_write(at("broken.png"), bytes, size, NULL), ANO_OK);
    expect_refusal(at("broken.png"), no_limit, ANO_FORMAT, "");
    base_free(bytes);
}

/* A file too short for its picture is refused; these are the shortest for theirs. */
static void a_jpeg_without_anything_on_it__is_long_enough(void **state)
{
    (void)state;
    enum { SIDE = 1024 };
    static uint8_t pixels[SIDE * SIDE];
    ano_shape size;
    static const char *const names[] = {"blank.jpg[Q=1,strip,optimize-coding]",
                                        "blank.jpg[Q=1,strip,optimize-coding,interlace]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        save(picture(pixels, SIDE, SIDE, 1, VIPS_FORMAT_UCHAR), names[i]);
        assert_int_equal(data_decode_size(&size, at("blank.jpg"), no_limit, NULL), ANO_OK);
        expect_shape(size, SIDE, SIDE, 1, names[i]);
    }
}

/* Rows are padded to bytes, which leaves a bitmap a few pixels of grace. */
static void a_pnm_without_all_of_its_pixels__is_refused_at_once(void **state)
{
    (void)state;
    static const char *const texts[] = {"P1 9 9 1 0 1",    "P2 9 9 9 1 2 3",  "P3 9 9 9 1 2 3",
                                        "P4 99 99999\n12", "P5 9 9 255\n123", "P6 9 9 255\n123"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(base_file_write(at("short.pnm"), texts[i], strlen(texts[i]), NULL),
                         ANO_OK);
        expect_refusal(at("short.pnm"), no_limit, ANO_FORMAT, "is too short for them");
    }
}

static void what_is_no_picture__is_refused(void **state)
{
    (void)state;
    static const char svg[] = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
    static const float floats[] = {0, 0.5F, 1, 2};
    static const uint8_t bands[2 * 2 * 6] = {0};
    assert_int_equal(base_file_write(at("text.png"), "no picture", 10, NULL), ANO_OK);
    expect_refusal(at("text.png"), no_limit, ANO_FORMAT, "is not an image of a known kind");
    assert_int_equal(base_file_write(at("empty.png"), "", 0, NULL), ANO_OK);
    expect_refusal(at("empty.png"), no_limit, ANO_FORMAT, "is not an image of a known kind");
    assert_int_equal(base_file_write(at("drawing.png"), svg, sizeof svg - 1, NULL), ANO_OK);
    expect_refusal(at("drawing.png"), no_limit, ANO_FORMAT, "is not an image of a known kind");
    expect_refusal(at("vanished.png"), no_limit, ANO_IO, "No such file");
    expect_refusal(folder, no_limit, ANO_IO, "is not a regular file");
    assert_int_equal(mkfifo(at("pipe.png"), 0600), 0);
    expect_refusal(at("pipe.png"), no_limit, ANO_IO, "is not a regular file");
    save(picture(floats, 2, 2, 1, VIPS_FORMAT_FLOAT), "float.tif");
    expect_refusal(at("float.tif"), no_limit, ANO_UNSUPPORTED, "kind float");
    VipsImage *many = picture(bands, 2, 2, 6, VIPS_FORMAT_UCHAR);
    many->Type = VIPS_INTERPRETATION_MULTIBAND;
    save(many, "bands.tif");
    expect_refusal(at("bands.tif"), no_limit, ANO_UNSUPPORTED, "6 channels");
}

/* libvips and ImageMagick read options in names; a name is a name here. */
static void a_name__is_never_taken_apart(void **state)
{
    (void)state;
    static const uint8_t pixels[] = {1, 2, 3, 4, 5, 6};
    uint16_t found[6];
    save(picture(pixels, 2, 1, 3, VIPS_FORMAT_UCHAR), "plain.png");
    expect_refusal(at("plain.png[interlace]"), no_limit, ANO_IO, "No such file");
    assert_int_equal(rename(at("plain.png"), at("a.png[page=3]")), 0);
    decode(found, at("a.png[page=3]"), &as_rgb);
    assert_int_equal(found[5], 6 * 257);
    save(picture(pixels, 2, 1, 3, VIPS_FORMAT_UCHAR), "a.bmp");
    assert_int_equal(rename(at("a.bmp"), at("msl:%d[1].bmp")), 0);
    decode(found, at("msl:%d[1].bmp"), &as_rgb);
    assert_int_equal(found[5], 6 * 257);
}

static void too_many_pixels__are_refused_before_they_are_decoded(void **state)
{
    (void)state;
    static const char header[] = "P4 100000 100000\n"; /* and a hole for the pixels */
    ano_shape size;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(base_file_write(at("vast.pbm"), header, sizeof header - 1, NULL), ANO_OK);
    assert_int_equal(truncate(at("vast.pbm"), sizeof header - 1 + 1250000000), 0);
    expect_refusal(at("vast.pbm"), (size_t)1 << 31, ANO_UNSUPPORTED,
                   "100000 x 100000 pixels, more than the limit of 2147483648");
    assert_int_equal(data_decode_size(&size, at("vast.pbm"), 1000, &err), ANO_UNSUPPORTED);
}

/* ---- threads ------------------------------------------------------------------------------ */

static void *read_all_views(void *result)
{
    uint16_t *numbers = malloc(MAX_NUMBERS * sizeof *numbers);
    uint64_t *sum = result;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        ano_error err = ANO_ERROR_INIT;
        data_decoder *decoder;
        char path[128];
        snprintf(path, sizeof path, "%s/shared.png", folder);
        if (data_decode_open(&decoder, path, &views[i], no_limit, &err) != ANO_OK)
            break;
        const ano_shape shape = data_decode_shape(decoder);
        const size_t size = (size_t)(shape.height * shape.width * shape.channels);
        if (data_decode_read(numbers, decoder, size, &err) == ANO_OK)
            for (size_t k = 0; k < size; k++)
                *sum = *sum * 31 + numbers[k];
        data_decode_close(decoder);
        *sum += i;
        if (data_decode_open(&decoder, "/nowhere.png", &views[i], no_limit, &err) == ANO_OK)
            data_decode_close(decoder);
    }
    free(numbers);
    return NULL;
}

static void threads__may_read_at_once(void **state)
{
    (void)state;
    enum { N_THREADS = 4 };
    static uint8_t pixels[WIDTH * HEIGHT * 3];
    uint64_t alone = 0, sums[N_THREADS] = {0};
    pthread_t threads[N_THREADS];
    paint(pixels, WIDTH, HEIGHT, 3);
    save(picture(pixels, WIDTH, HEIGHT, 3, VIPS_FORMAT_UCHAR), "shared.png");
    read_all_views(&alone);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all_views, &sums[i]), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(alone != 0);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_true(sums[i] == alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_bits__are_257_times_themselves_in_every_lossless_format),
        cmocka_unit_test(sixteen_bits__are_taken_as_they_are),
        cmocka_unit_test(one_bit_and_palettes__become_gray_and_rgb),
        cmocka_unit_test(alpha__lies_over_black),
        cmocka_unit_test(exif__turns_the_picture),
        cmocka_unit_test(cmyk__becomes_rgb),
        cmocka_unit_test(gray__is_the_luma_of_rgb_and_rgb_three_times_gray),
        cmocka_unit_test(reading__is_the_same_from_file_and_memory_and_in_parts_of_any_length),
        cmocka_unit_test(fitting__leaves_a_plain_picture_plain),
        cmocka_unit_test(shrinking__averages_what_is_too_fine_to_be_seen),
        cmocka_unit_test(crop__keeps_the_middle_and_pad_repeats_the_edge),
        cmocka_unit_test(tiles__see_a_small_image_mirrored_to_the_right_and_below),
        cmocka_unit_test(a_file_cut_short_or_broken__is_refused_by_name),
        cmocka_unit_test(a_jpeg_without_anything_on_it__is_long_enough),
        cmocka_unit_test(a_pnm_without_all_of_its_pixels__is_refused_at_once),
        cmocka_unit_test(what_is_no_picture__is_refused),
        cmocka_unit_test(a_name__is_never_taken_apart),
        cmocka_unit_test(too_many_pixels__are_refused_before_they_are_decoded),
        cmocka_unit_test(threads__may_read_at_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
