/* What a model's method makes of tiles, or of whole images: the seam between the scoring path,
 * which is the same for all methods, and the methods. */
#ifndef DETECT_SCORER_H
#define DETECT_SCORER_H

#include "model/model.h"

typedef struct detect_scorer detect_scorer;

/* What is found of n tiles; each array may be NULL. */
typedef struct detect_found {
    float *scores;      /* [n], the method's own of each tile: of the latent search the residual, of
                           patches the sum over the map, of a VAE how unlikely it finds the tile */
    float *maps;        /* [n][size][size], ≥ 0 */
    float *generated;   /* [n][size][size][channels], where the method generates */
    float *trace;       /* [n][restarts][iterations], as ano_score()'s, where it searches */
    float *z_distances; /* [n], as ano_result's, where an encoder says which z an image has; then
                           `generated` is wanted, too */
} detect_found;

/* For runs of about `n` tiles, by as many threads as there are now. The options, whose method is
 * settled, are copied; the model must outlive it. Errors: ARG (the model lacks a network). */
ano_status detect_scorer_create(detect_scorer **out, const ano_model *model,
                                const ano_score_options *options, size_t n, ano_error *err);
void detect_scorer_free(detect_scorer *scorer);

/* How many tiles keep all threads busy. */
size_t detect_scorer_width(const detect_scorer *scorer);

/* Whether an encoder says which z an image has. */
bool detect_method_encodes(ano_method method);

/* Whether there are images that it generates. */
bool detect_method_generates(ano_method method);

/* The options with the model's method in place of ANO_METHOD_OF_MODEL. */
ano_score_options detect_settle_method(const ano_score_options *options, const ano_model *model);

/* Called in the thread of detect_scorer_run() now and then, and at the end; non-zero stops it. */
typedef int detect_tick(size_t n_done, void *cookie);

/* From tiles [n][size][size][channels]; what is found of one depends on neither the others nor
 * their number. `tick` may be NULL. Errors: NUMERIC, CANCELLED. */
ano_status detect_scorer_run(const detect_found *found, detect_scorer *scorer, const float *tiles,
                             size_t n, detect_tick *tick, void *cookie, ano_error *err);

#endif
