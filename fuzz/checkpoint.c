/* Checkpoints: one that is read has counters within what was asked for; one that is refused leaves
 * an error that names it. The input is a whole file, and the metadata of a file whose tensors and
 * check sum are good. */
#include "target.h"

#include "base/file.h"
#include "base/memory.h"
#include "memory_file.h"
#include "tensor_file.h"
#include "train/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { EPOCHS = 3 };

static char folder[] = "/tmp/anogan_fuzz_XXXXXX";

static train_state make_state(void)
{
    static const ano_model_config config = {8, 1, 3, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};
    train_state state = {.history = base_alloc(EPOCHS, sizeof(ano_epoch))};
    if (state.history == NULL || ano_model_create(&state.model, &config, 1, NULL) != ANO_OK)
        abort();
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (state.model->networks[i] != NULL &&
            nn_adam_init(&state.adam[i], state.model->networks[i]->n_parameters, 0.1, 0.5, 0.9,
                         NULL) != ANO_OK)
            abort();
    return state;
}

static void clear_state(train_state *state)
{
    for (int i = 0; i < MODEL_NETWORKS; i++)
        nn_adam_clear(&state->adam[i]);
    ano_model_free(state->model);
    base_free(state->history);
}

static ano_train_options make_options(void)
{
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.epochs = EPOCHS;
    options.run_dir = folder;
    return options;
}

static void tell(const char *message, void *cookie)
{
    (void)message, (void)cookie;
}

/* Puts the file in the checkpoint's place and reads it. */
static void load(const char *path)
{
    static train_state state;
    const ano_train_options options = make_options();
    char *place = base_path_join(folder, "checkpoint.safetensors");
    ano_error err = ANO_ERROR_INIT;
    bool found;
    if (state.model == NULL)
        state = make_state();
    if (path == NULL || place == NULL || symlink(path, place) != 0)
        abort();
    const ano_status status = train_checkpoint_load(&found, &state, &options, tell, NULL, &err);
    if (status != err.status || found != (status == ANO_OK) ||
        (status == ANO_OK && (state.epoch < 0 || state.epoch > EPOCHS || state.step < 0)) ||
        (status != ANO_OK && strstr(err.message, place) == NULL))
        abort();
    unlink(place);
    base_free(place);
}

/* The check sum that a checkpoint of that metadata and the good tensors has. Theirs lie in the
 * file as they are summed. */
static char *with_sum(const uint8_t *bytes, size_t size, const tensor_file *good)
{
    json_t *metadata = json_loadb((const char *)bytes, size, 0, NULL);
    json_object_del(metadata, "crc32");
    char *text = metadata != NULL ? json_dumps(metadata, JSON_COMPACT) : NULL;
    if (text != NULL) {
        uLong sum = crc32_z(crc32(0, NULL, 0), (const Bytef *)text, strlen(text));
        sum = crc32_z(sum, good->data, good->data_size);
        json_object_set_new(metadata, "crc32", json_integer((json_int_t)sum));
        free(text);
        text = json_dumps(metadata, JSON_COMPACT);
    }
    json_decref(metadata);
    return text;
}

static tensor_file good_file(void)
{
    train_state state = make_state();
    const ano_train_options options = make_options();
    char *place = base_path_join(folder, "checkpoint.safetensors");
    state.epoch = 1;
    if (place == NULL || train_checkpoint_save(&state, &options, NULL) != ANO_OK)
        abort();
    const tensor_file good = tensor_file_open(place);
    unlink(place);
    base_free(place);
    clear_state(&state);
    return good;
}

static void remove_folder(void)
{
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static tensor_file good;
    if (good.header == NULL) {
        if (mkdtemp(folder) == NULL || atexit(remove_folder) != 0)
            abort();
        good = good_file();
    }
    load(fuzz_memory_file(bytes, size));
    char *text = with_sum(bytes, size, &good);
    if (text != NULL)
        load(tensor_file_with_metadata(&good, text, strlen(text)));
    free(text);
    return 0;
}
