/* Batch norm over the rows of a matrix, from the steps that have kernels of their own. */
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

void reference_column_sum(double *sum, const double *src, int rows, int channels)
{
    for (int c = 0; c < channels; c++) {
        sum[c] = 0;
        for (int r = 0; r < rows; r++)
            sum[c] += src[r * channels + c];
    }
}

void reference_column_deviation(double *sum, const double *src, const double *mean, int rows,
                                int channels)
{
    for (int c = 0; c < channels; c++) {
        sum[c] = 0;
        for (int r = 0; r < rows; r++)
            sum[c] += pow(src[r * channels + c] - mean[c], 2);
    }
}

void reference_column_affine(double *dst, const double *src, const double *mean,
                             const double *scale, const double *shift, int rows, int channels)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++)
            dst[r * channels + c] = (src[r * channels + c] - mean[c]) * scale[c] + shift[c];
}

void reference_batch_norm_sums(double *sum_diff, double *sum_product, const double *diff_dst,
                               const double *src, const double *mean,
                               const double *inverse_deviation, int rows, int channels)
{
    for (int c = 0; c < channels; c++) {
        sum_diff[c] = sum_product[c] = 0;
        for (int r = 0; r < rows; r++) {
            const int i = r * channels + c;
            sum_diff[c] += diff_dst[i];
            sum_product[c] += diff_dst[i] * (src[i] - mean[c]) * inverse_deviation[c];
        }
    }
}

void reference_batch_norm_diff_src(double *diff_src, const double *diff_dst, const double *src,
                                   const double *mean, const double *inverse_deviation,
                                   const double *scale, const double *mean_diff,
                                   const double *mean_product, int rows, int channels)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++) {
            const int i = r * channels + c;
            const double normal = (src[i] - mean[c]) * inverse_deviation[c];
            diff_src[i] = scale[c] * (diff_dst[i] - mean_diff[c] - normal * mean_product[c]);
        }
}

static double *numbers(int n)
{
    double *values = calloc((size_t)n, sizeof *values);
    if (values == NULL)
        abort();
    return values;
}

static void inverse_deviations(double *dst, const double *variance, int channels)
{
    for (int c = 0; c < channels; c++)
        dst[c] = 1 / sqrt(variance[c] + REFERENCE_BATCH_NORM_EPSILON);
}

void reference_batch_norm_training(double *dst, double *mean, double *variance, const double *src,
                                   const double *gamma, const double *beta, int rows, int channels)
{
    reference_column_sum(mean, src, rows, channels);
    for (int c = 0; c < channels; c++)
        mean[c] /= rows;
    reference_column_deviation(variance, src, mean, rows, channels);
    for (int c = 0; c < channels; c++)
        variance[c] /= rows;
    reference_batch_norm_inference(dst, src, mean, variance, gamma, beta, rows, channels);
}

void reference_batch_norm_training_backward(double *diff_src, double *diff_gamma, double *diff_beta,
                                            const double *diff_dst, const double *src,
                                            const double *mean, const double *variance,
                                            const double *gamma, int rows, int channels)
{
    double *inverse_deviation = numbers(channels), *scale = numbers(channels);
    double *mean_diff = numbers(channels), *mean_product = numbers(channels);
    inverse_deviations(inverse_deviation, variance, channels);
    reference_batch_norm_sums(diff_beta, diff_gamma, diff_dst, src, mean, inverse_deviation, rows,
                              channels);
    for (int c = 0; c < channels; c++) {
        scale[c] = gamma[c] * inverse_deviation[c];
        mean_diff[c] = diff_beta[c] / rows;
        mean_product[c] = diff_gamma[c] / rows;
    }
    reference_batch_norm_diff_src(diff_src, diff_dst, src, mean, inverse_deviation, scale,
                                  mean_diff, mean_product, rows, channels);
    free(inverse_deviation);
    free(scale);
    free(mean_diff);
    free(mean_product);
}

void reference_batch_norm_inference(double *dst, const double *src, const double *mean,
                                    const double *variance, const double *gamma, const double *beta,
                                    int rows, int channels)
{
    double *scale = numbers(channels);
    inverse_deviations(scale, variance, channels);
    for (int c = 0; c < channels; c++)
        scale[c] *= gamma[c];
    reference_column_affine(dst, src, mean, scale, beta, rows, channels);
    free(scale);
}

void reference_batch_norm_inference_backward(double *diff_src, double *diff_gamma,
                                             double *diff_beta, const double *diff_dst,
                                             const double *src, const double *mean,
                                             const double *variance, const double *gamma, int rows,
                                             int channels)
{
    double *inverse_deviation = numbers(channels);
    inverse_deviations(inverse_deviation, variance, channels);
    reference_batch_norm_sums(diff_beta, diff_gamma, diff_dst, src, mean, inverse_deviation, rows,
                              channels);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < channels; c++)
            diff_src[r * channels + c] =
                diff_dst[r * channels + c] * gamma[c] * inverse_deviation[c];
    free(inverse_deviation);
}

void reference_batch_norm_move(double *moving, const double *batch, int channels)
{
    for (int c = 0; c < channels; c++)
        moving[c] = REFERENCE_BATCH_NORM_MOMENTUM * moving[c] +
                    (1 - REFERENCE_BATCH_NORM_MOMENTUM) * batch[c];
}
