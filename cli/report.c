/* anogan report: several runs that were tested on the same images, beside each other on one page.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "report/curves.h"
#include "report/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_command command = {
    .verb = CLI_VERB_REPORT,
    .arguments = "RUN...",
    .doc = "Compares runs that were tested on the same images: a page with a row for each, the "
           "settings that differ, and their ROC curves. A RUN is a run folder that holds the "
           "results of a test.",
    .takes_inputs = true,
};

enum { TEXT = 80, MAX_SETTINGS = 64 };

static const struct {
    const char *key, *name;
} metrics[] = {
    {"auroc", "AUROC"},
    {"aupr", "AUPR"},
    {"accuracy_calibrated", "accuracy at the threshold"},
    {"f1", "F1 at the threshold"},
    {"tpr_at_fpr_5", "TPR at 5 % FPR"},
    {"pixel_auroc", "pixel AUROC"},
    {"aupro", "AUPRO"},
};
enum { N_METRICS = sizeof metrics / sizeof *metrics };

/* A run's results, as its folder has them. */
typedef struct tested_run {
    const char *folder;
    json_t *metrics, *config;
    size_t n; /* test images */
    float *scores;
    int *labels;
    char *images; /* what was tested: the fields of scores.csv but the scores, a line each */
    char texts[N_METRICS][TEXT], name[300];
    report_cell cells[N_METRICS];
    char settings[MAX_SETTINGS][TEXT];
    const char *values[MAX_SETTINGS]; /* of the settings of the first run */
    double *fpr, *tpr;
    size_t n_points;
} tested_run;

static void run_clear(tested_run *run)
{
    json_decref(run->metrics);
    json_decref(run->config);
    base_free(run->scores);
    base_free(run->labels);
    base_free(run->images);
    base_free(run->fpr);
    base_free(run->tpr);
}

/* ---- reading ------------------------------------------------------------------------------- */

static ano_status read_json(json_t **out, const char *folder, const char *name, ano_error *err)
{
    size_t size;
    char *path = base_path_join(folder, name), *text = NULL;
    if (path == NULL)
        return base_error_nomem(err, name);
    json_error_t where;
    ano_status status = base_file_read(&text, &size, path, err);
    if (status == ANO_OK)
        status = base_json_read(out, text, size, &where);
    if (status == ANO_NOMEM)
        base_error_nomem(err, path);
    else if (text != NULL && !json_is_object(*out))
        status = base_error(err, ANO_FORMAT, "%s: line %d: is not a JSON object", path, where.line);
    base_free(text);
    base_free(path);
    return status;
}

/* Parts a line "index,class,label,score,path", whose class may be in quotation marks, into the
 * score, the label, and the line without the score, in place. */
static bool read_line(float *score, int *label, char *line)
{
    bool quoted = false;
    char *fields[5] = {line};
    int n = 1;
    for (char *c = line; *c != '\0' && n < 5; c++) {
        quoted ^= *c == '"';
        if (*c == ',' && !quoted)
            fields[n++] = c + 1;
    }
    char *end;
    if (n < 5 || (fields[2][0] != '0' && fields[2][0] != '1'))
        return false;
    *label = fields[2][0] - '0';
    *score = strtof(fields[3], &end);
    if (end + 1 != fields[4])
        return false;
    memmove(fields[3], fields[4], strlen(fields[4]) + 1);
    return true;
}

static ano_status read_scores(tested_run *run, ano_error *err)
{
    size_t size, n_lines = 0, length = 0;
    char *path = base_path_join(run->folder, "scores.csv"), *text = NULL, *rest = NULL;
    if (path == NULL)
        return base_error_nomem(err, "scores.csv");
    ano_status status = base_file_read(&text, &size, path, err);
    for (size_t i = 0; i < size && status == ANO_OK; i++)
        n_lines += text[i] == '\n';
    if (status == ANO_OK) {
        run->scores = base_alloc(n_lines, sizeof *run->scores);
        run->labels = base_alloc(n_lines, sizeof *run->labels);
        run->images = base_alloc(size + 1, 1);
        if (run->scores == NULL || run->labels == NULL || run->images == NULL)
            status = base_error_nomem(err, path);
    }
    char *line = status == ANO_OK ? strtok_r(text, "\n", &rest) : NULL;
    while (status == ANO_OK && (line = strtok_r(NULL, "\n", &rest)) != NULL) {
        if (!read_line(&run->scores[run->n], &run->labels[run->n], line)) {
            status = base_error(err, ANO_FORMAT, "%s:%zu: is no line of scores", path, run->n + 2);
            break;
        }
        run->n++;
        length += (size_t)sprintf(run->images + length, "%s\n", line);
    }
    base_free(text);
    base_free(path);
    return status;
}

static ano_status run_read(tested_run *run, const char *folder, ano_error *err)
{
    run->folder = folder;
    ano_status status = read_json(&run->metrics, folder, "metrics.json", err);
    if (status == ANO_OK)
        status = read_json(&run->config, folder, "config.json", err);
    if (status == ANO_OK)
        status = read_scores(run, err);
    if (status != ANO_OK)
        return status;
    for (int i = 0; i < N_METRICS; i++) {
        const json_t *value = json_object_get(run->metrics, metrics[i].key);
        snprintf(run->texts[i], TEXT, "%.4f", json_number_value(value));
        run->cells[i] = (report_cell){.value = json_is_number(value) ? run->texts[i] : NULL};
    }
    snprintf(run->name, sizeof run->name, "%.200s, %s", folder, run->texts[0]);
    return ANO_OK;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static ano_status check_same_images(const tested_run *runs, size_t n, ano_error *err)
{
    for (size_t i = 1; i < n; i++)
        if (strcmp(runs[i].images, runs[0].images) != 0)
            return base_error(err, ANO_ARG,
                              "%s and %s were tested on other images than each other; test both on "
                              "the same data by \"%s evaluate\"",
                              runs[0].folder, runs[i].folder, cli_program());
    return ANO_OK;
}

static void mark_best(tested_run *runs, size_t n)
{
    for (int m = 0; m < N_METRICS; m++) {
        double best = -1;
        for (size_t i = 0; i < n; i++) {
            const double value =
                json_number_value(json_object_get(runs[i].metrics, metrics[m].key));
            best = runs[i].cells[m].value != NULL && value > best ? value : best;
        }
        for (size_t i = 0; i < n; i++)
            runs[i].cells[m].best =
                runs[i].cells[m].value != NULL &&
                json_number_value(json_object_get(runs[i].metrics, metrics[m].key)) == best;
    }
}

/* The settings of the first run, and what they are in every run. */
static size_t collect_settings(const char **names, tested_run *runs, size_t n)
{
    size_t n_settings = 0;
    const char *key;
    json_t *value;
    json_object_foreach(runs[0].config, key, value)
    {
        if (n_settings == MAX_SETTINGS)
            break;
        for (size_t i = 0; i < n; i++) {
            const json_t *found = json_object_get(runs[i].config, key);
            char *text = runs[i].settings[n_settings];
            if (json_is_string(found))
                snprintf(text, TEXT, "%s", json_string_value(found));
            else if (json_is_number(found))
                snprintf(text, TEXT, "%.10g", json_number_value(found));
            else
                snprintf(text, TEXT, "%s", json_is_true(found) ? "yes" : "no");
            runs[i].values[n_settings] = found != NULL ? text : NULL;
        }
        names[n_settings++] = key;
    }
    return n_settings;
}

static ano_status draw_roc(report_svg *out, tested_run *runs, size_t n, ano_error *err)
{
    const size_t n_curves = n < REPORT_MAX_CURVES ? n : REPORT_MAX_CURVES;
    report_curve curves[REPORT_MAX_CURVES];
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n_curves && status == ANO_OK; i++) {
        tested_run *run = &runs[i];
        ano_curve_point *points = base_alloc(run->n + 1, sizeof *points);
        run->fpr = base_alloc(run->n + 1, sizeof *run->fpr);
        run->tpr = base_alloc(run->n + 1, sizeof *run->tpr);
        status = points != NULL && run->fpr != NULL && run->tpr != NULL
                     ? ano_curves(points, &run->n_points, run->scores, run->labels, run->n, err)
                     : base_error_nomem(err, "curves");
        for (size_t k = 0; k < run->n_points && status == ANO_OK; k++) {
            run->fpr[k] = points[k].fpr;
            run->tpr[k] = points[k].tpr;
        }
        curves[i] = (report_curve){run->name, run->fpr, run->tpr, run->n_points};
        base_free(points);
    }
    const report_plane plane = report_plane_roc();
    return status == ANO_OK ? report_curves(out, &plane, curves, (int)n_curves, err) : status;
}

static ano_status write_page(const char *path, tested_run *runs, size_t n, ano_error *err)
{
    const char *metric_names[N_METRICS], *settings[MAX_SETTINGS];
    for (int i = 0; i < N_METRICS; i++)
        metric_names[i] = metrics[i].name;
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (json_number_value(json_object_get(runs[i].metrics, "auroc")) >
            json_number_value(json_object_get(runs[best].metrics, "auroc")))
            best = i;
    char sentence[400];
    snprintf(sentence, sizeof sentence,
             "%.200s tells these images apart best, with an AUROC of %s.", runs[best].folder,
             runs[best].texts[0]);
    const char *verdict = sentence;
    report_run *rows = base_alloc(n, sizeof *rows);
    if (rows == NULL)
        return base_error_nomem(err, path);
    const size_t n_settings = collect_settings(settings, runs, n);
    mark_best(runs, n);
    for (size_t i = 0; i < n; i++)
        rows[i] = (report_run){runs[i].folder, runs[i].cells, runs[i].values};
    char described[200];
    int length = snprintf(described, sizeof described,
                          "The share of anomalous images that are found, over the share of normal "
                          "images that are called anomalous.");
    if (n > REPORT_MAX_CURVES)
        snprintf(described + length, sizeof described - (size_t)length,
                 " Only the first %d runs are drawn.", REPORT_MAX_CURVES);
    report_figure roc = {.title = "ROC curves", .described = described};
    ano_status status = draw_roc(&roc.svg, runs, n, err);
    if (status == ANO_OK)
        status = report_comparison_page(path,
                                        &(report_runs){.title = "Runs on the same images",
                                                       .verdict = &verdict,
                                                       .n_verdict = 1,
                                                       .metrics = metric_names,
                                                       .n_metrics = N_METRICS,
                                                       .settings = settings,
                                                       .n_settings = n_settings,
                                                       .runs = rows,
                                                       .n_runs = n,
                                                       .figures = &roc,
                                                       .n_figures = 1},
                                        err);
    report_svg_free(&roc.svg);
    base_free(rows);
    return status;
}

int cli_report(int argc, char **argv)
{
    cli_options options = cli_options_default();
    options.out = "report.html";
    cli_options_parse(&options, &command, argc, argv);
    ano_error err = ANO_ERROR_INIT;
    const size_t n = options.n_inputs;
    int code = CLI_DONE;
    if (n == 0) {
        cli_options_free(&options);
        return cli_refuse(CLI_USAGE, "report: RUN is missing; see \"anogan report --help\"");
    }
    tested_run *runs = base_alloc(n, sizeof *runs);
    if (runs == NULL)
        code = cli_refuse(CLI_OTHER, "out of memory");
    for (size_t i = 0; i < n && code == CLI_DONE; i++)
        if (run_read(&runs[i], options.inputs[i], &err) != ANO_OK)
            code = cli_fail(CLI_ON_MODEL, &err);
    if (code == CLI_DONE && check_same_images(runs, n, &err) != ANO_OK)
        code = cli_fail(CLI_ON_DATA, &err);
    if (code == CLI_DONE && write_page(options.out, runs, n, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    if (code == CLI_DONE)
        printf("%s\n", options.out);
    for (size_t i = 0; i < n && runs != NULL; i++)
        run_clear(&runs[i]);
    base_free(runs);
    cli_options_free(&options);
    return code;
}
