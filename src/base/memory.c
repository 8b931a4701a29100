#define _DEFAULT_SOURCE /* madvise() */
#include "base/memory.h"

/* Arrays from this size on are aligned to it, so that the system can back them by huge pages:
 * kernels that write many matrices at once otherwise spend a fifth of their time on addresses. */
#define HUGE_PAGE ((size_t)2 << 20)

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *base_alloc(size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX - HUGE_PAGE) / size)
        return NULL;
    const size_t bytes = count * size, alignment = bytes < HUGE_PAGE ? BASE_ALIGNMENT : HUGE_PAGE;
    void *memory;
    if (posix_memalign(&memory, alignment, bytes > 0 ? bytes : 1) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (alignment == HUGE_PAGE)
        madvise(memory, bytes, MADV_HUGEPAGE); /* only faster: a refusal changes nothing */
#endif
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
