#include "train/encoder.h"

#include "base/memory.h"
#include "model/networks.h"
#include "model/prior.h"

#include <string.h>

/* What the features count for: κ of the paper. */
#define FEATURE_WEIGHT 1.0

struct train_encoder {
    nn_net *net;
    nn_adam *adam;
    ano_encoding encoding;
    ano_prior prior;
    uint64_t seed;
    nn_net head;                        /* of the critic, up to f */
    size_t images, latents, n_features; /* numbers of a batch */
    nn_pass *encoder, *generator, *features;
    float *seen;      /* [batch][features], f(x) */
    float *diff_maps; /* [batch][features] */
    float *diff;      /* [batch][image] */
    float *z;         /* [batch][latent]: drawn, and the gradient by E's */
    float *gradients;
};

void train_encoder_free(train_encoder *encoder)
{
    if (encoder == NULL)
        return;
    nn_pass_free(encoder->encoder);
    nn_pass_free(encoder->generator);
    nn_pass_free(encoder->features);
    base_free(encoder->seen);
    base_free(encoder->diff_maps);
    base_free(encoder->diff);
    base_free(encoder->z);
    base_free(encoder->gradients);
    base_free(encoder);
}

ano_status train_encoder_create(train_encoder **out, const ano_model *model, nn_adam *adam,
                                ano_encoding encoding, int batch, uint64_t seed, ano_error *err)
{
    *out = NULL;
    train_encoder *t = base_alloc(1, sizeof *t);
    if (t == NULL)
        return base_error_nomem(err, "training step");
    const nn_net *critic = model->networks[ANO_DISCRIMINATOR];
    const size_t n = (size_t)batch;
    *t = (train_encoder){.net = model->networks[ANO_ENCODER],
                         .adam = adam,
                         .encoding = encoding,
                         .prior = model->config.prior,
                         .seed = seed,
                         .head = nn_net_head(critic, model_feature_layers(critic, 0))};
    t->images = n * nn_shape_size(t->net->src);
    t->latents = n * nn_shape_size(t->net->dst);
    t->n_features = n * nn_shape_size(t->head.dst);
    t->seen = base_alloc(t->n_features, sizeof(float));
    t->diff_maps = base_alloc(t->n_features, sizeof(float));
    t->diff = base_alloc(t->images, sizeof(float));
    t->z = base_alloc(t->latents, sizeof(float));
    t->gradients = base_alloc(t->net->n_parameters, sizeof(float));
    ano_status status = ANO_OK;
    if (t->seen == NULL || t->diff_maps == NULL || t->diff == NULL || t->z == NULL ||
        t->gradients == NULL)
        status = base_error_nomem(err, "images of a training step");
    if (status == ANO_OK)
        status = nn_pass_create(&t->encoder, t->net, batch, NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = nn_pass_create(&t->generator, model->networks[ANO_GENERATOR], batch,
                                NN_DATA_GRADIENT | NN_FROZEN, err);
    if (status == ANO_OK)
        status = nn_pass_create(&t->features, &t->head, batch, NN_DATA_GRADIENT | NN_FROZEN, err);
    if (status == ANO_OK)
        *out = t;
    else
        train_encoder_free(t);
    return status;
}

const float *train_encoder_gradients(const train_encoder *encoder)
{
    return encoder->gradients;
}

/* weight times the mean over n of (wanted - got)²; diff [n], its gradient by got. */
static double mean_square(float *diff, const float *wanted, const float *got, size_t n,
                          double weight)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = (double)got[i] - (double)wanted[i];
        sum += difference * difference;
        diff[i] = (float)(2 * weight / (double)n * difference);
    }
    return weight * sum / (double)n;
}

/* Adds κ's part to the loss and to t->diff, both of which have the residual's. */
static ano_status match_features(double *loss, train_encoder *t, const float *images,
                                 const float *generated, ano_error *err)
{
    const float *maps, *diff_generated;
    ano_status status = nn_pass_forward(&maps, t->features, images, err);
    if (status != ANO_OK)
        return status;
    memcpy(t->seen, maps, t->n_features * sizeof(float));
    status = nn_pass_forward(&maps, t->features, generated, err);
    if (status != ANO_OK)
        return status;
    *loss += mean_square(t->diff_maps, t->seen, maps, t->n_features, FEATURE_WEIGHT);
    status = nn_pass_backward(&diff_generated, t->features, t->diff_maps, NULL, err);
    for (size_t i = 0; i < t->images && status == ANO_OK; i++)
        t->diff[i] += diff_generated[i];
    return status;
}

/* From images by E to z and by G to images again. */
static ano_status image_to_image(double *loss, train_encoder *t, const float *images,
                                 ano_error *err)
{
    const float *z, *generated, *diff_z;
    ano_status status = nn_pass_forward(&z, t->encoder, images, err);
    if (status == ANO_OK)
        status = nn_pass_forward(&generated, t->generator, z, err);
    if (status != ANO_OK)
        return status;
    *loss = mean_square(t->diff, images, generated, t->images, 1);
    if (t->encoding == ANO_ENCODING_IZIF)
        status = match_features(loss, t, images, generated, err);
    if (status == ANO_OK)
        status = nn_pass_backward(&diff_z, t->generator, t->diff, NULL, err);
    if (status == ANO_OK)
        status = nn_pass_backward(NULL, t->encoder, diff_z, t->gradients, err);
    return status;
}

/* From z by G to images and by E to z again. */
static ano_status latent_to_latent(double *loss, train_encoder *t, uint64_t step, ano_error *err)
{
    const float *generated, *z;
    model_prior_draw(t->z, t->latents, t->prior,
                     (base_random){t->seed, BASE_PURPOSE_LATENT_D, step});
    ano_status status = nn_pass_forward(&generated, t->generator, t->z, err);
    if (status == ANO_OK)
        status = nn_pass_forward(&z, t->encoder, generated, err);
    if (status != ANO_OK)
        return status;
    *loss = mean_square(t->z, t->z, z, t->latents, 1);
    return nn_pass_backward(NULL, t->encoder, t->z, t->gradients, err);
}

ano_status train_encoder_run(double *loss, train_encoder *encoder, const float *images,
                             uint64_t step, ano_error *err)
{
    const ano_status status = encoder->encoding == ANO_ENCODING_ZIZ
                                  ? latent_to_latent(loss, encoder, step, err)
                                  : image_to_image(loss, encoder, images, err);
    if (status == ANO_OK)
        nn_adam_step(encoder->adam, encoder->net->parameters, encoder->gradients);
    return status;
}
