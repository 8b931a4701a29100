/* What a method trains its networks for: the seam between the loop, which is the same for all, and
 * the steps, of which each method has one. */
#ifndef TRAIN_OBJECTIVE_H
#define TRAIN_OBJECTIVE_H

#include "model/model.h"
#include "nn/adam.h"
#include "train/weights.h"

/* What a step has made of a batch. */
typedef struct train_result {
    double losses[ANO_MAX_LOSSES]; /* by ano_loss_name(); what a method does not have is 0 */
} train_result;

typedef struct train_objective train_objective;

/* For batches of options->batch images, epochs of so many steps. The weights with their model and
 * the optimisers [MODEL_NETWORKS] are changed by every step and must outlive it, as the options.
 * Steps allocate nothing. */
ano_status train_objective_create(train_objective **out, train_weights *weights, nn_adam *adam,
                                  const ano_train_options *options, int steps, ano_error *err);
void train_objective_free(train_objective *objective);

/* Where the caller puts the images of a step: [batch][size][size][channels]. Lent; the step may
 * change them. */
float *train_objective_images(train_objective *objective);

/* Step number `step` of the training, counted from 0 over all epochs: what it draws at random is a
 * function of options->seed and this. */
ano_status train_objective_run(train_result *result, train_objective *objective, uint64_t step,
                               ano_error *err);

/* The gradients that the last step used, in the order of the network's parameters; NULL for a
 * network that it does not train. Lent. */
const float *train_objective_gradients(const train_objective *objective, ano_network network);

/* The images of the last step that a generator made against a discriminator,
 * [batch][size][size][channels]; NULL where there are none. Lent. */
const float *train_objective_generated(const train_objective *objective);
/* Where there are: train_gan_excess(). */
double train_objective_excess(const train_objective *objective, double d_loss);

#endif
