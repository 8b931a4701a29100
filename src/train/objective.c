#include "train/objective.h"

#include "base/memory.h"
#include "train/patch.h"
#include "train/step.h"

struct train_objective {
    const ano_train_options *options;
    size_t latents; /* numbers of a batch of latent vectors */
    float *z_d, *z_g;
    train_step *gan; /* one of these; the other is NULL */
    train_patch *patch;
};

void train_objective_free(train_objective *objective)
{
    if (objective == NULL)
        return;
    train_step_free(objective->gan);
    train_patch_free(objective->patch);
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

ano_status train_objective_create(train_objective **out, ano_model *model, nn_adam *adam,
                                  const ano_train_options *options, ano_error *err)
{
    *out = NULL;
    train_objective *o = base_alloc(1, sizeof *o);
    if (o == NULL)
        return base_error_nomem(err, "training");
    o->options = options;
    const ano_status status =
        model->config.method == ANO_METHOD_PATCH
            ? train_patch_create(&o->patch, model->networks[ANO_PATCH_DISCRIMINATOR],
                                 &adam[ANO_PATCH_DISCRIMINATOR], options->batch, options->seed, err)
            : create_gan(o, model, adam, err);
    if (status == ANO_OK)
        *out = o;
    else
        train_objective_free(o);
    return status;
}

float *train_objective_images(train_objective *objective)
{
    return objective->gan != NULL ? train_step_real(objective->gan)
                                  : train_patch_images(objective->patch);
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

ano_status train_objective_run(train_result *result, train_objective *objective, uint64_t step,
                               ano_error *err)
{
    *result = (train_result){{0}};
    return objective->gan != NULL
               ? run_gan(result, objective, step, err)
               : train_patch_run(&result->losses[0], objective->patch, step, err);
}

const float *train_objective_gradients(const train_objective *objective, ano_network network)
{
    if (objective->gan != NULL)
        return network == ANO_PATCH_DISCRIMINATOR ? NULL
                                                  : train_step_gradients(objective->gan, network);
    return network == ANO_PATCH_DISCRIMINATOR ? train_patch_gradients(objective->patch) : NULL;
}

const float *train_objective_generated(const train_objective *objective)
{
    return objective->gan != NULL ? train_step_generated(objective->gan) : NULL;
}
