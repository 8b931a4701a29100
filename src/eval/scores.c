#include "eval/scores.h"

#include "base/error.h"

#include <math.h>

ano_status eval_check_scores(const float *scores, size_t n, const char *what, ano_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(scores[i]))
            return base_error(err, ANO_NUMERIC, "%s: score %zu is %f", what, i, (double)scores[i]);
    return ANO_OK;
}
