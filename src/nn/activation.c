/* Activations, in place, and the reshape that moves nothing. Backward needs dst alone. */
#include "nn/op.h"

static ano_status leaky_relu_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    const size_t image = nn_shape_size(op->layer->dst);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        op->kernels->leaky_relu(dst + (size_t)i * image, src + (size_t)i * image, image,
                                op->layer->slope);
    return ANO_OK;
}

static ano_status leaky_relu_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                      const float *src, const float *dst, float *gradients,
                                      ano_error *err)
{
    (void)src;
    (void)gradients;
    (void)err;
    const size_t image = nn_shape_size(op->layer->dst);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        op->kernels->leaky_relu_backward(diff_src + (size_t)i * image, diff_dst + (size_t)i * image,
                                         dst + (size_t)i * image, image, op->layer->slope);
    return ANO_OK;
}

static ano_status leaky_relu_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                     const float *dst, ano_error *err)
{
    return leaky_relu_backward(op, dst_tangent, src_tangent, NULL, dst, NULL, err);
}

static ano_status tanh_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    const size_t image = nn_shape_size(op->layer->dst);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        op->kernels->tanh(dst + (size_t)i * image, src + (size_t)i * image, image);
    return ANO_OK;
}

static ano_status tanh_backward(nn_op *op, float *diff_src, const float *diff_dst, const float *src,
                                const float *dst, float *gradients, ano_error *err)
{
    (void)src;
    (void)gradients;
    (void)err;
    op->kernels->tanh_backward(diff_src, diff_dst, dst,
                               (size_t)op->batch * nn_shape_size(op->layer->dst));
    return ANO_OK;
}

const nn_op_kind nn_op_leaky_relu = {.forward = leaky_relu_forward,
                                     .backward = leaky_relu_backward,
                                     .tangent = leaky_relu_tangent,
                                     .in_place = true};
const nn_op_kind nn_op_tanh = {
    .forward = tanh_forward, .backward = tanh_backward, .in_place = true};
const nn_op_kind nn_op_reshape = {.is_view = true};
