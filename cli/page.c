#include "cli/page.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/curves.h"
#include "report/histogram.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 48, MAX_METRICS = 12, MAX_SETTINGS = 16, MAX_FIGURES = 4, MAX_KINDS = 100 };

/* Everything that the page lends while it is written. */
typedef struct page_texts {
    char verdict[3][300];
    char cells[MAX_METRICS][REPORT_MAX_METHODS][2][TEXT];
    report_cell metric_cells[MAX_METRICS][REPORT_MAX_METHODS];
    report_row metrics[MAX_METRICS];
    size_t n_metrics;
    char kind_texts[MAX_KINDS][4][TEXT];
    report_cell kind_cells[MAX_KINDS][3];
    report_row kinds[MAX_KINDS];
    size_t n_kinds;
    char values[MAX_SETTINGS][200];
    report_setting settings[MAX_SETTINGS];
    size_t n_settings;
    report_figure figures[MAX_FIGURES];
    size_t n_figures;
} page_texts;

/* ---- tables -------------------------------------------------------------------------------- */

/* Adds a row of one figure for each method, the highest standing out; NaN is a dash. */
static void add_metric(page_texts *p, const report_results *results, const char *name,
                       const char *explanation, const double *values, const double (*ranges)[2])
{
    const size_t row = p->n_metrics++;
    double best = -INFINITY;
    for (int m = 0; m < results->n_methods; m++)
        best = fmax(best, values[m]);
    for (int m = 0; m < results->n_methods; m++) {
        char(*texts)[TEXT] = p->cells[row][m];
        snprintf(texts[0], TEXT, "%.4f", values[m]);
        if (ranges != NULL)
            snprintf(texts[1], TEXT, "%.4g to %.4g", ranges[m][0], ranges[m][1]);
        p->metric_cells[row][m] = (report_cell){.value = isnan(values[m]) ? NULL : texts[0],
                                                .detail = ranges != NULL ? texts[1] : NULL,
                                                .best = values[m] == best};
    }
    p->metrics[row] = (report_row){name, explanation, p->metric_cells[row]};
}

static void fill_metrics(page_texts *p, const report_results *results)
{
    double auroc[REPORT_MAX_METHODS], aupr[REPORT_MAX_METHODS], accuracy[REPORT_MAX_METHODS],
        f1[REPORT_MAX_METHODS], precision[REPORT_MAX_METHODS], recall[REPORT_MAX_METHODS],
        tpr_1[REPORT_MAX_METHODS], tpr_5[REPORT_MAX_METHODS], best[REPORT_MAX_METHODS],
        ranges[REPORT_MAX_METHODS][2], low_high[REPORT_MAX_METHODS][2], pixels[REPORT_MAX_METHODS],
        aupro[REPORT_MAX_METHODS];
    for (int m = 0; m < results->n_methods; m++) {
        pixels[m] = aupro[m] = NAN;
        const report_method *method = &results->methods[m];
        auroc[m] = method->metrics.auroc;
        ranges[m][0] = method->metrics.auroc_low;
        ranges[m][1] = method->metrics.auroc_high;
        aupr[m] = method->metrics.aupr;
        accuracy[m] = method->at_threshold.accuracy;
        f1[m] = method->at_threshold.f1;
        precision[m] = method->at_threshold.precision;
        recall[m] = method->at_threshold.recall;
        tpr_1[m] = method->metrics.tpr_at_fpr_1;
        tpr_5[m] = method->metrics.tpr_at_fpr_5;
        best[m] = method->metrics.accuracy_best;
        low_high[m][0] = method->metrics.best_low;
        low_high[m][1] = method->metrics.best_high;
    }
    add_metric(p, results, "AUROC", "how often an anomalous image scores above a normal one", auroc,
               ranges);
    add_metric(p, results, "AUPR", "average precision", aupr, NULL);
    add_metric(p, results, "Accuracy", "at the threshold fixed on held-out images", accuracy, NULL);
    add_metric(p, results, "F1", "at that threshold", f1, NULL);
    add_metric(p, results, "Precision", "the share of images called anomalous that are", precision,
               NULL);
    add_metric(p, results, "Recall", "the share of anomalous images that are called so", recall,
               NULL);
    add_metric(p, results, "TPR at 1 % FPR",
               "the share of anomalous images found where 1 % of normal ones are flagged", tpr_1,
               NULL);
    add_metric(p, results, "TPR at 5 % FPR", "the same at 5 %", tpr_5, NULL);
    add_metric(p, results, "Best accuracy",
               "at the best thresholds for these images, found with hindsight", best, low_high);
    if (results->pixels == NULL)
        return;
    pixels[0] = results->pixels->auroc;
    aupro[0] = results->pixels->aupro;
    add_metric(p, results, "Pixel AUROC", "of the anomaly maps, over all pixels", pixels, NULL);
    add_metric(p, results, "AUPRO", "overlap with each defect, up to 30 % of false pixels", aupro,
               NULL);
}

static void fill_kinds(page_texts *p, const report_results *results)
{
    for (size_t i = 0; i < results->n_kinds && p->n_kinds < MAX_KINDS; i++) {
        const report_class *kind = &results->kinds[i];
        if (kind->label == 0)
            continue;
        char(*texts)[TEXT] = p->kind_texts[p->n_kinds];
        report_cell *cells = p->kind_cells[p->n_kinds];
        snprintf(texts[0], TEXT, "%zu", kind->n);
        snprintf(texts[1], TEXT, "%.4f", kind->auroc);
        snprintf(texts[2], TEXT, "%.4g to %.4g", kind->auroc_low, kind->auroc_high);
        snprintf(texts[3], TEXT, "%zu", kind->n_flagged);
        cells[0] = (report_cell){.value = texts[0]};
        cells[1] = (report_cell){.value = texts[1], .detail = texts[2]};
        cells[2] = (report_cell){.value = texts[3]};
        p->kinds[p->n_kinds++] = (report_row){kind->name, NULL, cells};
    }
}

/* ---- words --------------------------------------------------------------------------------- */

static void fill_verdict(page_texts *p, const report_results *results)
{
    const report_method *ours = &results->methods[0];
    const ano_confusion *c = &ours->at_threshold;
    int best = 0;
    for (int m = 1; m < results->n_methods; m++)
        if (results->methods[m].metrics.auroc > results->methods[best].metrics.auroc)
            best = m;
    snprintf(p->verdict[0], sizeof p->verdict[0],
             "An anomalous image scores above a normal one %.1f times in 100.",
             100 * ours->metrics.auroc);
    snprintf(p->verdict[1], sizeof p->verdict[1],
             "At the threshold fixed on held-out normal images (alpha %.4g), %zu of %zu anomalous "
             "images are found, and %zu of %zu normal ones called anomalous.",
             results->alpha, c->tp, c->tp + c->fn, c->fp, c->fp + c->tn);
    if (results->n_methods == 1)
        snprintf(p->verdict[2], sizeof p->verdict[2], "There are no baselines beside it.");
    else if (best == 0)
        snprintf(p->verdict[2], sizeof p->verdict[2],
                 "No plain baseline tells these images apart better.");
    else
        snprintf(p->verdict[2], sizeof p->verdict[2],
                 "A plain baseline tells these images apart better: %s, with an AUROC of %.4f.",
                 results->methods[best].name, results->methods[best].metrics.auroc);
}

static void add_setting(page_texts *p, const char *name, const char *value)
{
    snprintf(p->values[p->n_settings], sizeof p->values[0], "%s", value);
    p->settings[p->n_settings] = (report_setting){name, p->values[p->n_settings]};
    p->n_settings++;
}

static void add_number(page_texts *p, const char *name, double value)
{
    char text[TEXT];
    snprintf(text, sizeof text, "%.10g", value);
    add_setting(p, name, text);
}

/* What the networks see of an image: "64 x 64, gray", "tiles of 32 x 32, 16 apart, colour". */
static void add_view(page_texts *p, const ano_view *view)
{
    char text[2 * TEXT], apart[TEXT] = "";
    if (view->stride > 0)
        snprintf(apart, sizeof apart, ", %d apart", view->stride);
    snprintf(text, sizeof text, "%s%d x %d%s, %s", view->stride > 0 ? "tiles of " : "", view->size,
             view->size, apart, view->channels == 1 ? "gray" : "colour");
    add_setting(p, "view", text);
}

static void fill_settings(page_texts *p, const report_results *results, const ano_view *view,
                          const cli_options *options)
{
    add_setting(p, "method", ano_method_name(results->method));
    add_setting(p, "data", options->data);
    add_setting(p, "normal", results->normal);
    add_view(p, view);
    add_number(p, "epochs", options->train.epochs);
    add_number(p, "batch", options->train.batch);
    add_number(p, "base width", options->model.base_width);
    if (results->method != ANO_METHOD_PATCH)
        add_number(p, "latent", options->model.latent);
    if (ano_method_searches(results->method)) {
        add_setting(p, "search", ano_search_name(results->search));
        add_number(p, "iterations", results->iterations);
        add_number(p, "restarts", results->restarts);
    }
    if (results->method == ANO_METHOD_VAE) {
        add_setting(p, "evidence", ano_evidence_name(options->search.evidence));
        add_number(p, "samples", options->search.samples);
    }
    add_setting(p, "pool", cli_options_pool(&options->search).text);
    add_setting(p, "map", ano_map_name(options->map));
    add_number(p, "alpha", results->alpha);
    add_number(p, "seed", (double)results->seed);
    add_setting(p, "anogan", ano_version());
}

/* ---- plots --------------------------------------------------------------------------------- */

/* Both curves of every method: recall in steps, each at the precision of the higher recall, as the
 * AUPR sums them. A threshold that finds no more has no step. */
static ano_status draw_curves(page_texts *p, const report_results *results, ano_error *err)
{
    const size_t n = results->n + 1;
    const size_t n_methods = (size_t)results->n_methods;
    ano_curve_point *points = base_alloc(n, sizeof *points);
    double *numbers = base_alloc(n_methods * n * 6, sizeof *numbers);
    char names[REPORT_MAX_METHODS][100];
    report_curve roc[REPORT_MAX_METHODS], recall[REPORT_MAX_METHODS];
    ano_status status =
        points != NULL && numbers != NULL ? ANO_OK : base_error_nomem(err, "curves");
    size_t n_anomalous = 0;
    for (size_t i = 0; i < results->n; i++)
        n_anomalous += results->labels[i] == 1;
    for (size_t m = 0; m < n_methods && status == ANO_OK; m++) {
        const report_method *method = &results->methods[m];
        double *fpr = numbers + m * n * 6, *tpr = fpr + n, *steps_x = tpr + n,
               *steps_y = steps_x + 2 * n;
        size_t n_points, n_steps = 0;
        status = ano_curves(points, &n_points, method->scores, results->labels, results->n, err);
        for (size_t i = 0; i < n_points && status == ANO_OK; i++) {
            fpr[i] = points[i].fpr;
            tpr[i] = points[i].tpr;
            if (i > 0 && points[i].tpr > points[i - 1].tpr) {
                steps_x[n_steps] = points[i - 1].tpr;
                steps_y[n_steps++] = points[i].precision;
                steps_x[n_steps] = points[i].tpr;
                steps_y[n_steps++] = points[i].precision;
            }
        }
        snprintf(names[m], sizeof names[m], "%s, %.4f", method->name, method->metrics.auroc);
        roc[m] = (report_curve){names[m], fpr, tpr, n_points};
        recall[m] = (report_curve){method->name, steps_x, steps_y, n_steps};
    }
    report_figure *figure = &p->figures[p->n_figures];
    const report_plane roc_plane = report_plane_roc();
    const report_plane recall_plane =
        report_plane_precision_recall((double)n_anomalous / (double)results->n);
    if (status == ANO_OK) {
        *figure = (report_figure){.title = "ROC curve",
                                  .described = "The share of anomalous images that are found, over "
                                               "the share of normal images that are called "
                                               "anomalous, for every threshold."};
        status = report_curves(&figure->svg, &roc_plane, roc, results->n_methods, err);
        p->n_figures += status == ANO_OK;
    }
    if (status == ANO_OK) {
        figure++;
        *figure =
            (report_figure){.title = "Precision and recall",
                            .described = "The share of images called anomalous that are, over "
                                         "the share of anomalous images that are found."};
        status = report_curves(&figure->svg, &recall_plane, recall, results->n_methods, err);
        p->n_figures += status == ANO_OK;
    }
    base_free(points);
    base_free(numbers);
    return status;
}

static ano_status draw_scores(page_texts *p, const report_results *results, ano_error *err)
{
    float *scores = base_alloc(results->n, sizeof *scores);
    if (scores == NULL)
        return base_error_nomem(err, "histogram");
    report_histogram_group groups[MAX_KINDS];
    int n_groups = 0, n_normal = 0;
    size_t n = 0;
    for (size_t k = 0; k < results->n_kinds && n_groups < MAX_KINDS; k++) {
        const report_class *kind = &results->kinds[k];
        const size_t first = n;
        for (size_t i = 0; i < results->n; i++)
            if (results->classes[i] == kind->name)
                scores[n++] = results->methods[0].scores[i];
        groups[n_groups++] = (report_histogram_group){kind->name[0] != '\0' ? kind->name : "images",
                                                      scores + first, n - first};
        n_normal += kind->label == 0;
    }
    report_figure *figure = &p->figures[p->n_figures];
    *figure = (report_figure){.title = "Scores by kind of image",
                              .described = "Each row is scaled to its own highest bar."};
    const ano_status status = report_histogram_rows(&figure->svg, groups, n_groups, n_normal,
                                                    results->methods[0].threshold, err);
    p->n_figures += status == ANO_OK;
    base_free(scores);
    return status;
}

/* The columns of loss.csv that are losses, as curves by epoch. */
typedef struct loss_table {
    char *text;
    double *numbers; /* [1 + ANO_MAX_LOSSES][n_lines]: epochs, then losses */
    size_t n_lines, n_rows;
    int n_losses;
    const char *names[ANO_MAX_LOSSES];
    double *losses[ANO_MAX_LOSSES]; /* in numbers */
} loss_table;

/* Names the columns after the first that end in "loss", which are the first ones. */
static void read_header(loss_table *t)
{
    char *rest;
    strtok_r(t->text, ",\n", &rest);
    for (char *name; t->n_losses < ANO_MAX_LOSSES && (name = strtok_r(NULL, ",", &rest)) != NULL;) {
        const size_t length = strlen(name);
        if (length < 4 || strcmp(name + length - 4, "loss") != 0)
            return;
        t->names[t->n_losses++] = name;
    }
}

static void read_rows(loss_table *t, const char *at)
{
    for (; at != NULL && *at != '\0'; at = strchr(at, '\n'), at = at != NULL ? at + 1 : NULL) {
        char *end;
        t->numbers[t->n_rows] = strtod(at, &end);
        int k = 0;
        for (; k < t->n_losses && *end == ','; k++)
            t->losses[k][t->n_rows] = strtod(end + 1, &end);
        if (k == t->n_losses)
            t->n_rows++;
    }
}

/* From loss.csv, where the folder has one. */
static ano_status draw_losses(page_texts *p, const char *folder, ano_error *err)
{
    char *path = base_path_join(folder, "loss.csv");
    loss_table t = {0};
    size_t size;
    if (path == NULL || base_file_read(&t.text, &size, path, NULL) != ANO_OK) {
        base_free(path);
        return ANO_OK;
    }
    for (const char *at = t.text; (at = strchr(at, '\n')) != NULL; at++)
        t.n_lines++;
    t.numbers = base_alloc(t.n_lines + 1, (1 + ANO_MAX_LOSSES) * sizeof *t.numbers);
    ano_status status = t.numbers != NULL ? ANO_OK : base_error_nomem(err, "losses");
    const char *rows = strchr(t.text, '\n');
    if (status == ANO_OK && rows != NULL) {
        for (int k = 0; k < ANO_MAX_LOSSES; k++)
            t.losses[k] = t.numbers + (size_t)(k + 1) * (t.n_lines + 1);
        read_header(&t);
        read_rows(&t, rows + 1);
    }
    if (status == ANO_OK && t.n_rows > 0 && t.n_losses > 0) {
        report_curve curves[ANO_MAX_LOSSES];
        for (int k = 0; k < t.n_losses; k++)
            curves[k] = (report_curve){t.names[k], t.numbers, t.losses[k], t.n_rows};
        const report_plane plane = report_plane_losses();
        report_figure *figure = &p->figures[p->n_figures];
        *figure = (report_figure){.title = "Losses in training",
                                  .described = "Of each network, by epoch."};
        status = report_curves(&figure->svg, &plane, curves, t.n_losses, err);
        p->n_figures += status == ANO_OK;
    }
    base_free(t.numbers);
    base_free(t.text);
    base_free(path);
    return status;
}

/* ---- the page ------------------------------------------------------------------------------ */

static ano_status write_page(const char *folder, const page_texts *p, const report_results *results,
                             const cli_tested *tested, size_t n_held_out,
                             const cli_options *options, ano_error *err)
{
    const report_method *ours = &results->methods[0];
    const char *columns[REPORT_MAX_METHODS], *verdict[3];
    for (int m = 0; m < results->n_methods; m++)
        columns[m] = results->methods[m].name;
    for (int i = 0; i < 3; i++)
        verdict[i] = p->verdict[i];
    static const char *const kind_columns[] = {"images", "AUROC", "found"};
    const report_threshold threshold = {results->alpha, ours->threshold, n_held_out};
    const report_confusion confusion = {ours->at_threshold.tn, ours->at_threshold.fp,
                                        ours->at_threshold.fn, ours->at_threshold.tp};
    const char *slash = strrchr(options->data, '/');
    const report_page page = {
        .title = slash != NULL && slash[1] != '\0' ? slash + 1 : options->data,
        .verdict = verdict,
        .n_verdict = 3,
        .metrics = {"With 95 % intervals of the AUROC", "metric", columns,
                    (size_t)results->n_methods, p->metrics, p->n_metrics},
        .threshold = &threshold,
        .confusion = &confusion,
        .classes = {"Each kind of anomalous image against all normal ones", "kind", kind_columns, 3,
                    p->kinds, p->n_kinds},
        .figures = p->figures,
        .n_figures = p->n_figures,
        .false_alarms = tested->false_alarms,
        .n_false_alarms = tested->n_false_alarms,
        .misses = tested->misses,
        .n_misses = tested->n_misses,
        .settings = p->settings,
        .n_settings = p->n_settings,
    };
    char *path = base_path_join(folder, "report.html");
    const ano_status status =
        path != NULL ? report_page_write(path, &page, err) : base_error_nomem(err, "report.html");
    base_free(path);
    return status;
}

ano_status cli_page_write(const char *folder, const report_results *results,
                          const cli_tested *tested, const ano_model *model,
                          const cli_options *options, ano_error *err)
{
    page_texts *p = base_alloc(1, sizeof *p);
    if (p == NULL)
        return base_error_nomem(err, "report.html");
    fill_metrics(p, results);
    fill_kinds(p, results);
    fill_verdict(p, results);
    const ano_view view = ano_model_get_view(model);
    fill_settings(p, results, &view, options);
    ano_status status = draw_curves(p, results, err);
    if (status == ANO_OK)
        status = draw_scores(p, results, err);
    if (status == ANO_OK)
        status = draw_losses(p, folder, err);
    if (status == ANO_OK)
        status = write_page(folder, p, results, tested, ano_model_get_calibration(model).n, options,
                            err);
    for (size_t i = 0; i < p->n_figures; i++)
        report_svg_free(&p->figures[i].svg);
    base_free(p);
    return status;
}
