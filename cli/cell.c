#include "cli/cell.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/score.h"
#include "cli/train.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- names and files ----------------------------------------------------------------------- */

char *cli_cell_name(const cli_cell *cell)
{
    enum { ESCAPED = 3, REST = 64 };
    char *name = base_alloc(ESCAPED * strlen(cell->class_name) + strlen(cell->method) + REST, 1);
    size_t length = 0;
    for (const char *c = cell->class_name; name != NULL && *c != '\0'; c++) {
        const bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                           (*c >= 'A' && *c <= 'Z') || *c == '_' || (*c == '.' && length > 0);
        length +=
            (size_t)sprintf(name + length, plain ? "%c" : "%%%02X", (unsigned)(unsigned char)*c);
    }
    if (name != NULL)
        sprintf(name + length, "-%s-%" PRIu64, cell->method, cell->seed);
    return name;
}

/* FOLDER/KIND/NAME and an ending, in a string of the caller's. */
static char *cell_path(const cli_cell *cell, const char *folder, const char *kind,
                       const char *ending)
{
    char *name = cli_cell_name(cell), *path = NULL;
    const size_t size = strlen(folder) + strlen(kind) + strlen(ending) + 3;
    if (name != NULL && (path = base_alloc(size + strlen(name), 1)) != NULL)
        sprintf(path, "%s/%s/%s%s", folder, kind, name, ending);
    base_free(name);
    return path;
}

ano_status cli_cell_read(report_benchmark_cell *out, const cli_cell *cell, const char *folder,
                         ano_error *err)
{
    *out = (report_benchmark_cell){0};
    char *path = cell_path(cell, folder, "cells", ".json"), *text = NULL;
    size_t size;
    if (path == NULL)
        return base_error_nomem(err, "cells");
    ano_status status = ANO_OK;
    if (access(path, F_OK) == 0)
        status = base_file_read(&text, &size, path, err);
    if (text != NULL) {
        json_t *root;
        json_error_t where;
        if (base_json_read(&root, text, size, &where) == ANO_NOMEM)
            status = base_error_nomem(err, path);
        const char *class_name, *method;
        json_int_t seed;
        out->done = json_unpack(root, "{ss ss sI sF sF sF sF}", "class", &class_name, "method",
                                &method, "seed", &seed, "auroc", &out->auroc, "train_seconds",
                                &out->train_seconds, "test_seconds", &out->test_seconds,
                                "image_seconds", &out->image_seconds) == 0 &&
                    strcmp(class_name, cell->class_name) == 0 &&
                    strcmp(method, cell->method) == 0 && seed == (json_int_t)cell->seed &&
                    out->auroc >= 0 && out->auroc <= 1;
        json_decref(root);
        if (!out->done && status == ANO_OK)
            status =
                base_error(err, ANO_FORMAT,
                           "%s: is not what a benchmark wrote; remove it, and the cell is done "
                           "again",
                           path);
    }
    base_free(text);
    base_free(path);
    return status;
}

static ano_status write_cell(const cli_cell *cell, const report_benchmark_cell *found,
                             const char *folder, ano_error *err)
{
    char *path = cell_path(cell, folder, "cells", ".json");
    json_t *root =
        json_pack("{ss ss sI sb sf sf sf sf}", "class", cell->class_name, "method", cell->method,
                  "seed", (json_int_t)cell->seed, "baseline", (int)cell->is_baseline, "auroc",
                  found->auroc, "train_seconds", found->train_seconds, "test_seconds",
                  found->test_seconds, "image_seconds", found->image_seconds);
    char *text = base_json_text(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    const ano_status status = path != NULL && text != NULL
                                  ? base_file_write(path, text, strlen(text), err)
                                  : base_error_nomem(err, "cells");
    base_free(text);
    json_decref(root);
    base_free(path);
    return status;
}

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

/* Scores and labels of the images that could be read. */
typedef struct scored {
    const ano_dataset *images;
    float *scores;
    int *labels;
    size_t n;
} scored;

static int keep_score(const ano_result *result, void *cookie)
{
    scored *s = cookie;
    if (result->status != ANO_OK) {
        fprintf(stderr, "anogan: %s\n", result->message);
        return 0;
    }
    s->scores[s->n] = result->score;
    s->labels[s->n++] = ano_dataset_label(s->images, result->image);
    return 0;
}

static ano_status scored_create(scored *out, const ano_dataset *images, ano_error *err)
{
    const size_t n = ano_dataset_count(images);
    *out =
        (scored){images, base_alloc(n, sizeof *out->scores), base_alloc(n, sizeof *out->labels), 0};
    return out->scores != NULL && out->labels != NULL ? ANO_OK : base_error_nomem(err, "scores");
}

static void scored_free(scored *s)
{
    base_free(s->scores);
    base_free(s->labels);
}

static ano_status measure(report_benchmark_cell *found, const scored *s, ano_error *err)
{
    ano_metrics metrics;
    const ano_status status = ano_evaluate(&metrics, s->scores, s->labels, s->n, err);
    if (status == ANO_OK) {
        found->auroc = metrics.auroc;
        found->image_seconds = found->test_seconds / (double)s->n;
    }
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
    if (code == CLI_DONE && measure(found, &s, &err) != ANO_OK)
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

static int run_method(report_benchmark_cell *found, const cli_cell *cell,
                      const cli_options *options, const char *run)
{
    ano_error err = ANO_ERROR_INIT;
    ano_model *model = NULL;
    cli_options how = *options;
    how.data = cell->data;
    how.normal = cell->normal;
    how.anomaly = "*";
    cli_options_take_method(&how, cell->by);
    how.seed = cell->seed;
    how.out = how.resume = run;
    how.train.resume = true;
    how.no_test = true;
    int code = cli_train_and_test(&how, false);
    if (code != CLI_DONE)
        return code;
    char *path = base_path_join(run, "model.safetensors");
    ano_status status = path != NULL ? ano_model_load(&model, path, &err)
                                     : base_error_nomem(&err, "model.safetensors");
    if (status == ANO_OK)
        status = read_seconds(&found->train_seconds, run, &err);
    code = status == ANO_OK ? test_model(found, model, cell, options) : cli_fail(CLI_ON_RUN, &err);
    ano_model_free(model);
    base_free(path);
    return code;
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

static int run_baseline(report_benchmark_cell *found, const cli_cell *cell,
                        const cli_options *options)
{
    signal(SIGTERM, SIG_DFL); /* it has no place to stop at, and leaves nothing behind */
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *training = NULL, *images = NULL;
    scored s = {0};
    ano_status status = open_whole(&training, &images, cell, options, &err);
    if (status == ANO_OK)
        status = scored_create(&s, images, &err);
    if (status == ANO_OK)
        status = fit_and_score(found, &s, cell, training, options->threads, &err);
    if (status == ANO_OK)
        status = measure(found, &s, &err);
    scored_free(&s);
    ano_dataset_free(images);
    ano_dataset_free(training);
    return status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_DATA, &err);
}

int cli_cell_run(const cli_cell *cell, const cli_options *options, const char *folder)
{
    ano_error err = ANO_ERROR_INIT;
    report_benchmark_cell found = {.done = true};
    char *run = cell_path(cell, folder, "runs", "");
    int code = run == NULL         ? cli_refuse(CLI_OTHER, "out of memory: runs")
               : cell->is_baseline ? run_baseline(&found, cell, options)
                                   : run_method(&found, cell, options, run);
    if (code == CLI_DONE && write_cell(cell, &found, folder, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    if (code == CLI_DONE && !cell->is_baseline && slim_run(run, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    base_free(run);
    return code;
}
