/* The model file: a safetensors file of "generator.…" and "discriminator.…" tensors, with the
 * architecture, the preprocessing and the calibration as JSON in its metadata. */
#ifndef MODEL_MODEL_FILE_H
#define MODEL_MODEL_FILE_H

#include "format/safetensors.h"
#include "model/model.h"

#include <jansson.h>

/* The JSON that a model file's metadata holds; the caller decrefs it. NULL: no memory. */
json_t *model_metadata(const ano_model *model);

/* A model of what model_metadata() wrote, laid out. FORMAT names the field that is wrong. */
ano_status model_from_metadata(ano_model **out, const json_t *metadata, ano_error *err);

/* A VAE's variance from there, which is missing before training. */
ano_status model_read_variance(ano_model *model, const json_t *metadata, ano_error *err);

/* The tensors of a network under their names in files, for writing; names [n_tensors] is memory for
 * the names. Returns how many, n_tensors. */
typedef char model_tensor_name[NN_TENSOR_NAME_SIZE + 16];
size_t model_list_tensors(format_tensor *tensors, model_tensor_name *names, const ano_model *model,
                          ano_network network);

/* Copies a network's numbers from the file. */
ano_status model_copy_tensors(ano_model *model, ano_network network, const format_safetensors *file,
                              ano_error *err);

/* Writes one network alone to `path`. */
ano_status model_save_network(const ano_model *model, ano_network network, const char *path,
                              ano_error *err);

/* Parses the JSON text of a file's metadata; the caller decrefs *out. */
ano_status model_parse_metadata(json_t **out, const format_safetensors *file, const char *path,
                                ano_error *err);

#endif
