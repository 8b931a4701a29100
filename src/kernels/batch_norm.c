/* Batch norm over the rows of a matrix [rows][channels], with the leaky ReLU after it, forward and
 * backward.
 *
 * Backward tells the sides of the leaky ReLU apart by y, made again from src as forward made it:
 * that is less to read than dst, and the bits are those of two layers one after the other. */
#include "kernels/target.h"
#include "kernels/vector.h"

#include <string.h>

void KERNEL(column_deviation)(float *sum, const float *src, const float *mean, size_t rows,
                              size_t channels)
{
    memset(sum, 0, channels * sizeof *sum);
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++) {
            const float deviation = src[r * channels + c] - mean[c];
            sum[c] += deviation * deviation;
        }
    }
}

INLINE float shifted(const kernels_batch_norm *norm, float src, size_t c)
{
    return (src - norm->mean[c]) * norm->scale[c] + norm->shift[c];
}

INLINE float normalised(const kernels_batch_norm *norm, float src, size_t c)
{
    return (src - norm->mean[c]) * norm->inverse_deviation[c];
}

/* The gradient by y. */
INLINE float diff_shifted(const kernels_batch_norm *norm, float diff_dst, float src, size_t c)
{
    return shifted(norm, src, c) > 0 ? diff_dst : diff_dst * norm->slope;
}

void KERNEL(batch_norm)(float *dst, const float *src, kernels_batch_norm norm, size_t rows,
                        size_t channels)
{
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++) {
            const float y = shifted(&norm, src[r * channels + c], c);
            dst[r * channels + c] = y > 0 ? y : y * norm.slope;
        }
    }
}

void KERNEL(batch_norm_sums)(float *sum_diff, float *sum_product, const float *diff_dst,
                             const float *src, kernels_batch_norm norm, size_t rows,
                             size_t channels)
{
    memset(sum_diff, 0, channels * sizeof *sum_diff);
    memset(sum_product, 0, channels * sizeof *sum_product);
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++) {
            const size_t i = r * channels + c;
            const float diff = diff_shifted(&norm, diff_dst[i], src[i], c);
            sum_diff[c] += diff;
            sum_product[c] += diff * normalised(&norm, src[i], c);
        }
    }
}

void KERNEL(batch_norm_backward)(float *diff_src, const float *diff_dst, const float *src,
                                 const float *mean_diff, const float *mean_product,
                                 kernels_batch_norm norm, size_t rows, size_t channels)
{
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++) {
            const size_t i = r * channels + c;
            const float diff = diff_shifted(&norm, diff_dst[i], src[i], c);
            diff_src[i] = norm.scale[c] *
                          (diff - mean_diff[c] - normalised(&norm, src[i], c) * mean_product[c]);
        }
    }
}
