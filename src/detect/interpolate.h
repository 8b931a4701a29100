/* Maps from what is known of cells. */
#ifndef DETECT_INTERPOLATE_H
#define DETECT_INTERPOLATE_H

#include "eval/descriptors.h"

/* Adds to dst [n_rows][width], the rows from y on, what cells [down][across] of a grid, whose
 * channels play no part, are at its pixels: linear between the middles of the cells, and beyond the
 * outermost as there. */
void detect_interpolate(float *dst, int y, int n_rows, int width, const float *cells,
                        eval_grid grid);

#endif
