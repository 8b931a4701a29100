#include "nn/adam.h"

#include "base/memory.h"
#include "kernels/kernels.h"

#include <math.h>

ano_status nn_adam_init(nn_adam *adam, size_t n, double rate, double beta1, double beta2,
                        ano_error *err)
{
    *adam = (nn_adam){.rate = rate, .beta1 = beta1, .beta2 = beta2, .n = n};
    adam->m = base_alloc(n, sizeof(float));
    adam->v = base_alloc(n, sizeof(float));
    return adam->m != NULL && adam->v != NULL ? ANO_OK : base_error_nomem(err, "Adam's moments");
}

void nn_adam_clear(nn_adam *adam)
{
    base_free(adam->m);
    base_free(adam->v);
    *adam = (nn_adam){0};
}

double nn_adam_rate(double rate, double beta1, double beta2, uint64_t t)
{
    return rate * sqrt(1 - pow(beta2, (double)t)) / (1 - pow(beta1, (double)t));
}

void nn_adam_step(nn_adam *adam, float *parameters, const float *gradients)
{
    enum { BLOCK = 4096 };
    adam->steps++;
    const kernels *k = kernels_get();
    const kernels_adam_step step = {
        .rate = (float)nn_adam_rate(adam->rate, adam->beta1, adam->beta2, adam->steps),
        .share1 = (float)(1 - adam->beta1),
        .share2 = (float)(1 - adam->beta2),
        .epsilon = (float)NN_ADAM_EPSILON,
    };
#pragma omp parallel for schedule(static)
    for (size_t first = 0; first < adam->n; first += BLOCK) {
        const size_t n = adam->n - first < BLOCK ? adam->n - first : BLOCK;
        k->adam(parameters + first, adam->m + first, adam->v + first, gradients + first, n, step);
    }
}
