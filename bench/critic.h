/* What the gradient penalty of WGAN-GP adds to a step of the discriminator. */
#ifndef BENCH_CRITIC_H
#define BENCH_CRITIC_H

#include <anogan/anogan.h>

#include <stdbool.h>

/* Steps of the discriminator alone on `batch` real and as many generated images, of which making
 * them is no part: by the cross-entropy, and as a critic with the penalty on `batch` images between
 * them. Prints the milliseconds of each, medians of rounds in turn, and their ratio: a line, or a
 * member "critic" of a JSON object. */
ano_status critic_measure(bool json, const ano_model_config *config, ano_conv conv, int batch,
                          ano_error *err);

#endif
