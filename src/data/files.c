#include "data/files.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const char digits[] = "0123456789";

static const char *const split_folders[] = {
    [ANO_SPLIT_TRAIN] = "train",
    [ANO_SPLIT_TEST] = "test",
};

/* ---- names -------------------------------------------------------------------------------- */

bool data_files_ends_in(const char *path, const char *endings)
{
    const char *dot = strrchr(path, '.');
    if (dot == NULL || strchr(dot, '/') != NULL)
        return false;
    const size_t length = strlen(dot + 1);
    for (const char *ending = endings; *ending != '\0'; ending += strspn(ending, ", ")) {
        const size_t n = strcspn(ending, ",");
        if (n == length && strncasecmp(ending, dot + 1, n) == 0)
            return true;
        ending += n;
    }
    return false;
}

int data_files_compare(const char *a, const char *b)
{
    const char *const whole_a = a, *const whole_b = b;
    while (*a != '\0' && *b != '\0') {
        if (strchr(digits, *a) == NULL || strchr(digits, *b) == NULL) {
            if (*a != *b)
                return (unsigned char)*a - (unsigned char)*b;
            a++, b++;
            continue;
        }
        a += strspn(a, "0");
        b += strspn(b, "0");
        const size_t length_a = strspn(a, digits), length_b = strspn(b, digits);
        if (length_a != length_b)
            return length_a < length_b ? -1 : 1;
        const int order = memcmp(a, b, length_a);
        if (order != 0)
            return order;
        a += length_a, b += length_b;
    }
    if (*a != *b)
        return (unsigned char)*a - (unsigned char)*b;
    return strcmp(whole_a, whole_b); /* a1, a01 */
}

static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return data_files_compare((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* ---- walking ------------------------------------------------------------------------------ */

typedef struct file_walk {
    data_list *list;
    const char *root;  /* where it began */
    const char *masks; /* the folder where an image's mask has the image's place, NULL: no masks */
    bool adds_images;  /* or classes alone */
} file_walk;

/* A folder on the way down. */
typedef struct place {
    const char *path, *class_name;
    const struct place *above; /* NULL for the root */
    dev_t device;
    ino_t number; /* of the file, on the device */
} place;

/* *mask = the file that is the mask of an image, NULL where there is none; freed by the caller. */
static ano_status find_mask(char **mask, const file_walk *walk, const char *path, ano_error *err)
{
    static const char *const endings[] = {"_mask.png", ".png"};
    const char *relative = path + strlen(walk->root) + 1;
    const int stem = (int)(strrchr(relative, '.') - relative);
    const size_t size = strlen(walk->masks) + 1 + strlen(relative) + sizeof "_mask.png";
    *mask = base_alloc(size, 1);
    if (*mask == NULL)
        return base_error_nomem(err, path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(*mask, size, "%s/%.*s%s", walk->masks, stem, relative, endings[i]);
        if (access(*mask, F_OK) == 0)
            return ANO_OK;
    }
    base_free(*mask);
    *mask = NULL;
    return ANO_OK;
}

static ano_status add_image(const file_walk *walk, const char *path, size_t class_id,
                            ano_error *err)
{
    char *mask = NULL;
    ano_status status = walk->masks != NULL ? find_mask(&mask, walk, path, err) : ANO_OK;
    if (status == ANO_OK)
        status = data_list_add(walk->list, path, mask, 0, class_id, err);
    base_free(mask);
    return status;
}

static bool leads_back(const place *here, const struct stat *info)
{
    while (here != NULL && (here->device != info->st_dev || here->number != info->st_ino))
        here = here->above;
    return here != NULL;
}

static ano_status walk_folder(const file_walk *walk, const place *here, ano_error *err);

static ano_status walk_entry(const file_walk *walk, const place *here, const char *name,
                             ano_error *err)
{
    char *path = base_path_join(here->path, name);
    if (path == NULL)
        return base_error_nomem(err, here->path);
    ano_status status = ANO_OK;
    struct stat info;
    size_t class_id;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        const place below = {.path = path,
                             .class_name = here->above == NULL ? name : here->class_name,
                             .above = here,
                             .device = info.st_dev,
                             .number = info.st_ino};
        if (!leads_back(here, &info))
            status = walk_folder(walk, &below, err);
    } else if (data_files_ends_in(name, DATA_FILES_ENDINGS)) {
        status = data_list_class(&class_id, walk->list, here->class_name, err);
        if (status != ANO_OK)
            base_error_context(err, "%s", path);
        if (status == ANO_OK && walk->adds_images)
            status = add_image(walk, path, class_id, err);
    } else {
        walk->list->n_other_files += walk->adds_images;
    }
    base_free(path);
    return status;
}

static ano_status walk_folder(const file_walk *walk, const place *here, ano_error *err)
{
    struct dirent **entries;
    const int n = scandir(here->path, &entries, is_shown, compare_entries);
    if (n < 0)
        return base_error_errno(err, errno, here->path, "the folder cannot be listed");
    ano_status status = ANO_OK;
    for (int i = 0; i < n; i++) {
        if (status == ANO_OK)
            status = walk_entry(walk, here, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static ano_status walk_root(const file_walk *walk, ano_error *err)
{
    struct stat info;
    if (stat(walk->root, &info) != 0)
        return base_error_errno(err, errno, walk->root, "the folder cannot be opened");
    const place root = {
        .path = walk->root, .class_name = "", .device = info.st_dev, .number = info.st_ino};
    return walk_folder(walk, &root, err);
}

/* ---- folders and trees -------------------------------------------------------------------- */

ano_status data_files_folder(data_list *list, const char *folder, ano_error *err)
{
    return walk_root(&(file_walk){.list = list, .root = folder, .adds_images = true}, err);
}

/* Where the folder cannot be listed, but for want of memory, it holds none. */
static ano_status holds_folders(bool *found, const char *folder, ano_error *err)
{
    struct dirent **entries;
    *found = false;
    const int n = scandir(folder, &entries, is_shown, NULL);
    if (n < 0)
        return errno == ENOMEM ? base_error_nomem(err, folder) : ANO_OK;
    ano_status status = ANO_OK;
    for (int i = 0; i < n; i++) {
        char *path = *found ? NULL : base_path_join(folder, entries[i]->d_name);
        if (!*found && path == NULL)
            status = base_error_nomem(err, folder);
        *found = *found || (path != NULL && is_folder(path));
        base_free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

ano_status data_files_is_tree(bool *is_tree, const char *folder, ano_error *err)
{
    int n_splits = 0, n_with_classes = 0;
    ano_status status = ANO_OK;
    for (int split = ANO_SPLIT_TRAIN; split <= ANO_SPLIT_TEST && status == ANO_OK; split++) {
        char *path = base_path_join(folder, split_folders[split]);
        bool has_classes = false;
        status =
            path != NULL ? holds_folders(&has_classes, path, err) : base_error_nomem(err, folder);
        n_splits += path != NULL && is_folder(path);
        n_with_classes += has_classes;
        base_free(path);
    }
    *is_tree = n_splits == 2 || n_with_classes > 0;
    return status;
}

ano_status data_files_tree(data_list *list, const char *folder, ano_split split, ano_error *err)
{
    char *masks = base_path_join(folder, "ground_truth");
    list->has_splits = true;
    ano_status status = masks != NULL ? ANO_OK : base_error_nomem(err, folder);
    for (int i = ANO_SPLIT_TRAIN; i <= ANO_SPLIT_TEST && status == ANO_OK; i++) {
        char *root = base_path_join(folder, split_folders[i]);
        if (root == NULL)
            status = base_error_nomem(err, folder);
        else if (is_folder(root))
            status = walk_root(
                &(file_walk){
                    .list = list, .root = root, .masks = masks, .adds_images = i == (int)split},
                err);
        base_free(root);
    }
    base_free(masks);
    return status;
}
