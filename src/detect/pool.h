/* An image's score from its anomaly map, which comes in pieces. */
#ifndef DETECT_POOL_H
#define DETECT_POOL_H

#include <anogan/anogan.h>

typedef struct detect_pool detect_pool;

ano_status detect_pool_create(detect_pool **out, ano_pool pool, double share, ano_error *err);
void detect_pool_free(detect_pool *pool);

/* Forgets what was added. */
void detect_pool_begin(detect_pool *pool);
/* Adds n values ≥ 0, finite. */
void detect_pool_add(detect_pool *pool, const float *map, size_t n);
/* Of `channels`, by which a sum of means over the channels is multiplied. For ANO_POOL_TOP the
 * values are sorted into bins 0.4 % wide: of the one that the share cuts through its mean counts.
 * Whatever the pieces, the result is the same to the bit. */
double detect_pool_score(const detect_pool *pool, int channels);

/* The highest of n values and `high`. */
float detect_highest(float high, const float *map, size_t n);

#endif
