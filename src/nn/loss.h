/* Losses with their gradients. */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include <stddef.h>

/* Binary cross-entropy of logits against one label (0 or 1), in the stable form
 * max(x, 0) - x · label + log(1 + e^-|x|). Returns the sum over the n logits; diff [n] gets
 * weight · (σ(x) - label), the gradient of weight · sum; *probability, Σ σ(x). */
double nn_binary_cross_entropy(float *diff, double *probability, const float *logits, size_t n,
                               float label, float weight);

/* The residual loss of AnoGAN, Σ |x - G| over the n numbers of one image; diff [n], unless NULL,
 * gets its gradient by G, -sign(x - G). */
double nn_residual(float *diff, const float *x, const float *generated, size_t n);

#endif
