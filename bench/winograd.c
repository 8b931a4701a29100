/* Winograd convolution against oneDNN's direct one: milliseconds of each pass by how many tiles
 * are taken at a time. A thread takes a block of tiles through transform, products and inverse, so
 * that V and M stay in its cache; the gradient by the weights takes a larger block with all
 * threads, by tiles in the transforms and by points in the products.
 *
 *     bench_winograd [batch height width in out kernel] */
#include "base/clock.h"
#include "base/memory.h"
#include "kernels/kernels.h"
#include "nn/onednn.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 40 };

typedef struct layer {
    const kernels *kernels;
    kernels_winograd conv;
    size_t tiles, block;
    float *src, *dst, *weights, *bias; /* their gradients are written over them */
    float *u, *v, *w;                  /* v: the threads' scratch, too */
    size_t scratch;                    /* floats a thread */
    nn_direct *direct;
} layer;

static void check(ano_status status, const ano_error *err)
{
    if (status != ANO_OK) {
        fprintf(stderr, "bench_winograd: %s\n", err->message);
        exit(5);
    }
}

static float *numbers(size_t n)
{
    float *p = base_alloc(n, sizeof *p);
    if (!p)
        exit(5);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return p;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void convolve(const layer *l, float *dst, const float *src, kernels_winograd conv,
                     kernels_epilogue epilogue)
{
#pragma omp parallel for
    for (size_t first = 0; first < l->tiles; first += l->block)
        l->kernels->winograd_convolve(dst, src, l->u, conv, epilogue, first,
                                      min_size(l->block, l->tiles - first),
                                      l->v + (size_t)omp_get_thread_num() * l->scratch);
}

static void winograd_forward(const layer *l)
{
#pragma omp parallel for
    for (size_t row = 0; row < l->conv.in; row++)
        l->kernels->winograd_weights(l->u, l->weights, l->conv, row, 1);
    convolve(l, l->dst, l->src, l->conv, (kernels_epilogue){.bias = l->bias, .slope = 0.2f});
}

static void winograd_data(const layer *l)
{
    kernels_winograd turned = l->conv;
    turned.in = l->conv.out;
    turned.out = l->conv.in;
#pragma omp parallel for
    for (size_t row = 0; row < l->conv.out; row++)
        l->kernels->winograd_weights_turned(l->u, l->weights, l->conv, row, 1);
    convolve(l, l->src, l->dst, turned, (kernels_epilogue){.slope = 1});
}

static void winograd_weights(const layer *l)
{
    memset(l->u, 0, kernels_winograd_size(l->conv.in, l->conv.out) * sizeof *l->u);
#pragma omp parallel
    {
        for (size_t begin = 0; begin < l->tiles; begin += l->block) {
            const size_t tiles = min_size(l->block, l->tiles - begin);
#pragma omp for
            for (size_t i = 0; i < tiles; i++)
                l->kernels->winograd_diff_tiles(l->v, l->w, l->src, l->dst, l->conv, l->block,
                                                begin + i, 1);
#pragma omp for
            for (size_t point = 0; point < KERNELS_WINOGRAD_POINTS; point++)
                l->kernels->winograd_diff_points(l->u, l->v, l->w, l->conv, l->block, tiles, point,
                                                 1);
        }
#pragma omp for
        for (size_t row = 0; row < l->conv.in; row++)
            l->kernels->winograd_diff_weights(l->weights, l->u, l->conv, row, 1);
    }
}

static void direct_forward(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_forward(l->direct, l->dst, l->src, l->weights, l->bias, &err), &err);
}

static void direct_data(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_backward_data(l->direct, l->src, l->dst, l->weights, &err), &err);
}

static void direct_weights(const layer *l)
{
    ano_error err = {0};
    check(nn_direct_backward_weights(l->direct, l->weights, l->bias, l->src, l->dst, &err), &err);
}

static double best(void (*pass)(const layer *), const layer *l)
{
    double least = 1e9;
    for (int i = 0; i < REPEATS; i++) {
        const double start = (1e3 * base_seconds());
        pass(l);
        const double taken = (1e3 * base_seconds()) - start;
        least = taken < least ? taken : least;
    }
    return least;
}

static void bench_block(layer *l)
{
    const kernels_winograd *c = &l->conv;
    l->scratch = kernels_winograd_size(l->block, c->in) + kernels_winograd_size(l->block, c->out);
    l->v = numbers(l->scratch * (size_t)omp_get_max_threads());
    l->w = numbers(kernels_winograd_size(l->block, c->out));
    printf("%4zu tiles %8.2f %8.2f %8.2f\n", l->block, best(winograd_forward, l),
           best(winograd_data, l), best(winograd_weights, l));
    base_free(l->v);
    base_free(l->w);
}

int main(int argc, char **argv)
{
    int size[] = {64, 14, 14, 64, 128, 5};
    for (int i = 0; i < 6 && i + 1 < argc; i++)
        size[i] = atoi(argv[i + 1]);
    layer l = {.kernels = kernels_get(),
               .conv = {.height = size[1],
                        .width = size[2],
                        .in = (size_t)size[3],
                        .out = (size_t)size[4],
                        .kernel = size[5]}};
    l.tiles = (size_t)size[0] * kernels_winograd_tiles(&l.conv);
    const size_t pixels = (size_t)(size[0] * size[1] * size[2]);
    l.src = numbers(pixels * l.conv.in);
    l.dst = numbers(pixels * l.conv.out);
    l.weights = numbers((size_t)(size[5] * size[5]) * l.conv.in * l.conv.out);
    l.bias = numbers(l.conv.out);
    l.u = numbers(kernels_winograd_size(l.conv.in, l.conv.out));

    nn_backend *backend = NULL;
    ano_error err = {0};
    check(nn_backend_create(&backend, &err), &err);
    const nn_direct_shape shape = {size[0], size[1], size[2], size[3], size[4], size[5]};
    check(nn_direct_create(&l.direct, backend, shape,
                           NN_PASS_FORWARD | NN_PASS_BACKWARD_DATA | NN_PASS_BACKWARD_WEIGHTS,
                           &err),
          &err);
    printf("%dx%dx%d, %d to %d channels, kernel %d, %s, ms\n", size[0], size[1], size[2], size[3],
           size[4], size[5], l.kernels->name);
    printf("             forward diff_src diff_weights\n");
    printf("direct     %8.2f %8.2f %8.2f\n", best(direct_forward, &l), best(direct_data, &l),
           best(direct_weights, &l));
    for (l.block = 8; l.block <= 256; l.block *= 2)
        bench_block(&l);
    nn_direct_free(l.direct);
    nn_backend_free(backend);
    base_free(l.src);
    base_free(l.dst);
    base_free(l.weights);
    base_free(l.bias);
    base_free(l.u);
    return 0;
}
