#include "detect/describe.h"

#include "base/memory.h"
#include "model/memory.h"

struct detect_describer {
    size_t image, length;
    eval_descriptor *descriptor; /* one of these; the other is NULL */
    model_features *features;
};

void detect_describer_free(detect_describer *describer)
{
    if (describer == NULL)
        return;
    eval_descriptor_free(describer->descriptor);
    model_features_free(describer->features);
    base_free(describer);
}

ano_status detect_describer_create(detect_describer **out, const ano_model *model, ano_memory kind,
                                   ano_error *err)
{
    *out = NULL;
    detect_describer *d = base_alloc(1, sizeof *d);
    if (d == NULL)
        return base_error_nomem(err, "descriptions");
    const ano_view view = model_memory_view(model, kind);
    const ano_shape shape = {view.size, view.size, view.channels};
    d->image = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    ano_status status = model_memory_length(&d->length, model, kind, err);
    if (status == ANO_OK && kind == ANO_MEMORY_FEATURES)
        status = model_features_create(&d->features, model_features_net(model), err);
    else if (status == ANO_OK)
        status = eval_descriptor_create(&d->descriptor, model_memory_descriptor(kind), shape, err);
    if (status == ANO_OK)
        *out = d;
    else
        detect_describer_free(d);
    return status;
}

size_t detect_describer_image(const detect_describer *describer)
{
    return describer->image;
}

size_t detect_describer_length(const detect_describer *describer)
{
    return describer->length;
}

size_t detect_describer_grids(eval_grid grids[MODEL_FEATURES_MAPS],
                              const detect_describer *describer)
{
    if (describer->features != NULL)
        return model_features_grids(grids, describer->features);
    grids[0] = eval_descriptor_grid(describer->descriptor);
    return 1;
}

ano_status detect_describe(float *dst, detect_describer *describer, const float *images, size_t n,
                           ano_error *err)
{
    return describer->features != NULL
               ? model_features_describe(dst, describer->features, images, n, err)
               : eval_describe(dst, describer->descriptor, images, n, err);
}
