/* anogan score: the score of every image of a data set, and whether it is anomalous. */
#include "cli/score.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/test.h"

#include <jansson.h>
#include <stdio.h>

static const cli_command command = {
    .verb = CLI_VERB_SCORE,
    .arguments = "RUN [DATA]",
    .doc = "Prints a line of CSV for each image of DATA (default: the data that RUN was trained "
           "on): its index in the file, its class, its score and whether the score is above the "
           "threshold. RUN is a run folder or a model file.",
    .takes_run = true,
    .takes_data = true,
};

/* ---- the latent search with progress ------------------------------------------------------- */

static int on_search(size_t done, size_t total, void *cookie)
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
    if (status == ANO_SHAPE)
        base_error_context(err, "%s", options->data);
    if (status != ANO_OK)
        return cli_fail(CLI_ON_DATA, err);
    const double seconds = cli_progress_seconds(&scoring->progress);
    cli_progress_say(&scoring->progress, "%s: %zu images in %.1f s, %.1f images/s", scoring->title,
                     n, seconds, (double)n / seconds);
    return CLI_DONE;
}

int cli_score_images(cli_scores *out, const ano_model *model, const ano_dataset *images,
                     const cli_options *options, const char *title, bool keep_generated)
{
    ano_error err = ANO_ERROR_INIT;
    const ano_shape shape = ano_dataset_shape(images);
    const size_t n = ano_dataset_count(images);
    const size_t n_pixels = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    *out = (cli_scores){.n = n, .scores = base_alloc(n, sizeof(float))};
    if (keep_generated)
        out->generated = base_alloc(n, n_pixels * sizeof(float));
    if (options->trace != NULL)
        out->trace = base_alloc(n, (size_t)options->search.restarts *
                                       (size_t)options->search.iterations * sizeof(float));
    if (out->scores == NULL || (keep_generated && out->generated == NULL) ||
        (options->trace != NULL && out->trace == NULL)) {
        base_error_nomem(&err, "scores");
        return cli_fail(CLI_ON_DATA, &err);
    }
    cli_scoring scoring;
    cli_scoring_begin(&scoring, options, title);
    const ano_status status =
        ano_score(out->scores, out->generated, out->trace, model, images, &scoring.how, &err);
    return cli_scoring_end(&scoring, status, n, options, &err);
}

void cli_scores_free(cli_scores *scores)
{
    base_free(scores->scores);
    base_free(scores->generated);
    base_free(scores->trace);
    *scores = (cli_scores){0};
}

int cli_write_trace(const cli_scores *scores, const ano_dataset *images, const cli_options *options)
{
    if (options->trace == NULL)
        return CLI_DONE;
    ano_error err = ANO_ERROR_INIT;
    base_file file;
    if (base_file_create(&file, options->trace, &err) != ANO_OK)
        return cli_fail(CLI_ON_RUN, &err);
    fputs("index,class,search,iteration,residual\n", file.stream);
    const size_t iterations = (size_t)options->search.iterations;
    const size_t row = (size_t)options->search.restarts * iterations;
    for (size_t i = 0; i < scores->n; i++)
        for (size_t k = 0; k < row; k++)
            fprintf(file.stream, "%zu,%s,%zu,%zu,%.9g\n", ano_dataset_index(images, i),
                    ano_dataset_class(images, i), k / iterations + 1, k % iterations + 1,
                    (double)scores->trace[i * row + k]);
    return base_file_commit(&file, &err) == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_RUN, &err);
}

/* ---- the verb ------------------------------------------------------------------------------ */

static void print_csv(const cli_scores *scores, const ano_dataset *images, const double *threshold)
{
    puts("index,class,score,anomalous");
    for (size_t i = 0; i < scores->n; i++) {
        const double score = (double)scores->scores[i];
        const char *verdict = threshold == NULL ? "" : score > *threshold ? "1" : "0";
        printf("%zu,%s,%.9g,%s\n", ano_dataset_index(images, i), ano_dataset_class(images, i),
               score, verdict);
    }
}

static int print_json(const cli_scores *scores, const ano_dataset *images, const double *threshold)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < scores->n; i++) {
        const double score = (double)scores->scores[i];
        json_array_append_new(
            rows, json_pack("{sI ss sf so}", "index", (json_int_t)ano_dataset_index(images, i),
                            "class", ano_dataset_class(images, i), "score", score, "anomalous",
                            threshold != NULL ? json_boolean(score > *threshold) : json_null()));
    }
    json_t *root =
        json_pack("{so so}", "threshold", threshold != NULL ? json_real(*threshold) : json_null(),
                  "images", rows);
    const bool printed = root != NULL && json_array_size(rows) == scores->n &&
                         json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;
    json_decref(root);
    putchar('\n');
    return printed ? CLI_DONE : cli_refuse(CLI_OTHER, "the scores could not be printed");
}

static size_t count_anomalous(const cli_scores *scores, double threshold)
{
    size_t n = 0;
    for (size_t i = 0; i < scores->n; i++)
        n += (double)scores->scores[i] > threshold;
    return n;
}

static int score(const cli_run *run, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *images = NULL;
    cli_scores scores = {0};
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    if (calibration.n == 0 && options->fail_on_anomaly)
        return cli_refuse(CLI_BAD_MODEL, "%s: has no threshold, so --fail-on-anomaly cannot tell",
                          run->model_path);
    const bool calibrated = calibration.n > 0;
    const ano_score_options search = cli_options_search(options);
    double threshold = 0;
    int code = calibrated ? cli_threshold(&threshold, run->model, options->alpha) : CLI_DONE;
    if (code != CLI_DONE)
        return code;
    if (calibrated && !ano_calibration_holds(&calibration, &search))
        fputs("anogan: the threshold comes from other searches than these\n", stderr);
    const ano_dataset_options which = {.split = options->split, .normal = options->classes};
    code = ano_dataset_open(&images, options->data, &which, &err) == ANO_OK
               ? CLI_DONE
               : cli_fail(CLI_ON_DATA, &err);
    if (code == CLI_DONE)
        code = cli_score_images(&scores, run->model, images, options, "scored", false);
    if (code == CLI_DONE)
        code = cli_write_trace(&scores, images, options);
    if (code == CLI_DONE && options->json)
        code = print_json(&scores, images, calibrated ? &threshold : NULL);
    else if (code == CLI_DONE)
        print_csv(&scores, images, calibrated ? &threshold : NULL);
    if (code == CLI_DONE && options->fail_on_anomaly && count_anomalous(&scores, threshold) > 0)
        code = CLI_ANOMALY_FOUND;
    cli_scores_free(&scores);
    ano_dataset_free(images);
    return code;
}

int cli_score(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_run run;
    int code = cli_run_open(&run, &options, &command, argc, argv);
    if (code == CLI_DONE && options.data == NULL)
        code = cli_refuse(CLI_USAGE, "score: DATA is missing; see \"anogan score --help\"");
    if (code == CLI_DONE)
        code = score(&run, &options);
    cli_run_close(&run);
    cli_options_free(&options);
    return code;
}
