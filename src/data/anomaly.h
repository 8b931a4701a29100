/* Anomalies drawn onto normal images: what a discriminator of patches learns from, and what choices
 * of method are made on, where no anomalous image may be looked at.
 *
 * An anomaly is a shape (a blob, a bar, a line) filled with something that does not belong there:
 * another image's pixels (C.-L. Li et al., "CutPaste", CVPR 2021; H. Schlüter et al., "Natural
 * Synthetic Anomalies", ECCV 2022), the same pixels lit otherwise, one tone, blur, or noise
 * (V. Zavrtanik et al., "DRAEM", ICCV 2021, does the like with textures). */
#ifndef DATA_ANOMALY_H
#define DATA_ANOMALY_H

#include "base/random.h"

/* Changes `image` [size][size][channels], pixels in [-1, 1], in place; `other` is a second normal
 * image of that size, from which pixels may be taken. mask [size][size] gets 1 where the shape lies
 * and a pixel was changed so that it can be seen, else 0, which its soft edge is; now and then
 * there is no 1. scratch [size][size][1 + channels]; its first [size][size] then say how much of
 * each pixel the shape covers, 0 to 1. What is drawn is a function of the two images and of the
 * `index`-th part of the stream `random`, of which there are 2^14, none overlapping for images of
 * up to 256 x 256 x 3. */
void data_draw_anomaly(float *image, float *mask, const float *other, int size, int channels,
                       base_random random, uint32_t index, float *scratch);

#endif
