/* What a model knows of normal scores, and how the model file holds it: the scores as a tensor, how
 * they were made as JSON in the metadata. */
#include "model/calibration.h"

#include "base/memory.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The words that options have in files, by their numbers. */
static const char *const search_names[] = {
    [ANO_SEARCH_ADAM] = "adam", [ANO_SEARCH_LBFGS] = "lbfgs"};
static const char *const pool_names[] = {[ANO_POOL_SUM] = "sum",
                                         [ANO_POOL_MEAN] = "mean",
                                         [ANO_POOL_TOP] = "top",
                                         [ANO_POOL_MAX] = "max"};
static const char *const clip_names[] = {
    [ANO_CLIP_BOUND] = "clip", [ANO_CLIP_TANH] = "tanh", [ANO_CLIP_STOCHASTIC] = "stochastic"};
static const char *const evidence_names[] = {
    [ANO_EVIDENCE_ELBO] = "elbo",
    [ANO_EVIDENCE_RECONSTRUCTION] = "reconstruction",
    [ANO_EVIDENCE_UNEXPLAINED] = "unexplained",
};
#define COUNT(names) (sizeof(names) / sizeof *(names))

const char *ano_search_name(ano_search search)
{
    return search_names[search];
}

const char *ano_evidence_name(ano_evidence evidence)
{
    return evidence_names[evidence];
}

const char *ano_pool_name(ano_pool pool)
{
    return pool_names[pool];
}

const char *ano_clip_name(ano_clip clip)
{
    return clip_names[clip];
}

ano_score_options ano_score_options_of(ano_method method)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.method = method;
    if (method == ANO_METHOD_LATENT || method == ANO_METHOD_HYBRID) {
        options.iterations = method == ANO_METHOD_LATENT ? 50 : 10;
        options.restarts = 1;
        options.learning_rate = method == ANO_METHOD_LATENT ? 0.1 : 0.02;
        options.feature_weight = 0.9;
    }
    if (method == ANO_METHOD_ENCODER)
        options.feature_weight = 10;
    return options;
}

ano_calibration ano_model_get_calibration(const ano_model *model)
{
    return model->calibration;
}

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void model_calibration_clear(ano_model *model)
{
    base_free((float *)model->calibration.scores);
    model->calibration = (ano_calibration){0};
}

ano_status ano_model_set_calibration(ano_model *model, const ano_calibration *calibration,
                                     ano_error *err)
{
    const size_t n = calibration->n;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(calibration->scores[i]))
            return base_error(err, ANO_ARG, "calibration: score %zu is %f", i,
                              (double)calibration->scores[i]);
    const ano_score_options *how = &calibration->how;
    if (n > 0 &&
        (!isfinite(calibration->map_high) || !isfinite(how->tolerance) || how->iterations < 0 ||
         how->restarts < 0 || how->samples < 0 || !isfinite(how->learning_rate) ||
         !isfinite(how->pool_share) || !isfinite(how->feature_weight)))
        return base_error(err, ANO_ARG, "calibration: a field is out of range");
    float *scores = base_alloc(n, sizeof *scores);
    if (scores == NULL)
        return base_error_nomem(err, "calibration");
    if (n > 0) {
        memcpy(scores, calibration->scores, n * sizeof *scores);
        qsort(scores, n, sizeof *scores, compare_floats);
    }
    model_calibration_clear(model);
    model->calibration = *calibration;
    model->calibration.scores = scores;
    if (how->method == ANO_METHOD_OF_MODEL)
        model->calibration.how.method = model->config.method;
    model->calibration.how.threads = 0;
    model->calibration.how.callback = NULL;
    model->calibration.how.cookie = NULL;
    return ANO_OK;
}

/* Whether the features' options count for it. */
static bool matches_features(ano_method method)
{
    return method == ANO_METHOD_LATENT || method == ANO_METHOD_ENCODER ||
           method == ANO_METHOD_HYBRID;
}

static bool same_matching(const ano_score_options *a, const ano_score_options *b)
{
    return a->feature_weight == b->feature_weight && a->feature_block == b->feature_block &&
           a->clip == b->clip;
}

bool ano_calibration_holds(const ano_calibration *calibration, const ano_score_options *options)
{
    const ano_score_options *how = &calibration->how;
    return calibration->n > 0 &&
           (options->method == ANO_METHOD_OF_MODEL || how->method == options->method) &&
           (!matches_features(how->method) || same_matching(how, options)) &&
           how->search == options->search && how->iterations == options->iterations &&
           how->restarts == options->restarts &&
           (how->learning_rate == options->learning_rate || how->search != ANO_SEARCH_ADAM) &&
           how->tolerance == options->tolerance && how->seed == options->seed &&
           how->samples == options->samples && how->evidence == options->evidence &&
           how->pool == options->pool &&
           (how->pool_share == options->pool_share || how->pool != ANO_POOL_TOP);
}

static const char scores_name[] = "calibration.scores";

/* ---- in a file ---------------------------------------------------------------------------- */

json_t *model_calibration_metadata(const ano_calibration *calibration)
{
    const ano_score_options *how = &calibration->how;
    json_t *object = json_pack(
        "{s:I, s:f, s:s, s:i, s:i, s:f, s:f, s:I, s:s, s:f, s:i, s:s}", "n",
        (json_int_t)calibration->n, "map_high", (double)calibration->map_high, "search",
        ano_search_name(how->search), "iterations", how->iterations, "restarts", how->restarts,
        "learning_rate", how->learning_rate, "tolerance", how->tolerance, "seed",
        (json_int_t)how->seed, "pool", ano_pool_name(how->pool), "pool_share", how->pool_share,
        "samples", how->samples, "evidence", ano_evidence_name(how->evidence));
    /* Files of the first methods are without. */
    if (object != NULL && matches_features(how->method) &&
        json_object_update_new(
            object, json_pack("{s:s, s:f, s:i, s:s}", "method", ano_method_name(how->method),
                              "feature_weight", how->feature_weight, "feature_block",
                              how->feature_block, "clip", ano_clip_name(how->clip))) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

bool model_calibration_has(const ano_calibration *calibration, const char *name)
{
    return calibration->n > 0 && strcmp(name, scores_name) == 0;
}

format_tensor model_calibration_tensor(const ano_calibration *calibration)
{
    return (format_tensor){
        .name = scores_name, .n_dims = 1, .dims = {calibration->n}, .data = calibration->scores};
}

static ano_status read_name(int *out, const json_t *object, const char *key,
                            const char *const *names, size_t n_names, ano_error *err)
{
    const char *name = json_string_value(json_object_get(object, key));
    for (size_t i = 0; name != NULL && i < n_names; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (int)i;
            return ANO_OK;
        }
    return base_error(err, ANO_FORMAT, "metadata: calibration: %s is missing or unknown", key);
}

static ano_status read_number(double *out, const json_t *object, const char *key, double low,
                              double high, ano_error *err)
{
    const json_t *value = json_object_get(object, key);
    *out = json_number_value(value);
    if (json_is_number(value) && *out >= low && *out <= high)
        return ANO_OK;
    return base_error(err, ANO_FORMAT, "metadata: calibration: %s is missing or out of range", key);
}

/* Those of a method that matches features; where there is no method, it is the model's. */
static ano_status read_matching(ano_score_options *how, const json_t *object, ano_error *err)
{
    double block = 0;
    int clip = 0;
    const json_t *name = json_object_get(object, "method");
    *how = (ano_score_options)ANO_SCORE_OPTIONS_INIT;
    if (name == NULL)
        return ANO_OK;
    if (!json_is_string(name) || !model_method_named(&how->method, json_string_value(name)))
        return base_error(err, ANO_FORMAT, "metadata: calibration: method is unknown");
    ano_status status = read_number(&how->feature_weight, object, "feature_weight", 0, 1e30, err);
    if (status == ANO_OK)
        status = read_number(&block, object, "feature_block", 0, INT_MAX, err);
    if (status == ANO_OK)
        status = read_name(&clip, object, "clip", clip_names, COUNT(clip_names), err);
    if (status != ANO_OK)
        return status; /* a number out of its range may be beyond an int too */
    how->feature_block = (int)block;
    how->clip = (ano_clip)clip;
    return ANO_OK;
}

/* The fields of `object`; scores stays NULL. */
static ano_status read_fields(ano_calibration *out, const json_t *object, ano_error *err)
{
    ano_score_options *how = &out->how;
    const ano_score_options first = ANO_SCORE_OPTIONS_INIT;
    double n = 0, map_high = 0, iterations = 0, restarts = 0, seed = 0;
    double samples = first.samples;
    int search = 0, pool = 0, evidence = (int)first.evidence;
    const struct {
        const char *key;
        double *value, low, high;
    } numbers[] = {
        {"n", &n, 0, INT_MAX},
        {"map_high", &map_high, 0, 1e30},
        {"iterations", &iterations, 1, 1e6}, /* as the program's options: a search must end */
        {"restarts", &restarts, 1, 1000},
        {"learning_rate", &how->learning_rate, 0, 1e30},
        {"tolerance", &how->tolerance, 0, 1},
        {"seed", &seed, 0, 0x1p53},
        {"pool_share", &how->pool_share, 0, 1},
    };
    ano_status status = read_matching(how, object, err);
    for (size_t i = 0; i < COUNT(numbers) && status == ANO_OK; i++)
        status = read_number(numbers[i].value, object, numbers[i].key, numbers[i].low,
                             numbers[i].high, err);
    if (status == ANO_OK)
        status = read_name(&search, object, "search", search_names, COUNT(search_names), err);
    if (status == ANO_OK)
        status = read_name(&pool, object, "pool", pool_names, COUNT(pool_names), err);
    /* The first files have neither. */
    if (status == ANO_OK && json_object_get(object, "samples") != NULL)
        status = read_number(&samples, object, "samples", 0, 1e6, err);
    if (status == ANO_OK && json_object_get(object, "evidence") != NULL)
        status =
            read_name(&evidence, object, "evidence", evidence_names, COUNT(evidence_names), err);
    if (status != ANO_OK)
        return status;
    out->n = (size_t)n;
    out->map_high = (float)map_high;
    how->iterations = (int)iterations;
    how->restarts = (int)restarts;
    how->seed = (uint64_t)seed;
    how->search = (ano_search)search;
    how->pool = (ano_pool)pool;
    how->samples = (int)samples;
    how->evidence = (ano_evidence)evidence;
    return ANO_OK;
}

ano_status model_calibration_read(ano_model *model, const json_t *object,
                                  const format_safetensors *file, ano_error *err)
{
    ano_calibration found = {0};
    ano_status status = read_fields(&found, object, err);
    if (status != ANO_OK)
        return status;
    const size_t dims[] = {found.n};
    const size_t tensors = format_safetensors_count(file);
    size_t at = 0;
    while (at < tensors && strcmp(format_safetensors_at(file, at)->name, scores_name) != 0)
        at++;
    if (at == tensors || found.n == 0)
        return base_error(err, ANO_FORMAT, "metadata: calibration: there are no scores");
    const format_tensor *tensor = format_safetensors_at(file, at);
    if (tensor->n_dims != 1 || tensor->dims[0] != dims[0])
        return base_error(err, ANO_SHAPE, "calibration.scores: is not of %zu scores", found.n);
    found.scores = tensor->data;
    ano_error refused = ANO_ERROR_INIT;
    status = ano_model_set_calibration(model, &found, &refused);
    return status == ANO_ARG  ? base_error(err, ANO_FORMAT, "%s", refused.message)
           : status != ANO_OK ? base_error(err, status, "%s", refused.message)
                              : ANO_OK;
}
