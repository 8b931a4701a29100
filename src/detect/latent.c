#include "detect/latent.h"

#include "base/memory.h"
#include "nn/adam.h"
#include "nn/loss.h"

#include <math.h>
#include <string.h>

/* Keras's defaults for Adam. */
#define SEARCH_BETA1 0.9
#define SEARCH_BETA2 0.999

struct detect_latent_search {
    nn_pass *pass;
    size_t latent, image; /* lengths of z and of an image */
    double rate;
    float *z0;                     /* [latent] */
    float *start;                  /* [weights]: kernel, then bias, as every search starts */
    size_t weights;                /* latent · latent + latent */
    nn_adam adam;                  /* over the weights of all images of the block */
    float *parameters, *gradients; /* [block][weights] */
    float *z;                      /* [block][latent] */
    float *images, *diff;          /* [block][image] */
};

void detect_latent_free(detect_latent_search *search)
{
    if (search == NULL)
        return;
    nn_pass_free(search->pass);
    nn_adam_clear(&search->adam);
    base_free(search->z0);
    base_free(search->start);
    base_free(search->parameters);
    base_free(search->gradients);
    base_free(search->z);
    base_free(search->images);
    base_free(search->diff);
    base_free(search);
}

ano_status detect_latent_create(detect_latent_search **out, const nn_net *generator,
                                detect_latent_start start, double rate, ano_error *err)
{
    *out = NULL;
    detect_latent_search *search = base_alloc(1, sizeof *search);
    if (search == NULL)
        return base_error_nomem(err, "latent search");
    const size_t latent = nn_shape_size(generator->src), image = nn_shape_size(generator->dst);
    const size_t weights = latent * latent + latent, block = DETECT_LATENT_BLOCK;
    search->latent = latent;
    search->image = image;
    search->weights = weights;
    search->rate = rate;
    const struct {
        float **array;
        size_t size;
    } arrays[] = {
        {&search->z0, latent},
        {&search->start, weights},
        {&search->parameters, block * weights},
        {&search->gradients, block * weights},
        {&search->z, block * latent},
        {&search->images, block * image},
        {&search->diff, block * image},
    };
    ano_status status = ANO_OK;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && status == ANO_OK; i++)
        if ((*arrays[i].array = base_alloc(arrays[i].size, sizeof(float))) == NULL)
            status = base_error_nomem(err, "latent search");
    if (status == ANO_OK) {
        memcpy(search->z0, start.z0, latent * sizeof(float));
        memcpy(search->start, start.kernel, latent * latent * sizeof(float));
        status =
            nn_adam_init(&search->adam, block * weights, rate, SEARCH_BETA1, SEARCH_BETA2, err);
    }
    if (status == ANO_OK)
        status =
            nn_pass_create(&search->pass, generator, DETECT_LATENT_BLOCK, NN_DATA_GRADIENT, err);
    if (status != ANO_OK) {
        detect_latent_free(search);
        return status;
    }
    *out = search;
    return ANO_OK;
}

/* z = tanh(z0 · W + b) of one image. */
static void latent_forward(detect_latent_search *search, size_t i)
{
    const size_t latent = search->latent;
    const float *kernel = search->parameters + i * search->weights;
    const float *bias = kernel + latent * latent;
    float *z = search->z + i * latent;
    memcpy(z, bias, latent * sizeof(float));
    for (size_t row = 0; row < latent; row++)
        for (size_t c = 0; c < latent; c++)
            z[c] += search->z0[row] * kernel[row * latent + c];
    for (size_t c = 0; c < latent; c++)
        z[c] = tanhf(z[c]);
}

/* From the gradient by z to those by W and b, of one image. */
static void latent_backward(detect_latent_search *search, size_t i, const float *diff_z)
{
    const size_t latent = search->latent;
    const float *z = search->z + i * latent;
    float *diff_kernel = search->gradients + i * search->weights;
    float *diff_bias = diff_kernel + latent * latent;
    for (size_t c = 0; c < latent; c++)
        diff_bias[c] = diff_z[c] * (1 - z[c] * z[c]);
    for (size_t row = 0; row < latent; row++)
        for (size_t c = 0; c < latent; c++)
            diff_kernel[row * latent + c] = search->z0[row] * diff_bias[c];
}

static void latent_restart(detect_latent_search *search, const float *images, size_t n)
{
    const size_t size = DETECT_LATENT_BLOCK * search->weights * sizeof(float);
    search->adam.steps = 0;
    memset(search->adam.m, 0, size);
    memset(search->adam.v, 0, size);
    for (size_t i = 0; i < DETECT_LATENT_BLOCK; i++)
        memcpy(search->parameters + i * search->weights, search->start,
               search->weights * sizeof(float));
    memcpy(search->images, images, n * search->image * sizeof(float));
    memset(search->images + n * search->image, 0,
           (DETECT_LATENT_BLOCK - n) * search->image * sizeof(float));
}

ano_status detect_latent_run(float *residuals, float *generated, float *trace,
                             detect_latent_search *search, const float *images, size_t n,
                             int iterations, ano_error *err)
{
    const size_t image = search->image, latent = search->latent;
    latent_restart(search, images, n);
    for (int iteration = 0;; iteration++) {
        const float *made, *diff_z;
        for (size_t i = 0; i < DETECT_LATENT_BLOCK; i++)
            latent_forward(search, i);
        ano_status status = nn_pass_forward(&made, search->pass, search->z, err);
        if (status != ANO_OK)
            return status;
        for (size_t i = 0; i < DETECT_LATENT_BLOCK; i++) {
            const float residual = (float)nn_residual(
                search->diff + i * image, search->images + i * image, made + i * image, image);
            if (i >= n)
                continue;
            if (!isfinite(residual))
                return base_error(err, ANO_NUMERIC, "image %zu: its residual is not finite", i);
            if (trace != NULL && iteration > 0)
                trace[i * (size_t)iterations + (size_t)iteration - 1] = residual;
            if (iteration > 0 && residual >= residuals[i])
                continue;
            residuals[i] = residual;
            if (generated != NULL)
                memcpy(generated + i * image, made + i * image, image * sizeof(float));
        }
        if (iteration == iterations)
            return ANO_OK;
        status = nn_pass_backward(&diff_z, search->pass, search->diff, NULL, err);
        if (status != ANO_OK)
            return status;
        for (size_t i = 0; i < DETECT_LATENT_BLOCK; i++)
            latent_backward(search, i, diff_z + i * latent);
        nn_adam_step(&search->adam, search->parameters, search->gradients);
    }
}

const float *detect_latent_weights(const detect_latent_search *search, size_t i)
{
    return search->parameters + i * search->weights;
}
