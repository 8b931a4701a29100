/* A folder of IDX files with the names of the MNIST distribution. */
#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "format/idx.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    N_CLASSES = 256,
    MAX_IMAGES = 10 * 1000 * 1000 /* each is an item of a list, however small its picture is */
};

static const struct {
    const char *images, *labels;
} file_names[] = {
    [ANO_SPLIT_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
    [ANO_SPLIT_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

/* *path = "folder/name" or "folder/name.gz", the first that is there, else NULL; freed by the
 * caller. */
static ano_status file_find(char **path, const char *folder, const char *name, ano_error *err)
{
    static const char *const endings[] = {"", ".gz"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char ended[64];
        snprintf(ended, sizeof ended, "%s%s", name, endings[i]);
        *path = base_path_join(folder, ended);
        if (*path == NULL)
            return base_error_nomem(err, folder);
        if (access(*path, F_OK) == 0)
            return ANO_OK;
        base_free(*path);
        *path = NULL;
    }
    return base_error(err, ANO_IO,
                      "%s: %s is not there; a data set is a folder with the files %s, %s, %s and "
                      "%s, each plain or .gz",
                      folder, name, file_names[ANO_SPLIT_TRAIN].images,
                      file_names[ANO_SPLIT_TRAIN].labels, file_names[ANO_SPLIT_TEST].images,
                      file_names[ANO_SPLIT_TEST].labels);
}

ano_status data_idx_folder_is(bool *found, const char *folder, ano_error *err)
{
    *found = false;
    for (int split = ANO_SPLIT_TRAIN; split <= ANO_SPLIT_TEST; split++) {
        const char *const names[] = {file_names[split].images, file_names[split].labels};
        for (size_t i = 0; i < sizeof names / sizeof *names && !*found; i++) {
            char *path;
            const ano_status status = file_find(&path, folder, names[i], NULL);
            base_free(path);
            if (status == ANO_NOMEM)
                return base_error_nomem(err, folder);
            *found = status == ANO_OK;
        }
    }
    return ANO_OK;
}

/* Reads the split's two files, which must have as many labels as images; the caller frees the path.
 */
static ano_status files_read(format_idx *images, format_idx *labels, char **images_path,
                             const char *folder, ano_split split, ano_error *err)
{
    char *labels_path = NULL;
    ano_status status = file_find(images_path, folder, file_names[split].images, err);
    if (status == ANO_OK)
        status = file_find(&labels_path, folder, file_names[split].labels, err);
    if (status == ANO_OK)
        status = format_idx_open(images, *images_path, FORMAT_IDX_IMAGES, err);
    if (status == ANO_OK)
        status = format_idx_open(labels, labels_path, FORMAT_IDX_LABELS, err);
    if (status == ANO_OK && images->dims[0] != labels->dims[0])
        status =
            base_error(err, ANO_FORMAT,
                       "%s: count: %zu labels, but %s has %zu images; take both from one data set",
                       labels_path, labels->dims[0], *images_path, images->dims[0]);
    if (status == ANO_OK && images->dims[0] > MAX_IMAGES)
        status = base_error(err, ANO_FORMAT, "%s: count: is %zu, at most %d images can be read",
                            *images_path, images->dims[0], MAX_IMAGES);
    base_free(labels_path);
    return status;
}

/* A class for each label that there is, in rising order, and an item for each image. */
static ano_status list_images(data_list *list, const format_idx *labels, ano_error *err)
{
    size_t counts[N_CLASSES] = {0}, ids[N_CLASSES] = {0};
    for (size_t i = 0; i < labels->dims[0]; i++)
        counts[labels->elements[i]]++;
    ano_status status = ANO_OK;
    for (unsigned label = 0; label < N_CLASSES && status == ANO_OK; label++) {
        char name[16];
        snprintf(name, sizeof name, "%u", label);
        if (counts[label] > 0)
            status = data_list_class(&ids[label], list, name, err);
    }
    for (size_t i = 0; i < labels->dims[0] && status == ANO_OK; i++)
        status = data_list_add(list, NULL, NULL, i, ids[labels->elements[i]], err);
    return status;
}

ano_status data_idx_folder_open(ano_dataset *dataset, const char *folder,
                                const ano_dataset_options *options, ano_error *err)
{
    format_idx images = {0}, labels = {0};
    data_list *list = &dataset->list;
    ano_status status = files_read(&images, &labels, &dataset->file, folder, options->split, err);
    if (status == ANO_OK)
        status = list_images(list, &labels, err);
    if (status == ANO_OK)
        status = data_list_choose(list, options, folder, err);
    if (status != ANO_OK)
        goto done;
    dataset->native = (ano_shape){(int)images.dims[1], (int)images.dims[2], 1};
    const size_t size = images.dims[1] * images.dims[2];
    dataset->pixels = base_alloc(list->n_items, size);
    if (dataset->pixels == NULL) {
        status = base_error(err, ANO_NOMEM, "out of memory: %zu images", list->n_items);
        goto done;
    }
    for (size_t i = 0; i < list->n_items; i++)
        memcpy(dataset->pixels + i * size, images.elements + list->items[i].index * size, size);
done:
    format_idx_free(&images);
    format_idx_free(&labels);
    return status;
}
