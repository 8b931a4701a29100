/* The result of an evaluation: as files in a run folder, as JSON, as a table to read. */
#ifndef REPORT_RESULTS_H
#define REPORT_RESULTS_H

#include "base/error.h"

#include <stdio.h>

/* How one detector did on the test images. Each has a threshold of its own, fixed on the same
 * held-out normal images. */
typedef struct report_method {
    const char *name;    /* for people: "PCA, 30 components" */
    const char *key;     /* in metrics.json: "pca" */
    const float *scores; /* [n] */
    ano_metrics metrics;
    double threshold;
    ano_confusion at_threshold;
} report_method;

/* How the first method did on the images of one class. */
typedef struct report_class {
    const char *name;
    int label;
    size_t n, n_flagged;                 /* images, and those above the threshold */
    double auroc, auroc_low, auroc_high; /* of an anomalous class against all normal images */
} report_class;

enum { REPORT_MAX_METHODS = 4 };

typedef struct report_results {
    /* The test images, all arrays [n] and lent. */
    size_t n;
    const char *const *paths;   /* the file that each is in … */
    const size_t *indices;      /* … and where it is there */
    const char *const *classes; /* "1", "9" */
    const int *labels;          /* 0 normal, 1 anomalous */
    int n_methods;              /* the first is the model, the others plain baselines */
    report_method methods[REPORT_MAX_METHODS];
    size_t n_kinds;
    const report_class *kinds;      /* [n_kinds], normal ones first; lent */
    const ano_pixel_result *pixels; /* of the maps; NULL where there are no masks */
    ano_map map;                    /* whose they are */
    size_t n_skipped;               /* test images that could not be read */
    const char *normal, *anomaly;   /* the classes that are, "1" and "9" */
    ano_method method;              /* that scored */
    double alpha;                   /* the share of normal images that may lie above a threshold */
    int iterations, restarts;       /* of each search; searches of each image */
    double tolerance;               /* at which searches end */
    ano_search search;
    uint64_t seed; /* at most 2^53 */
} report_results;

/* What the scores of a method are, for a plot: "Residual of the latent search". `evidence` is of a
 * variational autoencoder; `remembers`: distances from remembered images are part of them. */
const char *report_score_title(ano_method method, ano_evidence evidence, bool remembers);

/* Writes into `folder`: scores.csv (index,class,label,score,path), scores_<class>.txt for each
 * class (a score a line) and metrics.json. Numbers have nine digits, which hold a float exactly.
 * Errors: IO, NOMEM, NUMERIC (a figure is not finite). */
ano_status report_write_results(const char *folder, const report_results *results, ano_error *err);

/* The text of metrics.json on `stream`. Errors: NOMEM, NUMERIC; the stream's own are left to its
 * owner. */
ano_status report_metrics_json(FILE *stream, const report_results *results, ano_error *err);

/* A row for each method and for each kind of anomaly, on at most 100 columns. */
void report_print_table(FILE *stream, const report_results *results);

#endif
