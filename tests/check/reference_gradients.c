/* Every backward of tests/reference against central finite differences of its forward.
 *
 * The loss is L = Σ diff_dst · dst with random diff_dst. In double precision, with a step of 1e-5,
 * (L(x + h) - L(x - h)) / 2h is off by about 1e-10 of L's scale; a gradient may differ by 1e-7 of
 * itself and of the greatest of its tensor. */
#include "check.h"
#include "reference/reference.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MAX = 4096 };
static const double STEP = 1e-5, TOLERANCE = 1e-7;
static const double SLOPE = 0.2, LABEL = 0.9;

/* An operation on one tensor with at most two of parameters; a count of 0: has none. For batch norm
 * kernel is γ and bias β; for the residual kernel is the image x. */
typedef struct operation {
    reference_images images; /* src */
    int n_out, size;         /* size of kernel or window */
    int n_src, n_kernel, n_bias, n_dst;
    double src[MAX], kernel[MAX], bias[MAX], dst[MAX];
    double diff_src[MAX], diff_kernel[MAX], diff_bias[MAX], diff_dst[MAX];
    double mean[MAX], variance[MAX];
    int argmax[MAX];
} operation;

typedef void pass(operation *o);

static double loss(operation *o, pass *forward)
{
    forward(o);
    double sum = 0;
    for (int i = 0; i < o->n_dst; i++)
        sum += o->diff_dst[i] * o->dst[i];
    return sum;
}

static void compare(const char *what, operation *o, pass *forward, double *values,
                    const double *gradient, int n)
{
    double greatest = 0;
    for (int i = 0; i < n; i++)
        greatest = fmax(greatest, fabs(gradient[i]));
    for (int i = 0; i < n; i++) {
        const double value = values[i];
        values[i] = value + STEP;
        const double above = loss(o, forward);
        values[i] = value - STEP;
        const double below = loss(o, forward);
        values[i] = value;
        const double expected = (above - below) / (2 * STEP);
        if (!(fabs(gradient[i] - expected) <= TOLERANCE * (fabs(expected) + greatest)))
            fail_msg("%s[%d]: expected %.12g, got %.12g", what, i, expected, gradient[i]);
    }
}

/* src and kernel are drawn `apart` for operations with kinks. */
static void check(operation *o, pass *forward, pass *backward,
                  void (*draw)(double *dst, int n, uint64_t stream))
{
    assert_true(o->n_src <= MAX && o->n_kernel <= MAX && o->n_bias <= MAX && o->n_dst <= MAX);
    draw(o->src, o->n_src, 1);
    check_random(o->kernel, o->n_kernel, 2);
    check_random(o->bias, o->n_bias, 3);
    check_random(o->diff_dst, o->n_dst, 4);
    forward(o);
    backward(o);
    compare("diff_src", o, forward, o->src, o->diff_src, o->n_src);
    compare("diff_kernel", o, forward, o->kernel, o->diff_kernel, o->n_kernel);
    compare("diff_bias", o, forward, o->bias, o->diff_bias, o->n_bias);
}

static operation *create(int n, int height, int width, int channels)
{
    operation *o = calloc(1, sizeof *o);
    assert_non_null(o);
    o->images = (reference_images){n, height, width, channels};
    o->n_src = n * height * width * channels;
    return o;
}

static void leaky_relu(operation *o)
{
    reference_leaky_relu(o->dst, o->src, o->n_src, SLOPE);
}

static void leaky_relu_backward(operation *o)
{
    reference_leaky_relu_backward(o->diff_src, o->diff_dst, o->src, o->n_src, SLOPE);
}

static void tanh_forward(operation *o)
{
    reference_tanh(o->dst, o->src, o->n_src);
}

static void tanh_backward(operation *o)
{
    reference_tanh_backward(o->diff_src, o->diff_dst, o->dst, o->n_src);
}

static void activations__have_their_gradients(void **state)
{
    (void)state;
    operation *o = create(1, 1, 1, 101);
    o->n_dst = 101;
    check(o, leaky_relu, leaky_relu_backward, check_random_apart);
    check(o, tanh_forward, tanh_backward, check_random);
    free(o);
}

static void dense(operation *o)
{
    reference_dense(o->dst, o->src, o->kernel, o->bias, o->images.n, o->images.channels, o->n_out);
}

static void dense_backward(operation *o)
{
    reference_dense_backward(o->diff_src, o->diff_kernel, o->diff_bias, o->diff_dst, o->src,
                             o->kernel, o->images.n, o->images.channels, o->n_out);
}

static void dense__has_its_gradients(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {3, 7, 5}, {5, 2, 31}}; /* n, in, out */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        operation *o = create(sizes[i][0], 1, 1, sizes[i][1]);
        o->n_out = o->n_bias = sizes[i][2];
        o->n_kernel = sizes[i][1] * sizes[i][2];
        o->n_dst = sizes[i][0] * sizes[i][2];
        check(o, dense, dense_backward, check_random);
        free(o);
    }
}

static void conv(operation *o)
{
    reference_conv(o->dst, o->src, o->kernel, o->bias, o->images, o->n_out, o->size);
}

static void conv_backward(operation *o)
{
    reference_conv_backward(o->diff_src, o->diff_kernel, o->diff_bias, o->diff_dst, o->src,
                            o->kernel, o->images, o->n_out, o->size);
}

static void conv_transpose(operation *o)
{
    reference_conv_transpose(o->dst, o->src, o->kernel, o->bias, o->images, o->n_out, o->size);
}

static void conv_transpose_backward(operation *o)
{
    reference_conv_transpose_backward(o->diff_src, o->diff_kernel, o->diff_bias, o->diff_dst,
                                      o->src, o->kernel, o->images, o->n_out, o->size);
}

/* n, height, width, in, out, size of the kernel: also kernels greater than the image. */
static const int conv_sizes[][6] = {
    {1, 1, 1, 1, 1, 1}, {2, 5, 3, 2, 3, 3}, {1, 3, 4, 3, 1, 5}, {3, 2, 7, 1, 2, 7}};

static void conv__has_its_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conv_sizes / sizeof *conv_sizes; i++) {
        const int *s = conv_sizes[i];
        operation *o = create(s[0], s[1], s[2], s[3]);
        o->n_out = o->n_bias = s[4];
        o->size = s[5];
        o->n_kernel = s[5] * s[5] * s[3] * s[4];
        o->n_dst = s[0] * s[1] * s[2] * s[4];
        check(o, conv, conv_backward, check_random);
        free(o);
    }
}

static void conv_transpose__has_its_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conv_sizes / sizeof *conv_sizes; i++) {
        const int *s = conv_sizes[i];
        operation *o = create(s[0], s[1], s[2], s[3]);
        o->n_out = o->n_bias = s[4];
        o->size = s[5] / 2 + 1;
        o->n_kernel = o->size * o->size * s[3] * s[4];
        o->n_dst = s[0] * s[1] * o->size * s[2] * o->size * s[4];
        check(o, conv_transpose, conv_transpose_backward, check_random);
        free(o);
    }
}

/* What gradients alone cannot tell: that kernels are not flipped or transposed. */
static void layouts__are_those_of_keras(void **state)
{
    (void)state;
    double dst[12];
    const double numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, zeros[3] = {0};
    /* [1 2] · [[1 2 3] [4 5 6]] */
    reference_dense(dst, numbers, numbers, zeros, 1, 2, 3);
    assert_memory_equal(dst, ((double[]){9, 12, 15}), 3 * sizeof *dst);
    /* A pixel (1 2) in the middle of 3 × 3: kernel 3 × 3 × 2 × 1, turned by half, falls around it.
     */
    const double src[18] = {[8] = 1, [9] = 2};
    const double kernel[18] = {1, 0, 2, 0, 3, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0};
    reference_conv(dst, src, kernel, zeros, (reference_images){1, 3, 3, 2}, 1, 3);
    assert_memory_equal(dst, ((double[]){9, 0, 0, 0, 0, 4, 3, 2, 1}), 9 * sizeof *dst);
    /* Kernel [2][2][1][2] makes a pixel (1 2) into four, [1][1][3][2] into three channels. */
    reference_conv_transpose(dst, numbers, numbers, zeros, (reference_images){1, 1, 1, 2}, 1, 2);
    assert_memory_equal(dst, ((double[]){5, 11, 17, 23}), 4 * sizeof *dst);
    reference_conv_transpose(dst, numbers, numbers, zeros, (reference_images){1, 1, 1, 2}, 3, 1);
    assert_memory_equal(dst, ((double[]){5, 11, 17}), 3 * sizeof *dst);
}

static void batch_norm_training(operation *o)
{
    reference_batch_norm_training(o->dst, o->mean, o->variance, o->src, o->kernel, o->bias,
                                  o->images.n, o->images.channels);
}

static void batch_norm_training_backward(operation *o)
{
    reference_batch_norm_training_backward(o->diff_src, o->diff_kernel, o->diff_bias, o->diff_dst,
                                           o->src, o->mean, o->variance, o->kernel, o->images.n,
                                           o->images.channels);
}

static void batch_norm_inference(operation *o)
{
    reference_batch_norm_inference(o->dst, o->src, o->mean, o->variance, o->kernel, o->bias,
                                   o->images.n, o->images.channels);
}

static void batch_norm_inference_backward(operation *o)
{
    reference_batch_norm_inference_backward(o->diff_src, o->diff_kernel, o->diff_bias, o->diff_dst,
                                            o->src, o->mean, o->variance, o->kernel, o->images.n,
                                            o->images.channels);
}

static void batch_norm__has_its_gradients(void **state)
{
    (void)state;
    static const int sizes[][2] = {{3, 1}, {7, 5}, {33, 17}}; /* rows, channels */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        operation *o = create(sizes[i][0], 1, 1, sizes[i][1]);
        o->n_kernel = o->n_bias = sizes[i][1];
        o->n_dst = o->n_src;
        check(o, batch_norm_training, batch_norm_training_backward, check_random);
        check(o, batch_norm_inference, batch_norm_inference_backward, check_random);
        free(o);
    }
}

static void batch_norm__normalises(void **state)
{
    (void)state;
    enum { ROWS = 50, CHANNELS = 3 };
    double src[ROWS * CHANNELS], dst[ROWS * CHANNELS], mean[CHANNELS], variance[CHANNELS];
    const double gamma[CHANNELS] = {1, 2, -3}, beta[CHANNELS] = {0, 5, -7};
    check_random(src, ROWS * CHANNELS, 1);
    reference_batch_norm_training(dst, mean, variance, src, gamma, beta, ROWS, CHANNELS);
    double dst_mean[CHANNELS], dst_variance[CHANNELS], unused[ROWS * CHANNELS];
    reference_batch_norm_training(unused, dst_mean, dst_variance, dst, gamma, beta, ROWS, CHANNELS);
    for (int c = 0; c < CHANNELS; c++) {
        const double shrink = variance[c] / (variance[c] + REFERENCE_BATCH_NORM_EPSILON);
        assert_true(fabs(dst_mean[c] - beta[c]) < 1e-12);
        assert_true(fabs(dst_variance[c] - gamma[c] * gamma[c] * shrink) < 1e-12);
    }
    double moving = 2;
    reference_batch_norm_move(&moving, &(double){12}, 1);
    assert_true(fabs(moving - 2.1) < 1e-12);
}

static void max_pool(operation *o)
{
    reference_max_pool(o->dst, o->argmax, o->src, o->images, o->size);
}

static void max_pool_backward(operation *o)
{
    reference_max_pool_backward(o->diff_src, o->diff_dst, o->argmax, o->images, o->size);
}

static void max_pool__has_its_gradients(void **state)
{
    (void)state;
    static const int sizes[][5] = {{1, 2, 2, 1, 2}, {2, 7, 5, 3, 2}, {1, 10, 9, 2, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int *s = sizes[i];
        operation *o = create(s[0], s[1], s[2], s[3]);
        o->size = s[4];
        o->n_dst = s[0] * (s[1] / s[4]) * (s[2] / s[4]) * s[3];
        check(o, max_pool, max_pool_backward, check_random_apart);
        free(o);
    }
}

static void max_pool__takes_the_first_of_equal_maxima(void **state)
{
    (void)state;
    const double src[] = {1, 3, 3, 3}, diff_dst = 5;
    double dst, diff_src[4];
    int argmax;
    const reference_images images = {1, 2, 2, 1};
    reference_max_pool(&dst, &argmax, src, images, 2);
    reference_max_pool_backward(diff_src, &diff_dst, &argmax, images, 2);
    assert_int_equal(argmax, 1);
    assert_true(dst == 3 && diff_src[0] == 0 && diff_src[1] == 5 && diff_src[2] == 0);
    reference_max_pool_tangent(&dst, (double[]){1, 2, 3, 4}, &argmax, images, 2);
    assert_true(dst == 2);
}

static void cross_entropy(operation *o)
{
    o->dst[0] = reference_cross_entropy(o->src, o->n_src, LABEL);
}

static void cross_entropy_backward(operation *o)
{
    reference_cross_entropy_backward(o->diff_src, o->src, o->n_src, LABEL);
    for (int i = 0; i < o->n_src; i++)
        o->diff_src[i] *= o->diff_dst[0];
}

static void wasserstein(operation *o)
{
    o->dst[0] = reference_wasserstein(o->src, o->n_src, -1);
}

static void wasserstein_backward(operation *o)
{
    reference_wasserstein_backward(o->diff_src, o->n_src, -1);
    for (int i = 0; i < o->n_src; i++)
        o->diff_src[i] *= o->diff_dst[0];
}

/* Outputs on both sides of the kink at side · output = 1. */
static void hinge(operation *o)
{
    double outputs[MAX];
    for (int i = 0; i < o->n_src; i++)
        outputs[i] = 1 + o->src[i];
    o->dst[0] = reference_hinge(outputs, o->n_src, 1);
}

static void hinge_backward(operation *o)
{
    double outputs[MAX];
    for (int i = 0; i < o->n_src; i++)
        outputs[i] = 1 + o->src[i];
    reference_hinge_backward(o->diff_src, outputs, o->n_src, 1);
    for (int i = 0; i < o->n_src; i++)
        o->diff_src[i] *= o->diff_dst[0];
}

static void softmax_cross_entropy(operation *o)
{
    o->dst[0] = reference_softmax_cross_entropy(o->src, o->n_src, 3);
}

static void softmax_cross_entropy_backward(operation *o)
{
    reference_softmax_cross_entropy_backward(o->diff_src, o->src, o->n_src, 3);
    for (int i = 0; i < o->n_src; i++)
        o->diff_src[i] *= o->diff_dst[0];
}

static void penalty(operation *o)
{
    o->dst[0] = reference_penalty(o->src, o->images.n, o->images.channels, 10);
}

static void penalty_backward(operation *o)
{
    reference_penalty_backward(o->diff_src, o->src, o->images.n, o->images.channels, 10);
    for (int i = 0; i < o->n_src; i++)
        o->diff_src[i] *= o->diff_dst[0];
}

static void residual(operation *o)
{
    o->dst[0] = reference_residual(o->kernel, o->src, o->n_src);
}

static void residual_backward(operation *o)
{
    reference_residual_backward(o->diff_src, o->kernel, o->src, o->n_src);
    for (int i = 0; i < o->n_src; i++) {
        o->diff_src[i] *= o->diff_dst[0];
        o->diff_kernel[i] = -o->diff_src[i];
    }
}

static void losses__have_their_gradients(void **state)
{
    (void)state;
    operation *o = create(1, 1, 1, 31);
    o->n_dst = 1;
    check(o, cross_entropy, cross_entropy_backward, check_random);
    check(o, wasserstein, wasserstein_backward, check_random);
    check(o, softmax_cross_entropy, softmax_cross_entropy_backward, check_random);
    check(o, hinge, hinge_backward, check_random_apart);
    o->n_kernel = 31;
    check(o, residual, residual_backward, check_random);
    free(o);
    o = create(3, 1, 1, 7);
    o->n_dst = 1;
    check(o, penalty, penalty_backward, check_random);
    free(o);
}

static void cross_entropy__is_that_of_the_sigmoid_and_never_overflows(void **state)
{
    (void)state;
    const double logit = 0.7, probability = 1 / (1 + exp(-logit));
    const double expected = -0.25 * log(probability) - 0.75 * log(1 - probability);
    assert_true(fabs(reference_cross_entropy(&logit, 1, 0.25) - expected) < 1e-14);
    const double far[] = {-1e4, 1e4};
    assert_true(reference_cross_entropy(far, 2, 1) == 5e3);
}

/* src is the kernel [height][width], dst that divided by its norm; mean and variance are vectors.
 */
static void spectral(operation *o)
{
    const double largest =
        reference_spectral_norm(o->mean, o->variance, o->src, o->images.height, o->images.width);
    for (int i = 0; i < o->n_src; i++)
        o->dst[i] = o->src[i] / largest;
}

static void spectral_backward(operation *o)
{
    const int rows = o->images.height, columns = o->images.width;
    const double largest = reference_spectral_norm(o->mean, o->variance, o->src, rows, columns);
    reference_spectral_backward(o->diff_src, o->diff_dst, o->src, largest, o->mean, o->variance,
                                rows, columns);
}

static void spectral_normalisation__has_its_gradient(void **state)
{
    (void)state;
    static const int sizes[][2] = {{7, 5}, {4, 9}, {6, 1}}; /* rows, columns */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        operation *o = create(1, sizes[i][0], sizes[i][1], 1);
        o->n_dst = o->n_src;
        check(o, spectral, spectral_backward, check_random);
        free(o);
    }
}

/* A turned diagonal: singular values 3 and 2. */
static void spectral_norm__is_the_largest_singular_value(void **state)
{
    (void)state;
    const double kernel[] = {2 * 0.6, 3 * 0.8, -2 * 0.8, 3 * 0.6};
    double left[2], right[2];
    assert_true(fabs(reference_spectral_norm(left, right, kernel, 2, 2) - 3) < 1e-12);
    assert_true(fabs(fabs(right[1]) - 1) < 1e-12 && fabs(fabs(left[0]) - 0.8) < 1e-12);
}

/* After one step the moments are (1 - β1) g and (1 - β2) g², so that with ε = 0 the step is the
 * learning rate, against the gradient's sign. */
static void adam__first_moves_by_the_learning_rate(void **state)
{
    (void)state;
    const reference_adam_options options = {0.01, 0.5, 0.999, 0};
    double parameters[] = {1, 1}, m[2] = {0}, v[2] = {0};
    const double gradients[] = {3, -1e-5};
    reference_adam(parameters, m, v, gradients, 2, options, reference_adam_rate(options, 1));
    assert_true(fabs(parameters[0] - 0.99) < 1e-12 && fabs(parameters[1] - 1.01) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations__have_their_gradients),
        cmocka_unit_test(dense__has_its_gradients),
        cmocka_unit_test(conv__has_its_gradients),
        cmocka_unit_test(conv_transpose__has_its_gradients),
        cmocka_unit_test(layouts__are_those_of_keras),
        cmocka_unit_test(batch_norm__has_its_gradients),
        cmocka_unit_test(batch_norm__normalises),
        cmocka_unit_test(max_pool__has_its_gradients),
        cmocka_unit_test(max_pool__takes_the_first_of_equal_maxima),
        cmocka_unit_test(losses__have_their_gradients),
        cmocka_unit_test(cross_entropy__is_that_of_the_sigmoid_and_never_overflows),
        cmocka_unit_test(spectral_normalisation__has_its_gradient),
        cmocka_unit_test(spectral_norm__is_the_largest_singular_value),
        cmocka_unit_test(adam__first_moves_by_the_learning_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
