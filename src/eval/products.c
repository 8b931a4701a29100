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
                   size_t inner, size_t n)
{
    const kernels *k = kernels_get();
    for (size_t begin = 0; begin < inner; begin += INNER)
        k->product(dst, matrix + begin, turned + begin * EVAL_TOGETHER,
                   (kernels_product){.rows = rows,
                                     .columns = kernels_whole_columns(n),
                                     .k = inner - begin < INNER ? inner - begin : INNER,
                                     .dst_row = EVAL_TOGETHER,
                                     .src_row = d,
                                     .src_column = 1,
                                     .weights_row = EVAL_TOGETHER,
                                     .accumulate = begin > 0});
}

/* Sixteen sums side by side, which any processor's vectors can hold; the order of additions is
 * fixed. */
double eval_squared_distance(const float *a, const float *b, size_t d)
{
    enum { LANES = 16 };
    float sums[LANES] = {0};
    size_t k = 0;
    for (; k + LANES <= d; k += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const float difference = a[k + lane] - b[k + lane];
            sums[lane] += difference * difference;
        }
    }
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += (double)sums[lane];
    for (; k < d; k++) {
        const double difference = (double)a[k] - (double)b[k];
        sum += difference * difference;
    }
    return sum;
}
