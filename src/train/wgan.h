/* One training step of a WGAN-GP (I. Gulrajani et al., NIPS 2017), as f-AnoGAN trains it: the
 * critic D, by B real images and as many generated ones,
 *
 *   critic:    minimise  mean D(G(z)) - mean D(x) + P,  P the gradient penalty (penalty.h), λ = 10;
 *   generator: at every fifth step, with fresh z, minimise  -mean D(G(z)).
 *
 * Step number `step` draws its z and the penalty's e by it. */
#ifndef TRAIN_WGAN_H
#define TRAIN_WGAN_H

#include "model/model.h"
#include "nn/adam.h"

typedef struct train_wgan train_wgan;

enum { TRAIN_WGAN_CRITIC_STEPS = 5 };

typedef struct train_wgan_result {
    double d_loss, g_loss; /* with the penalty; of the critic's images */
    double penalty;
} train_wgan_result;

/* The model and the optimisers [MODEL_NETWORKS] are changed by every step and must outlive it. */
ano_status train_wgan_create(train_wgan **out, ano_model *model, nn_adam *adam, int batch,
                             uint64_t seed, ano_error *err);
void train_wgan_free(train_wgan *wgan);

/* Where the caller puts the real images before a step: [batch][size][size][channels]. Lent. */
float *train_wgan_images(train_wgan *wgan);

ano_status train_wgan_run(train_wgan_result *result, train_wgan *wgan, uint64_t step,
                          ano_error *err);

/* The gradients that the last step used; NULL for a network that it left alone. Lent. */
const float *train_wgan_gradients(const train_wgan *wgan, ano_network network);

#endif
