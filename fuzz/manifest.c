/* CSV manifests: what is listed has a class and lies under the manifest's folder; what is refused
 * leaves an error that begins with the file's name. */
#include "target.h"

#include "data/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char name[] = "folder/fuzz-manifest", folder[] = "folder/";

static void check_path(const char *path)
{
    if (strncmp(path, folder, strlen(folder)) != 0 || strstr(path, "/../") != NULL ||
        path[strlen(folder)] == '/' || path[strlen(folder)] == '\0')
        abort();
}

static void parse(FILE *file, ano_split split)
{
    ano_error err = ANO_ERROR_INIT;
    data_list list = {0};
    const ano_status status = data_manifest_read(&list, file, name, split, false, &err);
    if (status != err.status || (status != ANO_OK && strncmp(err.message, name, strlen(name)) != 0))
        abort();
    for (size_t i = 0; i < list.n_items; i++) {
        check_path(list.items[i].path);
        if (list.items[i].mask != NULL)
            check_path(list.items[i].mask);
        if (list.items[i].class_id >= list.n_classes ||
            *list.classes[list.items[i].class_id] == '\0')
            abort();
    }
    data_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
    if (file == NULL)
        return 0;
    parse(file, ANO_SPLIT_TRAIN);
    rewind(file);
    parse(file, ANO_SPLIT_TEST);
    fclose(file);
    return 0;
}
