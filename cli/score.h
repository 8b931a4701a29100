#ifndef CLI_SCORE_H
#define CLI_SCORE_H

#include "cli/options.h"
#include "cli/progress.h"

/* Refuses a --trace where there will be none: by a method that does not search, or in tiles.
 * Returns an exit code. */
int cli_check_trace(const cli_options *options, ano_method method, bool has_tiles);
/* The same of scores by a model. */
int cli_check_trace_of(const cli_options *options, const ano_model *model);

/* A scoring call of the library's, with progress. */
typedef struct cli_scoring {
    cli_progress progress;
    const char *title;
    ano_score_options how; /* with a callback that draws the progress */
} cli_scoring;

/* The options that the command line asks for. `title` is what becomes of images, "scored". What it
 * returns must not be moved while it is in use. */
void cli_scoring_begin(cli_scoring *out, const cli_options *options, const char *title);
/* Takes the bar away and says how long n images took, or what went wrong. Returns an exit code. */
int cli_scoring_end(cli_scoring *scoring, ano_status status, size_t n, const cli_options *options,
                    ano_error *err);

#endif
