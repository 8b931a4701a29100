#include "format/idx.h"

#include "base/file.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

enum { CAPACITY = 4096 };

typedef struct bytes {
    size_t size;
    uint8_t at[CAPACITY];
} bytes;

/* Two images of 2 x 3 pixels, numbered from 1. */
static const uint8_t images_file[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                      0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const uint8_t labels_file[] = {0, 0, 8, 1, 0, 0, 0, 3, 9, 1, 255};

static bytes plain(const uint8_t *file, size_t size)
{
    bytes copy = {.size = size};
    memcpy(copy.at, file, size);
    return copy;
}

static bytes gzipped(const uint8_t *file, size_t size)
{
    enum { GZIP = 16, MEMORY_LEVEL = 8 };
    bytes packed;
    z_stream stream = {0};
    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, MEMORY_LEVEL,
                 Z_DEFAULT_STRATEGY);
    stream.next_in = (z_const Bytef *)file;
    stream.avail_in = (uInt)size;
    stream.next_out = packed.at;
    stream.avail_out = CAPACITY;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.size = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static void expect_images(const bytes *file)
{
    ano_error err = ANO_ERROR_INIT;
    format_idx idx;
    format_idx_parse(&idx, file->at, file->size, "images", FORMAT_IDX_IMAGES, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(idx.dims[0], 2);
    assert_int_equal(idx.dims[1], 2);
    assert_int_equal(idx.dims[2], 3);
    for (uint8_t i = 0; i < 12; i++)
        assert_int_equal(idx.elements[i], i + 1);
    format_idx_free(&idx);
    assert_null(idx.elements);
}

static void expect_error(const bytes *file, int n_dims, const char *message)
{
    ano_error err = ANO_ERROR_INIT;
    format_idx idx;
    format_idx_parse(&idx, file->at, file->size, "bad-idx", n_dims, &err);
    if (err.status != ANO_FORMAT || strstr(err.message, "bad-idx: ") != err.message ||
        strstr(err.message, message) == NULL)
        fail_msg("expected 'bad-idx: … %s …', got %s '%s'", message, ano_status_name(err.status),
                 err.message);
    assert_null(idx.elements);
}

static void idx__reads_images_plain_and_gzipped(void **state)
{
    (void)state;
    const bytes as_is = plain(images_file, sizeof images_file);
    const bytes packed = gzipped(images_file, sizeof images_file);
    expect_images(&as_is);
    expect_images(&packed);
}

static void idx__reads_labels(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    format_idx idx;
    format_idx_parse(&idx, labels_file, sizeof labels_file, "labels", FORMAT_IDX_LABELS, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(idx.dims[0], 3);
    assert_memory_equal(idx.elements, ((uint8_t[]){9, 1, 255}), 3);
    format_idx_free(&idx);
}

static void idx__reads_gzip_of_several_members(void **state)
{
    (void)state;
    bytes file = gzipped(images_file, 20);
    const bytes rest = gzipped(images_file + 20, sizeof images_file - 20);
    memcpy(file.at + file.size, rest.at, rest.size);
    file.size += rest.size;
    expect_images(&file);
}

static void idx__refuses_another_magic(void **state)
{
    (void)state;
    const bytes labels = plain(labels_file, sizeof labels_file);
    expect_error(&labels, FORMAT_IDX_IMAGES,
                 "magic: is 0x00000801, expected 0x00000803 (unsigned bytes, 3 dimensions)");
    bytes floats = plain(images_file, sizeof images_file);
    floats.at[2] = 0x0d;
    expect_error(&floats, FORMAT_IDX_IMAGES, "magic: is 0x00000d03");
    const bytes text = plain((const uint8_t *)"<html></html>", 13);
    expect_error(&text, FORMAT_IDX_LABELS, "expected 0x00000801 (unsigned bytes, 1 dimension)");
    const bytes packed = gzipped(labels_file, sizeof labels_file);
    expect_error(&packed, FORMAT_IDX_IMAGES, "magic: is 0x00000801");
}

static void idx__refuses_dimensions_out_of_range(void **state)
{
    (void)state;
    static const char *const fields[] = {"count: is ", "height: is ", "width: is "};
    for (size_t i = 0; i < 3; i++) {
        bytes file = plain(images_file, sizeof images_file);
        file.at[7 + 4 * i] = 0;
        expect_error(&file, FORMAT_IDX_IMAGES, fields[i]);
        file.at[4 + 4 * i] = 0x80;
        expect_error(&file, FORMAT_IDX_IMAGES, fields[i]);
    }
}

static void idx__refuses_counts_that_overflow(void **state)
{
    (void)state;
    bytes file = plain(images_file, sizeof images_file);
    memset(file.at + 4, 0x7f, 12);
    expect_error(&file, FORMAT_IDX_IMAGES, "width: 2139062143 makes the size overflow");
}

/* 2^61 pixels: no allocation of that size may be tried. */
static void idx__takes_no_memory_on_the_word_of_a_header(void **state)
{
    (void)state;
    uint8_t header[16] = {0, 0, 8, 3, 0x40, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 2};
    const bytes file = plain(header, sizeof header);
    expect_error(&file, FORMAT_IDX_IMAGES, "pixels: truncated: the header announces 2305843");
    const bytes packed = gzipped(header, sizeof header);
    expect_error(&packed, FORMAT_IDX_IMAGES, "pixels: truncated: the header announces 2305843");
}

static void idx__refuses_a_file_cut_anywhere(void **state)
{
    (void)state;
    bytes file = plain(images_file, sizeof images_file);
    for (file.size = 0; file.size < sizeof images_file; file.size++)
        expect_error(&file, FORMAT_IDX_IMAGES, "truncated");
    file.size = 15;
    expect_error(&file, FORMAT_IDX_IMAGES, "width: truncated");
    file.size = 27;
    expect_error(&file, FORMAT_IDX_IMAGES, "pixels: truncated");
}

static void idx__refuses_gzip_cut_anywhere(void **state)
{
    (void)state;
    bytes file = gzipped(images_file, sizeof images_file);
    const size_t whole = file.size;
    for (file.size = 0; file.size < whole; file.size++)
        expect_error(&file, FORMAT_IDX_IMAGES,
                     file.size < 2 ? "magic: truncated" : "gzip: truncated");
}

static void idx__refuses_trailing_bytes(void **state)
{
    (void)state;
    bytes file = plain(images_file, sizeof images_file);
    file.at[file.size++] = 0;
    expect_error(&file, FORMAT_IDX_IMAGES, "pixels: trailing bytes after the 12 announced");
    const bytes packed = gzipped(file.at, file.size);
    expect_error(&packed, FORMAT_IDX_IMAGES, "pixels: trailing bytes after the 12 announced");
    bytes behind = gzipped(images_file, sizeof images_file);
    memset(behind.at + behind.size, 0, 5);
    behind.size += 5;
    expect_error(&behind, FORMAT_IDX_IMAGES, "gzip: 5 trailing bytes");
}

static void idx__refuses_corrupt_gzip(void **state)
{
    (void)state;
    enum { FLAGS = 3, TRAILER_SIZE = 8 };
    bytes header = gzipped(images_file, sizeof images_file);
    header.at[FLAGS] = 0xff;
    expect_error(&header, FORMAT_IDX_IMAGES, "gzip: corrupt: unknown header flags set");
    bytes checksum = gzipped(images_file, sizeof images_file);
    checksum.at[checksum.size - TRAILER_SIZE] ^= 1;
    expect_error(&checksum, FORMAT_IDX_IMAGES, "gzip: corrupt: incorrect data check");
}

static void idx__opens_a_file_whatever_its_name(void **state)
{
    (void)state;
    char path[] = "/tmp/anogan_idx_XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
    const bytes packed = gzipped(labels_file, sizeof labels_file);
    ano_error err = ANO_ERROR_INIT;
    format_idx idx;
    base_file_write(path, packed.at, packed.size, &err);
    format_idx_open(&idx, path, FORMAT_IDX_LABELS, &err);
    unlink(path);
    assert_string_equal(err.message, "");
    assert_int_equal(idx.dims[0], 3);
    format_idx_free(&idx);
    format_idx_open(&idx, path, FORMAT_IDX_LABELS, &err);
    assert_int_equal(err.status, ANO_IO);
    assert_non_null(strstr(err.message, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx__reads_images_plain_and_gzipped),
        cmocka_unit_test(idx__reads_labels),
        cmocka_unit_test(idx__reads_gzip_of_several_members),
        cmocka_unit_test(idx__refuses_another_magic),
        cmocka_unit_test(idx__refuses_dimensions_out_of_range),
        cmocka_unit_test(idx__refuses_counts_that_overflow),
        cmocka_unit_test(idx__takes_no_memory_on_the_word_of_a_header),
        cmocka_unit_test(idx__refuses_a_file_cut_anywhere),
        cmocka_unit_test(idx__refuses_gzip_cut_anywhere),
        cmocka_unit_test(idx__refuses_trailing_bytes),
        cmocka_unit_test(idx__refuses_corrupt_gzip),
        cmocka_unit_test(idx__opens_a_file_whatever_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
