#include "eval/levels.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/scores.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const float x = ((const eval_level *)a)->score, y = ((const eval_level *)b)->score;
    return (x > y) - (x < y);
}

/* Sorts levels of one image each and merges those of the same score. */
static void merge(eval_levels *levels, size_t n)
{
    eval_level *at = levels->at;
    qsort(at, n, sizeof *at, compare);
    levels->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (levels->n == 0 || at[levels->n - 1].score < at[i].score) {
            at[levels->n++] = at[i];
            continue;
        }
        at[levels->n - 1].n_normal += at[i].n_normal;
        at[levels->n - 1].n_anomalous += at[i].n_anomalous;
    }
}

ano_status eval_levels_init(eval_levels *out, const float *scores, const int *labels, size_t n,
                            const char *what, ano_error *err)
{
    *out = (eval_levels){0};
    const ano_status status = eval_check_scores(scores, n, what, err);
    if (status != ANO_OK)
        return status;
    size_t n_anomalous = 0;
    for (size_t i = 0; i < n; i++) {
        if (labels[i] != 0 && labels[i] != 1)
            return base_error(err, ANO_ARG, "%s: label %zu is %d, not 0 or 1", what, i, labels[i]);
        n_anomalous += (size_t)labels[i];
    }
    if (n_anomalous == 0 || n_anomalous == n)
        return base_error(err, ANO_ARG,
                          "%s: needs normal and anomalous images, and there are %zu and %zu", what,
                          n - n_anomalous, n_anomalous);
    eval_level *at = base_alloc(n, sizeof *at);
    if (at == NULL)
        return base_error_nomem(err, what);
    for (size_t i = 0; i < n; i++)
        at[i] = (eval_level){scores[i], labels[i] == 0, labels[i] == 1};
    *out = (eval_levels){.at = at, .n_normal = n - n_anomalous, .n_anomalous = n_anomalous};
    merge(out, n);
    return ANO_OK;
}

void eval_levels_clear(eval_levels *levels)
{
    base_free(levels->at);
    *levels = (eval_levels){0};
}
