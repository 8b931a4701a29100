/* Convolution by the discrete Fourier transform of whole small images (M. Mathieu, M. Henaff,
 * Y. LeCun, ICLR 2014), with the leaky ReLU and the max pooling after it where the op has them: the
 * sums before the activation are never stored, nor their gradient.
 *
 * A plane of 16 × 16 has 130 complex bins, so that a pair of channels costs 520 multiply-adds
 * whatever the kernel, 390 by three products for a complex one; Winograd's tiles take 1024 for
 * 5 × 5 over 14 × 14 pixels. What forward makes of src serves the weights' gradient too, and what
 * backward makes of its gradient serves both others. Every number is added up in an order that no
 * number of threads changes. */
#include "nn/epilogue.h"

#include "base/memory.h"

typedef struct conv_fft {
    kernels_fft shape;
    float *v; /* the transform of src, or of its tangent; after the weights' gradient, that of
                 diff_src */
    float *m; /* of dst, and of the gradient by it */
    float *u; /* of the weights, and of their gradient */
    float *u_turned;          /* of the weights turned for diff_src: u, unless the net is frozen */
    bool has_u, has_u_turned; /* of a frozen net: they are made */
    uint8_t *argmax;          /* [batch][op's dst], with pooling */
    float *sums; /* [batch][layer's dst], of a tangent; NULL where the op is the layer alone */
} conv_fft;

static void conv_fft_destroy(nn_op *op)
{
    conv_fft *own = op->own;
    base_free(own->v);
    base_free(own->m);
    if (own->u_turned != own->u)
        base_free(own->u_turned);
    base_free(own->u);
    base_free(own->argmax);
    base_free(own->sums);
    base_free(own);
    op->own = NULL;
}

static ano_status conv_fft_create(nn_op *op, ano_error *err)
{
    const nn_layer *layer = op->layer;
    const size_t in = (size_t)layer->src.c, out = (size_t)layer->dst.c, batch = (size_t)op->batch;
    conv_fft *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "convolution");
    own->shape = (kernels_fft){.height = layer->src.h,
                               .width = layer->src.w,
                               .kernel = layer->kernel,
                               .in = in,
                               .out = out};
    own->v = base_alloc(kernels_fft_size(batch, in), sizeof(float));
    own->m = base_alloc(kernels_fft_size(batch, out), sizeof(float));
    own->u = own->u_turned = base_alloc(kernels_fft_size(in, out), sizeof(float));
    if ((op->uses & NN_FROZEN) && (op->uses & NN_DATA_GRADIENT))
        own->u_turned = base_alloc(kernels_fft_size(out, in), sizeof(float));
    const bool pools = op->n_layers > 2, sums = (op->uses & NN_SECOND_ORDER) && op->n_layers > 1;
    if (pools)
        own->argmax = base_alloc(batch * nn_shape_size(op->dst), 1);
    if (sums)
        own->sums = base_alloc(batch * nn_shape_size(layer->dst), sizeof(float));
    if (own->v == NULL || own->m == NULL || own->u == NULL || own->u_turned == NULL ||
        (pools && own->argmax == NULL) || (sums && own->sums == NULL))
        return base_error_nomem(err, "convolution");
    return ANO_OK;
}

/* dst = epilogue(src * weights); leaves src's transform in v. */
static void convolve(nn_op *op, float *dst, const float *src, kernels_epilogue epilogue)
{
    conv_fft *own = op->own;
    const kernels *k = op->kernels;
    const float *weights = nn_op_tensor(op, 0);
    const size_t batch = (size_t)op->batch, in = own->shape.in, out = own->shape.out;
#pragma omp parallel
    {
#pragma omp for schedule(static) nowait
        for (size_t row = own->has_u ? in : 0; row < in; row++)
            k->fft_weights(own->u, weights, own->shape, row, 1);
#pragma omp for schedule(static)
        for (size_t i = 0; i < batch; i++)
            k->fft_images(own->v, src, own->shape, in, (kernels_epilogue_back){0}, batch, i, 1);
#pragma omp for schedule(static)
        for (size_t bin = 0; bin < KERNELS_FFT_BINS; bin++)
            k->fft_multiply(own->m, own->v, own->u, batch, in, out, bin, 1);
#pragma omp for schedule(static)
        for (size_t i = 0; i < batch; i++)
            k->fft_results(dst, own->m, own->shape, out, epilogue, batch, i, 1);
    }
    own->has_u = (op->uses & NN_FROZEN) != 0;
}

static ano_status conv_fft_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    const conv_fft *own = op->own;
    convolve(op, dst, src,
             (kernels_epilogue){.bias = nn_op_tensor(op, 1),
                                .slope = op->n_layers > 1 ? op->layer[1].slope : 1,
                                .argmax = own->argmax});
    return ANO_OK;
}

static ano_status conv_fft_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                   const float *dst, ano_error *err)
{
    (void)err;
    const conv_fft *own = op->own;
    const size_t sums = nn_shape_size(op->layer->dst);
    convolve(op, own->sums != NULL ? own->sums : dst_tangent, src_tangent,
             (kernels_epilogue){.slope = 1});
    if (own->sums == NULL)
        return ANO_OK;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        nn_epilogue_tangent(dst_tangent, op, own->sums + (size_t)i * sums, dst, own->argmax, i);
    return ANO_OK;
}

/* From the transforms of src and of the gradient by dst; leaves src's as it is. */
static void diff_weights(nn_op *op, float *gradients)
{
    conv_fft *own = op->own;
    const kernels *k = op->kernels;
    float *dst = nn_op_gradient(op, gradients, 0);
    const size_t batch = (size_t)op->batch, in = own->shape.in, out = own->shape.out;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (size_t bin = 0; bin < KERNELS_FFT_BINS; bin++)
            k->fft_correlate(own->u, own->v, own->m, batch, in, out, bin, 1);
#pragma omp for schedule(static)
        for (size_t row = 0; row < in; row++)
            k->fft_diff_weights(dst, own->u, own->shape, row, 1);
    }
    /* The first bin is the sum over the plane. */
    k->column_sum(nn_op_gradient(op, gradients, 1), own->m, batch, out);
}

/* From the transform of the gradient by dst. */
static void diff_src_of(nn_op *op, float *diff_src)
{
    conv_fft *own = op->own;
    const kernels *k = op->kernels;
    const float *weights = nn_op_tensor(op, 0);
    const size_t batch = (size_t)op->batch, in = own->shape.in, out = own->shape.out;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (size_t row = own->has_u_turned ? out : 0; row < out; row += KERNELS_COLUMNS)
            k->fft_weights_turned(own->u_turned, weights, own->shape, row, KERNELS_COLUMNS);
#pragma omp for schedule(static)
        for (size_t bin = 0; bin < KERNELS_FFT_BINS; bin++)
            k->fft_multiply(own->v, own->m, own->u_turned, batch, out, in, bin, 1);
#pragma omp for schedule(static)
        for (size_t i = 0; i < batch; i++)
            k->fft_results(diff_src, own->v, own->shape, in, (kernels_epilogue){.slope = 1}, batch,
                           i, 1);
    }
    own->has_u_turned = (op->uses & NN_FROZEN) != 0;
}

static ano_status conv_fft_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                    const float *src, const float *dst, float *gradients,
                                    ano_error *err)
{
    (void)src;
    (void)err;
    conv_fft *own = op->own;
    const size_t batch = (size_t)op->batch;
    kernels_epilogue_back back = {0};
    if (op->n_layers > 1)
        back = (kernels_epilogue_back){dst, op->layer[1].slope, own->argmax};
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < batch; i++)
        op->kernels->fft_images(own->m, diff_dst, own->shape, own->shape.out, back, batch, i, 1);
    if (gradients != NULL)
        diff_weights(op, gradients);
    if (diff_src != NULL)
        diff_src_of(op, diff_src);
    return ANO_OK;
}

const nn_op_kind nn_op_conv_fft = {
    .create = conv_fft_create,
    .forward = conv_fft_forward,
    .backward = conv_fft_backward,
    .tangent = conv_fft_tangent,
    .destroy = conv_fft_destroy,
};
