/* A transposed convolution and the convolution to few channels after it, as one: the upsampled map
 * of many channels between them is never made. */
#include "nn/composed.h"
#include "nn/op.h"

#include "base/memory.h"

#include <string.h>

/* Weight gradients are summed by groups of images and then over the groups, so that they do not
 * depend on the number of threads. */
enum { MAX_GROUPS = 16 };

typedef struct upsample_thin {
    nn_composed composed;
    kernels_upsample shape;
    int n_groups;
    size_t n_weights;
    float *partial; /* [n_groups][n_weights] */
} upsample_thin;

static void upsample_thin_destroy(nn_op *op)
{
    upsample_thin *own = op->own;
    nn_composed_clear(&own->composed);
    base_free(own->partial);
    base_free(own);
    op->own = NULL;
}

static ano_status upsample_thin_create(nn_op *op, ano_error *err)
{
    const nn_layer *up = op->layer, *conv = up + 1;
    const bool trains = (op->uses & NN_WEIGHT_GRADIENTS) != 0;
    upsample_thin *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "composed layers");
    own->shape = (kernels_upsample){.height = up->src.h,
                                    .width = up->src.w,
                                    .kernel = conv->kernel,
                                    .in = (size_t)up->src.c,
                                    .out = (size_t)conv->dst.c};
    own->n_groups = op->batch < MAX_GROUPS ? op->batch : MAX_GROUPS;
    own->n_weights =
        (size_t)((conv->kernel + 1) * (conv->kernel + 1)) * own->shape.in * own->shape.out;
    if (trains) {
        own->partial = base_alloc((size_t)own->n_groups * own->n_weights, sizeof(float));
        if (own->partial == NULL)
            return base_error_nomem(err, "composed layers");
    }
    return nn_composed_init(&own->composed, up, conv, trains, err);
}

static ano_status upsample_thin_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    upsample_thin *own = op->own;
    const size_t src_image = nn_shape_size(op->layer->src), dst_image = nn_shape_size(op->dst);
    nn_composed_compose(&own->composed, op->net);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        op->kernels->upsample_thin(dst + (size_t)i * dst_image, src + (size_t)i * src_image,
                                   own->composed.weights, own->composed.bias, own->shape);
    return ANO_OK;
}

static void diff_weights(nn_op *op, float *gradients, const float *diff_dst, const float *src)
{
    upsample_thin *own = op->own;
    const size_t src_image = nn_shape_size(op->layer->src), dst_image = nn_shape_size(op->dst);
    const int n_groups = own->n_groups;
#pragma omp parallel for schedule(static)
    for (int g = 0; g < n_groups; g++) {
        float *partial = own->partial + (size_t)g * own->n_weights;
        memset(partial, 0, own->n_weights * sizeof *partial);
        for (int i = op->batch * g / n_groups; i < op->batch * (g + 1) / n_groups; i++)
            op->kernels->upsample_thin_diff_weights(partial, src + (size_t)i * src_image,
                                                    diff_dst + (size_t)i * dst_image, own->shape);
    }
    op->kernels->column_sum(own->composed.diff_weights, own->partial, (size_t)n_groups,
                            own->n_weights);
    op->kernels->column_sum(own->composed.diff_bias, diff_dst, (size_t)op->batch, dst_image);
    nn_composed_backward(&own->composed, op->net, gradients);
}

static ano_status upsample_thin_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                         const float *src, const float *dst, float *gradients,
                                         ano_error *err)
{
    (void)dst;
    (void)err;
    upsample_thin *own = op->own;
    const size_t src_image = nn_shape_size(op->layer->src), dst_image = nn_shape_size(op->dst);
    if (gradients != NULL)
        diff_weights(op, gradients, diff_dst, src);
    if (diff_src == NULL)
        return ANO_OK;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        op->kernels->upsample_thin_back(diff_src + (size_t)i * src_image,
                                        diff_dst + (size_t)i * dst_image, own->composed.weights,
                                        own->shape);
    return ANO_OK;
}

const nn_op_kind nn_op_upsample_thin = {
    .create = upsample_thin_create,
    .forward = upsample_thin_forward,
    .backward = upsample_thin_backward,
    .destroy = upsample_thin_destroy,
};
