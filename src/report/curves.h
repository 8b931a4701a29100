/* Curves as SVG: ROC, precision over recall, losses over epochs. */
#ifndef REPORT_CURVES_H
#define REPORT_CURVES_H

#include "report/plot.h"

typedef struct report_curve {
    const char *name;    /* for the legend; of unknown origin */
    const double *x, *y; /* [n], drawn in this order */
    size_t n;            /* at least 1 */
} report_curve;

/* What the curves are drawn in. */
typedef struct report_plane {
    const char *x_name, *y_name;
    bool shares;               /* both axes go from 0 to 1, the plot is square; otherwise the axes
                                  hold the data, and 0 on y */
    double chance_0, chance_1; /* a dashed line from (0, chance_0) to (1, chance_1), what guessing
                                  reaches; NaN: none */
    bool legend_right; /* where axes are shares, the legend is right at the foot, not left */
} report_plane;

/* False over true positive rate; guessing is the diagonal. */
report_plane report_plane_roc(void);
/* Recall over precision; guessing reaches the share of anomalous images, `anomalous`. */
report_plane report_plane_precision_recall(double anomalous);
/* Epochs over losses. */
report_plane report_plane_losses(void);

enum { REPORT_MAX_CURVES = REPORT_PLOT_SERIES };

/* Draws n_curves, 1 to REPORT_MAX_CURVES, each with a colour and dashes of its own, the first on
 * top. Errors: ARG, NUMERIC (a point is not finite), UNSUPPORTED (PLplot's cairo driver is not
 * installed), NOMEM. */
ano_status report_curves(report_svg *out, const report_plane *plane, const report_curve *curves,
                         int n_curves, ano_error *err);

#endif
