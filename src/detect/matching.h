/* AnoGAN's loss (T. Schlegl et al., IPMI 2017): beside the residual, how far apart an image x and a
 * generated one G are by the maps f of a block of the discriminator (feature matching: T. Salimans
 * et al., "Improved Techniques for Training GANs", NIPS 2016),
 *
 *     L = (1 - λ) · Σ |x - G| + λ · N · mean |f(x) - f(G)|.
 *
 * N, the numbers of an image, makes the second a sum like the first, whatever the block's size: λ
 * means the same for every block. */
#ifndef DETECT_MATCHING_H
#define DETECT_MATCHING_H

#include "detect/features.h"

typedef struct detect_matching detect_matching;

/* Of one thread, which makes it (features.h). The discriminator must outlive it. */
ano_status detect_matching_create(detect_matching **out, const nn_net *discriminator, int block,
                                  double weight, ano_error *err);
void detect_matching_free(detect_matching *matching);

/* Numbers of f. */
size_t detect_matching_size(const detect_matching *matching);

/* f [size] of an image. */
ano_status detect_matching_features(float *dst, detect_matching *matching, const float *image,
                                    ano_error *err);

/* Makes of residuals [n] and their gradients diff [n][image] by the generated images [n][image] the
 * losses and theirs. features [n] points to f of each x. */
ano_status detect_matching_mix(double *losses, float *diff, detect_matching *matching,
                               const float *generated, const float *const *features, size_t n,
                               ano_error *err);

#endif
