/* What keeps z where the prior has its mass, in [-r, r] (model/prior.h), while z itself is searched
 * for: outside of it the generator has never been, or hardly ever, and may make what is not normal.
 */
#ifndef DETECT_SUPPORT_H
#define DETECT_SUPPORT_H

#include "base/error.h"
#include "model/prior.h"

typedef struct detect_support {
    ano_clip clip;
    ano_prior prior;
} detect_support;

/* The unknowns [n] that stand for z0: z itself, or with ANO_CLIP_TANH a = r artanh(z / r). */
void detect_support_begin(float *unknowns, const float *z0, size_t n, detect_support support);
/* z [n] of the unknowns. */
void detect_support_z(float *z, const float *unknowns, size_t n, detect_support support);
/* From the gradient by z to that by the unknowns. */
void detect_support_backward(float *diff_unknowns, const float *diff_z, const float *z, size_t n,
                             detect_support support);
/* After a step: brings back what has left. `random` is for what ANO_CLIP_STOCHASTIC draws (Z.
 * Lipton, S. Tripathi, "Precise Recovery of Latent Vectors from Generative Adversarial Networks",
 * 2017): number i of it for z[i]. */
void detect_support_keep(float *unknowns, size_t n, detect_support support, base_random random);

#endif
