#include "train/collapse.h"

/* Generated images are alike when they differ by less than a tenth of what real ones do. */
static const double alike_share = 0.1 * 0.1; /* of squared distances */
/* Of a cross-entropy, where both sides are told apart with a probability of 99 %; of a hinge, where
 * a hundredth is missing to the margins. */
static const double decided_excess = 0.01;

/* Of n images, the sum of their squared distances from their mean: n - 1 times half the mean
 * squared distance between two of them. */
static double spread(const float *images, size_t n, size_t size)
{
    double total = 0;
    for (size_t p = 0; p < size; p++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += (double)images[i * size + p] / (double)n;
        for (size_t i = 0; i < n; i++) {
            const double difference = (double)images[i * size + p] - mean;
            total += difference * difference;
        }
    }
    return total;
}

/* Counts the epochs on end; whether it is time to tell. */
static bool lasts(int *epochs, bool *told, bool now)
{
    *epochs = now ? *epochs + 1 : 0;
    if (*epochs < TRAIN_COLLAPSE_EPOCHS || *told)
        return false;
    *told = true;
    return true;
}

const char *train_collapse_watch(train_collapse *collapse, const float *real,
                                 const float *generated, size_t n, size_t size, double d_excess)
{
    const bool alike = spread(generated, n, size) < alike_share * spread(real, n, size);
    if (lasts(&collapse->alike, &collapse->told_alike, alike))
        return "the generator has collapsed: for several epochs its images have been all but "
               "the same, so that scores will say little. Begin again with another seed or half "
               "the learning rate; more images, or flips and shifts of them, help too";
    if (lasts(&collapse->decided, &collapse->told_decided, d_excess < decided_excess))
        return "the discriminator has won: for several epochs it has told generated images from "
               "real ones without a mistake, so that the generator learns nothing from it any "
               "more. If the pictures of generated images look bad, begin again with half the "
               "learning rate or another seed; more images, or flips and shifts of them, help too";
    return NULL;
}
