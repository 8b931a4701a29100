/* The architecture of a sequential network and the layout of its numbers. */
#include "nn/net.h"

#include "base/memory.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

size_t nn_shape_size(nn_shape shape)
{
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

nn_net nn_net_head(const nn_net *net, int n_layers)
{
    nn_net head = *net;
    head.n_layers = n_layers;
    head.dst = n_layers > 0 ? net->layers[n_layers - 1].dst : net->src;
    return head;
}

static void net_add_tensor(nn_net *net, nn_layer *layer, const char *name, bool trainable,
                           int n_dims, const int *dims)
{
    nn_tensor *tensor = &net->tensors[net->n_tensors++];
    snprintf(tensor->name, sizeof tensor->name, "%s.%s", layer->name, name);
    tensor->trainable = trainable;
    tensor->n_dims = n_dims;
    tensor->size = 1;
    for (int i = 0; i < n_dims; i++) {
        tensor->dims[i] = (size_t)dims[i];
        tensor->size *= tensor->dims[i];
    }
    size_t *end = trainable ? &net->n_parameters : &net->n_statistics;
    tensor->offset = *end;
    *end += tensor->size;
    layer->n_tensors++;
}

static void net_add_tensors(nn_net *net, nn_layer *layer)
{
    const int in = layer->src.c, out = layer->dst.c, k = layer->kernel;
    layer->first_tensor = net->n_tensors;
    switch (layer->kind) {
    case NN_DENSE:
        net_add_tensor(net, layer, "kernel", true, 2, (int[]){(int)nn_shape_size(layer->src), out});
        break;
    case NN_CONV:
        net_add_tensor(net, layer, "kernel", true, 4, (int[]){k, k, in, out});
        break;
    case NN_CONV_TRANSPOSED:
        net_add_tensor(net, layer, "kernel", true, 4, (int[]){k, k, out, in});
        break;
    case NN_BATCH_NORM:
        net_add_tensor(net, layer, "gamma", true, 1, &out);
        net_add_tensor(net, layer, "beta", true, 1, &out);
        net_add_tensor(net, layer, "moving_mean", false, 1, &out);
        net_add_tensor(net, layer, "moving_variance", false, 1, &out);
        return;
    default:
        return;
    }
    net_add_tensor(net, layer, "bias", true, 1, &out);
}

/* The shape that `spec` makes of `src`; all zero where it cannot be. */
static nn_shape spec_dst(const nn_layer_spec *spec, nn_shape src)
{
    const nn_shape impossible = {0, 0, 0};
    const int k = spec->kernel;
    switch (spec->kind) {
    case NN_DENSE:
        return (nn_shape){1, 1, spec->channels};
    case NN_CONV:
        return k % 2 == 1 ? (nn_shape){src.h, src.w, spec->channels} : impossible;
    case NN_CONV_TRANSPOSED:
        return k > 0 ? (nn_shape){src.h * k, src.w * k, spec->channels} : impossible;
    case NN_MAX_POOL: /* the place of a maximum is kept in a byte */
        return k > 0 && k * k <= UCHAR_MAX ? (nn_shape){src.h / k, src.w / k, src.c} : impossible;
    case NN_RESHAPE:
        return nn_shape_size(spec->shape) == nn_shape_size(src) ? spec->shape : impossible;
    case NN_LEAKY_RELU: /* backward tells the sides apart by the sign of dst */
        return spec->slope >= 0 ? src : impossible;
    case NN_BATCH_NORM:
    case NN_TANH:
        return src;
    }
    return impossible;
}

ano_status nn_net_lay_out(nn_net **out, nn_shape src, const nn_layer_spec *specs, int n_specs,
                          ano_error *err)
{
    enum { MAX_TENSORS_PER_LAYER = 4 };
    *out = NULL;
    ano_status status = ANO_OK;
    nn_net *net = base_alloc(1, sizeof *net);
    if (net == NULL)
        return base_error_nomem(err, "network");
    net->src = src;
    net->n_layers = n_specs;
    net->layers = base_alloc((size_t)n_specs, sizeof *net->layers);
    net->tensors = base_alloc((size_t)n_specs * MAX_TENSORS_PER_LAYER, sizeof *net->tensors);
    if (net->layers == NULL || net->tensors == NULL) {
        status = base_error_nomem(err, "network");
        goto done;
    }
    nn_shape shape = src;
    for (int i = 0; i < n_specs; i++) {
        nn_layer *layer = &net->layers[i];
        layer->kind = specs[i].kind;
        snprintf(layer->name, sizeof layer->name, "%s", specs[i].name);
        layer->kernel = specs[i].kernel;
        layer->slope = specs[i].slope;
        layer->src = shape;
        layer->dst = shape = spec_dst(&specs[i], shape);
        if (shape.h <= 0 || shape.w <= 0 || shape.c <= 0) {
            status = base_error(err, ANO_SHAPE, "layer %s cannot take %d×%d×%d", specs[i].name,
                                layer->src.h, layer->src.w, layer->src.c);
            goto done;
        }
        net_add_tensors(net, layer);
    }
    net->dst = shape;
    *out = net;
    net = NULL;
done:
    nn_net_free(net);
    return status;
}

ano_status nn_net_allocate(nn_net *net, ano_error *err)
{
    if (net->parameters != NULL)
        return ANO_OK;
    net->parameters = base_alloc(net->n_parameters, sizeof(float));
    net->statistics = base_alloc(net->n_statistics, sizeof(float));
    return net->parameters != NULL && net->statistics != NULL
               ? ANO_OK
               : base_error_nomem(err, "parameters of a network");
}

ano_status nn_net_create(nn_net **out, nn_shape src, const nn_layer_spec *specs, int n_specs,
                         ano_error *err)
{
    ano_status status = nn_net_lay_out(out, src, specs, n_specs, err);
    if (status == ANO_OK && (status = nn_net_allocate(*out, err)) != ANO_OK) {
        nn_net_free(*out);
        *out = NULL;
    }
    return status;
}

void nn_net_free(nn_net *net)
{
    if (net == NULL)
        return;
    base_free(net->layers);
    base_free(net->tensors);
    base_free(net->parameters);
    base_free(net->statistics);
    base_free(net);
}

float *nn_net_data(const nn_net *net, const nn_tensor *tensor)
{
    return (tensor->trainable ? net->parameters : net->statistics) + tensor->offset;
}

const nn_tensor *nn_net_find(const nn_net *net, const char *name)
{
    for (int i = 0; i < net->n_tensors; i++)
        if (strcmp(net->tensors[i].name, name) == 0)
            return &net->tensors[i];
    return NULL;
}

/* Keras counts a kernel's fans as its last two dimensions times the area of the others. */
static float glorot_limit(const nn_tensor *tensor)
{
    size_t area = 1;
    for (int i = 0; i < tensor->n_dims - 2; i++)
        area *= tensor->dims[i];
    const size_t fans =
        area * (tensor->dims[tensor->n_dims - 2] + tensor->dims[tensor->n_dims - 1]);
    return sqrtf(6.0f / (float)fans);
}

void nn_net_initialise(nn_net *net, uint64_t seed, base_purpose purpose)
{
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        const char *kind = strrchr(tensor->name, '.') + 1;
        float *data = nn_net_data(net, tensor);
        if (strcmp(kind, "kernel") == 0) {
            const float limit = glorot_limit(tensor);
            base_random_uniform(data, tensor->size, -limit, limit,
                                (base_random){seed, purpose, (uint64_t)i});
        } else {
            const bool is_one = strcmp(kind, "gamma") == 0 || strcmp(kind, "moving_variance") == 0;
            for (size_t k = 0; k < tensor->size; k++)
                data[k] = is_one ? 1 : 0;
        }
    }
}
