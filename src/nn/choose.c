#include "nn/choose.h"

#include "base/clock.h"
#include "base/memory.h"
#include "kernels/kernels.h"
#include "nn/composed.h"

#include <math.h>

/* How many times as fast as the candidates before it a method must be to be chosen: more than
 * timings of one machine differ by, so that a seed gives the same bytes wherever the first that can
 * do a layer is the fastest. */
#define CLEAR_WIN 1.25

/* How many times as slow as the best before it a method's pass must be to be given up at once: a
 * direct convolution of large maps takes seconds. More than a first pass loses by warming up. */
#define HOPELESS 3

/* Whether the layer and the transposed convolution before it can be trained as one. */
static bool can_compose(const nn_net *net, int i)
{
    if (i == 0 || !nn_composed_can(net, i - 1))
        return false;
    const nn_layer *up = &net->layers[i - 1], *conv = &net->layers[i];
    const bool wide = conv->kernel == 3 && conv->dst.c % KERNELS_COLUMNS == 0;
    return up->src.c % KERNELS_COLUMNS == 0 && conv->src.c % KERNELS_COLUMNS == 0 &&
           (conv->dst.c <= KERNELS_MAX_THIN || wide);
}

bool nn_conv_can(const nn_net *net, int i, nn_conv_method method)
{
    const nn_layer *layer = &net->layers[i];
    if (layer->kind != NN_CONV)
        return false;
    switch (method) {
    case NN_CONV_DIRECT:
        return true;
    case NN_CONV_THIN:
        return layer->kernel >= 3 && layer->kernel <= KERNELS_THIN_MAX_KERNEL &&
               ((layer->src.c <= KERNELS_MAX_THIN && layer->dst.c % KERNELS_COLUMNS == 0) ||
                (layer->dst.c <= KERNELS_MAX_THIN && layer->src.c % KERNELS_COLUMNS == 0));
    case NN_CONV_WINOGRAD:
        return (layer->kernel == 3 || layer->kernel == 5) && layer->src.c % KERNELS_COLUMNS == 0 &&
               layer->dst.c % KERNELS_COLUMNS == 0;
    case NN_CONV_FFT:
        return (layer->kernel == 3 || layer->kernel == KERNELS_FFT_MAX_KERNEL) &&
               layer->src.c % KERNELS_COLUMNS == 0 && layer->dst.c % KERNELS_COLUMNS == 0 &&
               layer->src.h <= KERNELS_FFT_SIDE - layer->kernel / 2 &&
               layer->src.w <= KERNELS_FFT_SIDE - layer->kernel / 2;
    case NN_CONV_COMPOSED:
        return can_compose(net, i);
    }
    return false;
}

/* The shortest of some forward and backward passes over the layer alone, seconds; of fewer where
 * there is no hope of coming near to `best`. */
static ano_status measure(double *seconds, const nn_layer *layer, nn_conv_method method, int batch,
                          double best, ano_error *err)
{
    enum { REPEATS = 3 };
    const nn_layer_spec spec = {.kind = layer->kind,
                                .name = layer->name,
                                .channels = layer->dst.c,
                                .kernel = layer->kernel};
    nn_net *net = NULL;
    nn_pass *pass = NULL;
    float *src = NULL, *diff = NULL, *gradients = NULL;
    ano_status status = nn_net_create(&net, layer->src, &spec, 1, err);
    if (status != ANO_OK)
        goto done;
    net->layers[0].method = method;
    status = nn_pass_create(&pass, net, batch, NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS, err);
    if (status != ANO_OK)
        goto done;
    src = base_alloc((size_t)batch * nn_shape_size(layer->src), sizeof(float));
    diff = base_alloc((size_t)batch * nn_shape_size(layer->dst), sizeof(float));
    gradients = base_alloc(net->n_parameters, sizeof(float));
    if (src == NULL || diff == NULL || gradients == NULL) {
        status = base_error_nomem(err, "choosing a convolution");
        goto done;
    }
    for (int repeat = 0; repeat <= REPEATS && status == ANO_OK; repeat++) {
        const float *out;
        const double start = base_seconds();
        status = nn_pass_forward(&out, pass, src, err);
        if (status == ANO_OK)
            status = nn_pass_backward(&out, pass, diff, gradients, err);
        const double taken = base_seconds() - start;
        if (repeat <= 1 || taken < *seconds) /* the first warms up */
            *seconds = taken;
        if (*seconds > HOPELESS * best)
            break;
    }
done:
    base_free(src);
    base_free(diff);
    base_free(gradients);
    nn_pass_free(pass);
    nn_net_free(net);
    return status;
}

/* The methods for many channels, the one that is usually fastest first. */
static const struct {
    nn_conv_method method;
    ano_conv wish;
} candidates[] = {{NN_CONV_FFT, ANO_CONV_FFT},
                  {NN_CONV_WINOGRAD, ANO_CONV_WINOGRAD},
                  {NN_CONV_DIRECT, ANO_CONV_DIRECT}};

/* The first that can do the layer, unless a later one is clearly faster. */
static ano_status choose_measured(const nn_net *net, int layer_number, int batch, ano_error *err)
{
    nn_layer *layer = &net->layers[layer_number];
    double best = INFINITY;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (!nn_conv_can(net, layer_number, candidates[i].method))
            continue;
        double seconds = 0;
        const ano_status status = measure(&seconds, layer, candidates[i].method, batch, best, err);
        if (status != ANO_OK)
            return status;
        if (CLEAR_WIN * seconds < best) {
            layer->method = candidates[i].method;
            best = seconds;
        }
    }
    return ANO_OK;
}

ano_status nn_choose_methods(nn_net *net, ano_conv wish, int batch, ano_error *err)
{
    ano_status status = ANO_OK;
    for (int i = 0; i < net->n_layers && status == ANO_OK; i++) {
        nn_layer *layer = &net->layers[i];
        layer->method = NN_CONV_DIRECT;
        if (layer->kind != NN_CONV || wish == ANO_CONV_DIRECT)
            continue;
        if (nn_conv_can(net, i, NN_CONV_COMPOSED))
            layer->method = NN_CONV_COMPOSED;
        else if (nn_conv_can(net, i, NN_CONV_THIN))
            layer->method = NN_CONV_THIN;
        else if (wish == ANO_CONV_AUTO)
            status = choose_measured(net, i, batch, err);
        for (size_t k = 0; k < sizeof candidates / sizeof *candidates; k++)
            if (candidates[k].wish == wish && nn_conv_can(net, i, candidates[k].method))
                layer->method = candidates[k].method;
    }
    return status;
}
