/* The kind of memory that is a network: a classifier that learns from normal images by which of 20
 * transformations an image was moved (model/transforms.h), and how unsure of it it is of an image.
 *     confusion(x) = 1/20 Σ over t of -ln p(t | t(x))
 * I. Golan, R. El-Yaniv, "Deep Anomaly Detection Using Geometric Transformations", NeurIPS 2018,
 * with shifts as theirs; as a head's loss beside a GAN's: T. Chen et al., "Self-Supervised GANs via
 * Auxiliary Rotation Loss", CVPR 2019. */
#ifndef DETECT_TRANSFORMS_H
#define DETECT_TRANSFORMS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Told of the share of training that is done; not ANO_OK ends it with that. */
typedef ano_status detect_transforms_progress(double share, void *cookie, ano_error *err);

/* parameters [of model_transforms_lay_out()] = those learned from images [n][size][size][channels],
 * n > 0, with the threads that there are now. Errors: NUMERIC (the loss is not finite). */
ano_status detect_transforms_train(float *parameters, const float *images, size_t n, int size,
                                   int channels, uint64_t seed,
                                   detect_transforms_progress *progress, void *cookie,
                                   ano_error *err);

typedef struct detect_transforms detect_transforms;

/* For as many threads as there are now; the parameters are copied. `maps`: maps will be wanted. */
ano_status detect_transforms_create(detect_transforms **out, const float *parameters, int size,
                                    int channels, bool maps, ano_error *err);
void detect_transforms_free(detect_transforms *transforms);

/* dst [n] = the confusions of images [n][size][size][channels], each of which depends on its image
 * alone; maps [n][size][size], where the maps are wanted, else NULL, what in the image makes for
 * the confusion: by cells of 4 x 4 pixels the sum of (x - black) ∂confusion/∂x where it is above 0
 * (gradient times input: A. Shrikumar et al., "Not Just a Black Box", 2016), a pixel's share of it,
 * linear between the middles of the cells. */
ano_status detect_transforms_confusions(float *dst, float *maps, detect_transforms *transforms,
                                        const float *images, size_t n, ano_error *err);

#endif
