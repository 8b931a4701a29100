/* Thin convolutions of every set that this processor can run against the plain convolution, with
 * few channels before and with few channels after. Tolerances count the roundings of the sums. */
#include "array.h"
#include "check.h"
#include "reference/reference.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const kernels_thin layers[] = {
    {1, 1, 3, 1, 16},  {2, 2, 5, 1, 64},   {5, 7, 5, 3, 16},   {9, 4, 3, 4, 48},
    {8, 13, 7, 2, 80}, {28, 28, 5, 1, 64}, {3, 70, 5, 3, 112}, {12, 33, 3, 1, 128},
};

/* A layer from `in` to `out` channels, its gradients, and what the plain convolution makes of the
 * numbers' absolute values. */
typedef struct work {
    const kernels *k;
    kernels_thin conv;
    int in, out;
    array src, weights, bias, dst, diff_src, diff_dst, diff_weights, thin_weights, thin_diff;
} work;

static work work_create(const kernels *k, kernels_thin conv, int in, int out)
{
    const int pixels = conv.height * conv.width, n = conv.kernel * conv.kernel * in * out;
    return (work){.k = k,
                  .conv = conv,
                  .in = in,
                  .out = out,
                  .src = array_create(pixels * in, 1),
                  .weights = array_create(n, 2),
                  .bias = array_create(out, 3),
                  .dst = array_create(pixels * out, 4),
                  .diff_src = array_create(pixels * in, 5),
                  .diff_dst = array_create(pixels * out, 6),
                  .diff_weights = array_create(n, 7),
                  .thin_weights = array_create(n, 8),
                  .thin_diff = array_create(n, 9)};
}

static void work_free(work *w)
{
    array_free(&w->src);
    array_free(&w->weights);
    array_free(&w->bias);
    array_free(&w->dst);
    array_free(&w->diff_src);
    array_free(&w->diff_dst);
    array_free(&w->diff_weights);
    array_free(&w->thin_weights);
    array_free(&w->thin_diff);
}

/* What dst, diff_src and diff_weights ought to be, and how far from it they may be. */
static void reference(work *w)
{
    const reference_images images = {1, w->conv.height, w->conv.width, w->in};
    const int out = w->out, kernel = w->conv.kernel, pixels = images.height * images.width;
    double *src = check_doubles(w->src.n), *weights = check_doubles(w->weights.n);
    double *bias = check_doubles(out), *diff_dst = check_doubles(w->diff_dst.n);
    check_absolute(src, w->src.wide, w->src.n);
    check_absolute(weights, w->weights.wide, w->weights.n);
    check_absolute(bias, w->bias.wide, out);
    check_absolute(diff_dst, w->diff_dst.wide, w->diff_dst.n);
    reference_conv(w->dst.tolerance, src, weights, bias, images, out, kernel);
    reference_conv_backward(w->diff_src.tolerance, w->diff_weights.tolerance, bias, diff_dst, src,
                            weights, images, out, kernel);
    check_tolerance(w->dst.tolerance, w->dst.tolerance, w->dst.n,
                    check_sum_error(kernel * kernel * w->in + 1));
    check_tolerance(w->diff_src.tolerance, w->diff_src.tolerance, w->diff_src.n,
                    check_sum_error(kernel * kernel * out));
    check_tolerance(w->diff_weights.tolerance, w->diff_weights.tolerance, w->diff_weights.n,
                    check_sum_error(pixels));
    reference_conv(w->dst.wide, w->src.wide, w->weights.wide, w->bias.wide, images, out, kernel);
    reference_conv_backward(w->diff_src.wide, w->diff_weights.wide, bias, w->diff_dst.wide,
                            w->src.wide, w->weights.wide, images, out, kernel);
    free(src);
    free(weights);
    free(bias);
    free(diff_dst);
}

static void check_all(const work *w)
{
    array_check(w->k, "dst", &w->dst);
    array_check(w->k, "diff_src", &w->diff_src);
    array_check(w->k, "diff_weights", &w->diff_weights);
}

static void widening(const kernels *k, kernels_thin conv)
{
    work w = work_create(k, conv, conv.thin, (int)conv.wide);
    memset(w.diff_weights.narrow, 0, (size_t)w.diff_weights.n * sizeof(float));
    k->thin_widen(w.dst.narrow, w.src.narrow, w.weights.narrow, conv, false,
                  (kernels_epilogue){.bias = w.bias.narrow, .slope = 1});
    k->thin_narrow(w.diff_src.narrow, w.diff_dst.narrow, w.weights.narrow, NULL, conv, true);
    k->thin_diff_weights(w.diff_weights.narrow, w.src.narrow, w.diff_dst.narrow, conv, false);
    reference(&w);
    check_all(&w);
    work_free(&w);
}

/* dst [taps][columns][rows] = src [taps][rows][columns] */
static void transpose(float *dst, const float *src, int taps, int rows, int columns)
{
    for (int tap = 0; tap < taps; tap++)
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                dst[(tap * columns + c) * rows + r] = src[(tap * rows + r) * columns + c];
}

static void narrowing(const kernels *k, kernels_thin conv)
{
    work w = work_create(k, conv, (int)conv.wide, conv.thin);
    const int taps = conv.kernel * conv.kernel;
    transpose(w.thin_weights.narrow, w.weights.narrow, taps, w.in, w.out);
    memset(w.thin_diff.narrow, 0, (size_t)w.thin_diff.n * sizeof(float));
    k->thin_narrow(w.dst.narrow, w.src.narrow, w.thin_weights.narrow, w.bias.narrow, conv, false);
    k->thin_widen(w.diff_src.narrow, w.diff_dst.narrow, w.thin_weights.narrow, conv, true,
                  (kernels_epilogue){.slope = 1});
    k->thin_diff_weights(w.thin_diff.narrow, w.diff_dst.narrow, w.src.narrow, conv, true);
    transpose(w.diff_weights.narrow, w.thin_diff.narrow, taps, w.out, w.in);
    reference(&w);
    check_all(&w);
    work_free(&w);
}

/* The epilogue is what the kernels for each of its steps do, to the bit; weight gradients add up.
 */
static void fused(const kernels *k, kernels_thin conv)
{
    work w = work_create(k, conv, conv.thin, (int)conv.wide);
    const int n = conv.height / 2 * (conv.width / 2) * w.out;
    array pooled = array_create(n, 10), got = array_create(n, 11);
    guarded argmax = guard((size_t)n, 12), got_argmax = guard((size_t)n, 13);
    k->thin_widen(w.dst.narrow, w.src.narrow, w.weights.narrow, conv, false,
                  (kernels_epilogue){.slope = 1});
    k->add_bias(w.dst.narrow, w.dst.narrow, w.bias.narrow, (size_t)(conv.height * conv.width),
                conv.wide);
    k->leaky_relu(w.dst.narrow, w.dst.narrow, (size_t)w.dst.n, 0.2f);
    k->thin_widen(w.diff_dst.narrow, w.src.narrow, w.weights.narrow, conv, false,
                  (kernels_epilogue){.bias = w.bias.narrow, .slope = 0.2f});
    assert_memory_equal(w.diff_dst.narrow, w.dst.narrow, (size_t)w.dst.n * sizeof(float));
    k->max_pool(pooled.narrow, argmax.bytes, w.dst.narrow, conv.height, conv.width, w.out, 2);
    k->thin_widen(got.narrow, w.src.narrow, w.weights.narrow, conv, false,
                  (kernels_epilogue){w.bias.narrow, 0.2f, got_argmax.bytes});
    for (int i = 0; i < n; i++)
        if (memcmp(&got.narrow[i], &pooled.narrow[i], sizeof(float)) != 0 ||
            ((uint8_t *)got_argmax.bytes)[i] != ((uint8_t *)argmax.bytes)[i])
            fail_msg("%s: pooled result %d of %d: expected %.9g at %d, got %.9g at %d", k->name, i,
                     n, (double)pooled.narrow[i], ((uint8_t *)argmax.bytes)[i],
                     (double)got.narrow[i], ((uint8_t *)got_argmax.bytes)[i]);
    guard_end(&argmax);
    guard_end(&got_argmax);
    array_free(&pooled);
    array_free(&got);
    work_free(&w);
}

static void adding(const kernels *k, kernels_thin conv)
{
    work w = work_create(k, conv, conv.thin, (int)conv.wide);
    memset(w.diff_weights.narrow, 0, (size_t)w.diff_weights.n * sizeof(float));
    k->thin_diff_weights(w.diff_weights.narrow, w.src.narrow, w.diff_dst.narrow, conv, false);
    k->thin_diff_weights(w.thin_diff.narrow, w.src.narrow, w.diff_dst.narrow, conv, false);
    for (int i = 0; i < w.thin_diff.n; i++) {
        w.thin_diff.wide[i] += (double)w.diff_weights.narrow[i];
        w.thin_diff.tolerance[i] =
            check_sum_error(conv.height + 1) * conv.height * conv.width; /* terms are below 1 */
    }
    array_check(k, "diff_weights added to what there was", &w.thin_diff);
    work_free(&w);
}

static void each(void (*check)(const kernels *k, kernels_thin conv))
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof layers / sizeof *layers; j++)
            check(sets[i], layers[j]);
}

static void few_channels_to_many__match_their_twins(void **state)
{
    (void)state;
    each(widening);
}

static void many_channels_to_few__match_their_twins(void **state)
{
    (void)state;
    each(narrowing);
}

static void thin_epilogue__is_bias_and_activation_and_pooling(void **state)
{
    (void)state;
    each(fused);
}

static void thin_weight_gradients__add_up(void **state)
{
    (void)state;
    each(adding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_channels_to_many__match_their_twins),
        cmocka_unit_test(many_channels_to_few__match_their_twins),
        cmocka_unit_test(thin_epilogue__is_bias_and_activation_and_pooling),
        cmocka_unit_test(thin_weight_gradients__add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
