/* Winograd convolution of every set that this processor can run, and the matrix product in it,
 * against their plain twins. The transforms cancel large numbers against each other, so that errors
 * are parts of what the whole tile holds: the stated accuracy, ACCURACY, is the largest error by
 * the standard deviation of the results. */
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

static const double ACCURACY = 4e-5;

typedef struct layer {
    int n, height, width, in, out, kernel;
} layer;

static const layer layers[] = {{1, 1, 1, 16, 16, 5},   {2, 7, 5, 16, 32, 5},  {1, 4, 9, 48, 16, 5},
                               {3, 14, 14, 16, 80, 5}, {1, 1, 1, 16, 16, 3},  {2, 7, 5, 32, 16, 3},
                               {1, 6, 13, 16, 48, 3},  {2, 14, 14, 32, 16, 3}};

static size_t size(int a, int b, int c, int d)
{
    return (size_t)a * (size_t)b * (size_t)c * (size_t)d;
}

/* A layer's numbers, and what its kernels need besides. */
typedef struct work {
    const kernels *k;
    layer layer;
    kernels_winograd conv;
    size_t tiles;
    array src, weights, bias, dst, diff_dst, diff_src, diff_weights;
} work;

static work work_create(const kernels *k, layer l)
{
    const int pixels = l.n * l.height * l.width;
    work w = {.k = k,
              .layer = l,
              .conv = {l.height, l.width, l.kernel, (size_t)l.in, (size_t)l.out},
              .src = array_create(pixels * l.in, 1),
              .weights = array_create(l.kernel * l.kernel * l.in * l.out, 2),
              .bias = array_create(l.out, 3),
              .dst = array_create(pixels * l.out, 4),
              .diff_dst = array_create(pixels * l.out, 5),
              .diff_src = array_create(pixels * l.in, 6),
              .diff_weights = array_create(l.kernel * l.kernel * l.in * l.out, 7)};
    w.tiles = (size_t)l.n * kernels_winograd_tiles(&w.conv);
    return w;
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
}

static void check_accuracy(const char *what, const work *w, array *a)
{
    char name[128];
    snprintf(name, sizeof name, "%s of %dx%dx%dx%d to %d, kernel %d", what, w->layer.n,
             w->layer.height, w->layer.width, w->layer.in, w->layer.out, w->layer.kernel);
    array_check_accuracy(w->k, name, a, ACCURACY);
}

/* dst in blocks of that many tiles. */
static void convolve(const kernels *k, float *dst, const float *src, const float *u,
                     kernels_winograd conv, kernels_epilogue epilogue, size_t tiles, size_t block)
{
    const size_t floats =
        kernels_winograd_size(block, conv.in) + kernels_winograd_size(block, conv.out);
    guarded scratch = guard(floats * sizeof(float), 20);
    for (size_t first = 0; first < tiles; first += block)
        k->winograd_convolve(dst, src, u, conv, epilogue, first,
                             block < tiles - first ? block : tiles - first, scratch.bytes);
    guard_end(&scratch);
}

static void forward(work *w, float *dst, kernels_epilogue epilogue, size_t block)
{
    guarded u = guard(kernels_winograd_size(w->conv.in, w->conv.out) * sizeof(float), 21);
    w->k->winograd_weights(u.bytes, w->weights.narrow, w->conv, 0, 1);
    w->k->winograd_weights(u.bytes, w->weights.narrow, w->conv, 1, w->conv.in - 1);
    convolve(w->k, dst, w->src.narrow, u.bytes, w->conv, epilogue, w->tiles, block);
    guard_end(&u);
}

static void backward_data(work *w, size_t block)
{
    guarded u = guard(kernels_winograd_size(w->conv.out, w->conv.in) * sizeof(float), 22);
    w->k->winograd_weights_turned(u.bytes, w->weights.narrow, w->conv, 0, 1);
    w->k->winograd_weights_turned(u.bytes, w->weights.narrow, w->conv, 1, w->conv.out - 1);
    kernels_winograd turned = w->conv;
    turned.in = w->conv.out;
    turned.out = w->conv.in;
    convolve(w->k, w->diff_src.narrow, w->diff_dst.narrow, u.bytes, turned,
             (kernels_epilogue){.slope = 1}, w->tiles, block);
    guard_end(&u);
}

static void backward_weights(work *w, size_t block)
{
    const kernels *k = w->k;
    const size_t m_size = kernels_winograd_size(w->conv.in, w->conv.out) * sizeof(float);
    guarded m = guard(m_size, 23);
    guarded v = guard(kernels_winograd_size(block, w->conv.in) * sizeof(float), 24);
    guarded d = guard(kernels_winograd_size(block, w->conv.out) * sizeof(float), 25);
    memset(m.bytes, 0, m_size);
    for (size_t first = 0; first < w->tiles; first += block) {
        const size_t tiles = block < w->tiles - first ? block : w->tiles - first;
        for (size_t i = 0; i < tiles; i++)
            k->winograd_diff_tiles(v.bytes, d.bytes, w->src.narrow, w->diff_dst.narrow, w->conv,
                                   block, first + i, 1);
        k->winograd_diff_points(m.bytes, v.bytes, d.bytes, w->conv, block, tiles, 0, 10);
        k->winograd_diff_points(m.bytes, v.bytes, d.bytes, w->conv, block, tiles, 10, 54);
    }
    k->winograd_diff_weights(w->diff_weights.narrow, m.bytes, w->conv, 0, 1);
    k->winograd_diff_weights(w->diff_weights.narrow, m.bytes, w->conv, 1, w->conv.in - 1);
    guard_end(&m);
    guard_end(&v);
    guard_end(&d);
}

static void matches_twins(const kernels *k, layer l)
{
    work w = work_create(k, l);
    const reference_images images = {l.n, l.height, l.width, l.in};
    array diff_bias = array_create(l.out, 8);
    forward(&w, w.dst.narrow, (kernels_epilogue){.bias = w.bias.narrow, .slope = 1}, 5);
    backward_data(&w, 5);
    backward_weights(&w, 5);
    reference_conv(w.dst.wide, w.src.wide, w.weights.wide, w.bias.wide, images, l.out, l.kernel);
    reference_conv_backward(w.diff_src.wide, w.diff_weights.wide, diff_bias.wide, w.diff_dst.wide,
                            w.src.wide, w.weights.wide, images, l.out, l.kernel);
    check_accuracy("dst", &w, &w.dst);
    check_accuracy("diff_src", &w, &w.diff_src);
    check_accuracy("diff_weights", &w, &w.diff_weights);
    array_free(&diff_bias);
    work_free(&w);
}

static void each_layer(void (*check)(const kernels *k, layer l))
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof layers / sizeof *layers; j++)
            check(sets[i], layers[j]);
}

static void winograd__matches_its_twins(void **state)
{
    (void)state;
    each_layer(matches_twins);
}

/* The layers that it is made for, with the fastest set. */
static void winograd__is_accurate_on_long_sums(void **state)
{
    (void)state;
    matches_twins(kernels_get(), (layer){2, 14, 14, 64, 128, 5});
    matches_twins(kernels_get(), (layer){2, 14, 14, 64, 64, 3});
}

/* The epilogue is what the kernels for each of its steps do, to the bit. */
static void epilogue(const kernels *k, layer l)
{
    work w = work_create(k, l);
    const int h = l.height / 2, v = l.width / 2;
    const size_t pooled_size = size(l.n, h, v, l.out);
    array pooled = array_create((int)pooled_size, 9), fused = array_create((int)pooled_size, 10);
    guarded argmax = guard(pooled_size, 11), fused_argmax = guard(pooled_size, 12);
    forward(&w, w.dst.narrow, (kernels_epilogue){.slope = 1}, 7);
    forward(&w, fused.narrow, (kernels_epilogue){w.bias.narrow, 0.2f, fused_argmax.bytes}, 7);
    k->add_bias(w.dst.narrow, w.dst.narrow, w.bias.narrow, size(l.n, l.height, l.width, 1),
                (size_t)l.out);
    k->leaky_relu(w.dst.narrow, w.dst.narrow, (size_t)w.dst.n, 0.2f);
    forward(&w, w.diff_dst.narrow, (kernels_epilogue){w.bias.narrow, 0.2f, NULL}, 7);
    check_same_bits(k, "dst without pooling", w.dst.narrow, w.diff_dst.narrow,
                    (size_t)w.dst.n * sizeof(float));
    for (int i = 0; i < l.n; i++) {
        const size_t at = size(i, h, v, l.out);
        k->max_pool(pooled.narrow + at, (uint8_t *)argmax.bytes + at,
                    w.dst.narrow + size(i, l.height, l.width, l.out), l.height, l.width, l.out, 2);
    }
    check_same_bits(k, "dst", pooled.narrow, fused.narrow, pooled_size * sizeof(float));
    check_same_bits(k, "argmax", argmax.bytes, fused_argmax.bytes, pooled_size);
    guard_end(&argmax);
    guard_end(&fused_argmax);
    array_free(&pooled);
    array_free(&fused);
    work_free(&w);
}

static void winograd_epilogue__is_bias_and_activation_and_pooling(void **state)
{
    (void)state;
    each_layer(epilogue);
}

/* An image's numbers depend neither on how the tiles are cut into blocks nor on the images beside
 * it. */
static void blocks(const kernels *k, layer l)
{
    work w = work_create(k, l);
    const size_t bytes = (size_t)w.dst.n * sizeof(float);
    array other = array_create(w.dst.n, 13);
    const kernels_epilogue none = {.slope = 1};
    forward(&w, w.dst.narrow, none, w.tiles);
    forward(&w, other.narrow, none, 1);
    check_same_bits(k, "dst", w.dst.narrow, other.narrow, bytes);
    w.tiles /= (size_t)l.n;
    forward(&w, other.narrow, none, 3);
    check_same_bits(k, "dst of the first image", w.dst.narrow, other.narrow, bytes / (size_t)l.n);
    array_free(&other);
    work_free(&w);
}

static void winograd__gives_the_same_bits_in_any_blocks(void **state)
{
    (void)state;
    each_layer(blocks);
}

/* src is read by columns, 10 terms are added up at a time, dst is overwritten: the gradient by the
 * weights and the forward pass need of the product what nothing else does. */
static void product(const kernels *k, int m, int n, int depth)
{
    array src = array_create(depth * m, 1), weights = array_create(depth * n, 2);
    array dst = array_create(m * n, 3);
    k->product(dst.narrow, src.narrow, weights.narrow,
               (kernels_product){.rows = (size_t)m,
                                 .columns = (size_t)n,
                                 .k = (size_t)depth,
                                 .terms = 10,
                                 .dst_row = (size_t)n,
                                 .src_row = 1,
                                 .src_column = (size_t)m,
                                 .weights_row = (size_t)n});
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0, magnitude = 0;
            for (int p = 0; p < depth; p++) {
                const double term = src.wide[p * m + i] * weights.wide[p * n + j];
                sum += term;
                magnitude += fabs(term);
            }
            dst.wide[i * n + j] = sum;
            dst.tolerance[i * n + j] = check_sum_error(depth) * magnitude;
        }
    array_check(k, "product by columns", &dst);
    array_free(&src);
    array_free(&weights);
    array_free(&dst);
}

static void product__reads_columns_and_sums_in_parts(void **state)
{
    (void)state;
    const int sizes[][3] = {/* m, n, k */
                            {1, 16, 1},   {2, 64, 8},  {7, 80, 33},
                            {9, 144, 64}, {16, 32, 5}, {17, 128, 100}};
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            product(sets[i], sizes[j][0], sizes[j][1], sizes[j][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(winograd__matches_its_twins),
        cmocka_unit_test(winograd__is_accurate_on_long_sums),
        cmocka_unit_test(winograd_epilogue__is_bias_and_activation_and_pooling),
        cmocka_unit_test(winograd__gives_the_same_bits_in_any_blocks),
        cmocka_unit_test(product__reads_columns_and_sums_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
