/* A model's memory at work: how far images are from the normal ones that it remembers. */
#ifndef DETECT_MEMORY_H
#define DETECT_MEMORY_H

#include "data/dataset.h"
#include "model/model.h"

typedef struct detect_memory detect_memory;

/* *out = NULL where the model has none. `map` says which kind's maps will be wanted, or of all of
 * them the sum, each divided by the highest value that is usual of it. For as many threads as there
 * are now; the model must outlive it. Errors: ARG (that kind is not remembered, or for the sum none
 * is). */
ano_status detect_memory_create(detect_memory **out, const ano_model *model, ano_map map,
                                ano_error *err);
void detect_memory_free(detect_memory *memory);

/* Of the maps: as the kind sees images, or the one of all that sees them largest; without maps {0}.
 */
ano_shape detect_memory_map_shape(const detect_memory *memory);

/* (ln score - mean) / sd, but not less than -6. */
double detect_standardised(model_usual usual, double score);

/* dst [n][ANO_MEMORIES] = the standardised and weighted distances of images to those remembered,
 * NaN of a kind that is not, of a model that sees images whole: [n][size][size][channels]. What is
 * found of one depends on neither the others nor their number. maps [n][size][size] as
 * detect_recall_distances() has them; NULL without maps. */
ano_status detect_memory_compare(double *dst, float *maps, detect_memory *memory,
                                 const float *images, size_t n, ano_error *err);

/* The same, dst [ANO_MEMORIES] and map of detect_memory_map_shape(), of image i of a data set that
 * the model sees in tiles: it is read again, whole, and with nothing drawn onto it. Errors: also
 * those of ano_dataset_read(). */
ano_status detect_memory_compare_read(double *dst, float *map, detect_memory *memory,
                                      const ano_dataset *dataset, size_t i, ano_error *err);

/* What a map is divided by for the sum of all. */
float detect_map_unit(model_usual usual);

/* What the kinds add to a score. */
double detect_memory_sum(const double parts[ANO_MEMORIES]);

#endif
