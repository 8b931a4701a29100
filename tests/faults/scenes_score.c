/* Scenes that score: by each method, after calibration, by baselines; and what scores are worth. */
#include "refusals.h"
#include "scenes.h"

static int on_strip(const ano_strip *strip, void *cookie)
{
    add(cookie, strip->map, (size_t)strip->n_rows * (size_t)strip->shape.width * sizeof(float));
    return 0;
}

static int on_result(const ano_result *result, void *cookie)
{
    if (result->status != ANO_OK)
        add_lost(cookie, result->message);
    add(cookie, &result->score, sizeof result->score);
    return 0;
}

static ano_status score_images(outcome *out, const ano_model *model, const ano_dataset *dataset,
                               const ano_score_options *how, ano_map map, ano_error *err)
{
    const ano_score_sink sink = {
        .on_strip = on_strip, .on_result = on_result, .cookie = out, .traces = true, .map = map};
    return ano_score_images(model, dataset, how, &sink, err);
}

static ano_status score(outcome *out, ano_method method, ano_search search, ano_error *err)
{
    enum { TRACE = N_HELD_OUT * 2 * 3 };
    float scores[N_HELD_OUT], trace[TRACE] = {0};
    static float generated[N_HELD_OUT * SIZE * SIZE];
    ano_score_options how = scoring(method);
    how.search = search;
    ano_status status = ano_score(scores, generated, ano_method_searches(method) ? trace : NULL,
                                  stage.models[method], stage.held_out, &how, err);
    if (status != ANO_OK)
        return status;
    add(out, scores, sizeof scores);
    add(out, generated, sizeof generated);
    add(out, trace, sizeof trace);
    status = score_images(out, stage.models[method], stage.held_out, &how, ANO_MAP_METHOD, err);
    return status;
}

ano_status scene_score_fc(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_FC, ANO_SEARCH_ADAM, err);
}

ano_status scene_score_lbfgs(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_FC, ANO_SEARCH_LBFGS, err);
}

ano_status scene_score_vae(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_VAE, ANO_SEARCH_ADAM, err);
}

ano_status scene_score_encoder(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_ENCODER, ANO_SEARCH_ADAM, err);
}

ano_status scene_score_latent(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_LATENT, ANO_SEARCH_ADAM, err);
}

ano_status scene_score_hybrid(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_HYBRID, ANO_SEARCH_ADAM, err);
}

ano_status scene_score_patch(outcome *out, ano_error *err)
{
    ano_score_options how = scoring(ANO_METHOD_PATCH);
    how.pool = ANO_POOL_TOP;
    return score_images(out, stage.models[ANO_METHOD_PATCH], stage.tiled, &how, ANO_MAP_METHOD,
                        err);
}

ano_status scene_score_files(outcome *out, ano_error *err)
{
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    const ano_score_options how = scoring(ANO_METHOD_PATCH);
    options.view = ano_model_get_view(stage.models[ANO_METHOD_PATCH]);
    ano_dataset *dataset;
    ano_status status = ano_dataset_open(&dataset, at("images"), &options, err);
    if (status == ANO_OK)
        status =
            score_images(out, stage.models[ANO_METHOD_PATCH], dataset, &how, ANO_MAP_METHOD, err);
    ano_dataset_free(dataset);
    return status;
}

/* Chooses a pool, remembers, calibrates and scores, on a model read from a file. */
static ano_status calibrate(outcome *out, ano_method method, const ano_dataset *training_set,
                            const ano_dataset *aside, ano_error *err)
{
    const unsigned all = (1u << ANO_MEMORIES) - 1, transforms = 1u << ANO_MEMORY_TRANSFORMS;
    const unsigned kinds =
        method == ANO_METHOD_PATCH ? all & ~transforms : all; /* they take time */
    ano_score_options how = scoring(method);
    ano_model *copy = NULL;
    double auroc = 0;
    size_t n = 0;
    ano_status status = ano_model_load(&copy, at(ano_method_name(method)), err);
    if (status == ANO_OK)
        status = ano_choose_pool(&how, &auroc, &n, copy, aside, 6, err);
    if (status == ANO_OK)
        status = ano_memorise(copy, kinds, training_set, aside, &how, err);
    if (status == ANO_OK)
        status = ano_calibrate(copy, aside, &how, err);
    if (status == ANO_OK)
        status = score_images(out, copy, aside, &how,
                              method == ANO_METHOD_PATCH ? ANO_MAP_ALL : ANO_MAP_TRANSFORMS, err);
    if (status == ANO_OK)
        status = ano_model_save(copy, at("kept.safetensors"), err);
    add(out, &auroc, sizeof auroc);
    add(out, &n, sizeof n);
    if (status == ANO_OK && (n < ano_dataset_count(aside) ||
                             ano_model_get_calibration(copy).n < ano_dataset_count(aside)))
        add_lost(out, "fewer images than there are");
    ano_model_free(copy);
    refusals_end();
    check_files(stage.folder);
    if (status == ANO_OK)
        add_file(out, at("kept.safetensors"));
    return status;
}

ano_status scene_calibrate_whole(outcome *out, ano_error *err)
{
    return calibrate(out, ANO_METHOD_FC, stage.normal, stage.held_out, err);
}

ano_status scene_calibrate_tiles(outcome *out, ano_error *err)
{
    return calibrate(out, ANO_METHOD_PATCH, stage.tiled, stage.tiled_aside, err);
}

/* ---- evaluation ----------------------------------------------------------------------------- */

ano_status scene_baselines(outcome *out, ano_error *err)
{
    ano_status status = ANO_OK;
    const ano_baseline_options how = {.components = 3, .threads = 2};
    for (int i = 0; i < ANO_BASELINES && status == ANO_OK; i++) {
        ano_baseline_model *fitted;
        float scores[N_HELD_OUT];
        status = ano_baseline_fit(&fitted, (ano_baseline)i, stage.normal, &how, err);
        if (status == ANO_OK)
            status = ano_baseline_score(scores, fitted, stage.held_out, err);
        if (status == ANO_OK)
            add(out, scores, sizeof scores);
        ano_baseline_free(fitted);
    }
    return status;
}

ano_status scene_evaluate(outcome *out, ano_error *err)
{
    enum { N = 6, SIDE = 4 };
    static const float scores[N] = {3, 1, 4, 1, 5, 9}, map[SIDE * SIDE] = {1, 2, 3, 4, 5};
    static const uint8_t mask[SIDE * SIDE] = {0, 0, 1, 1, 0, 0, 0, 0, 1};
    static const int labels[N] = {0, 0, 1, 0, 1, 1};
    ano_metrics metrics;
    ano_curve_point points[N + 1];
    ano_pixel_metrics *pixels = NULL;
    ano_pixel_result result;
    ano_drift *drift = NULL;
    size_t n_points;
    double threshold;
    bool rejected[N];
    ano_status status = ano_evaluate(&metrics, scores, labels, N, err);
    if (status == ANO_OK)
        status = ano_curves(points, &n_points, scores, labels, N, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_create(&pixels, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_add(pixels, map, mask, SIDE, SIDE, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_finish(&result, pixels, err);
    if (status == ANO_OK)
        status = ano_threshold(&threshold, scores, N, 0.2, err);
    if (status == ANO_OK)
        status = ano_benjamini_hochberg(rejected, (double[N]){0.1, 0.01, 1, 0.5, 0.02, 0.3}, N, 0.1,
                                        err);
    if (status == ANO_OK)
        status = ano_drift_create(&drift, scores, N, 7, 0.01, 1, err);
    if (status == ANO_OK) {
        add(out, &metrics, sizeof metrics);
        add(out, points, n_points * sizeof *points);
        add(out, &result, sizeof result);
        add(out, &threshold, sizeof threshold);
        add(out, rejected, sizeof rejected);
    }
    ano_pixel_metrics_free(pixels);
    ano_drift_free(drift);
    return status;
}
