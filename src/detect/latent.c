#include "detect/latent.h"

#include "base/memory.h"
#include "kernels/kernels.h"
#include "nn/adam.h"
#include "nn/loss.h"

#include <math.h>
#include <string.h>

/* Keras's defaults for Adam. */
#define SEARCH_BETA1 0.9
#define SEARCH_BETA2 0.999

struct detect_latent_search {
    const kernels *kernels;
    detect_folded_pass *pass;
    size_t latent, image; /* lengths of z and of an image */
    size_t weights;       /* latent · latent + latent */
    double rate;
    int n_starts;
    float *start_z0;               /* [n_starts][latent] */
    float *start_weights;          /* [n_starts][weights]: kernel, then bias */
    const float *z0;               /* [latent], of the search under way */
    float *parameters, *gradients; /* [group][weights] */
    float *m, *v;                  /* Adam's moments, [group][weights] */
    float *z;                      /* [group][latent] */
    float *diff;                   /* [group][image] */
};

void detect_latent_free(detect_latent_search *search)
{
    if (search == NULL)
        return;
    detect_folded_pass_free(search->pass);
    base_free(search->start_z0);
    base_free(search->start_weights);
    base_free(search->parameters);
    base_free(search->gradients);
    base_free(search->m);
    base_free(search->v);
    base_free(search->z);
    base_free(search->diff);
    base_free(search);
}

ano_status detect_latent_create(detect_latent_search **out, const detect_folded *generator,
                                size_t latent, size_t image, const detect_latent_start *starts,
                                int n_starts, double rate, ano_error *err)
{
    *out = NULL;
    detect_latent_search *search = base_alloc(1, sizeof *search);
    if (search == NULL)
        return base_error_nomem(err, "latent search");
    const size_t weights = latent * latent + latent, group = DETECT_FOLDED_GROUP;
    search->kernels = kernels_get();
    search->latent = latent;
    search->image = image;
    search->weights = weights;
    search->n_starts = n_starts;
    search->rate = rate;
    const struct {
        float **array;
        size_t size;
    } arrays[] = {
        {&search->start_z0, (size_t)n_starts * latent},
        {&search->start_weights, (size_t)n_starts * weights},
        {&search->parameters, group * weights},
        {&search->gradients, group * weights},
        {&search->m, group * weights},
        {&search->v, group * weights},
        {&search->z, group * latent},
        {&search->diff, group * image},
    };
    ano_status status = detect_folded_pass_create(&search->pass, generator, err);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && status == ANO_OK; i++)
        if ((*arrays[i].array = base_alloc(arrays[i].size, sizeof(float))) == NULL)
            status = base_error_nomem(err, "latent search");
    if (status != ANO_OK) {
        detect_latent_free(search);
        return status;
    }
    for (size_t i = 0; i < (size_t)n_starts; i++) {
        memcpy(search->start_z0 + i * latent, starts[i].z0, latent * sizeof(float));
        memcpy(search->start_weights + i * weights, starts[i].kernel,
               latent * latent * sizeof(float));
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

static void latent_begin(detect_latent_search *search, int start, size_t n)
{
    const size_t size = n * search->weights * sizeof(float);
    const float *weights = search->start_weights + (size_t)start * search->weights;
    search->z0 = search->start_z0 + (size_t)start * search->latent;
    memset(search->m, 0, size);
    memset(search->v, 0, size);
    for (size_t i = 0; i < n; i++)
        memcpy(search->parameters + i * search->weights, weights, search->weights * sizeof(float));
}

/* One step of Adam for the weights of all n images; t counts from 1. */
static void latent_update(detect_latent_search *search, size_t n, int t)
{
    const double rate = nn_adam_rate(search->rate, SEARCH_BETA1, SEARCH_BETA2, (uint64_t)t);
    search->kernels->adam(search->parameters, search->m, search->v, search->gradients,
                          n * search->weights,
                          (kernels_adam_step){.rate = (float)rate,
                                              .share1 = (float)(1 - SEARCH_BETA1),
                                              .share2 = (float)(1 - SEARCH_BETA2),
                                              .epsilon = (float)NN_ADAM_EPSILON});
}

/* What is known of an image so far. */
typedef struct found {
    float *residual;
    float *generated; /* NULL: not wanted */
} found;

/* Residuals of the generated images and their gradients; keeps each image that is the best yet. */
static ano_status latent_compare(float *residuals, detect_latent_search *search,
                                 const float *images, const float *made, size_t n, found best,
                                 ano_error *err)
{
    const size_t image = search->image;
    for (size_t i = 0; i < n; i++) {
        const size_t first = i * image;
        residuals[i] =
            (float)nn_residual(search->diff + first, images + first, made + first, image);
        if (!isfinite(residuals[i]))
            return base_error(err, ANO_NUMERIC, "the residual of an image is not finite");
        if (residuals[i] >= best.residual[i])
            continue;
        best.residual[i] = residuals[i];
        if (best.generated != NULL)
            memcpy(best.generated + first, made + first, image * sizeof(float));
    }
    return ANO_OK;
}

ano_status detect_latent_run(float *residuals, float *generated, float *trace,
                             detect_latent_search *search, const float *images, size_t n,
                             int iterations, ano_error *err)
{
    const size_t latent = search->latent;
    const size_t trace_row = (size_t)search->n_starts * (size_t)iterations;
    for (size_t i = 0; i < n; i++)
        residuals[i] = INFINITY;
    for (int start = 0; start < search->n_starts; start++) {
        latent_begin(search, start, n);
        for (int iteration = 0; iteration <= iterations; iteration++) {
            float now[DETECT_FOLDED_GROUP];
            for (size_t i = 0; i < n; i++)
                latent_forward(search, i);
            const float *made = detect_folded_forward(search->pass, search->z, n);
            const ano_status status =
                latent_compare(now, search, images, made, n, (found){residuals, generated}, err);
            if (status != ANO_OK)
                return status;
            for (size_t i = 0; i < n && trace != NULL && iteration > 0; i++)
                trace[i * trace_row + (size_t)start * (size_t)iterations + (size_t)iteration - 1] =
                    now[i];
            if (iteration == iterations)
                break;
            const float *diff_z = detect_folded_backward(search->pass, search->diff, n);
            for (size_t i = 0; i < n; i++)
                latent_backward(search, i, diff_z + i * latent);
            latent_update(search, n, iteration + 1);
        }
    }
    return ANO_OK;
}

const float *detect_latent_weights(const detect_latent_search *search, size_t i)
{
    return search->parameters + i * search->weights;
}
