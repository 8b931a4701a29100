/* The plain twin of an nn_net with its pass: the same layers and numbers, run by the reference
 * operations in double precision. */
#ifndef TWIN_H
#define TWIN_H

#include "nn/net.h"

#include <stdbool.h>

typedef struct twin_layer {
    double *dst, *diff_dst;  /* of the last forward and backward */
    double *tangent;         /* dst's derivative of the last twin_tangent() */
    double *mean, *variance; /* batch norm's */
    int *argmax;             /* max pool's */
} twin_layer;

typedef struct twin {
    const nn_net *net;
    int n;
    bool training;
    double *parameters, *statistics; /* laid out as the net's */
    double *gradients;               /* of the last backward; laid out as the parameters */
    double *src, *diff_src;
    twin_layer *layers;
} twin;

/* A twin with the net's numbers as they are, for batches of n. The net must outlive it. */
twin *twin_create(const nn_net *net, int n, bool training);
void twin_free(twin *t);

/* Both lend what they return. */
const double *twin_forward(twin *t, const double *src);
const double *twin_backward(twin *t, const double *diff_dst);

/* After both: with s = Σ tangent · diff_src, the gradient of s by the parameters into t->gradients,
 * and lends the derivative of dst in the direction `tangent` of src. Of dense and convolution
 * layers, leaky ReLUs, max pooling and reshapes. */
const double *twin_tangent(twin *t, const double *tangent);

/* How near the last forward came to a kink: the least distance of a leaky ReLU from 0, and of a
 * maximum from the next one, as a share of the root mean square of its layer's src. Where rounding
 * or a step goes no further, the net stays linear. */
double twin_distance_from_kinks(const twin *t);

/* Fails the test unless `gradients`, laid out as the parameters, are within `tolerance` of central
 * differences of the loss, a function of t->parameters, at some of each tensor's numbers. */
void twin_check_differences(twin *t, const double *gradients, double (*loss)(void *cookie),
                            void *cookie, double tolerance);

/* The step of those differences. Rounding to 2^-53 makes a loss off by some 1e-15 of it, a
 * difference by 5e-10; what the step itself makes of a smooth function is 1e-12 of it. */
#define TWIN_STEP 1e-6

#endif
