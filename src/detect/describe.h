/* Images as the vectors of a kind of memory. */
#ifndef DETECT_DESCRIBE_H
#define DETECT_DESCRIBE_H

#include "model/features.h"

typedef struct detect_describer detect_describer;

/* For as many threads as there are now; the model must outlive it. Errors: those of
 * model_memory_length(). */
ano_status detect_describer_create(detect_describer **out, const ano_model *model, ano_memory kind,
                                   ano_error *err);
void detect_describer_free(detect_describer *describer);

/* How many numbers there are in an image as model_memory_view() has it, and in a vector. */
size_t detect_describer_image(const detect_describer *describer);
size_t detect_describer_length(const detect_describer *describer);

/* The grids that follow one another in a vector; returns how many there are. */
size_t detect_describer_grids(eval_grid grids[MODEL_FEATURES_MAPS],
                              const detect_describer *describer);

/* dst [n][length] describes images [n][image]; each depends on its image and the model alone. */
ano_status detect_describe(float *dst, detect_describer *describer, const float *images, size_t n,
                           ano_error *err);

#endif
