/* A small matrix product on one thread, for operands that lie in a core's cache. A tile of
 * TILE_ROWS × TILE_VECTORS vectors of dst stays in registers while k runs; each number of dst is
 * added up in the same order whatever the tile, so that a row's result does not depend on the rows
 * beside it. */
#include "kernels/target.h"
#include "kernels/vector.h"

/* HIGH_ROWS, where they are what is left, are one tile: better than one of 4 and one of 3. */
enum {
    TILE_ROWS = VECTOR_BYTES == 64 ? 4 : 3,
    HIGH_ROWS = VECTOR_BYTES == 64 ? 7 : 3,
    TILE_VECTORS = 4
};

_Static_assert(KERNELS_COLUMNS % LANES == 0, "columns come in whole vectors");

/* rows × vectors of dst; they are constants where this is inlined, which keeps `sum` in registers.
 */
INLINE void multiply_tile(float *dst, const float *src, const float *weights,
                          const kernels_product *p, size_t rows, size_t vectors)
{
    const size_t most = p->terms > 0 ? p->terms : p->k;
    for (size_t begin = 0; begin < p->k; begin += most) {
        const size_t terms = p->k - begin < most ? p->k - begin : most;
        vector sum[HIGH_ROWS][TILE_VECTORS] = {0};
        for (size_t k = 0; k < terms; k++, src += p->src_column, weights += p->weights_row) {
            vector weight[TILE_VECTORS];
            for (size_t v = 0; v < vectors; v++)
                weight[v] = vector_load(weights + v * LANES);
            for (size_t r = 0; r < rows; r++)
                for (size_t v = 0; v < vectors; v++)
                    sum[r][v] += weight[v] * src[r * p->src_row];
        }
        for (size_t r = 0; r < rows; r++) {
            for (size_t v = 0; v < vectors; v++) {
                float *at = dst + r * p->dst_row + v * LANES;
                const bool add = p->accumulate || begin > 0;
                vector_store(at, add ? vector_load(at) + sum[r][v] : sum[r][v]);
            }
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
    size_t left = product.rows;
    for (; left >= TILE_ROWS && left != HIGH_ROWS; left -= TILE_ROWS) {
        multiply_rows(dst, src, weights, &product, TILE_ROWS);
        dst += TILE_ROWS * product.dst_row;
        src += TILE_ROWS * product.src_row;
    }
    if (left == HIGH_ROWS)
        multiply_rows(dst, src, weights, &product, HIGH_ROWS);
    else if (left == 3)
        multiply_rows(dst, src, weights, &product, 3);
    else if (left == 2)
        multiply_rows(dst, src, weights, &product, 2);
    else if (left == 1)
        multiply_rows(dst, src, weights, &product, 1);
}
