#include "data/dataset.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/reader.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { READ_SIZE = 4096 }; /* numbers of an image that are read at a time */

static size_t image_size(ano_shape shape)
{
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

void ano_dataset_free(ano_dataset *dataset)
{
    if (dataset == NULL)
        return;
    data_list_clear(&dataset->list);
    base_free(dataset->file);
    base_free(dataset->pixels);
    base_free(dataset);
}

const char *ano_dataset_kind_name(ano_dataset_kind kind)
{
    static const char *const names[] = {
        [ANO_DATASET_PIXELS] = "images in memory", [ANO_DATASET_IDX] = "IDX files",
        [ANO_DATASET_FOLDER] = "folder of images", [ANO_DATASET_TREE] = "MVTec-style tree",
        [ANO_DATASET_MANIFEST] = "CSV manifest",   [ANO_DATASET_FILE] = "image",
    };
    return names[kind];
}

/* ---- the view ----------------------------------------------------------------------------- */

static bool is_whole(const ano_view *view)
{
    return view->stride == 0;
}

ano_status data_view_resolve(ano_view *view, ano_shape native, ano_error *err)
{
    if (view->size < 0 || view->channels < 0 || view->stride < 0 || (view->channels & ~3) != 0 ||
        view->channels == 2)
        return base_error(err, ANO_ARG, "a view of size %d, channels %d, stride %d is none",
                          view->size, view->channels, view->stride);
    if (view->fit != ANO_FIT_RESIZE && view->fit != ANO_FIT_CROP && view->fit != ANO_FIT_PAD)
        return base_error(err, ANO_ARG, "fit: there is no number %d", (int)view->fit);
    if (view->scale == 0)
        view->scale = 1;
    if (!(view->scale > 0 && view->scale <= 16))
        return base_error(err, ANO_ARG, "scale is %g, but must be above 0 and at most 16",
                          view->scale);
    if (view->stride > 0 && view->size == 0)
        return base_error(err, ANO_ARG, "tiles need a size");
    if (view->stride > view->size)
        return base_error(err, ANO_ARG, "tiles of %d pixels, %d apart, leave gaps", view->size,
                          view->stride);
    if (is_whole(view) && view->scale != 1)
        return base_error(err, ANO_ARG, "scale is for tiles; whole images are fitted to the size");
    if (view->size == 0 && native.height == native.width)
        view->size = native.height;
    if (view->channels == 0)
        view->channels = native.channels;
    return ANO_OK;
}

ano_view ano_dataset_get_view(const ano_dataset *dataset)
{
    return dataset->view;
}

ano_shape ano_dataset_shape(const ano_dataset *dataset)
{
    const ano_view *view = &dataset->view;
    if (view->size == 0) /* images in memory that are no squares */
        return dataset->native;
    return (ano_shape){view->size, view->size, view->channels};
}

/* ---- ways to a data set ------------------------------------------------------------------- */

ano_status ano_dataset_from_pixels(ano_dataset **out, const uint8_t *pixels, size_t n,
                                   ano_shape shape, const ano_view *view, ano_error *err)
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
    ano_dataset *dataset = base_alloc(1, sizeof *dataset);
    if (dataset == NULL)
        return base_error_nomem(err, "data set");
    dataset->kind = ANO_DATASET_PIXELS;
    dataset->view = view != NULL ? *view : (ano_view)ANO_VIEW_INIT;
    dataset->native = shape;
    dataset->pixels = base_alloc(size, 1);
    ano_status status = data_view_resolve(&dataset->view, shape, err);
    if (status == ANO_OK && dataset->pixels == NULL)
        status = base_error(err, ANO_NOMEM, "out of memory: %zu images", n);
    size_t class_id = 0;
    if (status == ANO_OK)
        status = data_list_class(&class_id, &dataset->list, "", err);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        status = data_list_add(&dataset->list, NULL, NULL, i, class_id, err);
    if (status != ANO_OK) {
        ano_dataset_free(dataset);
        return status;
    }
    memcpy(dataset->pixels, pixels, size);
    *out = dataset;
    return ANO_OK;
}

/* Copies the images whose flag is `wanted`. */
static ano_status dataset_pick(ano_dataset **out, const ano_dataset *dataset, const bool *flags,
                               bool wanted, ano_error *err)
{
    const data_list *list = &dataset->list;
    const size_t size = image_size(dataset->native);
    ano_dataset *picked = base_alloc(1, sizeof *picked);
    if (picked == NULL)
        return base_error_nomem(err, "split of a data set");
    *picked = *dataset;
    picked->list = (data_list){.has_splits = dataset->list.has_splits,
                               .n_other_files = dataset->list.n_other_files};
    picked->file = dataset->file != NULL ? base_strdup(dataset->file) : NULL;
    picked->pixels = dataset->pixels != NULL ? base_alloc(list->n_items, size) : NULL;
    ano_status status = ANO_OK;
    if ((dataset->file != NULL && picked->file == NULL) ||
        (dataset->pixels != NULL && picked->pixels == NULL))
        status = base_error_nomem(err, "split of a data set");
    size_t id;
    for (size_t i = 0; i < list->n_classes && status == ANO_OK; i++)
        status = data_list_class(&id, &picked->list, list->classes[i], err);
    for (size_t i = 0; i < list->n_items && status == ANO_OK; i++) {
        const data_item *item = &list->items[i];
        if (flags[i] != wanted)
            continue;
        if (dataset->pixels != NULL)
            memcpy(picked->pixels + picked->list.n_items * size, dataset->pixels + i * size, size);
        status =
            data_list_add(&picked->list, item->path, item->mask, item->index, item->class_id, err);
        if (status != ANO_OK)
            break;
        data_item *copy = &picked->list.items[picked->list.n_items - 1];
        copy->label = item->label;
        copy->is_unseen = item->is_unseen;
    }
    if (status == ANO_OK)
        *out = picked;
    else
        ano_dataset_free(picked);
    return status;
}

ano_status ano_dataset_split(ano_dataset **rest, ano_dataset **held_out, const ano_dataset *dataset,
                             size_t n_held_out, uint64_t seed, ano_error *err)
{
    *rest = *held_out = NULL;
    const size_t count = dataset->list.n_items;
    if (n_held_out >= count)
        return base_error(err, ANO_ARG,
                          "%zu of %zu images cannot be held out: none would be left; hold out "
                          "fewer, or find more",
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
    status = dataset_pick(rest, dataset, is_held_out, false, err);
    if (status == ANO_OK)
        status = dataset_pick(held_out, dataset, is_held_out, true, err);
    if (status != ANO_OK) {
        ano_dataset_free(*rest);
        *rest = NULL;
    }
done:
    base_free(order);
    base_free(is_held_out);
    return status;
}

ano_status ano_dataset_draw_anomalies(ano_dataset **out, const ano_dataset *normals, uint64_t seed,
                                      ano_error *err)
{
    *out = NULL;
    const size_t n = normals->list.n_items;
    size_t drawn = 0;
    ano_dataset *copy = NULL;
    bool *is_wanted = base_alloc(n, sizeof *is_wanted);
    if (is_wanted == NULL)
        return base_error_nomem(err, "drawn anomalies");
    memset(is_wanted, true, n * sizeof *is_wanted);
    ano_status status = dataset_pick(&copy, normals, is_wanted, true, err);
    base_free(is_wanted);
    if (status == ANO_OK)
        status = data_list_class(&drawn, &copy->list, "drawn", err);
    if (status != ANO_OK) {
        ano_dataset_free(copy);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        data_item *item = &copy->list.items[i];
        base_free(item->mask);
        item->mask = NULL;
        item->class_id = drawn;
        item->label = 1;
    }
    copy->is_drawn_on = true;
    copy->seed = seed;
    *out = copy;
    return ANO_OK;
}

/* ---- access ------------------------------------------------------------------------------- */

ano_dataset_kind ano_dataset_get_kind(const ano_dataset *dataset)
{
    return dataset->kind;
}

bool ano_dataset_has_splits(const ano_dataset *dataset)
{
    return dataset->list.has_splits;
}

size_t ano_dataset_other_files(const ano_dataset *dataset)
{
    return dataset->list.n_other_files;
}

size_t ano_dataset_count(const ano_dataset *dataset)
{
    return dataset->list.n_items;
}

int ano_dataset_label(const ano_dataset *dataset, size_t i)
{
    return dataset->list.items[i].label;
}

const char *ano_dataset_class(const ano_dataset *dataset, size_t i)
{
    return dataset->list.classes[dataset->list.items[i].class_id];
}

const char *ano_dataset_path(const ano_dataset *dataset, size_t i)
{
    const char *path = dataset->list.items[i].path;
    return path != NULL ? path : dataset->file != NULL ? dataset->file : "";
}

size_t ano_dataset_index(const ano_dataset *dataset, size_t i)
{
    return dataset->list.items[i].index;
}

const char *ano_dataset_mask(const ano_dataset *dataset, size_t i)
{
    return dataset->list.items[i].mask;
}

ano_status ano_dataset_original(ano_shape *out, const ano_dataset *dataset, size_t i,
                                ano_error *err)
{
    *out = dataset->native;
    return dataset->pixels != NULL
               ? ANO_OK
               : data_decode_size(out, dataset->list.items[i].path, dataset->max_pixels, err);
}

/* Reads the file of a mask, which must be `shape`. */
static ano_status read_mask(uint8_t *dst, const char *path, ano_shape shape, size_t max_pixels,
                            ano_error *err)
{
    static const ano_view gray = {.channels = 1, .scale = 1};
    uint16_t numbers[READ_SIZE];
    data_decoder *decoder;
    ano_status status = data_decode_open(&decoder, path, &gray, max_pixels, err);
    if (status != ANO_OK)
        return status;
    const ano_shape mask = data_decode_shape(decoder);
    if (mask.height != shape.height || mask.width != shape.width)
        status = base_error(err, ANO_SHAPE, "%s: has %d x %d pixels, but its image has %d x %d",
                            path, mask.height, mask.width, shape.height, shape.width);
    const size_t size = image_size(mask);
    for (size_t done = 0, n; done < size && status == ANO_OK; done += n) {
        n = size - done < READ_SIZE ? size - done : READ_SIZE;
        status = data_decode_read(numbers, decoder, n, err);
        for (size_t k = 0; k < n && status == ANO_OK; k++)
            dst[done + k] = numbers[k] != 0;
    }
    data_decode_close(decoder);
    return status;
}

ano_status ano_dataset_read_mask(uint8_t *dst, const ano_dataset *dataset, size_t i, ano_error *err)
{
    ano_shape shape;
    const char *path = ano_dataset_mask(dataset, i);
    const ano_status status = ano_dataset_original(&shape, dataset, i, err);
    if (status != ANO_OK)
        return status;
    if (path != NULL)
        return read_mask(dst, path, shape, dataset->max_pixels, err);
    memset(dst, 0, (size_t)shape.height * (size_t)shape.width);
    return ANO_OK;
}

static ano_status read_image(float *dst, const ano_dataset *dataset, size_t i, ano_error *err)
{
    uint16_t numbers[READ_SIZE];
    data_reader reader;
    ano_status status = data_reader_open(&reader, dataset, i, err);
    const size_t size = image_size(reader.shape);
    for (size_t done = 0, n; done < size && status == ANO_OK; done += n) {
        n = size - done < READ_SIZE ? size - done : READ_SIZE;
        status = data_reader_numbers(numbers, &reader, n, err);
        if (status == ANO_OK)
            data_scale(dst + done, numbers, n);
    }
    data_reader_close(&reader);
    return status;
}

ano_status ano_dataset_read(float *dst, const ano_dataset *dataset, const size_t *indices, size_t n,
                            ano_error *err)
{
    if (!is_whole(&dataset->view))
        return base_error(err, ANO_ARG, "the data set is seen in tiles, not in whole images");
    const size_t size = image_size(ano_dataset_shape(dataset));
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        status = indices[i] < dataset->list.n_items
                     ? read_image(dst + i * size, dataset, indices[i], err)
                     : base_error(err, ANO_ARG, "image %zu is asked for, there are %zu", indices[i],
                                  dataset->list.n_items);
    return status;
}

ano_status ano_dataset_drop_unreadable(ano_dataset *dataset, size_t *n_dropped, ano_error *err)
{
    data_list *list = &dataset->list;
    const size_t n = list->n_items;
    *n_dropped = 0;
    if (dataset->pixels != NULL) /* in memory */
        return ANO_OK;
    float *image = base_alloc(image_size(ano_dataset_shape(dataset)), sizeof *image);
    bool *is_readable = base_alloc(n, sizeof *is_readable);
    ano_status status = image != NULL && is_readable != NULL
                            ? ANO_OK
                            : base_error_nomem(err, "a look at the images");
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        ano_error why = ANO_ERROR_INIT;
        const ano_status read = ano_dataset_read(image, dataset, &i, 1, &why);
        is_readable[i] = read == ANO_OK;
        if (read == ANO_NOMEM || read == ANO_ARG)
            status = base_error(err, read, "%s", why.message);
    }
    size_t n_kept = 0;
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        if (is_readable[i]) {
            list->items[n_kept++] = list->items[i];
            continue;
        }
        base_free(list->items[i].path);
        base_free(list->items[i].mask);
    }
    if (status == ANO_OK) {
        *n_dropped = n - n_kept;
        list->n_items = n_kept;
    }
    base_free(image);
    base_free(is_readable);
    return status;
}
