#include "detect/interpolate.h"

#include <math.h>

/* The cells on either side of a pixel, and the share of the second. */
typedef struct between {
    size_t low, high;
    float share;
} between;

static between between_cells(int pixel, float length, size_t n)
{
    const float at = ((float)pixel + 0.5f) / length - 0.5f, last = (float)(n - 1);
    const float kept = fminf(fmaxf(at, 0), last);
    const size_t low = (size_t)kept;
    return (between){low, low + 1 < n ? low + 1 : low, kept - (float)low};
}

void detect_interpolate(float *dst, int y, int n_rows, int width, const float *cells,
                        eval_grid grid)
{
    for (int i = 0; i < n_rows; i++) {
        const between row = between_cells(y + i, grid.cell_height, grid.down);
        const float *above = cells + row.low * grid.across;
        const float *below = cells + row.high * grid.across;
        for (int x = 0; x < width; x++) {
            const between column = between_cells(x, grid.cell_width, grid.across);
            const float top =
                above[column.low] + column.share * (above[column.high] - above[column.low]);
            const float bottom =
                below[column.low] + column.share * (below[column.high] - below[column.low]);
            *dst++ += top + row.share * (bottom - top);
        }
    }
}
