/* What all plots share: PLplot drawing into memory with colours that suit light and dark pages.
 * PLplot's state is global: one thread at a time. */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "base/error.h"

/* A picture as text, <svg> to </svg>, for a file or for the inside of an HTML page. Its background
 * is transparent and its ink CSS's currentColor. */
typedef struct report_svg {
    char *text; /* free by report_svg_free() */
    size_t size;
} report_svg;

void report_svg_free(report_svg *svg);

/* A place in PLplot's colour map. */
typedef struct report_plot_colour {
    int red, green, blue;
    double alpha;
} report_plot_colour;

enum { REPORT_PLOT_SERIES = 8 };

/* The places of report_plot_colours. */
enum {
    REPORT_PLOT_PAPER,
    REPORT_PLOT_INK,
    REPORT_PLOT_GRID,
    REPORT_PLOT_EDGE,
    REPORT_PLOT_FILL = REPORT_PLOT_EDGE + REPORT_PLOT_SERIES,
    REPORT_PLOT_COLOURS = REPORT_PLOT_FILL + REPORT_PLOT_SERIES
};

extern const report_plot_colour report_plot_colours[REPORT_PLOT_COLOURS];

/* What PLplot's cairo driver has drawn, a file's bytes; free() frees them. */
typedef struct report_plot {
    char *bytes;
    size_t size;
    bool dashed; /* set before its end, an SVG's series differ by dashes too */
} report_plot;

/* Begins a picture of `width` x `height` by `device`, "pngcairo" or "svgcairo". Errors: NOMEM,
 * UNSUPPORTED (the driver is not installed). */
ano_status report_plot_begin(report_plot *plot, const char *device, int width, int height,
                             const report_plot_colour *colours, int n_colours, ano_error *err);
/* Completes plot->bytes. */
void report_plot_end(report_plot *plot);

/* The same for an SVG in report_plot_colours, with letters of one size. */
ano_status report_plot_begin_svg(report_plot *plot, int width, int height, ano_error *err);
/* Frees `plot`. Errors: NOMEM. */
ano_status report_plot_end_svg(report_svg *out, report_plot *plot, ano_error *err);

/* The least of 1, 2, 5 times a power of ten that is not below `value` > 0. */
double report_plot_step(double value);

/* Copies text of unknown origin, cut to dst, so that PLplot shows it as it is. */
void report_plot_text(char *dst, size_t size, const char *text);

#endif
