/* The one file that includes <dnnl.h>, written for oneDNN 2.6's C API. */
#include "nn/onednn.h"

#include "base/memory.h"
#include "kernels/kernels.h"

#include <dnnl.h>

#include <stdio.h>
#include <string.h>

struct nn_backend {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    float *scratch; /* shared by all primitives: they run one at a time */
    size_t scratch_size;
};

static const char *dnnl_text(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "unsupported";
    default:
        return "runtime error";
    }
}

static ano_status dnnl_failed(ano_error *err, dnnl_status_t status, const char *what)
{
    return base_error(err, status == dnnl_out_of_memory ? ANO_NOMEM : ANO_BACKEND, "oneDNN: %s: %s",
                      what, dnnl_text(status));
}

ano_build ano_build_info(void)
{
    const dnnl_version_t *version = dnnl_version();
    ano_build build = {.kernels = kernels_get()->name, .build_type = ANOGAN_BUILD_TYPE};
    snprintf(build.onednn, sizeof build.onednn, "%d.%d.%d", version->major, version->minor,
             version->patch);
    return build;
}

ano_status nn_backend_create(nn_backend **out, ano_error *err)
{
    *out = NULL;
    nn_backend *backend = base_alloc(1, sizeof *backend);
    if (backend == NULL)
        return base_error_nomem(err, "oneDNN engine");
    dnnl_status_t failed = dnnl_engine_create(&backend->engine, dnnl_cpu, 0);
    if (failed == dnnl_success)
        failed = dnnl_stream_create(&backend->stream, backend->engine, dnnl_stream_in_order);
    if (failed != dnnl_success) {
        nn_backend_free(backend);
        return dnnl_failed(err, failed, "engine");
    }
    *out = backend;
    return ANO_OK;
}

void nn_backend_free(nn_backend *backend)
{
    if (backend == NULL)
        return;
    if (backend->stream != NULL)
        dnnl_stream_destroy(backend->stream);
    if (backend->engine != NULL)
        dnnl_engine_destroy(backend->engine);
    base_free(backend->scratch);
    base_free(backend);
}

/* ---- primitives --------------------------------------------------------------------------- */

enum { MAX_ARGUMENTS = 5 };

/* A primitive with the memory objects of its arguments; the last one is its scratchpad. */
typedef struct primitive {
    nn_backend *backend;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MAX_ARGUMENTS];
    int n_arguments;
} primitive;

static void primitive_free(primitive *p)
{
    for (int i = 0; i < p->n_arguments; i++)
        dnnl_memory_destroy(p->arguments[i].memory);
    if (p->primitive != NULL)
        dnnl_primitive_destroy(p->primitive);
    *p = (primitive){0};
}

static dnnl_status_t primitive_add_argument(primitive *p, int argument,
                                            const dnnl_memory_desc_t *desc)
{
    dnnl_memory_t memory = NULL;
    const dnnl_status_t status =
        dnnl_memory_create(&memory, desc, p->backend->engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        p->arguments[p->n_arguments++] = (dnnl_exec_arg_t){argument, memory};
    return status;
}

static ano_status scratch_reserve(nn_backend *backend, size_t size, ano_error *err)
{
    if (size <= backend->scratch_size)
        return ANO_OK;
    base_free(backend->scratch);
    backend->scratch = base_alloc(size, 1);
    backend->scratch_size = backend->scratch != NULL ? size : 0;
    return backend->scratch != NULL ? ANO_OK : base_error_nomem(err, "oneDNN scratch memory");
}

/* Makes `p` of `desc`, an operation's descriptor, with the arguments in the order listed. */
static ano_status primitive_create(primitive *p, nn_backend *backend, const void *desc,
                                   const_dnnl_primitive_desc_t hint, const int *arguments,
                                   int n_arguments, const char *what, ano_error *err)
{
    *p = (primitive){.backend = backend};
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t made = NULL;
    ano_status result = ANO_OK;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&made, desc, attributes, backend->engine, hint);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&p->primitive, made);
    for (int i = 0; i < n_arguments && status == dnnl_success; i++)
        status = primitive_add_argument(
            p, arguments[i],
            dnnl_primitive_desc_query_md(made, dnnl_query_exec_arg_md, arguments[i]));
    if (status == dnnl_success) {
        const dnnl_memory_desc_t *scratch =
            dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0);
        result = scratch_reserve(backend, dnnl_memory_desc_get_size(scratch), err);
        if (result == ANO_OK)
            status = primitive_add_argument(p, DNNL_ARG_SCRATCHPAD, scratch);
    }
    if (made != NULL)
        dnnl_primitive_desc_destroy(made);
    if (attributes != NULL)
        dnnl_primitive_attr_destroy(attributes);
    if (status != dnnl_success)
        result = dnnl_failed(err, status, what);
    if (result != ANO_OK)
        primitive_free(p);
    return result;
}

/* `buffers` in the order of the arguments. oneDNN takes sources through the same non-const pointers
 * as destinations; it does not write to them. */
static ano_status primitive_run(primitive *p, const void *const *buffers, ano_error *err)
{
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < p->n_arguments && status == dnnl_success; i++) {
        const bool is_scratch = i == p->n_arguments - 1;
        const void *buffer = is_scratch ? p->backend->scratch : buffers[i];
        union {
            const void *lent;
            void *handle;
        } pointer = {.lent = buffer};
        status = dnnl_memory_set_data_handle_v2(p->arguments[i].memory, pointer.handle,
                                                p->backend->stream);
    }
    if (status == dnnl_success)
        status =
            dnnl_primitive_execute(p->primitive, p->backend->stream, p->n_arguments, p->arguments);
    return status == dnnl_success ? ANO_OK : dnnl_failed(err, status, "run");
}

/* ---- matrix product ----------------------------------------------------------------------- */

struct nn_matmul {
    primitive product;
};

static dnnl_status_t matrix_desc_init(dnnl_memory_desc_t *desc, int rows, int columns,
                                      int row_stride, int column_stride)
{
    const dnnl_dims_t dims = {rows, columns}, strides = {row_stride, column_stride};
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, dnnl_f32, strides);
}

ano_status nn_matmul_create(nn_matmul **out, nn_backend *backend, nn_matmul_shape shape,
                            ano_error *err)
{
    *out = NULL;
    nn_matmul *matmul = base_alloc(1, sizeof *matmul);
    if (matmul == NULL)
        return base_error_nomem(err, "matrix product");
    const int m = shape.m, n = shape.n, k = shape.k;
    dnnl_memory_desc_t a_desc, b_desc, bias_desc, dst_desc;
    dnnl_matmul_desc_t desc;
    dnnl_status_t status = matrix_desc_init(&a_desc, m, k, shape.a_row, shape.a_column);
    if (status == dnnl_success)
        status = matrix_desc_init(&b_desc, k, n, shape.b_row, shape.b_column);
    if (status == dnnl_success)
        status = matrix_desc_init(&bias_desc, 1, n, n, 1);
    if (status == dnnl_success)
        status = matrix_desc_init(&dst_desc, m, n, n, 1);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(&desc, &a_desc, &b_desc, shape.bias ? &bias_desc : NULL,
                                       &dst_desc);
    ano_status result;
    if (status == dnnl_success) {
        const int arguments[] = {DNNL_ARG_DST, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS};
        result = primitive_create(&matmul->product, backend, &desc, NULL, arguments,
                                  shape.bias ? 4 : 3, "matrix product", err);
    } else {
        result = dnnl_failed(err, status, "matrix product");
    }
    if (result != ANO_OK) {
        nn_matmul_free(matmul);
        return result;
    }
    *out = matmul;
    return ANO_OK;
}

ano_status nn_matmul_run(nn_matmul *matmul, float *dst, const float *a, const float *b,
                         const float *bias, ano_error *err)
{
    return primitive_run(&matmul->product, (const void *[]){dst, a, b, bias}, err);
}

void nn_matmul_free(nn_matmul *matmul)
{
    if (matmul == NULL)
        return;
    primitive_free(&matmul->product);
    base_free(matmul);
}

/* ---- convolution -------------------------------------------------------------------------- */

/* Weights between our layout (HWIO) and the one that a pass's primitive likes best. */
typedef struct weights_reorder {
    primitive reorder;
    float *blocked;
} weights_reorder;

struct nn_direct {
    primitive forward, backward_data, backward_weights;
    weights_reorder to_forward, to_backward_data, from_backward_weights;
    float *no_bias; /* [c_dst] zeros */
};

static void weights_reorder_free(weights_reorder *r)
{
    primitive_free(&r->reorder);
    base_free(r->blocked);
}

/* `blocked` is the primitive's layout, `plain` ours; `to_blocked` says which way. */
static ano_status weights_reorder_create(weights_reorder *r, nn_backend *backend,
                                         const dnnl_memory_desc_t *plain,
                                         const dnnl_memory_desc_t *blocked, bool to_blocked,
                                         ano_error *err)
{
    r->blocked = base_alloc(dnnl_memory_desc_get_size(blocked), 1);
    if (r->blocked == NULL)
        return base_error_nomem(err, "weights of a convolution");
    const dnnl_memory_desc_t *from = to_blocked ? plain : blocked;
    const dnnl_memory_desc_t *to = to_blocked ? blocked : plain;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t desc = NULL;
    r->reorder = (primitive){.backend = backend};
    ano_status result = ANO_OK;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&desc, from, backend->engine, to,
                                                    backend->engine, attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&r->reorder.primitive, desc);
    if (status == dnnl_success)
        status = primitive_add_argument(&r->reorder, DNNL_ARG_TO, to);
    if (status == dnnl_success)
        status = primitive_add_argument(&r->reorder, DNNL_ARG_FROM, from);
    if (status == dnnl_success) {
        const dnnl_memory_desc_t *scratch =
            dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
        result = scratch_reserve(backend, dnnl_memory_desc_get_size(scratch), err);
        if (result == ANO_OK)
            status = primitive_add_argument(&r->reorder, DNNL_ARG_SCRATCHPAD, scratch);
    }
    if (desc != NULL)
        dnnl_primitive_desc_destroy(desc);
    if (attributes != NULL)
        dnnl_primitive_attr_destroy(attributes);
    return status == dnnl_success ? result : dnnl_failed(err, status, "reorder of weights");
}

static const dnnl_memory_desc_t *argument_desc(const primitive *p, int argument)
{
    const dnnl_memory_desc_t *desc = NULL;
    for (int i = 0; i < p->n_arguments; i++)
        if (p->arguments[i].arg == argument)
            dnnl_memory_get_memory_desc(p->arguments[i].memory, &desc);
    return desc;
}

/* The four tensors of a convolution; activations NHWC, weights as the primitive likes. */
typedef struct direct_descs {
    dnnl_memory_desc_t src, weights, plain_weights, bias, dst;
    dnnl_dims_t strides, padding;
} direct_descs;

static dnnl_status_t direct_descs_init(direct_descs *d, nn_direct_shape s)
{
    const dnnl_dims_t src = {s.n, s.c_src, s.h, s.w}, dst = {s.n, s.c_dst, s.h, s.w};
    const dnnl_dims_t weights = {s.c_dst, s.c_src, s.kernel, s.kernel}, bias = {s.c_dst};
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&d->src, 4, src, dnnl_f32, dnnl_nhwc);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&d->dst, 4, dst, dnnl_f32, dnnl_nhwc);
    if (status == dnnl_success)
        status =
            dnnl_memory_desc_init_by_tag(&d->weights, 4, weights, dnnl_f32, dnnl_format_tag_any);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&d->plain_weights, 4, weights, dnnl_f32, dnnl_hwio);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&d->bias, 1, bias, dnnl_f32, dnnl_x);
    d->strides[0] = d->strides[1] = 1;
    d->padding[0] = d->padding[1] = s.kernel / 2;
    return status;
}

static ano_status direct_create_passes(nn_direct *conv, nn_backend *backend, direct_descs *d,
                                       unsigned passes, ano_error *err)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t hint = NULL;
    ano_status result = ANO_OK;
    dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &desc, dnnl_forward_training, dnnl_convolution_direct, &d->src, &d->weights, &d->bias,
        &d->dst, d->strides, d->padding, d->padding);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&hint, &desc, NULL, backend->engine, NULL);
    if (status == dnnl_success && (passes & NN_PASS_FORWARD)) {
        const int arguments[] = {DNNL_ARG_DST, DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS};
        result = primitive_create(&conv->forward, backend, &desc, NULL, arguments, 4,
                                  "convolution, forward", err);
        if (result == ANO_OK)
            result =
                weights_reorder_create(&conv->to_forward, backend, &d->plain_weights,
                                       argument_desc(&conv->forward, DNNL_ARG_WEIGHTS), true, err);
    }
    if (status == dnnl_success && result == ANO_OK && (passes & NN_PASS_BACKWARD_DATA)) {
        const int arguments[] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS};
        status = dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &d->src,
                                                          &d->weights, &d->dst, d->strides,
                                                          d->padding, d->padding);
        if (status == dnnl_success)
            result = primitive_create(&conv->backward_data, backend, &desc, hint, arguments, 3,
                                      "convolution, data gradient", err);
        if (status == dnnl_success && result == ANO_OK)
            result = weights_reorder_create(&conv->to_backward_data, backend, &d->plain_weights,
                                            argument_desc(&conv->backward_data, DNNL_ARG_WEIGHTS),
                                            true, err);
    }
    if (status == dnnl_success && result == ANO_OK && (passes & NN_PASS_BACKWARD_WEIGHTS)) {
        const int arguments[] = {DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS, DNNL_ARG_SRC,
                                 DNNL_ARG_DIFF_DST};
        status = dnnl_convolution_backward_weights_desc_init(
            &desc, dnnl_convolution_direct, &d->src, &d->weights, &d->bias, &d->dst, d->strides,
            d->padding, d->padding);
        if (status == dnnl_success)
            result = primitive_create(&conv->backward_weights, backend, &desc, hint, arguments, 4,
                                      "convolution, weight gradient", err);
        if (status == dnnl_success && result == ANO_OK)
            result = weights_reorder_create(
                &conv->from_backward_weights, backend, &d->plain_weights,
                argument_desc(&conv->backward_weights, DNNL_ARG_DIFF_WEIGHTS), false, err);
    }
    if (hint != NULL)
        dnnl_primitive_desc_destroy(hint);
    return status == dnnl_success ? result : dnnl_failed(err, status, "convolution");
}

ano_status nn_direct_create(nn_direct **out, nn_backend *backend, nn_direct_shape shape,
                            unsigned passes, ano_error *err)
{
    *out = NULL;
    nn_direct *conv = base_alloc(1, sizeof *conv);
    if (conv == NULL)
        return base_error_nomem(err, "convolution");
    conv->no_bias = base_alloc((size_t)shape.c_dst, sizeof(float));
    if (conv->no_bias == NULL) {
        nn_direct_free(conv);
        return base_error_nomem(err, "convolution");
    }
    direct_descs descs;
    const dnnl_status_t status = direct_descs_init(&descs, shape);
    const ano_status result = status == dnnl_success
                                  ? direct_create_passes(conv, backend, &descs, passes, err)
                                  : dnnl_failed(err, status, "convolution");
    if (result != ANO_OK) {
        nn_direct_free(conv);
        return result;
    }
    *out = conv;
    return ANO_OK;
}

ano_status nn_direct_forward(nn_direct *conv, float *dst, const float *src, const float *weights,
                             const float *bias, ano_error *err)
{
    weights_reorder *r = &conv->to_forward;
    const ano_status status =
        primitive_run(&r->reorder, (const void *[]){r->blocked, weights}, err);
    if (status != ANO_OK)
        return status;
    return primitive_run(
        &conv->forward, (const void *[]){dst, src, r->blocked, bias != NULL ? bias : conv->no_bias},
        err);
}

ano_status nn_direct_backward_data(nn_direct *conv, float *diff_src, const float *diff_dst,
                                   const float *weights, ano_error *err)
{
    weights_reorder *r = &conv->to_backward_data;
    const ano_status status =
        primitive_run(&r->reorder, (const void *[]){r->blocked, weights}, err);
    if (status != ANO_OK)
        return status;
    return primitive_run(&conv->backward_data, (const void *[]){diff_src, diff_dst, r->blocked},
                         err);
}

ano_status nn_direct_backward_weights(nn_direct *conv, float *diff_weights, float *diff_bias,
                                      const float *src, const float *diff_dst, ano_error *err)
{
    weights_reorder *r = &conv->from_backward_weights;
    const ano_status status = primitive_run(
        &conv->backward_weights, (const void *[]){r->blocked, diff_bias, src, diff_dst}, err);
    if (status != ANO_OK)
        return status;
    return primitive_run(&r->reorder, (const void *[]){diff_weights, r->blocked}, err);
}

void nn_direct_free(nn_direct *conv)
{
    if (conv == NULL)
        return;
    primitive_free(&conv->forward);
    primitive_free(&conv->backward_data);
    primitive_free(&conv->backward_weights);
    weights_reorder_free(&conv->to_forward);
    weights_reorder_free(&conv->to_backward_data);
    weights_reorder_free(&conv->from_backward_weights);
    base_free(conv->no_bias);
    base_free(conv);
}
