/* Dense: dst = src · kernel + bias. */
#include "reference/reference.h"

#include <string.h>

void reference_dense(double *dst, const double *src, const double *kernel, const double *bias,
                     int n, int n_in, int n_out)
{
    for (int i = 0; i < n; i++)
        for (int o = 0; o < n_out; o++) {
            double sum = bias[o];
            for (int c = 0; c < n_in; c++)
                sum += src[i * n_in + c] * kernel[c * n_out + o];
            dst[i * n_out + o] = sum;
        }
}

void reference_dense_backward(double *diff_src, double *diff_kernel, double *diff_bias,
                              const double *diff_dst, const double *src, const double *kernel,
                              int n, int n_in, int n_out)
{
    memset(diff_src, 0, (size_t)(n * n_in) * sizeof *diff_src);
    memset(diff_kernel, 0, (size_t)(n_in * n_out) * sizeof *diff_kernel);
    memset(diff_bias, 0, (size_t)n_out * sizeof *diff_bias);
    for (int i = 0; i < n; i++)
        for (int o = 0; o < n_out; o++) {
            const double diff = diff_dst[i * n_out + o];
            diff_bias[o] += diff;
            for (int c = 0; c < n_in; c++) {
                diff_src[i * n_in + c] += diff * kernel[c * n_out + o];
                diff_kernel[c * n_out + o] += diff * src[i * n_in + c];
            }
        }
}
