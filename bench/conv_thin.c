/* Thin convolutions against oneDNN's: milliseconds of each pass of a layer from few channels to
 * many, with leaky ReLU and max pooling, and of one back. Both do all the work: on oneDNN's side
 * that is the convolution and our kernels for the activation and the pooling.
 *
 *     bench_conv_thin [batch height width thin wide kernel] */
#include "base/memory.h"
#include "kernels/kernels.h"
#include "nn/onednn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Images whose weight gradients are added up by one thread, so that the sum of the groups' does not
 * depend on how many threads there are. */
enum { GROUP = 8, REPEATS = 40 };

typedef struct layer {
    const kernels *kernels;
    kernels_thin conv;
    size_t batch, thin_image, wide_image, pooled_image, n_weights; /* images in floats */
    float *thin, *wide, *pooled, *diff, *weights, *bias;
    float *groups; /* [batch / GROUP][n_weights] */
    uint8_t *argmax;
    nn_direct *widen, *narrow;
} layer;

static void check(ano_status status, const ano_error *err)
{
    if (status != ANO_OK) {
        fprintf(stderr, "bench_conv_thin: %s\n", err->message);
        exit(EXIT_FAILURE);
    }
}

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static float *numbers(size_t n)
{
    float *p = base_alloc(n, sizeof *p);
    if (!p)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return p;
}

static void activate_and_pool(const layer *l)
{
    const kernels_thin *c = &l->conv;
#pragma omp parallel for
    for (size_t i = 0; i < l->batch; i++) {
        float *image = l->wide + i * l->wide_image;
        l->kernels->leaky_relu(image, image, l->wide_image, 0.2f);
        l->kernels->max_pool(l->pooled + i * l->pooled_image, l->argmax + i * l->pooled_image,
                             image, c->height, c->width, (int)c->wide, 2);
    }
}

static void unpool(const layer *l, size_t i)
{
    const kernels_thin *c = &l->conv;
    const size_t at = i * l->pooled_image;
    l->kernels->leaky_relu_backward(l->diff + at, l->diff + at, l->pooled + at, l->pooled_image,
                                    0.2f);
    l->kernels->max_pool_backward(l->wide + i * l->wide_image, l->diff + at, l->argmax + at,
                                  c->height, c->width, (int)c->wide, 2);
}

static void unpool_all(const layer *l)
{
#pragma omp parallel for
    for (size_t i = 0; i < l->batch; i++)
        unpool(l, i);
}

/* ---- from few channels to many ------------------------------------------------------------- */

static void ours_widen(const layer *l)
{
#pragma omp parallel for
    for (size_t i = 0; i < l->batch; i++)
        l->kernels->thin_widen(l->pooled + i * l->pooled_image, l->thin + i * l->thin_image,
                               l->weights, l->conv, false,
                               (kernels_epilogue){l->bias, 0.2f, l->argmax + i * l->pooled_image});
}

static void theirs_widen(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_forward(l->widen, l->wide, l->thin, l->weights, l->bias, &err), &err);
    activate_and_pool(l);
}

static void ours_widen_data(const layer *l)
{
#pragma omp parallel for
    for (size_t i = 0; i < l->batch; i++) {
        unpool(l, i);
        l->kernels->thin_narrow(l->thin + i * l->thin_image, l->wide + i * l->wide_image,
                                l->weights, NULL, l->conv, true);
    }
}

static void theirs_widen_data(const layer *l)
{
    ano_error err = {0};
    unpool_all(l);
    check(nn_direct_backward_data(l->widen, l->thin, l->wide, l->weights, &err), &err);
}

/* The gradients by weights and bias, groups of images side by side. */
static void diff_weights(const layer *l, bool turned, bool pooled)
{
    const size_t groups = (l->batch + GROUP - 1) / GROUP;
#pragma omp parallel for
    for (size_t g = 0; g < groups; g++) {
        float *sum = l->groups + g * l->n_weights;
        memset(sum, 0, l->n_weights * sizeof *sum);
        for (size_t i = g * GROUP; i < l->batch && i < (g + 1) * GROUP; i++) {
            if (pooled)
                unpool(l, i);
            l->kernels->thin_diff_weights(sum, l->thin + i * l->thin_image,
                                          l->wide + i * l->wide_image, l->conv, turned);
        }
    }
    l->kernels->column_sum(l->weights, l->groups, groups, l->n_weights);
}

static void ours_widen_weights(const layer *l)
{
    diff_weights(l, false, true);
}

static void theirs_widen_weights(const layer *l)
{
    ano_error err = {0};
    unpool_all(l);
    check(nn_direct_backward_weights(l->widen, l->weights, l->bias, l->thin, l->wide, &err), &err);
}

/* ---- from many channels to few ------------------------------------------------------------- */

static void ours_narrow(const layer *l)
{
#pragma omp parallel for
    for (size_t i = 0; i < l->batch; i++)
        l->kernels->thin_narrow(l->thin + i * l->thin_image, l->wide + i * l->wide_image,
                                l->weights, l->bias, l->conv, false);
}

static void theirs_narrow(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_forward(l->narrow, l->thin, l->wide, l->weights, l->bias, &err), &err);
}

static void ours_narrow_data(const layer *l)
{
#pragma omp parallel for
    for (size_t i = 0; i < l->batch; i++)
        l->kernels->thin_widen(l->wide + i * l->wide_image, l->thin + i * l->thin_image, l->weights,
                               l->conv, true, (kernels_epilogue){.slope = 1});
}

static void theirs_narrow_data(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_backward_data(l->narrow, l->wide, l->thin, l->weights, &err), &err);
}

static void ours_narrow_weights(const layer *l)
{
    diff_weights(l, true, false);
}

static void theirs_narrow_weights(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_backward_weights(l->narrow, l->weights, l->bias, l->wide, l->thin, &err), &err);
}

static double best(void (*pass)(const layer *), const layer *l)
{
    double least = 1e9;
    for (int i = 0; i < REPEATS; i++) {
        const double start = milliseconds();
        pass(l);
        const double taken = milliseconds() - start;
        least = taken < least ? taken : least;
    }
    return least;
}

int main(int argc, char **argv)
{
    int size[] = {64, 28, 28, 1, 64, 5};
    for (int i = 0; i < 6 && i + 1 < argc; i++)
        size[i] = atoi(argv[i + 1]);
    const int n = size[0], height = size[1], width = size[2], thin = size[3], wide = size[4];
    const int kernel = size[5];
    const size_t pixels = (size_t)(height * width);
    layer l = {.kernels = kernels_get(),
               .conv = {height, width, kernel, thin, (size_t)wide},
               .batch = (size_t)n,
               .thin_image = pixels * (size_t)thin,
               .wide_image = pixels * (size_t)wide,
               .pooled_image = (size_t)(height / 2 * (width / 2) * wide),
               .n_weights = (size_t)(kernel * kernel * thin * wide)};
    l.thin = numbers(l.batch * l.thin_image);
    l.wide = numbers(l.batch * l.wide_image);
    l.pooled = numbers(l.batch * l.pooled_image);
    l.diff = numbers(l.batch * l.pooled_image);
    l.weights = numbers(l.n_weights);
    l.groups = numbers((l.batch + GROUP - 1) / GROUP * l.n_weights);
    l.bias = numbers((size_t)wide);
    l.argmax = base_alloc(l.batch * l.pooled_image, 1);

    nn_backend *backend = NULL;
    ano_error err = {0};
    const unsigned all = NN_PASS_FORWARD | NN_PASS_BACKWARD_DATA | NN_PASS_BACKWARD_WEIGHTS;
    check(nn_backend_create(&backend, &err), &err);
    check(nn_direct_create(&l.widen, backend,
                           (nn_direct_shape){n, height, width, thin, wide, kernel}, all, &err),
          &err);
    check(nn_direct_create(&l.narrow, backend,
                           (nn_direct_shape){n, height, width, wide, thin, kernel}, all, &err),
          &err);
    const struct {
        const char *name;
        void (*ours)(const layer *), (*theirs)(const layer *);
    } passes[] = {{"few to many, activated, pooled", ours_widen, theirs_widen},
                  {"  its diff_src", ours_widen_data, theirs_widen_data},
                  {"  its diff_weights", ours_widen_weights, theirs_widen_weights},
                  {"many to few", ours_narrow, theirs_narrow},
                  {"  its diff_src", ours_narrow_data, theirs_narrow_data},
                  {"  its diff_weights", ours_narrow_weights, theirs_narrow_weights}};
    printf("%dx%dx%d, %d and %d channels, kernel %d, %s, ms: ours and oneDNN's\n", n, height, width,
           thin, wide, kernel, l.kernels->name);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        printf("%-32s %8.2f %8.2f\n", passes[i].name, best(passes[i].ours, &l),
               best(passes[i].theirs, &l));
    nn_direct_free(l.widen);
    nn_direct_free(l.narrow);
    nn_backend_free(backend);
    base_free(l.thin);
    base_free(l.wide);
    base_free(l.pooled);
    base_free(l.diff);
    base_free(l.weights);
    base_free(l.groups);
    base_free(l.bias);
    base_free(l.argmax);
    return 0;
}
