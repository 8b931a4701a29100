/* The plain twins: every operation of the engine as a textbook writes it, in double precision, with
 * naive loops and no thought for speed. What is fast is checked against these, and these against
 * finite differences (tests/check/reference_gradients.c).
 *
 * Images are NHWC. Weights have the layouts of Keras. A backward takes diff_dst, the gradient of
 * some loss by dst, and overwrites the gradients by what forward read; it leaves out none. */
#ifndef REFERENCE_H
#define REFERENCE_H

typedef struct reference_images {
    int n, height, width, channels;
} reference_images;

/* ---- activations, n numbers ---------------------------------------------------------------- */

/* ReLU is the leaky ReLU of slope 0. */
void reference_leaky_relu(double *dst, const double *src, int n, double slope);
void reference_leaky_relu_backward(double *diff_src, const double *diff_dst, const double *src,
                                   int n, double slope);
void reference_tanh(double *dst, const double *src, int n);
void reference_tanh_backward(double *diff_src, const double *diff_dst, const double *dst, int n);

/* ---- dense: dst [n][n_out] = src [n][n_in] · kernel [n_in][n_out] + bias [n_out] ------------- */

void reference_dense(double *dst, const double *src, const double *kernel, const double *bias,
                     int n, int n_in, int n_out);
void reference_dense_backward(double *diff_src, double *diff_kernel, double *diff_bias,
                              const double *diff_dst, const double *src, const double *kernel,
                              int n, int n_in, int n_out);

/* ---- conv: odd size × size kernel [size][size][in][out], stride 1, same padding -------------- */

void reference_conv(double *dst, const double *src, const double *kernel, const double *bias,
                    reference_images images, int n_out, int size);
void reference_conv_backward(double *diff_src, double *diff_kernel, double *diff_bias,
                             const double *diff_dst, const double *src, const double *kernel,
                             reference_images images, int n_out, int size);

/* ---- transposed conv: kernel [size][size][out][in], stride = size: every pixel of src becomes
 *      a patch of size × size pixels ----------------------------------------------------------- */

void reference_conv_transpose(double *dst, const double *src, const double *kernel,
                              const double *bias, reference_images images, int n_out, int size);
void reference_conv_transpose_backward(double *diff_src, double *diff_kernel, double *diff_bias,
                                       const double *diff_dst, const double *src,
                                       const double *kernel, reference_images images, int n_out,
                                       int size);

/* ---- batch norm over the rows of [rows][channels] (S. Ioffe, C. Szegedy, ICML 2015) ---------- */

#define REFERENCE_BATCH_NORM_EPSILON 1e-3
#define REFERENCE_BATCH_NORM_MOMENTUM 0.99

/* dst = γ (src - mean) / √(variance + ε) + β with the mean and the population variance of src. */
void reference_batch_norm_training(double *dst, double *mean, double *variance, const double *src,
                                   const double *gamma, const double *beta, int rows, int channels);
void reference_batch_norm_training_backward(double *diff_src, double *diff_gamma, double *diff_beta,
                                            const double *diff_dst, const double *src,
                                            const double *mean, const double *variance,
                                            const double *gamma, int rows, int channels);
/* The same with a mean and a variance that are given: those that moved along in training. */
void reference_batch_norm_inference(double *dst, const double *src, const double *mean,
                                    const double *variance, const double *gamma, const double *beta,
                                    int rows, int channels);
void reference_batch_norm_inference_backward(double *diff_src, double *diff_gamma,
                                             double *diff_beta, const double *diff_dst,
                                             const double *src, const double *mean,
                                             const double *variance, const double *gamma, int rows,
                                             int channels);
/* moving ← momentum · moving + (1 - momentum) · batch. */
void reference_batch_norm_move(double *moving, const double *batch, int channels);

/* The steps of the above that have kernels of their own. x̂ = (src - mean) · inverse_deviation. */
void reference_column_sum(double *sum, const double *src, int rows, int channels);
void reference_column_deviation(double *sum, const double *src, const double *mean, int rows,
                                int channels);
void reference_column_affine(double *dst, const double *src, const double *mean,
                             const double *scale, const double *shift, int rows, int channels);
/* sum_diff = Σ diff_dst, sum_product = Σ diff_dst · x̂: the gradients of β and γ. */
void reference_batch_norm_sums(double *sum_diff, double *sum_product, const double *diff_dst,
                               const double *src, const double *mean,
                               const double *inverse_deviation, int rows, int channels);
/* diff_src = scale · (diff_dst - mean_diff - x̂ · mean_product). */
void reference_batch_norm_diff_src(double *diff_src, const double *diff_dst, const double *src,
                                   const double *mean, const double *inverse_deviation,
                                   const double *scale, const double *mean_diff,
                                   const double *mean_product, int rows, int channels);

/* ---- max pool: windows of window × window side by side; what is over is dropped -------------- */

/* argmax [n][height / window][width / window][channels]: the place in the window, row by row, of
 * the first maximum. */
void reference_max_pool(double *dst, int *argmax, const double *src, reference_images images,
                        int window);
void reference_max_pool_backward(double *diff_src, const double *diff_dst, const int *argmax,
                                 reference_images images, int window);
/* The derivative of dst when src moves along `tangent`. */
void reference_max_pool_tangent(double *dst, const double *tangent, const int *argmax,
                                reference_images images, int window);

/* ---- losses -------------------------------------------------------------------------------- */

/* The mean binary cross-entropy of n logits against one label, 0 or 1 or between. */
double reference_cross_entropy(const double *logits, int n, double label);
void reference_cross_entropy_backward(double *diff_logits, const double *logits, int n,
                                      double label);
/* The means over n outputs of -side · output and of max(0, 1 - side · output), side ±1. */
double reference_wasserstein(const double *outputs, int n, double side);
void reference_wasserstein_backward(double *diff_outputs, int n, double side);
/* Of a softmax of n logits: -ln p of the label, p = e^x / Σ e^x as it is written. */
double reference_softmax_cross_entropy(const double *logits, int n, int label);
void reference_softmax_cross_entropy_backward(double *diff_logits, const double *logits, int n,
                                              int label);
double reference_hinge(const double *outputs, int n, double side);
void reference_hinge_backward(double *diff_outputs, const double *outputs, int n, double side);
/* weight times the mean over n vectors [size] of (|vector| - 1)². */
double reference_penalty(const double *vectors, int n, int size, double weight);
void reference_penalty_backward(double *diff_vectors, const double *vectors, int n, int size,
                                double weight);
/* The residual Σ |x - generated| of one image, and its gradient by generated: -sign(x - generated).
 */
double reference_residual(const double *x, const double *generated, int n);
void reference_residual_backward(double *diff_generated, const double *x, const double *generated,
                                 int n);

/* ---- the Gaussians of a variational autoencoder: code [2 * latent], means, then log variances ---
 */

void reference_gaussian_sample(double *z, const double *code, const double *noise, int latent);
/* KL(N(mean, variance) | N(0, 1)), the sum over the latents. */
double reference_gaussian_divergence(const double *code, int latent);
/* The gradient by the code of loss(z) + weight · KL, from that of the loss by z. */
void reference_gaussian_backward(double *diff_code, const double *diff_z, const double *code,
                                 const double *noise, int latent, double weight);

/* ---- spectral normalisation (T. Miyato et al., ICLR 2018) ------------------------------------ */

/* The largest singular value of kernel [rows][columns], whose vectors go to left [rows] and right
 * [columns]. */
double reference_spectral_norm(double *left, double *right, const double *kernel, int rows,
                               int columns);
/* From the gradient by kernel / largest that by kernel. */
void reference_spectral_backward(double *diff_kernel, const double *diff_normal,
                                 const double *kernel, double largest, const double *left,
                                 const double *right, int rows, int columns);

/* ---- Adam (D. Kingma, J. Ba, ICLR 2015), in Keras's form: ε is added to the root uncorrected - */

typedef struct reference_adam_options {
    double learning_rate, beta1, beta2, epsilon;
} reference_adam_options;

/* The learning rate of step t, counted from 1, with both bias corrections in it. */
double reference_adam_rate(reference_adam_options options, int t);
/* One step, `rate` being that of reference_adam_rate(). */
void reference_adam(double *parameters, double *m, double *v, const double *gradients, int n,
                    reference_adam_options options, double rate);

#endif
