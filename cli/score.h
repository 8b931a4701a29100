#ifndef CLI_SCORE_H
#define CLI_SCORE_H

#include "cli/options.h"
#include "cli/progress.h"

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

/* Scores of a data set, beside what the search found on the way. */
typedef struct cli_scores {
    size_t n;
    float *scores;    /* [n] */
    float *generated; /* [n][height][width][channels], where asked for */
    float *trace;     /* [n][restarts][iterations], where options->trace is set */
} cli_scores;

/* Searches for every image, with progress titled `title`. Returns an exit code;
 * cli_scores_free() in every case. */
int cli_score_images(cli_scores *out, const ano_model *model, const ano_dataset *images,
                     const cli_options *options, const char *title, bool keep_generated);
void cli_scores_free(cli_scores *scores);

/* Writes options->trace, where it is set: a row for each image and iteration. */
int cli_write_trace(const cli_scores *scores, const ano_dataset *images,
                    const cli_options *options);

#endif
