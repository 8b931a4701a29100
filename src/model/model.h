/* The model: its networks, what they were made from, how they see images, and the calibration. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "nn/net.h"

#include <stdbool.h>

enum { MODEL_KIND_SIZE = 40 };

/* All networks that a model may have, in the order of ano_network. */
enum { MODEL_NETWORKS = ANO_NETWORKS };
/* Those of a GAN come first: generator and discriminator. */
enum { MODEL_GAN_NETWORKS = 2 };

struct ano_model {
    ano_model_config config;
    ano_view view;   /* of the config's size and channels */
    double variance; /* σ² of a VAE's pixels, 0 before training */
    ano_calibration calibration;
    nn_net *networks[MODEL_NETWORKS]; /* NULL: not of the method, or of the file */
    char (*layer_kinds[MODEL_NETWORKS])[MODEL_KIND_SIZE]; /* [n_layers], for ano_layer_info */
};

/* The networks of the config's method, numbers zero. */
ano_status model_create(ano_model **out, const ano_model_config *config, ano_error *err);

/* *method = the one of that name; false where there is none. */
bool model_method_named(ano_method *method, const char *name);

#endif
