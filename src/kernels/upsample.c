/* A composed upsampling to many channels with a 3 × 3 convolution in it. Each of the 2 × 2 phases
 * of dst is a convolution of src with a kernel g of 2 × 2, and full convolution of a tile x of 7 ×
 * 7 with it is a product of polynomials: by the algorithm of A. Toom and S. Cook, on the points of
 * winograd_transform.h, whose matrices it takes the other way round,
 *     Y = B [(G g Gᵀ) ⊙ (A x Aᵀ)] Bᵀ,  8 × 8;
 * 64 products instead of 196. All phases share one transform of x. Neighbouring tiles' results
 * overlap by one row or column, where they are added. Phase p of dst, along either axis, is
 * dst[2 i + p] = Y[i + p], and g[s] = weights[1 - p + 2 s]. */
#include "kernels/target.h"
#include "kernels/winograd_transform.h"

#include <stdbool.h>

enum { TILE = KERNELS_UPSAMPLE_TILE, PHASES = 4 };

/* ---- transforms of one row or column --------------------------------------------------------- */

/* v = A x */
INLINE void evaluate(vector v[POINTS], const vector x[TILE])
{
    v[0] = x[0];
    for (int i = 0; i < PAIRS; i++) {
        const float a = pairs[i].a, a2 = a * a;
        const vector even = x[0] + a2 * (x[2] + a2 * (x[4] + a2 * x[6]));
        const vector odd = a * (x[1] + a2 * (x[3] + a2 * x[5]));
        v[1 + 2 * i] = even + odd;
        v[2 + 2 * i] = even - odd;
    }
    v[7] = x[6];
}

/* y = B m */
INLINE void interpolate(vector y[POINTS], const vector m[POINTS])
{
    y[0] = m[0];
    y[2] = -21 / 4.f * m[0];
    y[4] = 21 / 4.f * m[0];
    y[6] = -m[0];
    y[1] = -m[7];
    y[3] = 21 / 4.f * m[7];
    y[5] = -21 / 4.f * m[7];
    y[7] = m[7];
    for (int i = 0; i < PAIRS; i++) {
        const vector even = m[1 + 2 * i] + m[2 + 2 * i];
        const vector odd = pairs[i].a * (m[1 + 2 * i] - m[2 + 2 * i]);
        y[6] += even;
        y[4] -= pairs[i].p * even;
        y[2] += pairs[i].q * even;
        y[5] += odd;
        y[3] -= pairs[i].p * odd;
        y[1] += pairs[i].q * odd;
    }
}

/* g = Gᵀ u, of two numbers */
INLINE void gather_weights(vector g[2], const vector u[POINTS])
{
    g[0] = u[0];
    g[1] = u[7];
    for (int i = 0; i < PAIRS; i++) {
        g[0] += pairs[i].g * (u[1 + 2 * i] + u[2 + 2 * i]);
        g[1] += pairs[i].g * pairs[i].a * (u[1 + 2 * i] - u[2 + 2 * i]);
    }
}

/* ---- images ---------------------------------------------------------------------------------- */

/* The tile's number in the batch. */
static size_t tile_number(const kernels_upsample *up, size_t image, int tile_y, int tile_x)
{
    return image * kernels_upsample_tiles(up) +
           (size_t)(tile_y * kernels_upsample_across(up->width) + tile_x);
}

/* V = A x Aᵀ of one tile, one vector of channels. */
static void transform_src(float *v, size_t stride, const float *src, float slope,
                          const kernels_upsample *up, int tile_y, int tile_x)
{
    vector rows[TILE][POINTS];
    for (int y = 0; y < TILE; y++) {
        vector row[TILE] = {0};
        const int from = tile_y * TILE + y;
        for (int x = 0; x < TILE && from < up->height; x++)
            if (tile_x * TILE + x < up->width)
                row[x] = vector_leaky_relu(
                    vector_load(src + (size_t)(from * up->width + tile_x * TILE + x) * up->in),
                    slope);
        evaluate(rows[y], row);
    }
    for (int x = 0; x < POINTS; x++) {
        vector column[TILE], points[POINTS];
        for (int y = 0; y < TILE; y++)
            column[y] = rows[y][x];
        evaluate(points, column);
        for (int y = 0; y < POINTS; y++)
            vector_store_stream(v + (size_t)(y * POINTS + x) * stride, points[y]);
    }
}

/* Pixels of src from those of its transform: x = Aᵀ M A. */
static void transform_diff_src(float *diff_src, const float *m, size_t stride, const float *src,
                               float slope, const kernels_upsample *up, int tile_y, int tile_x)
{
    vector columns[POINTS][TILE];
    for (int x = 0; x < POINTS; x++) {
        vector points[POINTS];
        for (int y = 0; y < POINTS; y++)
            points[y] = vector_load_stream(m + (size_t)(y * POINTS + x) * stride);
        multiply_a(columns[x], points, TILE);
    }
    for (int y = 0; y < TILE && tile_y * TILE + y < up->height; y++) {
        vector points[POINTS], row[TILE];
        for (int x = 0; x < POINTS; x++)
            points[x] = columns[x][y];
        multiply_a(row, points, TILE);
        const size_t first = (size_t)((tile_y * TILE + y) * up->width + tile_x * TILE) * up->in;
        for (int x = 0; x < TILE && tile_x * TILE + x < up->width; x++) {
            const size_t at = first + (size_t)x * up->in;
            if (src)
                row[x] = vector_select(vector_load(src + at) > 0, row[x], row[x] * slope);
            vector_store(diff_src + at, row[x]);
        }
    }
}

/* Where number j of a tile's phase lies in dst, along one axis; outside the image: -1. */
static int phase_place(int tile, int j, int phase, int size)
{
    const int i = tile * TILE + j - phase;
    return i >= 0 && i < size ? 2 * i + phase : -1;
}

/* dst = bias + B M Bᵀ of one tile and phase. */
static void transform_dst(float *dst, const float *m, size_t stride, const float *bias,
                          const kernels_upsample *up, int phase, int tile_y, int tile_x)
{
    vector columns[POINTS][POINTS];
    for (int x = 0; x < POINTS; x++) {
        vector points[POINTS];
        for (int y = 0; y < POINTS; y++)
            points[y] = vector_load_stream(m + (size_t)(y * POINTS + x) * stride);
        interpolate(columns[x], points);
    }
    for (int j = 0; j < POINTS; j++) {
        const int y = phase_place(tile_y, j, phase / 2, up->height);
        if (y < 0)
            continue;
        vector points[POINTS], row[POINTS];
        for (int x = 0; x < POINTS; x++)
            points[x] = columns[x][j];
        interpolate(row, points);
        for (int i = 0; i < POINTS; i++) {
            const int x = phase_place(tile_x, i, phase % 2, up->width);
            if (x < 0)
                continue;
            const size_t at = (size_t)(y * 2 * up->width + x) * up->out;
            /* What the tiles before have in common with this one they have written. */
            const bool overlaps = (j == 0 && tile_y > 0) || (i == 0 && tile_x > 0);
            vector_store(dst + at, vector_load(overlaps ? dst + at : bias + at) + row[i]);
        }
    }
}

/* W = Bᵀ d B of one tile and phase of the gradient by dst. */
static void transform_diff_dst(float *w, size_t stride, const float *diff_dst,
                               const kernels_upsample *up, int phase, int tile_y, int tile_x)
{
    vector d[POINTS * POINTS] = {0};
    for (int j = 0; j < POINTS; j++) {
        const int y = phase_place(tile_y, j, phase / 2, up->height);
        for (int i = 0; i < POINTS && y >= 0; i++) {
            const int x = phase_place(tile_x, i, phase % 2, up->width);
            if (x >= 0)
                d[j * POINTS + i] =
                    vector_load(diff_dst + (size_t)(y * 2 * up->width + x) * up->out);
        }
    }
    transform_b(w, stride, d);
}

void KERNEL(upsample_src)(float *v, const float *src, float slope, kernels_upsample up,
                          size_t images, size_t first, size_t count)
{
    const size_t stride = kernels_winograd_stride(images * kernels_upsample_tiles(&up), up.in);
    const size_t image_size = (size_t)(up.height * up.width) * up.in;
    for (size_t image = first; image < first + count; image++)
        for (int y = 0; y < kernels_upsample_across(up.height); y++)
            for (int x = 0; x < kernels_upsample_across(up.width); x++)
                for (size_t c = 0; c < up.in; c += LANES)
                    transform_src(v + tile_number(&up, image, y, x) * up.in + c, stride,
                                  src + (image - first) * image_size + c, slope, &up, y, x);
}

void KERNEL(upsample_diff_src)(float *diff_src, const float *m, const float *src, float slope,
                               kernels_upsample up, size_t images, size_t first, size_t count)
{
    const size_t stride = kernels_winograd_stride(images * kernels_upsample_tiles(&up), up.in);
    const size_t image_size = (size_t)(up.height * up.width) * up.in;
    for (size_t image = first; image < first + count; image++)
        for (int y = 0; y < kernels_upsample_across(up.height); y++)
            for (int x = 0; x < kernels_upsample_across(up.width); x++)
                for (size_t c = 0; c < up.in; c += LANES)
                    transform_diff_src(diff_src + (image - first) * image_size + c,
                                       m + tile_number(&up, image, y, x) * up.in + c, stride,
                                       src ? src + (image - first) * image_size + c : NULL, slope,
                                       &up, y, x);
}

void KERNEL(upsample_dst)(float *dst, const float *m, const float *bias, kernels_upsample up,
                          size_t images, size_t first, size_t count)
{
    const size_t columns = PHASES * up.out;
    const size_t stride = kernels_winograd_stride(images * kernels_upsample_tiles(&up), columns);
    const size_t image_size = (size_t)(4 * up.height * up.width) * up.out;
    for (size_t image = first; image < first + count; image++)
        for (int y = 0; y < kernels_upsample_across(up.height); y++)
            for (int x = 0; x < kernels_upsample_across(up.width); x++)
                for (size_t c = 0; c < columns; c += LANES)
                    transform_dst(dst + (image - first) * image_size + c % up.out,
                                  m + tile_number(&up, image, y, x) * columns + c, stride,
                                  bias + c % up.out, &up, (int)(c / up.out), y, x);
}

void KERNEL(upsample_diff_dst)(float *w, const float *diff_dst, kernels_upsample up, size_t images,
                               size_t first, size_t count)
{
    const size_t columns = PHASES * up.out;
    const size_t stride = kernels_winograd_stride(images * kernels_upsample_tiles(&up), columns);
    const size_t image_size = (size_t)(4 * up.height * up.width) * up.out;
    for (size_t image = first; image < first + count; image++)
        for (int y = 0; y < kernels_upsample_across(up.height); y++)
            for (int x = 0; x < kernels_upsample_across(up.width); x++)
                for (size_t c = 0; c < columns; c += LANES)
                    transform_diff_dst(w + tile_number(&up, image, y, x) * columns + c, stride,
                                       diff_dst + (image - first) * image_size + c % up.out, &up,
                                       (int)(c / up.out), y, x);
}

/* ---- products -------------------------------------------------------------------------------- */

void KERNEL(upsample_multiply)(float *m, const float *v, const float *u, size_t most, size_t rows,
                               size_t columns, size_t k, size_t first, size_t count)
{
    const size_t m_stride = kernels_winograd_stride(most, columns);
    const size_t v_stride = kernels_winograd_stride(most, k);
    const size_t u_stride = kernels_winograd_stride(k, columns);
    kernels_product product = {.rows = rows,
                               .columns = columns,
                               .k = k,
                               .terms = KERNELS_WINOGRAD_TERMS,
                               .dst_row = columns,
                               .src_row = k,
                               .src_column = 1,
                               .weights_row = columns};
    for (size_t point = first; point < first + count; point++) {
        const bool last = point + 1 == KERNELS_WINOGRAD_POINTS;
        product.next_src = last ? NULL : v + (point + 1) * v_stride;
        product.next_weights = last ? NULL : u + (point + 1) * u_stride;
        product.next_dst = last ? NULL : m + (point + 1) * m_stride;
        KERNEL(product)(m + point * m_stride, v + point * v_stride, u + point * u_stride, product);
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

/* The matrix of the window's number that is g[s_y][s_x] of a phase. */
static size_t phase_weight(const kernels_upsample *up, int phase, int s)
{
    const int y = 1 - phase / 2 + 2 * (s / 2), x = 1 - phase % 2 + 2 * (s % 2);
    return (size_t)(y * 4 + x) * up->in * up->out;
}

void KERNEL(upsample_weights)(float *u, const float *weights, kernels_upsample up, size_t first,
                              size_t count)
{
    const size_t columns = PHASES * up.out, stride = kernels_winograd_stride(up.in, columns);
    for (size_t c = 0; c < columns; c += LANES)
        for (size_t row = first; row < first + count; row++) {
            vector g[4];
            for (int s = 0; s < 4; s++)
                g[s] = vector_gather(weights + phase_weight(&up, (int)(c / up.out), s) +
                                         c % up.out * up.in + row,
                                     up.in);
            transform_g(u + row * columns + c, stride, g, 2);
        }
}

void KERNEL(upsample_weights_turned)(float *u, const float *weights, kernels_upsample up,
                                     size_t first, size_t count)
{
    const size_t stride = kernels_winograd_stride(PHASES * up.out, up.in);
    for (size_t row = first; row < first + count; row++)
        for (size_t c = 0; c < up.in; c += LANES) {
            vector g[4];
            for (int s = 0; s < 4; s++)
                g[s] = vector_load(weights + phase_weight(&up, (int)(row / up.out), s) +
                                   row % up.out * up.in + c);
            transform_g(u + row * up.in + c, stride, g, 2);
        }
}

void KERNEL(upsample_diff_weights)(float *diff_weights, const float *m, kernels_upsample up,
                                   size_t first, size_t count)
{
    const size_t stride = kernels_winograd_stride(PHASES * up.out, up.in);
    for (size_t row = first; row < first + count; row++)
        for (size_t c = 0; c < up.in; c += LANES) {
            vector columns[POINTS][2];
            for (int x = 0; x < POINTS; x++) {
                vector points[POINTS];
                for (int y = 0; y < POINTS; y++)
                    points[y] =
                        vector_load(m + (size_t)(y * POINTS + x) * stride + row * up.in + c);
                gather_weights(columns[x], points);
            }
            for (int s = 0; s < 4; s++) {
                vector points[POINTS], g[2];
                for (int x = 0; x < POINTS; x++)
                    points[x] = columns[x][s / 2];
                gather_weights(g, points);
                vector_store(diff_weights + phase_weight(&up, (int)(row / up.out), s) +
                                 row % up.out * up.in + c,
                             g[s % 2]);
            }
        }
}
