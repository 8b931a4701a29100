/* The pieces of a page that stands alone: one file, nothing to fetch, no script. They write to a
 * stream whose errors its owner sees. Text may come from anywhere: it is escaped and made UTF-8. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/plot.h"
#include "report/png.h"

#include <stdio.h>

void report_html_text(FILE *dst, const char *text);
/* The same, kept from reordering the words around it by what it holds: names of files. */
void report_html_name(FILE *dst, const char *name);

/* From the document's type to <main>, with the title as its heading. */
void report_html_begin(FILE *dst, const char *title);
void report_html_end(FILE *dst);

/* A section's beginning, with its heading; it ends by "</section>\n". */
void report_html_section(FILE *dst, const char *heading);
/* A paragraph; nothing for NULL. */
void report_html_paragraph(FILE *dst, const char *text);

/* A picture as a data URI; nothing where it has no bytes. */
void report_html_png(FILE *dst, const report_png *png, const char *described);

/* A cell of a table; a value of NULL is a dash. */
typedef struct report_cell {
    const char *value;  /* "0.9994" */
    const char *detail; /* beside it, smaller: "0.998 to 1"; NULL: none */
    bool best;          /* stands out */
} report_cell;

typedef struct report_row {
    const char *name;         /* "AUROC" */
    const char *explanation;  /* below it, smaller: what it means; NULL: none */
    const report_cell *cells; /* [n_columns] */
} report_row;

typedef struct report_table {
    const char *caption;
    const char *names;          /* the heading of the rows' names, "type" */
    const char *const *columns; /* [n_columns], the others' headings */
    size_t n_columns;
    const report_row *rows; /* [n_rows] */
    size_t n_rows;
} report_table;

void report_html_table(FILE *dst, const report_table *table);

/* A plot; `number` is its own on the page. */
typedef struct report_figure {
    const char *title;
    const char *described; /* what it shows, in words */
    report_svg svg;        /* as it comes from src/report; not escaped */
} report_figure;

void report_html_figure(FILE *dst, const report_figure *figure, int number);

typedef struct report_setting {
    const char *name, *value;
} report_setting;

void report_html_settings(FILE *dst, const report_setting *settings, size_t n);

#endif
