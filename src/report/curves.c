#include "report/curves.h"

#include "base/memory.h"

#include <math.h>
#include <plplot/plplot.h>
#include <stdio.h>

/* The picture and the plot in it, in the picture's points. */
enum { WIDTH = 560, HEIGHT = 560, FLAT_HEIGHT = 380 };
enum { LEFT = 78, RIGHT = 12, TOP = 12, FLAT_TOP = 40, FOOT = 54 };

/* What the plot's edges stand for. */
typedef struct frame {
    double left, right, low, high;
    int height, top; /* of the picture; of it above the plot */
} frame;

report_plane report_plane_roc(void)
{
    return (report_plane){.x_name = "false positive rate",
                          .y_name = "true positive rate",
                          .shares = true,
                          .chance_0 = 0,
                          .chance_1 = 1,
                          .legend_right = true};
}

report_plane report_plane_precision_recall(double anomalous)
{
    return (report_plane){.x_name = "recall",
                          .y_name = "precision",
                          .shares = true,
                          .chance_0 = anomalous,
                          .chance_1 = anomalous};
}

report_plane report_plane_losses(void)
{
    return (report_plane){.x_name = "epoch", .y_name = "loss", .chance_0 = NAN, .chance_1 = NAN};
}

static ano_status find_frame(frame *out, const report_plane *plane, const report_curve *curves,
                             int n_curves, ano_error *err)
{
    *out = (frame){INFINITY, -INFINITY, 0, -INFINITY, HEIGHT, TOP};
    if (!plane->shares) {
        out->height = FLAT_HEIGHT;
        out->top = FLAT_TOP;
    }
    for (int c = 0; c < n_curves; c++) {
        if (curves[c].n == 0)
            return base_error(err, ANO_ARG, "curve %s has no points", curves[c].name);
        for (size_t i = 0; i < curves[c].n; i++) {
            const double x = curves[c].x[i], y = curves[c].y[i];
            if (!isfinite(x) || !isfinite(y))
                return base_error(err, ANO_NUMERIC, "point %zu of curve %s is (%f, %f)", i,
                                  curves[c].name, x, y);
            out->left = fmin(out->left, x);
            out->right = fmax(out->right, x);
            out->low = fmin(out->low, y);
            out->high = fmax(out->high, y);
        }
    }
    /* Room for lines along the edges, and for what is a single point. */
    const double share = 0.02, room_above = 1.06;
    if (plane->shares) {
        out->left = out->low = -share;
        out->right = out->high = 1 + share;
        return ANO_OK;
    }
    const double room = out->right > out->left ? share * (out->right - out->left) : 0.5;
    out->left -= room;
    out->right += room;
    out->high =
        out->high > out->low ? out->low + room_above * (out->high - out->low) : out->low + 1;
    return ANO_OK;
}

static void draw_axes(const report_plane *plane, const frame *edges)
{
    const double x_step = report_plot_step((edges->right - edges->left) / (plane->shares ? 6 : 10));
    const double y_step = report_plot_step((edges->high - edges->low) / (plane->shares ? 6 : 7));
    plcol0(REPORT_PLOT_GRID);
    plwidth(1);
    plbox("g", x_step, 1, "g", y_step, 1);
    plcol0(REPORT_PLOT_INK);
    plbox("bnst", x_step, 1, "bnstv", y_step, 1);
    plmtex("b", 3.1, 0.5, 0.5, plane->x_name);
    plmtex("l", 3.6, 0.5, 0.5, plane->y_name);
    if (isfinite(plane->chance_0)) {
        pllsty(2);
        pljoin(0, plane->chance_0, 1, plane->chance_1);
        pllsty(1);
    }
}

/* Leaves out points less than half a picture's point from the one before, of which a ROC curve of
 * many images has thousands. */
static ano_status draw_curve(const report_curve *curve, const frame *edges, ano_error *err)
{
    const double least = 0.5;
    const double x_scale = (WIDTH - LEFT - RIGHT) / (edges->right - edges->left);
    const double y_scale = (edges->height - edges->top - FOOT) / (edges->high - edges->low);
    double *x = base_alloc(curve->n, sizeof *x), *y = base_alloc(curve->n, sizeof *y);
    size_t n = 0;
    if (x == NULL || y == NULL) {
        base_free(x);
        base_free(y);
        return base_error_nomem(err, "a curve");
    }
    for (size_t i = 0; i < curve->n; i++) {
        if (n > 0 && i + 1 < curve->n &&
            hypot((curve->x[i] - x[n - 1]) * x_scale, (curve->y[i] - y[n - 1]) * y_scale) < least)
            continue;
        x[n] = curve->x[i];
        y[n++] = curve->y[i];
    }
    plwidth(2.5);
    plline((int)n, x, y);
    if (n == 1) {
        plwidth(7);
        pljoin(*x, *y, *x, *y); /* a dot: lines have round ends */
    }
    base_free(x);
    base_free(y);
    return ANO_OK;
}

/* For each curve a piece of it and its name: in the corner that the curves of shares leave free,
 * otherwise beside each other above the plot. */
static void draw_legend(const report_plane *plane, const frame *edges, const report_curve *curves,
                        int n_curves)
{
    enum { NAME_SIZE = 44, LINE = 24, PEN = 42, GAP = 10 };
    const double width = WIDTH - LEFT - RIGHT, height = edges->height - edges->top - FOOT;
    const bool right = plane->shares && plane->legend_right;
    const double inward = right ? -1 : 1;
    plvpor((double)LEFT / WIDTH, 1 - (double)RIGHT / WIDTH, (double)FOOT / edges->height, 1);
    plwind(0, width, 0, height + edges->top);
    for (int c = 0; c < n_curves; c++) {
        const double x = !plane->shares ? width * c / n_curves : right ? width - GAP : GAP;
        const double y = plane->shares ? GAP + LINE * (n_curves - c - 0.5) : height + FLAT_TOP / 2;
        char name[NAME_SIZE];
        report_plot_text(name, sizeof name, curves[c].name);
        plcol0(REPORT_PLOT_EDGE + c);
        plwidth(2.5);
        pljoin(x, y, x + inward * PEN, y);
        plcol0(REPORT_PLOT_INK);
        plptex(x + inward * (PEN + GAP), y, 1, 0, right ? 1 : 0, name);
    }
}

ano_status report_curves(report_svg *out, const report_plane *plane, const report_curve *curves,
                         int n_curves, ano_error *err)
{
    *out = (report_svg){0};
    if (n_curves < 1 || n_curves > REPORT_MAX_CURVES)
        return base_error(err, ANO_ARG, "%d curves in a plot, of 1 to %d", n_curves,
                          REPORT_MAX_CURVES);
    frame edges;
    report_plot plot;
    ano_status status = find_frame(&edges, plane, curves, n_curves, err);
    if (status == ANO_OK)
        status = report_plot_begin_svg(&plot, WIDTH, edges.height, err);
    if (status != ANO_OK)
        return status;
    plot.dashed = plane->shares; /* noise and dashes are hard to tell apart */
    pladv(0);
    plvpor((double)LEFT / WIDTH, 1 - (double)RIGHT / WIDTH, (double)FOOT / edges.height,
           1 - (double)edges.top / edges.height);
    plwind(edges.left, edges.right, edges.low, edges.high);
    draw_axes(plane, &edges);
    for (int c = n_curves - 1; c >= 0 && status == ANO_OK; c--) {
        plcol0(REPORT_PLOT_EDGE + c);
        status = draw_curve(&curves[c], &edges, err);
    }
    draw_legend(plane, &edges, curves, n_curves);
    const ano_status ended = report_plot_end_svg(out, &plot, err);
    if (status != ANO_OK)
        report_svg_free(out);
    return status != ANO_OK ? status : ended;
}
