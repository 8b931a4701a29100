/* Opening a data set: what is at a path is told by looking, and becomes a list of images. */
#include "data/dataset.h"

#include "base/memory.h"
#include "data/decode.h"
#include "data/files.h"
#include "data/manifest.h"

#include <errno.h>
#include <sys/stat.h>

/* Of images in files, where the caller names none. */
#define MAX_PIXELS ((size_t)1 << 28)

enum {
    DEFAULT_SIZE = 64,  /* of images in files, which may all be of different sizes */
    MAX_HEADERS = 1000, /* of images, that are read to find out whether they have colour */
};

static const char accepted[] =
    "a data set is a folder of images (" DATA_FILES_ENDINGS "), of the folders train/CLASS and "
    "test/CLASS or of the IDX files of MNIST; a CSV manifest (csv); or an image";

/* Appends the images that are at a path. In a list any file is taken for an image, and what is gone
 * but had an image's name is one that cannot be read: it does not keep the others from it. */
static ano_status list_path(data_list *list, ano_dataset_kind *kind, const char *path,
                            const ano_dataset_options *options, bool in_list, ano_error *err)
{
    const ano_split split = options->split;
    struct stat info;
    const bool has_ending = data_files_ends_in(path, DATA_FILES_ENDINGS);
    const bool is_there = stat(path, &info) == 0;
    if (!is_there && !(in_list && has_ending && errno == ENOENT))
        return base_error_errno(err, errno, path, "the data set cannot be opened");
    if (is_there && S_ISDIR(info.st_mode)) {
        bool is_tree;
        const ano_status status = data_files_is_tree(&is_tree, path, err);
        *kind = is_tree ? ANO_DATASET_TREE : ANO_DATASET_FOLDER;
        if (status != ANO_OK)
            return status;
        return is_tree ? data_files_tree(list, path, split, err)
                       : data_files_folder(list, path, err);
    }
    if (is_there && S_ISREG(info.st_mode) && data_files_ends_in(path, "csv")) {
        *kind = ANO_DATASET_MANIFEST;
        return data_manifest_open(list, path, split, options->allow_outside, err);
    }
    if (is_there && (!S_ISREG(info.st_mode) || !(in_list || has_ending)))
        return base_error(err, ANO_IO, "%s: is no data set; %s", path, accepted);
    *kind = ANO_DATASET_FILE;
    size_t class_id;
    const ano_status status = data_list_class(&class_id, list, "", err);
    return status == ANO_OK ? data_list_add(list, path, NULL, 0, class_id, err) : status;
}

/* The same, where no images are an error. */
static ano_status list_images(data_list *list, ano_dataset_kind *kind, const char *path,
                              const ano_dataset_options *options, bool in_list, ano_error *err)
{
    const size_t n = list->n_items;
    const ano_status status = list_path(list, kind, path, options, in_list, err);
    if (status != ANO_OK || list->n_items > n)
        return status;
    if (*kind == ANO_DATASET_FOLDER)
        return base_error(err, ANO_FORMAT, "%s: holds no images; %s", path, accepted);
    const char *split = options->split == ANO_SPLIT_TRAIN ? "train" : "test";
    return base_error(err, ANO_ARG,
                      *kind == ANO_DATASET_TREE
                          ? "%s: has no images for %sing; they belong into %s/CLASS"
                          : "%s: has no images for %sing; their rows have the split %s, or none",
                      path, split, split);
}

/* 3 where the header of one of the first images says that it has colour, else 1; those whose header
 * cannot be read then count as unreadable for good. */
static ano_status find_channels(ano_dataset *dataset, ano_error *err)
{
    const data_list *list = &dataset->list;
    for (size_t i = 0; i < list->n_items && i < MAX_HEADERS; i++) {
        ano_shape shape;
        ano_error why = ANO_ERROR_INIT;
        data_item *item = &list->items[i];
        const ano_status status = data_decode_size(&shape, item->path, dataset->max_pixels, &why);
        if (status == ANO_NOMEM)
            return base_error(err, status, "%s", why.message);
        item->is_unseen = status != ANO_OK;
        if (status == ANO_OK && shape.channels == 3) {
            for (size_t k = 0; k < i; k++)
                list->items[k].is_unseen = false;
            dataset->view.channels = 3;
            return ANO_OK;
        }
    }
    dataset->view.channels = 1;
    return ANO_OK;
}

static ano_status open_files(ano_dataset *dataset, const char *const *paths, size_t n,
                             const ano_dataset_options *options, bool in_list, ano_error *err)
{
    const char *name = n == 1 ? paths[0] : "images";
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        status = list_images(&dataset->list, &dataset->kind, paths[i], options, in_list, err);
    if (n > 1)
        dataset->kind = ANO_DATASET_FOLDER;
    if (status == ANO_OK && (status = data_decode_check(err)) != ANO_OK)
        base_error_context(err, "%s", name);
    if (status == ANO_OK)
        status = data_list_choose(&dataset->list, options, name, err);
    const ano_shape unknown = {DEFAULT_SIZE, DEFAULT_SIZE, 0};
    if (status == ANO_OK && (status = data_view_resolve(&dataset->view, unknown, err)) != ANO_OK)
        base_error_context(err, "%s", name);
    if (status == ANO_OK && dataset->view.channels == 0)
        status = find_channels(dataset, err);
    return status;
}

static ano_status open_idx(ano_dataset *dataset, const char *path,
                           const ano_dataset_options *options, ano_error *err)
{
    dataset->kind = ANO_DATASET_IDX;
    dataset->list.has_splits = true;
    ano_status status = data_idx_folder_open(dataset, path, options, err);
    if (status == ANO_OK &&
        (status = data_view_resolve(&dataset->view, dataset->native, err)) != ANO_OK)
        base_error_context(err, "%s", path);
    return status;
}

static ano_status open_paths(ano_dataset **out, const char *const *paths, size_t n,
                             const ano_dataset_options *options, bool in_list, ano_error *err)
{
    *out = NULL;
    if (options->split != ANO_SPLIT_TRAIN && options->split != ANO_SPLIT_TEST)
        return base_error(err, ANO_ARG, "split: %d is neither train nor test", options->split);
    if (n == 0)
        return base_error(err, ANO_ARG, "there are no images to open");
    bool is_idx = false;
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        status = data_idx_folder_is(&is_idx, paths[i], err);
        if (status == ANO_OK && is_idx && n > 1)
            status = base_error(err, ANO_ARG,
                                "%s: IDX files are not opened beside others; name "
                                "their folder alone",
                                paths[i]);
    }
    if (status != ANO_OK)
        return status;
    ano_dataset *dataset = base_alloc(1, sizeof *dataset);
    if (dataset == NULL)
        return base_error_nomem(err, "data set");
    dataset->view = options->view;
    dataset->max_pixels = options->max_pixels > 0 ? options->max_pixels : MAX_PIXELS;
    status = is_idx ? open_idx(dataset, paths[0], options, err)
                    : open_files(dataset, paths, n, options, in_list, err);
    if (status == ANO_OK)
        *out = dataset;
    else
        ano_dataset_free(dataset);
    return status;
}

ano_status ano_dataset_open(ano_dataset **out, const char *path, const ano_dataset_options *options,
                            ano_error *err)
{
    return open_paths(out, &path, 1, options, false, err);
}

ano_status ano_dataset_open_list(ano_dataset **out, const char *const *paths, size_t n,
                                 const ano_dataset_options *options, ano_error *err)
{
    return open_paths(out, paths, n, options, true, err);
}
