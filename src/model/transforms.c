#include "model/transforms.h"

#include <stdbool.h>
#include <stddef.h>

void model_transform(float *dst, const float *src, int size, int channels, int which)
{
    static const struct {
        int down, right;
    } directions[MODEL_SHIFTS] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    const int turns = which / MODEL_SHIFTS, length = size * 3 / 14, last = size - 1;
    const int down = directions[which % MODEL_SHIFTS].down * length;
    const int right = directions[which % MODEL_SHIFTS].right * length;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++, dst += channels) {
            const int v = y - down, u = x - right; /* where it was before the shift … */
            const bool is_bare = v < 0 || v > last || u < 0 || u > last;
            const int row = (const int[]){v, u, last - v, last - u}[turns]; /* … and the turns */
            const int column = (const int[]){u, last - v, last - u, v}[turns];
            const ptrdiff_t from = ((ptrdiff_t)row * size + column) * channels;
            for (int c = 0; c < channels; c++)
                dst[c] = is_bare ? -1 : src[from + c];
        }
}
