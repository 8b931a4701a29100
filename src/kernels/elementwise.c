/* Activations, bias, sums and the optimiser: loops that pass over memory once. */
#include "kernels/target.h"
#include "kernels/vector.h"

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

/* e^x for 0 ≤ x ≤ 20: 2^n e^r, n whole and |r| ≤ ln 2 / 2, by the polynomial of S. Moshier's Cephes
 * library. */
INLINE vector exponential(vector x)
{
    const vector_int n = __builtin_convertvector(x * 1.44269504f + 0.5f, vector_int);
    const vector whole = __builtin_convertvector(n, vector);
    const vector r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f; /* ln 2 in two parts */
    vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return (vector)((n + 127) << 23) * (p * r * r + r + 1);
}

/* Below 0.625 by Cephes's polynomial, above by e^2x. */
INLINE vector hyperbolic_tangent(vector x)
{
    const vector square = x * x, size = vector_select(x < 0, -x, x);
    vector p = square * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * square - 5.37397155531e-2f;
    p = p * square + 1.33314422036e-1f;
    p = p * square - 3.33332819422e-1f;
    const vector twice = vector_select(size < 10, 2 * size, vector_fill(20));
    const vector far = 1 - 2 / (exponential(twice) + 1);
    const vector result =
        vector_select(size < 0.625f, p * square * x + x, vector_select(x < 0, -far, far));
    return vector_select((x < 0) | (x > 0), result, x); /* NaN stays, and so does -0 */
}

void KERNEL(tanh)(float *dst, const float *src, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vector_store(dst + i, hyperbolic_tangent(vector_load(src + i)));
    if (i == n)
        return;
    float rest[LANES] = {0};
    memcpy(rest, src + i, (n - i) * sizeof *rest);
    vector_store(rest, hyperbolic_tangent(vector_load(rest)));
    memcpy(dst + i, rest, (n - i) * sizeof *rest);
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
