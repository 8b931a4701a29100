/* What goes to stdout: scores as they come, a line for each image, of CSV or JSON; and that all of
 * it arrived. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <anogan/anogan.h>

#include <jansson.h>

typedef struct cli_line {
    const char *path; /* for an image of an IDX file with #INDEX after it */
    const char *class_name;
    const char *error; /* NULL, or why there is no score */
    double score, p_value, seconds;
    bool has_z_distance; /* it was asked for */
    double z_distance;
    const char *decision; /* "normal" or "anomalous"; NULL: not known, nor is the p-value */
} cli_line;

/* The counts at the end. */
typedef struct cli_summary {
    size_t n_scored, n_anomalous, n_skipped;
    bool calibrated;
    double alpha, threshold;
    bool drift;            /* found */
    double drift_evidence; /* log10 of the martingale */
    double seconds;
} cli_summary;

void cli_output_begin(bool json, bool z_distance);
ano_status cli_output_line(const cli_line *line, bool json, ano_error *err);
/* With JSON, a last line {"summary": …}. */
ano_status cli_output_end(const cli_summary *summary, bool json, ano_error *err);

/* A JSON value, NULL where memory was short, and the end of its line. Errors: NOMEM, IO. */
ano_status cli_output_json(const json_t *value, size_t flags, ano_error *err);

/* Sends what was printed. Errors: IO (some of it, now or earlier, was lost). */
ano_status cli_output_flush(ano_error *err);

#endif
