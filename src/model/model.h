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

/* What is usual of a score of normal images: the mean and standard deviation of its logarithm, and
 * the highest value of any of its maps; 0: not known. */
typedef struct model_usual {
    double mean, sd;
    float map_high;
} model_usual;

/* Vectors that describe normal images, or a network's parameters that were learned from them, and
 * the usual distance of others to the nearest of them. */
typedef struct model_bank {
    size_t n, d;
    float *vectors; /* [n][d] */
    model_usual usual;
} model_bank;

typedef struct model_memory {
    model_bank banks[ANO_MEMORIES]; /* n is 0 where nothing of the kind is remembered */
    model_usual method;             /* what is usual of the method's own scores */
} model_memory;

enum { MODEL_MEMORY_NUMBERS = 1 << 24 }; /* of a bank, 64 MB, unless one vector has more */
/* The least standard deviation: what differs by 1 % is not told apart. */
#define MODEL_LEAST_SPREAD 0.01
/* The highest mean and standard deviation of logarithms of floats that can be. */
#define MODEL_MOST_USUAL 1000.0

struct ano_model {
    ano_model_config config;
    ano_view view;   /* of the config's size and channels */
    double variance; /* σ² of a VAE's pixels, 0 before training */
    ano_calibration calibration;
    model_memory memory;
    nn_net *networks[MODEL_NETWORKS]; /* NULL: not of the method, or of the file */
    char (*layer_kinds[MODEL_NETWORKS])[MODEL_KIND_SIZE]; /* [n_layers], for ano_layer_info */
};

/* The networks of the config's method, numbers zero. */
ano_status model_create(ano_model **out, const ano_model_config *config, ano_error *err);
/* The same without memory for the numbers, which nn_net_allocate() gives a network. */
ano_status model_lay_out(ano_model **out, const ano_model_config *config, ano_error *err);

/* *method = the one of that name; false where there is none. */
bool model_method_named(ano_method *method, const char *name);

#endif
