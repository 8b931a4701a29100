/* The Mahalanobis distance from the mean of known vectors, their covariance shrunk. */
#ifndef EVAL_MAHALANOBIS_H
#define EVAL_MAHALANOBIS_H

#include "base/error.h"

typedef struct eval_mahalanobis eval_mahalanobis;

/* Fits to `known` [n][d], n ≥ 2; the shrinkage is above 0 and below 1. Of vectors both longer and
 * more than 4096, so many that lie evenly among them are fitted to. Errors: NUMERIC (the known
 * vectors are all alike), NOMEM. */
ano_status eval_mahalanobis_create(eval_mahalanobis **out, const float *known, size_t n, size_t d,
                                   double shrinkage, ano_error *err);
void eval_mahalanobis_free(eval_mahalanobis *m);

/* dst [n] = the distance of each of `vectors` [n][d] from the mean. Errors: NOMEM. */
ano_status eval_mahalanobis_distances(float *dst, const eval_mahalanobis *m, const float *vectors,
                                      size_t n, ano_error *err);

/* dst [n] = the distance of each of `known`, those fitted to, had it alone been left out of the
 * fit. Errors: NOMEM. */
ano_status eval_mahalanobis_left_out(float *dst, const eval_mahalanobis *m, const float *known,
                                     ano_error *err);

#endif
