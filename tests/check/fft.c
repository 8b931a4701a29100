/* Convolution by the Fourier transform of every set that this processor can run, and the transform
 * itself, against their plain twins. A bin is a sum over a whole plane, so that errors are parts of
 * what the plane holds: the stated accuracies are the largest error by the standard deviation of
 * the results. */
#include "array.h"
#include "check.h"
#include "reference/reference.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double ACCURACY = 2e-6, TRANSFORM_ACCURACY = 1e-6;

typedef struct layer {
    int n, height, width, in, out, kernel;
} layer;

static const layer rectangles[] = {
    {3, 1, 14, 16, 32, 5},  {1, 14, 1, 48, 16, 5}, {5, 14, 13, 16, 80, 5}, {3, 9, 14, 32, 48, 5},
    {1, 5, 12, 80, 16, 5},  {5, 15, 1, 32, 16, 3}, {3, 2, 15, 16, 48, 3},  {1, 15, 14, 16, 32, 3},
    {3, 13, 15, 80, 16, 3}, {5, 6, 9, 48, 32, 3},
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Every side that an image may have, then the rectangles. */
static void each_layer(void (*check)(const kernels *k, layer l))
{
    static const int batches[] = {1, 3, 5}, channels[] = {16, 32, 48, 80};
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++) {
        for (int kernel = 3; kernel <= KERNELS_FFT_MAX_KERNEL; kernel += 2)
            for (int side = 1; side <= KERNELS_FFT_SIDE - kernel / 2; side++)
                check(sets[i], (layer){batches[side % 3], side, side, channels[side % 4],
                                       channels[(side / 2 + kernel) % 4], kernel});
        for (size_t j = 0; j < sizeof rectangles / sizeof *rectangles; j++)
            check(sets[i], rectangles[j]);
    }
}

static guarded matrices(size_t rows, size_t columns, unsigned char mark)
{
    return guard(kernels_fft_size(rows, columns) * sizeof(float), mark);
}

/* A layer's numbers, and the bins of each. */
typedef struct work {
    const kernels *k;
    layer layer;
    kernels_fft conv;
    size_t images;
    size_t part; /* rows, images and bins that a kernel is to do at a time */
    array src, weights, bias, dst, diff_dst, diff_src, diff_weights, diff_bias;
    guarded src_bins, weights_bins, turned_bins, dst_bins, diff_dst_bins, diff_src_bins,
        diff_weights_bins;
} work;

static work work_create(const kernels *k, layer l, size_t part)
{
    const int pixels = l.n * l.height * l.width, taps = l.kernel * l.kernel;
    const size_t n = (size_t)l.n, in = (size_t)l.in, out = (size_t)l.out;
    return (work){.k = k,
                  .layer = l,
                  .conv = {l.height, l.width, l.kernel, in, out},
                  .images = n,
                  .part = part,
                  .src = array_create(pixels * l.in, 1),
                  .weights = array_create(taps * l.in * l.out, 2),
                  .bias = array_create(l.out, 3),
                  .dst = array_create(pixels * l.out, 4),
                  .diff_dst = array_create(pixels * l.out, 5),
                  .diff_src = array_create(pixels * l.in, 6),
                  .diff_weights = array_create(taps * l.in * l.out, 7),
                  .diff_bias = array_create(l.out, 8),
                  .src_bins = matrices(n, in, 21),
                  .weights_bins = matrices(in, out, 22),
                  .turned_bins = matrices(out, in, 23),
                  .dst_bins = matrices(n, out, 24),
                  .diff_dst_bins = matrices(n, out, 25),
                  .diff_src_bins = matrices(n, in, 26),
                  .diff_weights_bins = matrices(in, out, 27)};
}

static void work_free(work *w)
{
    array_free(&w->src);
    array_free(&w->weights);
    array_free(&w->bias);
    array_free(&w->dst);
    array_free(&w->diff_dst);
    array_free(&w->diff_src);
    array_free(&w->diff_weights);
    array_free(&w->diff_bias);
    guard_end(&w->src_bins);
    guard_end(&w->weights_bins);
    guard_end(&w->turned_bins);
    guard_end(&w->dst_bins);
    guard_end(&w->diff_dst_bins);
    guard_end(&w->diff_src_bins);
    guard_end(&w->diff_weights_bins);
}

static void images_of(work *w, float *bins, const float *src, size_t channels,
                      kernels_epilogue_back back)
{
    for (size_t i = 0; i < w->images; i += w->part)
        w->k->fft_images(bins, src, w->conv, channels, back, w->images, i,
                         smaller(w->part, w->images - i));
}

static void multiply(work *w, float *m, const float *v, const float *u, size_t in, size_t out)
{
    for (size_t i = 0; i < KERNELS_FFT_BINS; i += w->part)
        w->k->fft_multiply(m, v, u, w->images, in, out, i, smaller(w->part, KERNELS_FFT_BINS - i));
}

static void results_of(work *w, float *dst, const float *bins, size_t channels,
                       kernels_epilogue epilogue)
{
    for (size_t i = 0; i < w->images; i += w->part)
        w->k->fft_results(dst, bins, w->conv, channels, epilogue, w->images, i,
                          smaller(w->part, w->images - i));
}

static void forward(work *w, float *dst, kernels_epilogue epilogue)
{
    const size_t in = w->conv.in, out = w->conv.out;
    for (size_t i = 0; i < in; i += w->part)
        w->k->fft_weights(w->weights_bins.bytes, w->weights.narrow, w->conv, i,
                          smaller(w->part, in - i));
    images_of(w, w->src_bins.bytes, w->src.narrow, in, (kernels_epilogue_back){0});
    multiply(w, w->dst_bins.bytes, w->src_bins.bytes, w->weights_bins.bytes, in, out);
    results_of(w, dst, w->dst_bins.bytes, out, epilogue);
}

/* After forward. */
static void backward(work *w)
{
    const size_t in = w->conv.in, out = w->conv.out;
    images_of(w, w->diff_dst_bins.bytes, w->diff_dst.narrow, out, (kernels_epilogue_back){0});
    /* The first bin is the sum over the plane. */
    w->k->column_sum(w->diff_bias.narrow, w->diff_dst_bins.bytes, w->images, out);
    for (size_t i = 0; i < KERNELS_FFT_BINS; i += w->part)
        w->k->fft_correlate(w->diff_weights_bins.bytes, w->src_bins.bytes, w->diff_dst_bins.bytes,
                            w->images, in, out, i, smaller(w->part, KERNELS_FFT_BINS - i));
    for (size_t i = 0; i < in; i += w->part)
        w->k->fft_diff_weights(w->diff_weights.narrow, w->diff_weights_bins.bytes, w->conv, i,
                               smaller(w->part, in - i));
    for (size_t i = 0; i < out; i += w->part)
        w->k->fft_weights_turned(w->turned_bins.bytes, w->weights.narrow, w->conv, i,
                                 smaller(w->part, out - i));
    multiply(w, w->diff_src_bins.bytes, w->diff_dst_bins.bytes, w->turned_bins.bytes, out, in);
    results_of(w, w->diff_src.narrow, w->diff_src_bins.bytes, in, (kernels_epilogue){.slope = 1});
}

static void check_accuracy(const char *what, const work *w, array *a, double accuracy)
{
    char name[128];
    snprintf(name, sizeof name, "%s of %dx%dx%dx%d to %d, kernel %d", what, w->layer.n,
             w->layer.height, w->layer.width, w->layer.in, w->layer.out, w->layer.kernel);
    array_check_accuracy(w->k, name, a, accuracy);
}

static void matches_twins(const kernels *k, layer l)
{
    work w = work_create(k, l, 3);
    const reference_images images = {l.n, l.height, l.width, l.in};
    forward(&w, w.dst.narrow, (kernels_epilogue){.bias = w.bias.narrow, .slope = 1});
    backward(&w);
    reference_conv(w.dst.wide, w.src.wide, w.weights.wide, w.bias.wide, images, l.out, l.kernel);
    reference_conv_backward(w.diff_src.wide, w.diff_weights.wide, w.diff_bias.wide, w.diff_dst.wide,
                            w.src.wide, w.weights.wide, images, l.out, l.kernel);
    check_accuracy("dst", &w, &w.dst, ACCURACY);
    check_accuracy("diff_src", &w, &w.diff_src, ACCURACY);
    check_accuracy("diff_weights", &w, &w.diff_weights, ACCURACY);
    check_accuracy("diff_bias", &w, &w.diff_bias, ACCURACY);
    work_free(&w);
}

static void fft__matches_its_twins(void **state)
{
    (void)state;
    each_layer(matches_twins);
}

/* The layers that it is made for, with the fastest set. */
static void fft__is_accurate_on_long_sums(void **state)
{
    (void)state;
    matches_twins(kernels_get(), (layer){2, 14, 14, 64, 128, 5});
    matches_twins(kernels_get(), (layer){2, 14, 14, 64, 64, 3});
}

/* ---- the epilogue and the way back through it ---------------------------------------------- */

/* What an epilogue may be made of. */
static const struct steps {
    bool adds_bias, pools;
    float slope;
} all_steps[] = {{false, false, 0.2f}, {true, false, 0}, {false, true, 1}, {true, true, 0.2f}};

/* The floats of dst, with pooling or without. */
static size_t dst_size(layer l, bool pools)
{
    const int window = pools ? 2 : 1;
    return (size_t)(l.n * (l.height / window) * (l.width / window) * l.out);
}

/* dst becomes what the kernels for each of the epilogue's steps make of sums, which they change. */
static void step_by_step(const work *w, float *dst, uint8_t *argmax, float *sums,
                         const struct steps *steps)
{
    const layer l = w->layer;
    const size_t n = (size_t)w->dst.n, pixels = n / w->conv.out;
    if (steps->adds_bias)
        w->k->add_bias(sums, sums, w->bias.narrow, pixels, w->conv.out);
    w->k->leaky_relu(sums, sums, n, steps->slope);
    if (!steps->pools) {
        memcpy(dst, sums, n * sizeof *dst);
        return;
    }
    const size_t image = n / w->images, pooled = dst_size(l, true) / w->images;
    for (size_t i = 0; i < w->images; i++)
        w->k->max_pool(dst + i * pooled, argmax + i * pooled, sums + i * image, l.height, l.width,
                       l.out, 2);
}

/* The epilogue is what the kernels for each of its steps do, to the bit. */
static void epilogue(const kernels *k, layer l)
{
    work w = work_create(k, l, 2);
    forward(&w, w.dst.narrow, (kernels_epilogue){.slope = 1});
    for (size_t i = 0; i < sizeof all_steps / sizeof *all_steps; i++) {
        const struct steps *steps = &all_steps[i];
        const size_t n = dst_size(l, steps->pools);
        array expected = array_create((int)n, 9), fused = array_create((int)n, 10);
        guarded argmax = guard(n, 11), fused_argmax = guard(n, 12);
        const kernels_epilogue fused_steps = {steps->adds_bias ? w.bias.narrow : NULL, steps->slope,
                                              steps->pools ? fused_argmax.bytes : NULL};
        results_of(&w, w.dst.narrow, w.dst_bins.bytes, w.conv.out, (kernels_epilogue){.slope = 1});
        step_by_step(&w, expected.narrow, argmax.bytes, w.dst.narrow, steps);
        results_of(&w, fused.narrow, w.dst_bins.bytes, w.conv.out, fused_steps);
        check_same_bits(k, "dst", expected.narrow, fused.narrow, n * sizeof(float));
        if (steps->pools)
            check_same_bits(k, "argmax", argmax.bytes, fused_argmax.bytes, n);
        guard_end(&argmax);
        guard_end(&fused_argmax);
        array_free(&expected);
        array_free(&fused);
    }
    work_free(&w);
}

static void fft_epilogue__is_bias_and_activation_and_pooling(void **state)
{
    (void)state;
    each_layer(epilogue);
}

/* Of two arrays of matrices [images][out], the floats between the matrices left out. */
static void check_same_bins(const work *w, const float *expected, const float *got)
{
    const size_t stride = kernels_fft_stride(w->images, w->conv.out);
    for (size_t i = 0; i < 2 * KERNELS_FFT_BINS; i++)
        check_same_bits(w->k, "bins of the gradient", expected + i * stride, got + i * stride,
                        w->images * w->conv.out * sizeof(float));
}

/* The gradient's bins are those of what the kernels for each step of the epilogue hand back. */
static void way_back(const kernels *k, layer l)
{
    work w = work_create(k, l, 2);
    array diff_sums = array_create(w.dst.n, 13);
    for (size_t i = 0; i < sizeof all_steps / sizeof *all_steps; i++) {
        const struct steps *steps = &all_steps[i];
        const size_t n = dst_size(l, steps->pools), pooled = n / w.images;
        const size_t image = (size_t)w.dst.n / w.images;
        array dst = array_create((int)n, 9), diff = array_create((int)n, 10);
        guarded argmax = guard(n, 11);
        const kernels_epilogue_back back = {dst.narrow, steps->slope,
                                            steps->pools ? argmax.bytes : NULL};
        check_narrow(w.dst.narrow, w.dst.wide, w.dst.n);
        step_by_step(&w, dst.narrow, argmax.bytes, w.dst.narrow, steps);
        for (size_t j = 0; steps->pools && j < w.images; j++)
            k->max_pool_backward(diff_sums.narrow + j * image, diff.narrow + j * pooled,
                                 back.argmax + j * pooled, l.height, l.width, l.out, 2);
        k->leaky_relu_backward(diff_sums.narrow, steps->pools ? diff_sums.narrow : diff.narrow,
                               w.dst.narrow, (size_t)w.dst.n, steps->slope);
        images_of(&w, w.dst_bins.bytes, diff_sums.narrow, w.conv.out, (kernels_epilogue_back){0});
        images_of(&w, w.diff_dst_bins.bytes, diff.narrow, w.conv.out, back);
        check_same_bins(&w, w.dst_bins.bytes, w.diff_dst_bins.bytes);
        guard_end(&argmax);
        array_free(&dst);
        array_free(&diff);
    }
    array_free(&diff_sums);
    work_free(&w);
}

static void fft_images__goes_back_through_the_epilogue(void **state)
{
    (void)state;
    each_layer(way_back);
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* An image's numbers depend neither on how the work is cut into parts nor on the images beside it;
 * the gradients do not on the former. */
static void parts(const kernels *k, layer l)
{
    const kernels_epilogue none = {.slope = 1};
    work whole = work_create(k, l, KERNELS_FFT_BINS), cut = work_create(k, l, 1);
    forward(&whole, whole.dst.narrow, none);
    backward(&whole);
    forward(&cut, cut.dst.narrow, none);
    backward(&cut);
    const struct {
        const char *what;
        const array *expected, *got;
    } results[] = {{"dst", &whole.dst, &cut.dst},
                   {"diff_src", &whole.diff_src, &cut.diff_src},
                   {"diff_weights", &whole.diff_weights, &cut.diff_weights},
                   {"diff_bias", &whole.diff_bias, &cut.diff_bias}};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        check_same_bits(k, results[i].what, results[i].expected->narrow, results[i].got->narrow,
                        (size_t)results[i].got->n * sizeof(float));
    cut.images = 1;
    forward(&cut, cut.dst.narrow, none);
    check_same_bits(k, "dst of the first image", whole.dst.narrow, cut.dst.narrow,
                    (size_t)cut.dst.n / (size_t)l.n * sizeof(float));
    work_free(&whole);
    work_free(&cut);
}

static void fft__gives_the_same_bits_in_any_parts(void **state)
{
    (void)state;
    each_layer(parts);
}

/* ---- the transform -------------------------------------------------------------------------- */

/* The frequencies of each bin: of the columns 0 and 8, whose transforms are symmetric, rows 0 … 8;
 * of the columns between, all 16. */
static void list_bins(int ky[KERNELS_FFT_BINS], int kx[KERNELS_FFT_BINS])
{
    static const int columns[] = {0, 8, 1, 2, 3, 4, 5, 6, 7};
    int bin = 0;
    for (int i = 0; i < 9; i++)
        for (int y = 0; y < (columns[i] % 8 == 0 ? 9 : KERNELS_FFT_SIDE); y++, bin++) {
            ky[bin] = y;
            kx[bin] = columns[i];
        }
    assert_int_equal(bin, KERNELS_FFT_BINS);
}

/* X[ky][kx] = Σ x[y][x] e^(-2πi (ky y + kx x) / 16) of channel c of an image, its real or its
 * imaginary part. */
static double plain_transform(const work *w, size_t image, int c, int ky, int kx, bool imaginary)
{
    const layer l = w->layer;
    const double *src = w->src.wide + image * (size_t)(l.height * l.width * l.in);
    double sum = 0;
    for (int y = 0; y < l.height; y++)
        for (int x = 0; x < l.width; x++) {
            const double angle = acos(-1) * ((ky * y + kx * x) % KERNELS_FFT_SIDE) / 8;
            sum += src[(y * l.width + x) * l.in + c] * (imaginary ? -sin(angle) : cos(angle));
        }
    return sum;
}

static void transform(const kernels *k, layer l)
{
    work w = work_create(k, l, 2);
    const size_t stride = kernels_fft_stride(w.images, w.conv.in);
    const int last = l.n - 1, every = 5; /* channels that are looked at */
    const int channels = (l.in + every - 1) / every;
    int ky[KERNELS_FFT_BINS], kx[KERNELS_FFT_BINS];
    list_bins(ky, kx);
    images_of(&w, w.src_bins.bytes, w.src.narrow, w.conv.in, (kernels_epilogue_back){0});
    array bins = array_create(2 * KERNELS_FFT_BINS * channels, 9);
    for (int i = 0; i < bins.n; i++) {
        const int part = i / channels, c = i % channels * every;
        const float *matrix = (const float *)w.src_bins.bytes + (size_t)part * stride;
        bins.narrow[i] = matrix[last * l.in + c];
        bins.wide[i] = plain_transform(&w, (size_t)last, c, ky[part / 2], kx[part / 2], part % 2);
    }
    check_accuracy("bins", &w, &bins, TRANSFORM_ACCURACY);

    /* The way there and back multiplies by the numbers of a plane. */
    results_of(&w, w.diff_src.narrow, w.src_bins.bytes, w.conv.in, (kernels_epilogue){.slope = 1});
    for (int i = 0; i < w.src.n; i++)
        w.diff_src.wide[i] = KERNELS_FFT_SIDE * KERNELS_FFT_SIDE * w.src.wide[i];
    check_accuracy("there and back", &w, &w.diff_src, TRANSFORM_ACCURACY);
    array_free(&bins);
    work_free(&w);
}

static void fft_transform__is_the_discrete_fourier_transform(void **state)
{
    (void)state;
    each_layer(transform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fft_transform__is_the_discrete_fourier_transform),
        cmocka_unit_test(fft__matches_its_twins),
        cmocka_unit_test(fft__is_accurate_on_long_sums),
        cmocka_unit_test(fft_epilogue__is_bias_and_activation_and_pooling),
        cmocka_unit_test(fft_images__goes_back_through_the_epilogue),
        cmocka_unit_test(fft__gives_the_same_bits_in_any_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
