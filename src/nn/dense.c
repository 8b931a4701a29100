/* Dense: dst [batch][out] = src [batch][in] · kernel [in][out] + bias. */
#include "nn/op.h"

#include "base/memory.h"

typedef struct dense {
    nn_matmul *forward, *tangent, *backward_data, *backward_weights;
} dense;

static void dense_destroy(nn_op *op)
{
    dense *own = op->own;
    nn_matmul_free(own->forward);
    nn_matmul_free(own->tangent);
    nn_matmul_free(own->backward_data);
    nn_matmul_free(own->backward_weights);
    base_free(own);
    op->own = NULL;
}

static ano_status dense_create(nn_op *op, ano_error *err)
{
    const int in = (int)nn_shape_size(op->layer->src), out = op->layer->dst.c, n = op->batch;
    dense *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "dense");
    nn_matmul_shape shape = {.m = n,
                             .n = out,
                             .k = in,
                             .a_row = in,
                             .a_column = 1,
                             .b_row = out,
                             .b_column = 1,
                             .bias = true};
    ano_status status = nn_matmul_create(&own->forward, op->backend, shape, err);
    shape.bias = false;
    if (status == ANO_OK && (op->uses & NN_SECOND_ORDER))
        status = nn_matmul_create(&own->tangent, op->backend, shape, err);
    if (status == ANO_OK && (op->uses & NN_DATA_GRADIENT))
        status = nn_matmul_create(&own->backward_data, op->backend,
                                  (nn_matmul_shape){.m = n,
                                                    .n = in,
                                                    .k = out,
                                                    .a_row = out,
                                                    .a_column = 1,
                                                    .b_row = 1,
                                                    .b_column = out},
                                  err);
    if (status == ANO_OK && (op->uses & NN_WEIGHT_GRADIENTS))
        status = nn_matmul_create(
            &own->backward_weights, op->backend,
            (nn_matmul_shape){
                .m = in, .n = out, .k = n, .a_row = 1, .a_column = in, .b_row = out, .b_column = 1},
            err);
    return status;
}

static ano_status dense_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    dense *own = op->own;
    return nn_matmul_run(own->forward, dst, src, nn_op_tensor(op, 0), nn_op_tensor(op, 1), err);
}

static ano_status dense_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                 const float *src, const float *dst, float *gradients,
                                 ano_error *err)
{
    (void)dst;
    dense *own = op->own;
    ano_status status = ANO_OK;
    if (gradients != NULL) {
        status = nn_matmul_run(own->backward_weights, nn_op_gradient(op, gradients, 0), src,
                               diff_dst, NULL, err);
        op->kernels->column_sum(nn_op_gradient(op, gradients, 1), diff_dst, (size_t)op->batch,
                                (size_t)op->layer->dst.c);
    }
    if (status == ANO_OK && diff_src != NULL)
        status =
            nn_matmul_run(own->backward_data, diff_src, diff_dst, nn_op_tensor(op, 0), NULL, err);
    return status;
}

static ano_status dense_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                const float *dst, ano_error *err)
{
    (void)dst;
    dense *own = op->own;
    return nn_matmul_run(own->tangent, dst_tangent, src_tangent, nn_op_tensor(op, 0), NULL, err);
}

const nn_op_kind nn_op_dense = {
    .create = dense_create,
    .forward = dense_forward,
    .backward = dense_backward,
    .tangent = dense_tangent,
    .destroy = dense_destroy,
};
