/* From scores to decisions that keep a promise, whatever the scores' distribution.
 *
 * Split conformal prediction (H. Papadopoulos et al., "Inductive Confidence Machines for
 * Regression", 2002; V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World",
 * 2005): the rank of a new normal image's score among those of n held-out normal images is any of
 * n + 1 with the same probability, ties aside, so that
 *
 *   p(score) = (1 + number of held-out scores >= score) / (n + 1)
 *
 * is at most alpha with probability at most alpha; ties make p larger, never smaller. The
 * threshold is the same decision said in scores.
 *
 * Benjamini and Hochberg's procedure ("Controlling the False Discovery Rate", 1995) chooses among
 * many p-values. Those of one held-out set depend on one another in a way that leaves its promise
 * intact (S. Bates et al., "Testing for Outliers with Conformal p-values", 2023). */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/memory.h"
#include "eval/scores.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

double ano_p_value(const float *sorted, size_t n, double score)
{
    if (isnan(score))
        return score;
    size_t first = 0; /* the held-out scores before it are below `score` */
    for (size_t end = n; first < end;) {
        const size_t middle = first + (end - first) / 2;
        if ((double)sorted[middle] < score)
            first = middle + 1;
        else
            end = middle;
    }
    return (double)(n - first + 1) / ((double)n + 1);
}

double ano_smallest_alpha(size_t n)
{
    return 1 / ((double)n + 1);
}

/* How many of the n + 1 values that p can have are anomalous: those up to alpha, at least one.
 * The divisions are ano_p_value()'s own, for the product can end on the wrong side of a whole
 * number: 0.29 × 100 does. */
static size_t anomalous_values(size_t n, double alpha)
{
    const double n_values = (double)n + 1;
    size_t k = (size_t)(alpha * n_values);
    if (k > 0 && (double)k / n_values > alpha)
        k--;
    else if ((double)(k + 1) / n_values <= alpha)
        k++;
    return k > 0 ? k : 1;
}

static int compare_scores(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

ano_status ano_threshold(double *out, const float *scores, size_t n, double alpha, ano_error *err)
{
    *out = 0;
    if (n == 0)
        return base_error(err, ANO_ARG, "threshold: needs scores of held-out normal images");
    if (!(alpha > 0 && alpha < 1))
        return base_error(err, ANO_ARG, "threshold: alpha is %g, not between 0 and 1", alpha);
    const ano_status status = eval_check_scores(scores, n, "threshold", err);
    if (status != ANO_OK)
        return status;
    float *sorted = base_alloc(n, sizeof *sorted);
    if (sorted == NULL)
        return base_error_nomem(err, "threshold: the sorted scores");
    for (size_t i = 0; i < n; i++)
        sorted[i] = scores[i];
    qsort(sorted, n, sizeof *sorted, compare_scores);
    *out = (double)sorted[n - anomalous_values(n, alpha)];
    base_free(sorted);
    return ANO_OK;
}

static int compare_p_values(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest of the sorted p-values that is at most (its rank / n) fdr; below all when none is.
 * Conformal p-values are fractions and often meet that bound, so rounding must not decide. */
static double largest_rejected(const double *sorted, size_t n, double fdr)
{
    const double rounding = 1 + 4 * DBL_EPSILON;
    for (size_t rank = n; rank > 0; rank--)
        if (sorted[rank - 1] <= (double)rank * fdr / (double)n * rounding)
            return sorted[rank - 1];
    return -1;
}

ano_status ano_benjamini_hochberg(bool *rejected, const double *p_values, size_t n, double fdr,
                                  ano_error *err)
{
    if (!(fdr > 0 && fdr < 1))
        return base_error(err, ANO_ARG,
                          "Benjamini-Hochberg: the false discovery rate is %g, not between 0 and 1",
                          fdr);
    for (size_t i = 0; i < n; i++)
        if (!(p_values[i] >= 0 && p_values[i] <= 1))
            return base_error(err, ANO_ARG, "Benjamini-Hochberg: p-value %zu is %g, not in [0, 1]",
                              i, p_values[i]);
    double *sorted = base_alloc(n, sizeof *sorted);
    if (sorted == NULL)
        return base_error_nomem(err, "Benjamini-Hochberg: the sorted p-values");
    for (size_t i = 0; i < n; i++)
        sorted[i] = p_values[i];
    qsort(sorted, n, sizeof *sorted, compare_p_values);
    const double largest = largest_rejected(sorted, n, fdr);
    for (size_t i = 0; i < n; i++)
        rejected[i] = p_values[i] <= largest;
    base_free(sorted);
    return ANO_OK;
}
