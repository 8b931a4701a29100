/* The greedy core-set, k-center: beginning with the first vector, the one that is farthest from all
 * that are chosen is chosen next (T. Gonzalez, "Clustering to minimize the maximum intercluster
 * distance", 1985, who shows that the farthest is then at most twice as far as with the best
 * choice; O. Sener, S. Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set
 * Approach", ICLR 2018; K. Roth et al., "Towards Total Recall in Industrial Anomaly Detection",
 * CVPR 2022).
 *
 * A vector's distance to the chosen ones can only fall as more are chosen. So it is brought up to
 * date lazily, only for the vector that seems farthest: the choice is that of the plain algorithm,
 * for most vectors without most of the distances. */
#include "eval/coreset.h"

#include "base/memory.h"
#include "eval/products.h"

#include <math.h>
#include <stdlib.h>

typedef struct candidate {
    double distance; /* squared, to the nearest of the first `n_seen` that were chosen */
    size_t n_seen;
} candidate;

static size_t farthest_of(const candidate *candidates, size_t n)
{
    size_t farthest = 0;
    for (size_t i = 1; i < n; i++)
        if (candidates[i].distance > candidates[farthest].distance)
            farthest = i;
    return farthest;
}

static int compare_indices(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

ano_status eval_coreset(size_t *chosen, size_t n_chosen, const float *vectors, size_t n, size_t d,
                        ano_error *err)
{
    candidate *candidates = base_alloc(n, sizeof *candidates);
    if (candidates == NULL)
        return base_error_nomem(err, "core-set");
    for (size_t i = 0; i < n; i++)
        candidates[i].distance = INFINITY;
    for (size_t k = 0; k < n_chosen;) {
        const size_t i = farthest_of(candidates, n);
        candidate *at = &candidates[i];
        if (at->n_seen == k) { /* up to date, and no other can be farther */
            chosen[k++] = i;
            at->distance = -1; /* not again, even if it is there twice */
            continue;
        }
        for (; at->n_seen < k; at->n_seen++)
            at->distance =
                fmin(at->distance,
                     eval_squared_distance(vectors + i * d, vectors + chosen[at->n_seen] * d, d));
    }
    base_free(candidates);
    qsort(chosen, n_chosen, sizeof *chosen, compare_indices);
    return ANO_OK;
}
