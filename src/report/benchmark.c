/* The figures of a benchmark, and all its forms but the page. Rows and cells come in the order of
 * the benchmark, whatever was finished first, so that the same cells give the same bytes. */
#include "report/benchmark.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

enum { DIGITS = 9, NAME_WIDTH = 21, MOST_COLUMNS = 100 };

/* ---- figures ------------------------------------------------------------------------------- */

/* Mean and variance, a value at a time (Welford 1962). */
typedef struct moments {
    double n, mean, squares;
} moments;

static void add_value(moments *m, double value)
{
    const double before = value - m->mean;
    m->n++;
    m->mean += before / m->n;
    m->squares += before * (value - m->mean);
}

static report_spread spread_of(const moments *m)
{
    return (report_spread){m->mean, m->n > 1 ? sqrt(m->squares / (m->n - 1)) : NAN};
}

static double auroc_of(const report_contender *row, size_t class_index, size_t seed)
{
    const report_benchmark_cell *cell = &row->cells[class_index * row->n_seeds + seed];
    return cell->done ? cell->auroc : NAN;
}

report_spread report_class_spread(const report_contender *row, size_t class_index)
{
    moments over_seeds = {0};
    for (size_t s = 0; s < row->n_seeds; s++)
        add_value(&over_seeds, auroc_of(row, class_index, s));
    return spread_of(&over_seeds);
}

report_standing report_standing_of(const report_benchmark *benchmark, const report_contender *row)
{
    report_standing standing = {.worst = INFINITY};
    moments over_seeds = {0}, training = {0}, images = {0};
    for (size_t s = 0; s < row->n_seeds; s++) {
        moments over_classes = {0};
        for (size_t c = 0; c < benchmark->n_classes; c++)
            add_value(&over_classes, auroc_of(row, c, s));
        add_value(&over_seeds, over_classes.mean);
    }
    for (size_t c = 0; c < benchmark->n_classes; c++) {
        const double mean = report_class_spread(row, c).mean;
        if (isnan(mean) || mean < standing.worst) { /* once NaN, it stays so */
            standing.worst = mean;
            standing.worst_class = c;
        }
    }
    for (size_t i = 0; i < benchmark->n_classes * row->n_seeds; i++)
        if (row->cells[i].done) {
            add_value(&training, row->cells[i].train_seconds);
            add_value(&images, row->cells[i].image_seconds);
        }
    standing.auroc = spread_of(&over_seeds);
    standing.train_seconds = training.n > 0 ? training.mean : NAN;
    standing.image_seconds = images.n > 0 ? images.mean : NAN;
    return standing;
}

/* The row with the highest mean among the baselines, or among the others; NULL: none is whole. */
static const report_contender *best_row(double *mean, const report_benchmark *benchmark,
                                        bool baseline)
{
    const report_contender *best = NULL;
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        const double auroc = report_standing_of(benchmark, row).auroc.mean;
        if (row->baseline == baseline && !isnan(auroc) && (best == NULL || auroc > *mean)) {
            best = row;
            *mean = auroc;
        }
    }
    return best;
}

void report_benchmark_verdict(char *dst, size_t size, const report_benchmark *benchmark)
{
    double auroc = 0, plain_auroc = 0;
    const report_contender *best = best_row(&auroc, benchmark, false),
                           *plain = best_row(&plain_auroc, benchmark, true);
    if (best == NULL) {
        snprintf(dst, size, "No method has been tested on all classes.");
        return;
    }
    const int length = snprintf(dst, size, "%s has the highest mean AUROC of the methods, %.4f",
                                best->name, auroc);
    if (length < 0 || (size_t)length >= size)
        return;
    size_t n_better = 0;
    for (size_t c = 0; plain != NULL && c < benchmark->n_classes; c++)
        n_better += report_class_spread(best, c).mean > report_class_spread(plain, c).mean;
    if (plain == NULL)
        snprintf(dst + length, size - (size_t)length, ".");
    else
        snprintf(dst + length, size - (size_t)length,
                 ": %.4f %s the best baseline, %s, and better than it on %zu of %zu classes.",
                 fabs(auroc - plain_auroc), auroc < plain_auroc ? "below" : "above", plain->name,
                 n_better, benchmark->n_classes);
}

/* ---- the tables ---------------------------------------------------------------------------- */

/* A number, or a dash of that width where there is none. */
static void print_number(FILE *stream, int width, int decimals, double value)
{
    if (isnan(value))
        fprintf(stream, "%*s", width, "-");
    else
        fprintf(stream, "%*.*f", width, decimals, value);
}

static void print_standings(FILE *stream, const report_benchmark *benchmark)
{
    fprintf(stream, "%-*s   mean  spread   worst  %-16s %9s %10s\n", NAME_WIDTH, "AUROC", "(class)",
            "train s", "ms/image");
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        const report_standing standing = report_standing_of(benchmark, row);
        char worst[20] = "";
        if (!isnan(standing.worst))
            snprintf(worst, sizeof worst, "(%.14s)", benchmark->classes[standing.worst_class]);
        fprintf(stream, "%-*.*s", NAME_WIDTH, NAME_WIDTH, row->name);
        print_number(stream, 7, 4, standing.auroc.mean);
        print_number(stream, 8, 4, standing.auroc.deviation);
        print_number(stream, 8, 4, standing.worst);
        fprintf(stream, "  %-16s ", worst);
        print_number(stream, 9, 2, standing.train_seconds);
        fputc(' ', stream);
        print_number(stream, 10, 4, 1e3 * standing.image_seconds);
        fputc('\n', stream);
    }
}

/* The columns of the classes from `first` on that fit beside the names; returns the class after
 * the last of them. Where there are several seeds, a second line has the spread over them. */
static size_t print_classes(FILE *stream, const report_benchmark *benchmark, size_t first)
{
    enum { LEAST_WIDTH = 6, MOST_WIDTH = 20 };
    int widths[MOST_COLUMNS / LEAST_WIDTH], used = NAME_WIDTH;
    size_t end = first;
    fprintf(stream, "\n%-*s", NAME_WIDTH, "AUROC by class");
    for (; end < benchmark->n_classes; end++) {
        const size_t length = strlen(benchmark->classes[end]);
        const int width = length < LEAST_WIDTH  ? LEAST_WIDTH
                          : length > MOST_WIDTH ? MOST_WIDTH
                                                : (int)length;
        if (used + 1 + width > MOST_COLUMNS)
            break;
        used += 1 + width;
        widths[end - first] = width;
        fprintf(stream, " %*.*s", width, width, benchmark->classes[end]);
    }
    fputc('\n', stream);
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        fprintf(stream, "%-*.*s", NAME_WIDTH, NAME_WIDTH, row->name);
        for (size_t c = first; c < end; c++)
            print_number(stream, 1 + widths[c - first], 4, report_class_spread(row, c).mean);
        fputc('\n', stream);
        if (row->n_seeds < 2)
            continue;
        fprintf(stream, "%-*s", NAME_WIDTH, "  spread");
        for (size_t c = first; c < end; c++)
            print_number(stream, 1 + widths[c - first], 4, report_class_spread(row, c).deviation);
        fputc('\n', stream);
    }
    return end;
}

void report_benchmark_print(FILE *stream, const report_benchmark *benchmark)
{
    char verdict[400];
    print_standings(stream, benchmark);
    for (size_t c = 0; c < benchmark->n_classes;)
        c = print_classes(stream, benchmark, c);
    report_benchmark_verdict(verdict, sizeof verdict, benchmark);
    fprintf(stream, "\n%s\n", verdict);
}

/* ---- CSV and JSON -------------------------------------------------------------------------- */

static json_t *number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *row_as_json(const report_benchmark *benchmark, const report_contender *row)
{
    const report_standing standing = report_standing_of(benchmark, row);
    json_t *classes = json_object();
    for (size_t c = 0; c < benchmark->n_classes; c++) {
        const report_spread spread = report_class_spread(row, c);
        json_object_set_new(classes, benchmark->classes[c],
                            json_pack("{so so}", "auroc", number_or_null(spread.mean), "spread",
                                      number_or_null(spread.deviation)));
    }
    json_t *worst_class =
        isnan(standing.worst) ? json_null() : json_string(benchmark->classes[standing.worst_class]);
    return json_pack("{ss sb so so so so so so so}", "method", row->name, "baseline",
                     (int)row->baseline, "auroc", number_or_null(standing.auroc.mean), "spread",
                     number_or_null(standing.auroc.deviation), "worst",
                     number_or_null(standing.worst), "worst_class", worst_class, "train_seconds",
                     number_or_null(standing.train_seconds), "image_seconds",
                     number_or_null(standing.image_seconds), "classes", classes);
}

static json_t *cells_as_json(const report_benchmark *benchmark)
{
    json_t *array = json_array();
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        for (size_t i = 0; i < benchmark->n_classes * row->n_seeds; i++) {
            const report_benchmark_cell *cell = &row->cells[i];
            const json_int_t seed = (json_int_t)(benchmark->seed + i % row->n_seeds);
            if (cell->done)
                json_array_append_new(
                    array,
                    json_pack("{ss ss sI sb sf sf sf sf}", "class",
                              benchmark->classes[i / row->n_seeds], "method", row->name, "seed",
                              seed, "baseline", (int)row->baseline, "auroc", cell->auroc, "seconds",
                              cell->train_seconds + cell->test_seconds, "train_seconds",
                              cell->train_seconds, "image_seconds", cell->image_seconds));
        }
    }
    return array;
}

ano_status report_benchmark_json(FILE *stream, const report_benchmark *benchmark, ano_error *err)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < benchmark->n_rows; r++)
        json_array_append_new(rows, row_as_json(benchmark, &benchmark->rows[r]));
    json_t *root = json_pack("{ss so so}", "data", benchmark->data, "methods", rows, "cells",
                             cells_as_json(benchmark));
    char *text = base_json_text(root, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
    if (text != NULL)
        fprintf(stream, "%s\n", text);
    base_free(text);
    json_decref(root);
    return text != NULL ? ANO_OK : base_error_nomem(err, "benchmark");
}

static void write_csv(FILE *stream, const report_benchmark *benchmark)
{
    fputs("class,method,seed,baseline,auroc,train_seconds,image_seconds\n", stream);
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        for (size_t i = 0; i < benchmark->n_classes * row->n_seeds; i++) {
            const report_benchmark_cell *cell = &row->cells[i];
            if (!cell->done)
                continue;
            report_csv_field(stream, benchmark->classes[i / row->n_seeds]);
            fprintf(stream, ",%s,%" PRIu64 ",%d,%.*g,%.*g,%.*g\n", row->name,
                    benchmark->seed + i % row->n_seeds, row->baseline, DIGITS, cell->auroc, DIGITS,
                    cell->train_seconds, DIGITS, cell->image_seconds);
        }
    }
}

/* ---- files --------------------------------------------------------------------------------- */

static ano_status write_file(const char *path, const report_benchmark *benchmark, bool json,
                             ano_error *err)
{
    base_file file;
    ano_status status = base_file_create(&file, path, err);
    if (status != ANO_OK)
        return status;
    if (json)
        status = report_benchmark_json(file.stream, benchmark, err);
    else
        write_csv(file.stream, benchmark);
    if (status == ANO_OK)
        return base_file_commit(&file, err);
    base_file_abandon(&file);
    return status;
}

ano_status report_benchmark_write(const char *folder, const report_benchmark *benchmark,
                                  ano_error *err)
{
    char *csv = base_path_join(folder, "benchmark.csv"),
         *json = base_path_join(folder, "benchmark.json"),
         *page = base_path_join(folder, "benchmark.html");
    ano_status status = csv != NULL && json != NULL && page != NULL
                            ? write_file(csv, benchmark, false, err)
                            : base_error_nomem(err, folder);
    if (status == ANO_OK)
        status = write_file(json, benchmark, true, err);
    if (status == ANO_OK)
        status = report_benchmark_page(page, benchmark, err);
    base_free(csv);
    base_free(json);
    base_free(page);
    return status;
}
