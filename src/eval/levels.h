/* Scores sorted and counted by label, which the metrics and the curves are read from. */
#ifndef EVAL_LEVELS_H
#define EVAL_LEVELS_H

#include <anogan/anogan.h>

/* A distinct score and how many images of each kind have it. */
typedef struct eval_level {
    float score;
    size_t n_normal, n_anomalous;
} eval_level;

typedef struct eval_levels {
    eval_level *at; /* [n], in rising order of the scores */
    size_t n;
    size_t n_normal, n_anomalous; /* of all levels, neither 0 */
} eval_levels;

/* Counts scores [n] with labels [n]; `what` is for messages. Errors: ARG when a label is neither 0
 * nor 1 or there are no images of one of them, NUMERIC, NOMEM; then there is nothing to clear. */
ano_status eval_levels_init(eval_levels *out, const float *scores, const int *labels, size_t n,
                            const char *what, ano_error *err);
void eval_levels_clear(eval_levels *levels);

#endif
