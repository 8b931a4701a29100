/* What a convolution of our own does after its sums: bias and, where the op has them, leaky ReLU
 * and max pooling. Forward is the kernels' (kernels_epilogue); this is what they need kept, and the
 * way back. */
#ifndef NN_EPILOGUE_H
#define NN_EPILOGUE_H

#include "nn/op.h"

typedef struct nn_epilogue {
    uint8_t *argmax;    /* [batch][dst], with pooling */
    float *diff_pooled; /* [batch][dst]: by the largest sum of each window */
    float *bias_sums;   /* [batch][channels] */
} nn_epilogue;

ano_status nn_epilogue_init(nn_epilogue *epilogue, const nn_op *op, ano_error *err);
void nn_epilogue_clear(nn_epilogue *epilogue);

/* As the kernels take it. */
kernels_epilogue nn_epilogue_forward(const nn_epilogue *epilogue, const nn_op *op);

/* The gradient by the convolution's sums of image i, [layer's dst], from that by the op's
 * destination, [batch][dst]: `diff`, or where the op is the convolution alone, diff_dst's. */
const float *nn_epilogue_backward(nn_epilogue *epilogue, const nn_op *op, float *diff,
                                  const float *diff_dst, const float *dst, int i);

/* The derivative of the op's destination of image i, [batch][dst], from that of the convolution's
 * sums, `sums` [layer's dst], of an op with more than the convolution. argmax [batch][dst] as
 * forward left it; NULL without pooling. */
void nn_epilogue_tangent(float *dst_tangent, const nn_op *op, const float *sums, const float *dst,
                         const uint8_t *argmax, int i);

/* The gradient by the bias, after the above of every image. */
void nn_epilogue_diff_bias(nn_epilogue *epilogue, const nn_op *op, float *diff_bias);

#endif
