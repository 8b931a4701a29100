#include "nn/loss.h"

#include <math.h>

double nn_binary_cross_entropy(float *diff, double *probability, const float *logits, size_t n,
                               float label, float weight)
{
    double loss = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = logits[i];
        const double sigmoid = x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
        loss += fmax(x, 0) - x * (double)label + log1p(exp(-fabs(x)));
        sum += sigmoid;
        diff[i] = (float)(sigmoid - (double)label) * weight;
    }
    *probability = sum;
    return loss;
}

double nn_softmax_cross_entropy(float *diff, const float *logits, size_t n, size_t label,
                                float weight)
{
    size_t highest = 0;
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[highest])
            highest = i;
    const double top = logits[highest];
    double others = 0; /* Σ e^(x - top) over all but the highest, which is 1 */
    for (size_t i = 0; i < n; i++)
        if (i != highest)
            others += exp((double)logits[i] - top);
    for (size_t i = 0; i < n && diff != NULL; i++) {
        const double probability = exp((double)logits[i] - top) / (1 + others);
        diff[i] = (float)(probability - (i == label)) * weight;
    }
    return top - (double)logits[label] + log1p(others);
}

double nn_wasserstein(float *diff, const float *outputs, size_t n, float side, float weight)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        loss -= (double)side * (double)outputs[i];
        diff[i] = -side * weight;
    }
    return loss;
}

double nn_hinge(float *diff, const float *outputs, size_t n, float side, float weight)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        const double missing = 1 - (double)side * (double)outputs[i];
        loss += fmax(missing, 0);
        diff[i] = missing > 0 ? -side * weight : 0;
    }
    return loss;
}

double nn_binary_cross_entropy_mean(float *diff, const float *logits, const float *labels, size_t n)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        double probability;
        loss +=
            nn_binary_cross_entropy(&diff[i], &probability, &logits[i], 1, labels[i], 1 / (float)n);
    }
    return loss / (double)n;
}

double nn_residual(float *diff, const float *x, const float *generated, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float difference = x[i] - generated[i];
        sum += (double)fabsf(difference);
        if (diff != NULL)
            diff[i] = difference > 0 ? -1.0f : difference < 0 ? 1.0f : 0.0f;
    }
    return sum;
}
