/* The anomaly maps of a scoring call, as files in one folder. */
#ifndef CLI_MAPS_H
#define CLI_MAPS_H

#include "cli/run.h"
#include "report/maps.h"

typedef struct cli_maps {
    const char *folder; /* NULL: none are written */
    report_map_format format;
    bool *needs_number; /* [n_images], of the data set under way: another has the same name */
    double high;        /* the value of the top colour, for all of them */
    report_maps *maps;  /* of the image under way; NULL: it has none */
    ano_error why;      /* it has none: it could not be read once more for them */
} cli_maps;

/* The value of a map that gets the top colour: twice the highest that normal images have which
 * training has not seen, so that in half of the colours normal images have their place. */
double cli_maps_high(const ano_model *model, ano_map map);

/* Refuses a map that the model does not have. Returns an exit code. */
int cli_maps_check(const cli_run *run, ano_map map);

/* Makes the folder options->maps. */
ano_status cli_maps_begin(cli_maps *out, const cli_options *options, const ano_model *model,
                          ano_error *err);

/* Gives the images of a data set their names: class and file, and where that is not enough the
 * image's number. */
ano_status cli_maps_name(cli_maps *maps, const ano_dataset *images, ano_error *err);

/* The next strip of an image; its first one begins its files. An image that was read for its score
 * but cannot be read again for its map does without: `why` says so then. */
ano_status cli_maps_strip(cli_maps *maps, const ano_dataset *images, const ano_strip *strip,
                          ano_error *err);
/* Puts the image's files in place. */
ano_status cli_maps_end(cli_maps *maps, ano_error *err);
/* Leaves none, if any are under way. */
void cli_maps_drop(cli_maps *maps);
void cli_maps_close(cli_maps *maps);

#endif
