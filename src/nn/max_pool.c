/* Max pooling with the window as stride; remembers where each maximum was. */
#include "nn/op.h"

#include "base/memory.h"

static void max_pool_destroy(nn_op *op)
{
    base_free(op->own);
    op->own = NULL;
}

static ano_status max_pool_create(nn_op *op, ano_error *err)
{
    op->own = base_alloc((size_t)op->batch * nn_shape_size(op->layer->dst), sizeof(uint8_t));
    return op->own != NULL ? ANO_OK : base_error_nomem(err, "max pooling");
}

static ano_status max_pool_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    const nn_shape from = op->layer->src;
    const size_t src_image = nn_shape_size(from), dst_image = nn_shape_size(op->layer->dst);
    uint8_t *argmax = op->own;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        op->kernels->max_pool(dst + (size_t)i * dst_image, argmax + (size_t)i * dst_image,
                              src + (size_t)i * src_image, from.h, from.w, from.c,
                              op->layer->kernel);
    return ANO_OK;
}

/* A kernel that carries numbers the way of the maxima, back or forth. */
typedef void carry(float *to, const float *from, const uint8_t *argmax, int height, int width,
                   int channels, int window);

static void each_image(const nn_op *op, carry *kernel, float *to, nn_shape to_shape,
                       const float *from, nn_shape from_shape)
{
    const nn_shape src = op->layer->src;
    const size_t dst_image = nn_shape_size(op->layer->dst);
    const size_t to_image = nn_shape_size(to_shape), from_image = nn_shape_size(from_shape);
    const uint8_t *argmax = op->own;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        kernel(to + (size_t)i * to_image, from + (size_t)i * from_image,
               argmax + (size_t)i * dst_image, src.h, src.w, src.c, op->layer->kernel);
}

static ano_status max_pool_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                    const float *src, const float *dst, float *gradients,
                                    ano_error *err)
{
    (void)src;
    (void)dst;
    (void)gradients;
    (void)err;
    const nn_shape src_shape = op->layer->src, dst_shape = op->layer->dst;
    each_image(op, op->kernels->max_pool_backward, diff_src, src_shape, diff_dst, dst_shape);
    return ANO_OK;
}

static ano_status max_pool_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                   const float *dst, ano_error *err)
{
    (void)dst;
    (void)err;
    const nn_shape src_shape = op->layer->src, dst_shape = op->layer->dst;
    each_image(op, op->kernels->max_pool_tangent, dst_tangent, dst_shape, src_tangent, src_shape);
    return ANO_OK;
}

const nn_op_kind nn_op_max_pool = {
    .create = max_pool_create,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .tangent = max_pool_tangent,
    .destroy = max_pool_destroy,
};
