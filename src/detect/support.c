#include "detect/support.h"

#include <math.h>
#include <string.h>

/* The largest |z| that artanh is taken of: a search that began where tanh is flat would stay. */
#define MOST_OF_TANH 0.99f

void detect_support_begin(float *unknowns, const float *z0, size_t n, ano_clip clip)
{
    memcpy(unknowns, z0, n * sizeof *unknowns);
    for (size_t i = 0; i < n && clip == ANO_CLIP_TANH; i++)
        unknowns[i] = atanhf(fminf(fmaxf(z0[i], -MOST_OF_TANH), MOST_OF_TANH));
}

void detect_support_z(float *z, const float *unknowns, size_t n, ano_clip clip)
{
    for (size_t i = 0; i < n; i++)
        z[i] = clip == ANO_CLIP_TANH ? tanhf(unknowns[i]) : unknowns[i];
}

void detect_support_backward(float *diff_unknowns, const float *diff_z, const float *z, size_t n,
                             ano_clip clip)
{
    for (size_t i = 0; i < n; i++)
        diff_unknowns[i] = clip == ANO_CLIP_TANH ? diff_z[i] * (1 - z[i] * z[i]) : diff_z[i];
}

/* Number i of the stream, in [-1, 1). */
static float draw(base_random random, size_t i)
{
    uint32_t words[4];
    base_random_block(words, random, (uint32_t)(i / 4));
    return (float)(words[i % 4] >> 8) * 0x1p-23f - 1;
}

void detect_support_keep(float *unknowns, size_t n, ano_clip clip, base_random random)
{
    for (size_t i = 0; i < n; i++) {
        if (clip == ANO_CLIP_TANH || fabsf(unknowns[i]) <= 1)
            continue;
        unknowns[i] = clip == ANO_CLIP_STOCHASTIC ? draw(random, i) : copysignf(1, unknowns[i]);
    }
}
