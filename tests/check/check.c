#include "check.h"

#include "base/random.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>

static void *zeros(size_t n, size_t size)
{
    void *values = calloc(n > 0 ? n : 1, size);
    if (values == NULL)
        abort();
    return values;
}

double *check_doubles(int n)
{
    return zeros((size_t)n, sizeof(double));
}

float *check_floats(int n)
{
    return zeros((size_t)n, sizeof(float));
}

void check_random(double *dst, int n, uint64_t stream)
{
    float *values = check_floats(n);
    base_random_uniform(values, (size_t)n, -1, 1, (base_random){1, BASE_PURPOSE_TEST, stream});
    check_widen(dst, values, n);
    free(values);
}

void check_random_apart(double *dst, int n, uint64_t stream)
{
    size_t *order = zeros((size_t)n, sizeof *order);
    base_random_permutation(order, (size_t)n, (base_random){1, BASE_PURPOSE_TEST, stream});
    for (int i = 0; i < n; i++)
        dst[i] = (2 * (double)order[i] - n + 0.5) / n;
    free(order);
}

void check_narrow(float *dst, const double *src, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = (float)src[i];
}

void check_widen(double *dst, const float *src, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = src[i];
}

void check_absolute(double *dst, const double *src, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = fabs(src[i]);
}

double check_greatest(const double *src, int n)
{
    double greatest = 0;
    for (int i = 0; i < n; i++)
        greatest = fmax(greatest, fabs(src[i]));
    return greatest;
}

double check_length(const double *src, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += src[i] * src[i];
    return sqrt(sum);
}

void check_close(const char *what, const float *got, const double *expected,
                 const double *tolerance, int n)
{
    int n_wrong = 0, worst = 0;
    double worst_excess = 0;
    for (int i = 0; i < n; i++) {
        const double difference = fabs(got[i] - expected[i]);
        if (difference <= tolerance[i])
            continue;
        n_wrong++;
        const double excess = isnan(difference) ? INFINITY : difference / tolerance[i];
        if (excess > worst_excess) {
            worst_excess = excess;
            worst = i;
        }
    }
    if (n_wrong > 0)
        fail_msg(
            "%s: %d of %d wrong; at %d expected %.9g, got %.9g (difference %.3g, allowed %.3g)",
            what, n_wrong, n, worst, expected[worst], (double)got[worst],
            fabs(got[worst] - expected[worst]), tolerance[worst]);
}

void check_distance(const char *what, const float *got, const double *expected, int n, double share)
{
    const double length = check_length(expected, n);
    double distance = 0;
    for (int i = 0; i < n; i++)
        distance += pow((double)got[i] - expected[i], 2);
    if (!(sqrt(distance) <= share * length))
        fail_msg("%s: %g off, of a length of %g", what, sqrt(distance), length);
}

void check_tolerance(double *tolerance, const double *magnitude, int n, double factor)
{
    for (int i = 0; i < n; i++)
        tolerance[i] = factor * fabs(magnitude[i]);
}

double check_sum_error(int length)
{
    return FLT_EPSILON / 2 * fmin(length + 1, 8 * sqrt(length + 1));
}

double check_net_error(const nn_net *net, int batch)
{
    double square = 0;
    for (int i = 0; i < net->n_layers; i++) {
        const nn_layer *layer = &net->layers[i];
        if (layer->n_tensors == 0)
            continue;
        const int terms = (int)net->tensors[layer->first_tensor].size / layer->dst.c;
        const int pixels = batch * layer->dst.h * layer->dst.w;
        square += pow(check_sum_error(terms), 2) + pow(check_sum_error(pixels), 2);
    }
    return sqrt(square);
}

double check_penalty_amplification(const double *g, int n, int size)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, 1 + 1 / fabs(check_length(g + i * size, size) - 1));
    return most;
}
