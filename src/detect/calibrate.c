/* What scores of normal images are like, from normal images that training has not seen. */
#include "base/memory.h"
#include "data/dataset.h"
#include "detect/choice.h"

#include <math.h>

typedef struct calibrating {
    float *scores; /* [n] */
    size_t n;
    float map_high;
    detect_choice *choice; /* NULL: the pool is given */
    ano_error err;         /* of the choice, which stopped the scoring */
} calibrating;

static int on_strip(const ano_strip *strip, void *cookie)
{
    calibrating *c = cookie;
    const size_t n = (size_t)strip->n_rows * (size_t)strip->shape.width;
    for (size_t i = 0; i < n; i++)
        c->map_high = fmaxf(c->map_high, strip->map[i]);
    return c->choice != NULL && detect_choice_add(c->choice, strip, &c->err) != ANO_OK;
}

static int on_result(const ano_result *result, void *cookie)
{
    calibrating *c = cookie;
    if (c->choice != NULL)
        detect_choice_end(c->choice, result->status == ANO_OK);
    if (result->status == ANO_OK)
        c->scores[c->n++] = result->score;
    return 0;
}

ano_status ano_calibrate(ano_model *model, const ano_dataset *normals,
                         const ano_score_options *options, ano_error *err)
{
    ano_score_options how = *options;
    calibrating c = {.scores = base_alloc(ano_dataset_count(normals), sizeof(float)),
                     .err = ANO_ERROR_INIT};
    ano_status status = c.scores != NULL ? ANO_OK : base_error_nomem(err, "calibration");
    if (options->pool == ANO_POOL_AUTO)
        how.pool = ANO_POOL_SUM;
    if (options->pool == ANO_POOL_AUTO && normals->view.stride > 0 && status == ANO_OK)
        status =
            detect_choice_create(&c.choice, ano_dataset_count(normals), options->pool_share, err);
    const ano_score_sink sink = {on_strip, on_result, &c, false};
    if (status == ANO_OK)
        status = ano_score_images(model, normals, &how, &sink, err);
    if (c.err.status != ANO_OK)
        status = base_error(err, c.err.status, "%s", c.err.message);
    if (status == ANO_OK && c.n == 0)
        status = base_error(err, ANO_ARG, "no image could be read to calibrate with");
    const float *scores = c.scores;
    if (status == ANO_OK && c.choice != NULL)
        status = detect_choice_make(&how.pool, &scores, c.choice, err);
    if (status == ANO_OK)
        status =
            ano_model_set_calibration(model, &(ano_calibration){scores, c.n, c.map_high, how}, err);
    detect_choice_free(c.choice);
    base_free(c.scores);
    return status;
}
