#include "train/weights.h"

#include "model/networks.h"
#include "nn/average.h"

#include <math.h>
#include <string.h>

/* Steps of the power method before the first of training, whose vectors are drawn. */
enum { FIRST_STEPS = 15 };

static ano_status create_generator(train_weights *w, ano_error *err)
{
    const nn_net *net = w->model->networks[ANO_GENERATOR];
    const ano_status status = model_generator_create(&w->generator, &w->model->config, err);
    if (status != ANO_OK)
        return status;
    memcpy(w->generator->parameters, net->parameters, net->n_parameters * sizeof(float));
    memcpy(w->generator->statistics, net->statistics, net->n_statistics * sizeof(float));
    return ANO_OK;
}

ano_status train_weights_init(train_weights *weights, ano_model *model,
                              const ano_train_options *options, ano_error *err)
{
    *weights = (train_weights){.model = model, .average = options->average};
    ano_status status = ANO_OK;
    if (options->average > 0)
        status = create_generator(weights, err);
    if (status != ANO_OK || !options->spectral_norm)
        return status;
    status = nn_spectral_init(&weights->spectral, model->networks[ANO_DISCRIMINATOR], options->seed,
                              BASE_PURPOSE_SPECTRAL, err);
    if (status == ANO_OK) {
        weights->normalised = true;
        nn_spectral_apply(&weights->spectral, FIRST_STEPS);
    }
    return status;
}

void train_weights_clear(train_weights *weights)
{
    nn_net_free(weights->generator);
    nn_spectral_clear(&weights->spectral);
    *weights = (train_weights){0};
}

nn_net *train_weights_generator(train_weights *weights)
{
    nn_net *net = weights->model->networks[ANO_GENERATOR];
    if (weights->generator == NULL)
        return net;
    for (int i = 0; i < net->n_layers; i++)
        weights->generator->layers[i].method = net->layers[i].method;
    return weights->generator;
}

float *train_weights_discriminator(train_weights *weights)
{
    return weights->normalised ? weights->spectral.parameters
                               : weights->model->networks[ANO_DISCRIMINATOR]->parameters;
}

void train_weights_normalise(train_weights *weights)
{
    if (weights->normalised)
        nn_spectral_apply(&weights->spectral, 1);
}

void train_weights_backward(const train_weights *weights, float *gradients)
{
    if (weights->normalised)
        nn_spectral_backward(&weights->spectral, gradients);
}

void train_weights_average(train_weights *weights, uint64_t n)
{
    if (weights->generator == NULL)
        return;
    const double share = (1 - weights->average) / (1 - pow(weights->average, (double)n));
    nn_average_step(weights->model->networks[ANO_GENERATOR], weights->generator, 1 - share);
}

int train_weights_arrays(train_weights_array arrays[TRAIN_WEIGHTS_ARRAYS],
                         const train_weights *weights)
{
    int n = 0;
    const nn_net *generator = weights->generator;
    const nn_spectral *spectral = &weights->spectral;
    if (generator != NULL) {
        arrays[n++] = (train_weights_array){"generator.trained", generator->parameters,
                                            generator->n_parameters};
        arrays[n++] = (train_weights_array){"generator.trained_statistics", generator->statistics,
                                            generator->n_statistics};
    }
    if (weights->normalised) {
        arrays[n++] = (train_weights_array){"discriminator.trained", spectral->parameters,
                                            spectral->net->n_parameters};
        arrays[n++] =
            (train_weights_array){"discriminator.singular", spectral->right, spectral->n_right};
    }
    return n;
}
