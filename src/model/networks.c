#include "model/networks.h"

#define LEAK 0.2f
/* 1 GB: a mistyped option or a broken file asks for more, no network of use does. */
#define MAX_LAYER_PARAMETERS 0x1p28
#define N_SPECS(specs) ((int)(sizeof(specs) / sizeof *(specs)))

static ano_status check_range(const char *field, int value, int low, int high, ano_error *err)
{
    if (value >= low && value <= high)
        return ANO_OK;
    return base_error(err, ANO_ARG, "%s is %d, but must be from %d to %d", field, value, low, high);
}

ano_status model_config_check(const ano_model_config *config, ano_error *err)
{
    ano_status status = check_range("size", config->size, 8, 1024, err);
    if (status == ANO_OK && config->size % 4 != 0)
        status = base_error(err, ANO_ARG, "size is %d, but must be a multiple of 4", config->size);
    if (status == ANO_OK)
        status = check_range("channels", config->channels, 1, 4, err);
    if (status == ANO_OK)
        status = check_range("latent", config->latent, 1, 4096, err);
    if (status == ANO_OK)
        status = check_range("base_width", config->base_width, 1, 1024, err);
    const double quarter = config->size / 4;
    const double largest = config->latent * quarter * quarter * 2 * config->base_width;
    if (status == ANO_OK && largest > MAX_LAYER_PARAMETERS)
        status = base_error(err, ANO_ARG,
                            "size, latent and base_width make a dense layer of %.0f parameters, "
                            "more than %.0f",
                            largest, MAX_LAYER_PARAMETERS);
    return status;
}

ano_status model_generator_create(nn_net **out, const ano_model_config *config, ano_error *err)
{
    const int width = config->base_width, quarter = config->size / 4;
    const nn_shape inner = {quarter, quarter, 2 * width};
    const nn_layer_spec specs[] = {
        {NN_DENSE, .name = "dense", .channels = (int)nn_shape_size(inner)},
        {NN_BATCH_NORM, .name = "batch_norm_1"},
        {NN_LEAKY_RELU, .name = "leaky_relu", .slope = LEAK},
        {NN_RESHAPE, .name = "reshape", .shape = inner},
        {NN_CONV_TRANSPOSED, .name = "conv_transposed_1", .channels = width, .kernel = 2},
        {NN_CONV, .name = "conv_1", .channels = width, .kernel = 3},
        {NN_BATCH_NORM, .name = "batch_norm_2"},
        {NN_LEAKY_RELU, .name = "relu", .slope = 0},
        {NN_CONV_TRANSPOSED, .name = "conv_transposed_2", .channels = width, .kernel = 2},
        {NN_CONV, .name = "conv_2", .channels = config->channels, .kernel = 5},
        {NN_TANH, .name = "tanh"},
    };
    return nn_net_create(out, (nn_shape){1, 1, config->latent}, specs, N_SPECS(specs), err);
}

ano_status model_discriminator_create(nn_net **out, const ano_model_config *config, ano_error *err)
{
    const int width = config->base_width;
    const nn_layer_spec specs[] = {
        {NN_CONV, .name = "conv_1", .channels = width, .kernel = 5},
        {NN_LEAKY_RELU, .name = "leaky_relu_1", .slope = LEAK},
        {NN_MAX_POOL, .name = "max_pool_1", .kernel = 2},
        {NN_CONV, .name = "conv_2", .channels = 2 * width, .kernel = 5},
        {NN_LEAKY_RELU, .name = "leaky_relu_2", .slope = LEAK},
        {NN_MAX_POOL, .name = "max_pool_2", .kernel = 2},
        {NN_DENSE, .name = "dense", .channels = 1},
    };
    const nn_shape image = {config->size, config->size, config->channels};
    return nn_net_create(out, image, specs, N_SPECS(specs), err);
}
