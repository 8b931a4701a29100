/* Histograms with PLplot and its cairo drivers: two groups of scores overlaid, or any number of
 * groups in rows. All groups of a picture share their bins. */
#include "report/histogram.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <plplot/plplot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_WIDTH = 900, PAGE_HEIGHT = 560 };

/* Places in PLplot's colour map. */
enum {
    WHITE,
    BLACK,
    GRAY,
    GROUP_EDGE,
    GROUP_FILL = GROUP_EDGE + REPORT_HISTOGRAM_MAX_GROUPS,
    N_COLOURS = GROUP_FILL + REPORT_HISTOGRAM_MAX_GROUPS
};

static const report_plot_colour colours[N_COLOURS] = {
    [WHITE] = {255, 255, 255, 1},          [BLACK] = {30, 30, 30, 1},
    [GRAY] = {225, 225, 225, 1},           [GROUP_EDGE] = {205, 35, 40, 1},
    [GROUP_EDGE + 1] = {30, 90, 180, 1},   [GROUP_FILL] = {205, 35, 40, 0.45},
    [GROUP_FILL + 1] = {30, 90, 180, 0.45}};

/* `n` bins of `width` from `low` on. */
typedef struct bins {
    double low, width;
    int n;
    double *counts;  /* [group][n] */
    double *highest; /* [group] */
} bins;

static ano_status bins_create(bins *out, const report_histogram_group *groups, int n_groups,
                              double threshold, ano_error *err)
{
    enum { MAX_BINS = 40 };

    *out = (bins){0};
    double low = isfinite(threshold) ? threshold : INFINITY;
    double high = isfinite(threshold) ? threshold : -INFINITY;
    for (int g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n; i++) {
            const double score = (double)groups[g].scores[i];
            if (!isfinite(score))
                return base_error(err, ANO_NUMERIC, "score %zu of %s is %f", i, groups[g].name,
                                  score);
            low = fmin(low, score);
            high = fmax(high, score);
        }
    }
    if (low > high)
        return base_error(err, ANO_ARG, "there are no scores");
    out->width = high > low ? report_plot_step((high - low) / MAX_BINS) : 1;
    out->low = floor(low / out->width) * out->width;
    out->n = (int)floor((high - out->low) / out->width) + 1;
    out->counts = base_alloc((size_t)n_groups * (size_t)out->n, sizeof *out->counts);
    out->highest = base_alloc((size_t)n_groups, sizeof *out->highest);
    if (out->counts == NULL || out->highest == NULL)
        return base_error_nomem(err, "the histogram");
    for (int g = 0; g < n_groups; g++) {
        double *counts = out->counts + (ptrdiff_t)g * out->n;
        for (size_t i = 0; i < groups[g].n; i++) {
            const double place = ((double)groups[g].scores[i] - out->low) / out->width;
            const int bin = (int)fmin(fmax(floor(place), 0), out->n - 1);
            out->highest[g] = fmax(out->highest[g], ++counts[bin]);
        }
    }
    return ANO_OK;
}

static void bins_free(bins *counted)
{
    base_free(counted->counts);
    base_free(counted->highest);
}

/* The outline of one group: up and down at each bin's edges, from the axis to the axis. */
static ano_status draw_group(const bins *counted, int group, int edge, int fill, ano_error *err)
{
    const int n_points = 2 * counted->n + 2;
    const double *counts = counted->counts + (ptrdiff_t)group * counted->n;
    double *x = base_alloc((size_t)n_points, sizeof *x);
    double *y = base_alloc((size_t)n_points, sizeof *y);
    ano_status status = ANO_OK;
    if (x == NULL || y == NULL) {
        status = base_error_nomem(err, "the histogram");
        goto done;
    }
    for (int i = 0; i < n_points; i++) {
        x[i] = counted->low + counted->width * (i / 2);
        y[i] = i == 0 || i == n_points - 1 ? 0 : counts[(i - 1) / 2];
    }
    plcol0(fill);
    plfill(n_points, x, y);
    plcol0(edge);
    plwidth(1.5);
    plline(n_points, x, y);
done:
    base_free(x);
    base_free(y);
    return status;
}

/* A row above the plot: for each group a swatch, its name and size. */
static void draw_legend(const report_histogram_group *groups, int n_groups)
{
    enum { TEXT_SIZE = 160, MAX = REPORT_HISTOGRAM_MAX_GROUPS };
    static const int options[MAX] = {PL_LEGEND_COLOR_BOX, PL_LEGEND_COLOR_BOX};
    static const int text_colours[MAX] = {BLACK, BLACK};
    static const int box_colours[MAX] = {GROUP_FILL, GROUP_FILL + 1};
    static const int box_patterns[MAX] = {0, 0};
    static const double box_scales[MAX] = {0.7, 0.7}, box_edges[MAX] = {0, 0};
    const double left = -0.012, above = -0.082, swatch_width = 0.035, text_offset = 0.7,
                 text_scale = 0.85, spacing = 2;
    char texts[MAX][TEXT_SIZE];
    const char *lines[MAX];
    for (int g = 0; g < n_groups; g++) {
        char name[TEXT_SIZE - 40];
        report_plot_text(name, sizeof name, groups[g].name);
        snprintf(texts[g], sizeof texts[g], "%s, %zu images", name, groups[g].n);
        lines[g] = texts[g];
    }
    double width, height;
    pllegend(&width, &height, PL_LEGEND_NONE,
             PL_POSITION_LEFT | PL_POSITION_TOP | PL_POSITION_INSIDE, left, above, swatch_width,
             WHITE, BLACK, 1, 1, n_groups, n_groups, options, text_offset, text_scale, spacing, 0,
             text_colours, lines, box_colours, box_patterns, box_scales, box_edges, NULL, NULL,
             NULL, NULL, NULL, NULL, NULL);
}

/* A dashed line with its value beside it, on the side that has more room. */
static void draw_threshold(double threshold, double left, double right, double top)
{
    const double text_height = 0.96 * top, text_gap = 0.01 * (right - left);
    plwidth(1.5);
    pllsty(2);
    pljoin(threshold, 0, threshold, top);
    pllsty(1);
    char text[60];
    snprintf(text, sizeof text, "threshold %.4g", threshold);
    const bool text_right = threshold < (left + right) / 2;
    plptex(threshold + (text_right ? text_gap : -text_gap), text_height, 1, 0, text_right ? 0 : 1,
           text);
}

static ano_status draw(const bins *counted, const report_histogram_group *groups, int n_groups,
                       double threshold, const char *title, ano_error *err)
{
    /* Room at the sides and above, so that no bar touches the frame or the threshold's value. */
    const double margin = 0.02 * counted->width * counted->n;
    const double left = counted->low - margin;
    const double right = counted->low + counted->width * counted->n + margin;
    double highest = 1;
    for (int g = 0; g < n_groups; g++)
        highest = fmax(highest, counted->highest[g]);
    const double top = 1.14 * highest;
    const double x_step = report_plot_step((right - left) / 10);
    const double y_step = fmax(1, report_plot_step(top / 8));
    pladv(0);
    plvpor(0.105, 0.975, 0.125, 0.83);
    plwind(left, right, 0, top);

    plcol0(GRAY);
    plwidth(0.75);
    for (double y = y_step; y < 0.9 * top; y += y_step)
        pljoin(left, y, right, y);
    ano_status status = ANO_OK;
    for (int g = 0; g < n_groups && status == ANO_OK; g++)
        status = draw_group(counted, g, GROUP_EDGE + g, GROUP_FILL + g, err);
    plcol0(BLACK);
    plschr(0, 0.85);
    if (isfinite(threshold))
        draw_threshold(threshold, left, right, top);
    plwidth(1.5); /* as the groups' outlines, which it covers at the foot */
    plbox("bnst", x_step, 0, "bnstv", y_step, 1);
    plschr(0, 0.95);
    plmtex("b", 2.9, 0.5, 0.5, "anomaly score");
    const int digits = snprintf(NULL, 0, "%.0f", top);
    plmtex("l", 2.6 + 0.6 * digits, 0.5, 0.5, "images");
    draw_legend(groups, n_groups);
    char text[200];
    report_plot_text(text, sizeof text, title);
    plschr(0, 1.1);
    plmtex("t", 3.2, 0, 0, text);
    return status;
}

/* "pngcairo" or "svgcairo" by the ending of `path`, NULL when it is neither. */
static const char *device_for(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (dot == NULL)
        return NULL;
    return strcmp(dot, ".png") == 0 ? "pngcairo" : strcmp(dot, ".svg") == 0 ? "svgcairo" : NULL;
}

ano_status report_histogram(const char *path, const report_histogram_group *groups, int n_groups,
                            double threshold, const char *title, ano_error *err)
{
    const char *device = device_for(path);
    if (device == NULL)
        return base_error(err, ANO_ARG, "%s: a histogram is a .png or an .svg file", path);
    if (n_groups < 1 || n_groups > REPORT_HISTOGRAM_MAX_GROUPS)
        return base_error(err, ANO_ARG, "%s: %d groups, of 1 to %d", path, n_groups,
                          REPORT_HISTOGRAM_MAX_GROUPS);
    bins counted;
    report_plot plot = {0};
    ano_status status = bins_create(&counted, groups, n_groups, threshold, err);
    if (status == ANO_OK)
        status = report_plot_begin(&plot, device, PAGE_WIDTH, PAGE_HEIGHT, colours, N_COLOURS, err);
    if (status == ANO_OK) {
        status = draw(&counted, groups, n_groups, threshold, title, err);
        report_plot_end(&plot);
    }
    base_error_context(err, "%s", path);
    if (status == ANO_OK)
        status = base_file_write(path, plot.bytes, plot.size, err);
    free(plot.bytes);
    bins_free(&counted);
    return status;
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* The picture, in points. */
enum { ROWS_WIDTH = 560, ROW_HEIGHT = 58, ROW_GAP = 8, ROWS_TOP = 30, ROWS_FOOT = 56 };
enum { ROWS_LEFT = 156, ROWS_RIGHT = 14, MAX_ROWS = 200 };

/* Places the window over all rows, or over one of them: from `top` down, in points. */
static void choose_rows(double top, double height, double picture_height, const bins *counted,
                        double highest)
{
    const double margin = 0.02 * counted->width * counted->n;
    plvpor((double)ROWS_LEFT / ROWS_WIDTH, 1 - (double)ROWS_RIGHT / ROWS_WIDTH,
           1 - (top + height) / picture_height, 1 - top / picture_height);
    plwind(counted->low - margin, counted->low + counted->width * counted->n + margin, 0, highest);
}

static void draw_row_name(const report_histogram_group *group)
{
    enum { NAME_SIZE = 24 }; /* what fits beside the row */
    char name[NAME_SIZE], count[40];
    report_plot_text(name, sizeof name, group->name);
    snprintf(count, sizeof count, group->n == 1 ? "%zu image" : "%zu images", group->n);
    plmtex("lv", 1, 0.62, 1, name);
    plmtex("lv", 1, 0.22, 1, count);
}

static ano_status draw_rows(const bins *counted, const report_histogram_group *groups, int n_groups,
                            int n_normal, double threshold, double height, ano_error *err)
{
    const double rows_height = height - ROWS_TOP - ROWS_FOOT;
    ano_status status = ANO_OK;
    pladv(0);
    for (int g = 0; g < n_groups && status == ANO_OK; g++) {
        const int series = g < n_normal ? 0 : 1;
        choose_rows(ROWS_TOP + (double)g * (ROW_HEIGHT + ROW_GAP), ROW_HEIGHT, height, counted,
                    1.08 * fmax(counted->highest[g], 1));
        if (groups[g].n > 0)
            status =
                draw_group(counted, g, REPORT_PLOT_EDGE + series, REPORT_PLOT_FILL + series, err);
        plcol0(REPORT_PLOT_INK);
        draw_row_name(&groups[g]);
    }
    choose_rows(ROWS_TOP, rows_height, height, counted, 1);
    const double range = counted->width * counted->n;
    plcol0(REPORT_PLOT_INK);
    plwidth(1);
    plbox("bnst", report_plot_step(range / 6), 0, "", 0, 0);
    plmtex("b", 3.1, 0.5, 0.5, "anomaly score");
    if (isfinite(threshold)) {
        char text[60];
        snprintf(text, sizeof text, "threshold %.4g", threshold);
        plwidth(1.5);
        pllsty(2);
        pljoin(threshold, 0, threshold, 1);
        pllsty(1);
        const double place = (threshold - counted->low) / range;
        plmtex("t", 0.8, place, fmin(fmax(place, 0), 1), text);
    }
    return status;
}

ano_status report_histogram_rows(report_svg *out, const report_histogram_group *groups,
                                 int n_groups, int n_normal, double threshold, ano_error *err)
{
    *out = (report_svg){0};
    if (n_groups < 1 || n_groups > MAX_ROWS)
        return base_error(err, ANO_ARG, "%d rows of histograms, of 1 to %d", n_groups, MAX_ROWS);
    const int height = ROWS_TOP + n_groups * (ROW_HEIGHT + ROW_GAP) + ROWS_FOOT;
    bins counted;
    report_plot plot = {0};
    ano_status status = bins_create(&counted, groups, n_groups, threshold, err);
    if (status == ANO_OK)
        status = report_plot_begin_svg(&plot, ROWS_WIDTH, height, err);
    if (status == ANO_OK) {
        status = draw_rows(&counted, groups, n_groups, n_normal, threshold, height, err);
        const ano_status ended = report_plot_end_svg(out, &plot, err);
        status = status != ANO_OK ? status : ended;
    }
    if (status != ANO_OK)
        report_svg_free(out);
    bins_free(&counted);
    return status;
}
