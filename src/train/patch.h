/* One training step of a discriminator of patches: of a batch of normal images every second one
 * gets an anomaly drawn onto it, and the discriminator learns to tell where.
 *
 *   minimise the mean over all cells of all images of BCE(P(x), target),
 *
 * the target of a cell being 1 where at least a quarter of its pixels were changed, less where
 * fewer were. */
#ifndef TRAIN_PATCH_H
#define TRAIN_PATCH_H

#include "nn/adam.h"
#include "nn/net.h"

typedef struct train_patch train_patch;

/* The network and the optimiser are changed by every step and must outlive it. */
ano_status train_patch_create(train_patch **out, nn_net *discriminator, nn_adam *adam, int batch,
                              uint64_t seed, ano_error *err);
void train_patch_free(train_patch *patch);

/* Where the caller puts the normal images before a step: [batch][size][size][channels]. Lent. */
float *train_patch_images(train_patch *patch);

/* What is drawn is a function of the images, the seed and `step`. *loss is the mean. */
ano_status train_patch_run(double *loss, train_patch *patch, uint64_t step, ano_error *err);

/* The gradients that the last step used. Lent. */
const float *train_patch_gradients(const train_patch *patch);

#endif
