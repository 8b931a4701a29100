#include "train/gan.h"

#include "base/memory.h"
#include "model/prior.h"
#include "nn/loss.h"
#include "train/penalty.h"

#include <math.h>
#include <string.h>

#define PENALTY_WEIGHT 10

struct train_gan {
    train_weights *weights;
    nn_adam *adam;
    uint64_t seed;
    ano_prior prior;
    ano_gan_loss loss;
    float real_label;             /* of BCE */
    uint64_t critic_steps;        /* to one of the generator */
    size_t batch, image, latents; /* images; numbers of one; of a batch of z */
    nn_net *generator, *discriminator;
    nn_pass *maker; /* the generator over B images */
    nn_pass *judge; /* the discriminator over 2B images, for its own gradients */
    nn_pass *guide; /* the discriminator over B images, for the generator's */
    train_penalty *penalty;
    float *images;    /* [2B][image]: real, then generated */
    float *z_d, *z_g; /* [B][latent] */
    float *e;         /* [B], of the penalty */
    float *diff;      /* [2B], by what the discriminator puts out */
    float *gradients[MODEL_GAN_NETWORKS];
    bool generator_moved; /* by the last step */
};

ano_gan_loss train_gan_loss(ano_method method, const ano_train_options *options)
{
    if (options->gan_loss != ANO_GAN_LOSS_OF_METHOD)
        return options->gan_loss;
    return method == ANO_METHOD_ENCODER ? ANO_GAN_LOSS_WASSERSTEIN : ANO_GAN_LOSS_BCE;
}

void train_gan_free(train_gan *gan)
{
    if (gan == NULL)
        return;
    nn_pass_free(gan->maker);
    nn_pass_free(gan->judge);
    nn_pass_free(gan->guide);
    train_penalty_free(gan->penalty);
    base_free(gan->images);
    base_free(gan->z_d);
    base_free(gan->z_g);
    base_free(gan->e);
    base_free(gan->diff);
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++)
        base_free(gan->gradients[i]);
    base_free(gan);
}

static ano_status allocate(train_gan *g, ano_error *err)
{
    const size_t n = g->batch;
    g->images = base_alloc(2 * n * g->image, sizeof(float));
    g->z_d = base_alloc(g->latents, sizeof(float));
    g->z_g = base_alloc(g->latents, sizeof(float));
    g->e = base_alloc(n, sizeof(float));
    g->diff = base_alloc(2 * n, sizeof(float));
    g->gradients[ANO_GENERATOR] = base_alloc(g->generator->n_parameters, sizeof(float));
    g->gradients[ANO_DISCRIMINATOR] = base_alloc(g->discriminator->n_parameters, sizeof(float));
    if (g->images == NULL || g->z_d == NULL || g->z_g == NULL || g->e == NULL || g->diff == NULL ||
        g->gradients[ANO_GENERATOR] == NULL || g->gradients[ANO_DISCRIMINATOR] == NULL)
        return base_error_nomem(err, "images of a training step");
    return ANO_OK;
}

ano_status train_gan_create(train_gan **out, train_weights *weights, nn_adam *adam,
                            const ano_train_options *options, ano_error *err)
{
    *out = NULL;
    train_gan *g = base_alloc(1, sizeof *g);
    if (g == NULL)
        return base_error_nomem(err, "training step");
    const ano_model *model = weights->model;
    const int batch = options->batch;
    *g = (train_gan){.weights = weights,
                     .adam = adam,
                     .seed = options->seed,
                     .prior = model->config.prior,
                     .loss = train_gan_loss(model->config.method, options),
                     .real_label = (float)(1 - options->label_smoothing),
                     .batch = (size_t)batch,
                     .generator = train_weights_generator(weights),
                     .discriminator = model->networks[ANO_DISCRIMINATOR]};
    const bool penalises = g->loss == ANO_GAN_LOSS_WASSERSTEIN;
    g->critic_steps = penalises ? TRAIN_GAN_CRITIC_STEPS : 1;
    g->image = nn_shape_size(g->generator->dst);
    g->latents = g->batch * nn_shape_size(g->generator->src);
    ano_status status = allocate(g, err);
    if (status == ANO_OK)
        status =
            nn_pass_create(&g->maker, g->generator, batch, NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = nn_pass_create(&g->judge, g->discriminator, 2 * batch,
                                NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status =
            nn_pass_create(&g->guide, g->discriminator, batch, NN_TRAINING | NN_DATA_GRADIENT, err);
    if (status == ANO_OK && penalises)
        status = train_penalty_create(&g->penalty, g->discriminator, batch, err);
    if (status == ANO_OK)
        *out = g;
    else
        train_gan_free(g);
    return status;
}

float *train_gan_images(train_gan *gan)
{
    return gan->images;
}

const float *train_gan_generated(const train_gan *gan)
{
    return gan->images + gan->batch * gan->image;
}

double train_gan_excess(const train_gan *gan, double d_loss)
{
    if (gan->loss == ANO_GAN_LOSS_WASSERSTEIN)
        return INFINITY;
    const double p = (double)gan->real_label;
    const bool is_smoothed = gan->loss == ANO_GAN_LOSS_BCE && p < 1;
    return is_smoothed ? d_loss + (p * log(p) + (1 - p) * log1p(-p)) / 2 : d_loss;
}

const float *train_gan_gradients(const train_gan *gan, ano_network network)
{
    return network == ANO_DISCRIMINATOR                       ? gan->gradients[network]
           : network == ANO_GENERATOR && gan->generator_moved ? gan->gradients[network]
                                                              : NULL;
}

/* ---- losses ------------------------------------------------------------------------------- */

static double sum_of(const float *outputs, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)outputs[i];
    return sum;
}

/* The discriminator's loss of B outputs for images that are real or not: its sum, and in diff its
 * gradient times `weight`. *said is the sum of what the discriminator says. */
static double discriminator_loss(double *said, float *diff, const train_gan *g,
                                 const float *outputs, bool are_real, float weight)
{
    const float side = are_real ? 1 : -1;
    if (g->loss == ANO_GAN_LOSS_BCE)
        return nn_binary_cross_entropy(diff, said, outputs, g->batch, are_real ? g->real_label : 0,
                                       weight);
    *said = sum_of(outputs, g->batch);
    return g->loss == ANO_GAN_LOSS_HINGE ? nn_hinge(diff, outputs, g->batch, side, weight)
                                         : nn_wasserstein(diff, outputs, g->batch, side, weight);
}

/* The generator's: its mean, and in diff its gradient. */
static double generator_loss(float *diff, const train_gan *g, const float *outputs)
{
    const float weight = 1 / (float)g->batch;
    double said;
    const double sum = g->loss == ANO_GAN_LOSS_BCE
                           ? nn_binary_cross_entropy(diff, &said, outputs, g->batch, 1, weight)
                           : nn_wasserstein(diff, outputs, g->batch, 1, weight);
    return sum / (double)g->batch;
}

/* ---- a step ------------------------------------------------------------------------------- */

/* Adds the gradient penalty between real and generated images to the gradients. */
static ano_status penalise(train_gan_result *result, train_gan *g, uint64_t step, ano_error *err)
{
    train_penalty_result penalty;
    base_random_uniform(g->e, g->batch, 0, 1, (base_random){g->seed, BASE_PURPOSE_PENALTY, step});
    const ano_status status =
        train_penalty_add(&penalty, g->penalty, g->images, train_gan_generated(g), g->e,
                          PENALTY_WEIGHT, g->gradients[ANO_DISCRIMINATOR], err);
    if (status == ANO_OK) {
        result->d_loss += penalty.penalty;
        result->penalty = penalty.penalty;
    }
    return status;
}

/* z_d through the generator, then real and generated images through the discriminator. */
static ano_status update_discriminator(train_gan_result *result, train_gan *g, const float *z_d,
                                       uint64_t step, ano_error *err)
{
    const size_t n = g->batch;
    /* Of how many images a loss is the mean. */
    const size_t of = g->loss == ANO_GAN_LOSS_BCE ? 2 * n : n;
    const float weight = 1 / (float)of;
    const float *generated, *outputs;
    float *gradients = g->gradients[ANO_DISCRIMINATOR];
    double said_real, said_fake;
    train_weights_normalise(g->weights);
    ano_status status = nn_pass_forward(&generated, g->maker, z_d, err);
    if (status != ANO_OK)
        return status;
    memcpy(g->images + n * g->image, generated, n * g->image * sizeof(float));
    status = nn_pass_forward(&outputs, g->judge, g->images, err);
    if (status != ANO_OK)
        return status;
    const double real = discriminator_loss(&said_real, g->diff, g, outputs, true, weight);
    const double fake = discriminator_loss(&said_fake, g->diff + n, g, outputs + n, false, weight);
    *result = (train_gan_result){.d_loss = (real + fake) / (double)of,
                                 .g_loss = -said_fake / (double)n,
                                 .d_real = said_real / (double)n,
                                 .d_fake = said_fake / (double)n};
    status = nn_pass_backward(NULL, g->judge, g->diff, gradients, err);
    if (status == ANO_OK && g->penalty != NULL)
        status = penalise(result, g, step, err);
    if (status != ANO_OK)
        return status;
    train_weights_backward(g->weights, gradients);
    nn_adam_step(&g->adam[ANO_DISCRIMINATOR], train_weights_discriminator(g->weights), gradients);
    train_weights_normalise(g->weights);
    return ANO_OK;
}

/* z_g through both networks, and the gradient back to the generator. */
static ano_status update_generator(train_gan_result *result, train_gan *g, const float *z_g,
                                   ano_error *err)
{
    const float *generated, *outputs, *diff_generated;
    ano_status status = nn_pass_forward(&generated, g->maker, z_g, err);
    if (status == ANO_OK)
        status = nn_pass_forward(&outputs, g->guide, generated, err);
    if (status != ANO_OK)
        return status;
    const double loss = generator_loss(g->diff, g, outputs);
    if (g->critic_steps == 1)
        result->g_loss = loss;
    float *gradients = g->gradients[ANO_GENERATOR];
    status = nn_pass_backward(&diff_generated, g->guide, g->diff, NULL, err);
    if (status == ANO_OK)
        status = nn_pass_backward(NULL, g->maker, diff_generated, gradients, err);
    if (status != ANO_OK)
        return status;
    nn_adam_step(&g->adam[ANO_GENERATOR], g->generator->parameters, gradients);
    train_weights_average(g->weights, g->adam[ANO_GENERATOR].steps);
    return ANO_OK;
}

ano_status train_gan_run_by(train_gan_result *result, train_gan *gan, const float *z_d,
                            const float *z_g, uint64_t step, ano_error *err)
{
    const ano_status status = update_discriminator(result, gan, z_d, step, err);
    gan->generator_moved = step % gan->critic_steps == gan->critic_steps - 1;
    return status == ANO_OK && gan->generator_moved ? update_generator(result, gan, z_g, err)
                                                    : status;
}

ano_status train_gan_run(train_gan_result *result, train_gan *gan, uint64_t step, ano_error *err)
{
    model_prior_draw(gan->z_d, gan->latents, gan->prior,
                     (base_random){gan->seed, BASE_PURPOSE_LATENT_D, step});
    model_prior_draw(gan->z_g, gan->latents, gan->prior,
                     (base_random){gan->seed, BASE_PURPOSE_LATENT_G, step});
    return train_gan_run_by(result, gan, gan->z_d, gan->z_g, step, err);
}
