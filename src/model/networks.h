/* What the networks are: a DCGAN (A. Radford et al., ICLR 2016) of the size that a config asks for.
 */
#ifndef MODEL_NETWORKS_H
#define MODEL_NETWORKS_H

#include "nn/net.h"

/* ARG with the field's name where the config is out of range. */
ano_status model_config_check(const ano_model_config *config, ano_error *err);

/* z [latent] → image [size][size][channels] in [-1, 1]. Numbers are zero. */
ano_status model_generator_create(nn_net **out, const ano_model_config *config, ano_error *err);

/* image → logit of "real" [1]; the sigmoid is in the loss. Numbers are zero. */
ano_status model_discriminator_create(nn_net **out, const ano_model_config *config, ano_error *err);

#endif
