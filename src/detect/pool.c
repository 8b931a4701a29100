#include "detect/pool.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* A bin holds the values whose float32 has the same sign, exponent and first 8 bits of fraction:
 * for values ≥ 0, bits in rising order are numbers in rising order. */
enum { BIN_SHIFT = 15, N_BINS = 1 << 16 };

typedef struct bin {
    double sum;
    uint64_t n;
} bin;

struct detect_pool {
    ano_pool pool;
    double share;
    double sum;
    float highest;
    uint64_t n;
    bin *bins; /* [N_BINS] for ANO_POOL_TOP, else NULL */
};

ano_status detect_pool_create(detect_pool **out, ano_pool pool, double share, ano_error *err)
{
    *out = NULL;
    detect_pool *created = base_alloc(1, sizeof *created);
    if (created == NULL)
        return base_error_nomem(err, "pool");
    created->pool = pool;
    created->share = share;
    if (pool == ANO_POOL_TOP && (created->bins = base_alloc(N_BINS, sizeof(bin))) == NULL) {
        base_free(created);
        return base_error_nomem(err, "pool");
    }
    *out = created;
    return ANO_OK;
}

void detect_pool_free(detect_pool *pool)
{
    if (pool == NULL)
        return;
    base_free(pool->bins);
    base_free(pool);
}

void detect_pool_begin(detect_pool *pool)
{
    pool->sum = 0;
    pool->highest = 0;
    pool->n = 0;
    if (pool->bins != NULL)
        memset(pool->bins, 0, N_BINS * sizeof(bin));
}

void detect_pool_add(detect_pool *pool, const float *map, size_t n)
{
    pool->n += n;
    for (size_t i = 0; i < n; i++) {
        pool->sum += (double)map[i];
        pool->highest = map[i] > pool->highest ? map[i] : pool->highest;
    }
    for (size_t i = 0; i < n && pool->bins != NULL; i++) {
        uint32_t bits;
        memcpy(&bits, &map[i], sizeof bits);
        bin *at = &pool->bins[(bits >> BIN_SHIFT) % N_BINS];
        at->sum += (double)map[i];
        at->n++;
    }
}

/* The mean of the highest ⌈share · n⌉ values. */
static double top_mean(const detect_pool *pool)
{
    const double wanted = fmax(1, ceil(pool->share * (double)pool->n));
    double sum = 0, n = 0;
    for (size_t i = N_BINS; i-- > 0 && n < wanted;) {
        const bin *at = &pool->bins[i];
        if (at->n == 0)
            continue;
        const double taken = fmin((double)at->n, wanted - n);
        sum += at->sum * (taken / (double)at->n);
        n += taken;
    }
    return sum / wanted;
}

double detect_pool_score(const detect_pool *pool, int channels)
{
    switch (pool->pool) {
    case ANO_POOL_SUM:
        return pool->sum * channels;
    case ANO_POOL_MEAN:
        return pool->sum / (double)pool->n;
    case ANO_POOL_TOP:
        return top_mean(pool);
    case ANO_POOL_MAX:
        return (double)pool->highest;
    }
    return NAN;
}

float detect_highest(float high, const float *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        high = fmaxf(high, map[i]);
    return high;
}
