#include "report/html.h"

#include "report/style.h"
#include "report/text.h"

#include <string.h>

/* ---- text ---------------------------------------------------------------------------------- */

void report_html_text(FILE *dst, const char *text)
{
    while (*text != '\0') {
        const uint32_t character = report_text_next(&text);
        char bytes[4];
        switch (character) {
        case '&':
        case '<':
        case '>':
        case '"':
        case '\'':
            fprintf(dst, "&#%u;", (unsigned)character);
            break;
        default:
            fwrite(bytes, 1, (size_t)report_text_encode(bytes, character), dst);
        }
    }
}

void report_html_name(FILE *dst, const char *name)
{
    fputs("<bdi>", dst);
    report_html_text(dst, name);
    fputs("</bdi>", dst);
}

static void element(FILE *dst, const char *tag, const char *text)
{
    fprintf(dst, "<%s>", tag);
    report_html_text(dst, text);
    fprintf(dst, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void report_html_paragraph(FILE *dst, const char *text)
{
    if (text != NULL)
        element(dst, "p", text);
}

/* ---- the page ------------------------------------------------------------------------------ */

void report_html_begin(FILE *dst, const char *title)
{
    /* The policy lets a browser load and run nothing, should an escape be missing somewhere. */
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "img-src data:; style-src 'unsafe-inline'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n",
          dst);
    element(dst, "title", title);
    fputs("<style>\n", dst);
    for (const char *const *line = report_style; *line != NULL; line++)
        fprintf(dst, "%s\n", *line);
    fputs("</style>\n</head>\n<body>\n<main>\n", dst);
    element(dst, "h1", title);
}

void report_html_end(FILE *dst)
{
    fprintf(dst,
            "</main>\n<footer>Made by anogan %s. All of this page is in this one file.</footer>\n"
            "</body>\n</html>\n",
            ano_version());
}

void report_html_section(FILE *dst, const char *heading)
{
    fputs("<section>\n", dst);
    element(dst, "h2", heading);
}

/* ---- pictures ------------------------------------------------------------------------------ */

/* RFC 4648. */
static void base64(FILE *dst, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t n = size - i < 3 ? size - i : 3;
        uint32_t three = 0;
        for (size_t j = 0; j < 3; j++)
            three = three << 8 | (j < n ? bytes[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            fputc(j <= n ? digits[three >> (18 - 6 * j) & 63] : '=', dst);
    }
}

void report_html_png(FILE *dst, const report_png *png, const char *described)
{
    const int small = 160; /* such pictures are enlarged, their pixels in plain sight */
    if (png->size == 0)
        return;
    fprintf(dst, "<img%s width=\"%d\" height=\"%d\" alt=\"",
            png->width < small && png->height < small ? " class=\"small\"" : "", png->width,
            png->height);
    report_html_text(dst, described);
    fputs("\" src=\"data:image/png;base64,", dst);
    base64(dst, png->bytes, png->size);
    fputs("\">\n", dst);
}

/* Every plot names its letters alike, and on a page a name is one thing only: names get the
 * figure's number in front. */
static void write_svg(FILE *dst, const char *src, int number)
{
    static const char *const before_names[] = {"id=\"", "href=\"#", "url(#"};
    while (*src != '\0') {
        size_t length = 1;
        for (size_t i = 0; i < sizeof before_names / sizeof *before_names; i++)
            if (strncmp(src, before_names[i], strlen(before_names[i])) == 0)
                length = strlen(before_names[i]);
        fwrite(src, 1, length, dst);
        if (length > 1)
            fprintf(dst, "f%d-", number);
        src += length;
    }
}

void report_html_figure(FILE *dst, const report_figure *figure, int number)
{
    fputs("<figure>\n<figcaption>", dst);
    report_html_text(dst, figure->title);
    fputs("</figcaption>\n<div class=\"plot\" role=\"img\" aria-label=\"", dst);
    report_html_text(dst, figure->described);
    fputs("\">", dst);
    write_svg(dst, figure->svg.text, number);
    fputs("</div>\n", dst);
    element(dst, "p", figure->described);
    fputs("</figure>\n", dst);
}

/* ---- tables -------------------------------------------------------------------------------- */

static void write_cell(FILE *dst, const report_cell *cell)
{
    fputs(cell->best ? "<td class=\"best\">" : "<td>", dst);
    report_html_text(dst, cell->value != NULL ? cell->value : "\xE2\x80\x93");
    if (cell->detail != NULL) {
        fputs(" ", dst);
        element(dst, "small", cell->detail);
    }
    fputs("</td>", dst);
}

void report_html_table(FILE *dst, const report_table *table)
{
    /* What scrolls must be reachable by keyboard. */
    fputs("<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"", dst);
    report_html_text(dst, table->caption);
    fputs("\">\n<table>\n", dst);
    fputs("<caption>", dst);
    element(dst, "span", table->caption);
    fputs("</caption>\n", dst);
    fputs("<thead>\n<tr>", dst);
    element(dst, "th scope=\"col\"", table->names);
    for (size_t c = 0; c < table->n_columns; c++)
        element(dst, "th scope=\"col\"", table->columns[c]);
    fputs("</tr>\n</thead>\n<tbody>\n", dst);
    for (size_t r = 0; r < table->n_rows; r++) {
        const report_row *row = &table->rows[r];
        fputs("<tr><th scope=\"row\">", dst);
        report_html_name(dst, row->name);
        if (row->explanation != NULL)
            element(dst, "small", row->explanation);
        fputs("</th>", dst);
        for (size_t c = 0; c < table->n_columns; c++)
            write_cell(dst, &row->cells[c]);
        fputs("</tr>\n", dst);
    }
    fputs("</tbody>\n</table>\n</div>\n", dst);
}

void report_html_settings(FILE *dst, const report_setting *settings, size_t n)
{
    fputs("<dl>\n", dst);
    for (size_t i = 0; i < n; i++) {
        fputs("<div>", dst);
        element(dst, "dt", settings[i].name);
        fputs("<dd>", dst);
        report_html_name(dst, settings[i].value);
        fputs("</dd></div>\n", dst);
    }
    fputs("</dl>\n", dst);
}
