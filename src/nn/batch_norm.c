/* Batch norm (S. Ioffe, C. Szegedy, ICML 2015) in Keras's form: the batch's population variance,
 * moving ← 0.99 · moving + 0.01 · batch. The leaky ReLU after it, where the op has it, is done on
 * the way: memory is not passed over again.
 *
 * Sums over the batch are taken by groups of images, and then over the groups in double: the result
 * does not depend on the number of threads. */
#include "nn/op.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { MAX_GROUPS = 16 };

typedef struct batch_norm {
    int n_groups;
    float *partial[2];               /* [n_groups][channels] */
    float *mean, *inverse_deviation; /* of the last forward; [channels] */
    float *scale;                    /* gamma · inverse_deviation */
    float *mean_diff, *mean_product; /* of the backward under way */
} batch_norm;

static void batch_norm_destroy(nn_op *op)
{
    batch_norm *own = op->own;
    base_free(own->partial[0]);
    base_free(own->partial[1]);
    base_free(own->mean);
    base_free(own->inverse_deviation);
    base_free(own->scale);
    base_free(own->mean_diff);
    base_free(own->mean_product);
    base_free(own);
    op->own = NULL;
}

static ano_status batch_norm_create(nn_op *op, ano_error *err)
{
    const size_t channels = (size_t)op->layer->dst.c;
    batch_norm *own = op->own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "batch norm");
    own->n_groups = op->batch < MAX_GROUPS ? op->batch : MAX_GROUPS;
    float **vectors[] = {&own->mean, &own->inverse_deviation, &own->scale, &own->mean_diff,
                         &own->mean_product};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        if ((*vectors[i] = base_alloc(channels, sizeof(float))) == NULL)
            return base_error_nomem(err, "batch norm");
    for (int i = 0; i < 2; i++)
        if ((own->partial[i] = base_alloc((size_t)own->n_groups * channels, sizeof(float))) == NULL)
            return base_error_nomem(err, "batch norm");
    return ANO_OK;
}

typedef struct group {
    size_t first_row, n_rows;
} group;

static group batch_norm_group(const nn_op *op, int g)
{
    const batch_norm *own = op->own;
    const size_t rows = (size_t)op->layer->dst.h * (size_t)op->layer->dst.w;
    const size_t n = (size_t)op->batch, n_groups = (size_t)own->n_groups;
    const size_t first = n * (size_t)g / n_groups, end = n * ((size_t)g + 1) / n_groups;
    return (group){first * rows, (end - first) * rows};
}

/* For the kernels: with the statistics of the last forward. */
static kernels_batch_norm batch_norm_of(const nn_op *op)
{
    const batch_norm *own = op->own;
    return (kernels_batch_norm){.mean = own->mean,
                                .inverse_deviation = own->inverse_deviation,
                                .scale = own->scale,
                                .shift = nn_op_tensor(op, 1),
                                .slope = op->n_layers > 1 ? op->layer[1].slope : 1};
}

/* dst[c] = Σ over the groups of partial[g][c], divided by the number of rows. */
static void batch_norm_mean(const nn_op *op, float *dst, const float *partial)
{
    const batch_norm *own = op->own;
    const size_t channels = (size_t)op->layer->dst.c;
    const double rows = (double)op->batch * op->layer->dst.h * op->layer->dst.w;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0;
        for (size_t g = 0; g < (size_t)own->n_groups; g++)
            sum += partial[g * channels + c];
        dst[c] = (float)(sum / rows);
    }
}

/* Leaves the batch's mean in own->mean and its variance in own->inverse_deviation. */
static void batch_norm_statistics(nn_op *op, const float *src)
{
    batch_norm *own = op->own;
    const size_t channels = (size_t)op->layer->dst.c;
#pragma omp parallel for schedule(static)
    for (int g = 0; g < own->n_groups; g++) {
        const group part = batch_norm_group(op, g);
        op->kernels->column_sum(own->partial[0] + (size_t)g * channels,
                                src + part.first_row * channels, part.n_rows, channels);
    }
    batch_norm_mean(op, own->mean, own->partial[0]);
#pragma omp parallel for schedule(static)
    for (int g = 0; g < own->n_groups; g++) {
        const group part = batch_norm_group(op, g);
        op->kernels->column_deviation(own->partial[0] + (size_t)g * channels,
                                      src + part.first_row * channels, own->mean, part.n_rows,
                                      channels);
    }
    batch_norm_mean(op, own->inverse_deviation, own->partial[0]);
}

static void update_moving(float *moving, const float *batch, size_t channels)
{
    for (size_t c = 0; c < channels; c++)
        moving[c] += (batch[c] - moving[c]) * (1 - NN_BATCH_NORM_MOMENTUM);
}

static ano_status batch_norm_forward(nn_op *op, float *dst, const float *src, ano_error *err)
{
    (void)err;
    batch_norm *own = op->own;
    const size_t channels = (size_t)op->layer->dst.c;
    const nn_tensor *tensors = op->net->tensors + op->layer->first_tensor;
    const float *gamma = nn_op_tensor(op, 0);
    float *moving_mean = nn_net_data(op->net, &tensors[2]);
    float *moving_variance = nn_net_data(op->net, &tensors[3]);
    if (op->uses & NN_TRAINING) {
        batch_norm_statistics(op, src);
        update_moving(moving_mean, own->mean, channels);
        update_moving(moving_variance, own->inverse_deviation, channels);
    } else {
        memcpy(own->mean, moving_mean, channels * sizeof(float));
        memcpy(own->inverse_deviation, moving_variance, channels * sizeof(float));
    }
    for (size_t c = 0; c < channels; c++) {
        own->inverse_deviation[c] = 1 / sqrtf(own->inverse_deviation[c] + NN_BATCH_NORM_EPSILON);
        own->scale[c] = gamma[c] * own->inverse_deviation[c];
    }
    const kernels_batch_norm norm = batch_norm_of(op);
#pragma omp parallel for schedule(static)
    for (int g = 0; g < own->n_groups; g++) {
        const group part = batch_norm_group(op, g);
        const size_t first = part.first_row * channels;
        op->kernels->batch_norm(dst + first, src + first, norm, part.n_rows, channels);
    }
    return ANO_OK;
}

/* With diff the gradient by what batch norm gave the activation: leaves the means of diff and
 * diff · x̂ in own->mean_diff and own->mean_product. */
static void batch_norm_diff_means(nn_op *op, const float *diff_dst, const float *src)
{
    batch_norm *own = op->own;
    const size_t channels = (size_t)op->layer->dst.c;
    const kernels_batch_norm norm = batch_norm_of(op);
#pragma omp parallel for schedule(static)
    for (int g = 0; g < own->n_groups; g++) {
        const group part = batch_norm_group(op, g);
        const size_t first = part.first_row * channels, partial = (size_t)g * channels;
        op->kernels->batch_norm_sums(own->partial[0] + partial, own->partial[1] + partial,
                                     diff_dst + first, src + first, norm, part.n_rows, channels);
    }
    batch_norm_mean(op, own->mean_diff, own->partial[0]);
    batch_norm_mean(op, own->mean_product, own->partial[1]);
}

static ano_status batch_norm_backward(nn_op *op, float *diff_src, const float *diff_dst,
                                      const float *src, const float *dst, float *gradients,
                                      ano_error *err)
{
    (void)dst;
    (void)err;
    batch_norm *own = op->own;
    const size_t channels = (size_t)op->layer->dst.c;
    const bool training = (op->uses & NN_TRAINING) != 0;
    if (training || gradients != NULL)
        batch_norm_diff_means(op, diff_dst, src);
    if (gradients != NULL) {
        const float rows = (float)op->batch * (float)op->layer->dst.h * (float)op->layer->dst.w;
        float *diff_gamma = nn_op_gradient(op, gradients, 0);
        float *diff_beta = nn_op_gradient(op, gradients, 1);
        for (size_t c = 0; c < channels; c++) {
            diff_gamma[c] = own->mean_product[c] * rows;
            diff_beta[c] = own->mean_diff[c] * rows;
        }
    }
    if (diff_src == NULL)
        return ANO_OK;
    if (!training) { /* mean and variance are constants */
        memset(own->mean_diff, 0, channels * sizeof(float));
        memset(own->mean_product, 0, channels * sizeof(float));
    }
    const kernels_batch_norm norm = batch_norm_of(op);
#pragma omp parallel for schedule(static)
    for (int g = 0; g < own->n_groups; g++) {
        const group part = batch_norm_group(op, g);
        const size_t first = part.first_row * channels;
        op->kernels->batch_norm_backward(diff_src + first, diff_dst + first, src + first,
                                         own->mean_diff, own->mean_product, norm, part.n_rows,
                                         channels);
    }
    return ANO_OK;
}

const nn_op_kind nn_op_batch_norm = {
    .create = batch_norm_create,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .destroy = batch_norm_destroy,
};
