/* Leaky ReLU and tanh. */
#include "reference/reference.h"

#include <math.h>

void reference_leaky_relu(double *dst, const double *src, int n, double slope)
{
    for (int i = 0; i < n; i++)
        dst[i] = src[i] > 0 ? src[i] : slope * src[i];
}

void reference_leaky_relu_backward(double *diff_src, const double *diff_dst, const double *src,
                                   int n, double slope)
{
    for (int i = 0; i < n; i++)
        diff_src[i] = src[i] > 0 ? diff_dst[i] : slope * diff_dst[i];
}

void reference_tanh(double *dst, const double *src, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = tanh(src[i]);
}

void reference_tanh_backward(double *diff_src, const double *diff_dst, const double *dst, int n)
{
    for (int i = 0; i < n; i++)
        diff_src[i] = diff_dst[i] * (1 - dst[i] * dst[i]);
}
