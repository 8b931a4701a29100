/* What a training run has reached: the networks, their optimisers, the counters and the epochs so
 * far. A run that goes on from it ends with the same bytes as one never interrupted. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "model/model.h"
#include "nn/adam.h"
#include "train/weights.h"

#include <stdbool.h>

/* Sums over the steps of the epoch under way. */
typedef struct train_sums {
    double losses[ANO_MAX_LOSSES], seconds;
} train_sums;

typedef struct train_state {
    ano_model *model;
    train_weights weights; /* of the model, where they are not its own */
    nn_adam adam[MODEL_NETWORKS];
    int epoch;           /* whole epochs done */
    int step;            /* steps done of the next one */
    train_sums sums;     /* of those steps */
    ano_epoch *history;  /* [epochs that were asked for]; the first `epoch` are filled */
    uint32_t images_crc; /* of the data that the run was started with */
} train_state;

/* Writes RUN/checkpoint.safetensors. The one there was becomes checkpoint_1.safetensors, and so on
 * up to options->keep_checkpoints in all; at every moment the newest whole one can be told. */
ano_status train_checkpoint_save(const train_state *state, const ano_train_options *options,
                                 ano_error *err);

typedef void train_tell(const char *message, void *cookie);

/* Reads the newest one that is whole into a state that has its model, optimisers and history
 * [options->epochs] made; `tell` hears of those that are damaged. *found is false, and the state as
 * it was, where there is none at all.
 * Errors: ARG, with the name of the first thing that differs from `options`, the model's config or
 * images_crc; IO, FORMAT, SHAPE where all are damaged; NOMEM. */
ano_status train_checkpoint_load(bool *found, train_state *state, const ano_train_options *options,
                                 train_tell *tell, void *cookie, ano_error *err);

/* Removes a run's checkpoints: those of an earlier one must not come back in a later one.
 * Errors: NOMEM. */
ano_status train_checkpoint_clear(const char *run_dir, ano_error *err);

#endif
