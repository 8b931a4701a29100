#include "detect/support.h"

#include <math.h>
#include <string.h>

/* The largest |z / r| that artanh is taken of: a search that began where tanh is flat would stay.
 */
#define MOST_OF_TANH 0.99f

void detect_support_begin(float *unknowns, const float *z0, size_t n, detect_support support)
{
    const float range = model_prior_range(support.prior);
    memcpy(unknowns, z0, n * sizeof *unknowns);
    for (size_t i = 0; i < n && support.clip == ANO_CLIP_TANH; i++)
        unknowns[i] = range * atanhf(fminf(fmaxf(z0[i] / range, -MOST_OF_TANH), MOST_OF_TANH));
}

void detect_support_z(float *z, const float *unknowns, size_t n, detect_support support)
{
    const float range = model_prior_range(support.prior);
    for (size_t i = 0; i < n; i++)
        z[i] = support.clip == ANO_CLIP_TANH ? range * tanhf(unknowns[i] / range) : unknowns[i];
}

void detect_support_backward(float *diff_unknowns, const float *diff_z, const float *z, size_t n,
                             detect_support support)
{
    const float range = model_prior_range(support.prior);
    for (size_t i = 0; i < n; i++) {
        const float share = z[i] / range;
        diff_unknowns[i] =
            support.clip == ANO_CLIP_TANH ? diff_z[i] * (1 - share * share) : diff_z[i];
    }
}

void detect_support_keep(float *unknowns, size_t n, detect_support support, base_random random)
{
    const float range = model_prior_range(support.prior);
    for (size_t i = 0; i < n; i++) {
        if (support.clip == ANO_CLIP_TANH || fabsf(unknowns[i]) <= range)
            continue;
        if (support.clip == ANO_CLIP_STOCHASTIC)
            unknowns[i] = model_prior_number(i, support.prior, random);
        if (!(fabsf(unknowns[i]) <= range))
            unknowns[i] = copysignf(range, unknowns[i]);
    }
}
