/* Transposed convolution whose kernel is its stride: source pixel (y, x) makes the block of
 * kernel × kernel destination pixels at (y · kernel, x · kernel), and no two blocks overlap. That
 * is one matrix product, blocks [n·h·w][kh·kw·out] = src [n·h·w][in] · kernelᵀ, and a rearrangement
 * of the blocks into rows of pixels (and back, for the gradients). */
#include "nn/op.h"

#include "base/memory.h"

#include <string.h>

typedef struct conv_transposed {
    nn_matmul *forward, *backward_data, *backward_weights;
    float *blocks;       /* [n·h·w][kernel][kernel][out] */
    float *partial_sums; /* [batch][out], of the bias gradient */
} conv_transposed;

static void conv_transposed_destroy(nn_op *op)
{
    conv_transposed *own = op->own;
    nn_matmul_free(own->forward);
    nn_matmul_free(own->backward_data);
    nn_matmul_free(own->backward_weights);
    base_free(own->blocks);
    base_free(own->partial_sums);
    base_free(own);
    op->own = NULL;
}

static ano_status conv_transposed_create(nn_op *op, ano_error *err)
{
    const nn_layer *layer = op->layer;
    const int k = layer->kernel, in = layer->src.c, out = k * k * layer->dst.c;
    const int rows = op->batch * layer->src.h * layer->src.w;
    conv_transposed *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "transposed convolution");
    own->blocks = base_alloc((size_t)rows * (size_t)out, sizeof(float));
    own->partial_sums = base_alloc((size_t)op->batch * (size_t)layer->dst.c, sizeof(float));
    if (own->blocks == NULL || own->partial_sums == NULL)
        return base_error_nomem(err, "transposed convolution");
    ano_status status = nn_matmul_create(
        &own->forward, op->backend,
        (nn_matmul_shape){
            .m = rows, .n = out, .k = in, .a_row = in, .a_column = 1, .b_row = 1, .b_column = in},
        err);
    if (status == ANO_OK && (op->uses & NN_DATA_GRADIENT))
        status = nn_matmul_create(&own->backward_data, op->backend,
                                  (nn_matmul_shape){.m = rows,
                                                    .n = in,
                                                    .k = out,
                                                    .a_row = out,
                                                    .a_column = 1,
                                                    .b_row = in,
                                                    .b_column = 1},
                                  err);
    if (status == ANO_OK && (op->uses & NN_WEIGHT_GRADIENTS))
        status = nn_matmul_create(&own->backward_weights, op->backend,
                                  (nn_matmul_shape){.m = out,
                                                    .n = in,
                                                    .k = rows,
                                                    .a_row = 1,
                                                    .a_column = out,
                                                    .b_row = in,
                                                    .b_column = 1},
                                  err);
    return status;
}

/* Where row `ky` of the block of source pixel (y, x) of image i lies in dst: kernel · out floats.
 */
static size_t block_row_offset(const nn_layer *layer, size_t i, size_t y, size_t x, size_t ky)
{
    const size_t k = (size_t)layer->kernel, c = (size_t)layer->dst.c;
    const size_t dst_h = (size_t)layer->dst.h, dst_w = (size_t)layer->dst.w;
    return ((i * dst_h + y * k + ky) * dst_w + x * k) * c;
}

static ano_status conv_transposed_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    const nn_layer *layer = op->layer;
    conv_transposed *own = op->own;
    const float *bias = nn_op_tensor(op, 1);
    const size_t h = (size_t)layer->src.h, w = (size_t)layer->src.w, k = (size_t)layer->kernel;
    const size_t c = (size_t)layer->dst.c, row = k * c;
    const ano_status status =
        nn_matmul_run(own->forward, own->blocks, src, nn_op_tensor(op, 0), NULL, err);
    if (status != ANO_OK)
        return status;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++) {
        const float *block = own->blocks + (size_t)i * h * w * k * row;
        for (size_t y = 0; y < h; y++)
            for (size_t x = 0; x < w; x++)
                for (size_t ky = 0; ky < k; ky++, block += row)
                    op->kernels->add_bias(dst + block_row_offset(layer, (size_t)i, y, x, ky), block,
                                          bias, k, c);
    }
    return ANO_OK;
}

static ano_status conv_transposed_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                           const float *src, const float *dst, float *gradients,
                                           ano_error *err)
{
    (void)dst;
    const nn_layer *layer = op->layer;
    conv_transposed *own = op->own;
    const size_t h = (size_t)layer->src.h, w = (size_t)layer->src.w, k = (size_t)layer->kernel;
    const size_t c = (size_t)layer->dst.c, row = k * c, image = h * w * k * row;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++) {
        float *block = own->blocks + (size_t)i * image;
        for (size_t y = 0; y < h; y++)
            for (size_t x = 0; x < w; x++)
                for (size_t ky = 0; ky < k; ky++, block += row)
                    memcpy(block, diff_dst + block_row_offset(layer, (size_t)i, y, x, ky),
                           row * sizeof *block);
        if (gradients != NULL)
            op->kernels->column_sum(own->partial_sums + (size_t)i * c,
                                    own->blocks + (size_t)i * image, image / c, c);
    }
    ano_status status = ANO_OK;
    if (gradients != NULL) {
        op->kernels->column_sum(nn_op_gradient(op, gradients, 1), own->partial_sums,
                                (size_t)op->batch, c);
        status = nn_matmul_run(own->backward_weights, nn_op_gradient(op, gradients, 0), own->blocks,
                               src, NULL, err);
    }
    if (status == ANO_OK && diff_src != NULL)
        status = nn_matmul_run(own->backward_data, diff_src, own->blocks, nn_op_tensor(op, 0), NULL,
                               err);
    return status;
}

const nn_op_kind nn_op_conv_transposed = {
    .create = conv_transposed_create,
    .forward = conv_transposed_forward,
    .backward = conv_transposed_backward,
    .destroy = conv_transposed_destroy,
};
