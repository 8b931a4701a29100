/* A transposed convolution and the 3 × 3 convolution to many channels after it, as one, by the
 * products of polynomials of src/kernels/upsample.c. What forward makes of src serves the weights'
 * gradient too, and what backward makes of its gradient serves both others. Every number is added
 * up in an order that no number of threads changes. */
#include "nn/composed.h"
#include "nn/op.h"

#include "base/memory.h"

enum { PHASES = 4 };

typedef struct upsample {
    nn_composed composed;
    kernels_upsample shape;
    size_t tiles; /* of the batch */
    float *v;     /* the transform of src; after the weights' gradient, that of diff_src */
    float *m;     /* of dst, and of the gradient by it */
    float *u;     /* of the weights, and of their gradient */
} upsample;

static void upsample_destroy(nn_op *op)
{
    upsample *own = op->own;
    nn_composed_clear(&own->composed);
    base_free(own->v);
    base_free(own->m);
    base_free(own->u);
    base_free(own);
    op->own = NULL;
}

static ano_status upsample_create(nn_op *op, ano_error *err)
{
    const nn_layer *up = op->layer, *conv = up + 1;
    upsample *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "composed layers");
    own->shape = (kernels_upsample){.height = up->src.h,
                                    .width = up->src.w,
                                    .kernel = conv->kernel,
                                    .in = (size_t)up->src.c,
                                    .out = (size_t)conv->dst.c};
    own->tiles = (size_t)op->batch * kernels_upsample_tiles(&own->shape);
    own->v = base_alloc(kernels_winograd_size(own->tiles, own->shape.in), sizeof(float));
    own->m = base_alloc(kernels_winograd_size(own->tiles, PHASES * own->shape.out), sizeof(float));
    own->u =
        base_alloc(kernels_winograd_size(own->shape.in, PHASES * own->shape.out), sizeof(float));
    if (own->v == NULL || own->m == NULL || own->u == NULL)
        return base_error_nomem(err, "composed layers");
    return nn_composed_init(&own->composed, up, conv, (op->uses & NN_WEIGHT_GRADIENTS) != 0, err);
}

static ano_status upsample_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    upsample *own = op->own;
    const kernels *k = op->kernels;
    const size_t batch = (size_t)op->batch;
    const size_t src_image = nn_shape_size(op->layer->src), dst_image = nn_shape_size(op->dst);
    nn_composed_compose(&own->composed, op->net);
#pragma omp parallel
    {
#pragma omp for schedule(static) nowait
        for (size_t row = 0; row < own->shape.in; row += KERNELS_COLUMNS)
            k->upsample_weights(own->u, own->composed.weights, own->shape, row, KERNELS_COLUMNS);
#pragma omp for schedule(static)
        for (size_t i = 0; i < batch; i++)
            k->upsample_src(own->v, src + i * src_image, 1, own->shape, batch, i, 1);
#pragma omp for schedule(static)
        for (size_t point = 0; point < KERNELS_WINOGRAD_POINTS; point++)
            k->upsample_multiply(own->m, own->v, own->u, own->tiles, own->tiles,
                                 PHASES * own->shape.out, own->shape.in, point, 1);
#pragma omp for schedule(static)
        for (size_t i = 0; i < batch; i++)
            k->upsample_dst(dst + i * dst_image, own->m, own->composed.bias, own->shape, batch, i,
                            1);
    }
    return ANO_OK;
}

/* From the transforms of src and of the gradient by dst; leaves src's as it is. */
static void diff_weights(nn_op *op, float *gradients, const float *diff_dst)
{
    upsample *own = op->own;
    const kernels *k = op->kernels;
    const size_t in = own->shape.in, rows = PHASES * own->shape.out;
    const kernels_product product = {.rows = rows,
                                     .columns = in,
                                     .k = own->tiles,
                                     .terms = KERNELS_WINOGRAD_TERMS,
                                     .dst_row = in,
                                     .src_row = 1,
                                     .src_column = rows,
                                     .weights_row = in};
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (size_t point = 0; point < KERNELS_WINOGRAD_POINTS; point++)
            k->product(own->u + point * kernels_winograd_stride(rows, in),
                       own->m + point * kernels_winograd_stride(own->tiles, rows),
                       own->v + point * kernels_winograd_stride(own->tiles, in), product);
#pragma omp for schedule(static)
        for (size_t row = 0; row < rows; row++)
            k->upsample_diff_weights(own->composed.diff_weights, own->u, own->shape, row, 1);
    }
    k->column_sum(own->composed.diff_bias, diff_dst, (size_t)op->batch, nn_shape_size(op->dst));
    nn_composed_backward(&own->composed, op->net, gradients);
}

static ano_status upsample_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                    const float *src, const float *dst, float *gradients,
                                    ano_error *err)
{
    (void)src;
    (void)dst;
    (void)err;
    upsample *own = op->own;
    const kernels *k = op->kernels;
    const size_t batch = (size_t)op->batch, rows = PHASES * own->shape.out;
    const size_t src_image = nn_shape_size(op->layer->src), dst_image = nn_shape_size(op->dst);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < batch; i++)
        k->upsample_diff_dst(own->m, diff_dst + i * dst_image, own->shape, batch, i, 1);
    if (gradients != NULL)
        diff_weights(op, gradients, diff_dst);
    if (diff_src == NULL)
        return ANO_OK;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (size_t row = 0; row < rows; row++)
            k->upsample_weights_turned(own->u, own->composed.weights, own->shape, row, 1);
#pragma omp for schedule(static)
        for (size_t point = 0; point < KERNELS_WINOGRAD_POINTS; point++)
            k->upsample_multiply(own->v, own->m, own->u, own->tiles, own->tiles, own->shape.in,
                                 rows, point, 1);
#pragma omp for schedule(static)
        for (size_t i = 0; i < batch; i++)
            k->upsample_diff_src(diff_src + i * src_image, own->v, NULL, 1, own->shape, batch, i,
                                 1);
    }
    return ANO_OK;
}

const nn_op_kind nn_op_upsample = {
    .create = upsample_create,
    .forward = upsample_forward,
    .backward = upsample_backward,
    .destroy = upsample_destroy,
};
