/* A file that lies in memory, for targets whose parser opens files by their paths. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stddef.h>

/* Puts the bytes into the process's one file of this kind, in the place of those before, and
 * returns its path. Aborts where the system gives none. */
const char *fuzz_memory_file(const void *bytes, size_t size);

#endif
