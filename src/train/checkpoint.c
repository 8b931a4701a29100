#include "train/checkpoint.h"

#include "base/file.h"
#include "base/memory.h"
#include "model/model_file.h"
#include "nn/choose.h"

#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_NAME "checkpoint.safetensors"

/* ---- the counters and options as JSON ----------------------------------------------------- */

/* What may not change between a run's parts: it would not be the same run. */
static json_t *options_json(const train_state *state, const ano_train_options *o)
{
    const ano_augment *a = &o->augment;
    return json_pack("{s:i, s:i, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "batch",
                     o->batch, "conv", (int)o->conv, "learning_rate", o->learning_rate, "beta1",
                     o->beta1, "beta2", o->beta2, "flip", (json_int_t)a->flip, "shift", a->shift,
                     "rotate", a->rotate, "brightness", a->brightness, "contrast", a->contrast,
                     "cache", (json_int_t)o->cache, "seed", (json_int_t)o->seed, "images_crc",
                     (json_int_t)state->images_crc);
}

static const char *const method_names[] = {
    [NN_CONV_DIRECT] = "direct", [NN_CONV_WINOGRAD] = "winograd", [NN_CONV_FFT] = "fft",
    [NN_CONV_THIN] = "thin",     [NN_CONV_COMPOSED] = "composed",
};
enum { N_METHODS = sizeof method_names / sizeof *method_names };

/* How each convolution is computed: {"generator.conv_1": "winograd", …}. */
static json_t *methods_json(const ano_model *model)
{
    json_t *methods = json_object();
    for (int n = 0; n < MODEL_NETWORKS; n++)
        for (int i = 0; i < model->networks[n]->n_layers; i++) {
            const nn_layer *layer = &model->networks[n]->layers[i];
            char name[2 * NN_NAME_SIZE];
            snprintf(name, sizeof name, "%s.%s", model_network_name((ano_network)n), layer->name);
            if (layer->kind == NN_CONV &&
                json_object_set_new(methods, name, json_string(method_names[layer->method])) != 0) {
                json_decref(methods);
                return NULL;
            }
        }
    return methods;
}

static ano_status read_methods(const ano_model *model, const json_t *methods, ano_error *err)
{
    for (int n = 0; n < MODEL_NETWORKS; n++)
        for (int i = 0; i < model->networks[n]->n_layers; i++) {
            nn_layer *layer = &model->networks[n]->layers[i];
            char name[2 * NN_NAME_SIZE];
            snprintf(name, sizeof name, "%s.%s", model_network_name((ano_network)n), layer->name);
            if (layer->kind != NN_CONV)
                continue;
            const char *stored = json_string_value(json_object_get(methods, name));
            int method = 0;
            while (stored != NULL && method < N_METHODS &&
                   strcmp(stored, method_names[method]) != 0)
                method++;
            if (stored == NULL || method == N_METHODS ||
                !nn_conv_can(model->networks[n], i, (nn_conv_method)method))
                return base_error(err, ANO_FORMAT,
                                  "training.convolutions: %s is missing or unknown", name);
            layer->method = (nn_conv_method)method;
        }
    return ANO_OK;
}

/* An epoch's row: d_loss, g_loss, d_real, d_fake, seconds, images per second. */
enum { HISTORY_COLUMNS = 6 };

static json_t *history_json(const train_state *state)
{
    json_t *rows = json_array();
    for (int i = 0; i < state->epoch && rows != NULL; i++) {
        const ano_epoch *e = &state->history[i];
        json_t *row = json_pack("[f,f,f,f,f,f]", e->d_loss, e->g_loss, e->d_real, e->d_fake,
                                e->seconds, e->images_per_second);
        if (json_array_append_new(rows, row) != 0) {
            json_decref(rows);
            rows = NULL;
        }
    }
    return rows;
}

static json_t *state_json(const train_state *state, const ano_train_options *options)
{
    const train_sums *sums = &state->sums;
    json_t *root = model_metadata(state->model);
    json_t *training = json_pack(
        "{s:o, s:o, s:i, s:i, s:[f,f,f,f,f], s:[I,I], s:o}", "options",
        options_json(state, options), "convolutions", methods_json(state->model), "epoch",
        state->epoch, "step", state->step, "sums", sums->d_loss, sums->g_loss, sums->d_real,
        sums->d_fake, sums->seconds, "adam_steps", (json_int_t)state->adam[ANO_GENERATOR].steps,
        (json_int_t)state->adam[ANO_DISCRIMINATOR].steps, "history", history_json(state));
    if (json_object_set_new(root, "training", training) != 0) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static ano_status check_same(const json_t *stored, const json_t *asked, const char *what,
                             ano_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)asked, key, value)
    {
        if (json_equal(json_object_get(stored, key), value))
            continue;
        if (strcmp(key, "images_crc") == 0)
            return base_error(err, ANO_ARG,
                              "the run cannot be resumed: its training images were others");
        char *before = json_dumps(json_object_get(stored, key), JSON_ENCODE_ANY);
        char *now = json_dumps(value, JSON_ENCODE_ANY);
        base_error(err, ANO_ARG, "the run cannot be resumed: %s %s was %s and is now %s", what, key,
                   before != NULL ? before : "missing", now != NULL ? now : "missing");
        free(before);
        free(now);
        return ANO_ARG;
    }
    return ANO_OK;
}

/* The n numbers of an array of JSON. */
static ano_status read_numbers(double *dst, size_t n, const json_t *array, const char *key,
                               ano_error *err)
{
    if (json_array_size(array) != n)
        return base_error(err, ANO_FORMAT, "training.%s must be a list of %zu numbers", key, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *number = json_array_get(array, i);
        if (!json_is_number(number))
            return base_error(err, ANO_FORMAT, "training.%s must be a list of numbers", key);
        dst[i] = json_number_value(number);
    }
    return ANO_OK;
}

static ano_status read_counters(train_state *state, const json_t *training, int epochs,
                                ano_error *err)
{
    const json_t *epoch_json = json_object_get(training, "epoch");
    const json_t *step_json = json_object_get(training, "step");
    const json_t *history = json_object_get(training, "history");
    const json_int_t epoch = json_integer_value(epoch_json), step = json_integer_value(step_json);
    if (!json_is_integer(epoch_json) || !json_is_integer(step_json) || !json_is_array(history) ||
        epoch < 0 || step < 0 || step > INT32_MAX || json_array_size(history) != (size_t)epoch)
        return base_error(err, ANO_FORMAT, "training: epoch, step and history do not agree");
    if (epoch > epochs)
        return base_error(err, ANO_ARG,
                          "the run cannot be resumed: %d epochs are done and only %d are asked for",
                          (int)epoch, epochs);
    state->epoch = (int)epoch;
    state->step = (int)step;
    double sums[5], steps[MODEL_NETWORKS];
    ano_status status = read_numbers(sums, 5, json_object_get(training, "sums"), "sums", err);
    if (status == ANO_OK)
        status = read_numbers(steps, MODEL_NETWORKS, json_object_get(training, "adam_steps"),
                              "adam_steps", err);
    for (int i = 0; i < state->epoch && status == ANO_OK; i++) {
        double row[HISTORY_COLUMNS];
        status =
            read_numbers(row, HISTORY_COLUMNS, json_array_get(history, (size_t)i), "history", err);
        if (status == ANO_OK)
            state->history[i] = (ano_epoch){i + 1, row[0], row[1], row[2], row[3], row[4], row[5]};
    }
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++)
        if (!(steps[i] >= 0 && steps[i] < 0x1p53))
            status = base_error(err, ANO_FORMAT, "training.adam_steps is out of range");
    if (status != ANO_OK)
        return status;
    state->sums = (train_sums){sums[0], sums[1], sums[2], sums[3], sums[4]};
    for (int i = 0; i < MODEL_NETWORKS; i++)
        state->adam[i].steps = (uint64_t)steps[i];
    return ANO_OK;
}

/* ---- the moments as tensors --------------------------------------------------------------- */

enum { MOMENT_TENSORS = 2 * MODEL_NETWORKS };

/* The tensors of both optimisers, under "generator.adam_m" and so on. */
static void list_moments(format_tensor tensors[MOMENT_TENSORS], const train_state *state)
{
    static const char *const names[MOMENT_TENSORS] = {
        "generator.adam_m", "generator.adam_v", "discriminator.adam_m", "discriminator.adam_v"};
    for (int i = 0; i < MOMENT_TENSORS; i++) {
        const nn_adam *adam = &state->adam[i / 2];
        tensors[i] = (format_tensor){.name = names[i],
                                     .n_dims = 1,
                                     .dims = {adam->n},
                                     .data = i % 2 == 0 ? adam->m : adam->v};
    }
}

ano_status train_checkpoint_save(const train_state *state, const ano_train_options *options,
                                 ano_error *err)
{
    size_t n_tensors = MOMENT_TENSORS;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        n_tensors += (size_t)state->model->networks[i]->n_tensors;
    ano_status status;
    json_t *metadata = state_json(state, options);
    char *text = metadata != NULL ? json_dumps(metadata, JSON_COMPACT) : NULL;
    char *path = base_path_join(options->run_dir, CHECKPOINT_NAME);
    format_tensor *tensors = base_alloc(n_tensors, sizeof *tensors);
    model_tensor_name *names = base_alloc(n_tensors, sizeof *names);
    if (text == NULL || path == NULL || tensors == NULL || names == NULL) {
        status = base_error_nomem(err, "checkpoint");
        goto done;
    }
    size_t n = 0;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        n += model_list_tensors(tensors + n, names + n, state->model, (ano_network)i);
    list_moments(tensors + n, state);
    status = format_safetensors_write(path, tensors, n_tensors, text, err);
done:
    free(text);
    json_decref(metadata);
    base_free(path);
    base_free(tensors);
    base_free(names);
    return status;
}

ano_status train_checkpoint_load(train_state *state, const ano_train_options *options,
                                 ano_error *err)
{
    format_safetensors *file = NULL;
    json_t *metadata = NULL;
    json_t *asked_options = options_json(state, options);
    json_t *asked_model = model_metadata(state->model);
    ano_status status = ANO_OK;
    char *path = base_path_join(options->run_dir, CHECKPOINT_NAME);
    if (asked_options == NULL || asked_model == NULL || path == NULL) {
        status = base_error_nomem(err, "checkpoint");
        goto done;
    }
    status = format_safetensors_open(&file, path, err);
    if (status == ANO_OK)
        status = model_parse_metadata(&metadata, file, path, err);
    if (status != ANO_OK)
        goto done;
    const json_t *training = json_object_get(metadata, "training");
    status = check_same(json_object_get(metadata, "architecture"),
                        json_object_get(asked_model, "architecture"), "the model's", err);
    if (status == ANO_OK)
        status = check_same(json_object_get(metadata, "preprocessing"),
                            json_object_get(asked_model, "preprocessing"), "the images'", err);
    if (status == ANO_OK)
        status = check_same(json_object_get(training, "options"), asked_options, "the option", err);
    if (status == ANO_OK)
        status = read_methods(state->model, json_object_get(training, "convolutions"), err);
    if (status == ANO_OK)
        status = read_counters(state, training, options->epochs, err);
    if (status != ANO_OK)
        base_error_context(err, "%s", path);
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++)
        status = model_copy_tensors(state->model, (ano_network)i, file, err);
    format_tensor moments[MOMENT_TENSORS];
    list_moments(moments, state);
    for (int i = 0; i < MOMENT_TENSORS && status == ANO_OK; i++)
        status = format_safetensors_copy(i % 2 == 0 ? state->adam[i / 2].m : state->adam[i / 2].v,
                                         file, moments[i].name, 1, moments[i].dims, err);
done:
    base_free(path);
    json_decref(asked_options);
    json_decref(asked_model);
    json_decref(metadata);
    format_safetensors_free(file);
    return status;
}
