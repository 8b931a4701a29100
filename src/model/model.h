/* The model: both networks, what they were made from, how they see images, and the calibration. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "nn/net.h"

enum { MODEL_KIND_SIZE = 40 };

/* The two networks, in the order of ano_network. */
enum { MODEL_NETWORKS = 2 };

struct ano_model {
    ano_model_config config;
    ano_view view; /* of the config's size and channels */
    ano_calibration calibration;
    nn_net *networks[MODEL_NETWORKS];                     /* NULL where a file had but the other */
    char (*layer_kinds[MODEL_NETWORKS])[MODEL_KIND_SIZE]; /* [n_layers], for ano_layer_info */
};

/* Both networks, numbers zero. */
ano_status model_create(ano_model **out, const ano_model_config *config, ano_error *err);

/* "generator", "discriminator": the first part of the names of a network's tensors. */
const char *model_network_name(ano_network network);

#endif
