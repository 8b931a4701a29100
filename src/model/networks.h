/* What the networks are, of the size that a config asks for: a DCGAN (A. Radford et al., ICLR 2016)
 * and a discriminator of patches. Generator and discriminator have n blocks, each of which doubles,
 * or halves, a map's side: between the image and maps of size / 2ⁿ pixels a side, which the dense
 * layers see. */
#ifndef MODEL_NETWORKS_H
#define MODEL_NETWORKS_H

#include "nn/net.h"

/* ARG with the field's name where the config is out of range. */
ano_status model_config_check(const ano_model_config *config, ano_error *err);

/* n: the most for which size / 2ⁿ is a whole number not below 7, and at least 2. */
int model_blocks(int size);

/* z [latent] → image [size][size][channels] in [-1, 1]. Numbers are zero. */
ano_status model_generator_create(nn_net **out, const ano_model_config *config, ano_error *err);

/* image → logit of "real" [1]; the sigmoid is in the loss. Numbers are zero. */
ano_status model_discriminator_create(nn_net **out, const ano_model_config *config, ano_error *err);

/* How many layers lead to the maps after a network's `block`-th pooling, counted from 1, or 0: the
 * last; 0 where there is no such block. */
int model_feature_layers(const nn_net *net, int block);

/* image → logits of "anomalous" [side][side][1], one for each cell of MODEL_CELL × MODEL_CELL
 * pixels: a discriminator without an end, as in P. Isola et al., "Image-to-Image Translation with
 * Conditional Adversarial Networks", CVPR 2017. A logit sees 40 × 40 pixels around its cell.
 * Numbers are zero. */
enum { MODEL_CELL = 4 };
ano_status model_patch_discriminator_create(nn_net **out, const ano_model_config *config,
                                            ano_error *err);

/* The same without memory for the numbers, which nn_net_allocate() gives. */
ano_status model_generator_lay_out(nn_net **out, const ano_model_config *config, ano_error *err);
ano_status model_discriminator_lay_out(nn_net **out, const ano_model_config *config,
                                       ano_error *err);
ano_status model_patch_discriminator_lay_out(nn_net **out, const ano_model_config *config,
                                             ano_error *err);
/* image → code of its latent vector, by the discriminator's convolutions: of f-AnoGAN z [latent],
 * in [-1, 1] where the prior is uniform, of a variational autoencoder the means and log variances
 * of a Gaussian, [2 · latent] (nn/gaussian.h). */
ano_status model_encoder_lay_out(nn_net **out, const ano_model_config *config, ano_error *err);

/* The classifier of transformed images (model/transforms.h): [size][size][channels] -> the logits
 * of MODEL_TRANSFORMS classes. */
ano_status model_transforms_lay_out(nn_net **out, int size, int channels, ano_error *err);
ano_status model_transforms_create(nn_net **out, int size, int channels, ano_error *err);

#endif
