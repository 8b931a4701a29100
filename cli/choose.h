#ifndef CLI_CHOOSE_H
#define CLI_CHOOSE_H

#include "cli/options.h"

/* Sets options->search.pool where that is left to the program: the sum for whole images; for tiles
 * what ano_choose_pool() finds on `normals`, which cli_split_training() set aside for it, and says
 * so on stderr. Returns an exit code. */
int cli_choose_pool(cli_options *options, const ano_model *model, const ano_dataset *normals);

#endif
