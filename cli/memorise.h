#ifndef CLI_MEMORISE_H
#define CLI_MEMORISE_H

#include "cli/options.h"

/* Gives a trained model the memory that the options ask for, of the images it was trained on, and
 * says so on stderr. `set_aside` are cli_split_training()'s; where they are NULL, there is no
 * memory. Returns an exit code. */
int cli_memorise(ano_model *model, const ano_dataset *training, const ano_dataset *set_aside,
                 const cli_options *options);

#endif
