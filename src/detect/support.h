/* What keeps z in the support of the prior, [-1, 1], while z itself is searched for: outside of it
 * the generator has never been, and may make what is not normal. */
#ifndef DETECT_SUPPORT_H
#define DETECT_SUPPORT_H

#include "base/error.h"
#include "base/random.h"

/* The unknowns [n] that stand for z0: z itself, or with ANO_CLIP_TANH a = artanh(z). */
void detect_support_begin(float *unknowns, const float *z0, size_t n, ano_clip clip);
/* z [n] of the unknowns. */
void detect_support_z(float *z, const float *unknowns, size_t n, ano_clip clip);
/* From the gradient by z to that by the unknowns. */
void detect_support_backward(float *diff_unknowns, const float *diff_z, const float *z, size_t n,
                             ano_clip clip);
/* After a step: brings back what has left. `random` is for what ANO_CLIP_STOCHASTIC draws (Z.
 * Lipton, S. Tripathi, "Precise Recovery of Latent Vectors from Generative Adversarial Networks",
 * 2017): number i of it for z[i]. */
void detect_support_keep(float *unknowns, size_t n, ano_clip clip, base_random random);

#endif
