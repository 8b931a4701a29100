/* A run's results as one page: an HTML file that stands alone, for any screen, light or dark, and
 * for paper. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/html.h"

/* How the test images fell by the threshold: scores above it are called anomalous. */
typedef struct report_confusion {
    size_t normal_accepted, normal_flagged;
    size_t anomalous_missed, anomalous_found;
} report_confusion;

/* Where the threshold comes from. */
typedef struct report_threshold {
    double alpha; /* the share of normal images that may lie above it */
    double value;
    size_t n_held_out; /* normal images that it was set by */
} report_threshold;

/* An image that the threshold gets wrong. Pictures without bytes are left out. */
typedef struct report_example {
    const char *path;
    const char *class_name; /* "good", "broken_large"; NULL: none */
    double score;
    report_png image, generated, overlay;
} report_example;

/* Everything is lent. Texts may hold anything. */
typedef struct report_page {
    const char *title;          /* "bottle" */
    const char *const *verdict; /* [n_verdict] sentences; the first stands out */
    size_t n_verdict;
    /* Rows are metrics, columns methods, the first of them ours. The first four rows also stand at
     * the top, large. */
    report_table metrics;
    const report_threshold *threshold; /* NULL: not calibrated; then no confusion either */
    const report_confusion *confusion; /* NULL: none */
    report_table classes;              /* a row for each kind of defect; without rows: left out */
    const report_figure *figures;      /* [n_figures] */
    size_t n_figures;
    const report_example *false_alarms; /* [n_false_alarms] normal images, the worst first */
    size_t n_false_alarms;
    const report_example *misses; /* [n_misses] anomalous images, the worst first */
    size_t n_misses;
    const report_setting *settings; /* [n_settings] */
    size_t n_settings;
} report_page;

/* Errors: IO. */
ano_status report_page_write(const char *path, const report_page *page, ano_error *err);

/* ---- several runs -------------------------------------------------------------------------- */

typedef struct report_run {
    const char *name;
    const report_cell *metrics;  /* [n_metrics] */
    const char *const *settings; /* [n_settings]; NULL: has none such */
} report_run;

/* Runs on the same data, beside each other. */
typedef struct report_runs {
    const char *title;
    const char *const *verdict; /* [n_verdict] */
    size_t n_verdict;
    const char *const *metrics; /* [n_metrics] names */
    size_t n_metrics;
    const char *const *settings; /* [n_settings] names */
    size_t n_settings;
    const report_run *runs; /* [n_runs] */
    size_t n_runs;
    const report_figure *figures; /* [n_figures] */
    size_t n_figures;
} report_runs;

/* A table of a row for each run, with the settings that are not the same in all. Errors: ARG (no
 * runs), IO, NOMEM. */
ano_status report_comparison_page(const char *path, const report_runs *runs, ano_error *err);

#endif
