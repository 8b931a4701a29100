#include "model/networks.h"

#include "model/prior.h"
#include "model/transforms.h"

#include <stdio.h>

#define LEAK 0.2f
/* 1 GB: a mistyped option or a broken file asks for more, no network of use does. */
#define MAX_LAYER_PARAMETERS 0x1p28

enum {
    MAX_SIZE = 256,
    MIN_BLOCKS = 2,
    MAX_BLOCKS = 5, /* of images of 224 and 256 */
    MIN_SIDE = 7,   /* of the smallest maps, where more than the fewest blocks made them */
    MAX_LAYERS = 4 + 4 * MAX_BLOCKS
};

int model_blocks(int size)
{
    for (int n = MAX_BLOCKS; n > MIN_BLOCKS; n--)
        if (size % (1 << n) == 0 && size >> n >= MIN_SIDE)
            return n;
    return MIN_BLOCKS;
}

/* Numbers that an encoder puts out; without one, the latents. */
static int code_size(const ano_model_config *config)
{
    return config->method == ANO_METHOD_VAE ? 2 * config->latent : config->latent;
}

static ano_status check_range(const char *field, int value, int low, int high, ano_error *err)
{
    if (value >= low && value <= high)
        return ANO_OK;
    return base_error(err, ANO_ARG, "%s is %d, but must be from %d to %d", field, value, low, high);
}

ano_status model_config_check(const ano_model_config *config, ano_error *err)
{
    ano_status status = check_range("method", (int)config->method, 0, ANO_METHOD_ENCODER, err);
    if (status == ANO_OK)
        status = check_range("prior", (int)config->prior, 0, ANO_PRIOR_NORMAL, err);
    if (status == ANO_OK && config->method == ANO_METHOD_VAE && config->prior == ANO_PRIOR_UNIFORM)
        status = base_error(err, ANO_ARG, "prior is uniform, but that of vae is normal");
    if (status == ANO_OK && config->method == ANO_METHOD_PATCH && config->prior == ANO_PRIOR_NORMAL)
        status = base_error(err, ANO_ARG, "prior is normal, but patch has no latent vectors");
    if (status == ANO_OK)
        status = check_range("size", config->size, 8, MAX_SIZE, err);
    if (status == ANO_OK && config->size % 4 != 0)
        status = base_error(err, ANO_ARG, "size is %d, but must be a multiple of 4", config->size);
    if (status == ANO_OK)
        status = check_range("channels", config->channels, 1, 4, err);
    if (status == ANO_OK)
        status = check_range("latent", config->latent, 1, 4096, err);
    if (status == ANO_OK)
        status = check_range("base_width", config->base_width, 1, 1024, err);
    const double side = config->size >> model_blocks(config->size);
    const double largest = code_size(config) * side * side * 2 * config->base_width;
    if (status == ANO_OK && largest > MAX_LAYER_PARAMETERS)
        status = base_error(err, ANO_ARG,
                            "size, latent and base_width make a dense layer of %.0f parameters, "
                            "more than %.0f",
                            largest, MAX_LAYER_PARAMETERS);
    return status;
}

/* A network on its way, layer by layer. */
typedef struct description {
    nn_layer_spec specs[MAX_LAYERS];
    char names[MAX_LAYERS][NN_NAME_SIZE];
    int n;
} description;

/* Adds a layer of the name "name_number", or "name" where the number is 0. */
static void add(description *d, const char *name, int number, nn_layer_spec spec)
{
    spec.name = d->names[d->n];
    snprintf(d->names[d->n], NN_NAME_SIZE, number > 0 ? "%s_%d" : "%s", name, number);
    d->specs[d->n++] = spec;
}

/* To twice the side: a transposed convolution to `width` channels and a convolution. */
static void add_upsampling(description *d, int number, int width, int kernel, int channels)
{
    add(d, "conv_transposed", number,
        (nn_layer_spec){NN_CONV_TRANSPOSED, .channels = width, .kernel = 2});
    add(d, "conv", number, (nn_layer_spec){NN_CONV, .channels = channels, .kernel = kernel});
}

ano_status model_generator_lay_out(nn_net **out, const ano_model_config *config, ano_error *err)
{
    const int width = config->base_width, n_blocks = model_blocks(config->size);
    const int side = config->size >> n_blocks;
    const nn_shape first = {side, side, 2 * width};
    description d = {.n = 0};
    add(&d, "dense", 0, (nn_layer_spec){NN_DENSE, .channels = (int)nn_shape_size(first)});
    add(&d, "batch_norm", 1, (nn_layer_spec){.kind = NN_BATCH_NORM});
    add(&d, "leaky_relu", 0, (nn_layer_spec){NN_LEAKY_RELU, .slope = LEAK});
    add(&d, "reshape", 0, (nn_layer_spec){NN_RESHAPE, .shape = first});
    for (int i = 1; i < n_blocks; i++) {
        const int channels = i + 1 < n_blocks ? 2 * width : width;
        add_upsampling(&d, i, channels, 3, channels);
        add(&d, "batch_norm", i + 1, (nn_layer_spec){.kind = NN_BATCH_NORM});
        add(&d, "relu", i, (nn_layer_spec){NN_LEAKY_RELU, .slope = 0});
    }
    add_upsampling(&d, n_blocks, width, 5, config->channels);
    add(&d, "tanh", 0, (nn_layer_spec){.kind = NN_TANH});
    return nn_net_lay_out(out, (nn_shape){1, 1, config->latent}, d.specs, d.n, err);
}

/* From the image to maps of half the side a block. */
static void add_downsampling(description *d, const ano_model_config *config)
{
    const int width = config->base_width, n_blocks = model_blocks(config->size);
    for (int i = 1; i <= n_blocks; i++) {
        const int channels = i > 1 ? 2 * width : width;
        add(d, "conv", i, (nn_layer_spec){NN_CONV, .channels = channels, .kernel = 5});
        add(d, "leaky_relu", i, (nn_layer_spec){NN_LEAKY_RELU, .slope = LEAK});
        add(d, "max_pool", i, (nn_layer_spec){NN_MAX_POOL, .kernel = 2});
    }
}

ano_status model_discriminator_lay_out(nn_net **out, const ano_model_config *config, ano_error *err)
{
    description d = {.n = 0};
    add_downsampling(&d, config);
    add(&d, "dense", 0, (nn_layer_spec){NN_DENSE, .channels = 1});
    const nn_shape image = {config->size, config->size, config->channels};
    return nn_net_lay_out(out, image, d.specs, d.n, err);
}

ano_status model_encoder_lay_out(nn_net **out, const ano_model_config *config, ano_error *err)
{
    description d = {.n = 0};
    add_downsampling(&d, config);
    add(&d, "dense", 0, (nn_layer_spec){NN_DENSE, .channels = code_size(config)});
    if (model_prior(config) == ANO_PRIOR_UNIFORM) /* z itself, in the prior's range */
        add(&d, "tanh", 0, (nn_layer_spec){.kind = NN_TANH});
    const nn_shape image = {config->size, config->size, config->channels};
    return nn_net_lay_out(out, image, d.specs, d.n, err);
}

int model_feature_layers(const nn_net *net, int block)
{
    int seen = 0, end = 0;
    for (int i = 0; i < net->n_layers && (block == 0 || seen < block); i++)
        if (net->layers[i].kind == NN_MAX_POOL) {
            seen++;
            end = i + 1;
        }
    return block == 0 || seen == block ? end : 0;
}

ano_status model_patch_discriminator_lay_out(nn_net **out, const ano_model_config *config,
                                             ano_error *err)
{
    enum { N_CONVOLUTIONS = 3, N_POOLS = 2 }; /* MODEL_CELL = 2^N_POOLS */
    const int width = config->base_width;
    description d = {.n = 0};
    for (int i = 1; i <= N_CONVOLUTIONS; i++) {
        const int channels = i > 1 ? 2 * width : width;
        add(&d, "conv", i, (nn_layer_spec){NN_CONV, .channels = channels, .kernel = 5});
        add(&d, "leaky_relu", i, (nn_layer_spec){NN_LEAKY_RELU, .slope = LEAK});
        if (i <= N_POOLS)
            add(&d, "max_pool", i, (nn_layer_spec){NN_MAX_POOL, .kernel = 2});
    }
    add(&d, "conv", N_CONVOLUTIONS + 1, (nn_layer_spec){NN_CONV, .channels = 1, .kernel = 3});
    const nn_shape image = {config->size, config->size, config->channels};
    return nn_net_lay_out(out, image, d.specs, d.n, err);
}

ano_status model_transforms_lay_out(nn_net **out, int size, int channels, ano_error *err)
{
    enum { WIDTH = 16 };
    description d = {.n = 0};
    for (int i = 1; i <= model_blocks(size); i++) {
        add(&d, "conv", i,
            (nn_layer_spec){NN_CONV, .channels = i > 1 ? 2 * WIDTH : WIDTH, .kernel = 3});
        add(&d, "leaky_relu", i, (nn_layer_spec){NN_LEAKY_RELU, .slope = LEAK});
        add(&d, "max_pool", i, (nn_layer_spec){NN_MAX_POOL, .kernel = 2});
    }
    add(&d, "dense", 0, (nn_layer_spec){NN_DENSE, .channels = MODEL_TRANSFORMS});
    return nn_net_lay_out(out, (nn_shape){size, size, channels}, d.specs, d.n, err);
}

/* ---- with numbers ------------------------------------------------------------------------- */

/* What a function above came to, with memory for the numbers. */
static ano_status allocate(nn_net **net, ano_status laid_out, ano_error *err)
{
    if (laid_out != ANO_OK)
        return laid_out;
    const ano_status status = nn_net_allocate(*net, err);
    if (status != ANO_OK) {
        nn_net_free(*net);
        *net = NULL;
    }
    return status;
}

ano_status model_generator_create(nn_net **out, const ano_model_config *config, ano_error *err)
{
    return allocate(out, model_generator_lay_out(out, config, err), err);
}

ano_status model_discriminator_create(nn_net **out, const ano_model_config *config, ano_error *err)
{
    return allocate(out, model_discriminator_lay_out(out, config, err), err);
}

ano_status model_patch_discriminator_create(nn_net **out, const ano_model_config *config,
                                            ano_error *err)
{
    return allocate(out, model_patch_discriminator_lay_out(out, config, err), err);
}

ano_status model_transforms_create(nn_net **out, int size, int channels, ano_error *err)
{
    return allocate(out, model_transforms_lay_out(out, size, channels, err), err);
}
