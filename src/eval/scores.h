/* What every measure asks of scores before it uses them. */
#ifndef EVAL_SCORES_H
#define EVAL_SCORES_H

#include <anogan/anogan.h>

/* NUMERIC, "what: score 3 is nan", unless all n scores are finite. */
ano_status eval_check_scores(const float *scores, size_t n, const char *what, ano_error *err);

#endif
