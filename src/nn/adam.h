/* Adam over a flat array of parameters, with the moments beside it. */
#ifndef NN_ADAM_H
#define NN_ADAM_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Keras's default of what is added to √v. */
#define NN_ADAM_EPSILON 1e-7

typedef struct nn_adam {
    double rate, beta1, beta2;
    uint64_t steps; /* done so far */
    size_t n;
    float *m, *v; /* first and second moments, [n] */
} nn_adam;

ano_status nn_adam_init(nn_adam *adam, size_t n, double rate, double beta1, double beta2,
                        ano_error *err);
void nn_adam_clear(nn_adam *adam);

/* parameters [n] and gradients [n]. */
void nn_adam_step(nn_adam *adam, float *parameters, const float *gradients);

/* The step size with both bias corrections in it, for the t-th step (from 1):
 * rate · √(1 - β2ᵗ) / (1 - β1ᵗ). */
double nn_adam_rate(double rate, double beta1, double beta2, uint64_t t);

#endif
