#include "train/wgan.h"

#include "base/memory.h"
#include "nn/loss.h"
#include "train/penalty.h"

#include <string.h>

#define PENALTY_WEIGHT 10

struct train_wgan {
    ano_model *model;
    nn_adam *adam;
    uint64_t seed;
    size_t batch, image, latents; /* images; numbers of one; of a batch of z */
    nn_pass *generator;           /* B images */
    nn_pass *critic;              /* 2B images, for its own gradients */
    nn_pass *judge;               /* the critic over B images, for the generator's */
    train_penalty *penalty;
    float *images;      /* [2B][image]: real, then generated */
    float *z;           /* [B][latent] */
    float *e;           /* [B], of the penalty */
    float *diff;        /* [2B], by the critic's outputs */
    float *d_gradients; /* of the critic, and of the generator */
    float *g_gradients;
    bool generator_moved; /* by the last step */
};

void train_wgan_free(train_wgan *wgan)
{
    if (wgan == NULL)
        return;
    nn_pass_free(wgan->generator);
    nn_pass_free(wgan->critic);
    nn_pass_free(wgan->judge);
    train_penalty_free(wgan->penalty);
    base_free(wgan->images);
    base_free(wgan->z);
    base_free(wgan->e);
    base_free(wgan->diff);
    base_free(wgan->d_gradients);
    base_free(wgan->g_gradients);
    base_free(wgan);
}

ano_status train_wgan_create(train_wgan **out, ano_model *model, nn_adam *adam, int batch,
                             uint64_t seed, ano_error *err)
{
    *out = NULL;
    train_wgan *w = base_alloc(1, sizeof *w);
    if (w == NULL)
        return base_error_nomem(err, "training step");
    const nn_net *generator = model->networks[ANO_GENERATOR];
    const nn_net *critic = model->networks[ANO_DISCRIMINATOR];
    const size_t n = (size_t)batch;
    *w = (train_wgan){.model = model,
                      .adam = adam,
                      .seed = seed,
                      .batch = n,
                      .image = nn_shape_size(generator->dst),
                      .latents = n * nn_shape_size(generator->src)};
    w->images = base_alloc(2 * n * w->image, sizeof(float));
    w->z = base_alloc(w->latents, sizeof(float));
    w->e = base_alloc(n, sizeof(float));
    w->diff = base_alloc(2 * n, sizeof(float));
    w->d_gradients = base_alloc(critic->n_parameters, sizeof(float));
    w->g_gradients = base_alloc(generator->n_parameters, sizeof(float));
    ano_status status = ANO_OK;
    if (w->images == NULL || w->z == NULL || w->e == NULL || w->diff == NULL ||
        w->d_gradients == NULL || w->g_gradients == NULL)
        status = base_error_nomem(err, "images of a training step");
    if (status == ANO_OK)
        status =
            nn_pass_create(&w->generator, generator, batch, NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = nn_pass_create(&w->critic, critic, 2 * batch, NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = nn_pass_create(&w->judge, critic, batch, NN_DATA_GRADIENT, err);
    if (status == ANO_OK)
        status = train_penalty_create(&w->penalty, critic, batch, err);
    if (status == ANO_OK)
        *out = w;
    else
        train_wgan_free(w);
    return status;
}

float *train_wgan_images(train_wgan *wgan)
{
    return wgan->images;
}

const float *train_wgan_gradients(const train_wgan *wgan, ano_network network)
{
    return network == ANO_DISCRIMINATOR                        ? wgan->d_gradients
           : network == ANO_GENERATOR && wgan->generator_moved ? wgan->g_gradients
                                                               : NULL;
}

/* Real images in the first half of w->images, z's in the second, through the critic. */
static ano_status update_critic(train_wgan_result *result, train_wgan *w, uint64_t step,
                                ano_error *err)
{
    const size_t n = w->batch;
    const float weight = 1 / (float)n;
    float *generated = w->images + n * w->image;
    const float *made, *outputs;
    train_penalty_result penalty;
    base_random_uniform(w->z, w->latents, -1, 1,
                        (base_random){w->seed, BASE_PURPOSE_LATENT_D, step});
    base_random_uniform(w->e, n, 0, 1, (base_random){w->seed, BASE_PURPOSE_PENALTY, step});
    ano_status status = nn_pass_forward(&made, w->generator, w->z, err);
    if (status != ANO_OK)
        return status;
    memcpy(generated, made, n * w->image * sizeof(float));
    status = nn_pass_forward(&outputs, w->critic, w->images, err);
    if (status != ANO_OK)
        return status;
    const double real = nn_wasserstein(w->diff, outputs, n, 1, weight);
    const double fake = nn_wasserstein(w->diff + n, outputs + n, n, -1, weight);
    status = nn_pass_backward(NULL, w->critic, w->diff, w->d_gradients, err);
    if (status == ANO_OK)
        status = train_penalty_add(&penalty, w->penalty, w->images, generated, w->e, PENALTY_WEIGHT,
                                   w->d_gradients, err);
    if (status != ANO_OK)
        return status;
    *result = (train_wgan_result){.d_loss = (real + fake) / (double)n + penalty.penalty,
                                  .g_loss = -fake / (double)n,
                                  .penalty = penalty.penalty};
    nn_adam_step(&w->adam[ANO_DISCRIMINATOR], w->model->networks[ANO_DISCRIMINATOR]->parameters,
                 w->d_gradients);
    return ANO_OK;
}

static ano_status update_generator(train_wgan *w, uint64_t step, ano_error *err)
{
    const float *generated, *outputs, *diff_generated;
    base_random_uniform(w->z, w->latents, -1, 1,
                        (base_random){w->seed, BASE_PURPOSE_LATENT_G, step});
    ano_status status = nn_pass_forward(&generated, w->generator, w->z, err);
    if (status == ANO_OK)
        status = nn_pass_forward(&outputs, w->judge, generated, err);
    if (status != ANO_OK)
        return status;
    nn_wasserstein(w->diff, outputs, w->batch, 1, 1 / (float)w->batch);
    status = nn_pass_backward(&diff_generated, w->judge, w->diff, NULL, err);
    if (status == ANO_OK)
        status = nn_pass_backward(NULL, w->generator, diff_generated, w->g_gradients, err);
    if (status == ANO_OK)
        nn_adam_step(&w->adam[ANO_GENERATOR], w->model->networks[ANO_GENERATOR]->parameters,
                     w->g_gradients);
    return status;
}

ano_status train_wgan_run(train_wgan_result *result, train_wgan *wgan, uint64_t step,
                          ano_error *err)
{
    const ano_status status = update_critic(result, wgan, step, err);
    wgan->generator_moved = step % TRAIN_WGAN_CRITIC_STEPS == TRAIN_WGAN_CRITIC_STEPS - 1;
    return status == ANO_OK && wgan->generator_moved ? update_generator(wgan, step, err) : status;
}
