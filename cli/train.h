#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "cli/options.h"

/* Refuses options of the view that contradict each other. Returns an exit code. */
int cli_check_view(const cli_options *options);
/* Refuses options that training does not take for the method. Returns an exit code. */
int cli_check_training(const cli_options *options);
/* The view that training on options->data has. */
ano_view cli_training_view(const cli_options *options);

/* Trains on options->data into the run folder options->out, calibrates and tests. Refuses a folder
 * that holds a run already, unless it is to be resumed or `replaces` says to write it anew. Returns
 * an exit code. */
int cli_train_and_test(cli_options *options, bool replaces);

#endif
