/* Few of many vectors, such that none of the many is far from all of the few. */
#ifndef EVAL_CORESET_H
#define EVAL_CORESET_H

#include "base/error.h"

/* chosen [n_chosen], rising: which of `vectors` [n][d] are kept, 1 ≤ n_chosen ≤ n. The first vector
 * is always one of them; of equally far ones the first is taken. Errors: NOMEM. */
ano_status eval_coreset(size_t *chosen, size_t n_chosen, const float *vectors, size_t n, size_t d,
                        ano_error *err);

#endif
