/* anogan evaluate: how well a trained detector tells anomalous test images from normal ones,
 * beside two plain baselines that saw the same images. */
#include "cli/evaluate.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/score.h"

#include <stdio.h>
#include <string.h>

static const cli_command command = {
    .verb = CLI_VERB_EVALUATE,
    .arguments = "RUN [DATA]",
    .doc = "Scores the test images of DATA (default: the data that RUN was trained on), reports "
           "how well normal and anomalous ones are told apart, and writes scores, histograms and "
           "pictures into RUN. RUN is a run folder or a model file in one.",
    .takes_run = true,
    .takes_data = true,
};

int cli_calibrate(ano_calibration *out, const ano_model *model, const ano_dataset *held_out,
                  const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    cli_options plain = *options;
    plain.trace = NULL;
    cli_scores scores;
    int code = cli_score_images(&scores, model, held_out, &plain, "calibrated", false);
    *out = (ano_calibration){
        .alpha = options->alpha, .n = scores.n, .iterations = options->search.iterations};
    if (code == CLI_DONE &&
        ano_threshold(&out->threshold, scores.scores, scores.n, options->alpha, &err) != ANO_OK)
        code = cli_fail(CLI_ON_DATA, &err);
    cli_scores_free(&scores);
    return code;
}
/* ---- the methods under test ---------------------------------------------------------------- */

enum { METHOD_COUNT = 3 };

/* A detector's results on the test images, by its own scores. */
typedef struct method {
    const char *name;
    float *scores; /* [count of the test set] */
    double threshold;
    ano_metrics metrics;
    double accuracy_calibrated;
} method;

static ano_status method_measure(method *m, const int *labels, size_t n, ano_error *err)
{
    m->accuracy_calibrated = ano_accuracy(m->scores, labels, n, m->threshold);
    return ano_evaluate(&m->metrics, m->scores, labels, n, err);
}

/* The baseline's scores of the test images, and its threshold, found as the model's is. */
static ano_status method_score_baseline(method *m, ano_baseline baseline,
                                        const ano_dataset *training, const ano_dataset *held_out,
                                        const ano_dataset *test, const cli_options *options,
                                        ano_error *err)
{
    const size_t n_held_out = ano_dataset_count(held_out), n = ano_dataset_count(training);
    const int components = n > ANO_PCA_COMPONENTS ? ANO_PCA_COMPONENTS : (int)n - 1;
    float *scores = base_alloc(n_held_out, sizeof *scores);
    m->scores = base_alloc(ano_dataset_count(test), sizeof *m->scores);
    ano_status status =
        scores != NULL && m->scores != NULL ? ANO_OK : base_error_nomem(err, m->name);
    if (status == ANO_OK)
        status = ano_baseline_score(m->scores, baseline, training, test, components,
                                    options->threads, err);
    if (status == ANO_OK)
        status = ano_baseline_score(scores, baseline, training, held_out, components,
                                    options->threads, err);
    if (status == ANO_OK)
        status = ano_threshold(&m->threshold, scores, n_held_out, options->alpha, err);
    base_free(scores);
    return status;
}
/* ---- the test ------------------------------------------------------------------------------ */

typedef struct test {
    const cli_options *options;
    ano_dataset *images;
    int *labels; /* [count of images] */
    cli_scores search;
    method methods[METHOD_COUNT]; /* anogan, then the baselines */
} test;

static void test_clear(test *t)
{
    for (int i = 1; i < METHOD_COUNT; i++)
        base_free(t->methods[i].scores);
    cli_scores_free(&t->search);
    base_free(t->labels);
    ano_dataset_free(t->images);
}

static int test_open(test *t, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    const ano_dataset_options which = {.split = ANO_SPLIT_TEST,
                                       .normal = options->normal,
                                       .anomaly = options->anomaly,
                                       .count = options->count};
    *t = (test){.options = options};
    if (ano_dataset_open(&t->images, options->data, &which, &err) != ANO_OK)
        return cli_fail(CLI_ON_DATA, &err);
    const size_t n = ano_dataset_count(t->images);
    t->labels = base_alloc(n, sizeof *t->labels);
    if (t->labels == NULL) {
        base_error_nomem(&err, "labels");
        return cli_fail(CLI_ON_RUN, &err);
    }
    for (size_t i = 0; i < n; i++)
        t->labels[i] = ano_dataset_label(t->images, i);
    return CLI_DONE;
}

static int test_measure(test *t, const ano_dataset *training, const ano_dataset *held_out)
{
    ano_error err = ANO_ERROR_INIT;
    const size_t n = ano_dataset_count(t->images);
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (i > 0 &&
            method_score_baseline(&t->methods[i], i == 1 ? ANO_BASELINE_PCA : ANO_BASELINE_NEAREST,
                                  training, held_out, t->images, t->options, &err) != ANO_OK)
            return cli_fail(CLI_ON_DATA, &err);
        if (method_measure(&t->methods[i], t->labels, n, &err) != ANO_OK)
            return cli_fail(CLI_ON_DATA, &err);
        printf("%s auroc %.4f (%.4f %.4f) aupr %.4f best %.4f [%g %g) calibrated %.4f\n",
               t->methods[i].name, t->methods[i].metrics.auroc, t->methods[i].metrics.auroc_low,
               t->methods[i].metrics.auroc_high, t->methods[i].metrics.aupr,
               t->methods[i].metrics.accuracy_best, t->methods[i].metrics.best_low,
               t->methods[i].metrics.best_high, t->methods[i].accuracy_calibrated);
    }
    return CLI_DONE;
}

int cli_test(const ano_model *model, const ano_dataset *training, const ano_dataset *held_out,
             const cli_options *options)
{
    test t;
    int code = test_open(&t, options);
    if (code == CLI_DONE)
        code = cli_score_images(&t.search, model, t.images, options, "scored", true);
    if (code == CLI_DONE) {
        t.methods[0] = (method){.name = "anogan",
                                .scores = t.search.scores,
                                .threshold = ano_model_get_calibration(model).threshold};
        t.methods[1].name = "PCA 30";
        t.methods[2].name = "nearest";
        code = test_measure(&t, training, held_out);
    }
    if (code == CLI_DONE)
        code = cli_write_trace(&t.search, t.images, options);
    test_clear(&t);
    return code;
}

/* ---- the verb ------------------------------------------------------------------------------ */

/* Whether the threshold that the model carries holds for searches as they are asked for. */
static bool is_calibrated(const cli_run *run, const cli_options *options)
{
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    return calibration.n > 0 && calibration.alpha == options->alpha &&
           calibration.iterations == options->search.iterations &&
           run->configured.search.learning_rate == options->search.learning_rate &&
           run->configured.seed == options->seed;
}

static int evaluate(cli_run *run, const cli_options *options)
{
    ano_dataset *training = NULL, *held_out = NULL;
    int code = cli_open_training(&training, &held_out, options);
    if (code == CLI_DONE && !is_calibrated(run, options)) {
        ano_calibration calibration;
        code = cli_calibrate(&calibration, run->model, held_out, options);
        ano_model_set_calibration(run->model, &calibration);
    }
    if (code == CLI_DONE)
        code = cli_test(run->model, training, held_out, options);
    ano_dataset_free(held_out);
    ano_dataset_free(training);
    return code;
}

int cli_evaluate(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_run run;
    int code = cli_run_open(&run, &options, &command, argc, argv);
    if (options.out == NULL && cli_is_folder(options.run))
        options.out = options.run;
    if (code == CLI_DONE && options.data == NULL)
        code = cli_refuse(CLI_USAGE, "evaluate: DATA is missing; see \"anogan evaluate --help\"");
    if (code == CLI_DONE && options.out == NULL)
        code = cli_refuse(CLI_USAGE, "evaluate: --out DIR is needed, for %s is not a run folder",
                          options.run);
    if (code == CLI_DONE)
        code = evaluate(&run, &options);
    cli_run_close(&run);
    cli_options_free(&options);
    return code;
}
