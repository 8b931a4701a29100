/* What scoring found of the test images: scores, pictures, and how the maps agree with the masks.
 */
#ifndef CLI_TESTED_H
#define CLI_TESTED_H

#include "cli/score.h"
#include "report/page.h"

enum { CLI_EXAMPLES = 6 }; /* at most, of false alarms and of misses */

typedef struct cli_tested {
    size_t n, n_skipped; /* images that have a score; that could not be read */
    /* All [n], in the data set's order; texts are the data set's. */
    float *scores;
    int *labels;
    size_t *indices; /* in the file; for images in files of their own, in the data set */
    const char **paths, **classes;

    bool has_pixels; /* there are masks */
    ano_pixel_result pixels;
    /* The worst first. */
    report_example false_alarms[CLI_EXAMPLES], misses[CLI_EXAMPLES];
    size_t n_false_alarms, n_misses;
} cli_tested;

/* Scores `images`; writes into options->out/predict a picture of each and options->trace where it
 * is asked for. Images above `threshold` count as called anomalous. Returns an exit code;
 * cli_tested_free() in every case, before the data set. */
int cli_tested_score(cli_tested *out, const ano_model *model, const ano_dataset *images,
                     double threshold, const cli_options *options);
void cli_tested_free(cli_tested *tested);

#endif
