/* IDX, the format of the MNIST distribution, plain or gzipped: two zero bytes, the type (8:
 * unsigned bytes), the number of dimensions, each dimension as four bytes, big-endian, then the
 * elements, the last dimension varying fastest. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST
 * database of handwritten digits", "File formats". */
#ifndef FORMAT_IDX_H
#define FORMAT_IDX_H

#include "base/error.h"

enum { FORMAT_IDX_LABELS = 1, FORMAT_IDX_IMAGES = 3 };

typedef struct format_idx {
    size_t dims[FORMAT_IDX_IMAGES]; /* images: count, height, width; labels: count; each ≥ 1 */
    uint8_t *elements;
} format_idx;

/* Reads a file of n_dims dimensions, FORMAT_IDX_LABELS or FORMAT_IDX_IMAGES, gzipped when it begins
 * as gzip does, whatever its name. Errors: IO, FORMAT (the message names the field), NOMEM. */
ano_status format_idx_open(format_idx *out, const char *path, int n_dims, ano_error *err);
/* The same from a file's bytes; `path` is for messages. No more memory is taken than the bytes
 * could possibly fill, whatever their header says. */
ano_status format_idx_parse(format_idx *out, const void *bytes, size_t size, const char *path,
                            int n_dims, ano_error *err);
/* Frees the elements and zeroes `idx`. */
void format_idx_free(format_idx *idx);

#endif
