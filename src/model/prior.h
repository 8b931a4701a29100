/* The distribution of latent vectors z: what training draws for the generator, and where searches
 * for z stay. */
#ifndef MODEL_PRIOR_H
#define MODEL_PRIOR_H

#include "base/random.h"

#include <anogan/anogan.h>

/* The config's prior, or what is usual of its method; never ANO_PRIOR_OF_METHOD. */
ano_prior model_prior(const ano_model_config *config);

/* *prior = the one of that name; false where there is none. */
bool model_prior_named(ano_prior *prior, const char *name);

/* n numbers of latent vectors. */
void model_prior_draw(float *z, size_t n, ano_prior prior, base_random random);
/* Number i of them. */
float model_prior_number(size_t i, ano_prior prior, base_random random);

/* r: searches keep every number of z in [-r, r], outside of which the generator has never been, or
 * hardly ever. */
float model_prior_range(ano_prior prior);

#endif
