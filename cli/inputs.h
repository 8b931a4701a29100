/* What a command line names to be scored. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "cli/options.h"

/* Opens options->inputs, or where there are none options->data, as `model` sees images. "-" stands
 * for the paths on stdin, one a line. Returns an exit code. */
int cli_inputs_open(ano_dataset **out, const ano_model *model, const cli_options *options);

/* How an image is called: its path, for one of an IDX file with #INDEX after it. */
void cli_image_name(char *dst, size_t size, const ano_dataset *images, size_t i);

#endif
