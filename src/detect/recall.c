#include "detect/recall.h"

#include "base/memory.h"
#include "detect/describe.h"
#include "detect/transforms.h"
#include "eval/nearest.h"
#include "eval/products.h"
#include "model/memory.h"

/* Images described at a time. */
enum { TOGETHER = EVAL_TOGETHER };

struct detect_recall {
    size_t image;
    detect_transforms *transforms; /* or, where it is NULL: */
    detect_describer *describer;
    eval_nearest *nearest;
    float *vectors; /* [TOGETHER][d] */
};

void detect_recall_free(detect_recall *recall)
{
    if (recall == NULL)
        return;
    detect_transforms_free(recall->transforms);
    detect_describer_free(recall->describer);
    eval_nearest_free(recall->nearest);
    base_free(recall->vectors);
    base_free(recall);
}

ano_status detect_recall_create(detect_recall **out, const ano_model *model, ano_memory kind,
                                const model_bank *bank, ano_error *err)
{
    *out = NULL;
    detect_recall *r = base_alloc(1, sizeof *r);
    if (r == NULL)
        return base_error_nomem(err, "memory");
    const ano_view view = model_memory_view(model, kind);
    r->image = (size_t)view.size * (size_t)view.size * (size_t)view.channels;
    ano_status status;
    if (kind == ANO_MEMORY_TRANSFORMS) {
        status =
            detect_transforms_create(&r->transforms, bank->vectors, view.size, view.channels, err);
    } else {
        r->vectors = base_alloc(TOGETHER * bank->d, sizeof(float));
        status = r->vectors != NULL ? detect_describer_create(&r->describer, model, kind, err)
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

size_t detect_recall_image(const detect_recall *recall)
{
    return recall->image;
}

ano_status detect_recall_distances(float *dst, detect_recall *recall, const float *images, size_t n,
                                   ano_error *err)
{
    if (recall->transforms != NULL)
        return detect_transforms_confusions(dst, recall->transforms, images, n, err);
    ano_status status = ANO_OK;
    for (size_t first = 0; first < n && status == ANO_OK; first += TOGETHER) {
        const size_t group = n - first < TOGETHER ? n - first : TOGETHER;
        status = detect_describe(recall->vectors, recall->describer, images + first * recall->image,
                                 group, err);
        if (status == ANO_OK)
            status =
                eval_nearest_distances(dst + first, recall->nearest, recall->vectors, group, err);
    }
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
