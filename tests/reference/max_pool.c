/* Max pooling; a window's gradient goes to its first maximum. */
#include "reference/reference.h"

#include <string.h>

/* Where the element of channel c at `place` of the window (y, x) of image i lies in src. */
static int element(reference_images images, int window, int i, int y, int x, int place, int c)
{
    const int sy = y * window + place / window, sx = x * window + place % window;
    return ((i * images.height + sy) * images.width + sx) * images.channels + c;
}

void reference_max_pool(double *dst, int *argmax, const double *src, reference_images images,
                        int window)
{
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height / window; y++)
            for (int x = 0; x < images.width / window; x++)
                for (int c = 0; c < images.channels; c++) {
                    int first = 0;
                    for (int place = 1; place < window * window; place++)
                        if (src[element(images, window, i, y, x, place, c)] >
                            src[element(images, window, i, y, x, first, c)])
                            first = place;
                    *dst++ = src[element(images, window, i, y, x, first, c)];
                    *argmax++ = first;
                }
}

void reference_max_pool_backward(double *diff_src, const double *diff_dst, const int *argmax,
                                 reference_images images, int window)
{
    const int n = images.n * images.height * images.width * images.channels;
    memset(diff_src, 0, (size_t)n * sizeof *diff_src);
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height / window; y++)
            for (int x = 0; x < images.width / window; x++)
                for (int c = 0; c < images.channels; c++)
                    diff_src[element(images, window, i, y, x, *argmax++, c)] = *diff_dst++;
}

void reference_max_pool_tangent(double *dst, const double *tangent, const int *argmax,
                                reference_images images, int window)
{
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height / window; y++)
            for (int x = 0; x < images.width / window; x++)
                for (int c = 0; c < images.channels; c++)
                    *dst++ = tangent[element(images, window, i, y, x, *argmax++, c)];
}
