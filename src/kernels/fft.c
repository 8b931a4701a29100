/* Convolution of NHWC images by the discrete Fourier transform of whole planes: what is read and
 * written round the transforms of fft_transform.h, and the products of the bins' complex matrices
 * between them. */
#include "kernels/fft_transform.h"
#include "kernels/target.h"

#include <stdbool.h>

/* What the transform there and back multiplies by, and the weights divide by. */
#define PLANE 256.0f

/* Rows and vectors of a tile of complex numbers that stays in registers while k runs. */
enum { TILE_ROWS = VECTOR_BYTES == 64 ? 4 : 2, TILE_VECTORS = VECTOR_BYTES == 64 ? 2 : 1 };

/* ---- images -------------------------------------------------------------------------------- */

/* Two rows of an image, from y on, zero outside it: row[0] and row[1]. */
static void load_rows(vector row[2][SIDE], const float *src, const kernels_fft *conv,
                      size_t channels, int y)
{
    memset(row, 0, 2 * SIDE * sizeof(vector));
    for (int i = 0; i < 2 && y + i < conv->height; i++)
        for (int x = 0; x < conv->width; x++)
            row[i][x] = vector_load(src + (size_t)((y + i) * conv->width + x) * channels);
}

/* The same of a gradient that went back through an epilogue: pooling hands each number on to one of
 * the four pixels of its window. */
static void load_diff_rows(vector row[2][SIDE], const float *diff, const kernels_fft *conv,
                           size_t channels, kernels_epilogue_back back, int y)
{
    memset(row, 0, 2 * SIDE * sizeof(vector));
    if (!back.argmax) {
        for (int i = 0; i < 2 && y + i < conv->height; i++)
            for (int x = 0; x < conv->width; x++) {
                const size_t at = (size_t)((y + i) * conv->width + x) * channels;
                const vector all = vector_load(diff + at);
                row[i][x] = vector_select(vector_load(back.dst + at) > 0, all, all * back.slope);
            }
        return;
    }
    for (int x = 0; x < conv->width / 2 && y + 1 < conv->height; x++) {
        const size_t at = (size_t)(y / 2 * (conv->width / 2) + x) * channels;
        const vector all = vector_load(diff + at);
        const vector one = vector_select(vector_load(back.dst + at) > 0, all, all * back.slope);
        vector_byte bytes;
        memcpy(&bytes, back.argmax + at, sizeof bytes);
        const vector_int place = __builtin_convertvector(bytes, vector_int);
        for (int i = 0; i < 4; i++)
            row[i / 2][2 * x + i % 2] =
                vector_select(place == (vector_int){0} + i, one, (vector){0});
    }
}

void KERNEL(fft_images)(float *v, const float *src, kernels_fft conv, size_t channels,
                        kernels_epilogue_back back, size_t images, size_t first, size_t count)
{
    const size_t stride = kernels_fft_stride(images, channels);
    const size_t size = (size_t)(conv.height * conv.width) * channels;
    const size_t pooled = (size_t)(conv.height / 2 * (conv.width / 2)) * channels;
    for (size_t image = first; image < first + count; image++) {
        for (size_t c = 0; c < channels; c += LANES) {
            complex_vector rows[SIDE][HALF];
            const int used = conv.height + conv.height % 2;
            memset(rows[used], 0, (size_t)(SIDE - used) * sizeof rows[0]);
            for (int y = 0; y < conv.height; y += 2) {
                vector row[2][SIDE];
                const size_t at = image * (back.argmax ? pooled : size) + c;
                if (back.dst)
                    load_diff_rows(row, src + at, &conv, channels,
                                   (kernels_epilogue_back){back.dst + at, back.slope,
                                                           back.argmax ? back.argmax + at : NULL},
                                   y);
                else
                    load_rows(row, src + at, &conv, channels, y);
                for (int i = 0; i < 2; i++)
                    transform_real(rows[y + i], row[i]);
            }
            transform_columns(v + image * channels + c, stride, rows);
        }
    }
}

/* Two rows of results, through the epilogue to their place. */
static void store_rows(float *dst, vector row[2][SIDE], const kernels_fft *conv, size_t channels,
                       kernels_epilogue epilogue, int y)
{
    const vector bias = epilogue.bias ? vector_load(epilogue.bias) : (vector){0};
    for (int i = 0; i < 2; i++)
        for (int x = 0; x < conv->width; x++)
            row[i][x] = vector_leaky_relu(row[i][x] + bias, epilogue.slope);
    if (!epilogue.argmax) {
        for (int i = 0; i < 2 && y + i < conv->height; i++)
            for (int x = 0; x < conv->width; x++)
                vector_store(dst + (size_t)((y + i) * conv->width + x) * channels, row[i][x]);
        return;
    }
    for (int x = 0; x < conv->width / 2 && y + 1 < conv->height; x++) {
        const size_t at = (size_t)(y / 2 * (conv->width / 2) + x) * channels;
        const vector window[4] = {row[0][2 * x], row[0][2 * x + 1], row[1][2 * x],
                                  row[1][2 * x + 1]};
        vector_max_store(dst + at, epilogue.argmax + at, window, 4);
    }
}

void KERNEL(fft_results)(float *dst, const float *m, kernels_fft conv, size_t channels,
                         kernels_epilogue epilogue, size_t images, size_t first, size_t count)
{
    const size_t stride = kernels_fft_stride(images, channels);
    const int height = epilogue.argmax ? conv.height / 2 : conv.height;
    const int width = epilogue.argmax ? conv.width / 2 : conv.width;
    const size_t size = (size_t)(height * width) * channels;
    for (size_t image = first; image < first + count; image++) {
        for (size_t c = 0; c < channels; c += LANES) {
            complex_vector rows[SIDE][HALF];
            inverse_columns(rows, m + image * channels + c, stride);
            const size_t at = image * size + c;
            const kernels_epilogue of_channels = {epilogue.bias ? epilogue.bias + c : NULL,
                                                  epilogue.slope,
                                                  epilogue.argmax ? epilogue.argmax + at : NULL};
            for (int y = 0; y < conv.height; y += 2) {
                vector row[2][SIDE];
                for (int i = 0; i < 2; i++)
                    inverse_real(row[i], rows[y + i]);
                store_rows(dst + at, row, &conv, channels, of_channels, y);
            }
        }
    }
}

/* ---- weights ------------------------------------------------------------------------------- */

/* The plane's row, or column, of a kernel's tap: taps lie round 0, where the plane closes into a
 * ring; turned, from the last to the first. */
static int ring_place(const kernels_fft *conv, int tap, bool turned)
{
    const int offset = turned ? tap - conv->kernel / 2 : conv->kernel / 2 - tap;
    return (offset + SIDE) % SIDE;
}

/* The bins of kernels whose tap t is taps[t], a vector of channels each. */
INLINE void transform_taps(float *bins, size_t stride, const vector taps[], const kernels_fft *conv,
                           bool turned)
{
    complex_vector rows[SIDE][HALF];
    memset(rows, 0, sizeof rows);
    for (int ky = 0; ky < conv->kernel; ky++) {
        vector row[SIDE] = {0};
        for (int kx = 0; kx < conv->kernel; kx++)
            row[ring_place(conv, kx, turned)] = taps[ky * conv->kernel + kx] / PLANE;
        transform_real(rows[ring_place(conv, ky, turned)], row);
    }
    transform_columns(bins, stride, rows);
}

void KERNEL(fft_weights)(float *u, const float *weights, kernels_fft conv, size_t first,
                         size_t count)
{
    const size_t plane = conv.in * conv.out, end = (first + count) * conv.out;
    const size_t stride = kernels_fft_stride(conv.in, conv.out);
    for (size_t at = first * conv.out; at < end; at += LANES) {
        vector taps[KERNELS_FFT_MAX_KERNEL * KERNELS_FFT_MAX_KERNEL];
        for (int tap = 0; tap < conv.kernel * conv.kernel; tap++)
            taps[tap] = vector_load(weights + (size_t)tap * plane + at);
        transform_taps(u + at, stride, taps, &conv, false);
    }
}

void KERNEL(fft_weights_turned)(float *u, const float *weights, kernels_fft conv, size_t first,
                                size_t count)
{
    const size_t stride = kernels_fft_stride(conv.out, conv.in);
    for (size_t c = 0; c < conv.in; c += LANES) {
        for (size_t row = first; row < first + count; row++) {
            vector taps[KERNELS_FFT_MAX_KERNEL * KERNELS_FFT_MAX_KERNEL];
            for (int tap = 0; tap < conv.kernel * conv.kernel; tap++)
                taps[tap] =
                    vector_gather(weights + ((size_t)tap * conv.in + c) * conv.out + row, conv.out);
            transform_taps(u + row * conv.in + c, stride, taps, &conv, true);
        }
    }
}

void KERNEL(fft_diff_weights)(float *diff_weights, const float *m, kernels_fft conv, size_t first,
                              size_t count)
{
    const size_t plane = conv.in * conv.out, end = (first + count) * conv.out;
    const size_t stride = kernels_fft_stride(conv.in, conv.out);
    for (size_t at = first * conv.out; at < end; at += LANES) {
        complex_vector rows[SIDE][HALF];
        inverse_columns(rows, m + at, stride);
        for (int ky = 0; ky < conv.kernel; ky++) {
            vector row[SIDE];
            inverse_real(row, rows[ring_place(&conv, ky, false)]);
            for (int kx = 0; kx < conv.kernel; kx++)
                vector_store(diff_weights + (size_t)(ky * conv.kernel + kx) * plane + at,
                             row[ring_place(&conv, kx, false)] / PLANE);
        }
    }
}

/* ---- products ------------------------------------------------------------------------------ */

/* A product of complex matrices, dst [rows][columns] = src [rows][k] · weights [k][columns]; the
 * imaginary parts lie dst_part, src_part, weights_part floats after the real ones. */
typedef struct complex_product {
    size_t rows, columns, k;
    size_t dst_row, src_row, src_column, weights_row;
    size_t dst_part, src_part, weights_part;
    bool more; /* another product's operands follow these, and are fetched meanwhile */
} complex_product;

/* A tile's part of that: the tiles of the first rows fetch the weights below their own, a part of a
 * vector each; those after them src, line by line. */
static prefetch prefetch_at(const complex_product *p, const float *src, const float *weights,
                            size_t row, size_t column)
{
    enum { PARTS = 2 * TILE_VECTORS };
    const size_t tile = row / TILE_ROWS;
    if (!p->more)
        return NO_PREFETCH;
    if (tile < PARTS)
        return (prefetch){weights + (2 + tile % 2) * p->weights_part + column + tile / 2 * LANES,
                          p->weights_row};
    const size_t tiles =
        (tile - PARTS) * (p->columns / (TILE_VECTORS * LANES)) + column / (TILE_VECTORS * LANES);
    if (tiles * LANES < 2 * p->rows)
        return (prefetch){src + 2 * p->src_part + tiles * p->k * LANES, LANES};
    return NO_PREFETCH;
}

/* rows × vectors of dst; conjugate: of src's conjugate. All three are constants where this is
 * inlined. Three real products make a complex one (Gauss):
 *     re = a.re b.re - a.im b.im,   im = (a.re + a.im) (b.re + b.im) - a.re b.re - a.im b.im. */
INLINE void multiply_tile(float *dst, const float *src, const float *weights,
                          const complex_product *p, prefetch ahead, size_t rows, size_t vectors,
                          bool conjugate)
{
    vector re_re[TILE_ROWS][TILE_VECTORS] = {0}, im_im[TILE_ROWS][TILE_VECTORS] = {0};
    vector mixed[TILE_ROWS][TILE_VECTORS] = {0};
    for (size_t k = 0; k < p->k; k++, src += p->src_column, weights += p->weights_row) {
        prefetch_line(&ahead);
        vector re[TILE_VECTORS], im[TILE_VECTORS], both[TILE_VECTORS];
        for (size_t v = 0; v < vectors; v++) {
            re[v] = vector_load(weights + v * LANES);
            im[v] = vector_load(weights + p->weights_part + v * LANES);
            both[v] = re[v] + im[v];
        }
        for (size_t r = 0; r < rows; r++) {
            const vector a_re = vector_fill(src[r * p->src_row]);
            const vector a_im = vector_fill(src[p->src_part + r * p->src_row]);
            const vector a_both = conjugate ? a_re - a_im : a_re + a_im;
            for (size_t v = 0; v < vectors; v++) {
                re_re[r][v] += re[v] * a_re;
                im_im[r][v] += im[v] * a_im;
                mixed[r][v] += both[v] * a_both;
            }
        }
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t v = 0; v < vectors; v++) {
            const vector minus = conjugate ? -im_im[r][v] : im_im[r][v];
            vector_store(dst + r * p->dst_row + v * LANES, re_re[r][v] - minus);
            vector_store(dst + p->dst_part + r * p->dst_row + v * LANES,
                         mixed[r][v] - re_re[r][v] - minus);
        }
}

INLINE void multiply_columns(float *dst, const float *src, const float *weights,
                             const complex_product *p, size_t column, size_t vectors,
                             bool conjugate)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= p->rows; r += TILE_ROWS)
        multiply_tile(dst + r * p->dst_row + column, src + r * p->src_row, weights + column, p,
                      prefetch_at(p, src, weights, r, column), TILE_ROWS, vectors, conjugate);
    for (; r < p->rows; r++)
        multiply_tile(dst + r * p->dst_row + column, src + r * p->src_row, weights + column, p,
                      NO_PREFETCH, 1, vectors, conjugate);
}

INLINE void multiply(float *dst, const float *src, const float *weights, const complex_product *p,
                     bool conjugate)
{
    size_t c = 0;
    for (; c + TILE_VECTORS * LANES <= p->columns; c += TILE_VECTORS * LANES)
        multiply_columns(dst, src, weights, p, c, TILE_VECTORS, conjugate);
    for (; c < p->columns; c += LANES)
        multiply_columns(dst, src, weights, p, c, 1, conjugate);
}

INLINE void multiply_bins(float *dst, const float *src, const float *weights, complex_product p,
                          size_t first, size_t count, bool conjugate)
{
    for (size_t bin = first; bin < first + count; bin++) {
        p.more = bin + 1 < KERNELS_FFT_BINS;
        multiply(dst + 2 * bin * p.dst_part, src + 2 * bin * p.src_part,
                 weights + 2 * bin * p.weights_part, &p, conjugate);
    }
}

void KERNEL(fft_multiply)(float *m, const float *v, const float *u, size_t images, size_t in,
                          size_t out, size_t first, size_t count)
{
    const complex_product p = {.rows = images,
                               .columns = out,
                               .k = in,
                               .dst_row = out,
                               .src_row = in,
                               .src_column = 1,
                               .weights_row = out,
                               .dst_part = kernels_fft_stride(images, out),
                               .src_part = kernels_fft_stride(images, in),
                               .weights_part = kernels_fft_stride(in, out)};
    multiply_bins(m, v, u, p, first, count, false);
}

void KERNEL(fft_correlate)(float *m, const float *v, const float *w, size_t images, size_t in,
                           size_t out, size_t first, size_t count)
{
    const complex_product p = {.rows = in,
                               .columns = out,
                               .k = images,
                               .dst_row = out,
                               .src_row = 1,
                               .src_column = in,
                               .weights_row = out,
                               .dst_part = kernels_fft_stride(in, out),
                               .src_part = kernels_fft_stride(images, in),
                               .weights_part = kernels_fft_stride(images, out)};
    multiply_bins(m, v, w, p, first, count, true);
}
