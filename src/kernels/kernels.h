/* The hot loops of our own, compiled once for each kind of processor from the same source.
 *
 * A kernel runs on one thread over the range it is given; the layers in src/nn split the work. No
 * kernel allocates or fails. Arrays need no alignment; dst may be src where that is said.
 * Matrices are row-major: [rows][channels] is an NHWC tensor with rows = n · height · width.
 * The plain twins that the tests compare with are in tests/reference/. */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kernels_adam_step {
    float rate;           /* learning rate with both bias corrections in it */
    float share1, share2; /* 1 - β1 and 1 - β2: what the new gradient counts for */
    float epsilon;        /* added to the root of the second moment */
} kernels_adam_step;

/* What the columns of a product, the channels of a Winograd convolution and the wide ones of a thin
 * convolution come in multiples of. */
enum { KERNELS_COLUMNS = 16 };

/* As many columns, rounded up to that. */
static inline size_t kernels_whole_columns(size_t columns)
{
    return (columns + KERNELS_COLUMNS - 1) / KERNELS_COLUMNS * KERNELS_COLUMNS;
}

/* dst [rows][columns] = src [rows][k] · weights [k][columns], or dst += that; k ≥ 1. */
typedef struct kernels_product {
    size_t rows, columns, k;
    size_t terms; /* of k, added up before they join the sum in dst: rounding errors grow with the
                     root of this, not of k; 0: all at once */
    size_t dst_row, src_row, src_column, weights_row; /* floats from one to the next */
    bool accumulate;
    /* Of the product that comes next, of the same form, to be fetched meanwhile; its src and dst
     * lie without gaps. All three, or none where they are NULL. */
    const float *next_weights, *next_src, *next_dst;
} kernels_product;

/* A convolution by Winograd's algorithm: stride 1, zero padding that keeps the size. dst is cut
 * into tiles of (9 - kernel)² pixels, numbered through the batch, image by image and row by row;
 * those at the right and the bottom may reach out of the image. */
typedef struct kernels_winograd {
    int height, width; /* of src and of dst */
    int kernel;        /* 3 or 5 */
    size_t in, out;    /* channels */
} kernels_winograd;

/* The inverse transforms make much of the products' rounding errors; adding up so many terms at a
 * time halves those of 128 channels, and costs nothing measurable. */
enum { KERNELS_WINOGRAD_POINTS = 64, KERNELS_WINOGRAD_TERMS = 32 };

/* The side of a tile of dst. */
static inline int kernels_winograd_side(const kernels_winograd *conv)
{
    return 9 - conv->kernel;
}

/* The tiles of one image. */
static inline size_t kernels_winograd_tiles(const kernels_winograd *conv)
{
    const int side = kernels_winograd_side(conv);
    return (size_t)((conv->height + side - 1) / side) * (size_t)((conv->width + side - 1) / side);
}

/* From one point's matrix [rows][columns] to the next, in floats. A few lines of the cache lie
 * between, so that the points of one element do not share a set of it. */
static inline size_t kernels_winograd_stride(size_t rows, size_t columns)
{
    return rows * columns + 16;
}

/* The floats of 64 points' matrices. */
static inline size_t kernels_winograd_size(size_t rows, size_t columns)
{
    return KERNELS_WINOGRAD_POINTS * kernels_winograd_stride(rows, columns);
}

/* What is done to the sums of a convolution before they are stored: bias, leaky ReLU, max pooling
 * by 2 × 2. */
typedef struct kernels_epilogue {
    const float *bias; /* [channels], or NULL */
    float slope;       /* 1: no activation */
    uint8_t *argmax;   /* as for max_pool; NULL: no pooling */
} kernels_epilogue;

/* What a gradient goes back through before it is one by the sums: the epilogue's way back. */
typedef struct kernels_epilogue_back {
    const float *dst;      /* what the epilogue made; NULL: it was none */
    float slope;           /* as in the epilogue */
    const uint8_t *argmax; /* as the epilogue left it; NULL: no pooling */
} kernels_epilogue_back;

/* Batch norm of every channel and the leaky ReLU after it: x̂ = (src - mean) · inverse_deviation,
 * y = (src - mean) · scale + shift, dst = y > 0 ? y : y · slope. */
typedef struct kernels_batch_norm {
    const float *mean, *inverse_deviation, *scale, *shift; /* [channels] */
    float slope;                                           /* 1: no activation */
} kernels_batch_norm;

/* A convolution by the discrete Fourier transform of whole images of at most 16 - kernel / 2 pixels
 * a side: stride 1, zero padding that keeps the size. */
typedef struct kernels_fft {
    int height, width; /* of src and of dst */
    int kernel;        /* 3 or 5 */
    size_t in, out;    /* channels */
} kernels_fft;

/* 130 complex numbers, the bins, say all of the transform of a real plane of 16 × 16. */
enum { KERNELS_FFT_SIDE = 16, KERNELS_FFT_BINS = 130, KERNELS_FFT_MAX_KERNEL = 5 };

/* From one part of a bin's complex matrix [rows][columns], the real or the imaginary one, to the
 * next, in floats; as kernels_winograd_stride(). */
static inline size_t kernels_fft_stride(size_t rows, size_t columns)
{
    return rows * columns + 16;
}

/* The floats of all bins' matrices. */
static inline size_t kernels_fft_size(size_t rows, size_t columns)
{
    return 2 * KERNELS_FFT_BINS * kernels_fft_stride(rows, columns);
}

/* A convolution between an image of few channels and one of many, either way: stride 1, zero
 * padding that keeps the size, weights [kernel][kernel][thin][wide]. */
typedef struct kernels_thin {
    int height, width;
    int kernel;  /* 3, 5 or KERNELS_THIN_MAX_KERNEL */
    int thin;    /* channels of the one, 1 … KERNELS_MAX_THIN */
    size_t wide; /* channels of the other */
} kernels_thin;

enum { KERNELS_MAX_THIN = 4, KERNELS_THIN_MAX_KERNEL = 7 };

/* A transposed convolution 2 × 2 of stride 2 and the convolution after it, composed: nothing
 * non-linear stands between them. Pixel i of src, along either axis, reaches the window of pixels
 * 2 i - radius … 2 i + 1 + radius of dst, with weights [kernel + 1][kernel + 1][out][in]. */
typedef struct kernels_upsample {
    int height, width; /* of src; dst has twice that */
    int kernel;        /* of the convolution, 3 or 5; radius = kernel / 2 */
    size_t in, out;    /* channels */
} kernels_upsample;

enum { KERNELS_UPSAMPLE_MAX_TAPS = 3, KERNELS_UPSAMPLE_TILE = 7 };

/* The tiles along an axis of src. */
static inline int kernels_upsample_across(int size)
{
    return (size + KERNELS_UPSAMPLE_TILE - 1) / KERNELS_UPSAMPLE_TILE;
}

/* The tiles of one image. */
static inline size_t kernels_upsample_tiles(const kernels_upsample *up)
{
    return (size_t)(kernels_upsample_across(up->height) * kernels_upsample_across(up->width));
}

typedef struct kernels {
    const char *name; /* "generic", "avx2", "avx512" */

    /* Activations. dst may be src. Backward: diff_src may be diff_dst; dst is what forward gave. */
    void (*leaky_relu)(float *dst, const float *src, size_t n, float slope);
    void (*leaky_relu_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n,
                                float slope);
    void (*tanh)(float *dst, const float *src, size_t n);
    void (*tanh_backward)(float *diff_src, const float *diff_dst, const float *dst, size_t n);

    /* dst[r][c] = src[r][c] + bias[c]. dst may be src. */
    void (*add_bias)(float *dst, const float *src, const float *bias, size_t rows, size_t channels);
    /* sum[c] = Σ_r src[r][c], added up in the order of r. */
    void (*column_sum)(float *sum, const float *src, size_t rows, size_t channels);

    /* Batch norm. sum[c] = Σ_r (src[r][c] - mean[c])². */
    void (*column_deviation)(float *sum, const float *src, const float *mean, size_t rows,
                             size_t channels);
    /* As kernels_batch_norm says. dst may be src. */
    void (*batch_norm)(float *dst, const float *src, kernels_batch_norm norm, size_t rows,
                       size_t channels);
    /* With diff the gradient by y: sum_diff[c] = Σ_r diff, sum_product[c] = Σ_r diff · x̂. */
    void (*batch_norm_sums)(float *sum_diff, float *sum_product, const float *diff_dst,
                            const float *src, kernels_batch_norm norm, size_t rows,
                            size_t channels);
    /* diff_src = scale · (diff - mean_diff - x̂ · mean_product). diff_src may be diff_dst. */
    void (*batch_norm_backward)(float *diff_src, const float *diff_dst, const float *src,
                                const float *mean_diff, const float *mean_product,
                                kernels_batch_norm norm, size_t rows, size_t channels);

    /* Max pooling of one image [height][width][channels] by window × window, stride window; what is
     * over at the right and bottom is dropped. argmax [height / window][width / window][channels]:
     * the place in the window, row by row, of the first maximum. */
    void (*max_pool)(float *dst, uint8_t *argmax, const float *src, int height, int width,
                     int channels, int window);
    void (*max_pool_backward)(float *diff_src, const float *diff_dst, const uint8_t *argmax,
                              int height, int width, int channels, int window);
    /* Its derivative in the direction src: dst gets the numbers of src at argmax's places. */
    void (*max_pool_tangent)(float *dst, const float *src, const uint8_t *argmax, int height,
                             int width, int channels, int window);

    /* A product of matrices that lie in a core's cache. Rows of src may overlap. A row's result
     * does not depend on how many rows there are. */
    void (*product)(float *dst, const float *src, const float *weights, kernels_product product);

    /* One step of Adam (D. Kingma, J. Ba, ICLR 2015) in Keras's form:
     * m ← β1 m + (1 - β1) g, v ← β2 v + (1 - β2) g², p ← p - rate · m / (√v + ε). */
    void (*adam)(float *parameters, float *m, float *v, const float *gradients, size_t n,
                 kernels_adam_step step);

    /* Winograd convolution; src/kernels/winograd_transform.h has the algorithm. It is a product of
     * matrices for each of the 64 points of a transformed tile:
     *     dst           M [tiles][out] = V(src) [tiles][in] · U [in][out]
     *     diff_src      M [tiles][in] = V(diff_dst) [tiles][out] · U turned [out][in]
     *     diff_weights  M [in][out] = V(src)ᵀ [in][tiles] · W(diff_dst) [tiles][out].
     * Each function does the part first … first + count of its work: rows, tiles or points. */

    /* U, kernels_winograd_size(in, out), from weights [kernel][kernel][in][out]; by rows, of in. */
    void (*winograd_weights)(float *u, const float *weights, kernels_winograd conv, size_t first,
                             size_t count);
    /* U turned, of the same size, from the same weights; by rows, of out. */
    void (*winograd_weights_turned)(float *u, const float *weights, kernels_winograd conv,
                                    size_t first, size_t count);
    /* dst by tiles, [height / 2][width / 2] with pooling. scratch: kernels_winograd_size(count, in)
     * + kernels_winograd_size(count, out). For diff_src: diff_dst as src, U turned as u, conv with
     * in and out exchanged. */
    void (*winograd_convolve)(float *dst, const float *src, const float *u, kernels_winograd conv,
                              kernels_epilogue epilogue, size_t first, size_t count,
                              float *scratch);
    /* diff_weights in three steps. For every `block` tiles, V and W by tiles, which must lie in one
     * block: sizes kernels_winograd_size(block, in) and (block, out). */
    void (*winograd_diff_tiles)(float *v, float *w, const float *src, const float *diff_dst,
                                kernels_winograd conv, size_t block, size_t first, size_t count);
    /* Then M += Vᵀ W over the `tiles` of the block, by points. M is zero before the first block. */
    void (*winograd_diff_points)(float *m, const float *v, const float *w, kernels_winograd conv,
                                 size_t block, size_t tiles, size_t first, size_t count);
    /* After the last, diff_weights [kernel][kernel][in][out] from M; by rows, of in. */
    void (*winograd_diff_weights)(float *diff_weights, const float *m, kernels_winograd conv,
                                  size_t first, size_t count);

    /* Convolution by the Fourier transform; src/kernels/fft_transform.h has it. It is a product of
     * complex matrices for each of the 130 bins:
     *     dst           M [images][out] = V(src) [images][in] · U [in][out]
     *     diff_src      M [images][in] = W(diff_dst) [images][out] · U turned [out][in]
     *     diff_weights  M [in][out] = V(src)* [in][images] · W(diff_dst) [images][out].
     * Each function does the part first … first + count of its work: rows, images or bins. */

    /* U, kernels_fft_size(in, out), from weights [kernel][kernel][in][out]; by rows, of in. */
    void (*fft_weights)(float *u, const float *weights, kernels_fft conv, size_t first,
                        size_t count);
    /* U turned, of the same size, from the same weights; by rows, of out. */
    void (*fft_weights_turned)(float *u, const float *weights, kernels_fft conv, size_t first,
                               size_t count);
    /* V or W, kernels_fft_size(images, channels), by images; of W, src is the gradient by what the
     * epilogue made. */
    void (*fft_images)(float *v, const float *src, kernels_fft conv, size_t channels,
                       kernels_epilogue_back back, size_t images, size_t first, size_t count);
    /* M of dst, and of diff_src, for which in and out are exchanged; by bins. */
    void (*fft_multiply)(float *m, const float *v, const float *u, size_t images, size_t in,
                         size_t out, size_t first, size_t count);
    /* M of diff_weights, by bins. */
    void (*fft_correlate)(float *m, const float *v, const float *w, size_t images, size_t in,
                          size_t out, size_t first, size_t count);
    /* dst from M, [height / 2][width / 2] with pooling; by images. */
    void (*fft_results)(float *dst, const float *m, kernels_fft conv, size_t channels,
                        kernels_epilogue epilogue, size_t images, size_t first, size_t count);
    /* diff_weights [kernel][kernel][in][out] from M; by rows, of in. */
    void (*fft_diff_weights)(float *diff_weights, const float *m, kernels_fft conv, size_t first,
                             size_t count);

    /* Thin convolutions, of one image. `turned` takes the taps from the last to the first: so the
     * gradient by src is the other function with the same weights. */

    /* dst [height][width][wide], pooled [height / 2][width / 2][wide], from
     * src [height][width][thin]. */
    void (*thin_widen)(float *dst, const float *src, const float *weights, kernels_thin conv,
                       bool turned, kernels_epilogue epilogue);
    /* dst [height][width][thin] from src [height][width][wide]; bias [thin] or NULL. */
    void (*thin_narrow)(float *dst, const float *src, const float *weights, const float *bias,
                        kernels_thin conv, bool turned);
    /* diff_weights += what one image adds: turned where the thin image is dst. */
    void (*thin_diff_weights)(float *diff_weights, const float *thin, const float *wide,
                              kernels_thin conv, bool turned);

    /* Composed upsampling to many channels, kernel 3; src/kernels/upsample.c has the algorithm. It
     * is a product of matrices for each of the 64 points of a transformed tile of src:
     *     dst           M [tiles][4 · out] = V(src) [tiles][in] · U [in][4 · out]
     *     diff_src      M [tiles][in] = W(diff_dst) [tiles][4 · out] · U turned [4 · out][in]
     *     diff_weights  M [4 · out][in] = W(diff_dst)ᵀ [4 · out][tiles] · V(src) [tiles][in].
     * Sizes are kernels_winograd_size(rows, columns), tiles those of all images. Each function does
     * the part first … first + count of its work: rows of the result, or images, of which src,
     * diff_src, dst or diff_dst has only those. */
    /* Of src after a leaky ReLU; slope 1: of src itself. */
    void (*upsample_src)(float *v, const float *src, float slope, kernels_upsample up,
                         size_t images, size_t first, size_t count);
    /* The gradient by what the leaky ReLU was given, src; NULL: there was none. */
    void (*upsample_diff_src)(float *diff_src, const float *m, const float *src, float slope,
                              kernels_upsample up, size_t images, size_t first, size_t count);
    /* bias is of one image's size. */
    void (*upsample_dst)(float *dst, const float *m, const float *bias, kernels_upsample up,
                         size_t images, size_t first, size_t count);
    void (*upsample_diff_dst)(float *w, const float *diff_dst, kernels_upsample up, size_t images,
                              size_t first, size_t count);
    /* M of dst and of diff_src, [rows][columns] from [rows][k] and [k][columns], by points. The
     * first matrices lie as for `most` rows, of which `rows` are used. */
    void (*upsample_multiply)(float *m, const float *v, const float *u, size_t most, size_t rows,
                              size_t columns, size_t k, size_t first, size_t count);
    void (*upsample_weights)(float *u, const float *weights, kernels_upsample up, size_t first,
                             size_t count);
    void (*upsample_weights_turned)(float *u, const float *weights, kernels_upsample up,
                                    size_t first, size_t count);
    void (*upsample_diff_weights)(float *diff_weights, const float *m, kernels_upsample up,
                                  size_t first, size_t count);

    /* Composed upsampling of one image to few channels, 1 … KERNELS_MAX_THIN. */

    /* dst = bias + …; bias is of dst's size. */
    void (*upsample_thin)(float *dst, const float *src, const float *weights, const float *bias,
                          kernels_upsample up);
    void (*upsample_thin_back)(float *diff_src, const float *diff_dst, const float *weights,
                               kernels_upsample up);
    /* diff_weights += what the image adds. */
    void (*upsample_thin_diff_weights)(float *diff_weights, const float *src, const float *diff_dst,
                                       kernels_upsample up);
} kernels;

/* The fastest set that this processor can run. */
const kernels *kernels_get(void);

/* The sets compiled in, slowest first; those that this processor cannot run are left out.
 * Writes at most `max` to sets and returns how many. For checks of every variant. */
int kernels_available(const kernels *sets[], int max);

#endif
