#include "cli/piece.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/score.h"
#include "cli/test.h"
#include "cli/train.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- testing ------------------------------------------------------------------------------- */

static ano_status open_test(ano_dataset **out, const cli_cell *cell, size_t count,
                            const ano_view *view, ano_error *err)
{
    const ano_dataset_options test = {.split = ANO_SPLIT_TEST,
                                      .normal = cell->normal,
                                      .anomaly = "*",
                                      .count = count,
                                      .view = *view};
    return ano_dataset_open(out, cell->data, &test, err);
}

/* Scores and labels of the images that could be read, and parts of the scores. */
typedef struct scored {
    const ano_dataset *images;
    float *scores;
    float *alone, *unlearned; /* what the method says alone; what of the memory nothing was learned
                                 for. Without memory both are of no use */
    int *labels;
    size_t n;
} scored;

/* Whether training makes what a kind of memory compares. */
static bool is_learned(ano_memory kind)
{
    return kind == ANO_MEMORY_FEATURES || kind == ANO_MEMORY_TRANSFORMS;
}

static int keep_score(const ano_result *result, void *cookie)
{
    scored *s = cookie;
    if (result->status != ANO_OK) {
        fprintf(stderr, "anogan: %s\n", result->message);
        return 0;
    }
    double unlearned = 0;
    for (int k = 0; k < ANO_MEMORIES; k++)
        if (!isnan(result->remembered[k]) && !is_learned((ano_memory)k))
            unlearned += result->remembered[k];
    s->scores[s->n] = result->score;
    s->alone[s->n] = (float)result->own;
    s->unlearned[s->n] = (float)unlearned;
    s->labels[s->n++] = ano_dataset_label(s->images, result->image);
    return 0;
}

static ano_status scored_create(scored *out, const ano_dataset *images, ano_error *err)
{
    const size_t n = ano_dataset_count(images);
    *out = (scored){.images = images,
                    .scores = base_alloc(n, sizeof *out->scores),
                    .alone = base_alloc(n, sizeof *out->alone),
                    .unlearned = base_alloc(n, sizeof *out->unlearned),
                    .labels = base_alloc(n, sizeof *out->labels)};
    return out->scores != NULL && out->alone != NULL && out->unlearned != NULL &&
                   out->labels != NULL
               ? ANO_OK
               : base_error_nomem(err, "scores");
}

static void scored_free(scored *s)
{
    base_free(s->scores);
    base_free(s->alone);
    base_free(s->unlearned);
    base_free(s->labels);
}

static ano_status measure_auroc(double *auroc, const float *scores, const scored *s, ano_error *err)
{
    ano_metrics metrics;
    const ano_status status = ano_evaluate(&metrics, scores, s->labels, s->n, err);
    *auroc = metrics.auroc;
    return status;
}

/* What a cell is before it is measured: nothing of it is known. */
static const report_benchmark_cell unmeasured = {.done = true,
                                                 .accuracy = NAN,
                                                 .false_alarms = NAN,
                                                 .detected = NAN,
                                                 .alone = NAN,
                                                 .unlearned = NAN};

static ano_status measure(report_benchmark_cell *found, const scored *s, ano_error *err)
{
    const ano_status status = measure_auroc(&found->auroc, s->scores, s, err);
    if (status == ANO_OK)
        found->image_seconds = found->test_seconds / (double)s->n;
    return status;
}

/* ---- methods ------------------------------------------------------------------------------- */

/* The seconds of all epochs, whichever call they were trained in: the last column of loss.csv but
 * one. */
static ano_status read_seconds(double *seconds, const char *run, ano_error *err)
{
    char *path = base_path_join(run, "loss.csv"), *text = NULL, *rest = NULL;
    size_t size;
    *seconds = 0;
    if (path == NULL)
        return base_error_nomem(err, run);
    const ano_status status = base_file_read(&text, &size, path, err);
    char *line = status == ANO_OK ? strtok_r(text, "\n", &rest) : NULL;
    while (line != NULL && (line = strtok_r(NULL, "\n", &rest)) != NULL) {
        char *comma = strrchr(line, ',');
        if (comma != NULL)
            *comma = '\0';
        comma = strrchr(line, ',');
        *seconds += comma != NULL ? strtod(comma + 1, NULL) : 0;
    }
    base_free(text);
    base_free(path);
    return status;
}

/* What the threshold calls anomalous, and how much the parts of the score say alone, of a model
 * that remembers. */
static ano_status measure_model(report_benchmark_cell *found, const scored *s,
                                const ano_model *model, double alpha, ano_error *err)
{
    const ano_calibration calibration = ano_model_get_calibration(model);
    bool remembers = false, is_plain = false;
    double threshold;
    for (int k = 0; k < ANO_MEMORIES; k++)
        if (ano_model_get_memory(model, (ano_memory)k).n > 0) {
            remembers = true;
            is_plain = is_plain || !is_learned((ano_memory)k);
        }
    ano_status status = measure(found, s, err);
    if (status == ANO_OK)
        status = ano_threshold(&threshold, calibration.scores, calibration.n, alpha, err);
    if (status != ANO_OK)
        return status;
    const ano_confusion at = ano_confusion_at(s->scores, s->labels, s->n, threshold);
    found->accuracy = at.accuracy;
    found->false_alarms = (double)at.fp / (double)(at.fp + at.tn);
    found->detected = at.recall;
    if (remembers)
        status = measure_auroc(&found->alone, s->alone, s, err);
    if (status == ANO_OK && is_plain)
        status = measure_auroc(&found->unlearned, s->unlearned, s, err);
    return status;
}

/* Scores as `anogan score` would: in the way that the model is calibrated for. */
static int test_model(report_benchmark_cell *found, const ano_model *model, const cli_cell *cell,
                      const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *images = NULL;
    scored s = {0};
    cli_options how = *options;
    how.data = cell->data;
    how.search = ano_model_get_calibration(model).how;
    how.seed = how.search.seed;
    const ano_view view = ano_model_get_view(model);
    ano_status status = open_test(&images, cell, options->count, &view, &err);
    if (status == ANO_OK)
        status = scored_create(&s, images, &err);
    int code = status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_DATA, &err);
    if (code == CLI_DONE) {
        cli_scoring scoring;
        cli_scoring_begin(&scoring, &how, "scored");
        const ano_score_sink sink = {.on_result = keep_score, .cookie = &s};
        status = ano_score_images(model, images, &scoring.how, &sink, &err);
        found->test_seconds = cli_progress_seconds(&scoring.progress);
        code = cli_scoring_end(&scoring, status, s.n, &how, &err);
    }
    if (code == CLI_DONE && measure_model(found, &s, model, options->alpha, &err) != ANO_OK)
        code = cli_fail(CLI_ON_DATA, &err);
    scored_free(&s);
    ano_dataset_free(images);
    return code;
}

/* Takes away what only an unfinished run needs, and most of its bytes. */
static ano_status slim_run(const char *run, ano_error *err)
{
    char *weights = base_path_join(run, "weights");
    ano_status status = weights != NULL ? cli_remove_files(weights, "", ".safetensors", err)
                                        : base_error_nomem(err, run);
    if (status == ANO_OK)
        status = cli_remove_files(run, "checkpoint_", ".safetensors", err);
    if (status == ANO_OK)
        status = cli_remove_files(run, "checkpoint.safetensors", "", err);
    base_free(weights);
    return status;
}

/* Trains into the run folder, or goes on there, until it holds a calibrated model and little else.
 */
static int train_model(cli_options *how, const char *run)
{
    ano_error err = ANO_ERROR_INIT;
    if (cli_exists(run, "model.safetensors") && !cli_has_checkpoint(run))
        return CLI_DONE;
    const int code = cli_train_and_test(how, false);
    if (code == CLI_DONE && slim_run(run, &err) != ANO_OK)
        return cli_fail(CLI_ON_RUN, &err);
    return code;
}

/* Calibrates as `anogan calibrate --method` would, with the images that training held out. */
static int calibrate_for(ano_model *model, ano_method method, const cli_options *trained)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *training = NULL, *held_out = NULL, *set_aside = NULL;
    cli_options how = *trained;
    cli_options_take_search(&how, method);
    const ano_view view = ano_model_get_view(model);
    const int code =
        cli_split_training(&training, &held_out, &set_aside, &how, &view, &err) == ANO_OK
            ? cli_calibrate_model(model, held_out, &how)
            : cli_fail(CLI_ON_DATA, &err);
    ano_dataset_free(training);
    ano_dataset_free(held_out);
    ano_dataset_free(set_aside);
    return code;
}

static int test_cell(const cli_cell *cell, const cli_options *options, const cli_options *trained,
                     const char *folder)
{
    ano_error err = ANO_ERROR_INIT;
    ano_model *model = NULL;
    report_benchmark_cell found = unmeasured;
    char *path = base_path_join(trained->out, "model.safetensors");
    ano_status status = path != NULL ? ano_model_load(&model, path, &err)
                                     : base_error_nomem(&err, "model.safetensors");
    base_free(path);
    if (status == ANO_OK)
        status = read_seconds(&found.train_seconds, trained->out, &err);
    int code = status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_RUN, &err);
    if (code == CLI_DONE && cell->by != cell->trained)
        code = calibrate_for(model, cell->by, trained);
    if (code == CLI_DONE)
        code = test_model(&found, model, cell, options);
    if (code == CLI_DONE && cli_cell_write(cell, &found, folder, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    ano_model_free(model);
    return code;
}

static int run_methods(const cli_cell *const *cells, size_t n, const cli_options *options,
                       const char *folder)
{
    char *run = cli_cell_path(cells[0], folder, CLI_CELL_RUN);
    if (run == NULL)
        return cli_refuse(CLI_OTHER, "out of memory: runs");
    cli_options how = *options;
    how.data = cells[0]->data;
    how.normal = cells[0]->normal;
    how.anomaly = "*";
    cli_options_take_method(&how, cells[0]->trained);
    how.seed = cells[0]->seed;
    how.out = how.resume = run;
    how.train.resume = true;
    how.no_test = true;
    int code = train_model(&how, run);
    how.data = cells[0]->data; /* which training has made a path of its own */
    const bool is_trained = code == CLI_DONE;
    for (size_t i = 0; i < n && is_trained && !cli_interrupted(); i++) {
        const int of_cell = test_cell(cells[i], options, &how, folder);
        code = code == CLI_DONE ? of_cell : code;
    }
    base_free(run);
    return code == CLI_DONE && cli_interrupted() ? CLI_INTERRUPTED : code;
}

/* ---- baselines ----------------------------------------------------------------------------- */

/* All normal training images and all test images, whole. */
static ano_status open_whole(ano_dataset **training, ano_dataset **images, const cli_cell *cell,
                             const cli_options *options, ano_error *err)
{
    enum { WHOLE_SIZE = 64 }; /* where methods see tiles */
    cli_options how = *options;
    how.data = cell->data;
    ano_view view = cli_training_view(&how);
    if (view.stride > 0)
        view = (ano_view){.size = WHOLE_SIZE, .channels = view.channels};
    const ano_dataset_options normal = {
        .split = ANO_SPLIT_TRAIN, .normal = cell->normal, .view = view};
    size_t n_dropped;
    ano_status status = ano_dataset_open(training, cell->data, &normal, err);
    if (status != ANO_OK)
        return status;
    view = ano_dataset_get_view(*training); /* with the channels that it settled on */
    status = open_test(images, cell, options->count, &view, err);
    if (status == ANO_OK)
        status = ano_dataset_drop_unreadable(*training, &n_dropped, err);
    if (status == ANO_OK)
        status = ano_dataset_drop_unreadable(*images, &n_dropped, err);
    return status;
}

static ano_status fit_and_score(report_benchmark_cell *found, scored *s, const cli_cell *cell,
                                const ano_dataset *training, int threads, ano_error *err)
{
    const size_t n = ano_dataset_count(training);
    const ano_baseline_options how = {n > ANO_PCA_COMPONENTS ? ANO_PCA_COMPONENTS : (int)n - 1,
                                      threads};
    ano_baseline_model *model = NULL;
    const double begun = base_seconds();
    ano_status status = ano_baseline_fit(&model, cell->baseline, training, &how, err);
    const double fitted = base_seconds();
    if (status == ANO_OK)
        status = ano_baseline_score(s->scores, model, s->images, err);
    found->train_seconds = fitted - begun;
    found->test_seconds = base_seconds() - fitted;
    ano_baseline_free(model);
    s->n = ano_dataset_count(s->images);
    for (size_t i = 0; i < s->n; i++)
        s->labels[i] = ano_dataset_label(s->images, i);
    return status;
}

static int run_baseline(const cli_cell *cell, const cli_options *options, const char *folder)
{
    signal(SIGTERM, SIG_DFL); /* it has no place to stop at, and leaves nothing behind */
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *training = NULL, *images = NULL;
    scored s = {0};
    report_benchmark_cell found = unmeasured;
    ano_status status = open_whole(&training, &images, cell, options, &err);
    if (status == ANO_OK)
        status = scored_create(&s, images, &err);
    if (status == ANO_OK)
        status = fit_and_score(&found, &s, cell, training, options->threads, &err);
    if (status == ANO_OK)
        status = measure(&found, &s, &err);
    scored_free(&s);
    ano_dataset_free(images);
    ano_dataset_free(training);
    if (status != ANO_OK)
        return cli_fail(CLI_ON_DATA, &err);
    return cli_cell_write(cell, &found, folder, &err) == ANO_OK ? CLI_DONE
                                                                : cli_fail(CLI_ON_RUN, &err);
}

int cli_piece_run(const cli_cell *const *cells, size_t n, const cli_options *options,
                  const char *folder)
{
    return cells[0]->is_baseline ? run_baseline(cells[0], options, folder)
                                 : run_methods(cells, n, options, folder);
}
