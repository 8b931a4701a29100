#include "train/finite.h"

#include <math.h>

/* 0 · x is 0 for finite numbers, else NaN, and so is the sum, in whatever order it is made. */
static bool are_finite(const float *numbers, size_t n)
{
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += 0 * numbers[i];
    return isfinite(sum);
}

static ano_status broke_down(ano_error *err, ano_network network, const char *what,
                             const char *tensor)
{
    return base_error(err, ANO_NUMERIC, "the %s broke down first: %s%s is not finite",
                      ano_network_name(network), what, tensor);
}

static ano_status check_gradients(const nn_net *net, ano_network network, const float *gradients,
                                  ano_error *err)
{
    if (are_finite(gradients, net->n_parameters))
        return ANO_OK;
    int i = net->n_tensors - 1;
    while (i > 0 && (!net->tensors[i].trainable ||
                     are_finite(gradients + net->tensors[i].offset, net->tensors[i].size)))
        i--;
    return broke_down(err, network, "the gradient of ", net->tensors[i].name);
}

static ano_status check_weights(const nn_net *net, ano_network network, ano_error *err)
{
    if (are_finite(net->parameters, net->n_parameters) &&
        are_finite(net->statistics, net->n_statistics))
        return ANO_OK;
    int i = 0;
    while (i < net->n_tensors - 1 &&
           are_finite(nn_net_data(net, &net->tensors[i]), net->tensors[i].size))
        i++;
    return broke_down(err, network, "", net->tensors[i].name);
}

/* The networks in the order in which a step computes them, and which loss is theirs. */
static const struct {
    ano_network network;
    int loss;
} order[MODEL_NETWORKS] = {
    {ANO_DISCRIMINATOR, 0}, {ANO_GENERATOR, 1}, {ANO_PATCH_DISCRIMINATOR, 0}, {ANO_ENCODER, 0}};

/* f-AnoGAN's encoder comes after its GAN. */
static int loss_of(const ano_model *model, int i)
{
    const bool is_last =
        order[i].network == ANO_ENCODER && model->config.method == ANO_METHOD_ENCODER;
    return is_last ? 3 : order[i].loss;
}

ano_status train_check_finite(const ano_model *model, const float *const gradients[MODEL_NETWORKS],
                              const double losses[ANO_MAX_LOSSES], ano_error *err)
{
    for (int i = 0; i < MODEL_NETWORKS; i++) {
        const ano_network network = order[i].network;
        const nn_net *net = model->networks[network];
        if (gradients[network] == NULL)
            continue;
        ano_status status = check_gradients(net, network, gradients[network], err);
        const int loss = loss_of(model, i);
        if (status == ANO_OK && !isfinite(losses[loss]))
            status =
                broke_down(err, network, "its loss ", ano_loss_name(model->config.method, loss));
        if (status == ANO_OK)
            status = check_weights(net, network, err);
        if (status != ANO_OK)
            return status;
    }
    return ANO_OK;
}
