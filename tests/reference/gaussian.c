#include "reference.h"

#include <math.h>

void reference_gaussian_sample(double *z, const double *code, const double *noise, int latent)
{
    for (int i = 0; i < latent; i++)
        z[i] = code[i] + sqrt(exp(code[latent + i])) * noise[i];
}

double reference_gaussian_divergence(const double *code, int latent)
{
    double sum = 0;
    for (int i = 0; i < latent; i++)
        sum += 0.5 * (code[i] * code[i] + exp(code[latent + i]) - code[latent + i] - 1);
    return sum;
}

void reference_gaussian_backward(double *diff_code, const double *diff_z, const double *code,
                                 const double *noise, int latent, double weight)
{
    for (int i = 0; i < latent; i++) {
        const double variance = exp(code[latent + i]);
        diff_code[i] = diff_z[i] + weight * code[i];
        diff_code[latent + i] =
            0.5 * diff_z[i] * sqrt(variance) * noise[i] + 0.5 * weight * (variance - 1);
    }
}
