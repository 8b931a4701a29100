/* What a model remembers of the normal images that it was trained on, and its file holds: of each
 * kind of description the vectors that were kept, or of the classifier of transformed images its
 * parameters, as one vector; and how far from them new normal images are. */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include "eval/descriptors.h"
#include "format/safetensors.h"
#include "model/model.h"

#include <jansson.h>

/* Whether it remembers anything. */
bool model_memory_holds(const model_memory *memory);

/* Frees what the memory points to: nothing is remembered. */
void model_memory_clear(model_memory *memory);

/* How images are seen for a kind of description: whole, of the networks' size; where these see
 * tiles, of 64 × 64 pixels, but for features of the tiles' size. */
ano_view model_memory_view(const ano_model *model, ano_memory kind);

/* The descriptor of histograms or random filters. */
eval_descriptor_kind model_memory_descriptor(ano_memory kind);

/* d, the length of a kind's vectors; of transforms, how many parameters the network has. Errors:
 * SHAPE (such images have no such description), ARG (the model has neither a discriminator nor an
 * encoder). */
ano_status model_memory_length(size_t *d, const ano_model *model, ano_memory kind, ano_error *err);

/* Whether that is the name of a tensor that the memory has in a file. */
bool model_memory_has(const model_memory *memory, const char *name);

/* All but the vectors; the caller decrefs it. NULL: no memory. */
json_t *model_memory_metadata(const model_memory *memory);
/* The vectors, "memory.histograms" [n][d] …; returns how many there are, at most ANO_MEMORIES. */
size_t model_memory_tensors(format_tensor *tensors, const model_memory *memory);

/* Reads both back, when the networks are. Errors: FORMAT (names the field), SHAPE (vectors that are
 * not of their kind's length). */
ano_status model_memory_read(ano_model *model, const json_t *object, const format_safetensors *file,
                             ano_error *err);

#endif
