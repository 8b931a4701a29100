/* The classes of a labelled data set, each of which a benchmark takes for normal in turn. */
#ifndef CLI_CLASSES_H
#define CLI_CLASSES_H

#include <anogan/anogan.h>

/* A class, and where its images are: in a data set of many classes, of which `normal` is this one,
 * or in an MVTec-style tree of its own, of which `normal` is NULL. */
typedef struct cli_class {
    char *name, *data, *normal;
} cli_class;

typedef struct cli_classes {
    cli_class *items; /* [n], in the order of their names, numbers by their value */
    size_t n;
} cli_classes;

/* Finds the classes with training images of what is at `data`. There may be
 *   - MVTec-style trees in a folder (bottle/train, bottle/test, cable/train …): each is a class;
 *   - a data set with splits;
 *   - one without: then folders of links to its images, links/train/CLASS and links/test/CLASS, are
 *     made, with a fifth of each class, drawn by `seed`, for testing. Those that are there already
 *     are kept.
 * Errors: those of ano_dataset_open(), ARG (fewer than two classes to tell apart; a class with
 * fewer than 2 images), IO. */
ano_status cli_classes_find(cli_classes *out, const char *data, const char *links, uint64_t seed,
                            ano_error *err);
/* Keeps the classes of a comma-separated list, in its order; NULL or "all": all. Errors: ARG (one
 * is not there, or twice). */
ano_status cli_classes_keep(cli_classes *classes, const char *list, ano_error *err);
void cli_classes_free(cli_classes *classes);

#endif
