/* Anomaly maps by a discriminator of patches: of the probability p that a cell is anomalous, the
 * surprise that it would be if it were normal,
 *
 *   map = -ln(1 - p) = ln(1 + e^logit)   (nats),
 *
 * which goes on rising where p is as good as 1, between the middles of the cells by linear
 * interpolation. */
#ifndef DETECT_PATCH_H
#define DETECT_PATCH_H

#include "detect/scorer.h"

typedef struct detect_patch detect_patch;

/* The network must outlive it. */
ano_status detect_patch_create(detect_patch **out, const nn_net *discriminator, ano_error *err);
void detect_patch_free(detect_patch *patch);

size_t detect_patch_width(const detect_patch *patch);

/* As detect_scorer_run(). */
ano_status detect_patch_run(const detect_found *found, detect_patch *patch, const float *tiles,
                            size_t n, detect_tick *tick, void *cookie, ano_error *err);

#endif
