/* What a score means: its p-value among the scores of held-out normal images, and the decision. */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "cli/run.h"

/* How the scores of a call are judged. */
typedef struct cli_verdict {
    ano_calibration calibration; /* n = 0: scores have no meaning */
    double alpha;                /* the promise: what was asked for, or the smallest there is */
    double threshold;
    ano_drift *drift; /* NULL: none is looked for */
} cli_verdict;

/* Reads the model's calibration, and says on stderr where it cannot serve: the model has none, the
 * scores are made in another way, or too few images were held out for options->alpha. Returns an
 * exit code; cli_verdict_close() in every case. */
int cli_verdict_open(cli_verdict *out, const cli_run *run, const cli_options *options);
void cli_verdict_close(cli_verdict *verdict);

bool cli_verdict_is_given(const cli_verdict *verdict);
double cli_verdict_p_value(const cli_verdict *verdict, double score);

#endif
