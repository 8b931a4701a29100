/* A dot plot as SVG (W. Cleveland, "Graphical Methods for Data Presentation", 1984): a row for each
 * method, a dot for each class, and a bar at the mean. */
#ifndef REPORT_DOTS_H
#define REPORT_DOTS_H

#include "report/plot.h"

#include <stdbool.h>

typedef struct report_dots_row {
    const char *name;     /* of unknown origin */
    const double *values; /* [n_values], at most 1; NaN: none */
    double mean;          /* NaN: none */
    bool stands_out;
} report_dots_row;

/* `names` [n_values] say what each dot is, for who points at it. The axis goes from a round number
 * below all values to 1. Errors: NOMEM. */
ano_status report_dots(report_svg *out, const report_dots_row *rows, size_t n_rows,
                       const char *const *names, size_t n_values, ano_error *err);

#endif
