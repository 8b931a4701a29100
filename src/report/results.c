/* The files of an evaluation and its table. What a machine reads comes in two forms: scores as CSV
 * and as plain lists, for a plot or a spreadsheet, and the figures as JSON, the same whether
 * written into the run folder or asked for on standard output. */
#include "report/results.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { DIGITS = 9 }; /* hold a float exactly */

static size_t count_label(const report_results *results, int label)
{
    size_t count = 0;
    for (size_t i = 0; i < results->n; i++)
        count += results->labels[i] == label;
    return count;
}

const char *report_score_title(ano_method method, ano_evidence evidence, bool remembers)
{
    static const char *const by_method[] = {
        [ANO_METHOD_FC] = "Residual of the latent search",
        [ANO_METHOD_PATCH] = "Score of the discriminator of patches",
        [ANO_METHOD_ENCODER] = "Residual of pixels and features",
        [ANO_METHOD_LATENT] = "Loss of the latent search",
        [ANO_METHOD_HYBRID] = "Loss of the latent search",
    };
    static const char *const by_evidence[] = {
        [ANO_EVIDENCE_ELBO] = "Negative ELBO",
        [ANO_EVIDENCE_RECONSTRUCTION] = "Reconstruction probability, as -ln p",
        [ANO_EVIDENCE_UNEXPLAINED] = "Share of the contrast left unexplained",
    };
    return remembers                  ? "Score with the distance from remembered images"
           : method == ANO_METHOD_VAE ? by_evidence[evidence]
                                      : by_method[method];
}

/* ---- scores ------------------------------------------------------------------------------- */

static ano_status create_in(base_file *file, const char *folder, const char *name, ano_error *err)
{
    char *path = base_path_join(folder, name);
    if (path == NULL)
        return base_error_nomem(err, name);
    const ano_status status = base_file_create(file, path, err);
    base_free(path);
    return status;
}

static ano_status write_scores(const char *folder, const report_results *results, ano_error *err)
{
    base_file file;
    const ano_status status = create_in(&file, folder, "scores.csv", err);
    if (status != ANO_OK)
        return status;
    fputs("index,class,label,score,path\n", file.stream);
    for (size_t i = 0; i < results->n; i++) {
        fprintf(file.stream, "%zu,", results->indices[i]);
        report_csv_field(file.stream, results->classes[i]);
        fprintf(file.stream, ",%d,%.*g,", results->labels[i], DIGITS,
                (double)results->methods[0].scores[i]);
        report_csv_field(file.stream, results->paths[i]);
        fputc('\n', file.stream);
    }
    return base_file_commit(&file, err);
}

/* The scores of the images that have the class of image `first`, which is the first that has. */
static ano_status write_scores_of_class(const char *folder, const report_results *results,
                                        size_t first, ano_error *err)
{
    char name[100], class_name[80];
    report_text_name(class_name, sizeof class_name, results->classes[first]);
    snprintf(name, sizeof name, "scores_%s.txt", class_name);
    base_file file;
    const ano_status status = create_in(&file, folder, name, err);
    if (status != ANO_OK)
        return status;
    for (size_t i = first; i < results->n; i++)
        if (strcmp(results->classes[i], results->classes[first]) == 0)
            fprintf(file.stream, "%.*g\n", DIGITS, (double)results->methods[0].scores[i]);
    return base_file_commit(&file, err);
}

static bool is_first_of_class(const report_results *results, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(results->classes[j], results->classes[i]) == 0)
            return false;
    return true;
}

/* ---- metrics ------------------------------------------------------------------------------ */

static ano_status add_method(json_t *dst, const report_method *method, ano_error *err)
{
    const ano_metrics *metrics = &method->metrics;
    const struct {
        const char *key;
        double value;
    } figures[] = {
        {"auroc", metrics->auroc},
        {"auroc_low", metrics->auroc_low},
        {"auroc_high", metrics->auroc_high},
        {"aupr", metrics->aupr},
        {"accuracy_best", metrics->accuracy_best},
        {"threshold_best_low", metrics->best_low},
        {"threshold_best_high", metrics->best_high},
        {"tpr_at_fpr_1", metrics->tpr_at_fpr_1},
        {"tpr_at_fpr_5", metrics->tpr_at_fpr_5},
        {"accuracy_calibrated", method->at_threshold.accuracy},
        {"f1", method->at_threshold.f1},
        {"precision", method->at_threshold.precision},
        {"recall", method->at_threshold.recall},
        {"tp", (double)method->at_threshold.tp},
        {"fp", (double)method->at_threshold.fp},
        {"tn", (double)method->at_threshold.tn},
        {"fn", (double)method->at_threshold.fn},
        {"threshold", method->threshold},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (!isfinite(figures[i].value))
            return base_error(err, ANO_NUMERIC, "metrics: %s is %f", figures[i].key,
                              figures[i].value);
        if (json_object_set_new(dst, figures[i].key, json_real(figures[i].value)) != 0)
            return base_error_nomem(err, "metrics");
    }
    return ANO_OK;
}

/* What holds for all methods. */
static ano_status add_setting(json_t *dst, const report_results *results, ano_error *err)
{
    const struct {
        const char *key;
        json_t *value;
    } settings[] = {
        {"alpha", json_real(results->alpha)},
        {"normal", json_string(results->normal)},
        {"anomaly", json_string(results->anomaly)},
        {"n_normal", json_integer((json_int_t)count_label(results, 0))},
        {"n_anomalous", json_integer((json_int_t)count_label(results, 1))},
        {"n_skipped", json_integer((json_int_t)results->n_skipped)},
        {"iterations", json_integer(results->iterations)},
        {"restarts", json_integer(results->restarts)},
        {"tolerance", json_real(results->tolerance)},
        {"method", json_string(ano_method_name(results->method))},
        {"search", json_string(ano_search_name(results->search))},
        {"seed", json_integer((json_int_t)results->seed)},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        failed |= json_object_set_new(dst, settings[i].key, settings[i].value);
    return failed ? base_error_nomem(err, "metrics") : ANO_OK;
}

static ano_status add_baselines(json_t *dst, const report_results *results, ano_error *err)
{
    json_t *baselines = json_object();
    ano_status status = json_object_set_new(dst, "baselines", baselines) == 0
                            ? ANO_OK
                            : base_error_nomem(err, "metrics");
    for (int i = 1; i < results->n_methods && status == ANO_OK; i++) {
        json_t *method = json_object();
        status = json_object_set_new(baselines, results->methods[i].key, method) == 0
                     ? add_method(method, &results->methods[i], err)
                     : base_error_nomem(err, "metrics");
    }
    if (status == ANO_OK)
        json_object_set_new(baselines, "f1_all_positive",
                            json_real(results->methods[0].metrics.f1_all_positive));
    return status;
}

static ano_status add_kinds(json_t *dst, const report_results *results, ano_error *err)
{
    json_t *kinds = json_object();
    int failed = json_object_set_new(dst, "classes", kinds);
    for (size_t i = 0; i < results->n_kinds && !failed; i++) {
        const report_class *kind = &results->kinds[i];
        json_t *object = json_pack("{si sI sI}", "label", kind->label, "n", (json_int_t)kind->n,
                                   "flagged", (json_int_t)kind->n_flagged);
        if (kind->label == 1)
            failed |= json_object_update_new(object, json_pack("{sf sf sf}", "auroc", kind->auroc,
                                                               "auroc_low", kind->auroc_low,
                                                               "auroc_high", kind->auroc_high));
        failed |= json_object_set_new(kinds, kind->name, object);
    }
    return failed ? base_error_nomem(err, "metrics") : ANO_OK;
}

static ano_status add_pixels(json_t *dst, const report_results *results, ano_error *err)
{
    const ano_pixel_result *pixels = results->pixels;
    if (pixels == NULL)
        return ANO_OK;
    json_t *object =
        json_pack("{ss sf sf sf sf sI}", "map", ano_map_name(results->map), "pixel_auroc",
                  pixels->auroc, "aupro", pixels->aupro, "pixel_auroc_error", pixels->auroc_error,
                  "aupro_error", pixels->aupro_error, "regions", (json_int_t)pixels->n_regions);
    return json_object_update_new(dst, object) == 0 ? ANO_OK : base_error_nomem(err, "metrics");
}

ano_status report_metrics_json(FILE *stream, const report_results *results, ano_error *err)
{
    json_t *root = json_object();
    if (root == NULL)
        return base_error_nomem(err, "metrics");
    ano_status status = add_method(root, &results->methods[0], err);
    if (status == ANO_OK)
        status = add_pixels(root, results, err);
    if (status == ANO_OK)
        status = add_setting(root, results, err);
    if (status == ANO_OK)
        status = add_kinds(root, results, err);
    if (status == ANO_OK)
        status = add_baselines(root, results, err);
    if (status == ANO_OK) {
        char *text = base_json_text(root, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
        if (text == NULL)
            status = base_error_nomem(err, "metrics");
        else
            fprintf(stream, "%s\n", text);
        base_free(text);
    }
    json_decref(root);
    return status;
}

static ano_status write_metrics(const char *folder, const report_results *results, ano_error *err)
{
    base_file file;
    ano_status status = create_in(&file, folder, "metrics.json", err);
    if (status != ANO_OK)
        return status;
    status = report_metrics_json(file.stream, results, err);
    if (status == ANO_OK)
        return base_file_commit(&file, err);
    base_file_abandon(&file);
    return status;
}

ano_status report_write_results(const char *folder, const report_results *results, ano_error *err)
{
    ano_status status = base_make_folder(folder, err);
    if (status == ANO_OK)
        status = write_scores(folder, results, err);
    for (size_t i = 0; i < results->n && status == ANO_OK; i++)
        if (is_first_of_class(results, i))
            status = write_scores_of_class(folder, results, i, err);
    if (status == ANO_OK)
        status = write_metrics(folder, results, err);
    return status;
}

/* ---- the table ---------------------------------------------------------------------------- */

static void print_row(FILE *stream, const report_method *method)
{
    const ano_metrics *metrics = &method->metrics;
    char range[40];
    snprintf(range, sizeof range, "(%.4g to %.4g)", metrics->best_low, metrics->best_high);
    fprintf(stream, "%-19s %.4f [%.4f, %.4f]  %.4f  %.4f %-18s  %.4f (%.4g)\n", method->name,
            metrics->auroc, metrics->auroc_low, metrics->auroc_high, metrics->aupr,
            metrics->accuracy_best, range, method->at_threshold.accuracy, method->threshold);
}

/* Where there is more than one kind of anomaly. */
static void print_kinds(FILE *stream, const report_results *results)
{
    size_t n_anomalous = 0;
    for (size_t i = 0; i < results->n_kinds; i++)
        n_anomalous += results->kinds[i].label == 1;
    if (n_anomalous < 2)
        return;
    fprintf(stream, "\n%-19s %-6s  %-23s  %s\n", "", "images", "AUROC [95 % interval]",
            "called anomalous *");
    for (size_t i = 0; i < results->n_kinds; i++) {
        const report_class *kind = &results->kinds[i];
        char auroc[40] = "";
        if (kind->label == 1)
            snprintf(auroc, sizeof auroc, "%.4f [%.4f, %.4f]", kind->auroc, kind->auroc_low,
                     kind->auroc_high);
        fprintf(stream, "%-19.19s %6zu  %-23s  %zu\n", kind->name, kind->n, auroc, kind->n_flagged);
    }
}

void report_print_table(FILE *stream, const report_results *results)
{
    fprintf(stream, "%zu normal (%s) and %zu anomalous (%s) test images:\n\n",
            count_label(results, 0), results->normal, count_label(results, 1), results->anomaly);
    fprintf(stream, "%-19s %-23s  %-6s  %-25s  %s\n", "", "AUROC [95 % interval]", "AUPR",
            "best accuracy (threshold)", "accuracy (threshold) *");
    for (int i = 0; i < results->n_methods; i++)
        print_row(stream, &results->methods[i]);
    print_kinds(stream, results);
    if (results->pixels != NULL)
        fprintf(stream, "\npixels%s%s: AUROC %.4f, AUPRO to an FPR of 0.3 %.4f, over %zu regions\n",
                results->map != ANO_MAP_METHOD ? ", by the map of " : "",
                results->map != ANO_MAP_METHOD ? ano_map_name(results->map) : "",
                results->pixels->auroc, results->pixels->aupro, results->pixels->n_regions);
    fprintf(stream,
            "\n* at the threshold fixed on held-out normal images (alpha %g), not on these\n",
            results->alpha);
}
