#include "model/model_file.h"

#include "base/json.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "model/calibration.h"
#include "model/memory.h"
#include "model/networks.h"
#include "model/prior.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Raised when a reader of the old version would misread the new file. */
enum { MODEL_FILE_VERSION = 1 };

static const char *const fit_names[] = {
    [ANO_FIT_RESIZE] = "resize",
    [ANO_FIT_CROP] = "crop",
    [ANO_FIT_PAD] = "pad",
};
enum { N_FITS = sizeof fit_names / sizeof *fit_names };

json_t *model_metadata(const ano_model *model)
{
    const ano_model_config *config = &model->config;
    const ano_calibration *calibration = &model->calibration;
    const ano_view *view = &model->view;
    json_t *root = json_pack(
        "{s:i, s:s, s:{s:s, s:s, s:i, s:i, s:i, s:i}, s:{s:[i,i], s:[f,f], s:s, s:i, s:f}}",
        "version", MODEL_FILE_VERSION, "program", "anogan " ANOGAN_VERSION, "architecture", "kind",
        "dcgan", "method", ano_method_name(config->method), "size", config->size, "channels",
        config->channels, "latent", config->latent, "base_width", config->base_width,
        "preprocessing", "from", 0, 255, "to", -1.0, 1.0, "fit", fit_names[view->fit], "stride",
        view->stride, "scale", view->scale);
    if (root != NULL && config->method != ANO_METHOD_PATCH &&
        json_object_set_new(json_object_get(root, "architecture"), "prior",
                            json_string(ano_prior_name(config->prior))) != 0) {
        json_decref(root);
        return NULL;
    }
    if (root != NULL && model->variance > 0 &&
        json_object_set_new(root, "variance", json_real(model->variance)) != 0) {
        json_decref(root);
        return NULL;
    }
    if (root != NULL && calibration->n > 0 &&
        json_object_set_new(root, "calibration", model_calibration_metadata(calibration)) != 0) {
        json_decref(root);
        return NULL;
    }
    if (root != NULL && model_memory_holds(&model->memory) &&
        json_object_set_new(root, "memory", model_memory_metadata(&model->memory)) != 0) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static ano_status read_int(int *out, const json_t *object, const char *key, ano_error *err)
{
    const json_t *value = json_object_get(object, key);
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > INT_MAX)
        return base_error(err, ANO_FORMAT, "metadata: %s is missing or no whole number", key);
    *out = (int)number;
    return ANO_OK;
}

/* The view of a model of that config. The first files have none of its fields. */
static ano_status read_view(ano_view *out, const json_t *object, const ano_model_config *config,
                            ano_error *err)
{
    const json_t *fit = json_object_get(object, "fit");
    const json_t *scale = json_object_get(object, "scale");
    *out = (ano_view){.size = config->size};
    if (fit != NULL) {
        const char *name = json_string_value(fit);
        int i = 0;
        while (i < N_FITS && (name == NULL || strcmp(name, fit_names[i]) != 0))
            i++;
        if (i == N_FITS)
            return base_error(err, ANO_FORMAT, "metadata: fit is none of resize, crop and pad");
        out->fit = (ano_fit)i;
    }
    if (scale != NULL && !json_is_number(scale))
        return base_error(err, ANO_FORMAT, "metadata: scale is no number");
    out->scale = json_number_value(scale);
    if (json_object_get(object, "stride") != NULL &&
        read_int(&out->stride, object, "stride", err) != ANO_OK)
        return ANO_FORMAT;
    ano_error out_of_range = ANO_ERROR_INIT;
    const ano_shape seen = {config->size, config->size, config->channels};
    if (data_view_resolve(out, seen, &out_of_range) != ANO_OK)
        return base_error(err, ANO_FORMAT, "metadata: %s", out_of_range.message);
    return ANO_OK;
}

ano_status model_read_variance(ano_model *model, const json_t *metadata, ano_error *err)
{
    const json_t *value = json_object_get(metadata, "variance");
    if (value == NULL)
        return ANO_OK;
    const double variance = json_number_value(value);
    if (!json_is_number(value) || !(variance > 0 && variance <= FLT_MAX))
        return base_error(err, ANO_FORMAT, "metadata: variance is no number above 0");
    model->variance = variance;
    return ANO_OK;
}

ano_status model_from_metadata(ano_model **out, const json_t *metadata, ano_error *err)
{
    *out = NULL;
    int version = 0;
    ano_status status = read_int(&version, metadata, "version", err);
    if (status != ANO_OK)
        return status;
    if (version != MODEL_FILE_VERSION)
        return base_error(err, ANO_UNSUPPORTED,
                          "the file is of version %d, this program reads version %d: a newer one "
                          "wrote it and can read it",
                          version, MODEL_FILE_VERSION);
    const json_t *architecture = json_object_get(metadata, "architecture");
    const char *kind = json_string_value(json_object_get(architecture, "kind"));
    if (kind == NULL)
        return base_error(err, ANO_FORMAT, "metadata: architecture.kind is missing");
    if (strcmp(kind, "dcgan") != 0)
        return base_error(err, ANO_UNSUPPORTED,
                          "the networks are of kind \"%s\", only dcgan can be read", kind);
    ano_model_config config = {.method = ANO_METHOD_FC}; /* the first files' */
    const json_t *method = json_object_get(architecture, "method");
    if (method != NULL &&
        (!json_is_string(method) || !model_method_named(&config.method, json_string_value(method))))
        return base_error(err, ANO_UNSUPPORTED, "the model's method is unknown to this program");
    const json_t *prior = json_object_get(architecture, "prior"); /* not in the first files */
    if (prior != NULL &&
        (!json_is_string(prior) || !model_prior_named(&config.prior, json_string_value(prior))))
        return base_error(err, ANO_UNSUPPORTED, "the model's prior is unknown to this program");
    status = read_int(&config.size, architecture, "size", err);
    if (status == ANO_OK)
        status = read_int(&config.channels, architecture, "channels", err);
    if (status == ANO_OK)
        status = read_int(&config.latent, architecture, "latent", err);
    if (status == ANO_OK)
        status = read_int(&config.base_width, architecture, "base_width", err);
    ano_error out_of_range = ANO_ERROR_INIT;
    if (status == ANO_OK && model_config_check(&config, &out_of_range) != ANO_OK)
        return base_error(err, ANO_FORMAT, "metadata: %s", out_of_range.message);
    ano_view view;
    if (status == ANO_OK)
        status = read_view(&view, json_object_get(metadata, "preprocessing"), &config, err);
    if (status == ANO_OK)
        status = model_lay_out(out, &config, err);
    if (status != ANO_OK)
        return status;
    (*out)->view = view;
    status = model_read_variance(*out, metadata, err);
    if (status != ANO_OK) {
        ano_model_free(*out);
        *out = NULL;
    }
    return status;
}

ano_status model_parse_metadata(json_t **out, const format_safetensors *file, const char *path,
                                ano_error *err)
{
    const char *text = format_safetensors_metadata(file);
    if (text == NULL)
        return base_error(err, ANO_FORMAT,
                          "%s: is not a file of anogan's: no \"anogan\" in its "
                          "metadata",
                          path);
    json_error_t where;
    const ano_status status = base_json_read(out, text, strlen(text), &where);
    if (status != ANO_OK)
        return status == ANO_NOMEM ? base_error_nomem(err, path)
                                   : base_error(err, status, "%s: metadata: %s", path, where.text);
    return ANO_OK;
}

/* ---- tensors ------------------------------------------------------------------------------ */

size_t model_list_tensors(format_tensor *tensors, model_tensor_name *names, const ano_model *model,
                          ano_network network)
{
    const nn_net *net = model->networks[network];
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        snprintf(names[i], sizeof names[i], "%s.%s", ano_network_name(network), tensor->name);
        tensors[i] = (format_tensor){
            .name = names[i], .n_dims = tensor->n_dims, .data = nn_net_data(net, tensor)};
        memcpy(tensors[i].dims, tensor->dims, sizeof tensor->dims);
    }
    return (size_t)net->n_tensors;
}

ano_status model_copy_tensors(ano_model *model, ano_network network, const format_safetensors *file,
                              ano_error *err)
{
    const nn_net *net = model->networks[network];
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        model_tensor_name name;
        snprintf(name, sizeof name, "%s.%s", ano_network_name(network), tensor->name);
        const ano_status status = format_safetensors_copy(nn_net_data(net, tensor), file, name,
                                                          tensor->n_dims, tensor->dims, err);
        if (status != ANO_OK)
            return status;
    }
    return ANO_OK;
}

static ano_status save_networks(const ano_model *model, const bool wanted[MODEL_NETWORKS],
                                const char *path, ano_error *err)
{
    size_t n_tensors = 0;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        n_tensors += wanted[i] ? (size_t)model->networks[i]->n_tensors : 0;
    const bool calibrated = model->calibration.n > 0;
    ano_status status;
    json_t *metadata = model_metadata(model);
    char *text = base_json_text(metadata, JSON_COMPACT);
    format_tensor *tensors = base_alloc(n_tensors + 1 + ANO_MEMORIES, sizeof *tensors);
    model_tensor_name *names = base_alloc(n_tensors, sizeof *names);
    if (text == NULL || tensors == NULL || names == NULL) {
        status = base_error_nomem(err, path);
        goto done;
    }
    size_t n = 0;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (wanted[i])
            n += model_list_tensors(tensors + n, names + n, model, (ano_network)i);
    if (calibrated)
        tensors[n++] = model_calibration_tensor(&model->calibration);
    n += model_memory_tensors(tensors + n, &model->memory);
    status = format_safetensors_write(path, tensors, n, text, err);
done:
    base_free(text);
    json_decref(metadata);
    base_free(tensors);
    base_free(names);
    return status;
}

ano_status model_save_network(const ano_model *model, ano_network network, const char *path,
                              ano_error *err)
{
    bool wanted[MODEL_NETWORKS] = {false};
    wanted[network] = true;
    return save_networks(model, wanted, path, err);
}

ano_status ano_model_save(const ano_model *model, const char *path, ano_error *err)
{
    bool wanted[MODEL_NETWORKS];
    for (int i = 0; i < MODEL_NETWORKS; i++)
        wanted[i] = model->networks[i] != NULL;
    return save_networks(model, wanted, path, err);
}

/* Batch norm divides by the root of it. */
static bool is_variance(const char *name)
{
    static const char word[] = ".moving_variance";
    const size_t length = strlen(name);
    return length >= sizeof word && strcmp(name + length + 1 - sizeof word, word) == 0;
}

/* Numbers that no training leaves behind. */
static ano_status check_numbers(const format_tensor *tensor, const char *path, ano_error *err)
{
    size_t n = 1;
    for (int i = 0; i < tensor->n_dims; i++)
        n *= tensor->dims[i];
    const bool positive = is_variance(tensor->name);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(tensor->data[i]) || (positive && tensor->data[i] < 0))
            return base_error(err, ANO_FORMAT, "%s: tensor '%s': number %zu is %g", path,
                              tensor->name, i, (double)tensor->data[i]);
    return ANO_OK;
}

/* Whether a model of what was read has a tensor of that name. */
static bool belongs(const ano_model *model, const char *name)
{
    for (int i = 0; i < MODEL_NETWORKS; i++) {
        const char *network = ano_network_name((ano_network)i);
        const size_t length = strlen(network);
        if (model->networks[i] != NULL && strncmp(name, network, length) == 0 &&
            name[length] == '.' && nn_net_find(model->networks[i], name + length + 1) != NULL)
            return true;
    }
    return model_calibration_has(&model->calibration, name) ||
           model_memory_has(&model->memory, name);
}

static ano_status check_all_belong(const ano_model *model, const format_safetensors *file,
                                   const char *path, ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < format_safetensors_count(file) && status == ANO_OK; i++) {
        const format_tensor *tensor = format_safetensors_at(file, i);
        status = belongs(model, tensor->name)
                     ? check_numbers(tensor, path, err)
                     : base_error(err, ANO_FORMAT,
                                  "%s: tensor '%s' is not of the model that its metadata describes",
                                  path, tensor->name);
    }
    return status;
}

/* Whether the file has any tensor of the network. */
static bool file_has_network(const format_safetensors *file, ano_network network)
{
    const char *name = ano_network_name(network);
    const size_t length = strlen(name);
    for (size_t i = 0; i < format_safetensors_count(file); i++) {
        const char *tensor = format_safetensors_at(file, i)->name;
        if (strncmp(tensor, name, length) == 0 && tensor[length] == '.')
            return true;
    }
    return false;
}

/* Reads a network, which must be there as it is laid out before it gets any memory. */
static ano_status read_network(ano_model *model, ano_network network,
                               const format_safetensors *file, ano_error *err)
{
    nn_net *net = model->networks[network];
    ano_status status = ANO_OK;
    for (int i = 0; i < net->n_tensors && status == ANO_OK; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        model_tensor_name name;
        snprintf(name, sizeof name, "%s.%s", ano_network_name(network), tensor->name);
        status = format_safetensors_check(file, name, tensor->n_dims, tensor->dims, err);
    }
    if (status == ANO_OK)
        status = nn_net_allocate(net, err);
    return status == ANO_OK ? model_copy_tensors(model, network, file, err) : status;
}

ano_status ano_model_load(ano_model **out, const char *path, ano_error *err)
{
    *out = NULL;
    ano_model *model = NULL;
    json_t *metadata = NULL;
    format_safetensors *file = NULL;
    ano_status status = format_safetensors_open(&file, path, err);
    if (status != ANO_OK)
        return status;
    status = model_parse_metadata(&metadata, file, path, err);
    if (status == ANO_OK && json_object_get(metadata, "training") != NULL)
        status = base_error(err, ANO_UNSUPPORTED,
                            "%s: is a checkpoint of training, not a model; model.safetensors is "
                            "beside it when training has ended",
                            path);
    if (status != ANO_OK)
        goto done;
    status = model_from_metadata(&model, metadata, err);
    if (status != ANO_OK) {
        base_error_context(err, "%s", path);
        goto done;
    }
    int n_found = 0;
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++) {
        if (model->networks[i] == NULL)
            continue;
        if (file_has_network(file, (ano_network)i)) {
            n_found++;
            status = read_network(model, (ano_network)i, file, err);
        } else {
            nn_net_free(model->networks[i]);
            model->networks[i] = NULL;
        }
    }
    /* The first files had a threshold there, and no scores. */
    const json_t *calibration = json_object_get(metadata, "calibration");
    if (status == ANO_OK && calibration != NULL &&
        json_object_get(calibration, "threshold") == NULL &&
        (status = model_calibration_read(model, calibration, file, err)) != ANO_OK)
        base_error_context(err, "%s", path);
    const json_t *memory = json_object_get(metadata, "memory");
    if (status == ANO_OK && memory != NULL &&
        (status = model_memory_read(model, memory, file, err)) != ANO_OK)
        base_error_context(err, "%s", path);
    if (status == ANO_OK && n_found == 0)
        status = base_error(err, ANO_FORMAT, "%s: holds no network of its method, %s", path,
                            ano_method_name(model->config.method));
    if (status == ANO_OK)
        status = check_all_belong(model, file, path, err);
    if (status != ANO_OK)
        goto done;
    *out = model;
    model = NULL;
done:
    ano_model_free(model);
    json_decref(metadata);
    format_safetensors_free(file);
    return status;
}
