/* The distance to the nearest of known vectors. */
#ifndef EVAL_NEAREST_H
#define EVAL_NEAREST_H

#include "base/error.h"

/* The vectors and what is computed from them once. */
typedef struct eval_nearest eval_nearest;

/* `known` [n][d] is lent and must outlive *out. n ≥ 1. Errors: NOMEM. */
ano_status eval_nearest_create(eval_nearest **out, const float *known, size_t n, size_t d,
                               ano_error *err);
void eval_nearest_free(eval_nearest *nearest);

/* dst [n] = the Euclidean distance of each of `vectors` [n][d] to the nearest of the known, and
 * rows [n], unless NULL, which of them that is. Errors: NOMEM. */
ano_status eval_nearest_distances(float *dst, size_t *rows, const eval_nearest *nearest,
                                  const float *vectors, size_t n, ano_error *err);

/* dst [n] = the distance of each of the known vectors to the nearest of the others: infinite where
 * there are none. Errors: NOMEM. */
ano_status eval_nearest_left_out(float *dst, const eval_nearest *nearest, ano_error *err);

#endif
