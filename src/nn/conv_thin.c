/* Convolution with an image of few channels on one side, by kernels that pass over the wide one
 * once: from few channels to many with the leaky ReLU and the max pooling after it where the op has
 * them, or from many to few. Each gradient by src is the other one's forward, turned.
 *
 * The way back takes an image at a time through all its steps, while it is in the cache. Weight
 * gradients are summed by groups of images and then over the groups, so that they do not depend on
 * the number of threads. */
#include "nn/epilogue.h"

#include "base/memory.h"
#include "base/threads.h"

#include <string.h>

enum { MAX_GROUPS = 32 };

typedef struct conv_thin {
    kernels_thin shape;
    bool widens;    /* from few channels to many */
    float *weights; /* [kernel][kernel][thin][wide], of the pass under way */
    size_t n_weights;
    int n_groups;
    float *partial; /* [n_groups][n_weights] */
    float *sum;     /* [n_weights] */
    int n_scratch;  /* threads */
    float *diffs;   /* [n_scratch][layer's dst]: the gradient by one image's sums, or theirs in the
                       direction of a tangent */
    nn_epilogue epilogue;
} conv_thin;

static void conv_thin_destroy(nn_op *op)
{
    conv_thin *own = op->own;
    base_free(own->weights);
    base_free(own->partial);
    base_free(own->sum);
    base_free(own->diffs);
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
    own->n_scratch = base_threads();
    const bool trains = (op->uses & NN_WEIGHT_GRADIENTS) != 0;
    const bool back = trains || (op->uses & NN_DATA_GRADIENT) != 0;
    const size_t n_groups = (size_t)own->n_groups, n_sums = trains ? own->n_weights : 0;
    own->weights = base_alloc(own->n_weights, sizeof(float));
    own->partial = base_alloc(n_groups * n_sums, sizeof(float));
    own->sum = base_alloc(n_sums, sizeof(float));
    own->diffs =
        base_alloc(back ? (size_t)own->n_scratch * nn_shape_size(layer->dst) : 0, sizeof(float));
    if (own->weights == NULL || own->partial == NULL || own->sum == NULL || own->diffs == NULL)
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

static ano_status conv_thin_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                    const float *dst, ano_error *err)
{
    (void)err;
    conv_thin *own = op->own;
    const float *weights = thin_weights(op);
    const size_t src_image = nn_shape_size(op->layer->src), image = nn_shape_size(op->layer->dst);
    const int n_scratch = own->n_scratch;
#pragma omp parallel for schedule(static) num_threads(n_scratch)
    for (int t = 0; t < n_scratch; t++)
        for (int i = op->batch * t / n_scratch; i < op->batch * (t + 1) / n_scratch; i++) {
            const float *from = src_tangent + (size_t)i * src_image;
            float *sums =
                op->n_layers > 1 ? own->diffs + (size_t)t * image : dst_tangent + (size_t)i * image;
            if (own->widens)
                op->kernels->thin_widen(sums, from, weights, own->shape, false,
                                        (kernels_epilogue){.slope = 1});
            else
                op->kernels->thin_narrow(sums, from, weights, NULL, own->shape, false);
            if (op->n_layers > 1)
                nn_epilogue_tangent(dst_tangent, op, sums, dst, own->epilogue.argmax, i);
        }
    return ANO_OK;
}

/* The images of group g, one by one: from the gradient by dst that by the sums, diff_sums, from
 * that what the image adds to the group's part of the weights' gradient, if `trains`, and diff_src
 * of the image, unless NULL. */
static void backward_group(nn_op *op, float *diff_src, float *diff_sums, const float *diff_dst,
                           const float *src, const float *dst, const float *weights, bool trains,
                           int g)
{
    conv_thin *own = op->own;
    const kernels *k = op->kernels;
    const bool widens = own->widens;
    float *partial = own->partial + (trains ? (size_t)g * own->n_weights : 0);
    if (trains)
        memset(partial, 0, own->n_weights * sizeof *partial);
    for (int i = op->batch * g / own->n_groups; i < op->batch * (g + 1) / own->n_groups; i++) {
        const size_t at = (size_t)i * nn_shape_size(op->layer->src);
        const float *diff = nn_epilogue_backward(&own->epilogue, op, diff_sums, diff_dst, dst, i);
        if (trains)
            k->thin_diff_weights(partial, widens ? src + at : diff, widens ? diff : src + at,
                                 own->shape, !widens);
        if (diff_src != NULL && widens)
            k->thin_narrow(diff_src + at, diff, weights, NULL, own->shape, true);
        else if (diff_src != NULL)
            k->thin_widen(diff_src + at, diff, weights, own->shape, true,
                          (kernels_epilogue){.slope = 1});
    }
}

static void sum_diff_weights(nn_op *op, float *dst)
{
    conv_thin *own = op->own;
    const kernels_thin *shape = &own->shape;
    const bool same_layout = own->widens || shape->thin == 1;
    float *sum = same_layout ? dst : own->sum;
    op->kernels->column_sum(sum, own->partial, (size_t)own->n_groups, own->n_weights);
    if (!same_layout)
        transpose_taps(dst, sum, (size_t)(shape->kernel * shape->kernel), (size_t)shape->thin,
                       shape->wide);
}

static ano_status conv_thin_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                     const float *src, const float *dst, float *gradients,
                                     ano_error *err)
{
    (void)err;
    conv_thin *own = op->own;
    const float *weights = thin_weights(op);
    const int n_groups = own->n_groups, n_scratch = own->n_scratch;
#pragma omp parallel for schedule(static) num_threads(n_scratch)
    for (int t = 0; t < n_scratch; t++)
        for (int g = n_groups * t / n_scratch; g < n_groups * (t + 1) / n_scratch; g++)
            backward_group(op, diff_src, own->diffs + (size_t)t * nn_shape_size(op->layer->dst),
                           diff_dst, src, dst, weights, gradients != NULL, g);
    if (gradients != NULL) {
        sum_diff_weights(op, nn_op_gradient(op, gradients, 0));
        nn_epilogue_diff_bias(&own->epilogue, op, nn_op_gradient(op, gradients, 1));
    }
    return ANO_OK;
}

const nn_op_kind nn_op_conv_thin = {
    .create = conv_thin_create,
    .forward = conv_thin_forward,
    .backward = conv_thin_backward,
    .tangent = conv_thin_tangent,
    .destroy = conv_thin_destroy,
};
