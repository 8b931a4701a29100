/* Augmentation: what is done to training images at random, so that a detector trained on few of
 * them takes a normal image that is moved, turned or lit otherwise for normal too. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "base/error.h"

/* What is done to one image. */
typedef struct data_change {
    bool horizontal, vertical; /* flips */
    double shift_x, shift_y; /* to the right and down, whole pixels: a shift alone blurs nothing */
    double angle;            /* about the centre, radians, clockwise as the image is seen */
    double gain, offset;     /* a pixel p becomes gain · p + offset, within [-1, 1] */
} data_change;

/* Errors: ARG. */
ano_status data_augment_check(const ano_augment *augment, ano_error *err);

/* What `augment` does to image `index` of the batch of a step: a function of these alone. */
data_change data_draw_change(const ano_augment *augment, int size, uint64_t seed, uint64_t step,
                             size_t index);

/* Changes an image [size][size][channels] in place; scratch is as large. */
void data_change_image(float *image, int size, int channels, const data_change *change,
                       float *scratch);

#endif
