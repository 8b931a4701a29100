/* The losses of training, the gradient penalty, and the residual of the latent search. */
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

double reference_wasserstein(const double *outputs, int n, double side)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum -= side * outputs[i];
    return sum / n;
}

void reference_wasserstein_backward(double *diff_outputs, int n, double side)
{
    for (int i = 0; i < n; i++)
        diff_outputs[i] = -side / n;
}

static double softmax(const double *logits, int n, int label)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp(logits[i]);
    return exp(logits[label]) / sum;
}

double reference_softmax_cross_entropy(const double *logits, int n, int label)
{
    return -log(softmax(logits, n, label));
}

void reference_softmax_cross_entropy_backward(double *diff_logits, const double *logits, int n,
                                              int label)
{
    for (int i = 0; i < n; i++)
        diff_logits[i] = softmax(logits, n, i) - (i == label ? 1 : 0);
}

double reference_hinge(const double *outputs, int n, double side)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += fmax(0, 1 - side * outputs[i]);
    return sum / n;
}

void reference_hinge_backward(double *diff_outputs, const double *outputs, int n, double side)
{
    for (int i = 0; i < n; i++)
        diff_outputs[i] = side * outputs[i] < 1 ? -side / n : 0;
}

static double norm(const double *vector, int size)
{
    double sum = 0;
    for (int i = 0; i < size; i++)
        sum += vector[i] * vector[i];
    return sqrt(sum);
}

double reference_penalty(const double *vectors, int n, int size, double weight)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += pow(norm(vectors + i * size, size) - 1, 2);
    return weight * sum / n;
}

void reference_penalty_backward(double *diff_vectors, const double *vectors, int n, int size,
                                double weight)
{
    for (int i = 0; i < n; i++) {
        const double length = norm(vectors + i * size, size);
        for (int k = 0; k < size; k++)
            diff_vectors[i * size + k] =
                2 * weight / n * (length - 1) * vectors[i * size + k] / length;
    }
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
