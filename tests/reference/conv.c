/* Convolution (in the field's sense: the kernel is not flipped) and its transpose with
 * kernel = stride. */
#include "reference/reference.h"

#include <string.h>

/* Where pixel (y, x) of image i begins. */
static int pixel(reference_images images, int i, int y, int x)
{
    return ((i * images.height + y) * images.width + x) * images.channels;
}

static int inside(reference_images images, int y, int x)
{
    return y >= 0 && y < images.height && x >= 0 && x < images.width;
}

static void zero(double *values, int n)
{
    memset(values, 0, (size_t)n * sizeof *values);
}

void reference_conv(double *dst, const double *src, const double *kernel, const double *bias,
                    reference_images images, int n_out, int size)
{
    const int n_in = images.channels, margin = size / 2;
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height; y++)
            for (int x = 0; x < images.width; x++)
                for (int o = 0; o < n_out; o++) {
                    double sum = bias[o];
                    for (int ky = 0; ky < size; ky++)
                        for (int kx = 0; kx < size; kx++) {
                            const int sy = y + ky - margin, sx = x + kx - margin;
                            if (!inside(images, sy, sx))
                                continue;
                            const double *s = src + pixel(images, i, sy, sx);
                            const double *k = kernel + (ky * size + kx) * n_in * n_out;
                            for (int c = 0; c < n_in; c++)
                                sum += s[c] * k[c * n_out + o];
                        }
                    *dst++ = sum;
                }
}

void reference_conv_backward(double *diff_src, double *diff_kernel, double *diff_bias,
                             const double *diff_dst, const double *src, const double *kernel,
                             reference_images images, int n_out, int size)
{
    const int n_in = images.channels, margin = size / 2;
    zero(diff_src, images.n * images.height * images.width * n_in);
    zero(diff_kernel, size * size * n_in * n_out);
    zero(diff_bias, n_out);
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height; y++)
            for (int x = 0; x < images.width; x++)
                for (int o = 0; o < n_out; o++) {
                    const double diff = *diff_dst++;
                    diff_bias[o] += diff;
                    for (int ky = 0; ky < size; ky++)
                        for (int kx = 0; kx < size; kx++) {
                            const int sy = y + ky - margin, sx = x + kx - margin;
                            if (!inside(images, sy, sx))
                                continue;
                            const int s = pixel(images, i, sy, sx);
                            const int k = (ky * size + kx) * n_in * n_out;
                            for (int c = 0; c < n_in; c++) {
                                diff_src[s + c] += diff * kernel[k + c * n_out + o];
                                diff_kernel[k + c * n_out + o] += diff * src[s + c];
                            }
                        }
                }
}

void reference_conv_transpose(double *dst, const double *src, const double *kernel,
                              const double *bias, reference_images images, int n_out, int size)
{
    const int n_in = images.channels;
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height * size; y++)
            for (int x = 0; x < images.width * size; x++)
                for (int o = 0; o < n_out; o++) {
                    const double *s = src + pixel(images, i, y / size, x / size);
                    const double *k = kernel + ((y % size * size + x % size) * n_out + o) * n_in;
                    double sum = bias[o];
                    for (int c = 0; c < n_in; c++)
                        sum += s[c] * k[c];
                    *dst++ = sum;
                }
}

void reference_conv_transpose_backward(double *diff_src, double *diff_kernel, double *diff_bias,
                                       const double *diff_dst, const double *src,
                                       const double *kernel, reference_images images, int n_out,
                                       int size)
{
    const int n_in = images.channels;
    zero(diff_src, images.n * images.height * images.width * n_in);
    zero(diff_kernel, size * size * n_out * n_in);
    zero(diff_bias, n_out);
    for (int i = 0; i < images.n; i++)
        for (int y = 0; y < images.height * size; y++)
            for (int x = 0; x < images.width * size; x++)
                for (int o = 0; o < n_out; o++) {
                    const double diff = *diff_dst++;
                    const int s = pixel(images, i, y / size, x / size);
                    const int k = ((y % size * size + x % size) * n_out + o) * n_in;
                    diff_bias[o] += diff;
                    for (int c = 0; c < n_in; c++) {
                        diff_src[s + c] += diff * kernel[k + c];
                        diff_kernel[k + c] += diff * src[s + c];
                    }
                }
}
