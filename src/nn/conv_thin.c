/* Convolution with an image of few channels on one side, by kernels that pass over the wide one
 * once: from few channels to many with the leaky ReLU and the max pooling after it where the op has
 * them, or from many to few. Each gradient by src is the other one's forward, turned.
 *
 * Weight gradients are summed by groups of images and then over the groups, so that they do not
 * depend on the number of threads. */
#include "nn/epilogue.h"

#include "base/memory.h"

#include <string.h>

enum { MAX_GROUPS = 16 };

typedef struct conv_thin {
    kernels_thin shape;
    bool widens;    /* from few channels to many */
    float *weights; /* [kernel][kernel][thin][wide], of the pass under way */
    size_t n_weights;
    int n_groups;
    float *partial; /* [n_groups][n_weights] */
    float *sum;     /* [n_weights] */
    nn_epilogue epilogue;
} conv_thin;

static void conv_thin_destroy(nn_op *op)
{
    conv_thin *own = op->own;
    base_free(own->weights);
    base_free(own->partial);
    base_free(own->sum);
    nn_epilogue_clear(&own->epilogue);
    base_free(own);
    op->own = NULL;
}

static ano_status conv_thin_create(nn_op *op, ano_error *err)
{
    const nn_layer *layer = op->layer;
    conv_thin *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "convolution");
    own->widens = layer->src.c < layer->dst.c;
    own->shape = (kernels_thin){.height = layer->src.h,
                                .width = layer->src.w,
                                .kernel = layer->kernel,
                                .thin = own->widens ? layer->src.c : layer->dst.c,
                                .wide = (size_t)(own->widens ? layer->dst.c : layer->src.c)};
    own->n_weights = op->net->tensors[layer->first_tensor].size;
    own->n_groups = op->batch < MAX_GROUPS ? op->batch : MAX_GROUPS;
    const size_t n_sums = op->uses & NN_WEIGHT_GRADIENTS ? own->n_weights : 0;
    own->weights = base_alloc(own->n_weights, sizeof(float));
    own->partial = base_alloc((size_t)own->n_groups * n_sums, sizeof(float));
    own->sum = base_alloc(n_sums, sizeof(float));
    if (own->weights == NULL || own->partial == NULL || own->sum == NULL)
        return base_error_nomem(err, "convolution");
    return nn_epilogue_init(&own->epilogue, op, err);
}

/* Between [kernel][kernel][wide][thin], the layer's layout where the thin image is dst, and
 * [kernel][kernel][thin][wide]: transposes each tap's matrix [rows][columns]. */
static void transpose_taps(float *dst, const float *src, size_t taps, size_t rows, size_t columns)
{
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                dst[(tap * columns + c) * rows + r] = src[(tap * rows + r) * columns + c];
}

/* The layer's weights as the kernels take them. */
static const float *thin_weights(nn_op *op)
{
    conv_thin *own = op->own;
    const kernels_thin *shape = &own->shape;
    if (own->widens || shape->thin == 1)
        return nn_op_tensor(op, 0);
    transpose_taps(own->weights, nn_op_tensor(op, 0), (size_t)(shape->kernel * shape->kernel),
                   shape->wide, (size_t)shape->thin);
    return own->weights;
}

static ano_status conv_thin_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    conv_thin *own = op->own;
    const float *weights = thin_weights(op), *bias = nn_op_tensor(op, 1);
    const size_t src_image = nn_shape_size(op->layer->src), dst_image = nn_shape_size(op->dst);
    const kernels_epilogue epilogue = nn_epilogue_forward(&own->epilogue, op);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++) {
        float *to = dst + (size_t)i * dst_image;
        const float *from = src + (size_t)i * src_image;
        kernels_epilogue of_image = epilogue;
        if (epilogue.argmax != NULL)
            of_image.argmax += (size_t)i * dst_image;
        if (own->widens)
            op->kernels->thin_widen(to, from, weights, own->shape, false, of_image);
        else
            op->kernels->thin_narrow(to, from, weights, bias, own->shape, false);
    }
    return ANO_OK;
}

static void diff_weights(nn_op *op, float *dst, const float *diff, const float *src)
{
    conv_thin *own = op->own;
    const kernels_thin *shape = &own->shape;
    const size_t src_image = nn_shape_size(op->layer->src);
    const size_t diff_image = nn_shape_size(op->layer->dst);
#pragma omp parallel for schedule(static)
    for (int g = 0; g < own->n_groups; g++) {
        float *partial = own->partial + (size_t)g * own->n_weights;
        memset(partial, 0, own->n_weights * sizeof *partial);
        for (int i = op->batch * g / own->n_groups; i < op->batch * (g + 1) / own->n_groups; i++) {
            const float *of_src = src + (size_t)i * src_image;
            const float *of_diff = diff + (size_t)i * diff_image;
            op->kernels->thin_diff_weights(partial, own->widens ? of_src : of_diff,
                                           own->widens ? of_diff : of_src, *shape, !own->widens);
        }
    }
    const bool same_layout = own->widens || shape->thin == 1;
    float *sum = same_layout ? dst : own->sum;
    op->kernels->column_sum(sum, own->partial, (size_t)own->n_groups, own->n_weights);
    if (!same_layout)
        transpose_taps(dst, sum, (size_t)(shape->kernel * shape->kernel), (size_t)shape->thin,
                       shape->wide);
}

static void diff_src_of(nn_op *op, float *diff_src, const float *diff)
{
    conv_thin *own = op->own;
    const float *weights = thin_weights(op);
    const size_t src_image = nn_shape_size(op->layer->src);
    const size_t diff_image = nn_shape_size(op->layer->dst);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++) {
        float *to = diff_src + (size_t)i * src_image;
        const float *from = diff + (size_t)i * diff_image;
        if (own->widens)
            op->kernels->thin_narrow(to, from, weights, NULL, own->shape, true);
        else
            op->kernels->thin_widen(to, from, weights, own->shape, true,
                                    (kernels_epilogue){.slope = 1});
    }
}

static ano_status conv_thin_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                     const float *src, const float *dst, float *gradients,
                                     ano_error *err)
{
    (void)err;
    conv_thin *own = op->own;
    const float *diff = nn_epilogue_backward(&own->epilogue, op, diff_dst, dst);
    if (gradients != NULL) {
        diff_weights(op, nn_op_gradient(op, gradients, 0), diff, src);
        nn_epilogue_diff_bias(&own->epilogue, op, nn_op_gradient(op, gradients, 1), diff);
    }
    if (diff_src != NULL)
        diff_src_of(op, diff_src, diff);
    return ANO_OK;
}

const nn_op_kind nn_op_conv_thin = {
    .create = conv_thin_create,
    .forward = conv_thin_forward,
    .backward = conv_thin_backward,
    .destroy = conv_thin_destroy,
};
