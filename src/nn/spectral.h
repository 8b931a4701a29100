/* Spectral normalisation (T. Miyato et al., "Spectral Normalization for Generative Adversarial
 * Networks", ICLR 2018): every kernel W̄ of a net is a W that is trained, divided by its largest
 * singular value, which keeps each layer's gain near 1. With W [rows][columns], rows all dimensions
 * but the last,
 *
 *   v ← W u / |W u|,  u ← Wᵀ v / |Wᵀ v|,  σ = vᵀ W u,  W̄ = W / σ,
 *
 * one step of the power method for each step of training, from the u of the step before. */
#ifndef NN_SPECTRAL_H
#define NN_SPECTRAL_H

#include "nn/net.h"

typedef struct nn_spectral {
    nn_net *net;         /* holds W̄, so that passes and files know of nothing */
    float *parameters;   /* W and all else, laid out as the net's: what an optimiser moves */
    size_t n_right;      /* Σ columns of the kernels */
    float *right;        /* every kernel's u, end to end: a checkpoint keeps them */
    float *left;         /* every kernel's v, end to end */
    double *largest;     /* [net->n_tensors]: every kernel's σ */
    double *column_sums; /* scratch */
} nn_spectral;

/* Takes the net's parameters as they are for W, and u from the seed; the net changes with the first
 * nn_spectral_apply() and must outlive this. Errors: NOMEM. */
ano_status nn_spectral_init(nn_spectral *spectral, nn_net *net, uint64_t seed, base_purpose purpose,
                            ano_error *err);
void nn_spectral_clear(nn_spectral *spectral);

/* The net's parameters from W and all else, after `steps` ≥ 1 of the power method. A kernel of
 * zeros stays one. */
void nn_spectral_apply(nn_spectral *spectral, int steps);

/* From the gradients by the net's parameters, [n_parameters], those by W and all else, in place:
 * with G the gradient by W̄, (G - (Σ G · W̄) v uᵀ) / σ, exact for u and v as they are. After
 * apply. */
void nn_spectral_backward(const nn_spectral *spectral, float *gradients);

#endif
