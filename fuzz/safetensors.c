/* safetensors: every tensor of a file that is read can be copied out by its name and shape; what is
 * refused leaves no file, and an error that begins with the file's name. */
#include "target.h"

#include "format/safetensors.h"

#include <stdlib.h>
#include <string.h>

static const char name[] = "fuzz-safetensors";

static void copy_out(const format_safetensors *file, const format_tensor *tensor)
{
    size_t n = 1;
    for (int i = 0; i < tensor->n_dims; i++)
        n *= tensor->dims[i];
    float *dst = malloc(n * sizeof *dst + 1);
    if (dst != NULL && format_safetensors_copy(dst, file, tensor->name, tensor->n_dims,
                                               tensor->dims, NULL) != ANO_OK)
        abort();
    free(dst);
}

static void parse(const uint8_t *bytes, size_t size)
{
    ano_error err = ANO_ERROR_INIT;
    format_safetensors *file;
    if (format_safetensors_parse(&file, bytes, size, name, &err) != ANO_OK) {
        if (err.status == ANO_OK || strncmp(err.message, name, strlen(name)) != 0 || file != NULL)
            abort();
        return;
    }
    const char *metadata = format_safetensors_metadata(file);
    if (metadata != NULL && strlen(metadata) > size)
        abort();
    for (size_t i = 0; i < format_safetensors_count(file); i++)
        copy_out(file, format_safetensors_at(file, i));
    format_safetensors_free(file);
}

/* The input as a file, and as a header up to its first NUL with data behind: there the length is
 * right, so that mutations of the JSON get past it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    parse(bytes, size);
    const uint8_t *end = size > 0 ? memchr(bytes, '\0', size) : NULL;
    const uint64_t length = end != NULL ? (uint64_t)(end - bytes) : size;
    uint8_t *file = malloc(sizeof length + size);
    if (file != NULL) {
        memcpy(file, &length, sizeof length);
        if (size > 0)
            memcpy(file + sizeof length, bytes, size);
        parse(file, sizeof length + size);
    }
    free(file);
    return 0;
}
