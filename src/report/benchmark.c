/* The figures of a benchmark, and the sentences that say what they come to. */
#include "report/benchmark.h"

#include <math.h>
#include <string.h>

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

static double mean_of(const moments *m)
{
    return m->n > 0 ? m->mean : NAN;
}

double report_cell_auroc(const report_contender *row, size_t i)
{
    const report_benchmark_cell *cell = &row->cells[i];
    return !cell->done                     ? NAN
           : row->part == REPORT_ALONE     ? cell->alone
           : row->part == REPORT_UNLEARNED ? cell->unlearned
                                           : cell->auroc;
}

static double auroc_of(const report_contender *row, size_t class_index, size_t seed)
{
    return report_cell_auroc(row, class_index * row->n_seeds + seed);
}

report_spread report_class_spread(const report_contender *row, size_t class_index)
{
    moments over_seeds = {0};
    for (size_t s = 0; s < row->n_seeds; s++)
        add_value(&over_seeds, auroc_of(row, class_index, s));
    return spread_of(&over_seeds);
}

/* Means and sums over the cells that there are. A part has neither costs nor a threshold of its
 * own: it comes of the whole's pass. */
static void add_means(report_standing *standing, const report_contender *row, size_t n)
{
    moments training = {0}, images = {0}, accuracy = {0}, false_alarms = {0}, detected = {0};
    for (size_t i = 0; i < n; i++) {
        const report_benchmark_cell *cell = &row->cells[i];
        standing->n_cells += isnan(report_cell_auroc(row, i)) ? 0 : 1;
        if (!cell->done || row->part != REPORT_WHOLE)
            continue;
        add_value(&training, cell->train_seconds);
        add_value(&images, cell->image_seconds);
        standing->all_train_seconds += cell->train_seconds;
        standing->all_test_seconds += cell->test_seconds;
        if (isnan(cell->accuracy))
            continue;
        add_value(&accuracy, cell->accuracy);
        add_value(&false_alarms, cell->false_alarms);
        add_value(&detected, cell->detected);
    }
    if (row->part != REPORT_WHOLE)
        standing->all_train_seconds = standing->all_test_seconds = NAN;
    standing->train_seconds = mean_of(&training);
    standing->image_seconds = mean_of(&images);
    standing->accuracy = mean_of(&accuracy);
    standing->false_alarms = mean_of(&false_alarms);
    standing->detected = mean_of(&detected);
}

report_standing report_standing_of(const report_benchmark *benchmark, const report_contender *row)
{
    report_standing standing = {.worst = INFINITY};
    moments over_seeds = {0};
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
    add_means(&standing, row, benchmark->n_classes * row->n_seeds);
    standing.auroc = spread_of(&over_seeds);
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
        if (row->part == REPORT_WHOLE && row->baseline == baseline && !isnan(auroc) &&
            (best == NULL || auroc > *mean)) {
            best = row;
            *mean = auroc;
        }
    }
    return best;
}

/* ---- sentences ----------------------------------------------------------------------------- */

size_t report_classes_above(const report_benchmark *benchmark, const report_contender *row,
                            const report_contender *other)
{
    size_t n = 0;
    for (size_t c = 0; c < benchmark->n_classes; c++)
        n += report_class_spread(row, c).mean > report_class_spread(other, c).mean;
    return n;
}

/* " It is above pca on 10, nearest on 10 and histogram_nearest on 8 of 10 classes." */
static void say_above(FILE *stream, const report_benchmark *benchmark, const report_contender *best)
{
    static const char *const known[] = {"pca", "nearest", "histogram_nearest"};
    enum { N_KNOWN = sizeof known / sizeof *known };
    const report_contender *found[N_KNOWN];
    size_t n = 0;
    for (size_t r = 0; r < benchmark->n_rows; r++)
        for (size_t k = 0; k < N_KNOWN; k++)
            if (benchmark->rows[r].baseline && strcmp(benchmark->rows[r].name, known[k]) == 0 &&
                n < N_KNOWN)
                found[n++] = &benchmark->rows[r];
    for (size_t i = 0; i < n; i++)
        fprintf(stream, "%s%s on %zu",
                i == 0      ? " It is above "
                : i + 1 < n ? ", "
                            : " and ",
                found[i]->name, report_classes_above(benchmark, best, found[i]));
    if (n > 0)
        fprintf(stream, " of %zu classes.", benchmark->n_classes);
}

static void say_verdict(FILE *stream, const report_benchmark *benchmark)
{
    double auroc = 0, plain_auroc = 0;
    const report_contender *best = best_row(&auroc, benchmark, false),
                           *plain = best_row(&plain_auroc, benchmark, true);
    if (best == NULL) {
        fputs("No method has been tested on all classes.", stream);
        return;
    }
    fprintf(stream, "%s has the highest mean AUROC of the methods, %.4f", best->name, auroc);
    if (plain == NULL) {
        fputc('.', stream);
        return;
    }
    fprintf(stream, ": %.4f %s the best baseline, %s, and better than it on %zu of %zu classes.",
            fabs(auroc - plain_auroc), auroc < plain_auroc ? "below" : "above", plain->name,
            report_classes_above(benchmark, best, plain), benchmark->n_classes);
    say_above(stream, benchmark, best);
}

void report_benchmark_verdict(char *dst, size_t size, const report_benchmark *benchmark)
{
    FILE *stream = fmemopen(dst, size, "w");
    dst[0] = '\0';
    if (stream == NULL)
        return;
    say_verdict(stream, benchmark);
    fclose(stream);
}

void report_benchmark_learned(char *dst, size_t size, const report_benchmark *benchmark,
                              const report_contender *row)
{
    dst[0] = '\0';
    for (size_t r = 0; r < benchmark->n_rows && row->part == REPORT_WHOLE; r++) {
        const report_contender *other = &benchmark->rows[r];
        if (other->part != REPORT_UNLEARNED || strcmp(other->of, row->name) != 0)
            continue;
        const double loss = report_standing_of(benchmark, row).auroc.mean -
                            report_standing_of(benchmark, other).auroc.mean;
        if (!isnan(loss))
            snprintf(dst, size, "Without its learned parts %s %s %.4f in the mean.", row->name,
                     loss < 0 ? "gains" : "loses", fabs(loss));
    }
}

void report_benchmark_cost(char *dst, size_t size, const report_benchmark *benchmark,
                           const report_contender *row)
{
    const report_standing standing = report_standing_of(benchmark, row);
    char whose[60] = "";
    if (row->trained != NULL)
        snprintf(whose, sizeof whose, " (%s's)", row->trained);
    snprintf(dst, size, "%s: %zu %s, %.0f s of training%s, %.0f s of scoring", row->name,
             standing.n_cells, standing.n_cells == 1 ? "cell" : "cells", standing.all_train_seconds,
             whose, standing.all_test_seconds);
}
