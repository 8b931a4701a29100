/* Latent search (AnoGAN, T. Schlegl et al., IPMI 2017): the z whose G(z) comes closest to an image.
 *
 * As in the experiment this follows, z is not searched directly but through a dense layer with
 * tanh in front of the frozen generator, whose weights alone are trained, for each image anew:
 *
 *     z = tanh(z0 · W + b),   minimise over (W, b):  residual = Σ_pixels |x - G(z)|   by Adam,
 *
 * from a fixed random z0, the same W and b = 0 for every image. */
#ifndef DETECT_LATENT_H
#define DETECT_LATENT_H

#include "detect/folded.h"

typedef struct detect_latent_search detect_latent_search;

/* Where a search of every image starts: z0 [latent] and kernel W [latent][latent], row i the
 * weights of z0[i]. */
typedef struct detect_latent_start {
    const float *z0, *kernel;
} detect_latent_start;

/* Searches for one thread's images, one from each of the n_starts starts. The generator, with
 * latents of length `latent` and images of `image` numbers, is only read, may be shared, and must
 * outlive the search. */
ano_status detect_latent_create(detect_latent_search **out, const detect_folded *generator,
                                size_t latent, size_t image, const detect_latent_start *starts,
                                int n_starts, double rate, ano_error *err);
void detect_latent_free(detect_latent_search *search);

/* Searches for n ≤ DETECT_FOLDED_GROUP images [n][h][w][c]: residuals [n] gets the least residual
 * of any iterate of any search, generated [n][h][w][c] (unless NULL) its image, trace
 * [n][n_starts][iterations] (unless NULL) the residual after each update. No image's numbers depend
 * on the others. Errors: NUMERIC when a residual is not finite. */
ano_status detect_latent_run(float *residuals, float *generated, float *trace,
                             detect_latent_search *search, const float *images, size_t n,
                             int iterations, ano_error *err);

/* The weights that the last search of the last run ended with, for image i: kernel [latent][latent]
 * and, after it, bias [latent]. Lent. */
const float *detect_latent_weights(const detect_latent_search *search, size_t i);

#endif
