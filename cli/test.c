#include "cli/test.h"

#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/page.h"
#include "cli/run.h"
#include "cli/score.h"
#include "cli/tested.h"
#include "report/histogram.h"
#include "report/results.h"

#include <stdio.h>
#include <string.h>

/* Baselines see whole images; where the model sees tiles, of this size. */
enum { BASELINE_SIZE = 64 };

int cli_calibrate_model(ano_model *model, const ano_dataset *held_out, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    cli_scoring scoring;
    cli_scoring_begin(&scoring, options, "calibrated");
    const ano_status status = ano_calibrate(model, held_out, &scoring.how, &err);
    const size_t n = ano_dataset_count(held_out);
    const int code = cli_scoring_end(&scoring, status, n, options, &err);
    const size_t n_read = ano_model_get_calibration(model).n;
    if (code == CLI_DONE && n_read < n)
        fprintf(stderr, "anogan: %zu of %zu held-out images could not be read and were left out\n",
                n - n_read, n);
    return code;
}

int cli_threshold(double *out, const ano_model *model, double alpha)
{
    ano_error err = ANO_ERROR_INIT;
    const ano_calibration calibration = ano_model_get_calibration(model);
    return ano_threshold(out, calibration.scores, calibration.n, alpha, &err) == ANO_OK
               ? CLI_DONE
               : cli_fail(CLI_ON_MODEL, &err);
}

/* ---- the images ---------------------------------------------------------------------------- */

/* The names of the classes with a label, "1" or "broken, crack", cut to dst. */
static void name_classes(char *dst, size_t size, const ano_dataset *images, int label)
{
    size_t length = 0;
    dst[0] = '\0';
    const char *last = NULL;
    for (size_t i = 0; i < ano_dataset_count(images) && length < size; i++) {
        const char *name = ano_dataset_class(images, i);
        if (ano_dataset_label(images, i) != label || name == last)
            continue;
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = ano_dataset_label(images, k) == label && ano_dataset_class(images, k) == name;
        if (!seen)
            length +=
                (size_t)snprintf(dst + length, size - length, "%s%s", length > 0 ? ", " : "", name);
        last = name;
    }
}

typedef struct test {
    const cli_options *options;
    ano_dataset *images;
    cli_tested tested;
    float *baselines[REPORT_MAX_METHODS - 1];
    report_class *kinds;
    char normal[100], anomalous[200], pca[40];
    report_results results;
} test;

static void test_clear(test *t)
{
    cli_tested_free(&t->tested);
    for (int i = 0; i < REPORT_MAX_METHODS - 1; i++)
        base_free(t->baselines[i]);
    base_free(t->kinds);
    ano_dataset_free(t->images);
}

static ano_status open_images(ano_dataset **out, const cli_options *options, const ano_view *view,
                              ano_error *err)
{
    const ano_dataset_options which = {.split = ANO_SPLIT_TEST,
                                       .normal = options->normal,
                                       .anomaly = options->anomaly != NULL ? options->anomaly : "*",
                                       .count = options->count,
                                       .view = *view,
                                       .max_pixels = (size_t)options->max_pixels,
                                       .allow_outside = options->allow_outside};
    return ano_dataset_open(out, options->data, &which, err);
}

/* ---- measuring ----------------------------------------------------------------------------- */

static ano_status measure(report_method *method, const test *t, ano_error *err)
{
    const cli_tested *tested = &t->tested;
    method->at_threshold =
        ano_confusion_at(method->scores, tested->labels, tested->n, method->threshold);
    return ano_evaluate(&method->metrics, method->scores, tested->labels, tested->n, err);
}

/* A baseline sees the same images as the model, and its threshold is found as the model's is. */
static ano_status measure_baseline(test *t, ano_baseline baseline, const char *name,
                                   const ano_dataset *training, const ano_dataset *held_out,
                                   const ano_dataset *images, int components, ano_error *err)
{
    const ano_baseline_options how = {components, t->options->threads};
    const int k = t->results.n_methods;
    const size_t n = ano_dataset_count(held_out);
    ano_baseline_model *model = NULL;
    float *scores = base_alloc(n, sizeof *scores);
    t->baselines[k - 1] = base_alloc(ano_dataset_count(images), sizeof *scores);
    report_method *method = &t->results.methods[k];
    *method = (report_method){
        .name = name, .key = ano_baseline_name(baseline), .scores = t->baselines[k - 1]};
    ano_status status =
        scores != NULL && method->scores != NULL ? ANO_OK : base_error_nomem(err, "scores");
    if (status == ANO_OK)
        status = ano_baseline_fit(&model, baseline, training, &how, err);
    if (status == ANO_OK)
        status = ano_baseline_score(scores, model, held_out, err);
    if (status == ANO_OK)
        status = ano_threshold(&method->threshold, scores, n, t->options->alpha, err);
    if (status == ANO_OK)
        status = ano_baseline_score(t->baselines[k - 1], model, images, err);
    if (status == ANO_OK)
        status = measure(method, t, err);
    if (status == ANO_OK)
        t->results.n_methods++;
    ano_baseline_free(model);
    base_free(scores);
    return status;
}

/* Images that cannot be read are left out here too; what else goes wrong costs the baselines alone.
 */
static void measure_baselines(test *t, const ano_view *view)
{
    ano_error err = ANO_ERROR_INIT;
    ano_view whole = *view;
    if (view->stride > 0)
        whole = (ano_view){.size = BASELINE_SIZE, .channels = view->channels};
    ano_dataset *training = NULL, *held_out = NULL, *set_aside = NULL, *images = NULL;
    size_t n_dropped;
    ano_status status =
        cli_split_training(&training, &held_out, &set_aside, t->options, &whole, &err);
    if (status == ANO_OK)
        status = open_images(&images, t->options, &whole, &err);
    if (status == ANO_OK)
        status = ano_dataset_drop_unreadable(training, &n_dropped, &err);
    if (status == ANO_OK)
        status = ano_dataset_drop_unreadable(held_out, &n_dropped, &err);
    if (status == ANO_OK)
        status = ano_dataset_drop_unreadable(images, &n_dropped, &err);
    if (status == ANO_OK && ano_dataset_count(images) != t->tested.n)
        status = base_error(&err, ANO_IO, "some test images can be read now and then only");
    const size_t n = status == ANO_OK ? ano_dataset_count(training) : 0;
    const int components = n > ANO_PCA_COMPONENTS ? ANO_PCA_COMPONENTS : (int)n - 1;
    snprintf(t->pca, sizeof t->pca, "PCA, %d components", components);
    const struct {
        ano_baseline baseline;
        const char *name;
    } baselines[REPORT_MAX_METHODS - 1] = {
        {ANO_BASELINE_PCA, t->pca},
        {ANO_BASELINE_NEAREST, "nearest neighbour"},
        {ANO_BASELINE_HISTOGRAM_NEAREST, "nearest histograms"},
    };
    for (int i = 0; i < REPORT_MAX_METHODS - 1 && status == ANO_OK; i++)
        status = measure_baseline(t, baselines[i].baseline, baselines[i].name, training, held_out,
                                  images, components, &err);
    if (status != ANO_OK)
        fprintf(stderr, "anogan: no baselines beside the model's figures: %s\n", err.message);
    ano_dataset_free(training);
    ano_dataset_free(held_out);
    ano_dataset_free(set_aside);
    ano_dataset_free(images);
}

/* The images of one class; for an anomalous one, its AUROC against all normal images. */
static ano_status measure_kind(report_class *kind, const test *t, ano_error *err)
{
    const cli_tested *tested = &t->tested;
    float *scores = base_alloc(tested->n, sizeof *scores);
    int *labels = base_alloc(tested->n, sizeof *labels);
    size_t n = 0;
    if (scores == NULL || labels == NULL) {
        base_free(scores);
        base_free(labels);
        return base_error_nomem(err, "classes");
    }
    for (size_t i = 0; i < tested->n; i++) {
        const bool is_of_it = tested->classes[i] == kind->name && tested->labels[i] == kind->label;
        kind->n += is_of_it;
        kind->n_flagged += is_of_it && (double)tested->scores[i] > t->results.methods[0].threshold;
        if (is_of_it || tested->labels[i] == 0) {
            scores[n] = tested->scores[i];
            labels[n++] = tested->labels[i];
        }
    }
    ano_metrics metrics = {0};
    const ano_status status =
        kind->label == 1 ? ano_evaluate(&metrics, scores, labels, n, err) : ANO_OK;
    kind->auroc = metrics.auroc;
    kind->auroc_low = metrics.auroc_low;
    kind->auroc_high = metrics.auroc_high;
    base_free(scores);
    base_free(labels);
    return status;
}

/* A data set lends one text for all images of a class. */
static ano_status measure_kinds(test *t, ano_error *err)
{
    const cli_tested *tested = &t->tested;
    size_t n = 0;
    t->kinds = base_alloc(tested->n, sizeof *t->kinds);
    if (t->kinds == NULL)
        return base_error_nomem(err, "classes");
    for (int label = 0; label <= 1; label++)
        for (size_t i = 0; i < tested->n; i++) {
            bool is_new = tested->labels[i] == label;
            for (size_t k = 0; k < n && is_new; k++)
                is_new = t->kinds[k].name != tested->classes[i];
            if (!is_new)
                continue;
            t->kinds[n] = (report_class){.name = tested->classes[i], .label = label};
            const ano_status status = measure_kind(&t->kinds[n++], t, err);
            if (status != ANO_OK)
                return status;
        }
    t->results.kinds = t->kinds;
    t->results.n_kinds = n;
    return ANO_OK;
}

static ano_status test_measure(test *t, const ano_model *model, double threshold, ano_error *err)
{
    const cli_options *options = t->options;
    const cli_tested *tested = &t->tested;
    const ano_view view = ano_model_get_view(model);
    name_classes(t->normal, sizeof t->normal, t->images, 0);
    name_classes(t->anomalous, sizeof t->anomalous, t->images, 1);
    t->results = (report_results){
        .n = tested->n,
        .paths = tested->paths,
        .indices = tested->indices,
        .classes = tested->classes,
        .labels = tested->labels,
        .n_methods = 1,
        .methods[0] = {.name = "anogan", .scores = tested->scores, .threshold = threshold},
        .pixels = tested->has_pixels ? &tested->pixels : NULL,
        .map = options->map,
        .n_skipped = tested->n_skipped,
        .normal = t->normal,
        .anomaly = t->anomalous,
        .method = options->search.method != ANO_METHOD_OF_MODEL
                      ? options->search.method
                      : ano_model_get_config(model).method,
        .alpha = options->alpha,
        .iterations = options->search.iterations,
        .restarts = options->search.restarts,
        .tolerance = options->search.tolerance,
        .search = options->search.search,
        .seed = options->seed,
    };
    ano_status status = measure(&t->results.methods[0], t, err);
    if (status == ANO_OK)
        status = measure_kinds(t, err);
    if (status == ANO_OK)
        measure_baselines(t, &view);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Parts the scores by label into sorted [n], normal ones first; returns how many those are. */
static size_t part_scores(float *parted, const test *t)
{
    const cli_tested *tested = &t->tested;
    size_t n = 0, n_normal = 0;
    for (int label = 0; label <= 1; label++) {
        for (size_t i = 0; i < tested->n; i++)
            if (tested->labels[i] == label)
                parted[n++] = tested->scores[i];
        if (label == 0)
            n_normal = n;
    }
    return n_normal;
}

static bool remembers(const ano_model *model)
{
    for (int kind = 0; kind < ANO_MEMORIES; kind++)
        if (ano_model_get_memory(model, (ano_memory)kind).n > 0)
            return true;
    return false;
}

static ano_status write_histograms(const test *t, const ano_model *model, ano_error *err)
{
    static const char *const names[] = {"histgram.png", "histgram.svg"};
    const char *title =
        report_score_title(t->results.method, t->options->search.evidence, remembers(model));
    const size_t n = t->tested.n;
    float *parted = base_alloc(n, sizeof *parted);
    if (parted == NULL)
        return base_error_nomem(err, "histogram");
    const size_t n_normal = part_scores(parted, t);
    char normal[80], anomalous[80];
    snprintf(normal, sizeof normal, "normal (%.60s)", t->normal);
    snprintf(anomalous, sizeof anomalous, "anomalous (%.60s)", t->anomalous);
    const report_histogram_group groups[] = {
        {normal, parted, n_normal},
        {anomalous, parted + n_normal, n - n_normal},
    };
    ano_status status = ANO_OK;
    for (int i = 0; i < 2 && status == ANO_OK; i++) {
        char *path = base_path_join(t->options->out, names[i]);
        status = path == NULL ? base_error_nomem(err, names[i])
                              : report_histogram(path, groups, 2, t->results.methods[0].threshold,
                                                 title, err);
        base_free(path);
    }
    base_free(parted);
    return status;
}

static ano_status test_write(const test *t, const ano_model *model, ano_error *err)
{
    ano_status status = cli_remove_files(t->options->out, "scores_", ".txt", err);
    if (status == ANO_OK)
        status = report_write_results(t->options->out, &t->results, err);
    if (status == ANO_OK)
        status = write_histograms(t, model, err);
    if (status == ANO_OK)
        status = cli_page_write(t->options->out, &t->results, &t->tested, model, t->options, err);
    return status;
}

static ano_status test_print(const test *t, ano_error *err)
{
    if (t->options->json)
        return report_metrics_json(stdout, &t->results, err);
    const char *out = t->options->out;
    report_print_table(stdout, &t->results);
    printf("\n%s/report.html    all of this as a page, with curves and the worst errors\n"
           "%s/histgram.png   histograms of the scores (and histgram.svg)\n"
           "%s/predict/       each image, %s\n"
           "%s/metrics.json   these figures; scores in scores.csv\n",
           out, out, out,
           t->results.method == ANO_METHOD_PATCH || t->options->map != ANO_MAP_METHOD
               ? "beside its anomaly map"
               : "the closest generated one, their difference",
           out);
    if (t->results.method != ANO_METHOD_PATCH && cli_exists(out, "result"))
        printf("%s/result/        what the generator made as training went on\n", out);
    return ANO_OK;
}

/* ---- what others use ----------------------------------------------------------------------- */

int cli_test_check(bool *possible, const ano_view *view, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *images = NULL;
    size_t n[2] = {0, 0};
    *possible = false;
    const ano_status status = open_images(&images, options, view, &err);
    /* Data without a split for tests is trained on and that is all, unless classes were named. */
    if (status == ANO_ARG && options->normal == NULL && options->anomaly == NULL)
        return CLI_DONE;
    if (status != ANO_OK)
        return cli_fail(CLI_ON_DATA, &err);
    for (size_t i = 0; i < ano_dataset_count(images) && ano_dataset_has_splits(images); i++)
        n[ano_dataset_label(images, i)]++;
    *possible = n[0] > 0 && n[1] > 0;
    ano_dataset_free(images);
    return CLI_DONE;
}

int cli_test(const ano_model *model, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    test t = {.options = options};
    const ano_view view = ano_model_get_view(model);
    double threshold;
    int code = open_images(&t.images, options, &view, &err) == ANO_OK ? CLI_DONE
                                                                      : cli_fail(CLI_ON_DATA, &err);
    if (code == CLI_DONE)
        code = cli_threshold(&threshold, model, options->alpha);
    if (code == CLI_DONE)
        code = cli_tested_score(&t.tested, model, t.images, threshold, options);
    if (code == CLI_DONE && test_measure(&t, model, threshold, &err) != ANO_OK)
        code = cli_fail(CLI_ON_DATA, &err);
    if (code == CLI_DONE &&
        (test_write(&t, model, &err) != ANO_OK || test_print(&t, &err) != ANO_OK))
        code = cli_fail(CLI_ON_RUN, &err);
    test_clear(&t);
    return code;
}
