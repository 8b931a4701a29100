/* A small matrix product on one thread, for operands that lie in a core's cache. A tile of
 * TILE_ROWS × TILE_VECTORS vectors of dst stays in registers while k runs; each number of dst is
 * added up in the order of k whatever the tile, so that a row's result does not depend on the rows
 * beside it. */
#include "kernels/target.h"

#if defined(__AVX512F__)
enum { VECTOR = 16, TILE_ROWS = 7, TILE_VECTORS = 4 };
#elif defined(__AVX2__)
enum { VECTOR = 8, TILE_ROWS = 3, TILE_VECTORS = 4 };
#else
enum { VECTOR = 4, TILE_ROWS = 3, TILE_VECTORS = 4 };
#endif

typedef float vector __attribute__((vector_size(VECTOR * sizeof(float)), aligned(sizeof(float))));

_Static_assert(KERNELS_PRODUCT_COLUMNS % VECTOR == 0, "columns come in whole vectors");

/* rows and vectors are constants where this is inlined, which keeps `sum` in registers. */
static inline __attribute__((always_inline)) void tile(float *dst, size_t dst_stride,
                                                       const float *src, size_t src_stride,
                                                       const float *weights, size_t columns,
                                                       size_t k_count, size_t rows, size_t vectors)
{
    vector sum[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            sum[r][v] = *(const vector *)(dst + r * dst_stride + v * VECTOR);
    for (size_t k = 0; k < k_count; k++) {
        vector weight[TILE_VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            weight[v] = *(const vector *)(weights + k * columns + v * VECTOR);
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (size_t v = 0; v < vectors; v++)
                sum[r][v] += weight[v] * src[r * src_stride + k];
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            *(vector *)(dst + r * dst_stride + v * VECTOR) = sum[r][v];
}

static inline __attribute__((always_inline)) void
tiles_of_rows(float *dst, size_t dst_stride, const float *src, size_t src_stride,
              const float *weights, size_t columns, size_t k_count, size_t rows)
{
    const size_t step = TILE_VECTORS * VECTOR;
    size_t c = 0;
    for (; c + step <= columns; c += step)
        tile(dst + c, dst_stride, src, src_stride, weights + c, columns, k_count, rows,
             TILE_VECTORS);
    for (; c < columns; c += VECTOR)
        tile(dst + c, dst_stride, src, src_stride, weights + c, columns, k_count, rows, 1);
}

void KERNEL(product)(float *dst, size_t dst_stride, const float *src, size_t src_stride,
                     const float *weights, size_t columns, size_t k_count, size_t rows)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
        tiles_of_rows(dst + r * dst_stride, dst_stride, src + r * src_stride, src_stride, weights,
                      columns, k_count, TILE_ROWS);
    for (; r + 2 <= rows; r += 2)
        tiles_of_rows(dst + r * dst_stride, dst_stride, src + r * src_stride, src_stride, weights,
                      columns, k_count, 2);
    if (r < rows)
        tiles_of_rows(dst + r * dst_stride, dst_stride, src + r * src_stride, src_stride, weights,
                      columns, k_count, 1);
}
