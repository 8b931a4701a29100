/* A composed upsampling to an image of few channels, of one image: the sum over the pixels i of src
 *     dst[2 i - radius + w] = Σ src[i] · weights[w],  w in the window of 2 · taps numbers a side,
 * and its gradients, all vectorised over src's channels. */
#include "kernels/target.h"
#include "kernels/vector.h"

#include <stdbool.h>

enum {
    MAX_TAPS = KERNELS_UPSAMPLE_MAX_TAPS,
    MAX_WINDOW = 2 * MAX_TAPS,
    MAX_PIXELS = 8, /* of a row of src taken together */
    BACK_PIXELS = VECTOR_BYTES == 64 ? 7 : 4,
    DIFF_VECTORS = VECTOR_BYTES == 64 ? 4 : 1
};

static const float zeros[LANES];

/* Half of an odd number rounds down. */
static int floor_half(int value)
{
    return (value - (value & 1)) / 2;
}

/* The first source row, or column, of destination 2 i + phase, relative to i. */
static int first_tap(int radius, int phase)
{
    return floor_half(phase - radius);
}

/* ---- forward ------------------------------------------------------------------------------- */

/* The destination pixels of row 2 y + phase_y, of one channel, over `pixels` pixels of src from x
 * on. inside: src has all the pixels they are made of; so has every row where that is so. */
INLINE void narrow_pixels(float *dst, const float *src, const float *weights, const float *bias,
                          const kernels_upsample *up, int y, int phase_y, int x, int pixels,
                          int taps, bool inside)
{
    const int radius = taps - 1, window = 2 * taps;
    const int thin = (int)up->out, left = x + first_tap(radius, 0);
    /* Where the second phase's taps begin, in the pixels of the first. */
    const int shift = first_tap(radius, 1) - first_tap(radius, 0);
    const ptrdiff_t wide = (ptrdiff_t)up->in, row_floats = up->width * wide;
    const size_t tap_floats = up->in * up->out;
    vector sum[2][MAX_PIXELS] = {0};
    for (int tap_y = 0; tap_y < taps; tap_y++) {
        const int offset = first_tap(radius, phase_y) + tap_y;
        if (y + offset < 0 || y + offset >= up->height)
            continue;
        const float *row = src + (y + offset) * row_floats + left * wide;
        const float *row_weights =
            weights + (size_t)((radius + phase_y - 2 * offset) * window) * tap_floats;
        for (ptrdiff_t c = 0; c < wide; c += LANES) {
            vector pixel[MAX_PIXELS + MAX_TAPS];
            for (int i = 0; i < pixels + taps - 1 + shift; i++)
                pixel[i] = vector_load(
                    inside || (left + i >= 0 && left + i < up->width) ? row + i * wide + c : zeros);
            for (int phase = 0; phase < 2; phase++)
                for (int tap_x = 0; tap_x < taps; tap_x++) {
                    const int place = radius + phase - 2 * (first_tap(radius, phase) + tap_x);
                    const vector weight = vector_load(row_weights + (size_t)place * tap_floats + c);
                    for (int i = 0; i < pixels; i++)
                        sum[phase][i] += pixel[i + tap_x + phase * shift] * weight;
                }
        }
    }
    const ptrdiff_t at = ((ptrdiff_t)(2 * y + phase_y) * 2 * up->width + 2 * x) * thin;
    for (int i = 0; i < pixels && x + i < up->width; i++)
        for (int phase = 0; phase < 2; phase++) {
            const ptrdiff_t place = at + (2 * i + phase) * thin;
            dst[place] = bias[place] + vector_sum(sum[phase][i]);
        }
}

INLINE void narrow(float *dst, const float *src, const float *weights, const float *bias,
                   const kernels_upsample *up, int pixels, int taps)
{
    for (int row = 0; row < 2 * up->height; row++)
        for (int x = 0; x < up->width; x += pixels) {
            const bool inside = x >= 1 && x + pixels + 1 <= up->width;
            for (size_t c = 0; c < up->out; c++) {
                const float *of_channel = weights + c * up->in;
                if (inside)
                    narrow_pixels(dst + c, src, of_channel, bias + c, up, row / 2, row % 2, x,
                                  pixels, taps, true);
                else
                    narrow_pixels(dst + c, src, of_channel, bias + c, up, row / 2, row % 2, x,
                                  pixels, taps, false);
            }
        }
}

void KERNEL(upsample_thin)(float *dst, const float *src, const float *weights, const float *bias,
                           kernels_upsample up)
{
    /* Rows of 7, 14, 28 … pixels, which images of 28 and 56 have, go by sevens. */
    const bool sevens = VECTOR_BYTES == 64 && up.width % 7 == 0;
    if (up.kernel == 3)
        sevens ? narrow(dst, src, weights, bias, &up, 7, 2)
               : narrow(dst, src, weights, bias, &up, VECTOR_BYTES == 64 ? 8 : 4, 2);
    else
        sevens ? narrow(dst, src, weights, bias, &up, 7, 3)
               : narrow(dst, src, weights, bias, &up, VECTOR_BYTES == 64 ? 8 : 4, 3);
}

/* ---- the gradient by src ------------------------------------------------------------------- */

/* One channel of a row of the gradient by dst, from column x on, with zeros out of the image. */
static void pad_row(float padded[], const float *diff, const kernels_upsample *up, int row, int x,
                    int n)
{
    const int width = 2 * up->width, thin = (int)up->out;
    const int begin = x < 0 ? -x : 0, end = x + n > width ? width - x : n;
    const float *from = diff + (row * width + x) * thin;
    if (row < 0 || row >= 2 * up->height) {
        memset(padded, 0, (size_t)n * sizeof *padded);
        return;
    }
    for (int i = 0; i < begin; i++)
        padded[i] = 0;
    if (thin == 1)
        memcpy(padded + begin, from + begin, (size_t)(end - begin) * sizeof *padded);
    else
        for (int i = begin; i < end; i++)
            padded[i] = from[i * thin];
    for (int i = end; i < n; i++)
        padded[i] = 0;
}

enum { SEGMENT = 28, PADDED = 2 * SEGMENT + MAX_WINDOW }; /* pixels of a row of src, and of dst */

/* A vector of channels of `pixels` pixels of diff_src; patch is the window's rows of diff_dst, of
 * each channel, from the first pixel's window on. */
INLINE void back_pixels(float *diff_src, float patch[][PADDED], int x, const float *weights,
                        const kernels_upsample *up, int pixels, int window)
{
    vector sum[BACK_PIXELS] = {0};
    for (int wy = 0; wy < window; wy++)
        for (int wx = 0; wx < window; wx++)
            for (size_t o = 0; o < up->out; o++) {
                const float *row = patch[(size_t)wy * up->out + o] + 2 * x + wx;
                const float *at = weights + ((size_t)(wy * window + wx) * up->out + o) * up->in;
                const vector weight = vector_load(at);
                for (int i = 0; i < pixels; i++)
                    sum[i] += weight * row[2 * i];
            }
    for (int i = 0; i < pixels; i++)
        vector_store(diff_src + (size_t)i * up->in, sum[i]);
}

INLINE void back(float *diff_src, const float *diff_dst, const float *weights,
                 const kernels_upsample *up, int window)
{
    const int radius = window / 2 - 1;
    for (int y = 0; y < up->height; y++)
        for (int begin = 0; begin < up->width; begin += SEGMENT) {
            const int pixels = up->width - begin < SEGMENT ? up->width - begin : SEGMENT;
            float patch[MAX_WINDOW * KERNELS_MAX_THIN][PADDED];
            for (int wy = 0; wy < window; wy++)
                for (size_t o = 0; o < up->out; o++)
                    pad_row(patch[(size_t)wy * up->out + o], diff_dst + o, up, 2 * y - radius + wy,
                            2 * begin - radius, 2 * pixels + window - 2);
            float *at = diff_src + (size_t)(y * up->width + begin) * up->in;
            int x = 0;
            for (; x + BACK_PIXELS <= pixels; x += BACK_PIXELS)
                for (size_t c = 0; c < up->in; c += LANES)
                    back_pixels(at + (size_t)x * up->in + c, patch, x, weights + c, up, BACK_PIXELS,
                                window);
            for (; x < pixels; x++)
                for (size_t c = 0; c < up->in; c += LANES)
                    back_pixels(at + (size_t)x * up->in + c, patch, x, weights + c, up, 1, window);
        }
}

void KERNEL(upsample_thin_back)(float *diff_src, const float *diff_dst, const float *weights,
                                kernels_upsample up)
{
    if (up.kernel == 3)
        back(diff_src, diff_dst, weights, &up, 4);
    else
        back(diff_src, diff_dst, weights, &up, 6);
}

/* ---- the gradient by the weights ----------------------------------------------------------- */

/* One row of the window and one channel of dst: `vectors` of channels of src. */
INLINE void correlate(float *diff_weights, const float *src, const float *diff_dst,
                      const kernels_upsample *up, int wy, int window, int vectors)
{
    const int radius = window / 2 - 1;
    vector sum[MAX_WINDOW][DIFF_VECTORS] = {0};
    for (int y = 0; y < up->height; y++) {
        const int row = 2 * y - radius + wy;
        if (row < 0 || row >= 2 * up->height)
            continue;
        for (int x = 0; x < up->width; x += SEGMENT) {
            const int pixels = up->width - x < SEGMENT ? up->width - x : SEGMENT;
            const float *at = src + (size_t)(y * up->width + x) * up->in;
            float padded[PADDED];
            pad_row(padded, diff_dst, up, row, 2 * x - radius, 2 * pixels + window - 2);
            for (int i = 0; i < pixels; i++, at += up->in)
                for (int v = 0; v < vectors; v++) {
                    const vector pixel = vector_load(at + v * LANES);
                    for (int wx = 0; wx < window; wx++)
                        sum[wx][v] += padded[2 * i + wx] * pixel;
                }
        }
    }
    for (int wx = 0; wx < window; wx++)
        for (int v = 0; v < vectors; v++) {
            float *to = diff_weights + (size_t)wx * up->in * up->out + v * LANES;
            vector_store(to, vector_load(to) + sum[wx][v]);
        }
}

INLINE void diff_weights_of(float *diff_weights, const float *src, const float *diff_dst,
                            const kernels_upsample *up, int window)
{
    for (int wy = 0; wy < window; wy++)
        for (size_t o = 0; o < up->out; o++) {
            float *row = diff_weights + ((size_t)(wy * window) * up->out + o) * up->in;
            size_t c = 0;
            for (; c + DIFF_VECTORS * LANES <= up->in; c += DIFF_VECTORS * LANES)
                correlate(row + c, src + c, diff_dst + o, up, wy, window, DIFF_VECTORS);
            for (; c < up->in; c += LANES)
                correlate(row + c, src + c, diff_dst + o, up, wy, window, 1);
        }
}

void KERNEL(upsample_thin_diff_weights)(float *diff_weights, const float *src,
                                        const float *diff_dst, kernels_upsample up)
{
    if (up.kernel == 3)
        diff_weights_of(diff_weights, src, diff_dst, &up, 4);
    else
        diff_weights_of(diff_weights, src, diff_dst, &up, 6);
}
