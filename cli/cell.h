/* A cell of a benchmark's table: a method, or a plain baseline, trained on the normal images of one
 * class by one seed and tested on all test images; what it is and where its files are. */
#ifndef CLI_CELL_H
#define CLI_CELL_H

#include "report/benchmark.h"

typedef struct cli_cell {
    size_t row; /* of the table */
    const char *class_name;
    const char *data, *normal; /* the data set, and which of its classes is the normal one; NULL:
                                  those called good, normal or ok */
    const char *method;        /* "fc", "histogram_nearest": its name */
    bool is_baseline;
    ano_method by;         /* of a method: what scores … */
    ano_method trained;    /* … and what its model is trained by */
    ano_baseline baseline; /* of a baseline */
    uint64_t seed;
} cli_cell;

typedef enum cli_cell_file {
    CLI_CELL_FIGURES, /* FOLDER/cells/CLASS-METHOD-SEED.json */
    CLI_CELL_RUN,     /* FOLDER/runs/CLASS-METHOD-SEED, the folder of the model that it is tested
                         with: METHOD is what that is trained by */
    CLI_CELL_LOG      /* FOLDER/logs/CLASS-METHOD-SEED.txt, what was said of that model */
} cli_cell_file;

/* In the class's name, what is neither letter, digit, "_" nor "." is %XX; freed by base_free(),
 * NULL when memory is short. */
char *cli_cell_path(const cli_cell *cell, const char *folder, cli_cell_file which);

/* Reads a finished cell's figures; where there are none, out->done is false and that is no error.
 */
ano_status cli_cell_read(report_benchmark_cell *out, const cli_cell *cell, const char *folder,
                         ano_error *err);
ano_status cli_cell_write(const cli_cell *cell, const report_benchmark_cell *found,
                          const char *folder, ano_error *err);

#endif
