/* oneDNN behind two plain things: a matrix product and a convolution. Only onednn.c knows
 * the library's API, so that its version 3 is a change of one file. */
#ifndef NN_ONEDNN_H
#define NN_ONEDNN_H

#include "base/error.h"

#include <stdbool.h>

/* An engine, a stream and one piece of scratch memory for all primitives made with it. Used by one
 * thread at a time; made, and its primitives run, under the same number of OpenMP threads. */
typedef struct nn_backend nn_backend;

ano_status nn_backend_create(nn_backend **out, ano_error *err);
void nn_backend_free(nn_backend *backend);

/* dst = A · B (+ bias): A [m][k] and B [k][n] with any strides, in floats, dst [m][n]. */
typedef struct nn_matmul_shape {
    int m, n, k;
    int a_row, a_column;
    int b_row, b_column;
    bool bias; /* bias [n] is added to each row */
} nn_matmul_shape;

typedef struct nn_matmul nn_matmul;

ano_status nn_matmul_create(nn_matmul **out, nn_backend *backend, nn_matmul_shape shape,
                            ano_error *err);
ano_status nn_matmul_run(nn_matmul *matmul, float *dst, const float *a, const float *b,
                         const float *bias, ano_error *err);
void nn_matmul_free(nn_matmul *matmul);

/* Convolution of stride 1 with zero padding that keeps the size ("same"), kernel odd. Activations
 * [n][h][w][c] (NHWC), weights [kernel][kernel][c_src][c_dst] (HWIO). */
typedef struct nn_direct_shape {
    int n, h, w, c_src, c_dst, kernel;
} nn_direct_shape;

enum { NN_PASS_FORWARD = 1, NN_PASS_BACKWARD_DATA = 2, NN_PASS_BACKWARD_WEIGHTS = 4 };

typedef struct nn_direct nn_direct;

/* `passes` says which of the three will be run. */
ano_status nn_direct_create(nn_direct **out, nn_backend *backend, nn_direct_shape shape,
                            unsigned passes, ano_error *err);
/* bias NULL: none. */
ano_status nn_direct_forward(nn_direct *conv, float *dst, const float *src, const float *weights,
                             const float *bias, ano_error *err);
ano_status nn_direct_backward_data(nn_direct *conv, float *diff_src, const float *diff_dst,
                                   const float *weights, ano_error *err);
ano_status nn_direct_backward_weights(nn_direct *conv, float *diff_weights, float *diff_bias,
                                      const float *src, const float *diff_dst, ano_error *err);
void nn_direct_free(nn_direct *conv);

#endif
