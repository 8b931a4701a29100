/* Memory for numbers: 64-byte aligned, zeroed, sizes checked for overflow. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

enum { BASE_ALIGNMENT = 64 };

/* count elements of `size` bytes, all zero; NULL when memory is short or count * size overflows.
 * A count of 0 gives a pointer that may be freed. */
void *base_alloc(size_t count, size_t size);
void base_free(void *memory);

/* A copy of a string, NULL when memory is short; freed by base_free(). */
char *base_strdup(const char *text);

#endif
