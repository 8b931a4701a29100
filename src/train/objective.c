#include "train/objective.h"

#include "base/memory.h"
#include "train/encoder.h"
#include "train/patch.h"
#include "train/step.h"
#include "train/vae.h"
#include "train/wgan.h"

struct train_objective {
    const ano_train_options *options;
    ano_method method;
    size_t latents; /* numbers of a batch of latent vectors */
    float *z_d, *z_g;
    train_step *gan; /* one of these; the others are NULL */
    train_patch *patch;
    train_vae *vae;
    train_wgan *wgan;       /* and then … */
    train_encoder *encoder; /* … this, in the last third of the epochs */
    uint64_t encodes_from;  /* the first step of it */
    bool encodes;           /* the last step was one */
};

void train_objective_free(train_objective *objective)
{
    if (objective == NULL)
        return;
    train_step_free(objective->gan);
    train_patch_free(objective->patch);
    train_vae_free(objective->vae);
    train_wgan_free(objective->wgan);
    train_encoder_free(objective->encoder);
    base_free(objective->z_d);
    base_free(objective->z_g);
    base_free(objective);
}

static ano_status create_gan(train_objective *o, ano_model *model, nn_adam *adam, ano_error *err)
{
    o->latents = (size_t)o->options->batch * (size_t)model->config.latent;
    o->z_d = base_alloc(o->latents, sizeof(float));
    o->z_g = base_alloc(o->latents, sizeof(float));
    if (o->z_d == NULL || o->z_g == NULL)
        return base_error_nomem(err, "latent vectors");
    return train_step_create(&o->gan, model, adam, o->options->batch, err);
}

static ano_status create_encoder(train_objective *o, ano_model *model, nn_adam *adam, int steps,
                                 ano_error *err)
{
    const ano_train_options *options = o->options;
    const int epochs = options->epochs;
    if (epochs < 2)
        return base_error(err, ANO_ARG, "an encoder is trained after its GAN: it takes 2 epochs");
    o->encodes_from = (uint64_t)(epochs - (epochs + 2) / 3) * (uint64_t)steps;
    const ano_status status =
        train_wgan_create(&o->wgan, model, adam, options->batch, options->seed, err);
    return status == ANO_OK
               ? train_encoder_create(&o->encoder, model, &adam[ANO_ENCODER], options->encoding,
                                      options->batch, options->seed, err)
               : status;
}

ano_status train_objective_create(train_objective **out, ano_model *model, nn_adam *adam,
                                  const ano_train_options *options, int steps, ano_error *err)
{
    *out = NULL;
    train_objective *o = base_alloc(1, sizeof *o);
    if (o == NULL)
        return base_error_nomem(err, "training");
    o->options = options;
    o->method = model->config.method;
    ano_status status = ANO_OK;
    switch (o->method) {
    case ANO_METHOD_FC:
        status = create_gan(o, model, adam, err);
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
        status = create_encoder(o, model, adam, steps, err);
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
        return train_step_real(objective->gan);
    case ANO_METHOD_PATCH:
        return train_patch_images(objective->patch);
    case ANO_METHOD_VAE:
        return train_vae_images(objective->vae);
    case ANO_METHOD_ENCODER:
        return train_wgan_images(objective->wgan);
    case ANO_METHOD_LATENT: /* only score */
    case ANO_METHOD_HYBRID:
    case ANO_METHOD_OF_MODEL:
        break;
    }
    return NULL;
}

static ano_status run_gan(train_result *result, train_objective *o, uint64_t step, ano_error *err)
{
    const uint64_t seed = o->options->seed;
    base_random_uniform(o->z_d, o->latents, -1, 1,
                        (base_random){seed, BASE_PURPOSE_LATENT_D, step});
    base_random_uniform(o->z_g, o->latents, -1, 1,
                        (base_random){seed, BASE_PURPOSE_LATENT_G, step});
    train_step_result found;
    const ano_status status = train_step_run(&found, o->gan, o->z_d, o->z_g, err);
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
        return train_encoder_run(&result->losses[3], o->encoder, train_wgan_images(o->wgan), step,
                                 err);
    train_wgan_result found = {0};
    const ano_status status = train_wgan_run(&found, o->wgan, step, err);
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
        return (int)network < MODEL_GAN_NETWORKS ? train_step_gradients(objective->gan, network)
                                                 : NULL;
    case ANO_METHOD_PATCH:
        return network == ANO_PATCH_DISCRIMINATOR ? train_patch_gradients(objective->patch) : NULL;
    case ANO_METHOD_VAE:
        return train_vae_gradients(objective->vae, network);
    case ANO_METHOD_ENCODER:
        if (objective->encodes)
            return network == ANO_ENCODER ? train_encoder_gradients(objective->encoder) : NULL;
        return train_wgan_gradients(objective->wgan, network);
    case ANO_METHOD_LATENT: /* only score */
    case ANO_METHOD_HYBRID:
    case ANO_METHOD_OF_MODEL:
        break;
    }
    return NULL;
}

const float *train_objective_generated(const train_objective *objective)
{
    return objective->gan != NULL ? train_step_generated(objective->gan) : NULL;
}
