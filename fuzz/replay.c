/* Feeds the files of a corpus to a fuzz target, in the place of libFuzzer: what a fuzzer found once
 * is tested for ever after, by any compiler.
 * usage: fuzz_TARGET FOLDER… */
#include "target.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ano_status replay_file(const char *path, ano_error *err)
{
    char *bytes;
    size_t size;
    if (base_file_read(&bytes, &size, path, err) != ANO_OK)
        return err->status;
    /* A copy of just the file's size, so that a sanitizer sees a read beyond its end. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact != NULL) {
        memcpy(exact, bytes, size);
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(exact);
    base_free(bytes);
    return exact != NULL ? ANO_OK : base_error_nomem(err, path);
}

static ano_status replay_folder(size_t *n_files, const char *folder, ano_error *err)
{
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return base_error_errno(err, errno, folder, "the corpus cannot be opened");
    ano_status status = ANO_OK;
    for (struct dirent *entry; status == ANO_OK && (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = base_path_join(folder, entry->d_name);
        if (path == NULL) {
            status = base_error_nomem(err, folder);
            break;
        }
        /* Named first: the last line is the file that aborts. */
        puts(path);
        fflush(stdout);
        status = replay_file(path, err);
        base_free(path);
        ++*n_files;
    }
    closedir(listing);
    return status;
}

int main(int argc, char **argv)
{
    ano_error err = ANO_ERROR_INIT;
    size_t n_files = 0;
    for (int i = 1; i < argc && err.status == ANO_OK; i++)
        replay_folder(&n_files, argv[i], &err);
    if (err.status == ANO_OK && n_files == 0)
        base_error(&err, ANO_ARG, "no files to replay");
    if (err.status != ANO_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], err.message);
        return EXIT_FAILURE;
    }
    printf("%zu files replayed\n", n_files);
    return EXIT_SUCCESS;
}
