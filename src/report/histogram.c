/* Histograms with PLplot and its cairo drivers.
 *
 * PLplot draws into a stream in memory, so that the file is written at once by base_file and
 * PLplot, which asks questions on the terminal when it cannot open a file, never opens one. */
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

/* Shared by all groups: `n` bins of `width` from `low` on. */
typedef struct bins {
    double low, width;
    int n;
    double *counts[REPORT_HISTOGRAM_MAX_GROUPS]; /* [n] */
    double highest;                              /* of all counts */
} bins;

/* The least of 1, 2, 5 times a power of ten that is not below `value` > 0. */
static double round_step(double value)
{
    const double power = pow(10, floor(log10(value)));
    const double steps[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (value <= steps[i] * power * (1 + 1e-9))
            return steps[i] * power;
    return 10 * power;
}

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
    out->width = high > low ? round_step((high - low) / MAX_BINS) : 1;
    out->low = floor(low / out->width) * out->width;
    out->n = (int)floor((high - out->low) / out->width) + 1;
    for (int g = 0; g < n_groups; g++) {
        out->counts[g] = base_alloc((size_t)out->n, sizeof *out->counts[g]);
        if (out->counts[g] == NULL)
            return base_error_nomem(err, "the histogram");
        for (size_t i = 0; i < groups[g].n; i++) {
            const double place = ((double)groups[g].scores[i] - out->low) / out->width;
            const int bin = (int)fmin(fmax(floor(place), 0), out->n - 1);
            out->highest = fmax(out->highest, ++out->counts[g][bin]);
        }
    }
    return ANO_OK;
}

static void bins_free(bins *counted)
{
    for (int g = 0; g < REPORT_HISTOGRAM_MAX_GROUPS; g++)
        base_free(counted->counts[g]);
}

/* PLplot takes '#' for the start of a command; doubled, it stands for itself. */
static void plain_text(char *dst, size_t size, const char *text)
{
    size_t length = 0;
    for (; *text != '\0' && length + 2 < size; text++) {
        if (*text == '#')
            dst[length++] = '#';
        dst[length++] = *text;
    }
    dst[length] = '\0';
}

static void set_colours(void)
{
    static const int groups[REPORT_HISTOGRAM_MAX_GROUPS][3] = {{205, 35, 40}, {30, 90, 180}};
    const double fill = 0.45;
    plscmap0n(N_COLOURS);
    plscol0(WHITE, 255, 255, 255);
    plscol0(BLACK, 30, 30, 30);
    plscol0(GRAY, 225, 225, 225);
    for (int g = 0; g < REPORT_HISTOGRAM_MAX_GROUPS; g++) {
        plscol0(GROUP_EDGE + g, groups[g][0], groups[g][1], groups[g][2]);
        plscol0a(GROUP_FILL + g, groups[g][0], groups[g][1], groups[g][2], fill);
    }
}

/* The outline of one group: up and down at each bin's edges, from the axis to the axis. */
static ano_status draw_group(const bins *counted, int group, ano_error *err)
{
    const int n_points = 2 * counted->n + 2;
    double *x = base_alloc((size_t)n_points, sizeof *x);
    double *y = base_alloc((size_t)n_points, sizeof *y);
    ano_status status = ANO_OK;
    if (x == NULL || y == NULL) {
        status = base_error_nomem(err, "the histogram");
        goto done;
    }
    for (int i = 0; i < n_points; i++) {
        x[i] = counted->low + counted->width * (i / 2);
        y[i] = i == 0 || i == n_points - 1 ? 0 : counted->counts[group][(i - 1) / 2];
    }
    plcol0(GROUP_FILL + group);
    plfill(n_points, x, y);
    plcol0(GROUP_EDGE + group);
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
        plain_text(name, sizeof name, groups[g].name);
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
    const double top = 1.14 * fmax(counted->highest, 1);
    const double x_step = round_step((right - left) / 10);
    const double y_step = fmax(1, round_step(top / 8));
    pladv(0);
    plvpor(0.105, 0.975, 0.125, 0.83);
    plwind(left, right, 0, top);

    plcol0(GRAY);
    plwidth(0.75);
    for (double y = y_step; y < 0.9 * top; y += y_step)
        pljoin(left, y, right, y);
    ano_status status = ANO_OK;
    for (int g = 0; g < n_groups && status == ANO_OK; g++)
        status = draw_group(counted, g, err);
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
    plain_text(text, sizeof text, title);
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

/* PLplot asks on the terminal for another device where there is none of this name. */
static bool device_exists(const char *device)
{
    enum { MAX_DEVICES = 128 };
    const char *descriptions[MAX_DEVICES], *names[MAX_DEVICES];
    const char **description = descriptions, **name = names;
    int n = MAX_DEVICES;
    bool found = false;
    plgFileDevs(&description, &name, &n);
    for (int i = 0; i < n && !found; i++)
        found = strcmp(names[i], device) == 0;
    plend();
    return found;
}

/* The picture's file in *bytes, which free() frees. */
static ano_status render(char **bytes, size_t *size, const char *device, const bins *counted,
                         const report_histogram_group *groups, int n_groups, double threshold,
                         const char *title, ano_error *err)
{
    FILE *stream = open_memstream(bytes, size);
    if (stream == NULL)
        return base_error_nomem(err, "the histogram");
    plsdev(device);
    plsfile(stream); /* PLplot closes it */
    plspage(0, 0, PAGE_WIDTH, PAGE_HEIGHT, 0, 0);
    set_colours();
    plinit();
    plsfont(PL_FCI_SANS, PL_FCI_UPRIGHT, PL_FCI_MEDIUM);
    const ano_status status = draw(counted, groups, n_groups, threshold, title, err);
    plend();
    return status;
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
    if (!device_exists(device))
        return base_error(err, ANO_UNSUPPORTED,
                          "%s: PLplot has no device %s here; install its cairo driver "
                          "(plplot-driver-cairo)",
                          path, device);
    bins counted;
    char *bytes = NULL;
    size_t size = 0;
    ano_status status = bins_create(&counted, groups, n_groups, threshold, err);
    if (status == ANO_OK)
        status = render(&bytes, &size, device, &counted, groups, n_groups, threshold, title, err);
    base_error_context(err, "%s", path);
    if (status == ANO_OK)
        status = base_file_write(path, bytes, size, err);
    free(bytes);
    bins_free(&counted);
    return status;
}
