/* Two ways in which a GAN goes wrong without an error (I. Goodfellow, NIPS 2016 Tutorial, sections
 * 5.1 and 4.3):
 *
 *   the generator collapses: whatever z is, it makes the same image. Told by the mean squared
 *   distance between two images of a batch, generated ones beside real ones;
 *
 *   the discriminator wins: it is never wrong, and its gradient tells the generator nothing. Told
 *   by its loss, where that has a least.
 *
 * Either must last, for both occur in passing. */
#ifndef TRAIN_COLLAPSE_H
#define TRAIN_COLLAPSE_H

#include "base/error.h"

#include <stdbool.h>

enum { TRAIN_COLLAPSE_EPOCHS = 5 }; /* that it must last */

/* All 0 in the beginning. */
typedef struct train_collapse {
    int alike, decided;            /* epochs on end of the one and the other */
    bool told_alike, told_decided; /* once is enough */
} train_collapse;

/* After an epoch, of its last batch: real and generated [n][size], and by how much the
 * discriminator's loss exceeds its least (train_gan_excess()). Returns what to tell people, NULL
 * for nothing. */
const char *train_collapse_watch(train_collapse *collapse, const float *real,
                                 const float *generated, size_t n, size_t size, double d_excess);

#endif
