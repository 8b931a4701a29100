/* The hot loops of our own, compiled once for each kind of processor from the same source.
 *
 * A kernel runs on one thread over the range it is given; the layers in src/nn split the work. No
 * kernel allocates or fails. Arrays need no alignment; dst may be src where that is said.
 * Matrices are row-major: [rows][channels] is an NHWC tensor with rows = n · height · width.
 * The plain twins that the tests compare with are in tests/reference/. */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef struct kernels_adam_step {
    float rate; /* learning rate with both bias corrections in it */
    float beta1, beta2;
    float epsilon; /* added to the root of the second moment */
} kernels_adam_step;

/* What the columns of a product come in multiples of. */
enum { KERNELS_PRODUCT_COLUMNS = 16 };

typedef struct kernels {
    const char *name; /* "generic", "avx2", "avx512" */

    /* Activations. dst may be src. Backward: diff_src may be diff_dst; dst is what forward gave. */
    void (*leaky_relu)(float *dst, const float *src, size_t n, float slope);
    void (*leaky_relu_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n,
                                float slope);
    void (*tanh_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n);

    /* dst[r][c] = src[r][c] + bias[c]. dst may be src. */
    void (*add_bias)(float *dst, const float *src, const float *bias, size_t rows, size_t channels);
    /* sum[c] = Σ_r src[r][c], added up in the order of r. */
    void (*column_sum)(float *sum, const float *src, size_t rows, size_t channels);

    /* Batch norm. sum[c] = Σ_r (src[r][c] - mean[c])². */
    void (*column_deviation)(float *sum, const float *src, const float *mean, size_t rows,
                             size_t channels);
    /* dst = (src - mean) · scale + shift for each channel. dst may be src. */
    void (*batch_norm)(float *dst, const float *src, const float *mean, const float *scale,
                       const float *shift, size_t rows, size_t channels);
    /* sum_diff[c] = Σ_r diff_dst, sum_product[c] = Σ_r diff_dst · (src - mean) · inverse_deviation.
     */
    void (*batch_norm_sums)(float *sum_diff, float *sum_product, const float *diff_dst,
                            const float *src, const float *mean, const float *inverse_deviation,
                            size_t rows, size_t channels);
    /* diff_src = scale · (diff_dst - mean_diff - x̂ · mean_product), x̂ the normalised src.
     * diff_src may be diff_dst. */
    void (*batch_norm_backward)(float *diff_src, const float *diff_dst, const float *src,
                                const float *mean, const float *inverse_deviation,
                                const float *scale, const float *mean_diff,
                                const float *mean_product, size_t rows, size_t channels);

    /* Max pooling of one image [height][width][channels] by window × window, stride window; what is
     * over at the right and bottom is dropped. argmax [height / window][width / window][channels]:
     * the place in the window, row by row, of the first maximum. */
    void (*max_pool)(float *dst, uint8_t *argmax, const float *src, int height, int width,
                     int channels, int window);
    void (*max_pool_backward)(float *diff_src, const float *diff_dst, const uint8_t *argmax,
                              int height, int width, int channels, int window);

    /* dst[r][c] += Σ_k src[r][k] · weights[k][c] for r < rows, c < columns, k < k_count. Rows of
     * dst and src are dst_stride and src_stride floats apart (those of src may overlap), weights
     * are [k_count][columns]. columns is a multiple of KERNELS_PRODUCT_COLUMNS. A row's result does
     * not depend on how many rows there are. */
    void (*product)(float *dst, size_t dst_stride, const float *src, size_t src_stride,
                    const float *weights, size_t columns, size_t k_count, size_t rows);

    /* One step of Adam (D. Kingma, J. Ba, ICLR 2015) in Keras's form:
     * m ← β1 m + (1 - β1) g, v ← β2 v + (1 - β2) g², p ← p - rate · m / (√v + ε). */
    void (*adam)(float *parameters, float *m, float *v, const float *gradients, size_t n,
                 kernels_adam_step step);
} kernels;

/* The fastest set that this processor can run. */
const kernels *kernels_get(void);

/* The sets compiled in, slowest first; those that this processor cannot run are left out.
 * Writes at most `max` to sets and returns how many. For checks of every variant. */
int kernels_available(const kernels *sets[], int max);

#endif
