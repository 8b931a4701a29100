/* Included by every source that is compiled once a target: KERNEL(name) is the function's name for
 * the target under way, name_avx512 say. */
#ifndef KERNELS_TARGET_H
#define KERNELS_TARGET_H

#include "kernels/kernels.h"

#define KERNELS_JOIN_(name, target) name##_##target
#define KERNELS_JOIN(name, target) KERNELS_JOIN_(name, target)
#define KERNEL(name) KERNELS_JOIN(name, KERNELS_TARGET)

void KERNEL(leaky_relu)(float *dst, const float *src, size_t n, float slope);
void KERNEL(leaky_relu_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n,
                                 float slope);
void KERNEL(tanh)(float *dst, const float *src, size_t n);
void KERNEL(tanh_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n);
void KERNEL(add_bias)(float *dst, const float *src, const float *bias, size_t rows,
                      size_t channels);
void KERNEL(column_sum)(float *sum, const float *src, size_t rows, size_t channels);
void KERNEL(adam)(float *parameters, float *m, float *v, const float *gradients, size_t n,
                  kernels_adam_step step);

void KERNEL(column_deviation)(float *sum, const float *src, const float *mean, size_t rows,
                              size_t channels);
void KERNEL(batch_norm)(float *dst, const float *src, kernels_batch_norm norm, size_t rows,
                        size_t channels);
void KERNEL(batch_norm_sums)(float *sum_diff, float *sum_product, const float *diff_dst,
                             const float *src, kernels_batch_norm norm, size_t rows,
                             size_t channels);
void KERNEL(batch_norm_backward)(float *diff_src, const float *diff_dst, const float *src,
                                 const float *mean_diff, const float *mean_product,
                                 kernels_batch_norm norm, size_t rows, size_t channels);

void KERNEL(product)(float *dst, const float *src, const float *weights, kernels_product product);

void KERNEL(max_pool)(float *dst, uint8_t *argmax, const float *src, int height, int width,
                      int channels, int window);
void KERNEL(max_pool_backward)(float *diff_src, const float *diff_dst, const uint8_t *argmax,
                               int height, int width, int channels, int window);
void KERNEL(max_pool_tangent)(float *dst, const float *src, const uint8_t *argmax, int height,
                              int width, int channels, int window);

void KERNEL(winograd_weights)(float *u, const float *weights, kernels_winograd conv, size_t first,
                              size_t count);
void KERNEL(winograd_weights_turned)(float *u, const float *weights, kernels_winograd conv,
                                     size_t first, size_t count);
void KERNEL(winograd_convolve)(float *dst, const float *src, const float *u, kernels_winograd conv,
                               kernels_epilogue epilogue, size_t first, size_t count,
                               float *scratch);
void KERNEL(winograd_diff_tiles)(float *v, float *w, const float *src, const float *diff_dst,
                                 kernels_winograd conv, size_t block, size_t first, size_t count);
void KERNEL(winograd_diff_points)(float *m, const float *v, const float *w, kernels_winograd conv,
                                  size_t block, size_t tiles, size_t first, size_t count);
void KERNEL(winograd_diff_weights)(float *diff_weights, const float *m, kernels_winograd conv,
                                   size_t first, size_t count);

void KERNEL(fft_weights)(float *u, const float *weights, kernels_fft conv, size_t first,
                         size_t count);
void KERNEL(fft_weights_turned)(float *u, const float *weights, kernels_fft conv, size_t first,
                                size_t count);
void KERNEL(fft_images)(float *v, const float *src, kernels_fft conv, size_t channels,
                        kernels_epilogue_back back, size_t images, size_t first, size_t count);
void KERNEL(fft_multiply)(float *m, const float *v, const float *u, size_t images, size_t in,
                          size_t out, size_t first, size_t count);
void KERNEL(fft_correlate)(float *m, const float *v, const float *w, size_t images, size_t in,
                           size_t out, size_t first, size_t count);
void KERNEL(fft_results)(float *dst, const float *m, kernels_fft conv, size_t channels,
                         kernels_epilogue epilogue, size_t images, size_t first, size_t count);
void KERNEL(fft_diff_weights)(float *diff_weights, const float *m, kernels_fft conv, size_t first,
                              size_t count);
void KERNEL(thin_widen)(float *dst, const float *src, const float *weights, kernels_thin conv,
                        bool turned, kernels_epilogue epilogue);
void KERNEL(thin_narrow)(float *dst, const float *src, const float *weights, const float *bias,
                         kernels_thin conv, bool turned);
void KERNEL(upsample_src)(float *v, const float *src, float slope, kernels_upsample up,
                          size_t images, size_t first, size_t count);
void KERNEL(upsample_diff_src)(float *diff_src, const float *m, const float *src, float slope,
                               kernels_upsample up, size_t images, size_t first, size_t count);
void KERNEL(upsample_dst)(float *dst, const float *m, const float *bias, kernels_upsample up,
                          size_t images, size_t first, size_t count);
void KERNEL(upsample_diff_dst)(float *w, const float *diff_dst, kernels_upsample up, size_t images,
                               size_t first, size_t count);
void KERNEL(upsample_multiply)(float *m, const float *v, const float *u, size_t most, size_t rows,
                               size_t columns, size_t k, size_t first, size_t count);
void KERNEL(upsample_weights)(float *u, const float *weights, kernels_upsample up, size_t first,
                              size_t count);
void KERNEL(upsample_weights_turned)(float *u, const float *weights, kernels_upsample up,
                                     size_t first, size_t count);
void KERNEL(upsample_diff_weights)(float *diff_weights, const float *m, kernels_upsample up,
                                   size_t first, size_t count);
void KERNEL(upsample_thin)(float *dst, const float *src, const float *weights, const float *bias,
                           kernels_upsample up);
void KERNEL(upsample_thin_back)(float *diff_src, const float *diff_dst, const float *weights,
                                kernels_upsample up);
void KERNEL(upsample_thin_diff_weights)(float *diff_weights, const float *src,
                                        const float *diff_dst, kernels_upsample up);
void KERNEL(thin_diff_weights)(float *diff_weights, const float *thin, const float *wide,
                               kernels_thin conv, bool turned);

#endif
