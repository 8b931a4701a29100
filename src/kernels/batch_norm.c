/* Batch norm over the rows of a matrix [rows][channels], forward and backward. */
#include "kernels/target.h"

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

void KERNEL(batch_norm)(float *dst, const float *src, const float *mean, const float *scale,
                        const float *shift, size_t rows, size_t channels)
{
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++)
            dst[r * channels + c] = (src[r * channels + c] - mean[c]) * scale[c] + shift[c];
    }
}

void KERNEL(batch_norm_sums)(float *sum_diff, float *sum_product, const float *diff_dst,
                             const float *src, const float *mean, const float *inverse_deviation,
                             size_t rows, size_t channels)
{
    memset(sum_diff, 0, channels * sizeof *sum_diff);
    memset(sum_product, 0, channels * sizeof *sum_product);
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++) {
            const float diff = diff_dst[r * channels + c];
            const float normal = (src[r * channels + c] - mean[c]) * inverse_deviation[c];
            sum_diff[c] += diff;
            sum_product[c] += diff * normal;
        }
    }
}

void KERNEL(batch_norm_backward)(float *diff_src, const float *diff_dst, const float *src,
                                 const float *mean, const float *inverse_deviation,
                                 const float *scale, const float *mean_diff,
                                 const float *mean_product, size_t rows, size_t channels)
{
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++) {
            const size_t i = r * channels + c;
            const float normal = (src[i] - mean[c]) * inverse_deviation[c];
            diff_src[i] = scale[c] * (diff_dst[i] - mean_diff[c] - normal * mean_product[c]);
        }
    }
}
