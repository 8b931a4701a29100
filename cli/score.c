/* anogan score: the score of every image, what it means, and where in the image it comes from. */
#include "cli/score.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "cli/maps.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/verdict.h"
#include "cli/watch.h"
#include "report/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cli_command command = {
    .verb = CLI_VERB_SCORE,
    .arguments = "RUN [INPUT...]",
    .doc =
        "Scores images with a trained detector and prints a line for each as it is finished: path, "
        "class, score, p-value, decision, seconds. An INPUT is an image, a folder of images, a "
        "data set, or - for a list of paths on standard input (default: the data that RUN was "
        "trained on). RUN is a run folder or a model file. Exits with 0 when all is done, 3 when "
        "no image could be read.",
    .takes_run = true,
    .takes_inputs = true,
};

int cli_check_trace(const cli_options *options, ano_method method, bool has_tiles)
{
    if (options->trace != NULL && !ano_method_searches(method))
        return cli_refuse(CLI_USAGE, "--trace: the method %s does not search, so there is no trace",
                          ano_method_name(method));
    if (options->trace != NULL && has_tiles)
        return cli_refuse(CLI_USAGE, "--trace: the model sees tiles; only searches of whole images "
                                     "are traced");
    return CLI_DONE;
}

static ano_method method_of(const cli_options *options, const ano_model *model)
{
    const ano_method asked = options->search.method;
    return asked != ANO_METHOD_OF_MODEL ? asked : ano_model_get_config(model).method;
}

int cli_check_trace_of(const cli_options *options, const ano_model *model)
{
    return cli_check_trace(options, method_of(options, model),
                           ano_model_get_view(model).stride > 0);
}

static int check_z_distance(const cli_options *options, const ano_model *model)
{
    const ano_method method = method_of(options, model);
    if (options->z_distance && method != ANO_METHOD_ENCODER && method != ANO_METHOD_HYBRID)
        return cli_refuse(CLI_USAGE, "--z-distance: the method %s has none; encoder and hybrid do",
                          ano_method_name(method));
    if (options->z_distance && ano_model_get_view(model).stride > 0)
        return cli_refuse(CLI_USAGE,
                          "--z-distance: the model sees tiles; only whole images have one");
    return CLI_DONE;
}

static int check_maps(const cli_options *options, const cli_run *run)
{
    if (options->maps == NULL && cli_options_given(options, "map"))
        return cli_refuse(CLI_USAGE,
                          "--map says whose maps are written, --maps DIR where: it is missing");
    return cli_maps_check(run, options->map);
}

/* ---- a scoring call with progress ---------------------------------------------------------- */

static int on_search(double done, size_t total, void *cookie)
{
    cli_scoring *scoring = cookie;
    cli_progress_update(&scoring->progress, scoring->title, done, total);
    return cli_interrupted();
}

void cli_scoring_begin(cli_scoring *out, const cli_options *options, const char *title)
{
    *out = (cli_scoring){cli_progress_begin(options->quiet), title, cli_options_search(options)};
    out->how.callback = on_search;
    out->how.cookie = out;
}

int cli_scoring_end(cli_scoring *scoring, ano_status status, size_t n, const cli_options *options,
                    ano_error *err)
{
    cli_progress_end(&scoring->progress);
    if (status == ANO_SHAPE && options->data != NULL)
        base_error_context(err, "%s", options->data);
    if (status != ANO_OK)
        return cli_fail(CLI_ON_DATA, err);
    const double seconds = cli_progress_seconds(&scoring->progress);
    cli_progress_say(&scoring->progress, "%s: %zu images in %.1f s, %s", scoring->title, n, seconds,
                     cli_progress_rate((double)n, seconds).text);
    return CLI_DONE;
}

/* ---- the images of a call ------------------------------------------------------------------ */

/* What an image came to, until it is printed. */
typedef struct row {
    size_t image;
    double score, z_distance, p_value, seconds;
    char *error; /* NULL, or why there is no score */
} row;

typedef struct call {
    const cli_options *options;
    cli_run *run;
    cli_verdict verdict;
    cli_summary summary;
    cli_maps maps;
    base_file trace;
    /* Of the images under way: */
    const ano_dataset *images;
    cli_scoring scoring;
    size_t n_rows; /* that wait for --fdr to choose among them */
    row *rows;
    ano_error err; /* of the program's own, which stopped the scoring */
} call;

static ano_status print_row(call *c, const row *found, bool is_anomalous, ano_error *err)
{
    char path[4200];
    cli_image_name(path, sizeof path, c->images, found->image);
    const cli_line line = {
        .path = path,
        .class_name = ano_dataset_class(c->images, found->image),
        .error = found->error,
        .score = found->score,
        .has_z_distance = c->options->z_distance,
        .z_distance = found->z_distance,
        .p_value = found->p_value,
        .seconds = found->seconds,
        .decision = !cli_verdict_is_given(&c->verdict) ? NULL
                    : is_anomalous                     ? "anomalous"
                                                       : "normal",
    };
    cli_progress_end(&c->scoring.progress);
    c->summary.n_skipped += found->error != NULL;
    c->summary.n_scored += found->error == NULL;
    c->summary.n_anomalous += found->error == NULL && is_anomalous;
    return cli_output_line(&line, c->options->json, err);
}

/* Benjamini and Hochberg's choice among all images of the call. */
static ano_status print_chosen(call *c, ano_error *err)
{
    size_t n = 0;
    double *p_values = base_alloc(c->n_rows, sizeof *p_values);
    bool *is_anomalous = base_alloc(c->n_rows, sizeof *is_anomalous);
    ano_status status = ANO_OK;
    if (p_values == NULL || is_anomalous == NULL)
        status = base_error_nomem(err, "p-values");
    for (size_t i = 0; i < c->n_rows && status == ANO_OK; i++)
        if (c->rows[i].error == NULL)
            p_values[n++] = c->rows[i].p_value;
    if (status == ANO_OK)
        status = ano_benjamini_hochberg(is_anomalous, p_values, n, c->options->fdr, err);
    n = 0;
    for (size_t i = 0; i < c->n_rows && status == ANO_OK; i++)
        status = print_row(c, &c->rows[i], c->rows[i].error == NULL && is_anomalous[n++], err);
    base_free(p_values);
    base_free(is_anomalous);
    return status;
}

static void watch_for_drift(call *c, double score)
{
    cli_verdict *verdict = &c->verdict;
    if (verdict->drift == NULL || !ano_drift_update(verdict->drift, score) || c->summary.drift)
        return;
    c->summary.drift = true;
    cli_progress_end(&c->scoring.progress);
    fprintf(
        stderr,
        "anogan: drift: the images that pass as normal no longer look like those that the model "
        "is calibrated with (after %zu of them, odds of 10^%.1f to 1); p-values cannot be relied "
        "on until it is calibrated anew\n",
        ano_drift_count(verdict->drift), ano_drift_evidence(verdict->drift));
}

static void write_trace(call *c, const ano_result *result)
{
    const ano_score_options *how = &c->scoring.how;
    char path[4200];
    cli_image_name(path, sizeof path, c->images, result->image);
    for (int k = 0; k < how->restarts * how->iterations; k++) {
        report_csv_field(c->trace.stream, path);
        fputc(',', c->trace.stream);
        report_csv_field(c->trace.stream, ano_dataset_class(c->images, result->image));
        fprintf(c->trace.stream, ",%d,%d,%.9g\n", k / how->iterations + 1, k % how->iterations + 1,
                (double)result->trace[k]);
    }
}

static int on_strip(const ano_strip *strip, void *cookie)
{
    call *c = cookie;
    return cli_maps_strip(&c->maps, c->images, strip, &c->err) != ANO_OK;
}

static int on_result(const ano_result *result, void *cookie)
{
    call *c = cookie;
    row found = {.image = result->image, .seconds = result->seconds};
    if (result->status != ANO_OK) {
        cli_maps_drop(&c->maps);
        cli_progress_end(&c->scoring.progress);
        cli_say("%s: skipped", result->message);
        found.error = base_strdup(result->message);
    } else if (cli_maps_end(&c->maps, &c->err) != ANO_OK) {
        return 1;
    } else {
        if (c->maps.why.status != ANO_OK) {
            cli_progress_end(&c->scoring.progress);
            cli_say("%s: no map", c->maps.why.message);
        }
        found.score = (double)result->score;
        found.z_distance = (double)result->z_distance;
        found.p_value = cli_verdict_p_value(&c->verdict, found.score);
        if (result->trace != NULL)
            write_trace(c, result);
        watch_for_drift(c, found.score);
    }
    if (c->rows != NULL) {
        c->rows[c->n_rows++] = found;
        return 0;
    }
    const ano_status status = print_row(c, &found, found.score > c->verdict.threshold, &c->err);
    base_free(found.error);
    return status != ANO_OK;
}

/* Scores the images of one data set. */
static int score_images(call *c, const ano_dataset *images)
{
    ano_error err = ANO_ERROR_INIT;
    const cli_options *options = c->options;
    const size_t n = ano_dataset_count(images);
    c->images = images;
    c->n_rows = 0;
    c->rows = options->fdr > 0 ? base_alloc(n, sizeof *c->rows) : NULL;
    if (options->fdr > 0 && c->rows == NULL)
        return cli_fail(CLI_ON_DATA, (base_error_nomem(&err, "scores"), &err));
    cli_scoring_begin(&c->scoring, options, "scored");
    if (options->maps != NULL && cli_maps_name(&c->maps, images, &err) != ANO_OK)
        return cli_fail(CLI_ON_RUN, &err);
    const ano_score_sink sink = {.on_strip = options->maps != NULL ? on_strip : NULL,
                                 .on_result = on_result,
                                 .cookie = c,
                                 .traces = options->trace != NULL,
                                 .z_distances = options->z_distance,
                                 .map = options->maps != NULL ? options->map : ANO_MAP_METHOD};
    const ano_status status = ano_score_images(c->run->model, images, &c->scoring.how, &sink, &err);
    cli_maps_drop(&c->maps);
    if (status == ANO_OK && c->rows != NULL)
        print_chosen(c, &c->err);
    for (size_t i = 0; i < c->n_rows; i++)
        base_free(c->rows[i].error);
    base_free(c->rows);
    c->rows = NULL;
    c->n_rows = 0;
    if (c->err.status != ANO_OK) {
        cli_progress_end(&c->scoring.progress);
        return cli_fail(CLI_ON_RUN, &c->err);
    }
    return cli_scoring_end(&c->scoring, status, n, options, &err);
}

/* A file that has just been completed in the watched folder. */
static int on_arrival(const char *path, void *cookie)
{
    call *c = cookie;
    ano_dataset *images;
    ano_error err = ANO_ERROR_INIT;
    const cli_options *options = c->options;
    const ano_dataset_options which = {.view = ano_model_get_view(c->run->model),
                                       .max_pixels = (size_t)options->max_pixels,
                                       .allow_outside = options->allow_outside};
    if (ano_dataset_open(&images, path, &which, &err) != ANO_OK) {
        cli_say("%s: skipped", err.message);
        c->summary.n_skipped++;
        return CLI_DONE;
    }
    const int code = score_images(c, images);
    ano_dataset_free(images);
    return code;
}

/* ---- the verb ------------------------------------------------------------------------------ */

static int open_outputs(call *c)
{
    const cli_options *options = c->options;
    if (options->fdr > 0 && !cli_verdict_is_given(&c->verdict))
        return cli_refuse(CLI_BAD_MODEL, "%s: has no p-values for --fdr to choose by",
                          c->run->model_path);
    if (options->fdr > 0 && options->watch != NULL)
        return cli_refuse(CLI_USAGE, "--fdr chooses among all images, which --watch never has");
    ano_error err = ANO_ERROR_INIT;
    if (options->trace != NULL && base_file_create(&c->trace, options->trace, &err) != ANO_OK)
        return cli_fail(CLI_ON_RUN, &err);
    if (options->trace != NULL)
        fputs("path,class,search,iteration,residual\n", c->trace.stream);
    if (options->maps != NULL && cli_maps_begin(&c->maps, options, c->run->model, &err) != ANO_OK)
        return cli_fail(CLI_ON_RUN, &err);
    return CLI_DONE;
}

/* The exit code of a call that went through. */
static int judge(const call *c)
{
    const cli_summary *summary = &c->summary;
    if (summary->n_skipped > 0 && (summary->n_scored == 0 || c->options->strict))
        return cli_refuse(CLI_BAD_DATA, "%zu of %zu images could not be read", summary->n_skipped,
                          summary->n_skipped + summary->n_scored);
    if (summary->n_skipped > 0)
        fprintf(stderr, "anogan: %zu images could not be read and were skipped\n",
                summary->n_skipped);
    return c->options->fail_on_anomaly && summary->n_anomalous > 0 ? CLI_ANOMALY_FOUND : CLI_DONE;
}

static int score(cli_run *run, const cli_options *options)
{
    ano_dataset *images = NULL;
    ano_error err = ANO_ERROR_INIT;
    call c = {.options = options, .run = run, .err = ANO_ERROR_INIT};
    const cli_progress clock = cli_progress_begin(true);
    int code = cli_check_trace_of(options, run->model);
    if (code == CLI_DONE)
        code = check_z_distance(options, run->model);
    if (code == CLI_DONE)
        code = check_maps(options, run);
    if (code == CLI_DONE)
        code = cli_verdict_open(&c.verdict, run, options);
    if (code == CLI_DONE)
        code = open_outputs(&c);
    if (code == CLI_DONE && options->watch == NULL)
        code = cli_inputs_open(&images, run->model, options);
    if (code == CLI_DONE)
        cli_output_begin(options->json, options->z_distance);
    if (code == CLI_DONE)
        code = options->watch != NULL ? cli_watch(options->watch, on_arrival, &c)
                                      : score_images(&c, images);
    if (code == CLI_DONE && options->trace != NULL && base_file_commit(&c.trace, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    if (code == CLI_DONE) {
        c.summary.calibrated = cli_verdict_is_given(&c.verdict);
        c.summary.alpha = c.verdict.alpha;
        c.summary.threshold = c.verdict.threshold;
        c.summary.drift_evidence =
            c.verdict.drift != NULL ? ano_drift_evidence(c.verdict.drift) : 0;
        c.summary.seconds = cli_progress_seconds(&clock);
        code = cli_output_end(&c.summary, options->json, &err) == ANO_OK
                   ? judge(&c)
                   : cli_fail(CLI_ON_RUN, &err);
    }
    base_file_abandon(&c.trace);
    cli_maps_close(&c.maps);
    cli_verdict_close(&c.verdict);
    ano_dataset_free(images);
    return code;
}

int cli_score(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_run run;
    int code = cli_run_open(&run, &options, &command, argc, argv);
    if (code == CLI_DONE && options.n_inputs == 0 && options.data == NULL && options.watch == NULL)
        code = cli_refuse(CLI_USAGE, "score: INPUT is missing; see \"anogan score --help\"");
    if (code == CLI_DONE)
        code = score(&run, &options);
    cli_run_close(&run);
    cli_options_free(&options);
    return code;
}
