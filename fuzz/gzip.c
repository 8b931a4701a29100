/* The .gz path of IDX files: what is compressed reads as it does plain, to the same end; a stream
 * of any bytes, with the right check sum behind it where it has an end, is read or refused. */
#include "target.h"

#include "format/idx.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char name[] = "fuzz-gzip";

enum { RAW = -MAX_WBITS, GZIP = MAX_WBITS + 16, HEADER_SIZE = 10, TRAILER_SIZE = 8 };

static ano_status parse(format_idx *idx, const uint8_t *bytes, size_t size, int n_dims)
{
    ano_error err = ANO_ERROR_INIT;
    const ano_status status = format_idx_parse(idx, bytes, size, name, n_dims, &err);
    if (status != err.status || (status != ANO_OK) != (idx->elements == NULL) ||
        (status != ANO_OK && strncmp(err.message, name, strlen(name)) != 0))
        abort();
    return status;
}

/* The bytes as a gzip file; freed by the caller. */
static uint8_t *compress_all(size_t *size, const uint8_t *bytes, size_t n)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, 1, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    const uLong bound = deflateBound(&stream, (uLong)n);
    uint8_t *out = malloc(bound);
    if (out == NULL)
        abort();
    stream.next_in = (z_const Bytef *)bytes;
    stream.avail_in = (uInt)n;
    stream.next_out = out;
    stream.avail_out = (uInt)bound;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    *size = stream.total_out;
    deflateEnd(&stream);
    return out;
}

static void compare_with_plain(const uint8_t *bytes, size_t size, int n_dims)
{
    format_idx plain, unpacked;
    size_t n;
    if (size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)
        return; /* it would be unpacked, too */
    uint8_t *packed = compress_all(&n, bytes, size);
    const ano_status expected = parse(&plain, bytes, size, n_dims);
    const ano_status status = parse(&unpacked, packed, n, n_dims);
    size_t count = 1;
    for (int i = 0; i < n_dims && status == ANO_OK; i++)
        count *= unpacked.dims[i];
    if (status != expected ||
        (status == ANO_OK && memcmp(plain.elements, unpacked.elements, count) != 0))
        abort();
    free(packed);
    format_idx_free(&plain);
    format_idx_free(&unpacked);
}

/* The sum and the length that the trailer must have, of what the stream gives up to its end. */
static void sum_of(uLong *sum, uLong *length, const uint8_t *bytes, size_t size)
{
    uint8_t block[4096];
    z_stream stream = {.next_in = (z_const Bytef *)bytes, .avail_in = (uInt)size};
    int result = inflateInit2(&stream, RAW);
    *sum = crc32(0, NULL, 0);
    while (result == Z_OK) {
        stream.next_out = block;
        stream.avail_out = sizeof block;
        result = inflate(&stream, Z_NO_FLUSH);
        *sum = crc32(*sum, block, (uInt)sizeof block - stream.avail_out);
    }
    *length = stream.total_out;
    inflateEnd(&stream);
}

static void read_stream(const uint8_t *bytes, size_t size)
{
    static const uint8_t header[HEADER_SIZE] = {0x1f, 0x8b, 8};
    uLong sum, length;
    format_idx idx;
    uint8_t *file = malloc(HEADER_SIZE + size + TRAILER_SIZE), *trailer;
    if (file == NULL)
        abort();
    memcpy(file, header, HEADER_SIZE);
    if (size > 0)
        memcpy(file + HEADER_SIZE, bytes, size);
    trailer = file + HEADER_SIZE + size;
    sum_of(&sum, &length, bytes, size);
    for (int i = 0; i < 4; i++) {
        trailer[i] = (uint8_t)(sum >> 8 * i);
        trailer[4 + i] = (uint8_t)(length >> 8 * i);
    }
    const int kinds[] = {FORMAT_IDX_LABELS, FORMAT_IDX_IMAGES};
    for (int i = 0; i < 2; i++) {
        parse(&idx, file, HEADER_SIZE + size + TRAILER_SIZE, kinds[i]);
        format_idx_free(&idx);
    }
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    compare_with_plain(bytes, size, FORMAT_IDX_LABELS);
    compare_with_plain(bytes, size, FORMAT_IDX_IMAGES);
    read_stream(bytes, size);
    return 0;
}
