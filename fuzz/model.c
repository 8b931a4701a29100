/* The model file: what is loaded has finite numbers and the size of its networks; what is refused
 * leaves no model, and an error that begins with the file's name. The input is a whole file, the
 * header of a file whose numbers are good, and the metadata of one whose tensors are good. */
#include "target.h"

#include "base/memory.h"
#include "memory_file.h"
#include "model/memory.h"
#include "tensor_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_SCORES = 3, N_VECTORS = 2 };

static void check_network(const ano_model *model, ano_network network)
{
    const nn_net *net = model->networks[network];
    for (size_t i = 0; net != NULL && i < net->n_parameters; i++)
        if (!isfinite(net->parameters[i]))
            abort();
    size_t n = 0;
    for (int i = 0; i < ano_model_layer_count(model, network); i++)
        n += ano_model_layer(model, network, i).n_trainable;
    if (net != NULL && n != net->n_parameters)
        abort();
}

static void load(const char *path)
{
    ano_error err = ANO_ERROR_INIT;
    ano_model *model;
    if (path == NULL)
        return;
    if (ano_model_load(&model, path, &err) != ANO_OK) {
        if (err.status == ANO_OK || strncmp(err.message, path, strlen(path)) != 0 || model != NULL)
            abort();
        return;
    }
    for (int i = 0; i < ANO_NETWORKS; i++)
        check_network(model, (ano_network)i);
    const ano_calibration calibration = ano_model_get_calibration(model);
    for (size_t i = 1; i < calibration.n; i++)
        if (!(calibration.scores[i - 1] <= calibration.scores[i]))
            abort();
    ano_model_free(model);
}

/* A small model that holds all that a file can hold. */
static ano_model *whole_model(ano_method method)
{
    static const float scores[N_SCORES] = {1, 2, 3};
    const ano_model_config config = {8, 1, 3, 2, method, ANO_PRIOR_OF_METHOD};
    const ano_calibration calibration = {
        .scores = scores, .n = N_SCORES, .map_high = 1, .how = ANO_SCORE_OPTIONS_INIT};
    ano_model *model;
    if (ano_model_create(&model, &config, 1, NULL) != ANO_OK ||
        ano_model_set_calibration(model, &calibration, NULL) != ANO_OK)
        abort();
    model->memory.method = (model_usual){1, 1, 1};
    for (int kind = 0; kind < ANO_MEMORIES; kind++) {
        model_bank *bank = &model->memory.banks[kind];
        size_t d;
        if (model_memory_length(&d, model, (ano_memory)kind, NULL) != ANO_OK)
            continue; /* such small images have no such description */
        *bank = (model_bank){N_VECTORS, d, base_alloc(N_VECTORS * d, sizeof(float)), {1, 1, 1}};
        if (bank->vectors == NULL)
            abort();
    }
    return model;
}

static tensor_file good_file(ano_method method)
{
    char path[] = "/tmp/anogan_fuzz_XXXXXX";
    const int descriptor = mkstemp(path);
    ano_model *model = whole_model(method);
    if (descriptor < 0 || ano_model_save(model, path, NULL) != ANO_OK)
        abort();
    const tensor_file good = tensor_file_open(path);
    close(descriptor);
    unlink(path);
    ano_model_free(model);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { N_METHODS = ANO_METHOD_PATCH + 1 };
    static tensor_file good[N_METHODS];
    const char *text = (const char *)bytes;
    for (int method = 0; method < N_METHODS; method++) {
        if (good[method].header == NULL)
            good[method] = good_file((ano_method)method);
        load(tensor_file_with_header(&good[method], text, size));
        load(tensor_file_with_metadata(&good[method], text, size));
    }
    load(fuzz_memory_file(bytes, size));
    return 0;
}
