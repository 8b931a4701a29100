/* Metrics of a detector: how well scores part the anomalous (label 1) from the normal (label 0).
 *
 * All come from one sorted list of the distinct scores with the images that have each:
 *   - AUROC, the probability that an anomalous image scores above a normal one, ties half
 *     (Mann-Whitney), with the variance of E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the
 *     Areas under Two or More Correlated Receiver Operating Characteristic Curves", 1988.
 *   - AUPR as average precision: the sum over thresholds of (recall gained) x (precision there).
 *   - The most recall (TPR) of any threshold whose FPR is at most 1 % or 5 %.
 *   - The best accuracy of any threshold, and the thresholds that reach it. */
#include <anogan/anogan.h>

#include "eval/levels.h"

#include <math.h>

static double ratio(size_t part, size_t whole)
{
    return whole == 0 ? 0 : (double)part / (double)whole;
}

/* The probability that an anomalous image scores above a normal one, ties half. */
static double area_under_roc(const eval_levels *levels)
{
    const double m = (double)levels->n_normal, k = (double)levels->n_anomalous;
    double area = 0, below = 0;
    for (size_t i = 0; i < levels->n; i++) {
        area += (double)levels->at[i].n_anomalous * (below + (double)levels->at[i].n_normal / 2);
        below += (double)levels->at[i].n_normal;
    }
    return area / (m * k);
}

/* DeLong's variance of `auroc`, for more than one image of each kind. Its structural components
 * are, for an anomalous image, the share of normal ones that it beats and, for a normal image, the
 * share of anomalous ones that beat it; the mean of either is the AUROC. */
static double delong_variance(double auroc, const eval_levels *levels)
{
    const double m = (double)levels->n_normal, k = (double)levels->n_anomalous;
    double squares_anomalous = 0, squares_normal = 0, normal_below = 0, anomalous_below = 0;
    for (size_t i = 0; i < levels->n; i++) {
        const double normal = (double)levels->at[i].n_normal;
        const double anomalous = (double)levels->at[i].n_anomalous;
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

static void measure_auroc(ano_metrics *out, const eval_levels *levels)
{
    const double m = (double)levels->n_normal, k = (double)levels->n_anomalous;
    const double z = 1.959963984540054; /* the standard normal distribution's 97.5 % point */
    const double auroc = area_under_roc(levels);
    const double variance = m > 1 && k > 1 ? delong_variance(auroc, levels) : 0;
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

static double average_precision(const eval_levels *levels)
{
    double sum = 0, called = 0, found = 0;
    for (size_t i = levels->n; i-- > 0;) {
        called += (double)(levels->at[i].n_normal + levels->at[i].n_anomalous);
        found += (double)levels->at[i].n_anomalous;
        sum += (double)levels->at[i].n_anomalous * found / called;
    }
    return sum / (double)levels->n_anomalous;
}

/* As scikit-learn's roc_curve has it: images of the same score are called alike. */
static double tpr_at_fpr(const eval_levels *levels, double fpr)
{
    size_t false_alarms = 0, found = 0;
    for (size_t i = levels->n; i-- > 0;) {
        false_alarms += levels->at[i].n_normal;
        if (ratio(false_alarms, levels->n_normal) > fpr)
            break;
        found += levels->at[i].n_anomalous;
    }
    return ratio(found, levels->n_anomalous);
}

/* accuracy_best and its range. A threshold from the score of level i to that of i + 1 gets right
 * the normal images up to level i and the anomalous ones above it. */
static void measure_best_accuracy(ano_metrics *out, const eval_levels *levels)
{
    const double first = (double)levels->at[0].score,
                 last = (double)levels->at[levels->n - 1].score;
    /* Calling all images alike sets the bar. Such a range has one end only: what is given of it
     * is the least piece, next to the scores. */
    const size_t n_normal = levels->n_normal, n_anomalous = levels->n_anomalous;
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
    for (size_t i = 0; i + 1 < levels->n; i++) {
        const size_t before = correct;
        correct = correct + levels->at[i].n_normal - levels->at[i].n_anomalous;
        if (i == 0 || correct != before)
            run_low = (double)levels->at[i].score;
        const double run_high = (double)levels->at[i + 1].score;
        const bool wider = outside || run_high - run_low > out->best_high - out->best_low;
        if (correct < best || (correct == best && !wider))
            continue;
        best = correct;
        out->best_low = run_low;
        out->best_high = run_high;
        outside = false;
    }
    out->accuracy_best = ratio(best, n_normal + n_anomalous);
}

ano_status ano_evaluate(ano_metrics *out, const float *scores, const int *labels, size_t n,
                        ano_error *err)
{
    *out = (ano_metrics){0};
    eval_levels levels;
    const ano_status status = eval_levels_init(&levels, scores, labels, n, "evaluate", err);
    if (status != ANO_OK)
        return status;
    measure_auroc(out, &levels);
    out->aupr = average_precision(&levels);
    out->tpr_at_fpr_1 = tpr_at_fpr(&levels, 0.01);
    out->tpr_at_fpr_5 = tpr_at_fpr(&levels, 0.05);
    out->f1_all_positive = ratio(2 * levels.n_anomalous, n + levels.n_anomalous);
    measure_best_accuracy(out, &levels);
    eval_levels_clear(&levels);
    return ANO_OK;
}

ano_confusion ano_confusion_at(const float *scores, const int *labels, size_t n, double threshold)
{
    ano_confusion c = {0};
    for (size_t i = 0; i < n; i++) {
        const bool positive = (double)scores[i] > threshold, anomalous = labels[i] == 1;
        c.tp += positive && anomalous;
        c.fp += positive && !anomalous;
        c.tn += !positive && !anomalous;
        c.fn += !positive && anomalous;
    }
    c.accuracy = ratio(c.tp + c.tn, n);
    c.precision = ratio(c.tp, c.tp + c.fp);
    c.recall = ratio(c.tp, c.tp + c.fn);
    c.f1 = ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn);
    return c;
}
