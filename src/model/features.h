/* What a discriminator or an encoder sees of an image, as one vector that can be compared by
 * distance: the maps after each of its convolutions, by cells of 4 × 4 pixels of a map.
 * docs/methods.md, "Memory", has the formula. */
#ifndef MODEL_FEATURES_H
#define MODEL_FEATURES_H

#include "eval/descriptors.h"
#include "model/model.h"

typedef struct model_features model_features;

/* The network of the model whose maps they are: its discriminator, of patches or of images, or
 * where it has none its encoder; NULL where it has neither. */
const nn_net *model_features_net(const ano_model *model);

/* The most maps that are described. */
enum { MODEL_FEATURES_MAPS = 16 };

/* How many numbers describe an image. */
size_t model_features_length(const nn_net *net);

/* For as many threads as there are now; the net must outlive it. */
ano_status model_features_create(model_features **out, const nn_net *net, ano_error *err);
void model_features_free(model_features *features);

/* The grids [n] that follow one another in a vector, a map each, n ≤ MODEL_FEATURES_MAPS; returns
 * n. */
size_t model_features_grids(eval_grid grids[MODEL_FEATURES_MAPS], const model_features *features);

/* dst [n][length] describes images [n] of the net's src; each depends on its image and the net
 * alone. A vector has length 1, or is 0 where all maps are those of the black image. Errors:
 * BACKEND. */
ano_status model_features_describe(float *dst, model_features *features, const float *images,
                                   size_t n, ano_error *err);

#endif
