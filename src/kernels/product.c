/* A small matrix product on one thread, for operands that lie in a core's cache. A tile of
 * TILE_ROWS × TILE_VECTORS vectors of dst stays in registers while k runs; each number of dst is
 * added up in the order of k whatever the tile, so that a row's result does not depend on the rows
 * beside it. */
#include "kernels/target.h"
#include "kernels/vector.h"

enum { TILE_ROWS = VECTOR_BYTES == 64 ? 7 : 3, TILE_VECTORS = 4 };

_Static_assert(KERNELS_COLUMNS % LANES == 0, "columns come in whole vectors");

/* rows × vectors of dst; they are constants where this is inlined, which keeps `sum` in registers.
 */
INLINE void multiply_tile(float *dst, const float *src, const float *weights,
                          const kernels_product *p, size_t rows, size_t vectors)
{
    vector sum[TILE_ROWS][TILE_VECTORS] = {0};
    for (size_t k = 0; k < p->k; k++) {
        vector weight[TILE_VECTORS];
        for (size_t v = 0; v < vectors; v++)
            weight[v] = vector_load(weights + k * p->weights_row + v * LANES);
        for (size_t r = 0; r < rows; r++)
            for (size_t v = 0; v < vectors; v++)
                sum[r][v] += weight[v] * src[r * p->src_row + k * p->src_column];
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t v = 0; v < vectors; v++) {
            float *at = dst + r * p->dst_row + v * LANES;
            vector_store(at, p->accumulate ? vector_load(at) + sum[r][v] : sum[r][v]);
        }
    }
}

INLINE void multiply_rows(float *dst, const float *src, const float *weights,
                          const kernels_product *p, size_t rows)
{
    size_t c = 0;
    for (; c + TILE_VECTORS * LANES <= p->columns; c += TILE_VECTORS * LANES)
        multiply_tile(dst + c, src, weights + c, p, rows, TILE_VECTORS);
    for (; c < p->columns; c += LANES)
        multiply_tile(dst + c, src, weights + c, p, rows, 1);
}

void KERNEL(product)(float *dst, const float *src, const float *weights, kernels_product product)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= product.rows; r += TILE_ROWS)
        multiply_rows(dst + r * product.dst_row, src + r * product.src_row, weights, &product,
                      TILE_ROWS);
    for (; r + 2 <= product.rows; r += 2)
        multiply_rows(dst + r * product.dst_row, src + r * product.src_row, weights, &product, 2);
    if (r < product.rows)
        multiply_rows(dst + r * product.dst_row, src + r * product.src_row, weights, &product, 1);
}
