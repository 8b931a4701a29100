/* Files: read whole, or written beside their place, synced, then renamed into it. A
 * power cut leaves the old file or the new one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/error.h"

#include <stdio.h>

/* Reads a whole file; *out belongs to the caller (base_free) and has a NUL after its *size bytes.
 */
ano_status base_file_read(char **out, size_t *size, const char *path, ano_error *err);

/* A file being written. Until base_file_commit() its place is untouched. */
typedef struct base_file {
    FILE *stream;
    char *path, *temporary;
    struct base_sink *sink; /* what is behind the stream */
} base_file;

/* Opens `path`'s temporary sibling for writing. */
ano_status base_file_create(base_file *file, const char *path, ano_error *err);
/* Flushes, syncs, renames and syncs the folder; on failure removes the temporary. Ends `file`
 * either way. A write that failed earlier fails here, with its reason, so that writers need not
 * check each call. */
ano_status base_file_commit(base_file *file, ano_error *err);
/* Removes the temporary; safe on a zeroed or ended base_file. */
void base_file_abandon(base_file *file);

/* base_file_create, one fwrite, base_file_commit. */
ano_status base_file_write(const char *path, const void *bytes, size_t size, ano_error *err);

/* Renames within a folder; nothing where there is no `from`. A power cut may undo it until the next
 * base_file_commit() there. */
ano_status base_file_move(const char *from, const char *to, ano_error *err);

/* Removes what processes that died left in `folder` of files they were writing. Nobody may be
 * writing there. What cannot be removed stays. */
void base_file_sweep(const char *folder);

/* Makes the folder and its parents where they are missing. */
ano_status base_make_folder(const char *path, ano_error *err);

/* "folder/name" in a string of the caller's (base_free), NULL when memory is short; "folder/" is
 * the same folder. */
char *base_path_join(const char *folder, const char *name);

#endif
