#include "nn/choose.h"

#include "base/clock.h"
#include "base/memory.h"
#include "kernels/kernels.h"

/* How many times as fast the direct convolution must be to be chosen: more than timings of one
 * machine differ by, so that a seed gives the same bytes wherever Winograd is the faster. */
#define CLEAR_WIN 1.25

bool nn_conv_can(const nn_layer *layer, nn_conv_method method)
{
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
    }
    return false;
}

/* The shortest of some forward and backward passes over the layer alone, seconds. */
static ano_status measure(double *seconds, const nn_layer *layer, nn_conv_method method, int batch,
                          ano_error *err)
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
        if (repeat == 1 || (repeat > 1 && taken < *seconds)) /* the first warms up */
            *seconds = taken;
    }
done:
    base_free(src);
    base_free(diff);
    base_free(gradients);
    nn_pass_free(pass);
    nn_net_free(net);
    return status;
}

ano_status nn_choose_methods(nn_net *net, ano_conv wish, int batch, ano_error *err)
{
    ano_status status = ANO_OK;
    for (int i = 0; i < net->n_layers && status == ANO_OK; i++) {
        nn_layer *layer = &net->layers[i];
        layer->method = NN_CONV_DIRECT;
        if (wish == ANO_CONV_DIRECT)
            continue;
        if (nn_conv_can(layer, NN_CONV_THIN))
            layer->method = NN_CONV_THIN;
        if (!nn_conv_can(layer, NN_CONV_WINOGRAD))
            continue;
        layer->method = NN_CONV_WINOGRAD;
        double direct, winograd;
        if (wish == ANO_CONV_WINOGRAD)
            continue;
        status = measure(&direct, layer, NN_CONV_DIRECT, batch, err);
        if (status == ANO_OK)
            status = measure(&winograd, layer, NN_CONV_WINOGRAD, batch, err);
        if (status == ANO_OK && CLEAR_WIN * direct < winograd)
            layer->method = NN_CONV_DIRECT;
    }
    return status;
}
