/* The files of an evaluation and its table. What a machine reads comes in two forms: scores as CSV
 * and as plain lists, for a plot or a spreadsheet, and the figures as JSON, the same whether
 * written into the run folder or asked for on standard output. */
#include "report/results.h"

#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 9 }; /* hold a float exactly */

static size_t count_label(const report_results *results, int label)
{
    size_t count = 0;
    for (size_t i = 0; i < results->n; i++)
        count += results->labels[i] == label;
    return count;
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
    fputs("index,class,label,score\n", file.stream);
    for (size_t i = 0; i < results->n; i++)
        fprintf(file.stream, "%zu,%s,%d,%.*g\n", results->indices[i], results->classes[i],
                results->labels[i], DIGITS, (double)results->scores[i]);
    return base_file_commit(&file, err);
}

/* The scores of the images that have the class of image `first`, which is the first that has. */
static ano_status write_scores_of_class(const char *folder, const report_results *results,
                                        size_t first, ano_error *err)
{
    char name[100];
    snprintf(name, sizeof name, "scores_%s.txt", results->classes[first]);
    base_file file;
    const ano_status status = create_in(&file, folder, name, err);
    if (status != ANO_OK)
        return status;
    for (size_t i = first; i < results->n; i++)
        if (strcmp(results->classes[i], results->classes[first]) == 0)
            fprintf(file.stream, "%.*g\n", DIGITS, (double)results->scores[i]);
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
        {"accuracy_calibrated", method->accuracy_calibrated},
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
        {"iterations", json_integer(results->iterations)},
        {"restarts", json_integer(results->restarts)},
        {"tolerance", json_real(results->tolerance)},
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
    json_t *baselines = json_object(), *pca = json_object(), *nearest = json_object();
    int failed = json_object_set_new(dst, "baselines", baselines);
    failed |= json_object_set_new(baselines, "pca", pca);
    failed |= json_object_set_new(baselines, "nearest", nearest);
    if (failed)
        return base_error_nomem(err, "metrics");
    ano_status status = add_method(pca, &results->pca, err);
    if (status == ANO_OK)
        status = add_method(nearest, &results->nearest, err);
    return status;
}

ano_status report_metrics_json(FILE *stream, const report_results *results, ano_error *err)
{
    json_t *root = json_object();
    if (root == NULL)
        return base_error_nomem(err, "metrics");
    ano_status status = add_method(root, &results->anogan, err);
    if (status == ANO_OK)
        status = add_setting(root, results, err);
    if (status == ANO_OK)
        status = add_baselines(root, results, err);
    if (status == ANO_OK) {
        char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
        if (text == NULL)
            status = base_error_nomem(err, "metrics");
        else
            fprintf(stream, "%s\n", text);
        free(text);
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

static void print_row(FILE *stream, const char *name, const report_method *method)
{
    const ano_metrics *metrics = &method->metrics;
    char range[40];
    snprintf(range, sizeof range, "(%.4g to %.4g)", metrics->best_low, metrics->best_high);
    fprintf(stream, "%-19s %.4f [%.4f, %.4f]  %.4f  %.4f %-18s  %.4f (%.4g)\n", name,
            metrics->auroc, metrics->auroc_low, metrics->auroc_high, metrics->aupr,
            metrics->accuracy_best, range, method->accuracy_calibrated, method->threshold);
}

void report_table(FILE *stream, const report_results *results)
{
    char pca[40];
    snprintf(pca, sizeof pca, "PCA, %d components", results->components);
    fprintf(stream, "%zu normal (%s) and %zu anomalous (%s) test images:\n\n",
            count_label(results, 0), results->normal, count_label(results, 1), results->anomaly);
    fprintf(stream, "%-19s %-23s  %-6s  %-25s  %s\n", "", "AUROC [95 % interval]", "AUPR",
            "best accuracy (threshold)", "accuracy (threshold) *");
    print_row(stream, "anogan", &results->anogan);
    print_row(stream, pca, &results->pca);
    print_row(stream, "nearest neighbour", &results->nearest);
    fprintf(stream,
            "\n* at the threshold fixed on held-out normal images (alpha %g), not on these\n",
            results->alpha);
}
