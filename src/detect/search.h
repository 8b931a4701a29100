/* The latent search of many images at once: each is searched for from each start. The searches
 * stand in one queue, image by image, from which every thread keeps its batch full. */
#ifndef DETECT_SEARCH_H
#define DETECT_SEARCH_H

#include "detect/scorer.h"

typedef struct detect_search detect_search;

/* For runs of about `n` images, by as many threads as there are now. The model's generator is
 * folded and may go away; the options are copied. */
ano_status detect_search_create(detect_search **out, const ano_model *model,
                                const ano_score_options *options, size_t n, ano_error *err);
void detect_search_free(detect_search *search);

/* How many images keep all threads busy. */
size_t detect_search_width(const detect_search *search);

/* From images [n][size][size][channels], and unless it is NULL z [n][latent], where the first
 * search of each begins, if z itself is searched for: residuals [n], and unless they are NULL
 * generated [n] images and trace [n][restarts][iterations], as ano_score() says. `tick`, which may
 * be NULL, is called after every iteration of the first thread. Errors: NUMERIC, CANCELLED. */
ano_status detect_search_run(float *residuals, float *generated, float *trace,
                             detect_search *search, const float *images, const float *z, size_t n,
                             detect_tick *tick, void *cookie, ano_error *err);

#endif
