/* One training step of a GAN (I. Goodfellow et al., NIPS 2014), with the non-saturating loss for
 * the generator:
 *
 *   discriminator: minimise the mean over 2B images of BCE(D(x), 1) for B real, BCE(D(G(z)), 0) for
 *                  B generated ones;
 *   generator:     with fresh z, minimise the mean over B of BCE(D(G(z)), 1). */
#ifndef TRAIN_STEP_H
#define TRAIN_STEP_H

#include "model/model.h"
#include "nn/adam.h"

typedef struct train_step train_step;

typedef struct train_step_result {
    double d_loss, g_loss; /* means over the step's 2B and B images */
    double d_real, d_fake; /* means of D's probability "real" */
} train_step_result;

/* Batches of B = `batch` images. The model and the optimisers [MODEL_GAN_NETWORKS] are changed by
 * every step and must outlive it. Nothing is allocated after this. */
ano_status train_step_create(train_step **out, ano_model *model, nn_adam *adam, int batch,
                             ano_error *err);
void train_step_free(train_step *step);

/* Where the caller puts the B real images before a step: [B][size][size][channels]. Lent. */
float *train_step_real(train_step *step);

/* The images that the discriminator was last shown beside them, of the same shape. Lent. */
const float *train_step_generated(const train_step *step);

/* z_d and z_g [B][latent] for the two halves of the step. */
ano_status train_step_run(train_step_result *result, train_step *step, const float *z_d,
                          const float *z_g, ano_error *err);

/* The gradients that the last step used, in the order of the network's parameters. Lent. */
const float *train_step_gradients(const train_step *step, ano_network network);

#endif
