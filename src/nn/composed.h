/* A transposed convolution T (2 × 2, stride 2) composed with the convolution K (k × k) after it.
 * Nothing non-linear stands between them, so that the pair is one linear map, exact up to rounding:
 * pixel 2i + d of its destination, along either axis, gets from source pixel i
 *     weights[d] = Σ T[a] · K[a - d] over a in {0, 1} with |a - d| ≤ k / 2,
 * which is for d in the window -k/2 … k/2 + 1. The biases become a map, since the convolution sees
 * zeros, not the transposed convolution's bias, out of the image. */
#ifndef NN_COMPOSED_H
#define NN_COMPOSED_H

#include "kernels/kernels.h"
#include "nn/net.h"

typedef struct nn_composed {
    const nn_layer *up, *conv;
    int window;                      /* k + 1 */
    size_t c_src, c_middle, c_dst;   /* c_src in whole vectors, KERNELS_COLUMNS */
    float *weights;                  /* [window][window][c_dst][c_src] */
    float *bias;                     /* [dst.h][dst.w][c_dst] */
    float *place_sums;               /* [c_dst], scratch */
    float *up_weights;               /* T, [2][2][c_middle][c_src] */
    float *diff_weights, *diff_bias; /* by the two above; NULL where not wanted */
    float *turned;                   /* T, [2][2][c_src][c_middle]; NULL likewise */
    float *product;                  /* a product on its way into a gradient; NULL likewise */
} nn_composed;

/* The layer i of a net, a transposed convolution, can be composed with the layer after it. */
bool nn_composed_can(const nn_net *net, int i);

/* Lays out the arrays; `trains`: those of the gradients too, for which c_src and c_middle must be
 * whole vectors. Errors: NOMEM. */
ano_status nn_composed_init(nn_composed *composed, const nn_layer *up, const nn_layer *conv,
                            bool trains, ano_error *err);
void nn_composed_clear(nn_composed *composed);

/* weights and bias from those of the two layers of the net. */
void nn_composed_compose(nn_composed *composed, const nn_net *net);

/* From diff_weights and diff_bias the gradients by the layers' own tensors, in the net's flat array
 * of gradients. After compose. */
void nn_composed_backward(nn_composed *composed, const nn_net *net, float *gradients);

#endif
