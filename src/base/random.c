#include "base/random.h"

#include <math.h>

void base_random_block(uint32_t dst[4], base_random random, uint32_t block)
{
    const uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
    const uint32_t weyl_0 = 0x9E3779B9u, weyl_1 = 0xBB67AE85u;
    uint32_t key_0 = (uint32_t)random.seed, key_1 = (uint32_t)(random.seed >> 32);
    uint32_t c0 = block, c1 = (uint32_t)random.step, c2 = (uint32_t)(random.step >> 32),
             c3 = (uint32_t)random.purpose;
    for (int round = 0; round < 10; round++) {
        const uint64_t product_0 = (uint64_t)multiplier_0 * c0;
        const uint64_t product_1 = (uint64_t)multiplier_1 * c2;
        const uint32_t next_0 = (uint32_t)(product_1 >> 32) ^ c1 ^ key_0;
        const uint32_t next_2 = (uint32_t)(product_0 >> 32) ^ c3 ^ key_1;
        c1 = (uint32_t)product_1;
        c3 = (uint32_t)product_0;
        c0 = next_0;
        c2 = next_2;
        key_0 += weyl_0;
        key_1 += weyl_1;
    }
    dst[0] = c0;
    dst[1] = c1;
    dst[2] = c2;
    dst[3] = c3;
}

/* The upper 24 bits of a word, all that a float holds: a multiple of 2^-24 in [0, 1). */
static float uniform_of(uint32_t word, float low, float high)
{
    return low + (high - low) * ((float)(word >> 8) * 0x1p-24f);
}

void base_random_uniform(float *dst, size_t n, float low, float high, base_random random)
{
    uint32_t words[4];
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0)
            base_random_block(words, random, (uint32_t)(i / 4));
        dst[i] = uniform_of(words[i % 4], low, high);
    }
}

float base_random_uniform_at(size_t i, float low, float high, base_random random)
{
    uint32_t words[4];
    base_random_block(words, random, (uint32_t)(i / 4));
    return uniform_of(words[i % 4], low, high);
}

static void normals_of(float pair[2], const uint32_t words[2])
{
    const double circle = 2 * acos(-1.0);
    /* As uniform numbers, but in (0, 1], of which there is a logarithm. */
    const double radius = sqrt(-2 * log(((words[0] >> 8) + 1) * 0x1p-24));
    const double angle = circle * ((words[1] >> 8) * 0x1p-24);
    pair[0] = (float)(radius * cos(angle));
    pair[1] = (float)(radius * sin(angle));
}

void base_random_normal(float *dst, size_t n, base_random random)
{
    uint32_t words[4];
    float pair[2] = {0};
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0)
            base_random_block(words, random, (uint32_t)(i / 4));
        if (i % 2 == 0)
            normals_of(pair, &words[i % 4]);
        dst[i] = pair[i % 2];
    }
}

float base_random_normal_at(size_t i, base_random random)
{
    uint32_t words[4];
    float pair[2];
    base_random_block(words, random, (uint32_t)(i / 4));
    normals_of(pair, &words[i % 4 - i % 2]);
    return pair[i % 2];
}

void base_random_permutation(size_t *dst, size_t n, base_random random)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = i;
    uint32_t words[4];
    size_t drawn = 0;
    for (size_t i = n; i > 1; i--, drawn++) {
        if (drawn % 4 == 0)
            base_random_block(words, random, (uint32_t)(drawn / 4));
        /* The high half of word × i is uniform on 0 … i - 1 up to a bias of i / 2^32. */
        const size_t j = (size_t)(((uint64_t)words[drawn % 4] * i) >> 32);
        const size_t swapped = dst[i - 1];
        dst[i - 1] = dst[j];
        dst[j] = swapped;
    }
}
