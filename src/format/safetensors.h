/* Named float32 tensors in a safetensors file: 8 bytes of header length (little-endian), a JSON
 * header {"name": {"dtype", "shape", "data_offsets"}, …, "__metadata__": {…}}, then the numbers,
 * without holes. Source: https://huggingface.co/docs/safetensors, "Format". Reading is strict:
 * a file that any reader could take in another way is refused. */
#ifndef FORMAT_SAFETENSORS_H
#define FORMAT_SAFETENSORS_H

#include "base/error.h"

enum { FORMAT_MAX_DIMS = 4 };

typedef struct format_tensor {
    const char *name;
    int n_dims; /* 0: one number */
    size_t dims[FORMAT_MAX_DIMS];
    const float *data; /* row-major: the last dimension varies fastest */
} format_tensor;

/* Writes the n tensors in their order, atomically; the same call gives the same bytes. `metadata`,
 * unless NULL, is kept as the value of "anogan" in the header's "__metadata__".
 * Errors: ARG (an empty or repeated name, too many dimensions, text that is not UTF-8), IO, NOMEM.
 */
ano_status format_safetensors_write(const char *path, const format_tensor *tensors, size_t n,
                                    const char *metadata, ano_error *err);

typedef struct format_safetensors format_safetensors;

/* Reads a whole file and checks every field of its header.
 * Errors: IO, FORMAT, UNSUPPORTED (not F32, more than FORMAT_MAX_DIMS dimensions), NOMEM. */
ano_status format_safetensors_open(format_safetensors **out, const char *path, ano_error *err);
/* The same from a file's bytes, which may go away afterwards; `path` is for messages. */
ano_status format_safetensors_parse(format_safetensors **out, const void *bytes, size_t size,
                                    const char *path, ano_error *err);
void format_safetensors_free(format_safetensors *file);

/* What format_safetensors_write() was given as `metadata`, NULL where the file has none; lent. */
const char *format_safetensors_metadata(const format_safetensors *file);
size_t format_safetensors_count(const format_safetensors *file);
/* Tensor i in the order of the data; lent. */
const format_tensor *format_safetensors_at(const format_safetensors *file, size_t i);

/* Whether the file has the tensor `name`, of the dimensions `dims`. Errors: FORMAT when there is no
 * such tensor, SHAPE when it has others. */
ano_status format_safetensors_check(const format_safetensors *file, const char *name, int n_dims,
                                    const size_t *dims, ano_error *err);
/* Copies the numbers of that tensor to dst. Errors: the same. */
ano_status format_safetensors_copy(float *dst, const format_safetensors *file, const char *name,
                                   int n_dims, const size_t *dims, ano_error *err);

#endif
