/* How unlikely a variational autoencoder finds an image x of D numbers (J. An, S. Cho, "Variational
 * Autoencoder based Anomaly Detection using Reconstruction Probability", 2015): with K samples z of
 * q(z|x) from noise that is the same for every image, and training's σ, the reconstruction
 * probability is
 *
 *   -E ln p(x|z) = mean over the samples of Σ (x - G(z))² / (2 σ²)   (nats),
 *
 * less D/2 · ln(2π σ²), which all images share; the negative ELBO adds KL(q(z|x) | N(0, 1)). What
 * is unexplained is
 *
 *   mean over the samples of Σ (B (x - G(z)))² / (Σ (x - mean of x)² + D · σ² / 50),
 *
 * B a Gaussian blur of 1 pixel, for an edge that lies a little elsewhere is no anomaly.
 * The map is what a pixel has of the sum, averaged over its channels; the
 * image generated is the mean of the G(z). */
#ifndef DETECT_VAE_H
#define DETECT_VAE_H

#include "detect/scorer.h"

typedef struct detect_vae detect_vae;

/* The model must outlive it. Errors: ARG (it is not trained). */
ano_status detect_vae_create(detect_vae **out, const ano_model *model,
                             const ano_score_options *options, ano_error *err);
void detect_vae_free(detect_vae *vae);

size_t detect_vae_width(const detect_vae *vae);

/* As detect_scorer_run(). */
ano_status detect_vae_run(const detect_found *found, detect_vae *vae, const float *tiles, size_t n,
                          detect_tick *tick, void *cookie, ano_error *err);

#endif
