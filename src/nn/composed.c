#include "nn/composed.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool nn_composed_can(const nn_net *net, int i)
{
    const nn_layer *up = &net->layers[i];
    if (up->kind != NN_CONV_TRANSPOSED || up->kernel != 2 || i + 1 >= net->n_layers)
        return false;
    return up[1].kind == NN_CONV && up[1].kernel <= 2 * KERNELS_UPSAMPLE_MAX_TAPS - 1 &&
           up[1].kernel >= 3;
}

ano_status nn_composed_init(nn_composed *c, const nn_layer *up, const nn_layer *conv, bool trains,
                            ano_error *err)
{
    *c = (nn_composed){.up = up,
                       .conv = conv,
                       .window = conv->kernel + 1,
                       .c_src = kernels_whole_columns((size_t)up->src.c),
                       .c_middle = (size_t)up->dst.c,
                       .c_dst = (size_t)conv->dst.c};
    const size_t weights = (size_t)(c->window * c->window) * c->c_dst * c->c_src;
    const size_t pixels = (size_t)(conv->dst.h * conv->dst.w);
    const struct {
        float **array;
        size_t size; /* 0: not needed */
    } arrays[] = {
        {&c->weights, weights},
        {&c->bias, pixels * c->c_dst},
        {&c->place_sums, c->c_dst},
        {&c->up_weights, 4 * c->c_middle * c->c_src},
        {&c->diff_weights, trains ? weights : 0},
        {&c->diff_bias, trains ? pixels * c->c_dst : 0},
        {&c->turned, trains ? 4 * c->c_middle * c->c_src : 0},
        {&c->product, trains ? (size_t)(conv->kernel * conv->kernel) * c->c_dst * c->c_middle : 0},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].size > 0 &&
            (*arrays[i].array = base_alloc(arrays[i].size, sizeof(float))) == NULL)
            return base_error_nomem(err, "composed layers");
    return ANO_OK;
}

void nn_composed_clear(nn_composed *c)
{
    base_free(c->weights);
    base_free(c->bias);
    base_free(c->place_sums);
    base_free(c->up_weights);
    base_free(c->diff_weights);
    base_free(c->diff_bias);
    base_free(c->turned);
    base_free(c->product);
    *c = (nn_composed){0};
}

static const nn_tensor *tensor_of(const nn_net *net, const nn_layer *layer, int i)
{
    return &net->tensors[layer->first_tensor + i];
}

static const float *data_of(const nn_net *net, const nn_layer *layer, int i)
{
    return nn_net_data(net, tensor_of(net, layer, i));
}

/* The place in the convolution's kernel, along one axis, that takes number a of a block to window
 * number w; -1: none. */
static int kernel_place(const nn_composed *c, int w, int a)
{
    const int radius = c->conv->kernel / 2, offset = a - (w - radius);
    return abs(offset) <= radius ? offset + radius : -1;
}

/* ---- weights ------------------------------------------------------------------------------- */

/* One number of the window. */
static void compose_weights(const nn_composed *c, const float *kernel, int wy, int wx)
{
    float *dst = c->weights + (size_t)(wy * c->window + wx) * c->c_dst * c->c_src;
    bool accumulate = false;
    for (int block = 0; block < 4; block++) {
        const int y = kernel_place(c, wy, block / 2), x = kernel_place(c, wx, block % 2);
        if (y < 0 || x < 0)
            continue;
        const float *of_kernel =
            kernel + (size_t)(y * c->conv->kernel + x) * c->c_middle * c->c_dst;
        kernels_get()->product(dst, of_kernel,
                               c->up_weights + (size_t)block * c->c_middle * c->c_src,
                               (kernels_product){.rows = c->c_dst,
                                                 .columns = c->c_src,
                                                 .k = c->c_middle,
                                                 .dst_row = c->c_src,
                                                 .src_row = 1,
                                                 .src_column = c->c_dst,
                                                 .weights_row = c->c_src,
                                                 .accumulate = accumulate});
        accumulate = true;
    }
}

/* T's gradient for one number of a block, from all of the window's it is in. */
static void diff_up_weights(const nn_composed *c, float *diff, const float *kernel, int block)
{
    bool accumulate = false;
    for (int w = 0; w < c->window * c->window; w++) {
        const int y = kernel_place(c, w / c->window, block / 2);
        const int x = kernel_place(c, w % c->window, block % 2);
        if (y < 0 || x < 0)
            continue;
        const float *of_kernel =
            kernel + (size_t)(y * c->conv->kernel + x) * c->c_middle * c->c_dst;
        kernels_get()->product(diff + (size_t)block * c->c_middle * c->c_src, of_kernel,
                               c->diff_weights + (size_t)w * c->c_dst * c->c_src,
                               (kernels_product){.rows = c->c_middle,
                                                 .columns = c->c_src,
                                                 .k = c->c_dst,
                                                 .dst_row = c->c_src,
                                                 .src_row = c->c_dst,
                                                 .src_column = 1,
                                                 .weights_row = c->c_src,
                                                 .accumulate = accumulate});
        accumulate = true;
    }
}

/* K's gradient at one place [c_middle][c_dst], from the four numbers of a block that it takes to
 * the window. */
static void diff_kernel(const nn_composed *c, float *diff, int place)
{
    const int k = c->conv->kernel, radius = k / 2;
    const size_t size = c->c_middle * c->c_dst;
    float *product = c->product + (size_t)place * size; /* [c_dst][c_middle] */
    for (int block = 0; block < 4; block++) {
        const int wy = block / 2 - (place / k - radius) + radius;
        const int wx = block % 2 - (place % k - radius) + radius;
        kernels_get()->product(
            product, c->diff_weights + (size_t)(wy * c->window + wx) * c->c_dst * c->c_src,
            c->turned + (size_t)block * c->c_src * c->c_middle,
            (kernels_product){.rows = c->c_dst,
                              .columns = c->c_middle,
                              .k = c->c_src,
                              .dst_row = c->c_middle,
                              .src_row = c->c_src,
                              .src_column = 1,
                              .weights_row = c->c_middle,
                              .accumulate = block > 0});
    }
    for (size_t middle = 0; middle < c->c_middle; middle++)
        for (size_t o = 0; o < c->c_dst; o++)
            diff[(size_t)place * size + middle * c->c_dst + o] = product[o * c->c_middle + middle];
}

/* ---- bias ---------------------------------------------------------------------------------- */

/* The rows, or columns, of dst whose number at a place of the kernel is in the image. */
typedef struct span {
    int begin, end;
} span;

static span span_of(const nn_composed *c, int place, int size)
{
    const int offset = place - c->conv->kernel / 2;
    return (span){offset < 0 ? -offset : 0, offset > 0 ? size - offset : size};
}

/* The convolution's bias, and from every place of its kernel in the image K[place]ᵀ · T's bias. */
static void compose_bias(const nn_composed *c, const nn_net *net)
{
    const float *up_bias = data_of(net, c->up, 1), *kernel = data_of(net, c->conv, 0);
    const float *conv_bias = data_of(net, c->conv, 1);
    const nn_shape dst = c->conv->dst;
    const int k = c->conv->kernel;
    for (size_t pixel = 0; pixel < (size_t)(dst.h * dst.w); pixel++)
        memcpy(c->bias + pixel * c->c_dst, conv_bias, c->c_dst * sizeof *conv_bias);
    for (int place = 0; place < k * k; place++) {
        const float *of_place = kernel + (size_t)place * c->c_middle * c->c_dst;
        float *sums = c->place_sums;
        memset(sums, 0, c->c_dst * sizeof *sums);
        for (size_t middle = 0; middle < c->c_middle; middle++)
            for (size_t o = 0; o < c->c_dst; o++)
                sums[o] += up_bias[middle] * of_place[middle * c->c_dst + o];
        const span rows = span_of(c, place / k, dst.h), columns = span_of(c, place % k, dst.w);
        for (int y = rows.begin; y < rows.end; y++)
            for (int x = columns.begin; x < columns.end; x++)
                for (size_t o = 0; o < c->c_dst; o++)
                    c->bias[(size_t)(y * dst.w + x) * c->c_dst + o] += sums[o];
    }
}

/* By both biases, and what T's bias adds to K's gradient. */
static void backward_bias(const nn_composed *c, const nn_net *net, float *diff_up_bias,
                          float *diff_kernel, float *diff_conv_bias)
{
    const float *up_bias = data_of(net, c->up, 1), *kernel = data_of(net, c->conv, 0);
    const nn_shape dst = c->conv->dst;
    const int k = c->conv->kernel;
    memset(diff_up_bias, 0, c->c_middle * sizeof *diff_up_bias);
    for (int place = 0; place < k * k; place++) {
        const size_t first = (size_t)place * c->c_middle * c->c_dst;
        float *sums = c->place_sums;
        memset(sums, 0, c->c_dst * sizeof *sums);
        const span rows = span_of(c, place / k, dst.h), columns = span_of(c, place % k, dst.w);
        for (int y = rows.begin; y < rows.end; y++)
            for (int x = columns.begin; x < columns.end; x++)
                for (size_t o = 0; o < c->c_dst; o++)
                    sums[o] += c->diff_bias[(size_t)(y * dst.w + x) * c->c_dst + o];
        if (place == k * k / 2) /* the middle of the kernel is in the image everywhere */
            memcpy(diff_conv_bias, sums, c->c_dst * sizeof *sums);
        for (size_t middle = 0; middle < c->c_middle; middle++)
            for (size_t o = 0; o < c->c_dst; o++) {
                const size_t at = first + middle * c->c_dst + o;
                diff_up_bias[middle] += kernel[at] * sums[o];
                diff_kernel[at] += up_bias[middle] * sums[o];
            }
    }
}

/* ---- both ---------------------------------------------------------------------------------- */

/* T with its channels in whole vectors, and the other way round where the gradients need it. */
static void copy_up_weights(const nn_composed *c, const nn_net *net)
{
    const size_t c_src = (size_t)c->up->src.c;
    const float *weights = data_of(net, c->up, 0);
    for (size_t row = 0; row < 4 * c->c_middle; row++) {
        memcpy(c->up_weights + row * c->c_src, weights + row * c_src, c_src * sizeof *weights);
        if (c->turned == NULL)
            continue;
        float *turned = c->turned + row / c->c_middle * c->c_src * c->c_middle + row % c->c_middle;
        for (size_t i = 0; i < c_src; i++)
            turned[i * c->c_middle] = weights[row * c_src + i];
    }
}

void nn_composed_compose(nn_composed *c, const nn_net *net)
{
    const float *kernel = data_of(net, c->conv, 0);
    copy_up_weights(c, net);
#pragma omp parallel for schedule(static)
    for (int w = 0; w < c->window * c->window; w++)
        compose_weights(c, kernel, w / c->window, w % c->window);
    compose_bias(c, net);
}

void nn_composed_backward(nn_composed *c, const nn_net *net, float *gradients)
{
    const float *kernel = data_of(net, c->conv, 0);
    float *diff_of_up = gradients + tensor_of(net, c->up, 0)->offset;
    float *diff_of_kernel = gradients + tensor_of(net, c->conv, 0)->offset;
    const int places = c->conv->kernel * c->conv->kernel;
#pragma omp parallel
    {
#pragma omp for schedule(static) nowait
        for (int block = 0; block < 4; block++)
            diff_up_weights(c, diff_of_up, kernel, block);
#pragma omp for schedule(static)
        for (int place = 0; place < places; place++)
            diff_kernel(c, diff_of_kernel, place);
    }
    backward_bias(c, net, gradients + tensor_of(net, c->up, 1)->offset, diff_of_kernel,
                  gradients + tensor_of(net, c->conv, 1)->offset);
}
