/* One training step of a GAN (I. Goodfellow et al., NIPS 2014): the discriminator D moves, by B
 * real images x and as many that the generator G makes, then with fresh z the generator. They
 * minimise, with means over B images, by ano_gan_loss
 *
 *   BCE          D: (mean BCE(D(x), 1 - s) + mean BCE(D(G(z)), 0)) / 2
 *                G: mean BCE(D(G(z)), 1), non-saturating
 *   HINGE        D: mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))
 *                G: -mean D(G(z))
 *   WASSERSTEIN  D: mean D(G(z)) - mean D(x) + P
 *                G: -mean D(G(z)), at every fifth step
 *
 * (hinge: J. H. Lim, J. C. Ye, "Geometric GAN", 2017; Wasserstein: I. Gulrajani et al., NIPS 2017,
 * as f-AnoGAN trains its GAN), s being the one-sided label smoothing (T. Salimans et al., NIPS
 * 2016) and P the gradient penalty (penalty.h), λ = 10. */
#ifndef TRAIN_GAN_H
#define TRAIN_GAN_H

#include "nn/adam.h"
#include "train/weights.h"

typedef struct train_gan train_gan;

enum { TRAIN_GAN_CRITIC_STEPS = 5 }; /* to one of the generator, with WASSERSTEIN */

typedef struct train_gan_result {
    double d_loss, g_loss; /* what they minimise; g_loss with WASSERSTEIN for D's images */
    double d_real, d_fake; /* means of what D says, with BCE of its probability "real" */
    double penalty;        /* P, part of d_loss */
} train_gan_result;

/* The options' loss, or what is usual of the method; never ANO_GAN_LOSS_OF_METHOD. */
ano_gan_loss train_gan_loss(ano_method method, const ano_train_options *options);

/* Batches of B = options->batch images. The weights with their model, the optimisers
 * [MODEL_GAN_NETWORKS] and the options must outlive it; all but the last change with every step.
 * Nothing is allocated after this. */
ano_status train_gan_create(train_gan **out, train_weights *weights, nn_adam *adam,
                            const ano_train_options *options, ano_error *err);
void train_gan_free(train_gan *gan);

/* Where the caller puts the B real images before a step: [B][size][size][channels]. Lent. */
float *train_gan_images(train_gan *gan);

/* The images that the discriminator was last shown beside them, of the same shape. Lent. */
const float *train_gan_generated(const train_gan *gan);

/* How much a loss of the discriminator exceeds the least, that of one that is never wrong; with
 * WASSERSTEIN, which has no least, INFINITY. */
double train_gan_excess(const train_gan *gan, double d_loss);

/* Step number `step`, by which it draws its z of the model's prior. */
ano_status train_gan_run(train_gan_result *result, train_gan *gan, uint64_t step, ano_error *err);
/* The same with z_d and z_g [B][latent] for the two halves of the step. */
ano_status train_gan_run_by(train_gan_result *result, train_gan *gan, const float *z_d,
                            const float *z_g, uint64_t step, ano_error *err);

/* The gradients that the last step used, by what was trained, in the order of the network's
 * parameters; NULL for a network that it left alone. Lent. */
const float *train_gan_gradients(const train_gan *gan, ano_network network);

#endif
