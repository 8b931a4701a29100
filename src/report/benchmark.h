/* What a benchmark found: each class of a data set in turn normal and all others anomalous, by each
 * method and seed. As a table to read, as CSV and JSON, as a page. */
#ifndef REPORT_BENCHMARK_H
#define REPORT_BENCHMARK_H

#include "base/error.h"
#include "report/html.h"

#include <stdio.h>

/* A method on one class by one seed. */
typedef struct report_benchmark_cell {
    bool done;            /* the figures are there */
    double auroc;         /* of all test images */
    double train_seconds; /* of training, or of fitting a baseline */
    double test_seconds;  /* of scoring the test images */
    double image_seconds; /* the same, for each */
    /* At the threshold that the model is calibrated for, shares of all test images, of the normal
     * and of the anomalous ones; NaN where there is none, as of baselines. */
    double accuracy, false_alarms, detected;
    /* Of a model that remembers, else NaN: the AUROC of what the method says without the memory,
     * and of what of the memory nothing was learned for. */
    double alone, unlearned;
} report_benchmark_cell;

/* What of a score a row is about. */
typedef enum report_part { REPORT_WHOLE, REPORT_ALONE, REPORT_UNLEARNED } report_part;

/* A row of the table. */
typedef struct report_contender {
    const char *name;                   /* "fc", "histogram_nearest" */
    bool baseline;                      /* plain: it learns nothing by gradient */
    size_t n_seeds;                     /* 1 where chance plays no part */
    const report_benchmark_cell *cells; /* [n_classes][n_seeds] */
    report_part part;
    const char *of;      /* of a part: the method whose score it is from, which has the same cells;
                            else NULL */
    const char *trained; /* the method that trains the models; NULL: this one */
} report_contender;

/* Everything is lent. */
typedef struct report_benchmark {
    const char *data;             /* where the images are */
    const char *const *classes;   /* [n_classes] names */
    size_t n_classes;             /* at least 1 */
    const report_contender *rows; /* [n_rows], at least 1 */
    size_t n_rows;
    uint64_t seed;                  /* the first; the others follow it */
    const report_setting *settings; /* [n_settings], for the page */
    size_t n_settings;
} report_benchmark;

/* Figures over seeds; NaN where a cell is missing. */
typedef struct report_spread {
    double mean;
    double deviation; /* the sample's standard deviation; NaN of a single seed */
} report_spread;

/* A row's figures. */
typedef struct report_standing {
    report_spread auroc; /* of the mean over classes */
    double worst;        /* the lowest of the classes' means over seeds … */
    size_t worst_class;  /* … and whose it is */
    /* Over the cells that there are, means … */
    double train_seconds, image_seconds, accuracy, false_alarms, detected;
    size_t n_cells;
    double all_train_seconds, all_test_seconds; /* … and sums */
} report_standing;

/* The AUROC of cell i, NaN where it is missing or has no such part. */
double report_cell_auroc(const report_contender *row, size_t i);
report_spread report_class_spread(const report_contender *row, size_t class_index);
report_standing report_standing_of(const report_benchmark *benchmark, const report_contender *row);

enum { REPORT_SENTENCES = 800 }; /* bytes that the texts below fit into */

/* On how many classes one row's AUROC is above another's. */
size_t report_classes_above(const report_benchmark *benchmark, const report_contender *row,
                            const report_contender *other);

/* Which method has the highest mean AUROC, how far that is from the best baseline, above or below,
 * and on how many classes it is above each of three that all know. */
void report_benchmark_verdict(char *dst, size_t size, const report_benchmark *benchmark);
/* What a method loses without its learned parts; "" where it has no row without them. */
void report_benchmark_learned(char *dst, size_t size, const report_benchmark *benchmark,
                              const report_contender *row);
/* "fc: 10 cells, 312 s of training, 41 s of scoring" */
void report_benchmark_cost(char *dst, size_t size, const report_benchmark *benchmark,
                           const report_contender *row);

/* Two tables on at most 100 columns, a row's means and the AUROC of each class, and the sentences
 * above. */
void report_benchmark_print(FILE *stream, const report_benchmark *benchmark);
/* {"data", "methods": [{"method", "baseline", "part_of", "auroc", "spread", "worst", "worst_class",
 * "train_seconds", "image_seconds", "accuracy", "false_alarms", "detected", "n_cells",
 * "all_train_seconds", "all_test_seconds", "above": {BASELINE: classes}, "classes": {CLASS:
 * {"auroc", "spread"}}}], "cells": [{"class", "method", "seed", "baseline", "part_of", "auroc",
 * "seconds", "train_seconds", "image_seconds", "accuracy", "false_alarms", "detected"}]}; what is
 * not known is null, and a cell that is missing has no cell. The seconds of a part are those of its
 * whole. Errors: NOMEM; the stream's own are left to its owner. */
ano_status report_benchmark_json(FILE *stream, const report_benchmark *benchmark, ano_error *err);
/* Writes into `folder`: benchmark.csv (class,method,seed,baseline,auroc,train_seconds,
 * image_seconds,accuracy,false_alarms,detected,part_of, a line a cell; what is not known is empty),
 * benchmark.json and benchmark.html. Errors: IO, NOMEM. */
ano_status report_benchmark_write(const char *folder, const report_benchmark *benchmark,
                                  ano_error *err);

/* The page alone, src/report/benchmark_page.c. */
ano_status report_benchmark_page(const char *path, const report_benchmark *benchmark,
                                 ano_error *err);

#endif
