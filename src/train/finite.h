/* Training that breaks down shows first as a number that is NaN or infinite, which then spreads. */
#ifndef TRAIN_FINITE_H
#define TRAIN_FINITE_H

#include "model/model.h"

/* After a step: whether its losses, by ano_loss_name(), the gradients it used, each as its
 * network's parameters, or NULL for one that it does not train, and the weights that came of them
 * are finite. They are looked at in the order in which they are computed, and the first tensor that
 * is not finite is named: a gradient's way is from a network's end to its beginning. NUMERIC: "the
 * discriminator broke down first: the gradient of conv_1.kernel is not finite". */
ano_status train_check_finite(const ano_model *model, const float *const gradients[MODEL_NETWORKS],
                              const double losses[ANO_MAX_LOSSES], ano_error *err);

#endif
