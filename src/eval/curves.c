/* The ROC and the precision-recall curve: what each threshold that matters gives. */
#include <anogan/anogan.h>

#include "eval/levels.h"

#include <math.h>

ano_status ano_curves(ano_curve_point *points, size_t *n_points, const float *scores,
                      const int *labels, size_t n, ano_error *err)
{
    *n_points = 0;
    eval_levels levels;
    const ano_status status = eval_levels_init(&levels, scores, labels, n, "curves", err);
    if (status != ANO_OK)
        return status;
    size_t called = 0, found = 0;
    points[(*n_points)++] =
        (ano_curve_point){.threshold = (double)levels.at[levels.n - 1].score, .precision = 1};
    for (size_t i = levels.n; i-- > 0;) {
        called += levels.at[i].n_normal + levels.at[i].n_anomalous;
        found += levels.at[i].n_anomalous;
        points[(*n_points)++] = (ano_curve_point){
            .threshold = i > 0 ? (double)levels.at[i - 1].score : -INFINITY,
            .fpr = (double)(called - found) / (double)levels.n_normal,
            .tpr = (double)found / (double)levels.n_anomalous,
            .precision = (double)found / (double)called,
        };
    }
    eval_levels_clear(&levels);
    return ANO_OK;
}
