/* What a data set holds, counted. */
#ifndef CLI_INVENTORY_H
#define CLI_INVENTORY_H

#include "cli/options.h"

#include <jansson.h>
#include <stdbool.h>

/* Whether a file is to be opened as a data set: an image or a manifest, or one that is broken. */
bool cli_is_dataset(const char *file);

/* Of the data set at options->run: *out, owned by the caller, = {"kind", "splits": whether it has
 * any, "height", "width" and "channels": [least, most], "train" and "test": {CLASS: images}, which
 * are alike where there are no splits, "masks", "other_files", "unreadable"}. Every image's header
 * is read; *first_unreadable gets the error of the first that cannot be. Errors: those of
 * ano_dataset_open(), CANCELLED. */
ano_status cli_inventory(json_t **out, ano_error *first_unreadable, const cli_options *options,
                         ano_error *err);
void cli_inventory_print(const json_t *inventory, const ano_error *first_unreadable);

#endif
