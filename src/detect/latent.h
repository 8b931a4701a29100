/* Latent search (AnoGAN, T. Schlegl et al., IPMI 2017): the z whose G(z) comes closest to an image.
 *
 * As in the experiment this follows, z is not searched directly but through a dense layer with
 * tanh in front of the frozen generator, whose weights alone are trained, for each image anew:
 *
 *     z = r · tanh((z0 · W + b) / r),  minimise over (W, b):  residual = Σ_pixels |x - G(z)|,
 *
 * by Adam, r being the end of the prior's range (model/prior.h), 1 in the experiment, from a fixed
 * random z0, the same W and b = 0 for every image. L-BFGS, which needs no such detour, starts in
 * the same place and takes a = z0 · W + b itself for its unknowns; for a curvature there to be, it
 * minimises Σ_pixels √((x - G)² + δ²).
 *
 * The published search takes z itself for its unknowns and adds feature matching to the loss
 * (matching.h). It goes down by Adam too, whose rate halves at every fifth of the iterations, and
 * stays where the prior is (support.h).
 *
 * A search is one image from one start. Searches go through the generator in batches, each with a
 * state and a count of iterations of its own; one that has ended makes room for another.
 */
#ifndef DETECT_LATENT_H
#define DETECT_LATENT_H

#include "detect/folded.h"
#include "detect/matching.h"
#include "detect/support.h"

/* Iterations over which the least residual must improve for a search to go on. */
enum { DETECT_LATENT_WINDOW = 20 };

typedef struct detect_latent_options {
    ano_search search;
    bool of_z;              /* the unknowns are z itself; by Adam only */
    detect_support support; /* the prior's; how z is kept there counts where it is searched for */
    uint64_t seed;          /* of what it draws … */
    size_t starts; /* … for searches of the same start: an image has so many, id counts them on */
    detect_matching *matching; /* the batch's alone, lent; NULL: the loss is the residual */
    int iterations;            /* updates of each search, at most */
    double rate;               /* Adam's */
    double tolerance; /* a search ends when a window has improved its least residual by less than
                         this share of it; 0: never before its last iteration */
} detect_latent_options;

/* Where a search starts: z0 [latent] and kernel W [latent][latent], row i the weights of z0[i];
 * one of z itself takes no kernel. */
typedef struct detect_latent_start {
    const float *z0, *kernel;
} detect_latent_start;

/* What L-BFGS minimises: Σ √((x - G)² + δ²) over the n numbers of an image; diff [n] gets its
 * gradient by G. */
double detect_smoothed_residual(float *diff, const float *x, const float *generated, size_t n);

/* What a search has found. */
typedef struct detect_latent_found {
    size_t id;              /* the caller's number of it */
    float residual;         /* the least of any iterate; with matching, the least loss */
    const float *generated; /* its image [h][w][c] */
    const float *weights;   /* Adam's at the end: kernel [latent][latent], then bias [latent]; or
                               the unknowns behind z [latent] */
} detect_latent_found;

/* One thread's batch of searches. */
typedef struct detect_latent_batch detect_latent_batch;

/* How many searches a batch may have: no more than the generator takes, nor than reasonable memory
 * holds; at least one. latent and image as below. */
size_t detect_latent_most(const detect_folded *generator, size_t latent, size_t image,
                          ano_search search);

/* A batch for n_places ≤ detect_latent_most() searches. The generator, with latents of length
 * `latent` and images of `image` numbers, is only read, may be shared, and must outlive it. */
ano_status detect_latent_create(detect_latent_batch **out, const detect_folded *generator,
                                size_t latent, size_t image, size_t n_places,
                                detect_latent_options options, ano_error *err);
void detect_latent_free(detect_latent_batch *batch);

bool detect_latent_has_room(const detect_latent_batch *batch);

/* Begins a search in a batch that has room. The image [h][w][c] is copied; start and trace are
 * lent until the search has ended. trace [iterations], unless NULL, gets the residual after each
 * update, and what the last one reached for the iterations after a search that ends early. A search
 * by L-BFGS also does that where no way leads down. */
void detect_latent_add(detect_latent_batch *batch, const float *image, detect_latent_start start,
                       size_t id, float *trace);

/* One iteration of every search in the batch; afterwards detect_latent_take() must be called until
 * it gives nothing. No search's numbers depend on the others. Errors: NUMERIC when a residual is
 * not finite. */
ano_status detect_latent_step(detect_latent_batch *batch, ano_error *err);

/* The next search that the last step ended, or false. What it points to is lent until the next
 * detect_latent_add(). */
bool detect_latent_take(detect_latent_found *out, detect_latent_batch *batch);

/* Whether no search is left to go on. */
bool detect_latent_is_empty(const detect_latent_batch *batch);

#endif
