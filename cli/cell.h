/* A cell of a benchmark's table: a method, or a plain baseline, trained on the normal images of one
 * class by one seed and tested on all test images. */
#ifndef CLI_CELL_H
#define CLI_CELL_H

#include "cli/options.h"
#include "report/benchmark.h"

typedef struct cli_cell {
    const char *class_name;
    const char *data, *normal; /* the data set, and which of its classes is the normal one; NULL:
                                  those called good, normal or ok */
    const char *method;        /* "fc", "histogram_nearest": its name */
    bool is_baseline;
    ano_method by;         /* of a method */
    ano_baseline baseline; /* of a baseline */
    uint64_t seed;
} cli_cell;

/* "CLASS-METHOD-SEED", with what is neither letter, digit, "_" nor "." as %XX; freed by
 * base_free(), NULL when memory is short. */
char *cli_cell_name(const cli_cell *cell);

/* Reads a finished cell from FOLDER/cells; where there is none, out->done is false and that is no
 * error. */
ano_status cli_cell_read(report_benchmark_cell *out, const cli_cell *cell, const char *folder,
                         ano_error *err);

/* Trains and tests, and writes FOLDER/cells/NAME.json. A method has the run folder
 * FOLDER/runs/NAME, and goes on from what an interrupted call left there. What it has to say goes
 * to stderr. `options` are the benchmark's. Returns an exit code. */
int cli_cell_run(const cli_cell *cell, const cli_options *options, const char *folder);

#endif
