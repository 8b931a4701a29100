/* Winograd convolution of NHWC images, tile by tile: what is read and written round the transforms
 * of winograd_transform.h, and the products of the points' matrices between them. */
#include "kernels/target.h"
#include "kernels/winograd_transform.h"

#include <stdbool.h>

/* The place of an n × n square in an NHWC array: its pixel [y][x] begins at origin + y · row +
 * x · column, and is one of the image's where top ≤ y < bottom and left ≤ x < right. */
typedef struct square {
    ptrdiff_t origin, row, column;
    int top, bottom, left, right;
} square;

static square square_at(size_t image, int y, int x, int height, int width, size_t channels)
{
    const ptrdiff_t column = (ptrdiff_t)channels, row = width * column;
    return (square){.origin = ((ptrdiff_t)image * height + y) * row + x * column,
                    .row = row,
                    .column = column,
                    .top = -y,
                    .bottom = height - y,
                    .left = -x,
                    .right = width - x};
}

/* A tile's image and the first of its pixels of dst. */
typedef struct tile {
    size_t image;
    int y, x;
} tile;

static tile tile_at(const kernels_winograd *conv, size_t number)
{
    const int side = kernels_winograd_side(conv), across = (conv->width + side - 1) / side;
    const size_t tiles = kernels_winograd_tiles(conv);
    const int place = (int)(number % tiles);
    return (tile){number / tiles, place / across * side, place % across * side};
}

/* d of n × n pixels, zero outside the image */
INLINE void load_square(vector d[], const float *src, const square *s, int n)
{
    for (int y = 0; y < n; y++) {
        for (int x = 0; x < n; x++) {
            const bool inside = y >= s->top && y < s->bottom && x >= s->left && x < s->right;
            const float *pixel = src + s->origin + y * s->row + x * s->column;
            d[y * n + x] = inside ? vector_load(pixel) : (vector){0};
        }
    }
}

INLINE void store_square(float *dst, const vector y[], const square *s, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (i < s->bottom && j < s->right)
                vector_store(dst + s->origin + i * s->row + j * s->column, y[i * n + j]);
}

/* Max pooling of the windows of 2 × 2 that lie wholly in the image; s is a square of pooled
 * pixels. */
INLINE void pool_square(float *dst, uint8_t *argmax, const vector y[], const square *s, int n)
{
    for (int i = 0; i < n / 2; i++) {
        for (int j = 0; j < n / 2; j++) {
            if (i >= s->bottom || j >= s->right)
                continue;
            const vector *corner = y + 2 * i * n + 2 * j;
            const vector window[4] = {corner[0], corner[1], corner[n], corner[n + 1]};
            const ptrdiff_t at = s->origin + i * s->row + j * s->column;
            vector_max_store(dst + at, argmax + at, window, 4);
        }
    }
}

/* V = Bᵀ d B of tiles, row by row of v. */
static void transform_src(float *v, size_t stride, const float *src, const kernels_winograd *conv,
                          size_t channels, size_t first, size_t count)
{
    const int margin = conv->kernel / 2;
    for (size_t i = 0; i < count; i++, v += channels) {
        const tile t = tile_at(conv, first + i);
        const square s =
            square_at(t.image, t.y - margin, t.x - margin, conv->height, conv->width, channels);
        for (size_t c = 0; c < channels; c += LANES) {
            vector d[POINTS * POINTS];
            load_square(d, src + c, &s, POINTS);
            transform_b(v + c, stride, d);
        }
    }
}

/* W = G d Gᵀ of tiles of diff_dst, of n × n pixels. */
INLINE void transform_diff_dst(float *w, size_t stride, const float *diff_dst,
                               const kernels_winograd *conv, size_t first, size_t count, int n)
{
    for (size_t i = 0; i < count; i++, w += conv->out) {
        const tile t = tile_at(conv, first + i);
        const square s = square_at(t.image, t.y, t.x, conv->height, conv->width, conv->out);
        for (size_t c = 0; c < conv->out; c += LANES) {
            vector d[MAX_SIDE * MAX_SIDE];
            load_square(d, diff_dst + c, &s, n);
            transform_g(w + c, stride, d, n);
        }
    }
}

/* dst = epilogue(Aᵀ M A) of tiles of n × n pixels. */
INLINE void transform_dst(float *dst, const float *m, size_t stride, const kernels_winograd *conv,
                          kernels_epilogue epilogue, size_t first, size_t count, int n)
{
    const int shrink = epilogue.argmax ? 2 : 1;
    for (size_t i = 0; i < count; i++, m += conv->out) {
        const tile t = tile_at(conv, first + i);
        const square s = square_at(t.image, t.y / shrink, t.x / shrink, conv->height / shrink,
                                   conv->width / shrink, conv->out);
        for (size_t c = 0; c < conv->out; c += LANES) {
            const vector bias = epilogue.bias ? vector_load(epilogue.bias + c) : (vector){0};
            vector y[MAX_SIDE * MAX_SIDE];
            transform_a(y, m + c, stride, n);
            for (int k = 0; k < n * n; k++)
                y[k] = vector_leaky_relu(y[k] + bias, epilogue.slope);
            if (epilogue.argmax)
                pool_square(dst + c, epilogue.argmax + c, y, &s, n);
            else
                store_square(dst + c, y, &s, n);
        }
    }
}

static void multiply_points(float *m, size_t m_stride, const float *v, size_t v_stride,
                            const float *u, size_t u_stride, kernels_product product, size_t first,
                            size_t count)
{
    for (size_t point = first; point < first + count; point++)
        KERNEL(product)(m + point * m_stride, v + point * v_stride, u + point * u_stride, product);
}

void KERNEL(winograd_convolve)(float *dst, const float *src, const float *u, kernels_winograd conv,
                               kernels_epilogue epilogue, size_t first, size_t count,
                               float *scratch)
{
    const size_t u_stride = kernels_winograd_stride(conv.in, conv.out);
    const size_t v_stride = kernels_winograd_stride(count, conv.in);
    const size_t m_stride = kernels_winograd_stride(count, conv.out);
    float *v = scratch, *m = scratch + KERNELS_WINOGRAD_POINTS * v_stride;
    transform_src(v, v_stride, src, &conv, conv.in, first, count);
    const kernels_product product = {.rows = count,
                                     .columns = conv.out,
                                     .k = conv.in,
                                     .terms = KERNELS_WINOGRAD_TERMS,
                                     .dst_row = conv.out,
                                     .src_row = conv.in,
                                     .src_column = 1,
                                     .weights_row = conv.out};
    multiply_points(m, m_stride, v, v_stride, u, u_stride, product, 0, KERNELS_WINOGRAD_POINTS);
    if (conv.kernel == 5)
        transform_dst(dst, m, m_stride, &conv, epilogue, first, count, 4);
    else
        transform_dst(dst, m, m_stride, &conv, epilogue, first, count, 6);
}

void KERNEL(winograd_diff_tiles)(float *v, float *w, const float *src, const float *diff_dst,
                                 kernels_winograd conv, size_t block, size_t first, size_t count)
{
    const size_t v_stride = kernels_winograd_stride(block, conv.in);
    const size_t w_stride = kernels_winograd_stride(block, conv.out);
    const size_t row = first % block;
    transform_src(v + row * conv.in, v_stride, src, &conv, conv.in, first, count);
    w += row * conv.out;
    if (conv.kernel == 5)
        transform_diff_dst(w, w_stride, diff_dst, &conv, first, count, 4);
    else
        transform_diff_dst(w, w_stride, diff_dst, &conv, first, count, 6);
}

void KERNEL(winograd_diff_points)(float *m, const float *v, const float *w, kernels_winograd conv,
                                  size_t block, size_t tiles, size_t first, size_t count)
{
    const size_t m_stride = kernels_winograd_stride(conv.in, conv.out);
    const size_t v_stride = kernels_winograd_stride(block, conv.in);
    const size_t w_stride = kernels_winograd_stride(block, conv.out);
    const kernels_product product = {.rows = conv.in,
                                     .columns = conv.out,
                                     .k = tiles,
                                     .terms = KERNELS_WINOGRAD_TERMS,
                                     .dst_row = conv.out,
                                     .src_row = 1,
                                     .src_column = conv.in,
                                     .weights_row = conv.out,
                                     .accumulate = true};
    multiply_points(m, m_stride, v, v_stride, w, w_stride, product, first, count);
}

INLINE void weights_rows(float *u, const float *weights, const kernels_winograd *conv, size_t first,
                         size_t count, int n)
{
    const size_t plane = conv->in * conv->out, end = (first + count) * conv->out;
    const size_t stride = kernels_winograd_stride(conv->in, conv->out);
    for (size_t at = first * conv->out; at < end; at += LANES) {
        vector g[MAX_SIDE * MAX_SIDE];
        for (int tap = 0; tap < n * n; tap++)
            g[tap] = vector_load(weights + (size_t)tap * plane + at);
        transform_g(u + at, stride, g, n);
    }
}

void KERNEL(winograd_weights)(float *u, const float *weights, kernels_winograd conv, size_t first,
                              size_t count)
{
    if (conv.kernel == 5)
        weights_rows(u, weights, &conv, first, count, 5);
    else
        weights_rows(u, weights, &conv, first, count, 3);
}

INLINE void turned_rows(float *u, const float *weights, const kernels_winograd *conv, size_t first,
                        size_t count, int n)
{
    const size_t stride = kernels_winograd_stride(conv->out, conv->in);
    for (size_t c = 0; c < conv->in; c += LANES) {
        for (size_t row = first; row < first + count; row++) {
            vector g[MAX_SIDE * MAX_SIDE];
            for (int tap = 0; tap < n * n; tap++)
                g[n * n - 1 - tap] = vector_gather(
                    weights + ((size_t)tap * conv->in + c) * conv->out + row, conv->out);
            transform_g(u + row * conv->in + c, stride, g, n);
        }
    }
}

void KERNEL(winograd_weights_turned)(float *u, const float *weights, kernels_winograd conv,
                                     size_t first, size_t count)
{
    if (conv.kernel == 5)
        turned_rows(u, weights, &conv, first, count, 5);
    else
        turned_rows(u, weights, &conv, first, count, 3);
}

INLINE void diff_weights_rows(float *diff_weights, const float *m, const kernels_winograd *conv,
                              size_t first, size_t count, int n)
{
    const size_t plane = conv->in * conv->out, end = (first + count) * conv->out;
    const size_t stride = kernels_winograd_stride(conv->in, conv->out);
    for (size_t at = first * conv->out; at < end; at += LANES) {
        vector y[MAX_SIDE * MAX_SIDE];
        transform_a(y, m + at, stride, n);
        for (int tap = 0; tap < n * n; tap++)
            vector_store(diff_weights + (size_t)tap * plane + at, y[tap]);
    }
}

void KERNEL(winograd_diff_weights)(float *diff_weights, const float *m, kernels_winograd conv,
                                   size_t first, size_t count)
{
    if (conv.kernel == 5)
        diff_weights_rows(diff_weights, m, &conv, first, count, 5);
    else
        diff_weights_rows(diff_weights, m, &conv, first, count, 3);
}
