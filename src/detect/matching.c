#include "detect/matching.h"

#include "base/memory.h"
#include "nn/loss.h"

#include <string.h>

struct detect_matching {
    double weight;
    size_t image, size;
    detect_features *discriminator;
    float *diff; /* [group][size]: by the maps */
};

void detect_matching_free(detect_matching *matching)
{
    if (matching == NULL)
        return;
    detect_features_free(matching->discriminator);
    base_free(matching->diff);
    base_free(matching);
}

ano_status detect_matching_create(detect_matching **out, const nn_net *discriminator, int block,
                                  double weight, ano_error *err)
{
    *out = NULL;
    detect_matching *m = base_alloc(1, sizeof *m);
    if (m == NULL)
        return base_error_nomem(err, "feature matching");
    ano_status status = detect_features_create(&m->discriminator, discriminator, block, true, err);
    if (status == ANO_OK) {
        m->weight = weight;
        m->image = nn_shape_size(discriminator->src);
        m->size = detect_features_size(m->discriminator);
        m->diff = base_alloc(detect_features_group(m->discriminator) * m->size, sizeof(float));
        if (m->diff == NULL)
            status = base_error_nomem(err, "feature matching");
    }
    if (status == ANO_OK)
        *out = m;
    else
        detect_matching_free(m);
    return status;
}

size_t detect_matching_size(const detect_matching *matching)
{
    return matching->size;
}

ano_status detect_matching_features(float *dst, detect_matching *matching, const float *image,
                                    ano_error *err)
{
    const float *maps;
    const ano_status status =
        detect_features_forward(&maps, matching->discriminator, image, 1, err);
    if (status == ANO_OK)
        memcpy(dst, maps, matching->size * sizeof *dst);
    return status;
}

/* The images of one group. */
static ano_status mix_group(double *losses, float *diff, detect_matching *m, const float *generated,
                            const float *const *features, size_t n, ano_error *err)
{
    const float *maps, *diff_images;
    ano_status status = detect_features_forward(&maps, m->discriminator, generated, n, err);
    if (status != ANO_OK)
        return status;
    const double scale = m->weight * (double)m->image / (double)m->size;
    for (size_t i = 0; i < n; i++)
        losses[i] =
            (1 - m->weight) * losses[i] +
            scale * nn_residual(m->diff + i * m->size, features[i], maps + i * m->size, m->size);
    status = detect_features_backward(&diff_images, m->discriminator, m->diff, n, err);
    const float residual = (float)(1 - m->weight), feature = (float)scale;
    for (size_t k = 0; k < n * m->image && status == ANO_OK; k++)
        diff[k] = residual * diff[k] + feature * diff_images[k];
    return status;
}

ano_status detect_matching_mix(double *losses, float *diff, detect_matching *matching,
                               const float *generated, const float *const *features, size_t n,
                               ano_error *err)
{
    const size_t group = detect_features_group(matching->discriminator);
    ano_status status = ANO_OK;
    for (size_t first = 0; first < n && status == ANO_OK; first += group)
        status = mix_group(losses + first, diff + first * matching->image, matching,
                           generated + first * matching->image, features + first,
                           n - first < group ? n - first : group, err);
    return status;
}
