/* Max pooling of one NHWC image, vectorised over the channels. */
#include "kernels/target.h"

#include <string.h>

void KERNEL(max_pool)(float *dst, uint8_t *argmax, const float *src, int height, int width,
                      int channels, int window)
{
    const size_t c_count = (size_t)channels, w_count = (size_t)width, k = (size_t)window;
    for (size_t y = 0; y < (size_t)height / k; y++) {
        for (size_t x = 0; x < w_count / k; x++) {
            const float *corner = src + (y * k * w_count + x * k) * c_count;
            memcpy(dst, corner, c_count * sizeof *dst);
            memset(argmax, 0, c_count);
            for (size_t place = 1; place < k * k; place++) {
                const float *candidate = corner + (place / k * w_count + place % k) * c_count;
#pragma omp simd
                for (size_t c = 0; c < c_count; c++) {
                    const int greater = candidate[c] > dst[c];
                    dst[c] = greater ? candidate[c] : dst[c];
                    argmax[c] = (uint8_t)(greater ? place : argmax[c]);
                }
            }
            dst += c_count;
            argmax += c_count;
        }
    }
}

void KERNEL(max_pool_backward)(float *diff_src, const float *diff_dst, const uint8_t *argmax,
                               int height, int width, int channels, int window)
{
    const size_t c_count = (size_t)channels, w_count = (size_t)width, k = (size_t)window;
    if (height % window != 0 || width % window != 0)
        memset(diff_src, 0, (size_t)height * w_count * c_count * sizeof *diff_src);
    for (size_t y = 0; y < (size_t)height / k; y++) {
        for (size_t x = 0; x < w_count / k; x++) {
            float *corner = diff_src + (y * k * w_count + x * k) * c_count;
            for (size_t place = 0; place < k * k; place++) {
                float *target = corner + (place / k * w_count + place % k) * c_count;
#pragma omp simd
                for (size_t c = 0; c < c_count; c++)
                    target[c] = argmax[c] == place ? diff_dst[c] : 0;
            }
            diff_dst += c_count;
            argmax += c_count;
        }
    }
}

void KERNEL(max_pool_tangent)(float *dst, const float *src, const uint8_t *argmax, int height,
                              int width, int channels, int window)
{
    const size_t c_count = (size_t)channels, w_count = (size_t)width, k = (size_t)window;
    for (size_t y = 0; y < (size_t)height / k; y++) {
        for (size_t x = 0; x < w_count / k; x++) {
            const float *corner = src + (y * k * w_count + x * k) * c_count;
            memcpy(dst, corner, c_count * sizeof *dst);
            for (size_t place = 1; place < k * k; place++) {
                const float *candidate = corner + (place / k * w_count + place % k) * c_count;
#pragma omp simd
                for (size_t c = 0; c < c_count; c++)
                    dst[c] = argmax[c] == place ? candidate[c] : dst[c];
            }
            dst += c_count;
            argmax += c_count;
        }
    }
}
