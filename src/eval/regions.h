/* The connected regions of a mask. */
#ifndef EVAL_REGIONS_H
#define EVAL_REGIONS_H

#include <stdint.h>

/* Joins the pixels of mask [height][width] that are not 0, and touch by a side or a corner, into
 * trees, one a region: regions [height][width] gets, at the root of a region, minus its number of
 * pixels; at its other pixels a pixel nearer to the root; elsewhere it is left as it is.
 * height * width ≤ INT32_MAX. */
void eval_regions_join(int32_t *regions, const uint8_t *mask, int height, int width);

/* The root of the tree that the pixel is in; shortens the way there. */
int32_t eval_regions_root(int32_t *regions, int32_t pixel);

#endif
