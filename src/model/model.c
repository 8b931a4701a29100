#include "model/model.h"

#include "base/memory.h"
#include "base/threads.h"
#include "model/calibration.h"
#include "model/memory.h"
#include "model/networks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- methods and networks ----------------------------------------------------------------- */

/* What there is to know of a network. */
typedef struct network_kind {
    const char *name;
    ano_status (*lay_out)(nn_net **out, const ano_model_config *config, ano_error *err);
    base_purpose purpose; /* of its first numbers */
} network_kind;

static const network_kind network_kinds[MODEL_NETWORKS] = {
    [ANO_GENERATOR] = {"generator", model_generator_lay_out, BASE_PURPOSE_GENERATOR_INIT},
    [ANO_DISCRIMINATOR] = {"discriminator", model_discriminator_lay_out,
                           BASE_PURPOSE_DISCRIMINATOR_INIT},
    [ANO_PATCH_DISCRIMINATOR] = {"patch_discriminator", model_patch_discriminator_lay_out,
                                 BASE_PURPOSE_PATCH_INIT},
    [ANO_ENCODER] = {"encoder", model_encoder_lay_out, BASE_PURPOSE_ENCODER_INIT},
};

/* And of a method. */
typedef struct method_kind {
    const char *name;
    bool has[MODEL_NETWORKS];   /* trains them */
    bool needs[MODEL_NETWORKS]; /* scores by them */
    bool searches;              /* the latent space */
    const char *losses[ANO_MAX_LOSSES];
} method_kind;

static const method_kind method_kinds[] = {
    [ANO_METHOD_FC] = {"fc",
                       {[ANO_GENERATOR] = true, [ANO_DISCRIMINATOR] = true},
                       {[ANO_GENERATOR] = true},
                       true,
                       {"d_loss", "g_loss", "d_real", "d_fake"}},
    [ANO_METHOD_PATCH] = {"patch",
                          {[ANO_PATCH_DISCRIMINATOR] = true},
                          {[ANO_PATCH_DISCRIMINATOR] = true},
                          false,
                          {"p_loss"}},
    [ANO_METHOD_VAE] = {"vae",
                        {[ANO_GENERATOR] = true, [ANO_ENCODER] = true},
                        {[ANO_GENERATOR] = true, [ANO_ENCODER] = true},
                        false,
                        {"vae_loss", "reconstruction", "kl"}},
    [ANO_METHOD_ENCODER] =
        {"encoder",
         {[ANO_GENERATOR] = true, [ANO_DISCRIMINATOR] = true, [ANO_ENCODER] = true},
         {[ANO_GENERATOR] = true, [ANO_DISCRIMINATOR] = true, [ANO_ENCODER] = true},
         false,
         {"d_loss", "g_loss", "penalty", "e_loss"}},
    [ANO_METHOD_LATENT] =
        {"latent", {false}, {[ANO_GENERATOR] = true, [ANO_DISCRIMINATOR] = true}, true, {NULL}},
    [ANO_METHOD_HYBRID] =
        {"hybrid",
         {false},
         {[ANO_GENERATOR] = true, [ANO_DISCRIMINATOR] = true, [ANO_ENCODER] = true},
         true,
         {NULL}},
};
enum { N_METHODS = sizeof method_kinds / sizeof *method_kinds };

const char *ano_network_name(ano_network network)
{
    return network_kinds[network].name;
}

const char *ano_method_name(ano_method method)
{
    return method_kinds[method].name;
}

bool ano_method_needs(ano_method method, ano_network network)
{
    return method_kinds[method].needs[network];
}

bool ano_method_searches(ano_method method)
{
    return method_kinds[method].searches;
}

bool model_method_named(ano_method *method, const char *name)
{
    for (int i = 0; i < N_METHODS; i++)
        if (strcmp(method_kinds[i].name, name) == 0) {
            *method = (ano_method)i;
            return true;
        }
    return false;
}

const char *ano_loss_name(ano_method method, int i)
{
    return i < ANO_MAX_LOSSES ? method_kinds[method].losses[i] : NULL;
}

/* ---- models ------------------------------------------------------------------------------- */

static void describe_kind(char kind[MODEL_KIND_SIZE], const nn_layer *layer)
{
    const int k = layer->kernel;
    switch (layer->kind) {
    case NN_DENSE:
        snprintf(kind, MODEL_KIND_SIZE, "dense");
        break;
    case NN_CONV:
        snprintf(kind, MODEL_KIND_SIZE, "conv %dx%d", k, k);
        break;
    case NN_CONV_TRANSPOSED:
        snprintf(kind, MODEL_KIND_SIZE, "transposed conv %dx%d, stride %d", k, k, k);
        break;
    case NN_BATCH_NORM:
        snprintf(kind, MODEL_KIND_SIZE, "batch norm");
        break;
    case NN_LEAKY_RELU:
        if (layer->slope > 0)
            snprintf(kind, MODEL_KIND_SIZE, "leaky ReLU %g", (double)layer->slope);
        else
            snprintf(kind, MODEL_KIND_SIZE, "ReLU");
        break;
    case NN_TANH:
        snprintf(kind, MODEL_KIND_SIZE, "tanh");
        break;
    case NN_MAX_POOL:
        snprintf(kind, MODEL_KIND_SIZE, "max pool %dx%d", k, k);
        break;
    case NN_RESHAPE:
        snprintf(kind, MODEL_KIND_SIZE, "reshape");
        break;
    }
}

ano_status model_lay_out(ano_model **out, const ano_model_config *config, ano_error *err)
{
    *out = NULL;
    ano_status status = model_config_check(config, err);
    if (status != ANO_OK)
        return status;
    ano_model *model = base_alloc(1, sizeof *model);
    if (model == NULL)
        return base_error_nomem(err, "model");
    model->config = *config;
    model->view = (ano_view){.size = config->size, .channels = config->channels, .scale = 1};
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++) {
        if (!method_kinds[config->method].has[i])
            continue;
        status = network_kinds[i].lay_out(&model->networks[i], config, err);
        if (status != ANO_OK)
            break;
        const nn_net *net = model->networks[i];
        model->layer_kinds[i] = base_alloc((size_t)net->n_layers, MODEL_KIND_SIZE);
        if (model->layer_kinds[i] == NULL)
            status = base_error_nomem(err, "model");
        for (int k = 0; k < net->n_layers && status == ANO_OK; k++)
            describe_kind(model->layer_kinds[i][k], &net->layers[k]);
    }
    if (status != ANO_OK) {
        ano_model_free(model);
        return status;
    }
    *out = model;
    return ANO_OK;
}

ano_status model_create(ano_model **out, const ano_model_config *config, ano_error *err)
{
    ano_status status = model_lay_out(out, config, err);
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++)
        if ((*out)->networks[i] != NULL)
            status = nn_net_allocate((*out)->networks[i], err);
    if (status != ANO_OK) {
        ano_model_free(*out);
        *out = NULL;
    }
    return status;
}

ano_status ano_model_create(ano_model **out, const ano_model_config *config, uint64_t seed,
                            ano_error *err)
{
    const ano_status status = model_create(out, config, err);
    if (status != ANO_OK)
        return status;
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if ((*out)->networks[i] != NULL)
            nn_net_initialise((*out)->networks[i], seed, network_kinds[i].purpose);
    return ANO_OK;
}

void ano_model_free(ano_model *model)
{
    if (model == NULL)
        return;
    model_calibration_clear(model);
    model_memory_clear(&model->memory);
    for (int i = 0; i < MODEL_NETWORKS; i++) {
        nn_net_free(model->networks[i]);
        base_free(model->layer_kinds[i]);
    }
    base_free(model);
}

ano_model_config ano_model_get_config(const ano_model *model)
{
    return model->config;
}

ano_view ano_model_get_view(const ano_model *model)
{
    return model->view;
}

double ano_model_get_sigma(const ano_model *model)
{
    return sqrt(model->variance);
}

int ano_model_layer_count(const ano_model *model, ano_network network)
{
    const nn_net *net = model->networks[network];
    return net != NULL ? net->n_layers : 0;
}

ano_layer_info ano_model_layer(const ano_model *model, ano_network network, int layer)
{
    const nn_net *net = model->networks[network];
    const nn_layer *l = &net->layers[layer];
    ano_layer_info info = {
        .name = l->name,
        .kind = model->layer_kinds[network][layer],
        .dst = {l->dst.h, l->dst.w, l->dst.c},
    };
    for (int i = l->first_tensor; i < l->first_tensor + l->n_tensors; i++) {
        info.n_parameters += net->tensors[i].size;
        info.n_trainable += net->tensors[i].trainable ? net->tensors[i].size : 0;
    }
    return info;
}

ano_status ano_model_generate(float *dst, const ano_model *model, const float *z, size_t n,
                              int threads, ano_error *err)
{
    enum { BLOCK = 16 };
    const nn_net *generator = model->networks[ANO_GENERATOR];
    if (generator == NULL)
        return base_error(err, ANO_ARG, "the model has no generator");
    if (base_threads_check(threads, err) != ANO_OK)
        return ANO_ARG;
    const size_t latent = (size_t)model->config.latent, image = nn_shape_size(generator->dst);
    const int previous = base_threads_enter(threads);
    nn_pass *pass = NULL;
    float *block = base_alloc(BLOCK * latent, sizeof(float));
    ano_status status = block != NULL ? nn_pass_create(&pass, generator, BLOCK, 0, err)
                                      : base_error_nomem(err, "latents");
    for (size_t first = 0; first < n && status == ANO_OK; first += BLOCK) {
        const size_t count = n - first < BLOCK ? n - first : BLOCK;
        const float *images;
        memcpy(block, z + first * latent, count * latent * sizeof(float));
        status = nn_pass_forward(&images, pass, block, err);
        if (status == ANO_OK)
            memcpy(dst + first * image, images, count * image * sizeof(float));
    }
    nn_pass_free(pass);
    base_free(block);
    base_threads_leave(previous);
    return status;
}
