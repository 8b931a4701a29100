/* Data sets: the pixels stay bytes, as they were in the file, until ano_dataset_read() scales
 * them; each data set owns its pixels, so that the parts of a split live on their own. */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "format/idx.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_CLASSES = 256, CLASS_NAME_SIZE = 4, CLASS_LIST_SIZE = 5 * N_CLASSES };

typedef enum role { LEFT_OUT = -1, NORMAL = 0, ANOMALOUS = 1 } role;

typedef struct image {
    size_t index; /* in its file */
    role role;
    char class_name[CLASS_NAME_SIZE]; /* "0" … "255", or "" */
} image;

struct ano_dataset {
    ano_shape shape;
    size_t count;
    image *images;   /* [count] */
    uint8_t *pixels; /* [count][height][width][channels] */
};

static size_t image_size(ano_shape shape)
{
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

static ano_status dataset_create(ano_dataset **out, size_t count, ano_shape shape, ano_error *err)
{
    ano_dataset *dataset = base_alloc(1, sizeof *dataset);
    if (dataset == NULL)
        return base_error_nomem(err, "data set");
    *dataset = (ano_dataset){.shape = shape,
                             .count = count,
                             .images = base_alloc(count, sizeof *dataset->images),
                             .pixels = base_alloc(count, image_size(shape))};
    if (dataset->images == NULL || dataset->pixels == NULL) {
        ano_dataset_free(dataset);
        return base_error(err, ANO_NOMEM, "out of memory: %zu images", count);
    }
    *out = dataset;
    return ANO_OK;
}

void ano_dataset_free(ano_dataset *dataset)
{
    if (dataset == NULL)
        return;
    base_free(dataset->images);
    base_free(dataset->pixels);
    base_free(dataset);
}

/* ---- a folder of IDX files ---------------------------------------------------------------- */

static const struct {
    const char *images, *labels;
} file_names[] = {
    [ANO_SPLIT_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
    [ANO_SPLIT_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

/* *path = "folder/name" or "folder/name.gz", the first that is there; freed by the caller. */
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
    struct stat info;
    if (stat(folder, &info) != 0)
        return base_error_errno(err, errno, folder, "the data set cannot be opened");
    if (!S_ISDIR(info.st_mode))
        return base_error(err, ANO_IO, "%s: is not a folder", folder);
    return base_error(err, ANO_IO,
                      "%s: %s is not there; a data set is a folder with the files %s, %s, %s and "
                      "%s, each plain or .gz",
                      folder, name, file_names[ANO_SPLIT_TRAIN].images,
                      file_names[ANO_SPLIT_TRAIN].labels, file_names[ANO_SPLIT_TEST].images,
                      file_names[ANO_SPLIT_TEST].labels);
}

/* Reads the split's two files, which must have as many labels as images. */
static ano_status files_read(format_idx *images, format_idx *labels, const char *folder,
                             ano_split split, ano_error *err)
{
    char *images_path = NULL, *labels_path = NULL;
    ano_status status = file_find(&images_path, folder, file_names[split].images, err);
    if (status == ANO_OK)
        status = file_find(&labels_path, folder, file_names[split].labels, err);
    if (status == ANO_OK)
        status = format_idx_open(images, images_path, FORMAT_IDX_IMAGES, err);
    if (status == ANO_OK)
        status = format_idx_open(labels, labels_path, FORMAT_IDX_LABELS, err);
    if (status == ANO_OK && images->dims[0] != labels->dims[0])
        status = base_error(err, ANO_FORMAT, "%s: count: %zu labels, but %s has %zu images",
                            labels_path, labels->dims[0], images_path, images->dims[0]);
    base_free(images_path);
    base_free(labels_path);
    return status;
}

static void class_name(char name[CLASS_NAME_SIZE], size_t class)
{
    snprintf(name, CLASS_NAME_SIZE, "%u", (unsigned)class % N_CLASSES);
}

/* "0, 1, 9": the classes that have images. */
static const char *class_list(char list[CLASS_LIST_SIZE], const size_t counts[N_CLASSES])
{
    size_t length = 0;
    for (size_t class = 0; class < N_CLASSES; class ++)
        if (counts[class] > 0) {
            char name[CLASS_NAME_SIZE];
            class_name(name, class);
            length += (size_t)snprintf(list + length, CLASS_LIST_SIZE - length, "%s%s",
                                       length > 0 ? ", " : "", name);
        }
    return list;
}

/* The class called name[0 … length), N_CLASSES when it has no images. */
static size_t class_find(const char *name, size_t length, const size_t counts[N_CLASSES])
{
    for (size_t class = 0; class < N_CLASSES; class ++) {
        char found[CLASS_NAME_SIZE];
        class_name(found, class);
        if (counts[class] > 0 && strlen(found) == length && memcmp(found, name, length) == 0)
            return class;
    }
    return N_CLASSES;
}

/* Gives the classes of a comma-separated list their role, which must not be another already. */
static ano_status roles_assign(role roles[N_CLASSES], const char *names, role assigned,
                               const size_t counts[N_CLASSES], const char *folder, ano_error *err)
{
    for (const char *name = names;;) {
        const size_t length = strcspn(name, ",");
        const size_t class = class_find(name, length, counts);
        if (class == N_CLASSES) {
            char list[CLASS_LIST_SIZE];
            return base_error(err, ANO_ARG, "%s: class '%.*s' is not there; the classes are %s",
                              folder, length < 40 ? (int)length : 40, name,
                              class_list(list, counts));
        }
        if (roles[class] != LEFT_OUT && roles[class] != assigned)
            return base_error(err, ANO_ARG, "%s: class '%zu' is both normal and anomalous", folder,
                              class);
        roles[class] = assigned;
        if (name[length] == '\0')
            return ANO_OK;
        name += length + 1;
    }
}

static ano_status roles_choose(role roles[N_CLASSES], const ano_dataset_options *options,
                               const size_t counts[N_CLASSES], const char *folder, ano_error *err)
{
    for (size_t class = 0; class < N_CLASSES; class ++)
        roles[class] = options->normal == NULL ? NORMAL : LEFT_OUT;
    if (options->normal != NULL) {
        const ano_status status = roles_assign(roles, options->normal, NORMAL, counts, folder, err);
        if (status != ANO_OK)
            return status;
    }
    if (options->anomaly == NULL)
        return ANO_OK;
    if (strcmp(options->anomaly, "*") != 0)
        return roles_assign(roles, options->anomaly, ANOMALOUS, counts, folder, err);
    for (size_t class = 0; class < N_CLASSES; class ++)
        if (roles[class] == LEFT_OUT)
            roles[class] = ANOMALOUS;
    return ANO_OK;
}

/* chosen[0 … *n) = the positions of the images to keep, in the file's order. */
static void images_choose(size_t *chosen, size_t *n, const format_idx *labels,
                          const role roles[N_CLASSES], size_t count)
{
    size_t n_taken[2] = {0, 0};
    *n = 0;
    for (size_t i = 0; i < labels->dims[0]; i++) {
        const role found = roles[labels->elements[i]];
        if (found != LEFT_OUT && (count == 0 || n_taken[found] < count)) {
            n_taken[found]++;
            chosen[(*n)++] = i;
        }
    }
}

ano_status ano_dataset_open(ano_dataset **out, const char *path, const ano_dataset_options *options,
                            ano_error *err)
{
    *out = NULL;
    if (options->split != ANO_SPLIT_TRAIN && options->split != ANO_SPLIT_TEST)
        return base_error(err, ANO_ARG, "split: %d is neither train nor test", options->split);
    size_t *chosen = NULL, n = 0;
    format_idx images = {0}, labels = {0};
    ano_status status = files_read(&images, &labels, path, options->split, err);
    if (status != ANO_OK)
        goto done;

    size_t counts[N_CLASSES] = {0};
    role roles[N_CLASSES];
    for (size_t i = 0; i < labels.dims[0]; i++)
        counts[labels.elements[i]]++;
    status = roles_choose(roles, options, counts, path, err);
    if (status != ANO_OK)
        goto done;
    chosen = base_alloc(labels.dims[0], sizeof *chosen);
    if (chosen == NULL) {
        status = base_error_nomem(err, path);
        goto done;
    }
    images_choose(chosen, &n, &labels, roles, options->count);

    const ano_shape shape = {(int)images.dims[1], (int)images.dims[2], 1};
    status = dataset_create(out, n, shape, err);
    if (status != ANO_OK)
        goto done;
    const size_t size = image_size(shape);
    for (size_t i = 0; i < n; i++) {
        const uint8_t class = labels.elements[chosen[i]];
        image *dst = &(*out)->images[i];
        *dst = (image){.index = chosen[i], .role = roles[class]};
        class_name(dst->class_name, class);
        memcpy((*out)->pixels + i * size, images.elements + chosen[i] * size, size);
    }
done:
    base_free(chosen);
    format_idx_free(&images);
    format_idx_free(&labels);
    return status;
}

/* ---- other ways to a data set ------------------------------------------------------------- */

ano_status ano_dataset_from_pixels(ano_dataset **out, const uint8_t *pixels, size_t n,
                                   ano_shape shape, ano_error *err)
{
    *out = NULL;
    if (n == 0 || shape.height < 1 || shape.width < 1 || shape.channels < 1)
        return base_error(err, ANO_ARG, "%zu images of %d x %d x %d pixels make no data set", n,
                          shape.height, shape.width, shape.channels);
    size_t size;
    if (__builtin_mul_overflow((size_t)shape.height, (size_t)shape.width, &size) ||
        __builtin_mul_overflow(size, (size_t)shape.channels, &size) ||
        __builtin_mul_overflow(size, n, &size))
        return base_error(err, ANO_ARG, "%zu images of %d x %d x %d pixels: the size overflows", n,
                          shape.height, shape.width, shape.channels);
    const ano_status status = dataset_create(out, n, shape, err);
    if (status != ANO_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        (*out)->images[i] = (image){.index = i, .role = NORMAL};
    memcpy((*out)->pixels, pixels, size);
    return ANO_OK;
}

/* Copies the `count` images whose flag is `wanted`. */
static ano_status dataset_pick(ano_dataset **out, const ano_dataset *dataset, const bool *flags,
                               bool wanted, size_t count, ano_error *err)
{
    const ano_status status = dataset_create(out, count, dataset->shape, err);
    if (status != ANO_OK)
        return status;
    const size_t size = image_size(dataset->shape);
    for (size_t i = 0, n = 0; i < dataset->count; i++)
        if (flags[i] == wanted) {
            (*out)->images[n] = dataset->images[i];
            memcpy((*out)->pixels + n * size, dataset->pixels + i * size, size);
            n++;
        }
    return ANO_OK;
}

ano_status ano_dataset_split(ano_dataset **rest, ano_dataset **held_out, const ano_dataset *dataset,
                             size_t n_held_out, uint64_t seed, ano_error *err)
{
    *rest = *held_out = NULL;
    const size_t count = dataset->count;
    if (n_held_out >= count)
        return base_error(err, ANO_ARG, "%zu of %zu images cannot be held out: none would be left",
                          n_held_out, count);
    ano_status status = ANO_OK;
    size_t *order = base_alloc(count, sizeof *order);
    bool *is_held_out = base_alloc(count, sizeof *is_held_out);
    if (order == NULL || is_held_out == NULL) {
        status = base_error_nomem(err, "split of a data set");
        goto done;
    }
    base_random_permutation(order, count, (base_random){seed, BASE_PURPOSE_HELD_OUT, 0});
    for (size_t i = 0; i < n_held_out; i++)
        is_held_out[order[i]] = true;
    status = dataset_pick(rest, dataset, is_held_out, false, count - n_held_out, err);
    if (status == ANO_OK)
        status = dataset_pick(held_out, dataset, is_held_out, true, n_held_out, err);
    if (status != ANO_OK) {
        ano_dataset_free(*rest);
        *rest = NULL;
    }
done:
    base_free(order);
    base_free(is_held_out);
    return status;
}

/* ---- access ------------------------------------------------------------------------------- */

size_t ano_dataset_count(const ano_dataset *dataset)
{
    return dataset->count;
}

ano_shape ano_dataset_shape(const ano_dataset *dataset)
{
    return dataset->shape;
}

int ano_dataset_label(const ano_dataset *dataset, size_t i)
{
    return dataset->images[i].role == ANOMALOUS;
}

const char *ano_dataset_class(const ano_dataset *dataset, size_t i)
{
    return dataset->images[i].class_name;
}

size_t ano_dataset_index(const ano_dataset *dataset, size_t i)
{
    return dataset->images[i].index;
}

ano_status ano_dataset_read(float *dst, const ano_dataset *dataset, const size_t *indices, size_t n,
                            ano_error *err)
{
    const size_t size = image_size(dataset->shape);
    for (size_t i = 0; i < n; i++) {
        if (indices[i] >= dataset->count)
            return base_error(err, ANO_ARG, "image %zu is asked for, there are %zu", indices[i],
                              dataset->count);
        const uint8_t *pixels = dataset->pixels + indices[i] * size;
        for (size_t j = 0; j < size; j++)
            dst[i * size + j] = (float)pixels[j] / 127.5f - 1;
    }
    return ANO_OK;
}
