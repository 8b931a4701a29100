/* A benchmark as a page: the methods beside each other, the AUROC of every class, and a plot of how
 * far the classes lie apart. */
#include "report/benchmark.h"

#include "base/file.h"
#include "base/memory.h"
#include "report/dots.h"

#include <math.h>
#include <string.h>

enum { TEXT = 64, N_COLUMNS = 5 };

/* What the tables' cells lend. */
typedef struct tables {
    report_row *standings, *classes;            /* [n_rows] */
    report_cell *standing_cells;                /* [n_rows][N_COLUMNS] */
    report_cell *class_cells;                   /* [n_rows][n_classes] */
    char (*standing_texts)[N_COLUMNS][2][TEXT]; /* [n_rows], values and details */
    char (*class_texts)[2][TEXT];               /* [n_rows][n_classes] */
    double *means;                              /* [n_rows][n_classes] */
    report_dots_row *dots;                      /* [n_rows] */
} tables;

static void tables_free(tables *made)
{
    base_free(made->standings);
    base_free(made->classes);
    base_free(made->standing_cells);
    base_free(made->class_cells);
    base_free(made->standing_texts);
    base_free(made->class_texts);
    base_free(made->means);
    base_free(made->dots);
}

static ano_status tables_create(tables *out, size_t n_rows, size_t n_classes, ano_error *err)
{
    const size_t n = n_rows * n_classes;
    *out = (tables){.standings = base_alloc(n_rows, sizeof *out->standings),
                    .classes = base_alloc(n_rows, sizeof *out->classes),
                    .standing_cells = base_alloc(n_rows * N_COLUMNS, sizeof *out->standing_cells),
                    .class_cells = base_alloc(n, sizeof *out->class_cells),
                    .standing_texts = base_alloc(n_rows, sizeof *out->standing_texts),
                    .class_texts = base_alloc(n, sizeof *out->class_texts),
                    .means = base_alloc(n, sizeof *out->means),
                    .dots = base_alloc(n_rows, sizeof *out->dots)};
    const bool whole = out->standings != NULL && out->classes != NULL &&
                       out->standing_cells != NULL && out->class_cells != NULL &&
                       out->standing_texts != NULL && out->class_texts != NULL &&
                       out->means != NULL && out->dots != NULL;
    return whole ? ANO_OK : base_error_nomem(err, "tables");
}

/* A cell of "0.9871" and "± 0.0012", each where there is such a number. */
static report_cell number_cell(char texts[2][TEXT], const char *format, double value,
                               double deviation)
{
    report_cell cell = {0};
    if (!isnan(value)) {
        snprintf(texts[0], TEXT, format, value);
        cell.value = texts[0];
    }
    if (!isnan(deviation)) {
        snprintf(texts[1], TEXT, "\xC2\xB1 %.4f", deviation);
        cell.detail = texts[1];
    }
    return cell;
}

static void fill_row(tables *made, const report_benchmark *benchmark, size_t r)
{
    const report_contender *row = &benchmark->rows[r];
    const size_t n_classes = benchmark->n_classes;
    const report_standing standing = report_standing_of(benchmark, row);
    report_cell *cells = made->standing_cells + r * N_COLUMNS;
    char(*texts)[2][TEXT] = made->standing_texts[r];
    const char *kind = row->baseline                   ? "plain baseline"
                       : row->part == REPORT_ALONE     ? "without what it remembers"
                       : row->part == REPORT_UNLEARNED ? "without what it learned"
                                                       : NULL;
    cells[0] = number_cell(texts[0], "%.4f", standing.auroc.mean, standing.auroc.deviation);
    cells[1] = number_cell(texts[1], "%.4f", standing.worst, NAN);
    if (!isnan(standing.worst))
        cells[1].detail = benchmark->classes[standing.worst_class];
    cells[2] = number_cell(texts[2], "%.4f", standing.accuracy, NAN);
    if (!isnan(standing.accuracy)) {
        snprintf(texts[2][1], TEXT, "%.1f %% false, %.1f %% found", 100 * standing.false_alarms,
                 100 * standing.detected);
        cells[2].detail = texts[2][1];
    }
    cells[3] = number_cell(texts[3], "%.2f", standing.train_seconds, NAN);
    cells[4] = number_cell(texts[4], "%.4f", 1e3 * standing.image_seconds, NAN);
    made->standings[r] = (report_row){row->name, kind, cells};
    for (size_t c = 0; c < n_classes; c++) {
        const report_spread spread = report_class_spread(row, c);
        const size_t at = r * n_classes + c;
        made->class_cells[at] =
            number_cell(made->class_texts[at], "%.4f", spread.mean, spread.deviation);
        made->means[at] = spread.mean;
    }
    made->classes[r] = (report_row){row->name, kind, made->class_cells + r * n_classes};
    made->dots[r] = (report_dots_row){row->name, made->means + r * n_classes, standing.auroc.mean,
                                      !row->baseline};
}

/* The highest mean of all rows, and of each class, stands out. */
static void mark_best(tables *made, const report_benchmark *benchmark)
{
    const size_t n_rows = benchmark->n_rows, n_classes = benchmark->n_classes;
    double best_mean = -INFINITY;
    for (size_t r = 0; r < n_rows; r++)
        best_mean = fmax(best_mean, made->dots[r].mean);
    for (size_t r = 0; r < n_rows; r++)
        made->standing_cells[r * N_COLUMNS].best = made->dots[r].mean >= best_mean;
    for (size_t c = 0; c < n_classes; c++) {
        double best = -INFINITY;
        for (size_t r = 0; r < n_rows; r++)
            best = fmax(best, made->means[r * n_classes + c]);
        for (size_t r = 0; r < n_rows; r++)
            made->class_cells[r * n_classes + c].best = made->means[r * n_classes + c] >= best;
    }
}

static void write_page(FILE *dst, const report_benchmark *benchmark, const tables *made,
                       const report_figure *dots)
{
    static const char *const columns[N_COLUMNS] = {"mean AUROC", "worst class",
                                                   "accuracy at the threshold", "seconds to train",
                                                   "ms to score an image"};
    char title[300], text[REPORT_SENTENCES], caption[200];
    const char *name = strrchr(benchmark->data, '/');
    snprintf(title, sizeof title, "Benchmark on %.200s",
             name != NULL && name[1] != '\0' ? name + 1 : benchmark->data);
    report_benchmark_verdict(text, sizeof text, benchmark);
    report_html_begin(dst, title);
    fputs("<p class=\"lead\">", dst);
    report_html_text(dst, text);
    fputs("</p>\n", dst);
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        report_benchmark_learned(text, sizeof text, benchmark, &benchmark->rows[r]);
        if (text[0] != '\0')
            report_html_paragraph(dst, text);
    }
    report_html_paragraph(dst, "Each class in turn is normal: detectors learn from its training "
                               "images alone and are tested on the test images of all classes. "
                               "AUROC is how often an anomalous image scores above a normal one.");
    report_html_section(dst, "Methods");
    report_html_table(dst, &(report_table){"Means over the classes, with the standard deviation "
                                           "over seeds where there are several",
                                           "method", columns, N_COLUMNS, made->standings,
                                           benchmark->n_rows});
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        if (row->baseline || row->part != REPORT_WHOLE)
            continue;
        report_benchmark_cost(text, sizeof text, benchmark, row);
        report_html_paragraph(dst, text);
    }
    fputs("</section>\n", dst);
    report_html_section(dst, "Classes");
    snprintf(caption, sizeof caption, "AUROC where this class is normal and all others are not");
    report_html_table(dst, &(report_table){caption, "method", benchmark->classes,
                                           benchmark->n_classes, made->classes, benchmark->n_rows});
    report_html_figure(dst, dots, 1);
    fputs("</section>\n", dst);
    report_html_section(dst, "Settings");
    report_html_settings(dst, benchmark->settings, benchmark->n_settings);
    fputs("</section>\n", dst);
    report_html_end(dst);
}

ano_status report_benchmark_page(const char *path, const report_benchmark *benchmark,
                                 ano_error *err)
{
    tables made;
    base_file file;
    report_figure dots = {.title = "AUROC of each class",
                          .described =
                              "A dot for each class that is normal in turn, a bar at their "
                              "mean, which is the number; methods are blue."};
    ano_status status = tables_create(&made, benchmark->n_rows, benchmark->n_classes, err);
    if (status == ANO_OK) {
        for (size_t r = 0; r < benchmark->n_rows; r++)
            fill_row(&made, benchmark, r);
        mark_best(&made, benchmark);
        status = report_dots(&dots.svg, made.dots, benchmark->n_rows, benchmark->classes,
                             benchmark->n_classes, err);
    }
    if (status == ANO_OK)
        status = base_file_create(&file, path, err);
    if (status == ANO_OK) {
        write_page(file.stream, benchmark, &made, &dots);
        status = base_file_commit(&file, err);
    }
    report_svg_free(&dots.svg);
    tables_free(&made);
    return status;
}
