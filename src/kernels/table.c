/* The set of one target. */
#include "kernels/target.h"

#define KERNELS_TEXT_(text) #text
#define KERNELS_TEXT(text) KERNELS_TEXT_(text)

extern const kernels KERNEL(kernels);
const kernels KERNEL(kernels) = {
    .name = KERNELS_TEXT(KERNELS_TARGET),
    .leaky_relu = KERNEL(leaky_relu),
    .leaky_relu_backward = KERNEL(leaky_relu_backward),
    .tanh_backward = KERNEL(tanh_backward),
    .add_bias = KERNEL(add_bias),
    .column_sum = KERNEL(column_sum),
    .column_deviation = KERNEL(column_deviation),
    .batch_norm = KERNEL(batch_norm),
    .batch_norm_sums = KERNEL(batch_norm_sums),
    .batch_norm_backward = KERNEL(batch_norm_backward),
    .max_pool = KERNEL(max_pool),
    .max_pool_backward = KERNEL(max_pool_backward),
    .adam = KERNEL(adam),
    .product = KERNEL(product),
    .winograd_weights = KERNEL(winograd_weights),
    .winograd_weights_turned = KERNEL(winograd_weights_turned),
    .winograd_convolve = KERNEL(winograd_convolve),
    .winograd_diff_tiles = KERNEL(winograd_diff_tiles),
    .winograd_diff_points = KERNEL(winograd_diff_points),
    .winograd_diff_weights = KERNEL(winograd_diff_weights),
    .fft_weights = KERNEL(fft_weights),
    .fft_weights_turned = KERNEL(fft_weights_turned),
    .fft_images = KERNEL(fft_images),
    .fft_multiply = KERNEL(fft_multiply),
    .fft_correlate = KERNEL(fft_correlate),
    .fft_results = KERNEL(fft_results),
    .fft_diff_weights = KERNEL(fft_diff_weights),
    .thin_widen = KERNEL(thin_widen),
    .thin_narrow = KERNEL(thin_narrow),
    .thin_diff_weights = KERNEL(thin_diff_weights),
    .upsample_src = KERNEL(upsample_src),
    .upsample_diff_src = KERNEL(upsample_diff_src),
    .upsample_dst = KERNEL(upsample_dst),
    .upsample_diff_dst = KERNEL(upsample_diff_dst),
    .upsample_weights = KERNEL(upsample_weights),
    .upsample_weights_turned = KERNEL(upsample_weights_turned),
    .upsample_diff_weights = KERNEL(upsample_diff_weights),
    .upsample_thin = KERNEL(upsample_thin),
    .upsample_thin_back = KERNEL(upsample_thin_back),
    .upsample_thin_diff_weights = KERNEL(upsample_thin_diff_weights),
};
