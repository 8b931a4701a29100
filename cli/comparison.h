/* What a benchmark compares: rows of methods and baselines, classes, seeds, and the cells that come
 * of them, finished or not. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include "cli/cell.h"
#include "cli/classes.h"
#include "cli/options.h"

enum { CLI_MAX_METHODS = 16 };

/* What one process does: cells of one class and seed that are tested with the same model. */
typedef struct cli_comparison_piece {
    size_t cells[CLI_MAX_METHODS], n; /* their numbers */
    bool trains;                      /* the model, which is not there yet */
    double begun, ended;              /* when; 0: not yet */
} cli_comparison_piece;

/* Cells are numbered [row][class][seed]. */
typedef struct cli_comparison {
    const cli_options *options;
    cli_classes classes;
    const char **class_names;                               /* [classes.n] */
    report_contender rows[CLI_MAX_METHODS + ANO_BASELINES]; /* methods, then baselines */
    size_t n_rows;
    ano_method methods[CLI_MAX_METHODS];
    char method_names[CLI_MAX_METHODS][32];
    cli_cell *cells;                /* [n_cells] */
    report_benchmark_cell *figures; /* [n_cells] */
    size_t n_cells, n_done;
    report_contender shown[3 * CLI_MAX_METHODS + ANO_BASELINES]; /* see cli_comparison_show() */
    size_t n_shown;
    char part_names[2 * CLI_MAX_METHODS][48];
    cli_comparison_piece *pieces; /* [n_pieces], of the cells that are to be done, in order */
    size_t n_pieces;
} cli_comparison;

/* Settles what is compared: what is wrong with the command line or the data is told of on stderr
 * before anything is written but links to images. `options` are lent. Returns an exit code;
 * cli_comparison_free() in every case. */
int cli_comparison_plan(cli_comparison *out, const cli_options *options);
/* Reads the cells that are finished, and makes pieces of the others. Errors: those of
 * cli_cell_read(). */
ano_status cli_comparison_find_missing(cli_comparison *comparison, ano_error *err);
void cli_comparison_free(cli_comparison *comparison);

/* Makes `shown` of the rows, and after each of a method whose models remember something one for
 * each part of their scores. */
void cli_comparison_show(cli_comparison *comparison);

/* Seconds of work that are done and that all pieces take, by what cells took so far. *done is 0
 * where too little is known yet. */
void cli_comparison_work(double *done, double *total, const cli_comparison *comparison);

#endif
