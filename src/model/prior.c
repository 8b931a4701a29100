#include "model/prior.h"

#include <string.h>

/* 99.7 % of a Gaussian's numbers are no further from its mean, in standard deviations. */
#define NORMAL_RANGE 3.0f

ano_prior model_prior(const ano_model_config *config)
{
    if (config->prior != ANO_PRIOR_OF_METHOD)
        return config->prior;
    return config->method == ANO_METHOD_VAE ? ANO_PRIOR_NORMAL : ANO_PRIOR_UNIFORM;
}

static const char *const names[] = {[ANO_PRIOR_UNIFORM] = "uniform", [ANO_PRIOR_NORMAL] = "normal"};

const char *ano_prior_name(ano_prior prior)
{
    return names[prior];
}

bool model_prior_named(ano_prior *prior, const char *name)
{
    for (int i = ANO_PRIOR_UNIFORM; i <= ANO_PRIOR_NORMAL; i++)
        if (strcmp(names[i], name) == 0) {
            *prior = (ano_prior)i;
            return true;
        }
    return false;
}

void model_prior_draw(float *z, size_t n, ano_prior prior, base_random random)
{
    if (prior == ANO_PRIOR_NORMAL)
        base_random_normal(z, n, random);
    else
        base_random_uniform(z, n, -1, 1, random);
}

float model_prior_number(size_t i, ano_prior prior, base_random random)
{
    return prior == ANO_PRIOR_NORMAL ? base_random_normal_at(i, random)
                                     : base_random_uniform_at(i, -1, 1, random);
}

float model_prior_range(ano_prior prior)
{
    return prior == ANO_PRIOR_NORMAL ? NORMAL_RANGE : 1;
}
