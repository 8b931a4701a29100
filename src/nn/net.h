/* Sequential networks: what the layers are, their numbers, and passes over a batch.
 *
 * nn_net is the architecture with its parameters; nn_pass is everything that one batch size and
 * one use need besides: activations, gradients' buffers, oneDNN primitives, scratch. A net may be
 * shared by many passes. Nothing is allocated after a pass is made.
 *
 * Activations are float32 NHWC. Parameters lie in one flat array, so that the optimiser is one loop
 * over (parameters, gradients, moments); the moving statistics of batch norm lie in another.
 * Layouts and defaults are Keras's: dense kernels [in][out], convolutions [kh][kw][in][out],
 * transposed convolutions [kh][kw][out][in]. */
#ifndef NN_NET_H
#define NN_NET_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum nn_kind {
    NN_DENSE,           /* channels = units; the source is flattened */
    NN_CONV,            /* channels, kernel (odd); stride 1, zero padding, same size */
    NN_CONV_TRANSPOSED, /* channels, kernel = stride: every source pixel makes its own block */
    NN_BATCH_NORM,      /* over all but the last dimension */
    NN_LEAKY_RELU,      /* slope; 0 is ReLU */
    NN_TANH,
    NN_MAX_POOL, /* kernel = stride */
    NN_RESHAPE   /* shape */
} nn_kind;

typedef struct nn_shape {
    int h, w, c;
} nn_shape;

/* One line of a network's description; the fields that its kind does not use are 0. */
typedef struct nn_layer_spec {
    nn_kind kind;
    const char *name; /* unique in its net; copied */
    int channels;
    int kernel;
    float slope;
    nn_shape shape;
} nn_layer_spec;

enum { NN_NAME_SIZE = 32, NN_TENSOR_NAME_SIZE = 48, NN_MAX_DIMS = 4 };

/* A named array in a net's parameters (trainable) or statistics. */
typedef struct nn_tensor {
    char name[NN_TENSOR_NAME_SIZE]; /* "conv_1.kernel" */
    int n_dims;
    size_t dims[NN_MAX_DIMS];
    size_t size;   /* product of dims */
    size_t offset; /* in parameters or statistics */
    bool trainable;
} nn_tensor;

/* How a convolution is computed. The results differ in rounding. */
typedef enum nn_conv_method {
    NN_CONV_DIRECT,   /* by oneDNN */
    NN_CONV_WINOGRAD, /* by src/kernels/winograd.c */
    NN_CONV_FFT,      /* by src/kernels/fft.c: small images */
    NN_CONV_THIN,     /* by src/kernels/conv_thin.c: few channels on one side */
    NN_CONV_COMPOSED  /* as one with the transposed convolution before it: src/nn/composed.h */
} nn_conv_method;

typedef struct nn_layer {
    nn_kind kind;
    nn_conv_method method; /* of a convolution; may be changed as long as there is no pass */
    char name[NN_NAME_SIZE];
    nn_shape src, dst;
    int kernel;
    float slope;
    int first_tensor, n_tensors; /* dense, conv: kernel, bias; batch norm: gamma, beta,
                                    moving_mean, moving_variance */
} nn_layer;

typedef struct nn_net {
    int n_layers;
    nn_layer *layers;
    int n_tensors;
    nn_tensor *tensors;
    nn_shape src, dst;
    size_t n_parameters, n_statistics;
    float *parameters, *statistics;
} nn_net;

/* Batch norm's constants, Keras's defaults. */
#define NN_BATCH_NORM_MOMENTUM 0.99f
#define NN_BATCH_NORM_EPSILON 1e-3f

/* Checks the specs against each other, lays out the tensors; all numbers are zero.
 * Errors: SHAPE (names the layer), NOMEM. */
ano_status nn_net_create(nn_net **out, nn_shape src, const nn_layer_spec *specs, int n_specs,
                         ano_error *err);
/* Its two halves, the second of which does nothing where there are numbers: for a file's network,
 * whose numbers get memory when the file is known to have them. */
ano_status nn_net_lay_out(nn_net **out, nn_shape src, const nn_layer_spec *specs, int n_specs,
                          ano_error *err);
ano_status nn_net_allocate(nn_net *net, ano_error *err);
void nn_net_free(nn_net *net);

/* Keras's initialisation: kernels Glorot uniform, ±√(6 / (fan in + fan out)) (X. Glorot,
 * Y. Bengio, AISTATS 2010), gamma and moving variance 1, all else 0. */
void nn_net_initialise(nn_net *net, uint64_t seed, base_purpose purpose);

/* The tensor's numbers, in parameters or statistics. */
float *nn_net_data(const nn_net *net, const nn_tensor *tensor);
/* The tensor of that name, NULL when there is none. */
const nn_tensor *nn_net_find(const nn_net *net, const char *name);

size_t nn_shape_size(nn_shape shape);

/* The first n_layers of a net as a net, which shares its numbers and layers and is not freed. */
nn_net nn_net_head(const nn_net *net, int n_layers);

/* ---- passes ------------------------------------------------------------------------------- */

typedef struct nn_pass nn_pass;

enum {
    NN_TRAINING = 1,         /* batch norm by the batch's statistics, moving ones updated */
    NN_DATA_GRADIENT = 2,    /* backward gives the gradient of the source */
    NN_WEIGHT_GRADIENTS = 4, /* backward gives the gradients of the parameters */
    NN_SECOND_ORDER = 8,     /* nn_pass_tangent(); implies both gradients */
    NN_FROZEN = 16, /* the net's numbers stay as they are: what is made of them is made once */
};

/* `uses` is a sum of the flags above; with neither gradient there is no backward pass. The net must
 * outlive the pass. Make and run under the same number of OpenMP threads, by one thread at a time.
 * Without NN_TRAINING the net is only read. Errors: NOMEM, BACKEND, UNSUPPORTED (NN_SECOND_ORDER of
 * a layer that nn_pass_tangent() does not have; names it). */
ano_status nn_pass_create(nn_pass **out, const nn_net *net, int batch, unsigned uses,
                          ano_error *err);
void nn_pass_free(nn_pass *pass);

/* src [batch][src.h][src.w][src.c] must stay as it is until backward is done. *dst is lent until
 * the next forward. */
ano_status nn_pass_forward(const float **dst, nn_pass *pass, const float *src, ano_error *err);

/* After a forward: from the gradient of the loss by dst, the gradient by every parameter into
 * `gradients` [n_parameters] (overwritten; NULL where not wanted or without NN_WEIGHT_GRADIENTS)
 * and the gradient by src into *diff_src (lent until the next call; NULL without NN_DATA_GRADIENT).
 */
ano_status nn_pass_backward(const float **diff_src, nn_pass *pass, const float *diff_dst,
                            float *gradients, ano_error *err);

/* After a backward of a pass with NN_SECOND_ORDER, whose src and diff_dst are as they were: with
 * s = Σ tangent · diff_src, the gradient of s by every parameter into `gradients` (overwritten),
 * and the derivative of dst in the direction `tangent` [batch][src], for which Σ diff_dst · *dst =
 * s, into *dst (lent until the next call).
 *
 * For nets of dense and convolution layers, leaky ReLUs, max pooling and reshapes, which are linear
 * but for what their signs and maxima choose: there the second derivative by src is zero, and s is
 * a product of the layers' weights. So the gradient is exact, that by the biases 0, wherever the
 * choices hold still; on a kink it is that of the side that forward took. */
ano_status nn_pass_tangent(const float **dst, nn_pass *pass, const float *tangent, float *gradients,
                           ano_error *err);

#endif
