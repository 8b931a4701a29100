/* Metrics of a detector: how well scores part the anomalous (label 1) from the normal (label 0).
 *
 * All come from one sorted list of the distinct scores with the images that have each:
 *   - AUROC, the probability that an anomalous image scores above a normal one, ties half
 *     (Mann-Whitney), with the variance of E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the
 *     Areas under Two or More Correlated Receiver Operating Characteristic Curves", 1988.
 *   - AUPR as average precision: the sum over thresholds of (recall gained) x (precision there).
 *   - The best accuracy of any threshold, and the thresholds that reach it. */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/memory.h"
#include "eval/scores.h"

#include <math.h>
#include <stdlib.h>

/* A distinct score and how many images of each kind have it. */
typedef struct score_level {
    float score;
    size_t n_normal, n_anomalous;
} score_level;

static int compare_levels(const void *a, const void *b)
{
    const float x = ((const score_level *)a)->score, y = ((const score_level *)b)->score;
    return (x > y) - (x < y);
}

/* Sorts and merges in place n levels of one image each; returns how many are left. */
static size_t merge_levels(score_level *levels, size_t n)
{
    qsort(levels, n, sizeof *levels, compare_levels);
    size_t n_levels = 0;
    for (size_t i = 0; i < n; i++) {
        if (n_levels == 0 || levels[n_levels - 1].score < levels[i].score) {
            levels[n_levels++] = levels[i];
            continue;
        }
        levels[n_levels - 1].n_normal += levels[i].n_normal;
        levels[n_levels - 1].n_anomalous += levels[i].n_anomalous;
    }
    return n_levels;
}

/* The probability that one of k anomalous images scores above one of m normal ones, ties half. */
static double area_under_roc(const score_level *levels, size_t n_levels, double m, double k)
{
    double area = 0, below = 0;
    for (size_t i = 0; i < n_levels; i++) {
        area += (double)levels[i].n_anomalous * (below + (double)levels[i].n_normal / 2);
        below += (double)levels[i].n_normal;
    }
    return area / (m * k);
}

/* DeLong's variance of `auroc`, m > 1 and k > 1. Its structural components are, for an anomalous
 * image, the share of normal ones that it beats and, for a normal image, the share of anomalous
 * ones that beat it; the mean of either is the AUROC. */
static double delong_variance(double auroc, const score_level *levels, size_t n_levels, double m,
                              double k)
{
    double squares_anomalous = 0, squares_normal = 0, normal_below = 0, anomalous_below = 0;
    for (size_t i = 0; i < n_levels; i++) {
        const double normal = (double)levels[i].n_normal;
        const double anomalous = (double)levels[i].n_anomalous;
        const double beats = (normal_below + normal / 2) / m - auroc;
        const double beaten = 1 - (anomalous_below + anomalous / 2) / k - auroc;
        squares_anomalous += anomalous * beats * beats;
        squares_normal += normal * beaten * beaten;
        normal_below += normal;
        anomalous_below += anomalous;
    }
    return squares_anomalous / (k * (k - 1)) + squares_normal / (m * (m - 1));
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static void measure_auroc(ano_metrics *out, const score_level *levels, size_t n_levels, double m,
                          double k)
{
    const double z = 1.959963984540054; /* the standard normal distribution's 97.5 % point */
    const double auroc = area_under_roc(levels, n_levels, m, k);
    const double variance = m > 1 && k > 1 ? delong_variance(auroc, levels, n_levels, m, k) : 0;
    out->auroc = auroc;
    if (variance > 0) {
        const double logit = log(auroc / (1 - auroc));
        const double half_width = z * sqrt(variance) / (auroc * (1 - auroc));
        out->auroc_low = logistic(logit - half_width);
        out->auroc_high = logistic(logit + half_width);
        return;
    }
    /* DeLong's variance is 0 when the kinds are wholly apart or wholly tied, and undefined for a
     * single image of a kind; an interval of no width would claim certainty. But the variance of
     * an AUROC A is at most A (1 - A) / min(m, k) (Z. Birnbaum, O. Klose, 1957), that of the
     * proportion of successes in min(m, k) trials, so Wilson's interval for one is a cautious one
     * here: for 100 images of a kind wholly apart, [0.963, 1]. */
    const double trials = fmin(m, k), shrink = 1 + z * z / trials;
    const double centre = auroc + z * z / (2 * trials);
    const double half_width =
        z * sqrt(auroc * (1 - auroc) / trials + z * z / (4 * trials * trials));
    out->auroc_low = fmax(0, (centre - half_width) / shrink);
    out->auroc_high = fmin(1, (centre + half_width) / shrink);
}

static double average_precision(const score_level *levels, size_t n_levels, double n_anomalous)
{
    double sum = 0, called = 0, found = 0;
    for (size_t i = n_levels; i-- > 0;) {
        called += (double)(levels[i].n_normal + levels[i].n_anomalous);
        found += (double)levels[i].n_anomalous;
        sum += (double)levels[i].n_anomalous * found / called;
    }
    return sum / n_anomalous;
}

/* accuracy_best and its range. A threshold in [levels[i], levels[i + 1]) gets right the normal
 * images up to level i and the anomalous ones above it. */
static void measure_best_accuracy(ano_metrics *out, const score_level *levels, size_t n_levels,
                                  size_t n, size_t n_normal)
{
    const double first = (double)levels[0].score, last = (double)levels[n_levels - 1].score;
    /* Calling all images alike sets the bar. Such a range has one end only: what is given of it
     * is the least piece, next to the scores. */
    const size_t n_anomalous = n - n_normal;
    size_t best = n_anomalous;
    out->best_low = nextafter(first, -INFINITY);
    out->best_high = first;
    if (n_normal > best) {
        best = n_normal;
        out->best_low = last;
        out->best_high = nextafter(last, INFINITY);
    }
    bool outside = true; /* the best so far is such a piece */

    size_t correct = n_anomalous;
    double run_low = first; /* where the thresholds of this accuracy begin */
    for (size_t i = 0; i + 1 < n_levels; i++) {
        const size_t before = correct;
        correct = correct + levels[i].n_normal - levels[i].n_anomalous;
        if (i == 0 || correct != before)
            run_low = (double)levels[i].score;
        const double run_high = (double)levels[i + 1].score;
        const bool wider = outside || run_high - run_low > out->best_high - out->best_low;
        if (correct < best || (correct == best && !wider))
            continue;
        best = correct;
        out->best_low = run_low;
        out->best_high = run_high;
        outside = false;
    }
    out->accuracy_best = (double)best / (double)n;
}

ano_status ano_evaluate(ano_metrics *out, const float *scores, const int *labels, size_t n,
                        ano_error *err)
{
    *out = (ano_metrics){0};
    const ano_status status = eval_check_scores(scores, n, "evaluate", err);
    if (status != ANO_OK)
        return status;
    size_t n_anomalous = 0;
    for (size_t i = 0; i < n; i++) {
        if (labels[i] != 0 && labels[i] != 1)
            return base_error(err, ANO_ARG, "evaluate: label %zu is %d, not 0 or 1", i, labels[i]);
        n_anomalous += (size_t)labels[i];
    }
    if (n_anomalous == 0 || n_anomalous == n)
        return base_error(err, ANO_ARG,
                          "evaluate: needs normal and anomalous images, and there are %zu and %zu",
                          n - n_anomalous, n_anomalous);
    score_level *levels = base_alloc(n, sizeof *levels);
    if (levels == NULL)
        return base_error_nomem(err, "evaluate: the sorted scores");
    for (size_t i = 0; i < n; i++)
        levels[i] = (score_level){scores[i], labels[i] == 0, labels[i] == 1};
    const size_t n_levels = merge_levels(levels, n);
    const size_t n_normal = n - n_anomalous;
    measure_auroc(out, levels, n_levels, (double)n_normal, (double)n_anomalous);
    out->aupr = average_precision(levels, n_levels, (double)n_anomalous);
    measure_best_accuracy(out, levels, n_levels, n, n_normal);
    base_free(levels);
    return ANO_OK;
}

double ano_accuracy(const float *scores, const int *labels, size_t n, double threshold)
{
    size_t correct = 0;
    for (size_t i = 0; i < n; i++)
        correct += ((double)scores[i] > threshold) == (labels[i] == 1);
    return n == 0 ? 0 : (double)correct / (double)n;
}
