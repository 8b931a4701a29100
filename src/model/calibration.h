/* The calibration in a model and in its file. */
#ifndef MODEL_CALIBRATION_H
#define MODEL_CALIBRATION_H

#include "format/safetensors.h"
#include "model/model.h"

#include <jansson.h>

/* Frees what the calibration points to: the model is not calibrated. */
void model_calibration_clear(ano_model *model);

/* All but the scores; the caller decrefs it. NULL: no memory. */
json_t *model_calibration_metadata(const ano_calibration *calibration);
/* Whether that is the name of the tensor that the calibration has in a file. */
bool model_calibration_has(const ano_calibration *calibration, const char *name);
/* The scores, "calibration.scores" [n]. */
format_tensor model_calibration_tensor(const ano_calibration *calibration);

/* Reads both back. FORMAT names the field that is wrong, SHAPE where there are not as many scores.
 */
ano_status model_calibration_read(ano_model *model, const json_t *object,
                                  const format_safetensors *file, ano_error *err);

#endif
