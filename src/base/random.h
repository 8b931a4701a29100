/* Random numbers that belong to a place, not to a moment: Philox4x32-10 (J. Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011), keyed by a seed and counted by
 * (purpose, step, index). The same place gives the same numbers, in whatever order and on however
 * many threads they are asked for, which is what makes a resumed run repeat an uninterrupted one.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What numbers are for; no two purposes share a stream. The values are part of what a seed means:
 * add at the end, never renumber. */
typedef enum base_purpose {
    BASE_PURPOSE_GENERATOR_INIT = 1,
    BASE_PURPOSE_DISCRIMINATOR_INIT = 2,
    BASE_PURPOSE_SHUFFLE = 3,
    BASE_PURPOSE_FLIP = 4,
    BASE_PURPOSE_LATENT_D = 5, /* of the discriminator's step */
    BASE_PURPOSE_LATENT_G = 6, /* of the generator's step */
    BASE_PURPOSE_SAMPLES = 7,  /* the grid's latents */
    BASE_PURPOSE_SEARCH = 8,   /* the latent search's start */
    BASE_PURPOSE_HELD_OUT = 9,
    BASE_PURPOSE_PCA = 10,
    BASE_PURPOSE_TEST = 11,
    BASE_PURPOSE_DRIFT = 12,   /* the ties of scores */
    BASE_PURPOSE_TILE = 13,    /* where a training tile lies */
    BASE_PURPOSE_IMAGES = 14,  /* the order of images that are decoded as training goes on */
    BASE_PURPOSE_AUGMENT = 15, /* all but flips */
    BASE_PURPOSE_FILTERS = 16, /* the random filters of a baseline */
    BASE_PURPOSE_PATCH_INIT = 17,
    BASE_PURPOSE_ANOMALY = 18,  /* what is drawn onto normal images in training */
    BASE_PURPOSE_DRAWN = 19,    /* what is drawn onto those that choices are made on … */
    BASE_PURPOSE_DRAWN_AT = 20, /* … where, and beside which other image */
    BASE_PURPOSE_ENCODER_INIT = 21,
    BASE_PURPOSE_VAE = 22,             /* a variational autoencoder's latents: of training … */
    BASE_PURPOSE_VAE_SCORE = 23,       /* … and of scoring */
    BASE_PURPOSE_CLIP = 24,            /* what a latent search draws anew */
    BASE_PURPOSE_PENALTY = 25,         /* where between real and generated images */
    BASE_PURPOSE_SPECTRAL = 26,        /* where the power method begins */
    BASE_PURPOSE_TRANSFORMS_INIT = 27, /* the classifier of transformed images … */
    BASE_PURPOSE_TRANSFORMS = 28       /* … which images its steps see, and how transformed */
} base_purpose;

typedef struct base_random {
    uint64_t seed;
    base_purpose purpose;
    uint64_t step;
} base_random;

/* Four words of the stream `random`, those with the positions 4·block … 4·block + 3. */
void base_random_block(uint32_t dst[4], base_random random, uint32_t block);

/* dst[i] uniform in [low, high), i < n. */
void base_random_uniform(float *dst, size_t n, float low, float high, base_random random);

/* Number i alone. */
float base_random_uniform_at(size_t i, float low, float high, base_random random);

/* dst[i] of the standard normal distribution, i < n: pairs of numbers from pairs of words (G. Box,
 * M. Muller, "A Note on the Generation of Random Normal Deviates", 1958). Finite: at most 5.8. */
void base_random_normal(float *dst, size_t n, base_random random);
/* Number i alone. */
float base_random_normal_at(size_t i, base_random random);

/* A permutation of 0 … n - 1 in dst (Fisher-Yates). n < 2^32. */
void base_random_permutation(size_t *dst, size_t n, base_random random);

#endif
