#include "train/checkpoint.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/model_file.h"
#include "nn/choose.h"
#include "train/gan.h"

#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Where checkpoints lie, from the newest: one that was written but is not yet in its place, the
 * last, the one before it … Each is written whole to the first place, and then all move on by one;
 * whichever of the moves a power cut undoes, the newest comes first. */
enum { PLACE_NEW, PLACE_LAST, MAX_PLACES = 102 };

static char *place_path(const char *run_dir, int place)
{
    char name[48] = "checkpoint.safetensors";
    if (place == PLACE_NEW)
        snprintf(name, sizeof name, "checkpoint_new.safetensors");
    else if (place > PLACE_LAST)
        snprintf(name, sizeof name, "checkpoint_%d.safetensors", place - PLACE_LAST);
    return base_path_join(run_dir, name);
}

/* ---- the counters and options as JSON ----------------------------------------------------- */

/* What may not change between a run's parts: it would not be the same run. */
static json_t *options_json(const train_state *state, const ano_train_options *o)
{
    const ano_augment *a = &o->augment;
    json_t *options = json_pack(
        "{s:i, s:i, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "batch", o->batch,
        "conv", (int)o->conv, "learning_rate", o->learning_rate, "beta1", o->beta1, "beta2",
        o->beta2, "flip", (json_int_t)a->flip, "shift", a->shift, "rotate", a->rotate, "brightness",
        a->brightness, "contrast", a->contrast, "cache", (json_int_t)o->cache, "seed",
        (json_int_t)o->seed, "images_crc", (json_int_t)state->images_crc);
    const ano_method method = state->model->config.method;
    bool whole = options != NULL;
    if (whole && method == ANO_METHOD_ENCODER)
        whole =
            json_object_set_new(options, "encoding", json_integer((json_int_t)o->encoding)) == 0;
    if (whole && (method == ANO_METHOD_FC || method == ANO_METHOD_ENCODER)) {
        json_t *gan = json_pack("{s:i, s:f, s:b, s:f}", "gan_loss", (int)train_gan_loss(method, o),
                                "label_smoothing", o->label_smoothing, "spectral_norm",
                                (int)o->spectral_norm, "average", o->average);
        whole = gan != NULL && json_object_update(options, gan) == 0;
        json_decref(gan);
    }
    if (whole)
        return options;
    json_decref(options);
    return NULL;
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
        for (int i = 0; i < ano_model_layer_count(model, (ano_network)n); i++) {
            const nn_layer *layer = &model->networks[n]->layers[i];
            char name[2 * NN_NAME_SIZE];
            snprintf(name, sizeof name, "%s.%s", ano_network_name((ano_network)n), layer->name);
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
        for (int i = 0; i < ano_model_layer_count(model, (ano_network)n); i++) {
            nn_layer *layer = &model->networks[n]->layers[i];
            char name[2 * NN_NAME_SIZE];
            snprintf(name, sizeof name, "%s.%s", ano_network_name((ano_network)n), layer->name);
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

/* An epoch's row: the losses, seconds, images per second. */
enum { HISTORY_COLUMNS = ANO_MAX_LOSSES + 2 };

/* NULL: no memory. */
static json_t *numbers_json(const double *numbers, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n && array != NULL; i++)
        if (json_array_append_new(array, json_real(numbers[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static json_t *history_json(const train_state *state)
{
    json_t *rows = json_array();
    for (int i = 0; i < state->epoch && rows != NULL; i++) {
        const ano_epoch *e = &state->history[i];
        double row[HISTORY_COLUMNS] = {0};
        memcpy(row, e->losses, sizeof e->losses);
        row[ANO_MAX_LOSSES] = e->seconds;
        row[ANO_MAX_LOSSES + 1] = e->images_per_second;
        if (json_array_append_new(rows, numbers_json(row, HISTORY_COLUMNS)) != 0) {
            json_decref(rows);
            rows = NULL;
        }
    }
    return rows;
}

enum { SUMS = ANO_MAX_LOSSES + 1 };

static json_t *state_json(const train_state *state, const ano_train_options *options)
{
    double sums[SUMS] = {0}, steps[MODEL_NETWORKS];
    memcpy(sums, state->sums.losses, sizeof state->sums.losses);
    sums[ANO_MAX_LOSSES] = state->sums.seconds;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        steps[i] = (double)state->adam[i].steps;
    json_t *root = model_metadata(state->model);
    json_t *training =
        json_pack("{s:o, s:o, s:i, s:i, s:o, s:o, s:o}", "options", options_json(state, options),
                  "convolutions", methods_json(state->model), "epoch", state->epoch, "step",
                  state->step, "sums", numbers_json(sums, SUMS), "adam_steps",
                  numbers_json(steps, MODEL_NETWORKS), "history", history_json(state));
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
        char *before = base_json_text(json_object_get(stored, key), JSON_ENCODE_ANY);
        char *now = base_json_text(value, JSON_ENCODE_ANY);
        base_error(err, ANO_ARG, "the run cannot be resumed: %s %s was %s and is now %s", what, key,
                   before != NULL ? before : "missing", now != NULL ? now : "missing");
        base_free(before);
        base_free(now);
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
    double sums[SUMS], steps[MODEL_NETWORKS];
    ano_status status = read_numbers(sums, SUMS, json_object_get(training, "sums"), "sums", err);
    if (status == ANO_OK)
        status = read_numbers(steps, MODEL_NETWORKS, json_object_get(training, "adam_steps"),
                              "adam_steps", err);
    for (int i = 0; i < state->epoch && status == ANO_OK; i++) {
        double row[HISTORY_COLUMNS];
        status =
            read_numbers(row, HISTORY_COLUMNS, json_array_get(history, (size_t)i), "history", err);
        if (status != ANO_OK)
            break;
        ano_epoch *e = &state->history[i];
        *e = (ano_epoch){.epoch = i + 1,
                         .seconds = row[ANO_MAX_LOSSES],
                         .images_per_second = row[ANO_MAX_LOSSES + 1]};
        memcpy(e->losses, row, sizeof e->losses);
    }
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++)
        if (!(steps[i] >= 0 && steps[i] < 0x1p53))
            status = base_error(err, ANO_FORMAT, "training.adam_steps is out of range");
    if (status != ANO_OK)
        return status;
    memcpy(state->sums.losses, sums, sizeof state->sums.losses);
    state->sums.seconds = sums[ANO_MAX_LOSSES];
    for (int i = 0; i < MODEL_NETWORKS; i++)
        state->adam[i].steps = (uint64_t)steps[i];
    return ANO_OK;
}

/* ---- what is beside the networks, as tensors ----------------------------------------------- */

enum { MAX_ARRAYS = 2 * MODEL_NETWORKS + TRAIN_WEIGHTS_ARRAYS };

/* The moments of every network's optimiser, under "generator.adam_m" and so on, and what is trained
 * where the model has something that is made of it. */
typedef struct state_arrays {
    format_tensor tensors[MAX_ARRAYS];
    float *data[MAX_ARRAYS];
    model_tensor_name names[MAX_ARRAYS];
    size_t n;
} state_arrays;

static void add_array(state_arrays *out, float *data, size_t n)
{
    out->data[out->n] = data;
    out->tensors[out->n] =
        (format_tensor){.name = out->names[out->n], .n_dims = 1, .dims = {n}, .data = data};
    out->n++;
}

static void list_arrays(state_arrays *out, const train_state *state)
{
    train_weights_array weights[TRAIN_WEIGHTS_ARRAYS];
    const int n_weights = train_weights_arrays(weights, &state->weights);
    out->n = 0;
    for (int i = 0; i < 2 * MODEL_NETWORKS; i++) {
        const nn_adam *adam = &state->adam[i / 2];
        if (state->model->networks[i / 2] == NULL)
            continue;
        snprintf(out->names[out->n], sizeof out->names[0], "%s.adam_%c",
                 ano_network_name((ano_network)(i / 2)), i % 2 == 0 ? 'm' : 'v');
        add_array(out, i % 2 == 0 ? adam->m : adam->v, adam->n);
    }
    for (int i = 0; i < n_weights; i++) {
        snprintf(out->names[out->n], sizeof out->names[0], "%s", weights[i].name);
        add_array(out, weights[i].data, weights[i].n);
    }
}

/* ---- the check sum ------------------------------------------------------------------------ */

/* CRC-32 of the metadata without it, and of the numbers. */
static bool check_sum(uint32_t *out, const json_t *metadata, const format_tensor *tensors, size_t n)
{
    char *text = base_json_text(metadata, JSON_COMPACT);
    if (text == NULL)
        return false;
    uLong crc = crc32_z(crc32(0, NULL, 0), (const Bytef *)text, strlen(text));
    for (size_t i = 0; i < n; i++) {
        size_t count = 1;
        for (int d = 0; d < tensors[i].n_dims; d++)
            count *= tensors[i].dims[d];
        crc = crc32_z(crc, (const Bytef *)tensors[i].data, count * sizeof(float));
    }
    base_free(text);
    *out = (uint32_t)crc;
    return true;
}

/* Takes the check sum out of the metadata. */
static ano_status verify_sum(json_t *metadata, const format_safetensors *file, const char *path,
                             ano_error *err)
{
    const size_t n = format_safetensors_count(file);
    const json_int_t stored = json_integer_value(json_object_get(metadata, "crc32"));
    json_object_del(metadata, "crc32");
    format_tensor *tensors = base_alloc(n, sizeof *tensors);
    uint32_t found;
    for (size_t i = 0; i < n && tensors != NULL; i++)
        tensors[i] = *format_safetensors_at(file, i);
    ano_status status = ANO_OK;
    if (tensors == NULL || !check_sum(&found, metadata, tensors, n))
        status = base_error_nomem(err, path);
    else if (found != stored)
        status = base_error(err, ANO_FORMAT, "%s: is damaged: its check sum is wrong", path);
    base_free(tensors);
    return status;
}

/* ---- a file ------------------------------------------------------------------------------- */

static ano_status write_file(const char *path, const train_state *state,
                             const ano_train_options *options, ano_error *err)
{
    state_arrays arrays;
    list_arrays(&arrays, state);
    size_t n_tensors = arrays.n;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (state->model->networks[i] != NULL)
            n_tensors += (size_t)state->model->networks[i]->n_tensors;
    ano_status status;
    json_t *metadata = state_json(state, options);
    char *text = NULL;
    format_tensor *tensors = base_alloc(n_tensors, sizeof *tensors);
    model_tensor_name *names = base_alloc(n_tensors, sizeof *names);
    if (metadata == NULL || tensors == NULL || names == NULL) {
        status = base_error_nomem(err, "checkpoint");
        goto done;
    }
    size_t n = 0;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (state->model->networks[i] != NULL)
            n += model_list_tensors(tensors + n, names + n, state->model, (ano_network)i);
    memcpy(tensors + n, arrays.tensors, arrays.n * sizeof *tensors);
    uint32_t sum;
    if (!check_sum(&sum, metadata, tensors, n_tensors) ||
        json_object_set_new(metadata, "crc32", json_integer(sum)) != 0 ||
        (text = base_json_text(metadata, JSON_COMPACT)) == NULL)
        status = base_error_nomem(err, "checkpoint");
    else
        status = format_safetensors_write(path, tensors, n_tensors, text, err);
done:
    base_free(text);
    json_decref(metadata);
    base_free(tensors);
    base_free(names);
    return status;
}

static ano_status read_file(train_state *state, const char *path, const ano_train_options *options,
                            ano_error *err)
{
    format_safetensors *file = NULL;
    json_t *metadata = NULL;
    json_t *asked_options = options_json(state, options);
    json_t *asked_model = model_metadata(state->model);
    ano_status status = ANO_OK;
    if (asked_options == NULL || asked_model == NULL) {
        status = base_error_nomem(err, "checkpoint");
        goto done;
    }
    status = format_safetensors_open(&file, path, err);
    if (status == ANO_OK)
        status = model_parse_metadata(&metadata, file, path, err);
    if (status == ANO_OK)
        status = verify_sum(metadata, file, path, err);
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
    if (status == ANO_OK)
        status = model_read_variance(state->model, metadata, err);
    if (status != ANO_OK)
        base_error_context(err, "%s", path);
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++)
        if (state->model->networks[i] != NULL)
            status = model_copy_tensors(state->model, (ano_network)i, file, err);
    state_arrays arrays;
    list_arrays(&arrays, state);
    for (size_t i = 0; i < arrays.n && status == ANO_OK; i++)
        status = format_safetensors_copy(arrays.data[i], file, arrays.names[i], 1,
                                         arrays.tensors[i].dims, err);
done:
    json_decref(asked_options);
    json_decref(asked_model);
    json_decref(metadata);
    format_safetensors_free(file);
    return status;
}

/* ---- the places --------------------------------------------------------------------------- */

/* Moves what is at `place` to the next. */
static ano_status move_on(const char *run_dir, int place, ano_error *err)
{
    char *from = place_path(run_dir, place), *to = place_path(run_dir, place + 1);
    const ano_status status = from != NULL && to != NULL ? base_file_move(from, to, err)
                                                         : base_error_nomem(err, "checkpoint");
    base_free(from);
    base_free(to);
    return status;
}

/* Removes what is at `place`; *removed is false where there is nothing to remove. */
static ano_status remove_at(bool *removed, const char *run_dir, int place, ano_error *err)
{
    char *path = place_path(run_dir, place);
    *removed = path != NULL && unlink(path) == 0;
    base_free(path);
    return path != NULL ? ANO_OK : base_error_nomem(err, "checkpoint");
}

ano_status train_checkpoint_save(const train_state *state, const ano_train_options *options,
                                 ano_error *err)
{
    char *path = place_path(options->run_dir, PLACE_NEW);
    ano_status status =
        path != NULL ? write_file(path, state, options, err) : base_error_nomem(err, "checkpoint");
    base_free(path);
    for (int place = options->keep_checkpoints - 1; place >= 0 && status == ANO_OK; place--)
        status = move_on(options->run_dir, place, err);
    bool removed = true;
    for (int place = options->keep_checkpoints + 1;
         place < MAX_PLACES && status == ANO_OK && removed; place++)
        status = remove_at(&removed, options->run_dir, place, err);
    return status;
}

ano_status train_checkpoint_clear(const char *run_dir, ano_error *err)
{
    enum { GAP = 3 }; /* more than a process that died between two moves left empty */
    ano_status status = ANO_OK;
    for (int place = 0, missing = 0; place < MAX_PLACES && missing < GAP && status == ANO_OK;
         place++) {
        bool removed;
        status = remove_at(&removed, run_dir, place, err);
        missing = removed ? 0 : missing + 1;
    }
    return status;
}

ano_status train_checkpoint_load(bool *found, train_state *state, const ano_train_options *options,
                                 train_tell *tell, void *cookie, ano_error *err)
{
    ano_error damaged = ANO_ERROR_INIT; /* of the one before */
    *found = false;
    for (int place = 0; place < MAX_PLACES; place++) {
        char *path = place_path(options->run_dir, place);
        if (path == NULL)
            return base_error_nomem(err, "checkpoint");
        if (access(path, F_OK) != 0) {
            base_free(path);
            continue;
        }
        if (damaged.status != ANO_OK) {
            char message[sizeof damaged.message + 64];
            snprintf(message, sizeof message, "%s; the checkpoint before it is tried",
                     damaged.message);
            tell(message, cookie);
        }
        damaged = (ano_error)ANO_ERROR_INIT;
        const ano_status status = read_file(state, path, options, &damaged);
        base_free(path);
        if (status == ANO_OK) {
            *found = true;
            return ANO_OK;
        }
        if (status == ANO_ARG || status == ANO_NOMEM)
            return base_error(err, status, "%s", damaged.message);
    }
    if (damaged.status == ANO_OK)
        return ANO_OK;
    return base_error(err, damaged.status, "%s; there is no other checkpoint to go on from",
                      damaged.message);
}
