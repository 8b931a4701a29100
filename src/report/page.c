#include "report/page.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

static void write_top(FILE *dst, const char *const *verdict, size_t n_verdict)
{
    for (size_t i = 0; i < n_verdict; i++) {
        fputs(i == 0 ? "<p class=\"lead\">" : "<p>", dst);
        report_html_text(dst, verdict[i]);
        fputs("</p>\n", dst);
    }
}

static void write_highlights(FILE *dst, const report_table *metrics)
{
    const size_t most = 4, n = metrics->n_rows < most ? metrics->n_rows : most;
    if (n == 0 || metrics->n_columns == 0)
        return;
    fputs("<ul class=\"high\">\n", dst);
    for (size_t i = 0; i < n; i++) {
        const report_row *row = &metrics->rows[i];
        fputs("<li><span>", dst);
        report_html_text(dst, row->name);
        fputs("</span><b>", dst);
        report_html_text(dst, row->cells[0].value != NULL ? row->cells[0].value : "\xE2\x80\x93");
        fputs("</b>", dst);
        if (row->cells[0].detail != NULL) {
            fputs("<span>", dst);
            report_html_text(dst, row->cells[0].detail);
            fputs("</span>", dst);
        }
        fputs("</li>\n", dst);
    }
    fputs("</ul>\n", dst);
}

/* ---- the threshold ------------------------------------------------------------------------- */

/* What split conformal prediction promises, or why it cannot: the threshold is then the largest of
 * the held-out scores, and (n + 1) alpha is less than 1. */
static void write_promise(FILE *dst, const report_threshold *threshold)
{
    const double percent = 100 * threshold->alpha, rounding = 1e-9;
    const size_t n = threshold->n_held_out;
    fprintf(dst, "<p>An image is called anomalous when its score is above <strong>%.4g</strong>. ",
            threshold->value);
    if (((double)n + 1) * threshold->alpha >= 1 - rounding)
        fprintf(dst,
                "%zu held-out normal images set this threshold, so that a new normal image like "
                "them is above it with a probability of at most %.4g&#8239;%% (split conformal "
                "prediction).</p>\n",
                n, percent);
    else
        fprintf(dst,
                "It is the highest score of %zu held-out normal images. They are too few to "
                "promise that at most %.4g&#8239;%% of new normal images are above it; that takes "
                "%.0f.</p>\n",
                n, percent, ceil(1 / threshold->alpha - rounding) - 1);
}

static void write_count(FILE *dst, const char *class_name, size_t count, size_t of)
{
    fprintf(dst, "<td class=\"%s\">%zu", class_name, count);
    if (of > 0)
        fprintf(dst, " <small>%.3g&#8239;%%</small>", 100.0 * (double)count / (double)of);
    fputs("</td>", dst);
}

static void write_confusion(FILE *dst, const report_confusion *confusion)
{
    const size_t normal = confusion->normal_accepted + confusion->normal_flagged;
    const size_t anomalous = confusion->anomalous_missed + confusion->anomalous_found;
    fputs("<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Test images by the "
          "threshold\">\n<table>\n<caption><span>Test images by the threshold: what they are, and "
          "what "
          "they are called</span></caption>\n<thead>\n<tr><th scope=\"col\">images</th>"
          "<th scope=\"col\">called normal</th><th scope=\"col\">called anomalous</th></tr>\n"
          "</thead>\n<tbody>\n",
          dst);
    fprintf(dst, "<tr><th scope=\"row\">%zu normal</th>", normal);
    write_count(dst, "right", confusion->normal_accepted, normal);
    write_count(dst, "wrong", confusion->normal_flagged, normal);
    fprintf(dst, "</tr>\n<tr><th scope=\"row\">%zu anomalous</th>", anomalous);
    write_count(dst, "wrong", confusion->anomalous_missed, anomalous);
    write_count(dst, "right", confusion->anomalous_found, anomalous);
    fputs("</tr>\n</tbody>\n</table>\n</div>\n", dst);
}

/* ---- examples ------------------------------------------------------------------------------ */

static void write_picture(FILE *dst, const report_png *png, const char *what, const char *path)
{
    char described[512];
    snprintf(described, sizeof described, "%s: %s", what, path);
    if (png->size == 0)
        return;
    fputs("<div>", dst);
    report_html_png(dst, png, described);
    report_html_text(dst, what);
    fputs("</div>\n", dst);
}

static void write_example(FILE *dst, const report_example *example)
{
    fputs("<li><figure>\n<div class=\"pictures\">\n", dst);
    write_picture(dst, &example->image, "image", example->path);
    write_picture(dst, &example->generated, "generated", example->path);
    write_picture(dst, &example->overlay, "anomaly map", example->path);
    fputs("</div>\n<p>", dst);
    report_html_name(dst, example->path);
    if (example->class_name != NULL) {
        fputs(", ", dst);
        report_html_name(dst, example->class_name);
    }
    fprintf(dst, ": score %.4g</p>\n</figure></li>\n", example->score);
}

/* `none` is said where it is known that there are none. */
static void write_examples(FILE *dst, const char *heading, const char *explanation,
                           const char *none, const report_example *examples, size_t n)
{
    if (n == 0 && none == NULL)
        return;
    report_html_section(dst, heading);
    report_html_paragraph(dst, n > 0 ? explanation : none);
    if (n > 0) {
        fputs("<ul class=\"examples\">\n", dst);
        for (size_t i = 0; i < n; i++)
            write_example(dst, &examples[i]);
        fputs("</ul>\n", dst);
    }
    fputs("</section>\n", dst);
}

static void write_errors(FILE *dst, const report_page *page)
{
    const report_confusion *known = page->confusion;
    write_examples(
        dst, "Worst false alarms", "Normal images above the threshold, the highest scores first.",
        known != NULL && known->normal_flagged == 0 ? "No normal image is above the threshold."
                                                    : NULL,
        page->false_alarms, page->n_false_alarms);
    write_examples(dst, "Worst misses",
                   "Anomalous images not above the threshold, the lowest scores first.",
                   known != NULL && known->anomalous_missed == 0
                       ? "Every anomalous image is above the threshold."
                       : NULL,
                   page->misses, page->n_misses);
}

/* ---- the page ------------------------------------------------------------------------------ */

static void write_figures(FILE *dst, const report_figure *figures, size_t n)
{
    if (n == 0)
        return;
    report_html_section(dst, "Plots");
    fputs("<div class=\"figures\">\n", dst);
    for (size_t i = 0; i < n; i++)
        report_html_figure(dst, &figures[i], (int)i);
    fputs("</div>\n</section>\n", dst);
}

static void write_table(FILE *dst, const char *heading, const report_table *table)
{
    if (table->n_rows == 0)
        return;
    report_html_section(dst, heading);
    report_html_table(dst, table);
    fputs("</section>\n", dst);
}

static void write_settings(FILE *dst, const char *heading, const report_setting *settings, size_t n)
{
    if (n == 0)
        return;
    report_html_section(dst, heading);
    report_html_settings(dst, settings, n);
    fputs("</section>\n", dst);
}

static void write_page(FILE *dst, const report_page *page)
{
    report_html_begin(dst, page->title);
    write_top(dst, page->verdict, page->n_verdict);
    write_highlights(dst, &page->metrics);
    write_table(dst, "How well it tells them apart", &page->metrics);
    if (page->threshold != NULL) {
        report_html_section(dst, "At the threshold");
        write_promise(dst, page->threshold);
        if (page->confusion != NULL)
            write_confusion(dst, page->confusion);
        fputs("</section>\n", dst);
    }
    write_table(dst, "By kind of image", &page->classes);
    write_figures(dst, page->figures, page->n_figures);
    write_errors(dst, page);
    write_settings(dst, "Settings", page->settings, page->n_settings);
    report_html_end(dst);
}

ano_status report_page_write(const char *path, const report_page *page, ano_error *err)
{
    base_file file;
    const ano_status status = base_file_create(&file, path, err);
    if (status != ANO_OK)
        return status;
    write_page(file.stream, page);
    return base_file_commit(&file, err);
}

/* ---- several runs -------------------------------------------------------------------------- */

static bool same_in_all(const report_runs *runs, size_t setting)
{
    for (size_t r = 1; r < runs->n_runs; r++) {
        const char *first = runs->runs[0].settings[setting];
        const char *other = runs->runs[r].settings[setting];
        if ((first == NULL) != (other == NULL) || (first != NULL && strcmp(first, other) != 0))
            return false;
    }
    return true;
}

/* The table of the runs, and the settings that it leaves out because they are the same in all. */
typedef struct comparison {
    const char **columns;
    report_cell *cells; /* [run][column] */
    report_row *rows;
    report_setting *common;
    size_t n_columns, n_common;
} comparison;

static void comparison_free(comparison *made)
{
    base_free(made->columns);
    base_free(made->cells);
    base_free(made->rows);
    base_free(made->common);
}

static ano_status comparison_create(comparison *out, const report_runs *runs, ano_error *err)
{
    const size_t most = runs->n_metrics + runs->n_settings;
    *out = (comparison){.columns = base_alloc(most, sizeof *out->columns),
                        .rows = base_alloc(runs->n_runs, sizeof *out->rows),
                        .common = base_alloc(runs->n_settings, sizeof *out->common)};
    if (out->columns == NULL || out->rows == NULL || out->common == NULL)
        return base_error_nomem(err, "the comparison");
    for (size_t m = 0; m < runs->n_metrics; m++)
        out->columns[out->n_columns++] = runs->metrics[m];
    for (size_t s = 0; s < runs->n_settings; s++) {
        if (!same_in_all(runs, s))
            out->columns[out->n_columns++] = runs->settings[s];
        else if (runs->runs[0].settings[s] != NULL)
            out->common[out->n_common++] =
                (report_setting){runs->settings[s], runs->runs[0].settings[s]};
    }
    out->cells = base_alloc(runs->n_runs * out->n_columns, sizeof *out->cells);
    if (out->cells == NULL)
        return base_error_nomem(err, "the comparison");
    for (size_t r = 0; r < runs->n_runs; r++) {
        const report_run *run = &runs->runs[r];
        report_cell *cell = out->cells + r * out->n_columns;
        out->rows[r] = (report_row){run->name, NULL, cell};
        for (size_t m = 0; m < runs->n_metrics; m++)
            *cell++ = run->metrics[m];
        for (size_t s = 0; s < runs->n_settings; s++)
            if (!same_in_all(runs, s))
                *cell++ = (report_cell){.value = run->settings[s]};
    }
    return ANO_OK;
}

ano_status report_comparison_page(const char *path, const report_runs *runs, ano_error *err)
{
    if (runs->n_runs == 0)
        return base_error(err, ANO_ARG, "%s: there are no runs to compare", path);
    comparison made;
    base_file file;
    ano_status status = comparison_create(&made, runs, err);
    if (status == ANO_OK)
        status = base_file_create(&file, path, err);
    if (status == ANO_OK) {
        const report_table table = {.caption = "The runs, and the settings in which they differ",
                                    .names = "run",
                                    .columns = made.columns,
                                    .n_columns = made.n_columns,
                                    .rows = made.rows,
                                    .n_rows = runs->n_runs};
        report_html_begin(file.stream, runs->title);
        write_top(file.stream, runs->verdict, runs->n_verdict);
        write_table(file.stream, "Runs", &table);
        write_figures(file.stream, runs->figures, runs->n_figures);
        write_settings(file.stream, "Settings of all runs", made.common, made.n_common);
        report_html_end(file.stream);
        status = base_file_commit(&file, err);
    }
    comparison_free(&made);
    return status;
}
