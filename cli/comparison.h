/* What a benchmark compares: rows of methods and baselines, classes, seeds, and the cells that come
 * of them, finished or not. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include "cli/cell.h"
#include "cli/classes.h"

enum { CLI_MAX_METHODS = 16 };

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
    double *begun;                  /* [n_cells], when cells under way were, 0 for others */
    size_t n_cells, n_done;
    size_t *order; /* [n_missing], the cells that are to be done */
    size_t n_missing;
} cli_comparison;

/* Settles what is compared: what is wrong with the command line or the data is told of on stderr
 * before anything is written but links to images. `options` are lent. Returns an exit code;
 * cli_comparison_free() in every case. */
int cli_comparison_plan(cli_comparison *out, const cli_options *options);
/* Reads the cells that are finished, and puts the others in order. Errors: those of
 * cli_cell_read().
 */
ano_status cli_comparison_find_missing(cli_comparison *comparison, ano_error *err);
void cli_comparison_free(cli_comparison *comparison);

/* Seconds of work that are done and that there are in all, by what cells took so far; those under
 * way have been since `begun`. *done is 0 where too little is known yet. */
void cli_comparison_work(double *done, double *total, const cli_comparison *comparison);

#endif
