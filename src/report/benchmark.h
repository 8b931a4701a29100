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
} report_benchmark_cell;

/* A row of the table. */
typedef struct report_contender {
    const char *name;                   /* "fc", "histogram_nearest" */
    bool baseline;                      /* plain: it learns nothing by gradient */
    size_t n_seeds;                     /* 1 where chance plays no part */
    const report_benchmark_cell *cells; /* [n_classes][n_seeds] */
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
    report_spread auroc;                 /* of the mean over classes */
    double worst;                        /* the lowest of the classes' means over seeds … */
    size_t worst_class;                  /* … and whose it is */
    double train_seconds, image_seconds; /* mean over the cells */
} report_standing;

report_spread report_class_spread(const report_contender *row, size_t class_index);
report_standing report_standing_of(const report_benchmark *benchmark, const report_contender *row);

/* One sentence: which method has the highest mean AUROC, and how far that is from the best
 * baseline, above or below. */
void report_benchmark_verdict(char *dst, size_t size, const report_benchmark *benchmark);

/* Two tables on at most 100 columns: a row's means, and the AUROC of each class. */
void report_benchmark_print(FILE *stream, const report_benchmark *benchmark);
/* {"data", "methods": [{"method", "baseline", "auroc", "spread", "worst", "worst_class",
 * "train_seconds", "image_seconds", "classes": {CLASS: {"auroc", "spread"}}}], "cells": [{"class",
 * "method", "seed", "baseline", "auroc", "seconds", "train_seconds", "image_seconds"}]}; what is
 * not known is null, and a cell that is missing has no cell. Errors: NOMEM; the stream's own are
 * left to its owner. */
ano_status report_benchmark_json(FILE *stream, const report_benchmark *benchmark, ano_error *err);
/* Writes into `folder`: benchmark.csv (class,method,seed,baseline,auroc,train_seconds,
 * image_seconds, a line a cell), benchmark.json and benchmark.html. Errors: IO, NOMEM. */
ano_status report_benchmark_write(const char *folder, const report_benchmark *benchmark,
                                  ano_error *err);

/* The page alone, src/report/benchmark_page.c. */
ano_status report_benchmark_page(const char *path, const report_benchmark *benchmark,
                                 ano_error *err);

#endif
