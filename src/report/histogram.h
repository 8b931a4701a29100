/* Scores of groups of images as overlaid histograms. */
#ifndef REPORT_HISTOGRAM_H
#define REPORT_HISTOGRAM_H

#include "report/plot.h"

typedef struct report_histogram_group {
    const char *name; /* for the legend, "normal (1)" */
    const float *scores;
    size_t n;
} report_histogram_group;

enum { REPORT_HISTOGRAM_MAX_GROUPS = 2 };

/* Draws the groups, the first red, the second blue, and a line at `threshold` unless it is NaN.
 * `path` ends in .png or .svg. Uses PLplot's global state: one
 * thread at a time. Errors: ARG, NUMERIC (a score is not finite), UNSUPPORTED (PLplot's cairo
 * driver is not installed), NOMEM, IO. */
ano_status report_histogram(const char *path, const report_histogram_group *groups, int n_groups,
                            double threshold, const char *title, ano_error *err);

/* Draws n_groups, 1 to 200, under each other, each scaled to its own highest bar: the first
 * `n_normal` in one colour, the others, anomalous ones, in another. Errors: as above. */
ano_status report_histogram_rows(report_svg *out, const report_histogram_group *groups,
                                 int n_groups, int n_normal, double threshold, ano_error *err);

#endif
