/* Whether training takes its options: each by itself, and what only some methods or losses have. */
#include "base/threads.h"
#include "data/augment.h"
#include "model/networks.h"
#include "train/gan.h"

#include <math.h>

static ano_status check_loop(const ano_train_options *o, ano_error *err)
{
    if (o->epochs < 1)
        return base_error(err, ANO_ARG, "epochs is %d, but must be at least 1", o->epochs);
    if (o->batch < 1 || o->batch > 4096)
        return base_error(err, ANO_ARG, "batch is %d, but must be from 1 to 4096", o->batch);
    if (!(o->learning_rate > 0) || !isfinite(o->learning_rate))
        return base_error(err, ANO_ARG, "the learning rate is %g, but must be above 0",
                          o->learning_rate);
    if (!(o->beta1 >= 0 && o->beta1 < 1) || !(o->beta2 >= 0 && o->beta2 < 1))
        return base_error(err, ANO_ARG, "beta1 and beta2 are %g and %g, but must be from 0 to < 1",
                          o->beta1, o->beta2);
    if (o->resume && o->run_dir == NULL)
        return base_error(err, ANO_ARG, "resuming needs the run's folder");
    if (o->sample_every < 1 || o->weights_every < 1)
        return base_error(err, ANO_ARG, "epochs between samples and weights must be at least 1");
    if (o->checkpoint_every < 0 || o->checkpoint_minutes < 0)
        return base_error(err, ANO_ARG,
                          "epochs and minutes between checkpoints must be at least 0");
    if (o->keep_checkpoints < 1 || o->keep_checkpoints > 100)
        return base_error(err, ANO_ARG, "%d checkpoints are to be kept, but it must be 1 to 100",
                          o->keep_checkpoints);
    return base_threads_check(o->threads, err);
}

/* What only some methods have, and only some losses. */
static ano_status check_method(const ano_model_config *config, const ano_train_options *o,
                               ano_error *err)
{
    const char *name = ano_method_name(config->method);
    const bool has_gan = config->method == ANO_METHOD_FC || config->method == ANO_METHOD_ENCODER;
    if (config->method == ANO_METHOD_PATCH && config->prior != ANO_PRIOR_OF_METHOD)
        return base_error(err, ANO_ARG, "prior: %s has no latent vectors", name);
    if (o->encoding < ANO_ENCODING_IZIF || o->encoding > ANO_ENCODING_ZIZ)
        return base_error(err, ANO_ARG, "there is no encoding number %d", (int)o->encoding);
    if (o->gan_loss < ANO_GAN_LOSS_OF_METHOD || o->gan_loss > ANO_GAN_LOSS_WASSERSTEIN)
        return base_error(err, ANO_ARG, "there is no loss of GANs number %d", (int)o->gan_loss);
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 0.5))
        return base_error(err, ANO_ARG, "label smoothing is %g, but must be from 0 to 0.5",
                          o->label_smoothing);
    if (!(o->average >= 0 && o->average < 1))
        return base_error(err, ANO_ARG, "the average's decay is %g, but must be from 0 to < 1",
                          o->average);
    const char *of_gans = o->gan_loss != ANO_GAN_LOSS_OF_METHOD ? "the loss of a GAN"
                          : o->label_smoothing > 0              ? "label smoothing"
                          : o->spectral_norm                    ? "spectral norm"
                          : o->average > 0                      ? "an average of the generator"
                                                                : NULL;
    if (!has_gan && of_gans != NULL)
        return base_error(err, ANO_ARG,
                          "%s is for methods that train a GAN, fc and encoder, not %s", of_gans,
                          name);
    if (o->label_smoothing > 0 && train_gan_loss(config->method, o) != ANO_GAN_LOSS_BCE)
        return base_error(err, ANO_ARG,
                          "label smoothing is for the loss bce, which has labels; %s has another",
                          name);
    if (config->method == ANO_METHOD_ENCODER && o->epochs < 2)
        return base_error(err, ANO_ARG, "an encoder is trained after its GAN: it takes 2 epochs");
    return ANO_OK;
}

ano_status ano_train_check(const ano_model_config *config, const ano_train_options *options,
                           ano_error *err)
{
    if (model_config_check(config, err) != ANO_OK || check_loop(options, err) != ANO_OK ||
        check_method(config, options, err) != ANO_OK ||
        data_augment_check(&options->augment, err) != ANO_OK)
        return ANO_ARG;
    return ANO_OK;
}
