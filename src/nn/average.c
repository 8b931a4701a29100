#include "nn/average.h"

/* As a move by a share of the difference, which leaves equal numbers as they are. */
static void move(float *average, const float *values, size_t n, float share)
{
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < n; i++)
        average[i] += share * (values[i] - average[i]);
}

void nn_average_step(nn_net *average, const nn_net *net, double decay)
{
    const float share = (float)(1 - decay);
    move(average->parameters, net->parameters, net->n_parameters, share);
    move(average->statistics, net->statistics, net->n_statistics, share);
}
