/* A model's memory, and how the model file holds it: the vectors as tensors, what distances are
 * usual as JSON in the metadata. */
#include "model/memory.h"

#include "base/memory.h"
#include "model/features.h"
#include "model/networks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WHOLE_SIZE = 64 }; /* of images that the networks see in tiles */

static const char *const names[ANO_MEMORIES] = {
    [ANO_MEMORY_HISTOGRAMS] = "histograms",
    [ANO_MEMORY_RANDOM] = "random",
    [ANO_MEMORY_FEATURES] = "features",
    [ANO_MEMORY_TRANSFORMS] = "transforms",
};
static const char *const tensor_names[ANO_MEMORIES] = {
    [ANO_MEMORY_HISTOGRAMS] = "memory.histograms",
    [ANO_MEMORY_RANDOM] = "memory.random",
    [ANO_MEMORY_FEATURES] = "memory.features",
    [ANO_MEMORY_TRANSFORMS] = "memory.transforms",
};

const char *ano_memory_name(ano_memory kind)
{
    return names[kind];
}

const char *ano_map_name(ano_map map)
{
    return map == ANO_MAP_METHOD ? "method"
           : map == ANO_MAP_ALL  ? "all"
                                 : names[(int)map - (int)ANO_MAP_HISTOGRAMS];
}

ano_memory_info ano_model_get_memory(const ano_model *model, ano_memory kind)
{
    const model_bank *bank = &model->memory.banks[kind];
    return (ano_memory_info){.n = bank->n, .length = bank->d};
}

static const model_bank *bank_of(const ano_model *model, ano_map map)
{
    return &model->memory.banks[(int)map - (int)ANO_MAP_HISTOGRAMS];
}

bool ano_model_has_map(const ano_model *model, ano_map map)
{
    return map == ANO_MAP_METHOD ||
           (map == ANO_MAP_ALL ? model_memory_holds(&model->memory) : bank_of(model, map)->n > 0);
}

float ano_model_map_high(const ano_model *model, ano_map map)
{
    return map == ANO_MAP_ALL         ? 1
           : map != ANO_MAP_METHOD    ? bank_of(model, map)->usual.map_high
           : model->calibration.n > 0 ? model->calibration.map_high
                                      : 0;
}

bool model_memory_holds(const model_memory *memory)
{
    for (int i = 0; i < ANO_MEMORIES; i++)
        if (memory->banks[i].n > 0)
            return true;
    return false;
}

void model_memory_clear(model_memory *memory)
{
    for (int i = 0; i < ANO_MEMORIES; i++)
        base_free(memory->banks[i].vectors);
    *memory = (model_memory){0};
}

ano_view model_memory_view(const ano_model *model, ano_memory kind)
{
    if (model->view.stride == 0)
        return model->view;
    return (ano_view){.size = kind == ANO_MEMORY_FEATURES ? model->config.size : WHOLE_SIZE,
                      .channels = model->config.channels,
                      .fit = ANO_FIT_RESIZE,
                      .scale = 1};
}

eval_descriptor_kind model_memory_descriptor(ano_memory kind)
{
    return kind == ANO_MEMORY_RANDOM ? EVAL_RANDOM : EVAL_HISTOGRAMS;
}

ano_status model_memory_length(size_t *d, const ano_model *model, ano_memory kind, ano_error *err)
{
    if (kind == ANO_MEMORY_FEATURES) {
        const nn_net *net = model_features_net(model);
        if (net == NULL)
            return base_error(err, ANO_ARG,
                              "memory: the model has neither a discriminator nor an encoder");
        *d = model_features_length(net);
        return ANO_OK;
    }
    const ano_view view = model_memory_view(model, kind);
    ano_status status = ANO_OK;
    if (kind == ANO_MEMORY_TRANSFORMS) {
        nn_net *net = NULL;
        status = model_transforms_lay_out(&net, view.size, view.channels, err);
        *d = status == ANO_OK ? net->n_parameters : 0;
        nn_net_free(net);
        return status;
    }
    eval_descriptor *descriptor;
    status = eval_descriptor_create(&descriptor, model_memory_descriptor(kind),
                                    (ano_shape){view.size, view.size, view.channels}, err);
    if (status != ANO_OK)
        return status;
    *d = eval_descriptor_length(descriptor);
    eval_descriptor_free(descriptor);
    return ANO_OK;
}

/* ---- in a file ---------------------------------------------------------------------------- */

static json_t *usual_as_json(model_usual usual)
{
    return json_pack("{s:f, s:f, s:f}", "mean", usual.mean, "sd", usual.sd, "map_high",
                     (double)usual.map_high);
}

json_t *model_memory_metadata(const model_memory *memory)
{
    json_t *object = json_pack("{s:o}", "method", usual_as_json(memory->method));
    for (int i = 0; i < ANO_MEMORIES && object != NULL; i++)
        if (memory->banks[i].n > 0 &&
            json_object_set_new(object, names[i], usual_as_json(memory->banks[i].usual)) != 0) {
            json_decref(object);
            object = NULL;
        }
    return object;
}

size_t model_memory_tensors(format_tensor *tensors, const model_memory *memory)
{
    size_t n = 0;
    for (int i = 0; i < ANO_MEMORIES; i++) {
        const model_bank *bank = &memory->banks[i];
        if (bank->n > 0)
            tensors[n++] = (format_tensor){.name = tensor_names[i],
                                           .n_dims = 2,
                                           .dims = {bank->n, bank->d},
                                           .data = bank->vectors};
    }
    return n;
}

bool model_memory_has(const model_memory *memory, const char *name)
{
    for (int i = 0; i < ANO_MEMORIES; i++)
        if (memory->banks[i].n > 0 && strcmp(tensor_names[i], name) == 0)
            return true;
    return false;
}

/* The first files had no map_high: it is 0 then. */
static ano_status read_usual(model_usual *out, const json_t *object, const char *name,
                             ano_error *err)
{
    const json_t *usual = json_object_get(object, name);
    const json_t *mean = json_object_get(usual, "mean"), *sd = json_object_get(usual, "sd");
    const json_t *high = json_object_get(usual, "map_high");
    *out = (model_usual){json_number_value(mean), json_number_value(sd),
                         (float)json_number_value(high)};
    if (json_is_number(mean) && fabs(out->mean) <= MODEL_MOST_USUAL && json_is_number(sd) &&
        out->sd >= MODEL_LEAST_SPREAD && out->sd <= MODEL_MOST_USUAL &&
        (high == NULL || json_is_number(high)) && out->map_high >= 0 && isfinite(out->map_high))
        return ANO_OK;
    return base_error(err, ANO_FORMAT, "metadata: memory: %s is missing or out of range", name);
}

static ano_status read_vectors(model_bank *bank, ano_memory kind, const format_tensor *tensor,
                               size_t d, ano_error *err)
{
    if (tensor->n_dims != 2 || tensor->dims[0] == 0 || tensor->dims[1] != d)
        return base_error(err, ANO_SHAPE, "%s: is not of vectors of %zu numbers", tensor->name, d);
    const size_t n = tensor->dims[0];
    if (kind == ANO_MEMORY_TRANSFORMS && n != 1)
        return base_error(err, ANO_SHAPE, "%s: is not of one network", tensor->name);
    if (n > MODEL_MEMORY_NUMBERS / d && n > 1)
        return base_error(err, ANO_SHAPE, "%s: holds more than the %d numbers that are kept",
                          tensor->name, MODEL_MEMORY_NUMBERS);
    for (size_t i = 0; i < n * d; i++)
        if (!isfinite(tensor->data[i]))
            return base_error(err, ANO_FORMAT, "%s: number %zu is not finite", tensor->name, i);
    bank->vectors = base_alloc(n * d, sizeof(float));
    if (bank->vectors == NULL)
        return base_error_nomem(err, "memory");
    memcpy(bank->vectors, tensor->data, n * d * sizeof(float));
    bank->n = n;
    bank->d = d;
    return ANO_OK;
}

static const format_tensor *find_tensor(const format_safetensors *file, const char *name)
{
    for (size_t i = 0; i < format_safetensors_count(file); i++)
        if (strcmp(format_safetensors_at(file, i)->name, name) == 0)
            return format_safetensors_at(file, i);
    return NULL;
}

static ano_status read_bank(ano_model *model, ano_memory kind, const json_t *object,
                            const format_safetensors *file, ano_error *err)
{
    model_bank *bank = &model->memory.banks[kind];
    const format_tensor *tensor = find_tensor(file, tensor_names[kind]);
    size_t d = 0;
    if (tensor == NULL)
        return base_error(err, ANO_FORMAT, "metadata: memory: there is no %s", tensor_names[kind]);
    ano_error refused = ANO_ERROR_INIT;
    ano_status status = model_memory_length(&d, model, kind, &refused);
    if (status != ANO_OK)
        return base_error(err, status == ANO_ARG ? ANO_FORMAT : status, "%s", refused.message);
    status = read_usual(&bank->usual, object, names[kind], err);
    return status == ANO_OK ? read_vectors(bank, kind, tensor, d, err) : status;
}

ano_status model_memory_read(ano_model *model, const json_t *object, const format_safetensors *file,
                             ano_error *err)
{
    ano_status status = read_usual(&model->memory.method, object, "method", err);
    for (int i = 0; i < ANO_MEMORIES && status == ANO_OK; i++)
        if (json_object_get(object, names[i]) != NULL)
            status = read_bank(model, (ano_memory)i, object, file, err);
    if (status == ANO_OK && !model_memory_holds(&model->memory))
        status = base_error(err, ANO_FORMAT, "metadata: memory: nothing is remembered");
    return status;
}
