#include "model/transforms.h"

#include <stdbool.h>
#include <stddef.h>

/* A transformation of images of one size. */
typedef struct movement {
    int last;        /* row or column */
    int turns;       /* quarter turns anticlockwise */
    int down, right; /* the shift after them */
} movement;

static movement movement_of(int which, int size)
{
    static const struct {
        int down, right;
    } directions[MODEL_SHIFTS] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    const int length = size * 3 / 14, shift = which % MODEL_SHIFTS;
    return (movement){size - 1, which / MODEL_SHIFTS, directions[shift].down * length,
                      directions[shift].right * length};
}

/* Sets *from to the pixel that pixel (y, x) was before; false where it is laid bare. */
static bool find_pixel(ptrdiff_t *from, movement m, int y, int x)
{
    const int v = y - m.down, u = x - m.right, last = m.last; /* before the shift … */
    if (v < 0 || v > last || u < 0 || u > last)
        return false;
    const int row = (const int[]){v, u, last - v, last - u}[m.turns]; /* … and the turns */
    const int column = (const int[]){u, last - v, last - u, v}[m.turns];
    *from = (ptrdiff_t)row * (last + 1) + column;
    return true;
}

void model_transform(float *dst, const float *src, int size, int channels, int which)
{
    const movement m = movement_of(which, size);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++, dst += channels) {
            ptrdiff_t from = 0;
            const bool is_there = find_pixel(&from, m, y, x);
            for (int c = 0; c < channels; c++)
                dst[c] = is_there ? src[from * channels + c] : -1;
        }
}

void model_transform_back(float *dst, const float *src, int size, int channels, int which)
{
    const movement m = movement_of(which, size);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++, src += channels) {
            ptrdiff_t to = 0;
            if (find_pixel(&to, m, y, x))
                for (int c = 0; c < channels; c++)
                    dst[to * channels + c] += src[c];
        }
}
