#include "cli/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/score.h"
#include "report/histogram.h"
#include "report/pictures.h"
#include "report/results.h"

#include <stdio.h>

int cli_calibrate(ano_model *model, const ano_dataset *held_out, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    cli_scoring scoring;
    cli_scoring_begin(&scoring, options, "calibrated");
    const ano_status status = ano_calibrate(model, held_out, &scoring.how, &err);
    return cli_scoring_end(&scoring, status, ano_dataset_count(held_out), options, &err);
}

int cli_threshold(double *out, const ano_model *model, double alpha)
{
    ano_error err = ANO_ERROR_INIT;
    const ano_calibration calibration = ano_model_get_calibration(model);
    return ano_threshold(out, calibration.scores, calibration.n, alpha, &err) == ANO_OK
               ? CLI_DONE
               : cli_fail(CLI_ON_MODEL, &err);
}

/* ---- measuring ----------------------------------------------------------------------------- */

typedef struct test {
    const cli_options *options;
    ano_dataset *images;
    cli_scores search;
    int *labels; /* [n], as the next three */
    size_t *indices;
    const char **classes;
    float *baseline; /* a baseline's scores */
    report_results results;
} test;

static void test_clear(test *t)
{
    base_free(t->labels);
    base_free(t->indices);
    base_free(t->classes);
    base_free(t->baseline);
    cli_scores_free(&t->search);
    ano_dataset_free(t->images);
}

static ano_status test_open(test *t, const ano_view *view, const cli_options *options,
                            ano_error *err)
{
    const ano_dataset_options which = {.split = ANO_SPLIT_TEST,
                                       .normal = options->normal,
                                       .anomaly = options->anomaly,
                                       .count = options->count,
                                       .view = *view};
    t->options = options;
    const ano_status status = ano_dataset_open(&t->images, options->data, &which, err);
    if (status != ANO_OK)
        return status;
    const size_t n = ano_dataset_count(t->images);
    t->labels = base_alloc(n, sizeof *t->labels);
    t->indices = base_alloc(n, sizeof *t->indices);
    t->classes = base_alloc(n, sizeof *t->classes);
    t->baseline = base_alloc(n, sizeof *t->baseline);
    if (t->labels == NULL || t->indices == NULL || t->classes == NULL || t->baseline == NULL)
        return base_error_nomem(err, "test images");
    for (size_t i = 0; i < n; i++) {
        t->labels[i] = ano_dataset_label(t->images, i);
        t->indices[i] = ano_dataset_index(t->images, i);
        t->classes[i] = ano_dataset_class(t->images, i);
    }
    return ANO_OK;
}

static bool same_shape(ano_shape a, ano_shape b)
{
    return a.height == b.height && a.width == b.width && a.channels == b.channels;
}

static ano_status measure(report_method *out, const test *t, const float *scores, double threshold,
                          ano_error *err)
{
    const size_t n = t->search.n;
    out->threshold = threshold;
    out->accuracy_calibrated = ano_confusion_at(scores, t->labels, n, threshold).accuracy;
    return ano_evaluate(&out->metrics, scores, t->labels, n, err);
}

/* The baseline's threshold is found as the model's is, by its own scores of the same images. */
static ano_status measure_baseline(report_method *out, test *t, ano_baseline baseline,
                                   const ano_dataset *training, const ano_dataset *held_out,
                                   ano_error *err)
{
    const int components = t->results.components, threads = t->options->threads;
    const size_t n = ano_dataset_count(held_out);
    double threshold = 0;
    float *scores = base_alloc(n, sizeof *scores);
    if (scores == NULL)
        return base_error_nomem(err, "scores");
    ano_status status =
        ano_baseline_score(scores, baseline, training, held_out, components, threads, err);
    if (status == ANO_OK)
        status = ano_threshold(&threshold, scores, n, t->options->alpha, err);
    if (status == ANO_OK)
        status = ano_baseline_score(t->baseline, baseline, training, t->images, components, threads,
                                    err);
    if (status == ANO_OK)
        status = measure(out, t, t->baseline, threshold, err);
    base_free(scores);
    return status;
}

static ano_status test_measure(test *t, double threshold, const ano_dataset *training,
                               const ano_dataset *held_out, ano_error *err)
{
    const size_t n_training = ano_dataset_count(training);
    report_results *results = &t->results;
    *results = (report_results){
        .n = t->search.n,
        .indices = t->indices,
        .classes = t->classes,
        .labels = t->labels,
        .scores = t->search.scores,
        .normal = t->options->normal,
        .anomaly = t->options->anomaly,
        .alpha = t->options->alpha,
        .iterations = t->options->search.iterations,
        .restarts = t->options->search.restarts,
        .tolerance = t->options->search.tolerance,
        .search = t->options->search.search,
        .components = n_training > ANO_PCA_COMPONENTS ? ANO_PCA_COMPONENTS : (int)n_training - 1,
        .seed = t->options->seed,
    };
    ano_status status = measure(&results->anogan, t, t->search.scores, threshold, err);
    if (status == ANO_OK)
        status = measure_baseline(&results->pca, t, ANO_BASELINE_PCA, training, held_out, err);
    if (status == ANO_OK)
        status =
            measure_baseline(&results->nearest, t, ANO_BASELINE_NEAREST, training, held_out, err);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* predict/00017_9_41.25.png: the image's index in its file, its class and its score. */
static ano_status write_comparison(const test *t, const char *folder, size_t i, float *image,
                                   ano_error *err)
{
    enum { SCALE = 4 };
    const ano_shape shape = ano_dataset_shape(t->images);
    const size_t n_pixels = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    char name[64];
    snprintf(name, sizeof name, "%05zu_%s_%.2f.png", t->indices[i], t->classes[i],
             (double)t->search.scores[i]);
    char *path = base_path_join(folder, name);
    if (path == NULL)
        return base_error_nomem(err, name);
    ano_status status = ano_dataset_read(image, t->images, &i, 1, err);
    if (status == ANO_OK)
        status =
            report_comparison(path, image, t->search.generated + i * n_pixels, shape, SCALE, err);
    base_free(path);
    return status;
}

/* The pictures of an earlier test go first, so that none of them stays between the new ones. */
static ano_status write_comparisons(const test *t, ano_error *err)
{
    const ano_shape shape = ano_dataset_shape(t->images);
    float *image = base_alloc((size_t)shape.height * (size_t)shape.width * (size_t)shape.channels,
                              sizeof *image);
    char *folder = base_path_join(t->options->out, "predict");
    ano_status status =
        image != NULL && folder != NULL ? ANO_OK : base_error_nomem(err, "comparisons");
    if (status == ANO_OK)
        status = base_make_folder(folder, err);
    if (status == ANO_OK)
        status = cli_remove_files(folder, "", ".png", err);
    for (size_t i = 0; i < t->search.n && status == ANO_OK; i++)
        status = write_comparison(t, folder, i, image, err);
    base_free(folder);
    base_free(image);
    return status;
}

/* Parts the scores by label into sorted [n], normal ones first; returns how many those are. */
static size_t part_scores(float *parted, const test *t)
{
    size_t n = 0, n_normal = 0;
    for (int label = 0; label <= 1; label++) {
        for (size_t i = 0; i < t->search.n; i++)
            if (t->labels[i] == label)
                parted[n++] = t->search.scores[i];
        if (label == 0)
            n_normal = n;
    }
    return n_normal;
}

static ano_status write_histograms(const test *t, ano_error *err)
{
    static const char *const names[] = {"histgram.png", "histgram.svg"};
    float *parted = base_alloc(t->search.n, sizeof *parted);
    if (parted == NULL)
        return base_error_nomem(err, "histogram");
    const size_t n_normal = part_scores(parted, t);
    char normal[80], anomalous[80];
    snprintf(normal, sizeof normal, "normal (%s)", t->options->normal);
    snprintf(anomalous, sizeof anomalous, "anomalous (%s)", t->options->anomaly);
    const report_histogram_group groups[] = {
        {normal, parted, n_normal},
        {anomalous, parted + n_normal, t->search.n - n_normal},
    };
    ano_status status = ANO_OK;
    for (int i = 0; i < 2 && status == ANO_OK; i++) {
        char *path = base_path_join(t->options->out, names[i]);
        status = path == NULL ? base_error_nomem(err, names[i])
                              : report_histogram(path, groups, 2, t->results.anogan.threshold,
                                                 "Residual of the latent search", err);
        base_free(path);
    }
    base_free(parted);
    return status;
}

static ano_status test_write(const test *t, ano_error *err)
{
    ano_status status = cli_remove_files(t->options->out, "scores_", ".txt", err);
    if (status == ANO_OK)
        status = report_write_results(t->options->out, &t->results, err);
    if (status == ANO_OK)
        status = write_comparisons(t, err);
    if (status == ANO_OK)
        status = write_histograms(t, err);
    return status;
}

static ano_status test_print(const test *t, ano_error *err)
{
    if (t->options->json)
        return report_metrics_json(stdout, &t->results, err);
    const char *out = t->options->out;
    report_table(stdout, &t->results);
    printf("\n%s/histgram.png   histograms of the scores (and histgram.svg)\n"
           "%s/predict/       each image, the closest generated one, their difference\n"
           "%s/metrics.json   these figures; scores in scores.csv\n",
           out, out, out);
    if (cli_exists(out, "result"))
        printf("%s/result/        what the generator made as training went on\n", out);
    return ANO_OK;
}

int cli_test_check(const ano_dataset *training, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    test t = {0};
    const ano_view view = ano_dataset_get_view(training);
    int code = CLI_DONE;
    if (test_open(&t, &view, options, &err) != ANO_OK)
        code = cli_fail(CLI_ON_DATA, &err);
    else if (!same_shape(ano_dataset_shape(training), ano_dataset_shape(t.images)))
        code = cli_refuse(CLI_BAD_DATA, "%s: the test images have another size than the training's",
                          options->data);
    test_clear(&t);
    return code;
}

int cli_test(const ano_model *model, const ano_dataset *training, const ano_dataset *held_out,
             const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    test t = {0};
    int code = CLI_DONE;
    const ano_view view = ano_model_get_view(model);
    if (test_open(&t, &view, options, &err) != ANO_OK) {
        code = cli_fail(CLI_ON_DATA, &err);
        goto done;
    }
    code = cli_score_images(&t.search, model, t.images, options, "scored", true);
    if (code == CLI_DONE)
        code = cli_write_trace(&t.search, t.images, options);
    if (code != CLI_DONE)
        goto done;
    double threshold;
    code = cli_threshold(&threshold, model, options->alpha);
    if (code != CLI_DONE)
        goto done;
    if (test_measure(&t, threshold, training, held_out, &err) != ANO_OK)
        code = cli_fail(CLI_ON_DATA, &err);
    else if (test_write(&t, &err) != ANO_OK || test_print(&t, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
done:
    test_clear(&t);
    return code;
}
