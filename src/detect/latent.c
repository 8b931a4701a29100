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

/* Bytes that the searches of a batch may take, where there is more than one. */
enum { BATCH_MEMORY = 64 << 20 };

typedef struct latent_search {
    size_t id;
    const float *z0; /* [latent] */
    float *trace;
    int iteration;        /* updates done */
    float least;          /* residual of any iterate */
    float least_before;   /* as it was when the window began */
    float *weights;       /* kernel [latent][latent], bias [latent] */
    float *m, *v;         /* Adam's moments of them */
    float *image, *found; /* [image]: what is searched for, and the closest yet */
} latent_search;

struct detect_latent_batch {
    const kernels *kernels;
    detect_folded_pass *pass;
    detect_latent_options options;
    size_t latent, image, n_weights; /* lengths of z, of an image and of a layer's weights */
    size_t n_places, n, n_ended;     /* n searches go on, n_ended wait to be taken */
    latent_search *searches;         /* [n_places]: those that go on, those that ended, free ones */
    float *numbers;                  /* all that the searches point to */
    float *z;                        /* [n_places][latent] */
    float *diff;                     /* [n_places][image] */
    float *diff_weights;             /* [n_weights], of one search */
};

/* Numbers of one search's weights, moments and images. */
static size_t search_size(size_t latent, size_t image)
{
    return 3 * (latent * latent + latent) + 2 * image;
}

size_t detect_latent_most(size_t latent, size_t image)
{
    const size_t most = BATCH_MEMORY / (search_size(latent, image) * sizeof(float));
    return most < 1 ? 1 : most > DETECT_FOLDED_GROUP ? DETECT_FOLDED_GROUP : most;
}

void detect_latent_free(detect_latent_batch *batch)
{
    if (batch == NULL)
        return;
    detect_folded_pass_free(batch->pass);
    base_free(batch->searches);
    base_free(batch->numbers);
    base_free(batch->z);
    base_free(batch->diff);
    base_free(batch->diff_weights);
    base_free(batch);
}

/* Gives every search its part of `numbers`. */
static void share_numbers(detect_latent_batch *batch)
{
    float *next = batch->numbers;
    for (size_t i = 0; i < batch->n_places; i++) {
        latent_search *search = &batch->searches[i];
        search->weights = next;
        search->m = search->weights + batch->n_weights;
        search->v = search->m + batch->n_weights;
        search->image = search->v + batch->n_weights;
        search->found = search->image + batch->image;
        next += search_size(batch->latent, batch->image);
    }
}

ano_status detect_latent_create(detect_latent_batch **out, const detect_folded *generator,
                                size_t latent, size_t image, size_t n_places,
                                detect_latent_options options, ano_error *err)
{
    *out = NULL;
    detect_latent_batch *batch = base_alloc(1, sizeof *batch);
    if (batch == NULL)
        return base_error_nomem(err, "latent search");
    batch->kernels = kernels_get();
    batch->options = options;
    batch->latent = latent;
    batch->image = image;
    batch->n_weights = latent * latent + latent;
    batch->n_places = n_places;
    batch->searches = base_alloc(n_places, sizeof *batch->searches);
    batch->numbers = base_alloc(n_places * search_size(latent, image), sizeof(float));
    batch->z = base_alloc(n_places * latent, sizeof(float));
    batch->diff = base_alloc(n_places * image, sizeof(float));
    batch->diff_weights = base_alloc(batch->n_weights, sizeof(float));
    ano_status status = detect_folded_pass_create(&batch->pass, generator, n_places, err);
    if (status == ANO_OK &&
        (batch->searches == NULL || batch->numbers == NULL || batch->z == NULL ||
         batch->diff == NULL || batch->diff_weights == NULL))
        status = base_error_nomem(err, "latent search");
    if (status != ANO_OK) {
        detect_latent_free(batch);
        return status;
    }
    share_numbers(batch);
    *out = batch;
    return ANO_OK;
}

bool detect_latent_has_room(const detect_latent_batch *batch)
{
    return batch->n < batch->n_places;
}

bool detect_latent_is_empty(const detect_latent_batch *batch)
{
    return batch->n == 0;
}

void detect_latent_add(detect_latent_batch *batch, const float *image, detect_latent_start start,
                       size_t id, float *trace)
{
    const size_t latent = batch->latent;
    latent_search *search = &batch->searches[batch->n++];
    search->id = id;
    search->z0 = start.z0;
    search->trace = trace;
    search->iteration = 0;
    search->least = search->least_before = INFINITY;
    memcpy(search->weights, start.kernel, latent * latent * sizeof(float));
    memset(search->weights + latent * latent, 0, latent * sizeof(float));
    memset(search->m, 0, batch->n_weights * sizeof(float));
    memset(search->v, 0, batch->n_weights * sizeof(float));
    memcpy(search->image, image, batch->image * sizeof(float));
}

/* ---- an iteration -------------------------------------------------------------------------- */

/* z = tanh(z0 · W + b). */
static void layer_forward(float *restrict z, const float *restrict z0,
                          const float *restrict weights, size_t latent)
{
    memcpy(z, weights + latent * latent, latent * sizeof(float));
    for (size_t row = 0; row < latent; row++)
#pragma omp simd
        for (size_t c = 0; c < latent; c++)
            z[c] += z0[row] * weights[row * latent + c];
    for (size_t c = 0; c < latent; c++)
        z[c] = tanhf(z[c]);
}

/* From the gradient by z to those by W and b. */
static void layer_backward(float *restrict diff_weights, const float *restrict diff_z,
                           const float *restrict z, const float *restrict z0, size_t latent)
{
    float *restrict diff_bias = diff_weights + latent * latent;
#pragma omp simd
    for (size_t c = 0; c < latent; c++)
        diff_bias[c] = diff_z[c] * (1 - z[c] * z[c]);
    for (size_t row = 0; row < latent; row++)
#pragma omp simd
        for (size_t c = 0; c < latent; c++)
            diff_weights[row * latent + c] = z0[row] * diff_bias[c];
}

/* Takes the residual of search i's iterate, and its gradient; keeps the image if it is the best. */
static ano_status search_compare(detect_latent_batch *batch, size_t i, const float *generated,
                                 ano_error *err)
{
    latent_search *search = &batch->searches[i];
    const float residual =
        (float)nn_residual(batch->diff + i * batch->image, search->image, generated, batch->image);
    if (!isfinite(residual))
        return base_error(err, ANO_NUMERIC, "the residual of an image is not finite");
    if (search->trace != NULL && search->iteration > 0)
        search->trace[search->iteration - 1] = residual;
    if (residual < search->least) {
        search->least = residual;
        memcpy(search->found, generated, batch->image * sizeof(float));
    }
    return ANO_OK;
}

/* Whether a search has done its last iteration, or a window of them that was hardly worth it. */
static bool search_has_ended(latent_search *search, const detect_latent_options *options)
{
    if (search->iteration == options->iterations)
        return true;
    if (search->iteration % DETECT_LATENT_WINDOW != 0)
        return false;
    const double before = (double)search->least_before, least = (double)search->least;
    search->least_before = search->least;
    return search->iteration > 0 && before - least < options->tolerance * before;
}

/* Puts the searches that have ended behind those that go on, and fills up their traces. */
static void set_ended_apart(detect_latent_batch *batch, const bool *has_ended)
{
    batch->n_ended = 0;
    for (size_t i = batch->n; i-- > 0;) {
        if (!has_ended[i])
            continue;
        const latent_search ended = batch->searches[i];
        batch->searches[i] = batch->searches[--batch->n];
        batch->searches[batch->n] = ended;
        batch->n_ended++;
        for (int k = ended.iteration; ended.trace != NULL && k < batch->options.iterations; k++)
            ended.trace[k] = ended.trace[k - 1];
    }
}

/* One step of Adam for the layer of search i. */
static void search_update(detect_latent_batch *batch, size_t i, const float *diff_z)
{
    latent_search *search = &batch->searches[i];
    layer_backward(batch->diff_weights, diff_z, batch->z + i * batch->latent, search->z0,
                   batch->latent);
    search->iteration++;
    const double rate =
        nn_adam_rate(batch->options.rate, SEARCH_BETA1, SEARCH_BETA2, (uint64_t)search->iteration);
    batch->kernels->adam(search->weights, search->m, search->v, batch->diff_weights,
                         batch->n_weights,
                         (kernels_adam_step){.rate = (float)rate,
                                             .share1 = (float)(1 - SEARCH_BETA1),
                                             .share2 = (float)(1 - SEARCH_BETA2),
                                             .epsilon = (float)NN_ADAM_EPSILON});
}

ano_status detect_latent_step(detect_latent_batch *batch, ano_error *err)
{
    const size_t n = batch->n, latent = batch->latent;
    bool has_ended[DETECT_FOLDED_GROUP];
    size_t n_ended = 0;
    for (size_t i = 0; i < n; i++)
        layer_forward(batch->z + i * latent, batch->searches[i].z0, batch->searches[i].weights,
                      latent);
    const float *generated = detect_folded_forward(batch->pass, batch->z, n);
    for (size_t i = 0; i < n; i++) {
        const ano_status status = search_compare(batch, i, generated + i * batch->image, err);
        if (status != ANO_OK)
            return status;
        has_ended[i] = search_has_ended(&batch->searches[i], &batch->options);
        n_ended += has_ended[i];
    }
    if (n_ended < n) {
        const float *diff_z = detect_folded_backward(batch->pass, batch->diff, n);
        for (size_t i = 0; i < n; i++)
            if (!has_ended[i])
                search_update(batch, i, diff_z + i * latent);
    }
    set_ended_apart(batch, has_ended);
    return ANO_OK;
}

bool detect_latent_take(detect_latent_found *out, detect_latent_batch *batch)
{
    if (batch->n_ended == 0)
        return false;
    const latent_search *search = &batch->searches[batch->n + --batch->n_ended];
    *out = (detect_latent_found){search->id, search->least, search->found, search->weights};
    return true;
}
