#include "train/step.h"

#include "base/memory.h"
#include "nn/loss.h"

#include <string.h>

struct train_step {
    ano_model *model;
    nn_adam *adam;
    size_t batch, image;
    nn_pass *generator;     /* B images */
    nn_pass *discriminator; /* 2B images, for its own gradients */
    nn_pass *judge;         /* the discriminator over B images, for the generator's */
    float *images;          /* [2B][image]: real, then generated */
    float *diff_logits;     /* [2B] */
    float *gradients[MODEL_GAN_NETWORKS];
};

ano_status train_step_create(train_step **out, ano_model *model, nn_adam *adam, int batch,
                             ano_error *err)
{
    *out = NULL;
    train_step *step = base_alloc(1, sizeof *step);
    if (step == NULL)
        return base_error_nomem(err, "training step");
    const nn_net *generator = model->networks[ANO_GENERATOR];
    const nn_net *discriminator = model->networks[ANO_DISCRIMINATOR];
    step->model = model;
    step->adam = adam;
    step->batch = (size_t)batch;
    step->image = nn_shape_size(generator->dst);
    step->images = base_alloc(2 * step->batch * step->image, sizeof(float));
    step->diff_logits = base_alloc(2 * step->batch, sizeof(float));
    ano_status status = ANO_OK;
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++)
        if ((step->gradients[i] = base_alloc(model->networks[i]->n_parameters, sizeof(float))) ==
            NULL)
            status = base_error_nomem(err, "gradients");
    if (step->images == NULL || step->diff_logits == NULL)
        status = base_error_nomem(err, "images of a training step");
    if (status == ANO_OK)
        status = nn_pass_create(&step->generator, generator, batch,
                                NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = nn_pass_create(&step->discriminator, discriminator, 2 * batch,
                                NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status =
            nn_pass_create(&step->judge, discriminator, batch, NN_TRAINING | NN_DATA_GRADIENT, err);
    if (status != ANO_OK) {
        train_step_free(step);
        return status;
    }
    *out = step;
    return ANO_OK;
}

void train_step_free(train_step *step)
{
    if (step == NULL)
        return;
    nn_pass_free(step->generator);
    nn_pass_free(step->discriminator);
    nn_pass_free(step->judge);
    base_free(step->images);
    base_free(step->diff_logits);
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++)
        base_free(step->gradients[i]);
    base_free(step);
}

float *train_step_real(train_step *step)
{
    return step->images;
}

const float *train_step_generated(const train_step *step)
{
    return step->images + step->batch * step->image;
}

const float *train_step_gradients(const train_step *step, ano_network network)
{
    return step->gradients[network];
}

/* z_d through the generator, then real and generated images through the discriminator. */
static ano_status update_discriminator(train_step_result *result, train_step *step,
                                       const float *z_d, ano_error *err)
{
    const size_t n = step->batch;
    const float weight = 1.0f / (float)(2 * n);
    const float *generated, *logits;
    ano_status status = nn_pass_forward(&generated, step->generator, z_d, err);
    if (status != ANO_OK)
        return status;
    memcpy(step->images + n * step->image, generated, n * step->image * sizeof(float));
    status = nn_pass_forward(&logits, step->discriminator, step->images, err);
    if (status != ANO_OK)
        return status;
    const double real =
        nn_binary_cross_entropy(step->diff_logits, &result->d_real, logits, n, 1, weight);
    const double fake =
        nn_binary_cross_entropy(step->diff_logits + n, &result->d_fake, logits + n, n, 0, weight);
    result->d_loss = (real + fake) / (double)(2 * n);
    result->d_real /= (double)n;
    result->d_fake /= (double)n;
    float *gradients = step->gradients[ANO_DISCRIMINATOR];
    status = nn_pass_backward(NULL, step->discriminator, step->diff_logits, gradients, err);
    if (status == ANO_OK)
        nn_adam_step(&step->adam[ANO_DISCRIMINATOR],
                     step->model->networks[ANO_DISCRIMINATOR]->parameters, gradients);
    return status;
}

/* z_g through both networks, and the gradient back to the generator. */
static ano_status update_generator(train_step_result *result, train_step *step, const float *z_g,
                                   ano_error *err)
{
    const size_t n = step->batch;
    const float *generated, *logits, *diff_generated;
    double probability;
    ano_status status = nn_pass_forward(&generated, step->generator, z_g, err);
    if (status == ANO_OK)
        status = nn_pass_forward(&logits, step->judge, generated, err);
    if (status != ANO_OK)
        return status;
    result->g_loss =
        nn_binary_cross_entropy(step->diff_logits, &probability, logits, n, 1, 1.0f / (float)n) /
        (double)n;
    float *gradients = step->gradients[ANO_GENERATOR];
    status = nn_pass_backward(&diff_generated, step->judge, step->diff_logits, NULL, err);
    if (status == ANO_OK)
        status = nn_pass_backward(NULL, step->generator, diff_generated, gradients, err);
    if (status == ANO_OK)
        nn_adam_step(&step->adam[ANO_GENERATOR], step->model->networks[ANO_GENERATOR]->parameters,
                     gradients);
    return status;
}

ano_status train_step_run(train_step_result *result, train_step *step, const float *z_d,
                          const float *z_g, ano_error *err)
{
    const ano_status status = update_discriminator(result, step, z_d, err);
    return status == ANO_OK ? update_generator(result, step, z_g, err) : status;
}
