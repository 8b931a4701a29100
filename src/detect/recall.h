/* One kind of a model's memory at work: how far images are from what it remembers. */
#ifndef DETECT_RECALL_H
#define DETECT_RECALL_H

#include "data/dataset.h"
#include "model/model.h"

typedef struct detect_recall detect_recall;

/* Of a bank of that kind, which need not be the model's yet; `maps`: maps will be wanted. For as
 * many threads as there are now; model and bank must outlive it. Errors: those of
 * model_memory_length(). */
ano_status detect_recall_create(detect_recall **out, const ano_model *model, ano_memory kind,
                                const model_bank *bank, bool maps, ano_error *err);
void detect_recall_free(detect_recall *recall);

/* How an image is seen for the kind, and how many numbers it then has. */
ano_shape detect_recall_shape(const detect_recall *recall);
size_t detect_recall_image(const detect_recall *recall);

/* dst [n], distances of images [n][image]: each depends on its image and the bank alone. maps
 * [n][height][width], where maps are wanted, else NULL: what a pixel has of the squared distance,
 * linear between the middles of the cells that a vector describes, and the maps of a network's
 * layers added up; of transforms, as detect_transforms_confusions() has it. */
ano_status detect_recall_distances(float *dst, float *maps, detect_recall *recall,
                                   const float *images, size_t n, ano_error *err);

/* dst [size][size][channels] = image i of a data set as model_memory_view() has it for a kind,
 * whatever the data set's own view. */
ano_status detect_recall_read(float *dst, const ano_model *model, ano_memory kind,
                              const ano_dataset *dataset, size_t i, ano_error *err);

#endif
