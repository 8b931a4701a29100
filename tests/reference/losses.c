/* Binary cross-entropy on logits and the residual of the latent search. */
#include "reference/reference.h"

#include <math.h>

/* -label · log σ(l) - (1 - label) · log(1 - σ(l)) = max(l, 0) - label · l + log(1 + e^-|l|),
 * which overflows for no l. */
double reference_cross_entropy(const double *logits, int n, double label)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += fmax(logits[i], 0) - label * logits[i] + log1p(exp(-fabs(logits[i])));
    return sum / n;
}

void reference_cross_entropy_backward(double *diff_logits, const double *logits, int n,
                                      double label)
{
    for (int i = 0; i < n; i++)
        diff_logits[i] = (1 / (1 + exp(-logits[i])) - label) / n;
}

double reference_residual(const double *x, const double *generated, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += fabs(x[i] - generated[i]);
    return sum;
}

void reference_residual_backward(double *diff_generated, const double *x, const double *generated,
                                 int n)
{
    for (int i = 0; i < n; i++)
        diff_generated[i] = (generated[i] > x[i]) - (generated[i] < x[i]);
}
