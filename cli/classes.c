#include "cli/classes.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/run.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- lists --------------------------------------------------------------------------------- */

void cli_classes_free(cli_classes *classes)
{
    for (size_t i = 0; i < classes->n; i++) {
        base_free(classes->items[i].name);
        base_free(classes->items[i].data);
        base_free(classes->items[i].normal);
    }
    base_free(classes->items);
    *classes = (cli_classes){0};
}

/* `normal` may be NULL. The list has room. */
static ano_status add(cli_classes *classes, const char *name, const char *data, const char *normal,
                      ano_error *err)
{
    cli_class *item = &classes->items[classes->n++];
    *item = (cli_class){base_strdup(name), base_strdup(data),
                        normal != NULL ? base_strdup(normal) : NULL};
    return item->name != NULL && item->data != NULL && (normal == NULL || item->normal != NULL)
               ? ANO_OK
               : base_error_nomem(err, "classes");
}

static int compare_names(const void *a, const void *b)
{
    const char *first = *(const char *const *)a, *second = *(const char *const *)b;
    char *first_end, *second_end;
    const unsigned long x = strtoul(first, &first_end, 10), y = strtoul(second, &second_end, 10);
    if (first_end != first && second_end != second && x != y)
        return x < y ? -1 : 1;
    return strcmp(first, second);
}

static int compare_classes(const void *a, const void *b)
{
    return compare_names(&((const cli_class *)a)->name, &((const cli_class *)b)->name);
}

ano_status cli_classes_keep(cli_classes *classes, const char *list, ano_error *err)
{
    if (list == NULL || strcmp(list, "all") == 0)
        return ANO_OK;
    size_t n = 0;
    for (const char *at = list;; at++) {
        const size_t length = strcspn(at, ",");
        size_t i = 0;
        while (i < classes->n && (strlen(classes->items[i].name) != length ||
                                  strncmp(classes->items[i].name, at, length) != 0))
            i++;
        if (i == classes->n)
            return base_error(err, ANO_ARG,
                              "--classes: there are no training images of class '%.*s'",
                              (int)length, at);
        if (i < n)
            return base_error(err, ANO_ARG, "--classes: '%.*s' is named twice", (int)length, at);
        const cli_class kept = classes->items[i];
        classes->items[i] = classes->items[n];
        classes->items[n++] = kept;
        at += length;
        if (*at == '\0')
            break;
    }
    cli_classes rest = {base_alloc(classes->n - n, sizeof *rest.items), classes->n - n};
    if (rest.items == NULL)
        return base_error_nomem(err, "classes");
    memcpy(rest.items, classes->items + n, rest.n * sizeof *rest.items);
    classes->n = n;
    cli_classes_free(&rest);
    return ANO_OK;
}

/* ---- a tree for each class ----------------------------------------------------------------- */

static bool is_tree(const char *folder)
{
    char *train = base_path_join(folder, "train"), *test = base_path_join(folder, "test");
    const bool is = train != NULL && test != NULL && cli_is_folder(train) && cli_is_folder(test);
    base_free(train);
    base_free(test);
    return is;
}

/* Leaves *out empty where there are no trees in the folder. */
static ano_status find_trees(cli_classes *out, const char *folder, ano_error *err)
{
    struct dirent **entries;
    const int n = scandir(folder, &entries, NULL, alphasort);
    if (n < 0)
        return base_error_errno(err, errno, folder, "cannot be listed");
    ano_status status = ANO_OK;
    out->items = base_alloc((size_t)n, sizeof *out->items);
    if (out->items == NULL)
        status = base_error_nomem(err, folder);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char *path = name[0] != '.' ? base_path_join(folder, name) : NULL;
        if (status == ANO_OK && path != NULL && is_tree(path))
            status = add(out, name, path, NULL, err);
        base_free(path);
        free(entries[i]);
    }
    free(entries);
    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, compare_classes);
    return status;
}

/* ---- a data set of all classes ------------------------------------------------------------- */

static ano_status open_split(ano_dataset **out, const char *data, ano_split split, ano_error *err)
{
    const ano_dataset_options all = {.split = split, .anomaly = "*", .view = {.channels = 1}};
    return ano_dataset_open(out, data, &all, err);
}

/* The names of the classes, each once and sorted: *n of them, in *names, which base_free() frees.
 * They are the data set's. Images of none have a class without a name, which is left out. */
static ano_status list_classes(const char ***names, size_t *n, const ano_dataset *images,
                               ano_error *err)
{
    const size_t n_images = ano_dataset_count(images);
    const char **list = base_alloc(n_images, sizeof *list);
    *names = list;
    *n = 0;
    if (list == NULL)
        return base_error_nomem(err, "classes");
    for (size_t i = 0; i < n_images; i++)
        list[i] = ano_dataset_class(images, i);
    qsort(list, n_images, sizeof *list, compare_names);
    for (size_t i = 0; i < n_images; i++)
        if (*list[i] != '\0' && (*n == 0 || strcmp(list[i], list[*n - 1]) != 0))
            list[(*n)++] = list[i];
    return ANO_OK;
}

static ano_status add_all(cli_classes *out, const ano_dataset *training, const char *data,
                          ano_error *err)
{
    const char **names;
    size_t n;
    ano_status status = list_classes(&names, &n, training, err);
    out->items = base_alloc(n, sizeof *out->items);
    if (out->items == NULL)
        status = base_error_nomem(err, data);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        status = strchr(names[i], ',') == NULL
                     ? add(out, names[i], data, names[i], err)
                     : base_error(err, ANO_ARG, "%s: class '%s' has a comma in its name", data,
                                  names[i]);
    base_free(names);
    return status;
}

/* Whether there is something to tell apart. */
static ano_status check_test(const char *data, ano_error *err)
{
    ano_dataset *images;
    const char **names;
    size_t n;
    ano_status status = open_split(&images, data, ANO_SPLIT_TEST, err);
    if (status != ANO_OK)
        return status;
    status = list_classes(&names, &n, images, err);
    if (status == ANO_OK && n < 2)
        status = base_error(err, ANO_ARG,
                            "%s: has test images of %zu class%s, and it takes two to tell apart",
                            data, n, n == 1 ? "" : "es");
    base_free(names);
    ano_dataset_free(images);
    return status;
}

/* ---- links --------------------------------------------------------------------------------- */

/* LINKS/SPLIT/CLASS/NUMBER and the ending of the image's file. */
static ano_status link_image(const char *links, const char *split, const ano_dataset *images,
                             size_t i, ano_error *err)
{
    const char *file = ano_dataset_path(images, i), *class_name = ano_dataset_class(images, i);
    const char *ending = strrchr(file, '.');
    char *target = realpath(file, NULL);
    char *folder = base_alloc(strlen(links) + strlen(class_name) + 10, 1);
    char *path = base_alloc(strlen(links) + strlen(class_name) + strlen(file) + 40, 1);
    ano_status status = ANO_OK;
    if (target == NULL)
        status = base_error_errno(err, errno, file, "cannot be found");
    else if (folder == NULL || path == NULL)
        status = base_error_nomem(err, links);
    if (status == ANO_OK) {
        sprintf(folder, "%s/%s/%s", links, split, class_name);
        sprintf(path, "%s/%06zu%s", folder, i, ending != NULL ? ending : "");
        status = base_make_folder(folder, err);
    }
    if (status == ANO_OK && symlink(target, path) != 0 && errno != EEXIST)
        status = base_error_errno(err, errno, path, "the link cannot be made");
    base_free(folder);
    base_free(path);
    free(target);
    return status;
}

static ano_status link_all(const char *links, const char *split, const ano_dataset *images,
                           ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < ano_dataset_count(images) && status == ANO_OK; i++)
        status = link_image(links, split, images, i, err);
    return status;
}

static ano_status link_class(const char *links, const char *data, const char *name, uint64_t seed,
                             ano_error *err)
{
    enum { PARTS = 5 };
    ano_dataset *images, *training = NULL, *testing = NULL;
    const ano_dataset_options of_class = {.normal = name, .view = {.channels = 1}};
    ano_status status = ano_dataset_open(&images, data, &of_class, err);
    if (status != ANO_OK)
        return status;
    const size_t n = ano_dataset_count(images);
    if (n < 2 || strchr(name, '/') != NULL || strcmp(name, "..") == 0)
        status = base_error(err, ANO_ARG, "%s: class '%s' %s", data, name,
                            n < 2 ? "has one image, and training and testing take two"
                                  : "is not a name for a folder");
    if (status == ANO_OK)
        status =
            ano_dataset_split(&training, &testing, images, n < PARTS ? 1 : n / PARTS, seed, err);
    if (status == ANO_OK)
        status = link_all(links, "train", training, err);
    if (status == ANO_OK)
        status = link_all(links, "test", testing, err);
    ano_dataset_free(training);
    ano_dataset_free(testing);
    ano_dataset_free(images);
    return status;
}

static ano_status make_links(const char *links, const char *data, const ano_dataset *images,
                             uint64_t seed, ano_error *err)
{
    const char **names;
    size_t n;
    ano_status status = list_classes(&names, &n, images, err);
    if (status == ANO_OK && n == 0)
        status = base_error(err, ANO_ARG,
                            "%s: its images have no classes; put those of each into a folder of "
                            "their own",
                            data);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        status = link_class(links, data, names[i], seed, err);
    base_free(names);
    return status;
}

ano_status cli_classes_find(cli_classes *out, const char *data, const char *links, uint64_t seed,
                            ano_error *err)
{
    ano_dataset *training = NULL;
    *out = (cli_classes){0};
    ano_status status = ANO_OK;
    if (cli_is_folder(data) && !is_tree(data))
        status = find_trees(out, data, err);
    if (status != ANO_OK || out->n > 0)
        return status;
    cli_classes_free(out);
    status = open_split(&training, data, ANO_SPLIT_TRAIN, err);
    if (status == ANO_OK && !ano_dataset_has_splits(training)) {
        status = make_links(links, data, training, seed, err);
        data = links;
        ano_dataset_free(training);
        training = NULL;
        if (status == ANO_OK)
            status = open_split(&training, data, ANO_SPLIT_TRAIN, err);
    }
    if (status == ANO_OK)
        status = add_all(out, training, data, err);
    if (status == ANO_OK)
        status = check_test(data, err);
    ano_dataset_free(training);
    return status;
}
