/* What the blocks of a frozen network of convolutions say of images: the maps after one of them,
 * and the way back from a gradient by the maps to one by the images. One thread; images go through
 * in groups, and what comes out of one does not depend on the others of its group, to the bit. */
#ifndef DETECT_FEATURES_H
#define DETECT_FEATURES_H

#include "nn/net.h"

typedef struct detect_features detect_features;

/* The most images of a group: enough for the weights to be worth loading. With MNIST's networks an
 * encoder's scores take a processor 0.93, 0.66 and 0.54 ms an image in groups of 7, 14 and 28. */
enum { DETECT_FEATURES_GROUP = 28 };

/* The maps after the net's `block`-th pooling, counted from 1; 0: the last. Each convolution is
 * computed in the way that costs least by count, so that the maps do not depend on timings. Make
 * it in the thread that uses it, while it is one of a parallel region. The net is only read, may
 * be shared, and must outlive it. Errors: ARG (there is no such block), NOMEM, BACKEND. */
ano_status detect_features_create(detect_features **out, const nn_net *net, int block,
                                  bool has_backward, ano_error *err);
void detect_features_free(detect_features *features);

/* Numbers in an image's maps. */
size_t detect_features_size(const detect_features *features);
/* Images of a group: fewer where a convolution is oneDNN's, which promises no independence. */
size_t detect_features_group(const detect_features *features);

/* *maps [n][size] of images [n][h][w][c], n ≤ group; lent until the next forward. */
ano_status detect_features_forward(const float **maps, detect_features *features,
                                   const float *images, size_t n, ano_error *err);

/* After a forward of n images: from a gradient by the maps, [n][size], *diff_images [n][h][w][c];
 * lent until the next backward. */
ano_status detect_features_backward(const float **diff_images, detect_features *features,
                                    const float *diff_maps, size_t n, ano_error *err);

#endif
