/* The plain twin of an nn_net with its pass: the same layers and numbers, run by the reference
 * operations in double precision. */
#ifndef TWIN_H
#define TWIN_H

#include "nn/net.h"

#include <stdbool.h>

typedef struct twin_layer {
    double *dst, *diff_dst;  /* of the last forward and backward */
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

#endif
