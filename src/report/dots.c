#include "report/dots.h"

#include "report/html.h"

#include <math.h>
#include <stdio.h>

/* In units that are about a pixel on a wide screen and two thirds of one on a phone. */
enum { WIDTH = 480, MARGIN = 14, ROW = 46, TOP = 6, NAME_AT = 16, LINE_AT = 31, AXIS = 26 };

/* The low end of the axis, and the step of its marks. */
typedef struct dots_axis {
    double low, step;
} dots_axis;

static dots_axis find_axis(const report_dots_row *rows, size_t n_rows, size_t n_values)
{
    const double least_span = 0.01, marks = 5;
    double lowest = 1 - least_span;
    for (size_t r = 0; r < n_rows; r++)
        for (size_t v = 0; v < n_values; v++)
            if (rows[r].values[v] < lowest)
                lowest = rows[r].values[v];
    const double step = report_plot_step((1 - lowest) / marks);
    return (dots_axis){1 - step * ceil((1 - lowest) / step - 1e-9), step};
}

static double place(dots_axis axis, double value)
{
    return MARGIN + (WIDTH - 2 * MARGIN) * (value - axis.low) / (1 - axis.low);
}

static void draw_row(FILE *svg, const report_dots_row *row, dots_axis axis,
                     const char *const *names, size_t n_values, int top)
{
    const char *ink = row->stands_out ? "var(--accent,currentColor)" : "currentColor";
    fprintf(svg, "<text x=\"%d\" y=\"%d\">", MARGIN, top + NAME_AT);
    report_html_text(svg, row->name);
    fputs("</text>\n", svg);
    if (!isnan(row->mean))
        fprintf(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4f</text>\n", WIDTH - MARGIN,
                top + NAME_AT, row->mean);
    fprintf(svg,
            "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"currentColor\" "
            "stroke-opacity=\"0.2\"/>\n",
            MARGIN, WIDTH - MARGIN, top + LINE_AT, top + LINE_AT);
    for (size_t v = 0; v < n_values; v++) {
        if (isnan(row->values[v]))
            continue;
        fprintf(svg,
                "<circle cx=\"%.1f\" cy=\"%d\" r=\"5\" style=\"fill:%s\" fill-opacity=\"0.45\">"
                "<title>",
                place(axis, row->values[v]), top + LINE_AT, ink);
        report_html_text(svg, names[v]);
        fprintf(svg, ": %.4f</title></circle>\n", row->values[v]);
    }
    if (!isnan(row->mean)) {
        const double x = place(axis, row->mean);
        fprintf(svg,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" style=\"stroke:%s\" "
                "stroke-width=\"3\"/>\n",
                x, x, top + LINE_AT - 9, top + LINE_AT + 9, ink);
    }
}

static void draw_axis(FILE *svg, dots_axis axis, int top, int height)
{
    const int n = (int)lround((1 - axis.low) / axis.step);
    for (int i = 0; i <= n; i++) {
        const double value = 1 - axis.step * i, x = place(axis, value);
        const char *anchor = i == 0 ? "end" : i == n ? "start" : "middle";
        fprintf(svg,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"currentColor\" "
                "stroke-opacity=\"0.2\"/>\n"
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\" fill-opacity=\"0.75\">%.4g</text>\n",
                x, x, TOP, top,
                i == 0   ? x + MARGIN / 2.0
                : i == n ? x - MARGIN / 2.0
                         : x,
                height - 6, anchor, value);
    }
}

ano_status report_dots(report_svg *out, const report_dots_row *rows, size_t n_rows,
                       const char *const *names, size_t n_values, ano_error *err)
{
    *out = (report_svg){0};
    FILE *svg = open_memstream(&out->text, &out->size);
    if (svg == NULL)
        return base_error_nomem(err, "dots");
    const dots_axis axis = find_axis(rows, n_rows, n_values);
    const int bottom = TOP + ROW * (int)n_rows, height = bottom + AXIS;
    fprintf(svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
            "style=\"max-width:34rem;max-height:none\" font-size=\"15\" fill=\"currentColor\">\n",
            WIDTH, height);
    draw_axis(svg, axis, bottom, height);
    for (size_t r = 0; r < n_rows; r++)
        draw_row(svg, &rows[r], axis, names, n_values, TOP + ROW * (int)r);
    fputs("</svg>\n", svg);
    const bool failed = ferror(svg) != 0;
    if (fclose(svg) != 0 || failed) {
        report_svg_free(out);
        return base_error_nomem(err, "dots");
    }
    return ANO_OK;
}
