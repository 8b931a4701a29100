#include "nn/epilogue.h"

#include "base/memory.h"

static bool has_activation(const nn_op *op)
{
    return op->n_layers > 1;
}

static bool has_pooling(const nn_op *op)
{
    return op->n_layers > 2;
}

ano_status nn_epilogue_init(nn_epilogue *epilogue, const nn_op *op, ano_error *err)
{
    const bool trains = (op->uses & NN_WEIGHT_GRADIENTS) != 0;
    const bool back = trains || (op->uses & NN_DATA_GRADIENT) != 0;
    const size_t batch = (size_t)op->batch, dst_size = batch * nn_shape_size(op->dst);
    const struct {
        void **array;
        size_t count, size; /* count 0: not needed */
    } arrays[] = {
        {(void **)&epilogue->argmax, has_pooling(op) ? dst_size : 0, 1},
        {(void **)&epilogue->diff_pooled, back && has_pooling(op) ? dst_size : 0, sizeof(float)},
        {(void **)&epilogue->bias_sums, trains ? batch * (size_t)op->layer->dst.c : 0,
         sizeof(float)},
    };
    *epilogue = (nn_epilogue){0};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].count > 0 &&
            (*arrays[i].array = base_alloc(arrays[i].count, arrays[i].size)) == NULL)
            return base_error_nomem(err, "convolution");
    return ANO_OK;
}

void nn_epilogue_clear(nn_epilogue *epilogue)
{
    base_free(epilogue->argmax);
    base_free(epilogue->diff_pooled);
    base_free(epilogue->bias_sums);
    *epilogue = (nn_epilogue){0};
}

kernels_epilogue nn_epilogue_forward(const nn_epilogue *epilogue, const nn_op *op)
{
    return (kernels_epilogue){.bias = nn_op_tensor(op, 1),
                              .slope = has_activation(op) ? op->layer[1].slope : 1,
                              .argmax = epilogue->argmax};
}

const float *nn_epilogue_backward(nn_epilogue *epilogue, const nn_op *op, float *diff,
                                  const float *diff_dst, const float *dst, int i)
{
    const nn_shape sums = op->layer->dst;
    const size_t image = nn_shape_size(op->dst), channels = (size_t)sums.c, at = (size_t)i * image;
    /* Pooling only moves numbers, so that the bias's sums are those of what it moved. */
    float *terms = has_pooling(op) ? epilogue->diff_pooled + at : diff;
    if (has_activation(op))
        op->kernels->leaky_relu_backward(terms, diff_dst + at, dst + at, image, op->layer[1].slope);
    if (epilogue->bias_sums != NULL)
        op->kernels->column_sum(epilogue->bias_sums + (size_t)i * channels,
                                has_activation(op) ? terms : diff_dst + at, image / channels,
                                channels);
    if (has_pooling(op))
        op->kernels->max_pool_backward(diff, terms, epilogue->argmax + at, sums.h, sums.w, sums.c,
                                       op->layer[2].kernel);
    return has_activation(op) ? diff : diff_dst + at;
}

void nn_epilogue_tangent(float *dst_tangent, const nn_op *op, const float *sums, const float *dst,
                         const uint8_t *argmax, int i)
{
    const nn_shape from = op->layer->dst;
    const size_t image = nn_shape_size(op->dst), at = (size_t)i * image;
    if (has_pooling(op))
        op->kernels->max_pool_tangent(dst_tangent + at, sums, argmax + at, from.h, from.w, from.c,
                                      op->layer[2].kernel);
    op->kernels->leaky_relu_backward(dst_tangent + at, has_pooling(op) ? dst_tangent + at : sums,
                                     dst + at, image, op->layer[1].slope);
}

void nn_epilogue_diff_bias(nn_epilogue *epilogue, const nn_op *op, float *diff_bias)
{
    op->kernels->column_sum(diff_bias, epilogue->bias_sums, (size_t)op->batch,
                            (size_t)op->layer->dst.c);
}
