#include "critic.h"

#include "base/clock.h"
#include "base/memory.h"
#include "median.h"
#include "model/networks.h"
#include "nn/adam.h"
#include "nn/choose.h"
#include "nn/loss.h"
#include "train/penalty.h"

#include <stdio.h>

enum { ROUNDS = 9, STEPS = 5 };

typedef struct critic {
    nn_net *net;
    nn_pass *pass; /* 2 batch images */
    train_penalty *penalty;
    nn_adam adam;
    size_t batch, image;
    float *images, *diff, *e, *gradients; /* [2 batch][image], [2 batch], [batch], [parameters] */
} critic;

static ano_status create(critic *c, const ano_model_config *config, ano_conv conv, int batch,
                         ano_error *err)
{
    ano_status status = model_discriminator_create(&c->net, config, err);
    if (status == ANO_OK) {
        nn_net_initialise(c->net, 0, BASE_PURPOSE_TEST);
        status = nn_choose_methods(c->net, conv, batch, err);
    }
    if (status == ANO_OK)
        status =
            nn_pass_create(&c->pass, c->net, 2 * batch, NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = train_penalty_create(&c->penalty, c->net, batch, err);
    if (status == ANO_OK)
        status = nn_adam_init(&c->adam, c->net->n_parameters, 1e-4, 0, 0.9, err);
    if (status != ANO_OK)
        return status;
    c->batch = (size_t)batch;
    c->image = nn_shape_size(c->net->src);
    c->images = base_alloc(2 * c->batch * c->image, sizeof(float));
    c->diff = base_alloc(2 * c->batch, sizeof(float));
    c->e = base_alloc(c->batch, sizeof(float));
    c->gradients = base_alloc(c->net->n_parameters, sizeof(float));
    if (c->images == NULL || c->diff == NULL || c->e == NULL || c->gradients == NULL)
        return base_error_nomem(err, "critic");
    base_random_uniform(c->images, 2 * c->batch * c->image, -1, 1,
                        (base_random){0, BASE_PURPOSE_TEST, 1});
    base_random_uniform(c->e, c->batch, 0, 1, (base_random){0, BASE_PURPOSE_TEST, 2});
    return ANO_OK;
}

static void clear(critic *c)
{
    base_free(c->images);
    base_free(c->diff);
    base_free(c->e);
    base_free(c->gradients);
    nn_adam_clear(&c->adam);
    train_penalty_free(c->penalty);
    nn_pass_free(c->pass);
    nn_net_free(c->net);
}

static ano_status step(critic *c, bool penalised, ano_error *err)
{
    const float *outputs, weight = 1.0f / (float)c->batch;
    const size_t n = c->batch;
    double probability;
    train_penalty_result result;
    ano_status status = nn_pass_forward(&outputs, c->pass, c->images, err);
    if (status != ANO_OK)
        return status;
    if (penalised) {
        nn_wasserstein(c->diff, outputs, n, 1, weight);
        nn_wasserstein(c->diff + n, outputs + n, n, -1, weight);
    } else {
        nn_binary_cross_entropy(c->diff, &probability, outputs, n, 1, weight / 2);
        nn_binary_cross_entropy(c->diff + n, &probability, outputs + n, n, 0, weight / 2);
    }
    status = nn_pass_backward(NULL, c->pass, c->diff, c->gradients, err);
    if (status == ANO_OK && penalised)
        status = train_penalty_add(&result, c->penalty, c->images, c->images + n * c->image, c->e,
                                   10, c->gradients, err);
    if (status == ANO_OK)
        nn_adam_step(&c->adam, c->net->parameters, c->gradients);
    return status;
}

ano_status critic_measure(bool json, const ano_model_config *config, ano_conv conv, int batch,
                          ano_error *err)
{
    critic c = {0};
    double seconds[2][ROUNDS];
    ano_status status = create(&c, config, conv, batch, err);
    for (int round = -1; round < ROUNDS && status == ANO_OK; round++) /* the first is not counted */
        for (int penalised = 0; penalised < 2; penalised++) {
            const double start = base_seconds();
            for (int i = 0; i < STEPS && status == ANO_OK; i++)
                status = step(&c, penalised, err);
            seconds[penalised][round < 0 ? 0 : round] = (base_seconds() - start) / STEPS;
        }
    if (status == ANO_OK) {
        const double plain = 1e3 * median(seconds[0], ROUNDS);
        const double penalised = 1e3 * median(seconds[1], ROUNDS);
        printf(json ? ", \"critic\": {\"batch\": %d, \"discriminator_milliseconds\": %.3f, "
                      "\"critic_milliseconds\": %.3f, \"ratio\": %.3f}"
                    : "\ncritic: a step of %d pairs, %.1f ms by cross-entropy, %.1f ms with the "
                      "gradient penalty, %.2f ×\n",
               batch, plain, penalised, penalised / plain);
    }
    clear(&c);
    return status;
}
