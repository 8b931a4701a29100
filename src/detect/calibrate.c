/* What scores of normal images are like, from normal images that training has not seen. */
#include "base/error.h"
#include "base/memory.h"
#include "detect/pool.h"
#include "model/model.h"

typedef struct calibrating {
    float *scores; /* [n] */
    size_t n;
    float map_high;
} calibrating;

static int on_strip(const ano_strip *strip, void *cookie)
{
    calibrating *c = cookie;
    c->map_high =
        detect_highest(c->map_high, strip->map, (size_t)strip->n_rows * (size_t)strip->shape.width);
    return 0;
}

static int on_result(const ano_result *result, void *cookie)
{
    calibrating *c = cookie;
    if (result->status == ANO_OK)
        c->scores[c->n++] = result->score;
    return 0;
}

ano_status ano_calibrate(ano_model *model, const ano_dataset *normals,
                         const ano_score_options *options, ano_error *err)
{
    ano_score_options how = *options;
    if (options->method == ANO_METHOD_OF_MODEL)
        how.method = model->config.method; /* not that of the calibration before */
    calibrating c = {.scores = base_alloc(ano_dataset_count(normals), sizeof(float))};
    if (c.scores == NULL)
        return base_error_nomem(err, "calibration");
    const ano_score_sink sink = {.on_strip = on_strip, .on_result = on_result, .cookie = &c};
    ano_status status = ano_score_images(model, normals, &how, &sink, err);
    if (status == ANO_OK && c.n == 0)
        status = base_error(err, ANO_ARG, "no image could be read to calibrate with");
    if (status == ANO_OK)
        status = ano_model_set_calibration(model,
                                           &(ano_calibration){c.scores, c.n, c.map_high, how}, err);
    base_free(c.scores);
    return status;
}
