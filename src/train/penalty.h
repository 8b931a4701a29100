/* The gradient penalty of WGAN-GP (I. Gulrajani et al., "Improved Training of Wasserstein GANs",
 * NIPS 2017, algorithm 1): a critic D whose gradient by its image is to have norm 1 on the lines
 * between real and generated images,
 *
 *   x̂ = e · x + (1 - e) · G(z), e uniform in [0, 1] for each pair
 *   g = ∂D(x̂)/∂x̂
 *   P = λ · mean over the batch of (|g| - 1)².
 *
 * Its gradient by the parameters θ needs the second derivatives of D. With v = ∂P/∂g =
 * 2 λ / B · (|g| - 1) · g / |g|, held fixed, it is ∂(Σ v · g)/∂θ, which nn_pass_tangent() gives
 * exactly. */
#ifndef TRAIN_PENALTY_H
#define TRAIN_PENALTY_H

#include "nn/net.h"

typedef struct train_penalty train_penalty;

typedef struct train_penalty_result {
    double penalty; /* P */
    double norm;    /* mean of |g| */
} train_penalty_result;

/* For batches of B = `batch` pairs. The critic, which has one output, must outlive it. Nothing is
 * allocated after this. Errors: SHAPE (more outputs), UNSUPPORTED (a layer that nn_pass_tangent()
 * does not have, as batch norm, which the paper advises against: it makes D(x̂) depend on the other
 * images), NOMEM, BACKEND. */
ano_status train_penalty_create(train_penalty **out, const nn_net *critic, int batch,
                                ano_error *err);
void train_penalty_free(train_penalty *penalty);

/* Adds the gradient of P by the critic's parameters to `gradients` [n_parameters]. real and
 * generated [B][critic's src], e [B], weight λ (10 in the paper). Where g = 0, where |g| has no
 * gradient, v is 0. */
ano_status train_penalty_add(train_penalty_result *result, train_penalty *penalty,
                             const float *real, const float *generated, const float *e,
                             double weight, float *gradients, ano_error *err);

#endif
