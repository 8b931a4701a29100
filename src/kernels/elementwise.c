/* Activations, bias, sums and the optimiser: loops that pass over memory once. */
#include "kernels/target.h"

#include <math.h>
#include <string.h>

void KERNEL(leaky_relu)(float *dst, const float *src, size_t n, float slope)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i] > 0 ? src[i] : src[i] * slope;
}

/* With slope ≥ 0, dst > 0 exactly where src > 0. */
void KERNEL(leaky_relu_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n,
                                 float slope)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        diff_src[i] = dst[i] > 0 ? diff_dst[i] : diff_dst[i] * slope;
}

void KERNEL(tanh_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        diff_src[i] = diff_dst[i] * (1 - dst[i] * dst[i]);
}

void KERNEL(add_bias)(float *dst, const float *src, const float *bias, size_t rows, size_t channels)
{
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++)
            dst[r * channels + c] = src[r * channels + c] + bias[c];
    }
}

void KERNEL(column_sum)(float *sum, const float *src, size_t rows, size_t channels)
{
    memset(sum, 0, channels * sizeof *sum);
    for (size_t r = 0; r < rows; r++) {
#pragma omp simd
        for (size_t c = 0; c < channels; c++)
            sum[c] += src[r * channels + c];
    }
}

void KERNEL(adam)(float *parameters, float *m, float *v, const float *gradients, size_t n,
                  kernels_adam_step step)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        const float g = gradients[i];
        m[i] += (g - m[i]) * step.share1;
        v[i] += (g * g - v[i]) * step.share2;
        parameters[i] -= step.rate * m[i] / (sqrtf(v[i]) + step.epsilon);
    }
}
