#include "train/objective.h"

#include "base/memory.h"
#include "train/encoder.h"
#include "train/gan.h"
#include "train/patch.h"
#include "train/vae.h"

struct train_objective {
    const ano_train_options *options;
    ano_method method;
    train_gan *gan; /* one of these; the others are NULL */
    train_patch *patch;
    train_vae *vae;
    train_encoder *encoder; /* after the GAN, in the last third of the epochs */
    uint64_t encodes_from;  /* the first step of it */
    bool encodes;           /* the last step was one */
};

void train_objective_free(train_objective *objective)
{
    if (objective == NULL)
        return;
    train_gan_free(objective->gan);
    train_patch_free(objective->patch);
    train_vae_free(objective->vae);
    train_encoder_free(objective->encoder);
    base_free(objective);
}

static ano_status create_encoder(train_objective *o, train_weights *weights, nn_adam *adam,
                                 int steps, ano_error *err)
{
    const ano_train_options *options = o->options;
    const int epochs = options->epochs;
    o->encodes_from = (uint64_t)(epochs - (epochs + 2) / 3) * (uint64_t)steps;
    const ano_status status = train_gan_create(&o->gan, weights, adam, options, err);
    return status == ANO_OK
               ? train_encoder_create(&o->encoder, weights->model, &adam[ANO_ENCODER],
                                      options->encoding, options->batch, options->seed, err)
               : status;
}

ano_status train_objective_create(train_objective **out, train_weights *weights, nn_adam *adam,
                                  const ano_train_options *options, int steps, ano_error *err)
{
    *out = NULL;
    train_objective *o = base_alloc(1, sizeof *o);
    if (o == NULL)
        return base_error_nomem(err, "training");
    ano_model *model = weights->model;
    o->options = options;
    o->method = model->config.method;
    ano_status status = ANO_OK;
    switch (o->method) {
    case ANO_METHOD_FC:
        status = train_gan_create(&o->gan, weights, adam, options, err);
        break;
    case ANO_METHOD_PATCH:
        status =
            train_patch_create(&o->patch, model->networks[ANO_PATCH_DISCRIMINATOR],
                               &adam[ANO_PATCH_DISCRIMINATOR], options->batch, options->seed, err);
        break;
    case ANO_METHOD_VAE:
        status = train_vae_create(&o->vae, model, adam, options->batch, options->seed, err);
        break;
    case ANO_METHOD_ENCODER:
        status = create_encoder(o, weights, adam, steps, err);
        break;
    case ANO_METHOD_LATENT: /* only score */
    case ANO_METHOD_HYBRID:
    case ANO_METHOD_OF_MODEL:
        break;
    }
    if (status == ANO_OK)
        *out = o;
    else
        train_objective_free(o);
    return status;
}

float *train_objective_images(train_objective *objective)
{
    switch (objective->method) {
    case ANO_METHOD_FC:
    case ANO_METHOD_ENCODER:
        return train_gan_images(objective->gan);
    case ANO_METHOD_PATCH:
        return train_patch_images(objective->patch);
    case ANO_METHOD_VAE:
        return train_vae_images(objective->vae);
    case ANO_METHOD_LATENT: /* only score */
    case ANO_METHOD_HYBRID:
    case ANO_METHOD_OF_MODEL:
        break;
    }
    return NULL;
}

static ano_status run_gan(train_result *result, train_objective *o, uint64_t step, ano_error *err)
{
    train_gan_result found;
    const ano_status status = train_gan_run(&found, o->gan, step, err);
    if (status == ANO_OK)
        *result = (train_result){{found.d_loss, found.g_loss, found.d_real, found.d_fake}};
    return status;
}

static ano_status run_vae(train_result *result, train_objective *o, uint64_t step, ano_error *err)
{
    train_vae_result found;
    const ano_status status = train_vae_run(&found, o->vae, step, err);
    if (status == ANO_OK)
        *result = (train_result){
            {found.reconstruction + found.divergence, found.reconstruction, found.divergence}};
    return status;
}

/* The GAN first, then the encoder of it. */
static ano_status run_encoder(train_result *result, train_objective *o, uint64_t step,
                              ano_error *err)
{
    o->encodes = step >= o->encodes_from;
    if (o->encodes)
        return train_encoder_run(&result->losses[3], o->encoder, train_gan_images(o->gan), step,
                                 err);
    train_gan_result found = {0};
    const ano_status status = train_gan_run(&found, o->gan, step, err);
    *result = (train_result){{found.d_loss, found.g_loss, found.penalty}};
    return status;
}

ano_status train_objective_run(train_result *result, train_objective *objective, uint64_t step,
                               ano_error *err)
{
    *result = (train_result){{0}};
    switch (objective->method) {
    case ANO_METHOD_FC:
        return run_gan(result, objective, step, err);
    case ANO_METHOD_PATCH:
        return train_patch_run(&result->losses[0], objective->patch, step, err);
    case ANO_METHOD_VAE:
        return run_vae(result, objective, step, err);
    case ANO_METHOD_ENCODER:
        return run_encoder(result, objective, step, err);
    case ANO_METHOD_LATENT: /* only score */
    case ANO_METHOD_HYBRID:
    case ANO_METHOD_OF_MODEL:
        break;
    }
    return ANO_OK;
}

const float *train_objective_gradients(const train_objective *objective, ano_network network)
{
    switch (objective->method) {
    case ANO_METHOD_FC:
        return train_gan_gradients(objective->gan, network);
    case ANO_METHOD_PATCH:
        return network == ANO_PATCH_DISCRIMINATOR ? train_patch_gradients(objective->patch) : NULL;
    case ANO_METHOD_VAE:
        return train_vae_gradients(objective->vae, network);
    case ANO_METHOD_ENCODER:
        if (objective->encodes)
            return network == ANO_ENCODER ? train_encoder_gradients(objective->encoder) : NULL;
        return train_gan_gradients(objective->gan, network);
    case ANO_METHOD_LATENT: /* only score */
    case ANO_METHOD_HYBRID:
    case ANO_METHOD_OF_MODEL:
        break;
    }
    return NULL;
}

const float *train_objective_generated(const train_objective *objective)
{
    const bool plays = objective->gan != NULL && !objective->encodes;
    return plays ? train_gan_generated(objective->gan) : NULL;
}

double train_objective_excess(const train_objective *objective, double d_loss)
{
    return train_gan_excess(objective->gan, d_loss);
}
