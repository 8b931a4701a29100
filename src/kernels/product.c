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
                          const kernels_product *p, prefetch ahead, size_t rows, size_t vectors)
{
    const size_t most = p->terms > 0 ? p->terms : p->k;
    for (size_t begin = 0; begin < p->k; begin += most) {
        const size_t terms = p->k - begin < most ? p->k - begin : most;
        vector sum[HIGH_ROWS][TILE_VECTORS] = {0};
        for (size_t k = 0; k < terms; k++, src += p->src_column, weights += p->weights_row) {
            prefetch_line(&ahead);
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

/* What a tile is to fetch of the next product's operands: the tiles of the first rows the weights
 * below their own, a vector of each row; those of the rows after them src, then dst, line by line.
 */
static prefetch prefetch_at(const kernels_product *p, size_t row, size_t column)
{
    const size_t tile = row / TILE_ROWS;
    if (!p->next_weights)
        return NO_PREFETCH;
    if (tile < TILE_VECTORS)
        return (prefetch){p->next_weights + column + tile * LANES, p->weights_row};
    const size_t tiles = (tile - TILE_VECTORS) * (p->columns / (TILE_VECTORS * LANES)) +
                         column / (TILE_VECTORS * LANES);
    const size_t of_src = (p->rows + LANES - 1) / LANES, floats = p->k * LANES;
    if (tiles < of_src)
        return (prefetch){p->next_src + tiles * floats, LANES};
    if ((tiles - of_src) * floats < p->rows * p->columns)
        return (prefetch){p->next_dst + (tiles - of_src) * floats, LANES};
    return NO_PREFETCH;
}

INLINE void multiply_rows(float *dst, const float *src, const float *weights,
                          const kernels_product *p, size_t row, size_t rows)
{
    size_t c = 0;
    dst += row * p->dst_row;
    src += row * p->src_row;
    for (; c + TILE_VECTORS * LANES <= p->columns; c += TILE_VECTORS * LANES)
        multiply_tile(dst + c, src, weights + c, p, prefetch_at(p, row, c), rows, TILE_VECTORS);
    for (; c + 2 * LANES <= p->columns; c += 2 * LANES)
        multiply_tile(dst + c, src, weights + c, p, NO_PREFETCH, rows, 2);
    if (c < p->columns)
        multiply_tile(dst + c, src, weights + c, p, NO_PREFETCH, rows, 1);
}

void KERNEL(product)(float *dst, const float *src, const float *weights, kernels_product product)
{
    size_t row = 0, left = product.rows;
    for (; left >= TILE_ROWS && left != HIGH_ROWS; row += TILE_ROWS, left -= TILE_ROWS)
        multiply_rows(dst, src, weights, &product, row, TILE_ROWS);
    if (left == HIGH_ROWS)
        multiply_rows(dst, src, weights, &product, row, HIGH_ROWS);
    else if (left == 3)
        multiply_rows(dst, src, weights, &product, row, 3);
    else if (left == 2)
        multiply_rows(dst, src, weights, &product, row, 2);
    else if (left == 1)
        multiply_rows(dst, src, weights, &product, row, 1);
}
