/* What a training run has reached: both networks, both optimisers, the counters and the epochs so
 * far. A run that goes on from it ends with the same bytes as one never interrupted. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "model/model.h"
#include "nn/adam.h"

/* Sums over the steps of the epoch under way. */
typedef struct train_sums {
    double d_loss, g_loss, d_real, d_fake, seconds;
} train_sums;

typedef struct train_state {
    ano_model *model;
    nn_adam adam[MODEL_NETWORKS];
    int epoch;           /* whole epochs done */
    int step;            /* steps done of the next one */
    train_sums sums;     /* of those steps */
    ano_epoch *history;  /* [epochs that were asked for]; the first `epoch` are filled */
    uint32_t images_crc; /* of the data that the run was started with */
} train_state;

/* Writes RUN/checkpoint.safetensors. */
ano_status train_checkpoint_save(const train_state *state, const ano_train_options *options,
                                 ano_error *err);

/* Reads it back into a state that has its model, optimisers and history [options->epochs] made.
 * Errors: ARG, with the name of the first thing that differs from `options`, the model's config or
 * images_crc; IO, FORMAT, SHAPE. */
ano_status train_checkpoint_load(train_state *state, const ano_train_options *options,
                                 ano_error *err);

#endif
