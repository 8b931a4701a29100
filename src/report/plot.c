/* PLplot draws into a stream in memory, so that a file is written at once by base_file and
 * PLplot, which asks questions on the terminal when it cannot open a file, never opens one. */
#include "report/plot.h"

#include "report/text.h"

#include <math.h>
#include <plplot/plplot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A colour that no plot has stands for the page's own until report_plot_end_svg(). */
#define INK 1, 2, 3

/* The series keep a contrast of 3 : 1 and more against white and against a dark page, and differ
 * for the colour-blind too, next to each other above all; what is drawn tells them apart a second
 * way, by dashes or by place. */
#define SERIES(alpha)                                                                              \
    {25, 110, 200, alpha}, {205, 85, 20, alpha}, {0, 145, 120, alpha}, {185, 75, 150, alpha},      \
        {125, 115, 25, alpha}, {120, 95, 205, alpha}, {190, 60, 70, alpha},                        \
    {                                                                                              \
        110, 115, 120, alpha                                                                       \
    }

const report_plot_colour report_plot_colours[REPORT_PLOT_COLOURS] = {
    {255, 255, 255, 0}, {INK, 1}, {128, 128, 128, 0.3}, SERIES(1), SERIES(0.35)};

void report_svg_free(report_svg *svg)
{
    free(svg->text);
    *svg = (report_svg){0};
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

ano_status report_plot_begin(report_plot *plot, const char *device, int width, int height,
                             const report_plot_colour *colours, int n_colours, ano_error *err)
{
    *plot = (report_plot){0};
    if (!device_exists(device))
        return base_error(err, ANO_UNSUPPORTED,
                          "PLplot has no device %s here; install its cairo driver "
                          "(plplot-driver-cairo)",
                          device);
    FILE *stream = open_memstream(&plot->bytes, &plot->size);
    if (stream == NULL)
        return base_error_nomem(err, "a plot");
    plsdev(device);
    plsfile(stream); /* PLplot closes it */
    plspage(0, 0, width, height, 0, 0);
    plscmap0n(n_colours);
    for (int i = 0; i < n_colours; i++)
        plscol0a(i, colours[i].red, colours[i].green, colours[i].blue, colours[i].alpha);
    plinit();
    plsfont(PL_FCI_SANS, PL_FCI_UPRIGHT, PL_FCI_MEDIUM);
    return ANO_OK;
}

void report_plot_end(report_plot *plot)
{
    (void)plot; /* PLplot closes the stream that is open on it */
    plend();
}

ano_status report_plot_begin_svg(report_plot *plot, int width, int height, ano_error *err)
{
    const ano_status status = report_plot_begin(plot, "svgcairo", width, height,
                                                report_plot_colours, REPORT_PLOT_COLOURS, err);
    /* PLplot's letters grow with the picture; letters of one size on a page look better. */
    const double side = 476;
    if (status == ANO_OK)
        plschr(0, side / ((width + height) / 2.0));
    return status;
}

/* The place in report_plot_colours of the colour that `text` begins with, as cairo writes it, in
 * percent; -1 where there is none. *length is the length of that text. */
static int find_colour(const char *text, size_t *length)
{
    double percent[3];
    int end = 0, rgb[3];
    sscanf(text, "rgb(%lf%% , %lf%% , %lf%% )%n", &percent[0], &percent[1], &percent[2], &end);
    if (end == 0)
        return -1;
    *length = (size_t)end;
    for (int c = 0; c < 3; c++)
        rgb[c] = (int)lround(percent[c] * 2.55);
    for (int i = 0; i < REPORT_PLOT_COLOURS; i++) {
        const report_plot_colour *colour = &report_plot_colours[i];
        if (rgb[0] == colour->red && rgb[1] == colour->green && rgb[2] == colour->blue)
            return i;
    }
    return -1;
}

/* The dashes of a series' line, of which `tag` draws a piece: "" for the first, and for all else.
 * They are left to the SVG because PLplot would draw each dash as a line of its own. */
static const char *dashes_of(const char *tag)
{
    static const char *const dashes[REPORT_PLOT_SERIES] = {"",    "9 6",  "2 5",         "14 5 2 5",
                                                           "5 4", "16 7", "9 5 2 5 2 5", "1 4"};
    const char *stroke = strstr(tag, "stroke:rgb("); /* an attribute in cairo 1.18 */
    if (stroke == NULL || stroke > strchr(tag, '>'))
        stroke = strstr(tag, "stroke=\"rgb(");
    if (stroke == NULL || stroke > strchr(tag, '>'))
        return "";
    size_t length;
    const int series = find_colour(strstr(stroke, "rgb("), &length) - REPORT_PLOT_EDGE;
    return series >= 0 && series < REPORT_PLOT_SERIES ? dashes[series] : "";
}

static void write_svg(FILE *dst, const char *src, bool dashed)
{
    static const char path[] = "<path ";
    while (*src != '\0') {
        size_t length;
        const char *dashes;
        if (*src == 'r' && find_colour(src, &length) == REPORT_PLOT_INK) {
            fputs("currentColor", dst);
            src += length;
        } else if (dashed && strncmp(src, path, strlen(path)) == 0 && *(dashes = dashes_of(src))) {
            fprintf(dst, "%sstroke-dasharray=\"%s\" ", path, dashes);
            src += strlen(path);
        } else {
            fputc(*src++, dst);
        }
    }
}

ano_status report_plot_end_svg(report_svg *out, report_plot *plot, ano_error *err)
{
    *out = (report_svg){0};
    report_plot_end(plot);
    const char *src = plot->bytes != NULL ? strstr(plot->bytes, "<svg") : NULL;
    FILE *stream = src != NULL ? open_memstream(&out->text, &out->size) : NULL;
    bool failed = stream == NULL;
    if (!failed) {
        write_svg(stream, src, plot->dashed);
        failed = ferror(stream) != 0;
        failed |= fclose(stream) != 0;
    }
    free(plot->bytes);
    *plot = (report_plot){0};
    if (failed)
        report_svg_free(out);
    return failed ? base_error_nomem(err, "a plot") : ANO_OK;
}

double report_plot_step(double value)
{
    const double power = pow(10, floor(log10(value)));
    const double steps[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (value <= steps[i] * power * (1 + 1e-9))
            return steps[i] * power;
    return 10 * power;
}

/* PLplot takes '#' for the start of a command; doubled, it stands for itself. */
void report_plot_text(char *dst, size_t size, const char *text)
{
    const size_t longest = 4;
    size_t length = 0;
    while (*text != '\0' && length + longest < size) {
        const uint32_t character = report_text_next(&text);
        if (character == '#')
            dst[length++] = '#';
        length += (size_t)report_text_encode(dst + length, character);
    }
    dst[length] = '\0';
}
