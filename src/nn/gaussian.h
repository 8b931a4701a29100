/* The Gaussians of a variational autoencoder (D. Kingma, M. Welling, "Auto-Encoding Variational
 * Bayes", ICLR 2014). An encoder says of an image what its latent vector may be by a code
 * [2 · latent], means μ and then log variances l:
 *
 *   q(z|x) = N(μ, e^l),   z = μ + e^(l/2) · noise,   noise of N(0, 1),
 *   KL(q | N(0, 1)) = ½ Σ (μ² + e^l - l - 1).
 *
 * Log variances further than NN_LOG_VARIANCE from 0 count as that, so that all stays finite. */
#ifndef NN_GAUSSIAN_H
#define NN_GAUSSIAN_H

#include <stddef.h>

#define NN_LOG_VARIANCE 20.0f

/* z [latent] from a code and noise [latent]. */
void nn_gaussian_sample(float *z, const float *code, const float *noise, size_t latent);

/* KL of a code, in nats. */
double nn_gaussian_divergence(const float *code, size_t latent);

/* From the gradient by z, diff_z [latent], that by the code of loss(z) + weight · KL into diff_code
 * [2 · latent]. */
void nn_gaussian_backward(float *diff_code, const float *diff_z, const float *code,
                          const float *noise, size_t latent, float weight);

#endif
