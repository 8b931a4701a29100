/* IDX: what is read has as many elements as its dimensions say; what is refused leaves none, and
 * an error that begins with the file's name. */
#include "target.h"

#include "format/idx.h"

#include <stdlib.h>
#include <string.h>

static const char name[] = "fuzz-idx";

static void parse(const uint8_t *bytes, size_t size, int n_dims)
{
    ano_error err = ANO_ERROR_INIT;
    format_idx idx;
    if (format_idx_parse(&idx, bytes, size, name, n_dims, &err) != ANO_OK) {
        if (err.status == ANO_OK || strncmp(err.message, name, strlen(name)) != 0 ||
            idx.elements != NULL)
            abort();
        return;
    }
    size_t n = 1;
    for (int i = 0; i < n_dims; i++)
        n *= idx.dims[i];
    uint8_t *copy = malloc(n);
    if (copy != NULL)
        memcpy(copy, idx.elements, n);
    free(copy);
    format_idx_free(&idx);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    parse(bytes, size, FORMAT_IDX_LABELS);
    parse(bytes, size, FORMAT_IDX_IMAGES);
    return 0;
}
