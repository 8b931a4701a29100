/* IDX: see the header for the layout and its source. One reader takes plain and gzipped bytes
 * (RFC 1952, by zlib); sizes are checked before memory is asked for. */
#include "format/idx.h"

#include "base/file.h"
#include "base/memory.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

enum {
    MAGIC_SIZE = 4,
    DIM_SIZE = 4,
    TYPE_UNSIGNED_BYTE = 8,
    /* One byte of deflate cannot stand for more than 258 bytes for every 2 bits (RFC 1951). */
    MAX_INFLATION = 1032
};

/* The bytes not read yet. */
typedef struct source {
    const uint8_t *bytes;
    size_t size;
    bool compressed, ended;
    z_stream stream;
    const char *path;
} source;

static bool is_gzip(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static ano_status source_open(source *src, const void *bytes, size_t size, const char *path,
                              ano_error *err)
{
    *src = (source){.bytes = bytes, .size = size, .path = path};
    src->compressed = is_gzip(bytes, size);
    enum { GZIP_ONLY = 16 };
    if (src->compressed && inflateInit2(&src->stream, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        src->compressed = false;
        return base_error_nomem(err, path);
    }
    return ANO_OK;
}

static void source_close(source *src)
{
    if (src->compressed)
        inflateEnd(&src->stream);
}

/* One call of inflate(): up to n bytes to dst, *n_read of them written. */
static ano_status source_inflate(size_t *n_read, source *src, uint8_t *dst, size_t n,
                                 ano_error *err)
{
    z_stream *stream = &src->stream;
    const uInt n_in = src->size < UINT_MAX ? (uInt)src->size : UINT_MAX;
    const uInt n_out = n < UINT_MAX ? (uInt)n : UINT_MAX;
    stream->next_in = (z_const Bytef *)src->bytes;
    stream->avail_in = n_in;
    stream->next_out = dst;
    stream->avail_out = n_out;
    const int result = inflate(stream, Z_NO_FLUSH);
    src->bytes += n_in - stream->avail_in;
    src->size -= n_in - stream->avail_in;
    *n_read = n_out - stream->avail_out;
    switch (result) {
    case Z_OK:
        return ANO_OK;
    case Z_STREAM_END:
        /* A gzip file is one member or more, one behind the other. */
        if (src->size == 0)
            src->ended = true;
        else if (!is_gzip(src->bytes, src->size) || inflateReset(stream) != Z_OK)
            return base_error(err, ANO_FORMAT, "%s: gzip: %zu trailing bytes; copy it anew",
                              src->path, src->size);
        return ANO_OK;
    case Z_BUF_ERROR:
        return base_error(err, ANO_FORMAT, "%s: gzip: truncated; copy it anew", src->path);
    case Z_MEM_ERROR:
        return base_error_nomem(err, src->path);
    default:
        return base_error(err, ANO_FORMAT, "%s: gzip: corrupt: %s; copy it anew", src->path,
                          stream->msg != NULL ? stream->msg : "a dictionary is needed");
    }
}

/* Up to n bytes to dst; *n_read is less only where the source ends. */
static ano_status source_read(size_t *n_read, source *src, uint8_t *dst, size_t n, ano_error *err)
{
    *n_read = 0;
    if (!src->compressed) {
        *n_read = n < src->size ? n : src->size;
        memcpy(dst, src->bytes, *n_read);
        src->bytes += *n_read;
        src->size -= *n_read;
        return ANO_OK;
    }
    ano_status status = ANO_OK;
    while (*n_read < n && !src->ended && status == ANO_OK) {
        size_t n_more;
        status = source_inflate(&n_more, src, dst + *n_read, n - *n_read, err);
        *n_read += n_more;
    }
    return status;
}

static uint32_t big_endian(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           (uint32_t)bytes[3];
}

/* Reads magic and dimensions; *size is the number of elements that they announce. */
static ano_status header_read(size_t dims[], size_t *size, source *src, int n_dims, ano_error *err)
{
    static const char *const fields[FORMAT_IDX_IMAGES] = {"count", "height", "width"};
    uint8_t header[MAGIC_SIZE + FORMAT_IDX_IMAGES * DIM_SIZE];
    const size_t header_size = MAGIC_SIZE + (size_t)n_dims * DIM_SIZE;
    size_t n_read;
    const ano_status status = source_read(&n_read, src, header, header_size, err);
    if (status != ANO_OK)
        return status;
    if (n_read < MAGIC_SIZE)
        return base_error(err, ANO_FORMAT, "%s: magic: truncated after %zu bytes; copy it anew",
                          src->path, n_read);
    const uint32_t magic = big_endian(header);
    const uint32_t expected = TYPE_UNSIGNED_BYTE << 8 | (uint32_t)n_dims;
    if (magic != expected)
        return base_error(err, ANO_FORMAT,
                          "%s: magic: is 0x%08x, expected 0x%08x (unsigned bytes, %d dimension%s)",
                          src->path, magic, expected, n_dims, n_dims > 1 ? "s" : "");
    *size = 1;
    for (size_t i = 0; i < (size_t)n_dims; i++) {
        const size_t end = MAGIC_SIZE + (i + 1) * DIM_SIZE;
        if (n_read < end)
            return base_error(err, ANO_FORMAT, "%s: %s: truncated; copy it anew", src->path,
                              fields[i]);
        dims[i] = big_endian(header + end - DIM_SIZE);
        if (dims[i] == 0 || dims[i] > INT_MAX)
            return base_error(err, ANO_FORMAT, "%s: %s: is %zu, expected 1 to %d", src->path,
                              fields[i], dims[i], INT_MAX);
        if (__builtin_mul_overflow(*size, dims[i], size))
            return base_error(err, ANO_FORMAT, "%s: %s: %zu makes the size overflow", src->path,
                              fields[i], dims[i]);
    }
    return ANO_OK;
}

ano_status format_idx_parse(format_idx *out, const void *bytes, size_t size, const char *path,
                            int n_dims, ano_error *err)
{
    const char *what = n_dims == FORMAT_IDX_IMAGES ? "pixels" : "labels";
    *out = (format_idx){0};
    source src;
    size_t expected = 0, n_read, n_trailing;
    ano_status status = source_open(&src, bytes, size, path, err);
    if (status == ANO_OK)
        status = header_read(out->dims, &expected, &src, n_dims, err);
    if (status != ANO_OK)
        goto done;

    const size_t inflation = src.compressed ? MAX_INFLATION : 1;
    if (expected / inflation > size) {
        status = base_error(err, ANO_FORMAT,
                            "%s: %s: truncated: the header announces %zu, more than a file of %zu "
                            "bytes can hold; copy it anew",
                            path, what, expected, size);
        goto done;
    }
    out->elements = base_alloc(expected, 1);
    if (out->elements == NULL) {
        status = base_error(err, ANO_NOMEM, "%s: out of memory for %zu %s", path, expected, what);
        goto done;
    }
    status = source_read(&n_read, &src, out->elements, expected, err);
    if (status != ANO_OK)
        goto done;
    if (n_read < expected) {
        status =
            base_error(err, ANO_FORMAT, "%s: %s: truncated: %zu of the %zu announced; copy it anew",
                       path, what, n_read, expected);
        goto done;
    }
    /* Reading on takes a gzip source to its end, where zlib compares the checksum. */
    uint8_t trailing;
    status = source_read(&n_trailing, &src, &trailing, 1, err);
    if (status == ANO_OK && n_trailing > 0)
        status = base_error(err, ANO_FORMAT,
                            "%s: %s: trailing bytes after the %zu announced; copy it anew", path,
                            what, expected);
done:
    source_close(&src);
    if (status != ANO_OK)
        format_idx_free(out);
    return status;
}

ano_status format_idx_open(format_idx *out, const char *path, int n_dims, ano_error *err)
{
    char *bytes;
    size_t size;
    *out = (format_idx){0};
    ano_status status = base_file_read(&bytes, &size, path, err);
    if (status == ANO_OK)
        status = format_idx_parse(out, bytes, size, path, n_dims, err);
    base_free(bytes);
    return status;
}

void format_idx_free(format_idx *idx)
{
    base_free(idx->elements);
    *idx = (format_idx){0};
}
