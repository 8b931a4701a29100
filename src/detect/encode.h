/* f-AnoGAN's score (T. Schlegl et al., Medical Image Analysis 2019): an encoder E says which z an
 * image has, and what the generator makes of it is compared, by means over the numbers,
 *
 *     score(x) = mean |x - G(E(x))|² + κ · mean |f(x) - f(G(E(x)))|²,
 *
 * f being the critic's last maps. Beside it stands, where it is asked for, |E(x) - E(G(E(x)))|.
 * Images go through the folded generator and the other networks' blocks in groups, and none of
 * their numbers depends on the others of its group. */
#ifndef DETECT_ENCODE_H
#define DETECT_ENCODE_H

#include "detect/scorer.h"

typedef struct detect_encode detect_encode;

/* By as many threads as there are now; the model must outlive it. */
ano_status detect_encode_create(detect_encode **out, const ano_model *model,
                                const ano_score_options *options, ano_error *err);
void detect_encode_free(detect_encode *encode);

size_t detect_encode_width(const detect_encode *encode);

/* As detect_scorer_run(); what is found has no trace. */
ano_status detect_encode_run(const detect_found *found, detect_encode *encode, const float *tiles,
                             size_t n, detect_tick *tick, void *cookie, ano_error *err);

/* |z - E(tile)| of each of n tiles and its z [n][latent]. */
ano_status detect_encode_distances(float *distances, detect_encode *encode, const float *z,
                                   const float *tiles, size_t n, ano_error *err);

/* z [n][latent] of tiles. */
ano_status detect_encode_latents(float *z, detect_encode *encode, const float *tiles, size_t n,
                                 ano_error *err);

#endif
