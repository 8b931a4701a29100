/* Composed upsampling of every set that this processor can run, against its definition: along
 * either axis, pixel i of src reaches the window of pixels 2 i - radius … 2 i + 1 + radius of dst,
 * for each pair of channels with a weight for each number of the window. dst, diff_src and
 * diff_weights are sums over the same terms, of src, weights and diff_dst two at a time.
 *
 * To few channels the sums are added up term by term, and tolerances count their roundings. To many
 * channels it is by transforms, whose errors are parts of what a whole tile holds: the stated
 * accuracy, ACCURACY, is the largest error by the standard deviation of the results. */
#include "array.h"
#include "check.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double ACCURACY = 8e-5;

enum { PHASES = 4, TERMS = 32 /* that src/nn/upsample.c adds up at a time */ };

typedef struct layer {
    int n, height, width, in, out, kernel;
    float slope; /* of the leaky ReLU that src goes through; 1: none */
} layer;

/* A layer's numbers. */
typedef struct work {
    layer layer;
    kernels_upsample up;
    array src, weights, bias, dst, diff_dst, diff_src, diff_weights;
} work;

static void add(array *sum, int i, double a, double b)
{
    sum->wide[i] += a * b;
    sum->tolerance[i] += fabs(a * b);
}

static double slope_at(const work *w, int i)
{
    return w->src.wide[i] > 0 ? 1 : (double)w->layer.slope;
}

/* The terms of pixel (y, x) of an image and number (wy, wx) of its window. */
static void add_terms(work *w, int image, int y, int x, int wy, int wx)
{
    const layer *l = &w->layer;
    const int dst_y = 2 * y - l->kernel / 2 + wy, dst_x = 2 * x - l->kernel / 2 + wx;
    if (dst_y < 0 || dst_y >= 2 * l->height || dst_x < 0 || dst_x >= 2 * l->width)
        return;
    const int src = ((image * l->height + y) * l->width + x) * l->in;
    const int dst = ((image * 2 * l->height + dst_y) * 2 * l->width + dst_x) * l->out;
    const int weights = (wy * (l->kernel + 1) + wx) * l->out * l->in;
    for (int o = 0; o < l->out; o++)
        for (int i = 0; i < l->in; i++) {
            const double slope = slope_at(w, src + i), value = slope * w->src.wide[src + i];
            const double weight = w->weights.wide[weights + o * l->in + i];
            const double diff = w->diff_dst.wide[dst + o];
            add(&w->dst, dst + o, value, weight);
            add(&w->diff_src, src + i, slope * diff, weight);
            add(&w->diff_weights, weights + o * l->in + i, diff, value);
        }
}

/* What dst, diff_src and diff_weights ought to be, and the sums of their terms' absolute values. */
static void define(work *w)
{
    const layer *l = &w->layer;
    memset(w->diff_src.wide, 0, (size_t)w->diff_src.n * sizeof(double));
    memset(w->diff_weights.wide, 0, (size_t)w->diff_weights.n * sizeof(double));
    for (int i = 0; i < w->dst.n; i++) {
        w->dst.wide[i] = w->bias.wide[i % w->bias.n];
        w->dst.tolerance[i] = fabs(w->dst.wide[i]);
    }
    for (int image = 0; image < l->n; image++)
        for (int y = 0; y < l->height; y++)
            for (int x = 0; x < l->width; x++)
                for (int wy = 0; wy <= l->kernel; wy++)
                    for (int wx = 0; wx <= l->kernel; wx++)
                        add_terms(w, image, y, x, wy, wx);
}

static work work_create(layer l)
{
    const int pixels = l.height * l.width, window = (l.kernel + 1) * (l.kernel + 1);
    work w = {.layer = l,
              .up = {l.height, l.width, l.kernel, (size_t)l.in, (size_t)l.out},
              .src = array_create(l.n * pixels * l.in, 1),
              .weights = array_create(window * l.in * l.out, 2),
              .bias = array_create(4 * pixels * l.out, 3),
              .dst = array_create(l.n * 4 * pixels * l.out, 4),
              .diff_dst = array_create(l.n * 4 * pixels * l.out, 5),
              .diff_src = array_create(l.n * pixels * l.in, 6),
              .diff_weights = array_create(window * l.in * l.out, 7)};
    for (int i = 0; i < w.src.n; i += 7) /* where the leaky ReLU has its kink */
        w.src.wide[i] = i % 2 == 0 ? 0 : -0.0;
    check_narrow(w.src.narrow, w.src.wide, w.src.n);
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

/* What the last set left would hide what the next does not write. */
static void forget(work *w)
{
    array *results[] = {&w->dst, &w->diff_src, &w->diff_weights};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        for (int j = 0; j < results[i]->n; j++)
            results[i]->narrow[j] = NAN;
}

/* What is checked, for messages. */
typedef struct title {
    char text[128];
} title;

static title title_of(const char *what, const layer *l)
{
    title t;
    snprintf(t.text, sizeof t.text, "%s of %dx%dx%dx%d to %d, kernel %d, slope %g", what, l->n,
             l->height, l->width, l->in, l->out, l->kernel, (double)l->slope);
    return t;
}

/* ---- few channels -------------------------------------------------------------------------- */

static void run_thin(const kernels *k, work *w)
{
    k->upsample_thin(w->dst.narrow, w->src.narrow, w->weights.narrow, w->bias.narrow, w->up);
    k->upsample_thin_back(w->diff_src.narrow, w->diff_dst.narrow, w->weights.narrow, w->up);
    k->upsample_thin_diff_weights(w->diff_weights.narrow, w->src.narrow, w->diff_dst.narrow, w->up);
}

static void check_thin(const kernels *sets[], int n_sets, layer l)
{
    work w = work_create(l);
    define(&w);
    const int taps = (l.kernel + 1) / 2;
    for (int i = 0; i < w.diff_weights.n; i++) { /* the gradient is added to what there was */
        w.diff_weights.wide[i] += 1;
        w.diff_weights.tolerance[i] += 1;
    }
    check_tolerance(w.dst.tolerance, w.dst.tolerance, w.dst.n,
                    check_sum_error(taps * taps * l.in + 1));
    check_tolerance(w.diff_src.tolerance, w.diff_src.tolerance, w.diff_src.n,
                    check_sum_error(4 * taps * taps * l.out));
    check_tolerance(w.diff_weights.tolerance, w.diff_weights.tolerance, w.diff_weights.n,
                    check_sum_error(l.height * l.width + 1));
    for (int i = 0; i < n_sets; i++) {
        forget(&w);
        for (int j = 0; j < w.diff_weights.n; j++)
            w.diff_weights.narrow[j] = 1;
        run_thin(sets[i], &w);
        array_check(sets[i], title_of("dst", &l).text, &w.dst);
        array_check(sets[i], title_of("diff_src", &l).text, &w.diff_src);
        array_check(sets[i], title_of("diff_weights", &l).text, &w.diff_weights);
    }
    work_free(&w);
}

static void upsampling_to_few_channels__is_as_defined(void **state)
{
    (void)state;
    static const int sides[] = {1, 2, 7, 8, 9, 13, 14, 28, 30}, channels[] = {16, 32, 48, 64, 80};
    enum { N_SIDES = sizeof sides / sizeof *sides };
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < 2 * N_SIDES * N_SIDES; i++)
        check_thin(sets, n_sets,
                   (layer){.n = 1,
                           .height = sides[i / N_SIDES % N_SIDES],
                           .width = sides[i % N_SIDES],
                           .in = channels[i % 5],
                           .out = 1 + i % KERNELS_MAX_THIN,
                           .kernel = i < N_SIDES * N_SIDES ? 3 : 5,
                           .slope = 1});
}

/* ---- many channels ------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static guarded matrices(size_t rows, size_t columns, unsigned char mark)
{
    return guard(kernels_winograd_size(rows, columns) * sizeof(float), mark);
}

/* dst [rows][columns] = src [rows][depth] · weights [depth][columns] at each point; turned: src is
 * [depth][rows]. */
static void multiply_points(const kernels *k, float *dst, const float *src, const float *weights,
                            size_t rows, size_t columns, size_t depth, bool turned)
{
    for (size_t point = 0; point < KERNELS_WINOGRAD_POINTS; point++)
        k->product(dst + point * kernels_winograd_stride(rows, columns),
                   src + point * kernels_winograd_stride(rows, depth),
                   weights + point * kernels_winograd_stride(depth, columns),
                   (kernels_product){.rows = rows,
                                     .columns = columns,
                                     .k = depth,
                                     .terms = TERMS,
                                     .dst_row = columns,
                                     .src_row = turned ? 1 : depth,
                                     .src_column = turned ? rows : 1,
                                     .weights_row = columns});
}

/* dst and V, the transform of src; each kernel does `part` rows or images at a time. */
static void forward(const kernels *k, work *w, float *v, size_t part)
{
    const size_t images = (size_t)w->layer.n, in = w->up.in, columns = PHASES * w->up.out;
    const size_t tiles = images * kernels_upsample_tiles(&w->up);
    const size_t src_image = (size_t)w->src.n / images, dst_image = (size_t)w->dst.n / images;
    guarded u = matrices(in, columns, 21), m = matrices(tiles, columns, 22);
    for (size_t i = 0; i < in; i += part)
        k->upsample_weights(u.bytes, w->weights.narrow, w->up, i, smaller(part, in - i));
    for (size_t i = 0; i < images; i += part)
        k->upsample_src(v, w->src.narrow + i * src_image, w->layer.slope, w->up, images, i,
                        smaller(part, images - i));
    multiply_points(k, m.bytes, v, u.bytes, tiles, columns, in, false);
    for (size_t i = 0; i < images; i += part)
        k->upsample_dst(w->dst.narrow + i * dst_image, m.bytes, w->bias.narrow, w->up, images, i,
                        smaller(part, images - i));
    guard_end(&u);
    guard_end(&m);
}

/* diff_src from W, the transform of diff_dst. */
static void backward_data(const kernels *k, work *w, const float *transform, size_t part)
{
    const size_t images = (size_t)w->layer.n, in = w->up.in, rows = PHASES * w->up.out;
    const size_t tiles = images * kernels_upsample_tiles(&w->up);
    const size_t image = (size_t)w->src.n / images;
    guarded u = matrices(rows, in, 23), m = matrices(tiles, in, 24);
    for (size_t i = 0; i < rows; i += part)
        k->upsample_weights_turned(u.bytes, w->weights.narrow, w->up, i, smaller(part, rows - i));
    multiply_points(k, m.bytes, transform, u.bytes, tiles, in, rows, false);
    for (size_t i = 0; i < images; i += part)
        k->upsample_diff_src(w->diff_src.narrow + i * image, m.bytes,
                             w->layer.slope == 1 ? NULL : w->src.narrow + i * image, w->layer.slope,
                             w->up, images, i, smaller(part, images - i));
    guard_end(&u);
    guard_end(&m);
}

/* diff_weights from V and W. */
static void backward_weights(const kernels *k, work *w, const float *v, const float *transform,
                             size_t part)
{
    const size_t tiles = (size_t)w->layer.n * kernels_upsample_tiles(&w->up);
    const size_t in = w->up.in, rows = PHASES * w->up.out;
    guarded m = matrices(rows, in, 25);
    multiply_points(k, m.bytes, transform, v, rows, in, tiles, true);
    for (size_t i = 0; i < rows; i += part)
        k->upsample_diff_weights(w->diff_weights.narrow, m.bytes, w->up, i,
                                 smaller(part, rows - i));
    guard_end(&m);
}

static void run_wide(const kernels *k, work *w, size_t part)
{
    const size_t images = (size_t)w->layer.n, tiles = images * kernels_upsample_tiles(&w->up);
    const size_t image = (size_t)w->diff_dst.n / images;
    guarded v = matrices(tiles, w->up.in, 26), transform = matrices(tiles, PHASES * w->up.out, 27);
    forward(k, w, v.bytes, part);
    for (size_t i = 0; i < images; i += part)
        k->upsample_diff_dst(transform.bytes, w->diff_dst.narrow + i * image, w->up, images, i,
                             smaller(part, images - i));
    backward_data(k, w, transform.bytes, part);
    backward_weights(k, w, v.bytes, transform.bytes, part);
    guard_end(&v);
    guard_end(&transform);
}

static void check_wide(const kernels *sets[], int n_sets, layer l)
{
    work w = work_create(l);
    define(&w);
    for (int i = 0; i < n_sets; i++) {
        forget(&w);
        run_wide(sets[i], &w, 2);
        array_check_accuracy(sets[i], title_of("dst", &l).text, &w.dst, ACCURACY);
        array_check_accuracy(sets[i], title_of("diff_src", &l).text, &w.diff_src, ACCURACY);
        array_check_accuracy(sets[i], title_of("diff_weights", &l).text, &w.diff_weights, ACCURACY);
    }
    work_free(&w);
}

/* Every side up to 15, two widths to a height. */
static layer wide_layer(int i)
{
    static const int channels[] = {16, 32, 48, 64, 80};
    const int height = 1 + i / 2;
    return (layer){.n = 1 + i % 3,
                   .height = height,
                   .width = i % 2 == 0 ? 16 - height : 1 + height * 4 % 15,
                   .in = channels[i % 5],
                   .out = channels[(i / 5 + i) % 5],
                   .kernel = 3,
                   .slope = i / 2 % 2 == 0 ? 0.2f : 1};
}

enum { N_WIDE = 30 };

static void upsampling_to_many_channels__is_as_defined(void **state)
{
    (void)state;
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < N_WIDE; i++)
        check_wide(sets, n_sets, wide_layer(i));
}

/* The layer that it is made for, with the fastest set. */
static void upsampling_to_many_channels__is_accurate_on_long_sums(void **state)
{
    (void)state;
    const kernels *fastest = kernels_get();
    check_wide(&fastest, 1, (layer){8, 7, 7, 128, 64, 3, 0.2f});
}

static void check_parts(const kernels *k, layer l)
{
    work parts = work_create(l), whole = work_create(l);
    run_wide(k, &parts, 1);
    run_wide(k, &whole, SIZE_MAX);
    check_same_bits(k, "dst", whole.dst.narrow, parts.dst.narrow,
                    (size_t)whole.dst.n * sizeof(float));
    check_same_bits(k, "diff_src", whole.diff_src.narrow, parts.diff_src.narrow,
                    (size_t)whole.diff_src.n * sizeof(float));
    check_same_bits(k, "diff_weights", whole.diff_weights.narrow, parts.diff_weights.narrow,
                    (size_t)whole.diff_weights.n * sizeof(float));
    work_free(&parts);
    work_free(&whole);
}

static void upsampling_to_many_channels__gives_the_same_bits_in_any_parts(void **state)
{
    (void)state;
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    for (int i = 0; i < n_sets; i++)
        for (int j = 0; j < N_WIDE; j++)
            check_parts(sets[i], wide_layer(j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upsampling_to_few_channels__is_as_defined),
        cmocka_unit_test(upsampling_to_many_channels__is_as_defined),
        cmocka_unit_test(upsampling_to_many_channels__is_accurate_on_long_sums),
        cmocka_unit_test(upsampling_to_many_channels__gives_the_same_bits_in_any_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
