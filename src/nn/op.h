/* The layers' work inside a pass. Each kind of work has one file and one nn_op_kind in it; pass.c
 * lays their buffers end to end and calls them in order. An op does the work of one layer, of a
 * convolution with the leaky ReLU and the max pooling after it, of batch norm with the leaky ReLU
 * after it, or of a transposed convolution with the convolution after it. */
#ifndef NN_OP_H
#define NN_OP_H

#include "kernels/kernels.h"
#include "nn/net.h"
#include "nn/onednn.h"

typedef struct nn_op nn_op;

typedef struct nn_op_kind {
    /* Makes what the op needs, in op->own. */
    ano_status (*create)(nn_op *op, ano_error *err);
    ano_status (*forward)(nn_op *op, float *dst, const float *src, ano_error *err);
    /* `gradients` are those of the layer's own tensors, by nn_op_gradient(); NULL: not wanted.
     * diff_src is NULL where nobody wants it. */
    ano_status (*backward)(nn_op *op, float *diff_src, const float *diff_dst, const float *src,
                           const float *dst, float *gradients, ano_error *err);
    /* After forward, of which dst is: the derivative of dst in the direction of src_tangent, by the
     * linear map that forward was there. Then backward, with src_tangent as src, gives the weights'
     * gradient of Σ diff_dst · dst_tangent. NULL: the layer is no such map. */
    ano_status (*tangent)(nn_op *op, float *dst_tangent, const float *src_tangent, const float *dst,
                          ano_error *err);
    void (*destroy)(nn_op *op);
    bool in_place; /* forward and tangent may have dst == src: backward must do without src */
    bool is_view;  /* moves no number: dst is src */
} nn_op_kind;

struct nn_op {
    const nn_op_kind *kind;
    const nn_layer *layer; /* the first of them */
    int n_layers;          /* that the op does the work of */
    nn_shape dst;          /* of the last of them */
    const nn_net *net;
    const kernels *kernels;
    nn_backend *backend;
    int batch;
    unsigned uses; /* the pass's, without NN_DATA_GRADIENT where nothing before wants it */
    void *own;
};

/* The numbers of the layer's i-th tensor. */
const float *nn_op_tensor(const nn_op *op, int i);
/* Its place in the net's flat array of gradients. */
float *nn_op_gradient(const nn_op *op, float *gradients, int i);

extern const nn_op_kind nn_op_dense, nn_op_conv_direct, nn_op_conv_winograd, nn_op_conv_fft,
    nn_op_conv_thin, nn_op_upsample, nn_op_upsample_thin, nn_op_conv_transposed, nn_op_batch_norm,
    nn_op_leaky_relu, nn_op_tanh, nn_op_max_pool, nn_op_reshape;

#endif
