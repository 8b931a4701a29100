#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *base_alloc(size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX - BASE_ALIGNMENT) / size)
        return NULL;
    size_t bytes = count * size;
    bytes += (BASE_ALIGNMENT - bytes % BASE_ALIGNMENT) % BASE_ALIGNMENT;
    if (bytes == 0)
        bytes = BASE_ALIGNMENT;
    void *memory = aligned_alloc(BASE_ALIGNMENT, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

void base_free(void *memory)
{
    free(memory);
}

char *base_strdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = base_alloc(size, 1);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}
