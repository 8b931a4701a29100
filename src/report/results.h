/* The result of an evaluation: as files in a run folder, as JSON, as a table to read. */
#ifndef REPORT_RESULTS_H
#define REPORT_RESULTS_H

#include "base/error.h"

#include <stdio.h>

/* How one detector did on the test images. Each has a threshold of its own, fixed on the same
 * held-out normal images. */
typedef struct report_method {
    ano_metrics metrics;
    double threshold;
    double accuracy_calibrated; /* at that threshold */
} report_method;

typedef struct report_results {
    /* The test images, all arrays [n] and lent. */
    size_t n;
    const size_t *indices;      /* where each is in the file it came from */
    const char *const *classes; /* "1", "9" */
    const int *labels;          /* 0 normal, 1 anomalous */
    const float *scores;        /* by the model */
    report_method anogan, pca, nearest;
    const char *normal, *anomaly; /* the classes that are, "1" and "9" */
    double alpha;                 /* the share of normal images that may lie above a threshold */
    int iterations, restarts;     /* of each search; searches of each image */
    double tolerance;             /* at which searches end */
    ano_search search;
    int components; /* of PCA */
    uint64_t seed;  /* at most 2^53 */
} report_results;

/* Writes into `folder`: scores.csv (index,class,label,score), scores_<class>.txt for each class
 * (a score a line) and metrics.json. Numbers have nine digits, which hold a float exactly.
 * Errors: IO, NOMEM, NUMERIC (a figure is not finite). */
ano_status report_write_results(const char *folder, const report_results *results, ano_error *err);

/* The text of metrics.json on `stream`. Errors: NOMEM, NUMERIC; the stream's own are left to its
 * owner. */
ano_status report_metrics_json(FILE *stream, const report_results *results, ano_error *err);

/* A row for each method, on at most 100 columns. */
void report_table(FILE *stream, const report_results *results);

#endif
