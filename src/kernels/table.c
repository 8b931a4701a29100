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
    .product = KERNEL(product),
    .adam = KERNEL(adam),
};
