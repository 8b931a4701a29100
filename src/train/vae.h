/* One training step of a variational autoencoder: an encoder q(z|x) and the generator as decoder
 * (D. Kingma, M. Welling, "Auto-Encoding Variational Bayes", ICLR 2014) minimise the negative ELBO,
 * the mean over the B images of
 *
 *   -ln p(x|z) + KL(q(z|x) | N(0, 1)),   z = μ + e^(l/2) · noise   (nn/gaussian.h),
 *
 * with p(x|z) = N(G(z), σ²) for each of an image's numbers, and
 *
 *   σ² = 5 · the variance of the batch's images about their mean,
 *
 * so that contrast plays no part. σ² decides how much a direction of the images must vary to have a
 * latent (J. Lucas et al., "Don't Blame the ELBO!", NeurIPS 2019): where it is small, the
 * autoencoder learns to draw anomalies, too. */
#ifndef TRAIN_VAE_H
#define TRAIN_VAE_H

#include "model/model.h"
#include "nn/adam.h"

typedef struct train_vae train_vae;

/* Means over the batch, nats an image. */
typedef struct train_vae_result {
    double reconstruction; /* -ln p(x|z) */
    double divergence;     /* KL */
} train_vae_result;

/* The model and the optimisers [MODEL_NETWORKS] are changed by every step and must outlive it. */
ano_status train_vae_create(train_vae **out, ano_model *model, nn_adam *adam, int batch,
                            uint64_t seed, ano_error *err);
void train_vae_free(train_vae *vae);

/* Where the caller puts the images before a step: [batch][size][size][channels]. Lent. */
float *train_vae_images(train_vae *vae);

/* The noise is a function of the seed and `step`. The model's variance follows those of the steps,
 * as batch norm's moving statistics do. */
ano_status train_vae_run(train_vae_result *result, train_vae *vae, uint64_t step, ano_error *err);

/* The gradients that the last step used, of the encoder and of the generator; of others NULL. Lent.
 */
const float *train_vae_gradients(const train_vae *vae, ano_network network);

#endif
