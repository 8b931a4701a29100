/* What an image looks like locally, as one vector that can be compared by distance. */
#ifndef EVAL_DESCRIPTORS_H
#define EVAL_DESCRIPTORS_H

#include "base/error.h"

typedef enum eval_descriptor_kind {
    EVAL_PIXELS,     /* the image itself, [h][w][c] */
    EVAL_HISTOGRAMS, /* of the gradients' orientations, [h / 3][w / 3][8 orientations] */
    EVAL_RANDOM      /* the strength of random filters, [h / 4][w / 4][32 filters] */
} eval_descriptor_kind;

/* How numbers [down][across][channels] lie over an image: in cells of cell_height x cell_width
 * pixels, from its upper left corner on. */
typedef struct eval_grid {
    size_t down, across, channels;
    float cell_height, cell_width;
} eval_grid;

/* A kind for images of one shape, and what it needs. */
typedef struct eval_descriptor eval_descriptor;

/* Errors: SHAPE (fewer than 3 pixels a side for histograms, 4 for random filters, or more than
 * 4 channels), NOMEM. */
ano_status eval_descriptor_create(eval_descriptor **out, eval_descriptor_kind kind, ano_shape shape,
                                  ano_error *err);
void eval_descriptor_free(eval_descriptor *descriptor);

/* d, how many numbers describe an image. */
size_t eval_descriptor_length(const eval_descriptor *descriptor);

/* How a vector lies over an image. */
eval_grid eval_descriptor_grid(const eval_descriptor *descriptor);

/* dst [n][d] describes n images [n][h][w][c], pixels in [-1, 1]; each depends on its image alone.
 * Vectors of histograms and random filters have length 1, or are 0 where the image is of one colour
 * (histograms) or black (random filters). Errors: NOMEM. */
ano_status eval_describe(float *dst, const eval_descriptor *descriptor, const float *images,
                         size_t n, ano_error *err);

/* Divides a vector [d] by its length; zeros stay. */
void eval_normalise(float *vector, size_t d);

#endif
