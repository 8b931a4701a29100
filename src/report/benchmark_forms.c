/* A benchmark as tables to read, as CSV and as JSON. Rows and cells come in the order of the
 * benchmark, whatever was finished first, so that the same cells give the same bytes. */
#include "report/benchmark.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 9, NAME_WIDTH = 21, MOST_COLUMNS = 100 };

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
    char text[REPORT_SENTENCES];
    print_standings(stream, benchmark);
    for (size_t c = 0; c < benchmark->n_classes;)
        c = print_classes(stream, benchmark, c);
    report_benchmark_verdict(text, sizeof text, benchmark);
    fprintf(stream, "\n%s\n", text);
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        report_benchmark_learned(text, sizeof text, benchmark, &benchmark->rows[r]);
        if (text[0] != '\0')
            fprintf(stream, "%s\n", text);
    }
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        if (row->baseline || row->part != REPORT_WHOLE)
            continue;
        report_benchmark_cost(text, sizeof text, benchmark, row);
        fprintf(stream, "%s\n", text);
    }
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
    json_t *above = json_object();
    for (size_t r = 0; r < benchmark->n_rows; r++)
        if (benchmark->rows[r].baseline)
            json_object_set_new(above, benchmark->rows[r].name,
                                json_integer((json_int_t)report_classes_above(
                                    benchmark, row, &benchmark->rows[r])));
    json_t *worst_class =
        isnan(standing.worst) ? json_null() : json_string(benchmark->classes[standing.worst_class]);
    json_t *part_of = row->of != NULL ? json_string(row->of) : json_null();
    return json_pack(
        "{ss sb so so so so so so so so so so sI so so so so}", "method", row->name, "baseline",
        (int)row->baseline, "part_of", part_of, "auroc", number_or_null(standing.auroc.mean),
        "spread", number_or_null(standing.auroc.deviation), "worst", number_or_null(standing.worst),
        "worst_class", worst_class, "train_seconds", number_or_null(standing.train_seconds),
        "image_seconds", number_or_null(standing.image_seconds), "accuracy",
        number_or_null(standing.accuracy), "false_alarms", number_or_null(standing.false_alarms),
        "detected", number_or_null(standing.detected), "n_cells", (json_int_t)standing.n_cells,
        "all_train_seconds", number_or_null(standing.all_train_seconds), "all_test_seconds",
        number_or_null(standing.all_test_seconds), "above", above, "classes", classes);
}

static json_t *cell_as_json(const report_benchmark *benchmark, const report_contender *row,
                            size_t i)
{
    const report_benchmark_cell *cell = &row->cells[i];
    const bool whole = row->part == REPORT_WHOLE;
    json_t *part_of = row->of != NULL ? json_string(row->of) : json_null();
    return json_pack("{ss ss sI sb so sf sf sf sf so so so}", "class",
                     benchmark->classes[i / row->n_seeds], "method", row->name, "seed",
                     (json_int_t)(benchmark->seed + i % row->n_seeds), "baseline",
                     (int)row->baseline, "part_of", part_of, "auroc", report_cell_auroc(row, i),
                     "seconds", cell->train_seconds + cell->test_seconds, "train_seconds",
                     cell->train_seconds, "image_seconds", cell->image_seconds, "accuracy",
                     number_or_null(whole ? cell->accuracy : NAN), "false_alarms",
                     number_or_null(whole ? cell->false_alarms : NAN), "detected",
                     number_or_null(whole ? cell->detected : NAN));
}

static json_t *cells_as_json(const report_benchmark *benchmark)
{
    json_t *array = json_array();
    for (size_t r = 0; r < benchmark->n_rows; r++)
        for (size_t i = 0; i < benchmark->n_classes * benchmark->rows[r].n_seeds; i++)
            if (!isnan(report_cell_auroc(&benchmark->rows[r], i)))
                json_array_append_new(array, cell_as_json(benchmark, &benchmark->rows[r], i));
    return array;
}

ano_status report_benchmark_json(FILE *stream, const report_benchmark *benchmark, ano_error *err)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < benchmark->n_rows; r++)
        json_array_append_new(rows, row_as_json(benchmark, &benchmark->rows[r]));
    json_t *root = json_pack("{ss so so}", "data", benchmark->data, "methods", rows, "cells",
                             cells_as_json(benchmark));
    char *text =
        root != NULL ? base_json_text(root, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
    if (text != NULL)
        fprintf(stream, "%s\n", text);
    base_free(text);
    json_decref(root);
    return text != NULL ? ANO_OK : base_error_nomem(err, "benchmark");
}

/* A field after others, empty where there is no number. */
static void write_number(FILE *stream, double value)
{
    if (isnan(value))
        fputc(',', stream);
    else
        fprintf(stream, ",%.*g", DIGITS, value);
}

static void write_csv(FILE *stream, const report_benchmark *benchmark)
{
    fputs("class,method,seed,baseline,auroc,train_seconds,image_seconds,accuracy,false_alarms,"
          "detected,part_of\n",
          stream);
    for (size_t r = 0; r < benchmark->n_rows; r++) {
        const report_contender *row = &benchmark->rows[r];
        const bool whole = row->part == REPORT_WHOLE;
        for (size_t i = 0; i < benchmark->n_classes * row->n_seeds; i++) {
            const report_benchmark_cell *cell = &row->cells[i];
            if (isnan(report_cell_auroc(row, i)))
                continue;
            report_csv_field(stream, benchmark->classes[i / row->n_seeds]);
            fprintf(stream, ",%s,%" PRIu64 ",%d", row->name, benchmark->seed + i % row->n_seeds,
                    row->baseline);
            write_number(stream, report_cell_auroc(row, i));
            write_number(stream, cell->train_seconds);
            write_number(stream, cell->image_seconds);
            write_number(stream, whole ? cell->accuracy : NAN);
            write_number(stream, whole ? cell->false_alarms : NAN);
            write_number(stream, whole ? cell->detected : NAN);
            fprintf(stream, ",%s\n", row->of != NULL ? row->of : "");
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
