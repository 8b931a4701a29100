/* Convolution by Winograd's algorithm (A. Lavin, S. Gray, CVPR 2016), with the leaky ReLU and the
 * max pooling after it where the op has them: the sums before the activation are never stored.
 *
 * Forward and data gradient: each thread takes blocks of tiles through transform, products and
 * inverse. Weight gradient: all threads transform a larger block, then each takes some of the
 * points. Every number is added up in an order that no number of threads changes. */
#include "nn/epilogue.h"

#include "base/memory.h"
#include "base/threads.h"

#include <string.h>

/* Tiles of a thread's block, whose V and M are to stay in its cache, and of the weight gradient's
 * block, over which the products add up: chosen by bench/winograd.c. */
enum { BLOCK = 16, DIFF_BLOCK = 64 };

typedef struct conv_winograd {
    kernels_winograd shape, turned; /* the convolution, and the one that its data gradient is */
    size_t tiles;                   /* of the batch */
    float *u;                       /* the transformed weights of the pass under way */
    float *u_turned;                /* of the way back: u, unless the net is frozen */
    bool has_u, has_u_turned;       /* of a frozen net: they are made */
    int n_scratch;
    size_t scratch_size; /* a thread's, in floats */
    float *scratch;      /* [n_scratch][scratch_size] */
    float *v, *w, *m;    /* of the weight gradient */
    float *diff;         /* [batch][layer's dst]: by the sums, or theirs in the direction of a
                            tangent; NULL where diff_dst is that */
    nn_epilogue epilogue;
} conv_winograd;

static void conv_winograd_destroy(nn_op *op)
{
    conv_winograd *own = op->own;
    if (own->u_turned != own->u)
        base_free(own->u_turned);
    base_free(own->u);
    base_free(own->scratch);
    base_free(own->v);
    base_free(own->w);
    base_free(own->m);
    base_free(own->diff);
    nn_epilogue_clear(&own->epilogue);
    base_free(own);
    op->own = NULL;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static ano_status conv_winograd_create(nn_op *op, ano_error *err)
{
    const nn_layer *layer = op->layer;
    const size_t in = (size_t)layer->src.c, out = (size_t)layer->dst.c, batch = (size_t)op->batch;
    conv_winograd *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "convolution");
    own->shape = (kernels_winograd){.height = layer->src.h,
                                    .width = layer->src.w,
                                    .kernel = layer->kernel,
                                    .in = in,
                                    .out = out};
    own->turned = own->shape;
    own->turned.in = out;
    own->turned.out = in;
    own->tiles = batch * kernels_winograd_tiles(&own->shape);
    own->n_scratch = base_threads();
    own->scratch_size = kernels_winograd_size(BLOCK, in) + kernels_winograd_size(BLOCK, out);
    const bool trains = (op->uses & NN_WEIGHT_GRADIENTS) != 0;
    const bool back = trains || (op->uses & NN_DATA_GRADIENT) != 0;
    const bool frozen = (op->uses & NN_FROZEN) != 0;
    const struct {
        float **array;
        size_t size; /* 0: not needed */
    } arrays[] = {
        {&own->u, kernels_winograd_size(in, out)},
        {&own->u_turned, frozen && back ? kernels_winograd_size(out, in) : 0},
        {&own->scratch, (size_t)own->n_scratch * own->scratch_size},
        {&own->v, trains ? kernels_winograd_size(DIFF_BLOCK, in) : 0},
        {&own->w, trains ? kernels_winograd_size(DIFF_BLOCK, out) : 0},
        {&own->m, trains ? kernels_winograd_size(in, out) : 0},
        {&own->diff, back && op->n_layers > 1 ? batch * nn_shape_size(layer->dst) : 0},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].size > 0 &&
            (*arrays[i].array = base_alloc(arrays[i].size, sizeof(float))) == NULL)
            return base_error_nomem(err, "convolution");
    if (own->u_turned == NULL)
        own->u_turned = own->u;
    return nn_epilogue_init(&own->epilogue, op, err);
}

/* dst = epilogue(src * the transformed weights), all tiles of the batch. */
static void convolve(nn_op *op, float *dst, const float *src, const float *u,
                     kernels_winograd shape, kernels_epilogue epilogue)
{
    conv_winograd *own = op->own;
#pragma omp parallel for schedule(static) num_threads(own->n_scratch)
    for (int i = 0; i < own->n_scratch; i++) {
        const size_t first = own->tiles * (size_t)i / (size_t)own->n_scratch;
        const size_t end = own->tiles * ((size_t)i + 1) / (size_t)own->n_scratch;
        for (size_t tile = first; tile < end; tile += BLOCK)
            op->kernels->winograd_convolve(dst, src, u, shape, epilogue, tile,
                                           smaller(BLOCK, end - tile),
                                           own->scratch + (size_t)i * own->scratch_size);
    }
}

static void transform_weights(nn_op *op)
{
    conv_winograd *own = op->own;
    const float *weights = nn_op_tensor(op, 0);
    const int rows = op->layer->src.c;
    if (own->has_u)
        return;
#pragma omp parallel for schedule(static)
    for (int row = 0; row < rows; row++)
        op->kernels->winograd_weights(own->u, weights, own->shape, (size_t)row, 1);
    own->has_u = (op->uses & NN_FROZEN) != 0;
}

static void transform_weights_turned(nn_op *op)
{
    conv_winograd *own = op->own;
    const float *weights = nn_op_tensor(op, 0);
    const int rows = op->layer->dst.c;
    if (own->has_u_turned)
        return;
#pragma omp parallel for schedule(static)
    for (int row = 0; row < rows; row += KERNELS_COLUMNS)
        op->kernels->winograd_weights_turned(own->u_turned, weights, own->shape, (size_t)row,
                                             KERNELS_COLUMNS);
    own->has_u_turned = (op->uses & NN_FROZEN) != 0;
}

static ano_status conv_winograd_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    conv_winograd *own = op->own;
    transform_weights(op);
    convolve(op, dst, src, own->u, own->shape, nn_epilogue_forward(&own->epilogue, op));
    return ANO_OK;
}

static ano_status conv_winograd_tangent(nn_op *op, float *dst_tangent, const float *src_tangent,
                                        const float *dst, ano_error *err)
{
    (void)err;
    conv_winograd *own = op->own;
    const size_t sums = nn_shape_size(op->layer->dst);
    transform_weights(op);
    convolve(op, own->diff != NULL ? own->diff : dst_tangent, src_tangent, own->u, own->shape,
             (kernels_epilogue){.slope = 1});
    if (own->diff == NULL)
        return ANO_OK;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        nn_epilogue_tangent(dst_tangent, op, own->diff + (size_t)i * sums, dst,
                            own->epilogue.argmax, i);
    return ANO_OK;
}

static void diff_weights(nn_op *op, float *dst, const float *diff, const float *src)
{
    conv_winograd *own = op->own;
    memset(own->m, 0, kernels_winograd_size(own->shape.in, own->shape.out) * sizeof(float));
#pragma omp parallel
    {
        for (size_t begin = 0; begin < own->tiles; begin += DIFF_BLOCK) {
            const size_t tiles = smaller(DIFF_BLOCK, own->tiles - begin);
#pragma omp for schedule(static)
            for (size_t i = 0; i < tiles; i++)
                op->kernels->winograd_diff_tiles(own->v, own->w, src, diff, own->shape, DIFF_BLOCK,
                                                 begin + i, 1);
#pragma omp for schedule(static)
            for (size_t point = 0; point < KERNELS_WINOGRAD_POINTS; point++)
                op->kernels->winograd_diff_points(own->m, own->v, own->w, own->shape, DIFF_BLOCK,
                                                  tiles, point, 1);
        }
#pragma omp for schedule(static)
        for (size_t row = 0; row < own->shape.in; row++)
            op->kernels->winograd_diff_weights(dst, own->m, own->shape, row, 1);
    }
}

static ano_status conv_winograd_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                         const float *src, const float *dst, float *gradients,
                                         ano_error *err)
{
    (void)err;
    conv_winograd *own = op->own;
    const size_t sums = nn_shape_size(op->layer->dst);
    const float *diff = own->diff != NULL ? own->diff : diff_dst;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < op->batch; i++)
        nn_epilogue_backward(&own->epilogue, op,
                             own->diff != NULL ? own->diff + (size_t)i * sums : NULL, diff_dst, dst,
                             i);
    if (gradients != NULL) {
        diff_weights(op, nn_op_gradient(op, gradients, 0), diff, src);
        nn_epilogue_diff_bias(&own->epilogue, op, nn_op_gradient(op, gradients, 1));
    }
    if (diff_src == NULL)
        return ANO_OK;
    transform_weights_turned(op);
    convolve(op, diff_src, diff, own->u_turned, own->turned, (kernels_epilogue){.slope = 1});
    return ANO_OK;
}

const nn_op_kind nn_op_conv_winograd = {
    .create = conv_winograd_create,
    .forward = conv_winograd_forward,
    .backward = conv_winograd_backward,
    .tangent = conv_winograd_tangent,
    .destroy = conv_winograd_destroy,
};
