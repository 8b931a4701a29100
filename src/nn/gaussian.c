#include "nn/gaussian.h"

#include <math.h>

static float log_variance(const float *code, size_t latent, size_t i)
{
    return fminf(fmaxf(code[latent + i], -NN_LOG_VARIANCE), NN_LOG_VARIANCE);
}

void nn_gaussian_sample(float *z, const float *code, const float *noise, size_t latent)
{
    for (size_t i = 0; i < latent; i++)
        z[i] = code[i] + expf(log_variance(code, latent, i) / 2) * noise[i];
}

double nn_gaussian_divergence(const float *code, size_t latent)
{
    double sum = 0;
    for (size_t i = 0; i < latent; i++) {
        const double mean = code[i], log = log_variance(code, latent, i);
        sum += mean * mean + (expm1(log) - log); /* e^l - 1 - l keeps its digits where l is small */
    }
    return sum / 2;
}

void nn_gaussian_backward(float *diff_code, const float *diff_z, const float *code,
                          const float *noise, size_t latent, float weight)
{
    for (size_t i = 0; i < latent; i++) {
        const float log = log_variance(code, latent, i);
        const float by_log = (diff_z[i] * noise[i] * expf(log / 2) + weight * expm1f(log)) / 2;
        diff_code[i] = diff_z[i] + weight * code[i];
        diff_code[latent + i] = log == code[latent + i] ? by_log : 0;
    }
}
