/* A pass: the ops of a net over one batch size, with their buffers. */
#include "nn/op.h"

#include "base/memory.h"

#include <string.h>

struct nn_pass {
    const nn_net *net;
    nn_backend *backend;
    int n_ops;
    nn_op *ops;            /* [n_ops] */
    float **owned;         /* [n_ops]: an op's destination; NULL: its source serves as that too */
    const float **sources; /* [n_ops + 1]: op i's source in the last forward; last, the net's dst */
    float *diffs[2];       /* gradients by activations, used in turn; derivatives of them in the
                              direction of a tangent, with NN_SECOND_ORDER */
    float **kept;          /* [n_ops]: with NN_SECOND_ORDER, the gradient by op i's source */
    const float **diff_dsts; /* [n_ops]: op i's diff_dst in the last backward */
    size_t batch;
    unsigned uses;
};

const float *nn_op_tensor(const nn_op *op, int i)
{
    return nn_net_data(op->net, &op->net->tensors[op->layer->first_tensor + i]);
}

float *nn_op_gradient(const nn_op *op, float *gradients, int i)
{
    return gradients + op->net->tensors[op->layer->first_tensor + i].offset;
}

static const nn_op_kind *const op_kinds[] = {
    [NN_DENSE] = &nn_op_dense,
    [NN_CONV_TRANSPOSED] = &nn_op_conv_transposed,
    [NN_BATCH_NORM] = &nn_op_batch_norm,
    [NN_LEAKY_RELU] = &nn_op_leaky_relu,
    [NN_TANH] = &nn_op_tanh,
    [NN_MAX_POOL] = &nn_op_max_pool,
    [NN_RESHAPE] = &nn_op_reshape,
};

static bool has_backward(const nn_pass *pass)
{
    return (pass->uses & (NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS)) != 0;
}

/* Whether the op before layer i, or the caller, wants the gradient by the layer's source. */
static bool wants_diff_src(const nn_pass *pass, int i)
{
    if (pass->uses & NN_DATA_GRADIENT)
        return true;
    for (int before = 0; before < i; before++)
        if (pass->net->layers[before].n_tensors > 0)
            return (pass->uses & NN_WEIGHT_GRADIENTS) != 0;
    return false;
}

static const nn_op_kind *const conv_kinds[] = {
    [NN_CONV_DIRECT] = &nn_op_conv_direct,
    [NN_CONV_WINOGRAD] = &nn_op_conv_winograd,
    [NN_CONV_FFT] = &nn_op_conv_fft,
    [NN_CONV_THIN] = &nn_op_conv_thin,
};

/* Whether layer i is to be one with the convolution after it. */
static bool is_composed(const nn_net *net, int i)
{
    return i + 1 < net->n_layers && net->layers[i + 1].kind == NN_CONV &&
           net->layers[i + 1].method == NN_CONV_COMPOSED;
}

static const nn_op_kind *op_kind(const nn_net *net, int i)
{
    const nn_layer *layer = &net->layers[i];
    if (is_composed(net, i))
        return layer[1].dst.c <= KERNELS_MAX_THIN ? &nn_op_upsample_thin : &nn_op_upsample;
    return layer->kind == NN_CONV ? conv_kinds[layer->method] : op_kinds[layer->kind];
}

/* How many layers from i on one op does: a transposed convolution composed with the one after it;
 * batch norm, and a convolution of our own to many channels, take the leaky ReLU after them on
 * their way, and the convolution then max pooling by 2. */
static int fused_layers(const nn_net *net, int i)
{
    const nn_layer *layers = net->layers;
    if (is_composed(net, i))
        return 2;
    if (i + 1 >= net->n_layers || layers[i + 1].kind != NN_LEAKY_RELU)
        return 1;
    if (layers[i].kind == NN_BATCH_NORM)
        return 2;
    if (layers[i].kind != NN_CONV || layers[i].method == NN_CONV_DIRECT ||
        layers[i].dst.c < KERNELS_COLUMNS)
        return 1;
    const bool pools =
        i + 2 < net->n_layers && layers[i + 2].kind == NN_MAX_POOL && layers[i + 2].kernel == 2;
    return pools ? 3 : 2;
}

static void pass_list_ops(nn_pass *pass)
{
    for (int i = 0; i < pass->net->n_layers; i += pass->ops[pass->n_ops - 1].n_layers) {
        const nn_layer *layer = &pass->net->layers[i];
        const int n_layers = fused_layers(pass->net, i);
        nn_op *op = &pass->ops[pass->n_ops++];
        *op = (nn_op){.kind = op_kind(pass->net, i),
                      .layer = layer,
                      .n_layers = n_layers,
                      .dst = layer[n_layers - 1].dst,
                      .net = pass->net,
                      .kernels = kernels_get(),
                      .backend = pass->backend,
                      .batch = (int)pass->batch,
                      .uses = pass->uses & ~(unsigned)NN_DATA_GRADIENT};
        if (has_backward(pass) && wants_diff_src(pass, i))
            op->uses |= NN_DATA_GRADIENT;
    }
}

/* Whether backward of the op tells the sides of an activation apart by its dst. */
static bool needs_dst(const nn_op *op)
{
    return op->kind->in_place || (op->layer->kind == NN_CONV && op->n_layers > 1);
}

/* Whether op i needs no memory for its destination: a view, or an op that works in place on the
 * destination of an op whose backward does without it. */
static bool shares_buffer(const nn_pass *pass, int i)
{
    if (pass->ops[i].kind->is_view)
        return true;
    int before = i - 1;
    while (before >= 0 && pass->ops[before].kind->is_view)
        before--;
    return before >= 0 && pass->ops[i].kind->in_place && !needs_dst(&pass->ops[before]);
}

/* Whether backward of op i puts its result over the gradient by its destination. The caller's stays
 * as it is. */
static bool backward_in_place(const nn_pass *pass, int i)
{
    int after = i + 1;
    while (after < pass->n_ops && pass->ops[after].kind->is_view)
        after++;
    return after < pass->n_ops && pass->ops[i].kind->in_place;
}

static ano_status pass_create_kept(nn_pass *pass, ano_error *err)
{
    for (int i = 0; i < pass->n_ops; i++) {
        const nn_op *op = &pass->ops[i];
        if (op->kind->is_view || backward_in_place(pass, i))
            continue;
        pass->kept[i] = base_alloc(pass->batch * nn_shape_size(op->layer->src), sizeof(float));
        if (pass->kept[i] == NULL)
            return base_error_nomem(err, "gradients of a network");
    }
    return ANO_OK;
}

static ano_status pass_create_buffers(nn_pass *pass, ano_error *err)
{
    size_t largest = nn_shape_size(pass->net->src);
    for (int i = 0; i < pass->n_ops; i++) {
        const size_t size = nn_shape_size(pass->ops[i].dst);
        if (size > largest)
            largest = size;
        if (shares_buffer(pass, i))
            continue;
        pass->owned[i] = base_alloc(pass->batch * size, sizeof(float));
        if (pass->owned[i] == NULL)
            return base_error_nomem(err, "activations of a network");
    }
    for (int i = 0; i < 2 && has_backward(pass); i++) {
        pass->diffs[i] = base_alloc(pass->batch * largest, sizeof(float));
        if (pass->diffs[i] == NULL)
            return base_error_nomem(err, "gradients of a network");
    }
    return pass->uses & NN_SECOND_ORDER ? pass_create_kept(pass, err) : ANO_OK;
}

static ano_status pass_create_op(nn_op *op, ano_error *err)
{
    if ((op->uses & NN_SECOND_ORDER) && op->kind->tangent == NULL && !op->kind->is_view)
        return base_error(err, ANO_UNSUPPORTED, "no gradient of its gradient is computed");
    return op->kind->create != NULL ? op->kind->create(op, err) : ANO_OK;
}

ano_status nn_pass_create(nn_pass **out, const nn_net *net, int batch, unsigned uses,
                          ano_error *err)
{
    *out = NULL;
    const size_t n_layers = (size_t)net->n_layers;
    nn_pass *pass = base_alloc(1, sizeof *pass);
    if (pass == NULL)
        return base_error_nomem(err, "pass over a network");
    pass->net = net;
    pass->batch = (size_t)batch;
    pass->uses = uses;
    if (uses & NN_SECOND_ORDER)
        pass->uses |= NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS;
    pass->ops = base_alloc(n_layers, sizeof *pass->ops);
    pass->owned = base_alloc(n_layers, sizeof *pass->owned);
    pass->sources = base_alloc(n_layers + 1, sizeof *pass->sources);
    pass->kept = base_alloc(n_layers, sizeof *pass->kept);
    pass->diff_dsts = base_alloc(n_layers, sizeof *pass->diff_dsts);
    ano_status status = nn_backend_create(&pass->backend, err);
    if (pass->ops == NULL || pass->owned == NULL || pass->sources == NULL || pass->kept == NULL ||
        pass->diff_dsts == NULL)
        status = base_error_nomem(err, "pass over a network");
    if (status == ANO_OK) {
        pass_list_ops(pass);
        status = pass_create_buffers(pass, err);
    }
    for (int i = 0; i < pass->n_ops && status == ANO_OK; i++) {
        nn_op *op = &pass->ops[i];
        status = pass_create_op(op, err);
        if (status != ANO_OK)
            base_error_context(err, "layer %s", op->layer->name);
    }
    if (status != ANO_OK) {
        nn_pass_free(pass);
        return status;
    }
    *out = pass;
    return ANO_OK;
}

void nn_pass_free(nn_pass *pass)
{
    if (pass == NULL)
        return;
    for (int i = 0; i < pass->n_ops; i++) {
        if (pass->ops[i].own != NULL)
            pass->ops[i].kind->destroy(&pass->ops[i]);
        base_free(pass->owned[i]);
        base_free(pass->kept[i]);
    }
    nn_backend_free(pass->backend);
    base_free(pass->diffs[0]);
    base_free(pass->diffs[1]);
    base_free(pass->ops);
    base_free(pass->owned);
    base_free(pass->sources);
    base_free(pass->kept);
    base_free(pass->diff_dsts);
    base_free(pass);
}

ano_status nn_pass_forward(const float **dst, nn_pass *pass, const float *src, ano_error *err)
{
    pass->sources[0] = src;
    float *writable = NULL; /* the last source, where it is ours */
    for (int i = 0; i < pass->n_ops; i++) {
        nn_op *op = &pass->ops[i];
        if (pass->owned[i] != NULL)
            writable = pass->owned[i];
        pass->sources[i + 1] = op->kind->is_view ? pass->sources[i] : writable;
        if (op->kind->is_view)
            continue;
        const ano_status status = op->kind->forward(op, writable, pass->sources[i], err);
        if (status != ANO_OK) {
            base_error_context(err, "layer %s", op->layer->name);
            return status;
        }
    }
    *dst = pass->sources[pass->n_ops];
    return ANO_OK;
}

ano_status nn_pass_backward(const float **diff_src, nn_pass *pass, const float *diff_dst,
                            float *gradients, ano_error *err)
{
    int next = 0; /* which of diffs is free */
    float *diff = NULL;
    for (int i = pass->n_ops - 1; i >= 0; i--) {
        nn_op *op = &pass->ops[i];
        if (op->kind->is_view)
            continue;
        const bool wants_diff = (op->uses & NN_DATA_GRADIENT) != 0;
        if (!wants_diff && op->layer->n_tensors == 0)
            break;
        const bool in_place = backward_in_place(pass, i);
        if (!in_place)
            diff = pass->kept[i] != NULL ? pass->kept[i] : pass->diffs[next];
        pass->diff_dsts[i] = diff_dst;
        const ano_status status =
            op->kind->backward(op, wants_diff ? diff : NULL, diff_dst, pass->sources[i],
                               pass->sources[i + 1], gradients, err);
        if (status != ANO_OK) {
            base_error_context(err, "layer %s, backward", op->layer->name);
            return status;
        }
        if (!wants_diff)
            break;
        diff_dst = diff;
        if (!in_place)
            next = 1 - next;
    }
    if (diff_src != NULL)
        *diff_src = pass->uses & NN_DATA_GRADIENT ? diff_dst : NULL;
    return ANO_OK;
}

/* The gradient of s by op's own parameters, s being the sum of its diff_dst times its destination's
 * derivative. A bias moves no derivative. */
static ano_status parameters_of_tangent(nn_op *op, const float *diff_dst, const float *src_tangent,
                                        const float *dst, float *gradients, ano_error *err)
{
    const nn_tensor *bias = &op->net->tensors[op->layer->first_tensor + 1];
    const ano_status status =
        op->kind->backward(op, NULL, diff_dst, src_tangent, dst, gradients, err);
    memset(gradients + bias->offset, 0, bias->size * sizeof *gradients);
    return status;
}

ano_status nn_pass_tangent(const float **dst, nn_pass *pass, const float *tangent, float *gradients,
                           ano_error *err)
{
    int next = 0; /* which of diffs is free */
    float *writable = NULL;
    for (int i = 0; i < pass->n_ops; i++) {
        nn_op *op = &pass->ops[i];
        if (op->kind->is_view)
            continue;
        if (writable == NULL || !op->kind->in_place) {
            writable = pass->diffs[next];
            next = 1 - next;
        }
        const float *op_dst = pass->sources[i + 1];
        ano_status status = op->kind->tangent(op, writable, tangent, op_dst, err);
        if (status == ANO_OK && op->layer->n_tensors > 0)
            status = parameters_of_tangent(op, pass->diff_dsts[i], tangent, op_dst, gradients, err);
        if (status != ANO_OK) {
            base_error_context(err, "layer %s, tangent", op->layer->name);
            return status;
        }
        tangent = writable;
    }
    *dst = tangent;
    return ANO_OK;
}
