#include "eval/products.h"

#include "kernels/kernels.h"

/* Columns taken at a time: so many rows of `turned`, 64 KB, stay in a core's cache. As sums are
 * joined piece by piece, rounding errors grow with the root of this and of the pieces' number. */
enum { INNER = 256 };

_Static_assert(EVAL_TOGETHER % KERNELS_COLUMNS == 0, "as the kernel wants its columns");

void eval_turn(float *dst, const float *vectors, size_t n, size_t d)
{
#pragma omp parallel for schedule(static) if (n * d > 1 << 18)
    for (size_t k = 0; k < d; k++) {
        for (size_t i = 0; i < n; i++)
            dst[k * EVAL_TOGETHER + i] = vectors[i * d + k];
        for (size_t i = n; i < EVAL_TOGETHER; i++)
            dst[k * EVAL_TOGETHER + i] = 0;
    }
}

void eval_products(float *dst, const float *matrix, size_t rows, size_t d, const float *turned,
                   size_t inner)
{
    const kernels *k = kernels_get();
    for (size_t begin = 0; begin < inner; begin += INNER)
        k->product(dst, matrix + begin, turned + begin * EVAL_TOGETHER,
                   (kernels_product){.rows = rows,
                                     .columns = EVAL_TOGETHER,
                                     .k = inner - begin < INNER ? inner - begin : INNER,
                                     .dst_row = EVAL_TOGETHER,
                                     .src_row = d,
                                     .src_column = 1,
                                     .weights_row = EVAL_TOGETHER,
                                     .accumulate = begin > 0});
}
