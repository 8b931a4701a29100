/* What the optimisers of a GAN move, where the model has something that is made of it.
 *
 * With an average the model's generator is the moving average of the one that is trained
 * (nn/average.h), with Adam's correction for its beginning: after n steps the newest has a share of
 *
 *   (1 - decay) / (1 - decayⁿ),
 *
 * so that the numbers before the first step count for nothing.
 *
 * With spectral norm the kernels of the model's discriminator are those that are trained, divided
 * by their largest singular values (nn/spectral.h).
 *
 * Without the one or the other, the model's own numbers are trained. */
#ifndef TRAIN_WEIGHTS_H
#define TRAIN_WEIGHTS_H

#include "model/model.h"
#include "nn/spectral.h"

typedef struct train_weights {
    ano_model *model;
    nn_net *generator; /* NULL: the model's */
    double average;    /* its decay */
    bool normalised;   /* then … */
    nn_spectral spectral;
} train_weights;

/* As the options say, from the model's numbers, which change; it must outlive this. */
ano_status train_weights_init(train_weights *weights, ano_model *model,
                              const ano_train_options *options, ano_error *err);
void train_weights_clear(train_weights *weights);

/* The generator that is trained, by the model's ways of convolving as they are now. Lent. */
nn_net *train_weights_generator(train_weights *weights);
/* What the optimiser of the discriminator moves, laid out as its parameters. */
float *train_weights_discriminator(train_weights *weights);

/* Before and after what moves the discriminator: its kernels from those that are trained. */
void train_weights_normalise(train_weights *weights);
/* From the gradients by the discriminator's parameters, [n_parameters], those by what is trained,
 * in place. */
void train_weights_backward(const train_weights *weights, float *gradients);
/* After the generator has moved for the n-th time, counted from 1. */
void train_weights_average(train_weights *weights, uint64_t n);

/* The arrays of n numbers that a checkpoint keeps beside the model's, with their names. Returns how
 * many. Lent. */
enum { TRAIN_WEIGHTS_ARRAYS = 4 };
typedef struct train_weights_array {
    const char *name;
    float *data;
    size_t n;
} train_weights_array;
int train_weights_arrays(train_weights_array arrays[TRAIN_WEIGHTS_ARRAYS],
                         const train_weights *weights);

#endif
