/* Losses with their gradients. */
#ifndef NN_LOSS_H
#define NN_LOSS_H

#include <stddef.h>

/* Binary cross-entropy of logits against one label, 0 or 1, or between for smoothed ones (0.9 for
 * the discriminator's real images: T. Salimans et al., NIPS 2016), in the stable form
 * max(x, 0) - x · label + log(1 + e^-|x|). Returns the sum over the n logits; diff [n] gets
 * weight · (σ(x) - label), the gradient of weight · sum; *probability, Σ σ(x). */
double nn_binary_cross_entropy(float *diff, double *probability, const float *logits, size_t n,
                               float label, float weight);

/* Binary cross-entropy of logits against a label for each, labels [n] from 0 to 1: the mean over
 * the n logits, and in diff [n] its gradient. */
double nn_binary_cross_entropy_mean(float *diff, const float *logits, const float *labels,
                                    size_t n);

/* Cross-entropy of a softmax of the logits [n] of one of n classes, the label: returns -ln of its
 * probability, to full relative precision where that is near 1. diff [n], unless NULL, gets the
 * gradient of weight times that: weight · (p - 1 at the label). */
double nn_softmax_cross_entropy(float *diff, const float *logits, size_t n, size_t label,
                                float weight);

/* Losses on the critic's output by the side it is to be on: 1 for real images, and for generated
 * ones in the generator's step, -1 for generated ones in the critic's. Each returns the sum over
 * the n outputs; diff [n] gets the gradient of weight · sum.
 *
 * Wasserstein (M. Arjovsky et al., ICML 2017): -side · D(x), unbounded: the critic needs a gradient
 * penalty. */
double nn_wasserstein(float *diff, const float *outputs, size_t n, float side, float weight);
/* Hinge (J. H. Lim, J. C. Ye, 2017; T. Miyato et al., ICLR 2018): max(0, 1 - side · D(x)); the
 * critic's, the generator's is the Wasserstein loss. */
double nn_hinge(float *diff, const float *outputs, size_t n, float side, float weight);

/* The residual loss of AnoGAN, Σ |x - G| over the n numbers of one image; diff [n], unless NULL,
 * gets its gradient by G, -sign(x - G). */
double nn_residual(float *diff, const float *x, const float *generated, size_t n);

#endif
