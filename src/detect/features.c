#include "detect/features.h"

#include "base/memory.h"
#include "model/networks.h"
#include "nn/choose.h"

#include <string.h>

struct detect_features {
    nn_layer *layers; /* the net's, but for how their convolutions are computed */
    nn_net head;
    nn_pass *pass;
    size_t group, image, size;
    float *images, *diff_maps; /* [group][image], [group][size] */
};

/* The transform of whole planes takes fewer products than Winograd's tiles, and both fewer than a
 * direct convolution (docs/methods.md). */
static nn_conv_method cheapest(const nn_net *net, int layer)
{
    static const nn_conv_method ways[] = {NN_CONV_THIN, NN_CONV_FFT, NN_CONV_WINOGRAD};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (nn_conv_can(net, layer, ways[i]))
            return ways[i];
    return NN_CONV_DIRECT;
}

ano_status detect_features_create(detect_features **out, const nn_net *net, int block,
                                  bool has_backward, ano_error *err)
{
    *out = NULL;
    const int n_layers = model_feature_layers(net, block);
    if (n_layers == 0)
        return base_error(err, ANO_ARG, "the network has no block %d", block);
    detect_features *f = base_alloc(1, sizeof *f);
    if (f == NULL)
        return base_error_nomem(err, "features");
    f->layers = base_alloc((size_t)n_layers, sizeof *f->layers);
    ano_status status = f->layers != NULL ? ANO_OK : base_error_nomem(err, "features");
    if (status == ANO_OK) {
        memcpy(f->layers, net->layers, (size_t)n_layers * sizeof *f->layers);
        f->head = nn_net_head(net, n_layers);
        f->head.layers = f->layers;
        f->group = DETECT_FEATURES_GROUP;
        for (int i = 0; i < n_layers; i++) {
            f->layers[i].method = cheapest(&f->head, i);
            if (f->layers[i].kind == NN_CONV && f->layers[i].method == NN_CONV_DIRECT)
                f->group = 1;
        }
        f->image = nn_shape_size(f->head.src);
        f->size = nn_shape_size(f->head.dst);
        f->images = base_alloc(f->group * f->image, sizeof(float));
        f->diff_maps = base_alloc(f->group * f->size, sizeof(float));
        if (f->images == NULL || f->diff_maps == NULL)
            status = base_error_nomem(err, "features");
    }
    if (status == ANO_OK)
        status = nn_pass_create(&f->pass, &f->head, (int)f->group,
                                NN_FROZEN | (has_backward ? NN_DATA_GRADIENT : 0), err);
    if (status == ANO_OK)
        *out = f;
    else
        detect_features_free(f);
    return status;
}

void detect_features_free(detect_features *features)
{
    if (features == NULL)
        return;
    nn_pass_free(features->pass);
    base_free(features->layers);
    base_free(features->images);
    base_free(features->diff_maps);
    base_free(features);
}

size_t detect_features_size(const detect_features *features)
{
    return features->size;
}

size_t detect_features_group(const detect_features *features)
{
    return features->group;
}

/* What is left of a group that is not full keeps the numbers of earlier images. */
ano_status detect_features_forward(const float **maps, detect_features *features,
                                   const float *images, size_t n, ano_error *err)
{
    memcpy(features->images, images, n * features->image * sizeof(float));
    return nn_pass_forward(maps, features->pass, features->images, err);
}

ano_status detect_features_backward(const float **diff_images, detect_features *features,
                                    const float *diff_maps, size_t n, ano_error *err)
{
    memcpy(features->diff_maps, diff_maps, n * features->size * sizeof(float));
    return nn_pass_backward(diff_images, features->pass, features->diff_maps, NULL, err);
}
