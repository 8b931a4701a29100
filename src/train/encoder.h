/* One training step of f-AnoGAN's encoder E (T. Schlegl et al., "f-AnoGAN: Fast Unsupervised
 * Anomaly Detection with Generative Adversarial Networks", Medical Image Analysis 2019), generator
 * G and critic frozen. With f the critic's last maps and means over the numbers of all images, E
 * minimises
 *
 *   izi_f:  mean |x - G(E(x))|² + κ · mean |f(x) - f(G(E(x)))|²,  κ = 1
 *   izi:    the first of these
 *   ziz:    mean |z - E(G(z))|²,  z drawn from the prior. */
#ifndef TRAIN_ENCODER_H
#define TRAIN_ENCODER_H

#include "model/model.h"
#include "nn/adam.h"

typedef struct train_encoder train_encoder;

/* E and its optimiser are changed by every step; the model must outlive it. Generator and critic
 * must not change any more from the first step on. */
ano_status train_encoder_create(train_encoder **out, const ano_model *model, nn_adam *adam,
                                ano_encoding encoding, int batch, uint64_t seed, ano_error *err);
void train_encoder_free(train_encoder *encoder);

/* By images [batch][size][size][channels]; step number `step` draws its z by it. */
ano_status train_encoder_run(double *loss, train_encoder *encoder, const float *images,
                             uint64_t step, ano_error *err);

/* E's gradients that the last step used. Lent. */
const float *train_encoder_gradients(const train_encoder *encoder);

#endif
