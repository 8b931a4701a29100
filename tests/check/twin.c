#include "twin.h"

#include "check.h"
#include "reference/reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a layer's operations are called with. */
typedef struct call {
    reference_images images;            /* of the source */
    int n_src, n_dst;                   /* numbers */
    int rows;                           /* of the source as a matrix [rows][channels] */
    int n_out;                          /* channels of the destination */
    const double *src, *first, *second; /* kernel and bias, or gamma and beta */
    double *moving_mean, *moving_variance;
    double *diff_first, *diff_second;
} call;

static int size(nn_shape shape)
{
    return (int)nn_shape_size(shape);
}

static double *tensor(const twin *t, const nn_layer *layer, int i, double *trainable)
{
    if (i >= layer->n_tensors)
        return NULL;
    const nn_tensor *tensor = &t->net->tensors[layer->first_tensor + i];
    return (tensor->trainable ? trainable : t->statistics) + tensor->offset;
}

static call call_of(const twin *t, int i)
{
    const nn_layer *layer = &t->net->layers[i];
    return (call){
        .images = {t->n, layer->src.h, layer->src.w, layer->src.c},
        .n_src = t->n * size(layer->src),
        .n_dst = t->n * size(layer->dst),
        .rows = t->n * layer->src.h * layer->src.w,
        .n_out = layer->dst.c,
        .src = i == 0 ? t->src : t->layers[i - 1].dst,
        .first = tensor(t, layer, 0, t->parameters),
        .second = tensor(t, layer, 1, t->parameters),
        .moving_mean = tensor(t, layer, 2, NULL),
        .moving_variance = tensor(t, layer, 3, NULL),
        .diff_first = tensor(t, layer, 0, t->gradients),
        .diff_second = tensor(t, layer, 1, t->gradients),
    };
}

twin *twin_create(const nn_net *net, int n, bool training)
{
    twin *t = calloc(1, sizeof *t);
    if (t == NULL)
        abort();
    t->net = net;
    t->n = n;
    t->training = training;
    t->parameters = check_doubles((int)net->n_parameters);
    t->gradients = check_doubles((int)net->n_parameters);
    t->statistics = check_doubles((int)net->n_statistics);
    check_widen(t->parameters, net->parameters, (int)net->n_parameters);
    check_widen(t->statistics, net->statistics, (int)net->n_statistics);
    t->src = check_doubles(n * size(net->src));
    t->diff_src = check_doubles(n * size(net->src));
    t->layers = calloc((size_t)net->n_layers, sizeof *t->layers);
    if (t->layers == NULL)
        abort();
    for (int i = 0; i < net->n_layers; i++) {
        const nn_layer *layer = &net->layers[i];
        twin_layer *own = &t->layers[i];
        own->dst = check_doubles(n * size(layer->dst));
        own->diff_dst = check_doubles(n * size(layer->dst));
        own->tangent = check_doubles(n * size(layer->dst));
        own->mean = check_doubles(layer->dst.c);
        own->variance = check_doubles(layer->dst.c);
        own->argmax = calloc((size_t)(n * size(layer->dst)), sizeof *own->argmax);
        if (own->argmax == NULL)
            abort();
    }
    return t;
}

void twin_free(twin *t)
{
    for (int i = 0; i < t->net->n_layers; i++) {
        free(t->layers[i].dst);
        free(t->layers[i].diff_dst);
        free(t->layers[i].tangent);
        free(t->layers[i].mean);
        free(t->layers[i].variance);
        free(t->layers[i].argmax);
    }
    free(t->layers);
    free(t->parameters);
    free(t->gradients);
    free(t->statistics);
    free(t->src);
    free(t->diff_src);
    free(t);
}

static void batch_norm(const twin *t, const call *c, twin_layer *own)
{
    if (t->training) {
        reference_batch_norm_training(own->dst, own->mean, own->variance, c->src, c->first,
                                      c->second, c->rows, c->n_out);
        reference_batch_norm_move(c->moving_mean, own->mean, c->n_out);
        reference_batch_norm_move(c->moving_variance, own->variance, c->n_out);
    } else {
        memcpy(own->mean, c->moving_mean, (size_t)c->n_out * sizeof *own->mean);
        memcpy(own->variance, c->moving_variance, (size_t)c->n_out * sizeof *own->variance);
        reference_batch_norm_inference(own->dst, c->src, own->mean, own->variance, c->first,
                                       c->second, c->rows, c->n_out);
    }
}

const double *twin_forward(twin *t, const double *src)
{
    memcpy(t->src, src, (size_t)(t->n * size(t->net->src)) * sizeof *src);
    for (int i = 0; i < t->net->n_layers; i++) {
        const nn_layer *layer = &t->net->layers[i];
        twin_layer *own = &t->layers[i];
        const call c = call_of(t, i);
        switch (layer->kind) {
        case NN_DENSE:
            reference_dense(own->dst, c.src, c.first, c.second, t->n, size(layer->src), c.n_out);
            break;
        case NN_CONV:
            reference_conv(own->dst, c.src, c.first, c.second, c.images, c.n_out, layer->kernel);
            break;
        case NN_CONV_TRANSPOSED:
            reference_conv_transpose(own->dst, c.src, c.first, c.second, c.images, c.n_out,
                                     layer->kernel);
            break;
        case NN_BATCH_NORM:
            batch_norm(t, &c, own);
            break;
        case NN_LEAKY_RELU:
            reference_leaky_relu(own->dst, c.src, c.n_src, (double)layer->slope);
            break;
        case NN_TANH:
            reference_tanh(own->dst, c.src, c.n_src);
            break;
        case NN_MAX_POOL:
            reference_max_pool(own->dst, own->argmax, c.src, c.images, layer->kernel);
            break;
        case NN_RESHAPE:
            memcpy(own->dst, c.src, (size_t)c.n_src * sizeof *c.src);
            break;
        }
    }
    return t->layers[t->net->n_layers - 1].dst;
}

const double *twin_backward(twin *t, const double *diff_dst)
{
    const int last = t->net->n_layers - 1;
    memcpy(t->layers[last].diff_dst, diff_dst,
           (size_t)(t->n * size(t->net->dst)) * sizeof *diff_dst);
    for (int i = last; i >= 0; i--) {
        const nn_layer *layer = &t->net->layers[i];
        const twin_layer *own = &t->layers[i];
        const call c = call_of(t, i);
        double *diff_src = i == 0 ? t->diff_src : t->layers[i - 1].diff_dst;
        switch (layer->kind) {
        case NN_DENSE:
            reference_dense_backward(diff_src, c.diff_first, c.diff_second, own->diff_dst, c.src,
                                     c.first, t->n, size(layer->src), c.n_out);
            break;
        case NN_CONV:
            reference_conv_backward(diff_src, c.diff_first, c.diff_second, own->diff_dst, c.src,
                                    c.first, c.images, c.n_out, layer->kernel);
            break;
        case NN_CONV_TRANSPOSED:
            reference_conv_transpose_backward(diff_src, c.diff_first, c.diff_second, own->diff_dst,
                                              c.src, c.first, c.images, c.n_out, layer->kernel);
            break;
        case NN_BATCH_NORM:
            (t->training ? reference_batch_norm_training_backward
                         : reference_batch_norm_inference_backward)(
                diff_src, c.diff_first, c.diff_second, own->diff_dst, c.src, own->mean,
                own->variance, c.first, c.rows, c.n_out);
            break;
        case NN_LEAKY_RELU:
            reference_leaky_relu_backward(diff_src, own->diff_dst, c.src, c.n_src,
                                          (double)layer->slope);
            break;
        case NN_TANH:
            reference_tanh_backward(diff_src, own->diff_dst, own->dst, c.n_src);
            break;
        case NN_MAX_POOL:
            reference_max_pool_backward(diff_src, own->diff_dst, own->argmax, c.images,
                                        layer->kernel);
            break;
        case NN_RESHAPE:
            memcpy(diff_src, own->diff_dst, (size_t)c.n_src * sizeof *diff_src);
            break;
        }
    }
    return t->diff_src;
}

const double *twin_tangent(twin *t, const double *tangent)
{
    for (int i = 0; i < t->net->n_layers; i++) {
        const nn_layer *layer = &t->net->layers[i];
        const twin_layer *own = &t->layers[i];
        const call c = call_of(t, i);
        double *no_bias = check_doubles(c.n_out), *unused = check_doubles(c.n_src);
        switch (layer->kind) {
        case NN_DENSE:
            reference_dense(own->tangent, tangent, c.first, no_bias, t->n, size(layer->src),
                            c.n_out);
            reference_dense_backward(unused, c.diff_first, c.diff_second, own->diff_dst, tangent,
                                     c.first, t->n, size(layer->src), c.n_out);
            break;
        case NN_CONV:
            reference_conv(own->tangent, tangent, c.first, no_bias, c.images, c.n_out,
                           layer->kernel);
            reference_conv_backward(unused, c.diff_first, c.diff_second, own->diff_dst, tangent,
                                    c.first, c.images, c.n_out, layer->kernel);
            break;
        case NN_LEAKY_RELU: /* as the way back: the same slopes */
            reference_leaky_relu_backward(own->tangent, tangent, c.src, c.n_src,
                                          (double)layer->slope);
            break;
        case NN_MAX_POOL:
            reference_max_pool_tangent(own->tangent, tangent, own->argmax, c.images, layer->kernel);
            break;
        case NN_RESHAPE:
            memcpy(own->tangent, tangent, (size_t)c.n_src * sizeof *tangent);
            break;
        default:
            abort();
        }
        if (c.diff_second != NULL)
            memset(c.diff_second, 0, (size_t)c.n_out * sizeof *c.diff_second);
        free(no_bias);
        free(unused);
        tangent = own->tangent;
    }
    return tangent;
}

static double root_mean_square(const double *values, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i] * values[i];
    return sqrt(sum / n);
}

/* The least distance of the windows' maxima from the next ones. */
static double least_gap(const double *src, int n, const nn_layer *layer)
{
    double least = INFINITY;
    const int w = layer->src.w, c_count = layer->src.c, k = layer->kernel;
    for (int i = 0; i < n * layer->dst.h; i++) { /* rows of windows, image after image */
        const int top = i / layer->dst.h * layer->src.h + i % layer->dst.h * k;
        for (int x = 0; x < layer->dst.w; x++)
            for (int c = 0; c < c_count; c++) {
                double first = -INFINITY, second = -INFINITY;
                for (int place = 0; place < k * k; place++) {
                    const int at = (top + place / k) * w + x * k + place % k;
                    const double value = src[at * c_count + c];
                    second = fmax(second, fmin(first, value));
                    first = fmax(first, value);
                }
                least = fmin(least, first - second);
            }
    }
    return least;
}

double twin_distance_from_kinks(const twin *t)
{
    double least = INFINITY;
    for (int i = 0; i < t->net->n_layers; i++) {
        const nn_layer *layer = &t->net->layers[i];
        const double *src = i == 0 ? t->src : t->layers[i - 1].dst;
        const int n = t->n * size(layer->src);
        const double scale = root_mean_square(src, n);
        for (int k = 0; layer->kind == NN_LEAKY_RELU && k < n; k++)
            least = fmin(least, fabs(src[k]) / scale);
        if (layer->kind == NN_MAX_POOL)
            least = fmin(least, least_gap(src, t->n, layer) / scale);
    }
    return least;
}

void twin_check_differences(twin *t, const double *gradients, double (*loss)(void *cookie),
                            void *cookie, double tolerance)
{
    enum { SAMPLE = 24 };
    for (int i = 0; i < t->net->n_tensors; i++) {
        const nn_tensor *tensor = &t->net->tensors[i];
        const size_t n = !tensor->trainable ? 0 : tensor->size < SAMPLE ? tensor->size : SAMPLE;
        for (size_t k = 0; k < n; k++) {
            const size_t at = tensor->offset + (k * tensor->size + tensor->size / 2) / n;
            const double value = t->parameters[at];
            t->parameters[at] = value + TWIN_STEP;
            const double above = loss(cookie);
            t->parameters[at] = value - TWIN_STEP;
            const double below = loss(cookie);
            t->parameters[at] = value;
            const double difference = (above - below) / (2 * TWIN_STEP);
            if (!(fabs(difference - gradients[at]) <= tolerance))
                fail_msg("%s, parameter %zu: by differences %.9g, by the twin %.9g", tensor->name,
                         at - tensor->offset, difference, gradients[at]);
        }
    }
}
