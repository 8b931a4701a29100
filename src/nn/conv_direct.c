/* Convolution of stride 1 with zero padding that keeps the size, by oneDNN. */
#include "nn/op.h"

static void conv_direct_destroy(nn_op *op)
{
    nn_direct_free(op->own);
    op->own = NULL;
}

static ano_status conv_direct_create(nn_op *op, ano_error *err)
{
    const nn_layer *layer = op->layer;
    unsigned passes = NN_PASS_FORWARD;
    if (op->uses & NN_DATA_GRADIENT)
        passes |= NN_PASS_BACKWARD_DATA;
    if (op->uses & NN_WEIGHT_GRADIENTS)
        passes |= NN_PASS_BACKWARD_WEIGHTS;
    nn_direct *direct;
    const ano_status status =
        nn_direct_create(&direct, op->backend,
                         (nn_direct_shape){op->batch, layer->src.h, layer->src.w, layer->src.c,
                                           layer->dst.c, layer->kernel},
                         passes, err);
    op->own = direct;
    return status;
}

static ano_status conv_direct_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    return nn_direct_forward(op->own, dst, src, nn_op_tensor(op, 0), nn_op_tensor(op, 1), err);
}

static ano_status conv_direct_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                       const float *src, const float *dst, float *gradients,
                                       ano_error *err)
{
    (void)dst;
    ano_status status = ANO_OK;
    if (gradients != NULL)
        status = nn_direct_backward_weights(op->own, nn_op_gradient(op, gradients, 0),
                                            nn_op_gradient(op, gradients, 1), src, diff_dst, err);
    if (status == ANO_OK && diff_src != NULL)
        status = nn_direct_backward_data(op->own, diff_src, diff_dst, nn_op_tensor(op, 0), err);
    return status;
}

static ano_status conv_direct_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                      const float *dst, ano_error *err)
{
    (void)dst;
    return nn_direct_forward(op->own, dst_tangent, src_tangent, nn_op_tensor(op, 0), NULL, err);
}

const nn_op_kind nn_op_conv_direct = {
    .create = conv_direct_create,
    .forward = conv_direct_forward,
    .backward = conv_direct_backward,
    .tangent = conv_direct_tangent,
    .destroy = conv_direct_destroy,
};
