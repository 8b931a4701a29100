#include "detect/recall.h"

#include "base/memory.h"
#include "detect/describe.h"
#include "detect/interpolate.h"
#include "detect/transforms.h"
#include "eval/nearest.h"
#include "eval/products.h"
#include "model/memory.h"

#include <string.h>

/* Images described at a time. */
enum { TOGETHER = EVAL_TOGETHER };

struct detect_recall {
    ano_shape shape;
    const model_bank *bank;
    detect_transforms *transforms; /* or, where it is NULL: */
    detect_describer *describer;
    eval_nearest *nearest;
    float *vectors; /* [TOGETHER][d] */
    float *cells;   /* [d], of a map: more than there are */
};

void detect_recall_free(detect_recall *recall)
{
    if (recall == NULL)
        return;
    detect_transforms_free(recall->transforms);
    detect_describer_free(recall->describer);
    eval_nearest_free(recall->nearest);
    base_free(recall->vectors);
    base_free(recall->cells);
    base_free(recall);
}

ano_status detect_recall_create(detect_recall **out, const ano_model *model, ano_memory kind,
                                const model_bank *bank, bool maps, ano_error *err)
{
    *out = NULL;
    detect_recall *r = base_alloc(1, sizeof *r);
    if (r == NULL)
        return base_error_nomem(err, "memory");
    const ano_view view = model_memory_view(model, kind);
    r->shape = (ano_shape){view.size, view.size, view.channels};
    r->bank = bank;
    ano_status status;
    if (kind == ANO_MEMORY_TRANSFORMS) {
        status = detect_transforms_create(&r->transforms, bank->vectors, view.size, view.channels,
                                          maps, err);
    } else {
        r->vectors = base_alloc(TOGETHER * bank->d, sizeof(float));
        r->cells = base_alloc(bank->d, sizeof(float));
        status = r->vectors != NULL && r->cells != NULL
                     ? detect_describer_create(&r->describer, model, kind, err)
                     : base_error_nomem(err, "memory");
        if (status == ANO_OK)
            status = eval_nearest_create(&r->nearest, bank->vectors, bank->n, bank->d, err);
    }
    if (status == ANO_OK)
        *out = r;
    else
        detect_recall_free(r);
    return status;
}

ano_shape detect_recall_shape(const detect_recall *recall)
{
    return recall->shape;
}

size_t detect_recall_image(const detect_recall *recall)
{
    const ano_shape shape = recall->shape;
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

/* map [height][width] of an image by its vector and the nearest. */
static void draw_map(float *map, const detect_recall *r, const float *vector, const float *nearest)
{
    eval_grid grids[MODEL_FEATURES_MAPS];
    const size_t n_grids = detect_describer_grids(grids, r->describer);
    memset(map, 0, (size_t)r->shape.height * (size_t)r->shape.width * sizeof *map);
    for (size_t g = 0; g < n_grids; g++) {
        const size_t n_cells = grids[g].down * grids[g].across;
        const float a_pixel = 1 / (grids[g].cell_height * grids[g].cell_width);
        for (size_t i = 0; i < n_cells; i++) {
            r->cells[i] =
                (float)eval_squared_distance(vector, nearest, grids[g].channels) * a_pixel;
            vector += grids[g].channels;
            nearest += grids[g].channels;
        }
        detect_interpolate(map, 0, r->shape.height, r->shape.width, r->cells, grids[g]);
    }
}

/* Of n ≤ TOGETHER images. */
static ano_status compare(float *dst, float *maps, detect_recall *r, const float *images, size_t n,
                          ano_error *err)
{
    const size_t d = r->bank->d, n_pixels = (size_t)r->shape.height * (size_t)r->shape.width;
    size_t rows[TOGETHER];
    ano_status status = detect_describe(r->vectors, r->describer, images, n, err);
    if (status == ANO_OK)
        status = eval_nearest_distances(dst, rows, r->nearest, r->vectors, n, err);
    for (size_t i = 0; i < n && status == ANO_OK && maps != NULL; i++)
        draw_map(maps + i * n_pixels, r, r->vectors + i * d, r->bank->vectors + rows[i] * d);
    return status;
}

ano_status detect_recall_distances(float *dst, float *maps, detect_recall *recall,
                                   const float *images, size_t n, ano_error *err)
{
    if (recall->transforms != NULL)
        return detect_transforms_confusions(dst, maps, recall->transforms, images, n, err);
    const size_t n_pixels = (size_t)recall->shape.height * (size_t)recall->shape.width;
    ano_status status = ANO_OK;
    for (size_t first = 0; first < n && status == ANO_OK; first += TOGETHER)
        status = compare(dst + first, maps != NULL ? maps + first * n_pixels : NULL, recall,
                         images + first * detect_recall_image(recall),
                         n - first < TOGETHER ? n - first : TOGETHER, err);
    return status;
}

ano_status detect_recall_read(float *dst, const ano_model *model, ano_memory kind,
                              const ano_dataset *dataset, size_t i, ano_error *err)
{
    /* Lends the lists and pixels. What is drawn belongs to a window of the data set's own view. */
    ano_dataset whole = *dataset;
    whole.view = model_memory_view(model, kind);
    whole.is_drawn_on = dataset->is_drawn_on && dataset->view.stride == 0;
    return ano_dataset_read(dst, &whole, &i, 1, err);
}
