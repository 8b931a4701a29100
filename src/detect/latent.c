#include "detect/latent.h"

#include "base/memory.h"
#include "detect/lbfgs.h"
#include "kernels/kernels.h"
#include "nn/adam.h"
#include "nn/loss.h"

#include <math.h>
#include <string.h>

/* Keras's defaults for Adam. */
#define SEARCH_BETA1 0.9
#define SEARCH_BETA2 0.999

/* δ, of pixels in [-1, 1]: of 0.05 to 0.4 it hardly matters which. */
#define SMOOTHING 0.2

/* Bytes that the searches of a batch may take, where there is more than one. */
enum { BATCH_MEMORY = 64 << 20 };

typedef struct latent_search {
    size_t id;
    const float *z0; /* [latent] */
    float *trace;
    int iteration;        /* updates done */
    float least;          /* residual of any iterate */
    float least_before;   /* as it was when the window began */
    float residual;       /* of the last iterate */
    double loss;          /* L-BFGS: of the last iterate */
    float *weights;       /* Adam: kernel [latent][latent], bias [latent]; or what is behind z */
    float *m, *v;         /* Adam: the moments of them */
    detect_lbfgs lbfgs;   /* L-BFGS: its unknowns are a */
    float *image, *found; /* [image]: what is searched for, and the closest yet */
    float *features;      /* of the image, with matching */
} latent_search;

struct detect_latent_batch {
    const kernels *kernels;
    detect_folded_pass *pass;
    detect_latent_options options;
    size_t latent, image;         /* lengths of z and of an image */
    size_t n_features;            /* of an image, with matching */
    size_t n_weights, n_unknowns; /* of a layer for Adam, for L-BFGS: one of them is 0 */
    size_t n_places, n, n_ended;  /* n searches go on, n_ended wait to be taken */
    latent_search *searches;      /* [n_places]: those that go on, those that ended, free ones */
    float *numbers;               /* all that the searches point to, but for … */
    double *lbfgs_numbers;        /* … these */
    float *z;                     /* [n_places][latent] */
    float *diff;                  /* [n_places][image] */
    float *diff_weights;          /* [n_weights], of one search */
    double *diff_a;               /* [latent], of one search */
};

static size_t weights_for(size_t latent, ano_search search)
{
    return search == ANO_SEARCH_ADAM ? latent * latent + latent : 0;
}

static size_t unknowns_for(size_t latent, ano_search search)
{
    return search == ANO_SEARCH_LBFGS ? latent : 0;
}

size_t detect_latent_most(const detect_folded *generator, size_t latent, size_t image,
                          ano_search search)
{
    const size_t floats =
        3 * weights_for(latent, search) + 2 * image + detect_folded_image_size(generator);
    const size_t doubles = detect_lbfgs_size(unknowns_for(latent, search));
    const size_t most = BATCH_MEMORY / (floats * sizeof(float) + doubles * sizeof(double));
    return most < 1 ? 1 : most > DETECT_FOLDED_GROUP ? DETECT_FOLDED_GROUP : most;
}

void detect_latent_free(detect_latent_batch *batch)
{
    if (batch == NULL)
        return;
    detect_folded_pass_free(batch->pass);
    base_free(batch->searches);
    base_free(batch->numbers);
    base_free(batch->lbfgs_numbers);
    base_free(batch->z);
    base_free(batch->diff);
    base_free(batch->diff_weights);
    base_free(batch->diff_a);
    base_free(batch);
}

/* Gives every search its part of the numbers. */
static void share_numbers(detect_latent_batch *batch)
{
    float *next = batch->numbers;
    double *next_lbfgs = batch->lbfgs_numbers;
    for (size_t i = 0; i < batch->n_places; i++) {
        latent_search *search = &batch->searches[i];
        search->weights = next;
        search->m = search->weights + batch->n_weights;
        search->v = search->m + batch->n_weights;
        search->image = search->v + batch->n_weights;
        search->found = search->image + batch->image;
        search->features = search->found + batch->image;
        next = search->features + batch->n_features;
        detect_lbfgs_init(&search->lbfgs, batch->n_unknowns, next_lbfgs);
        next_lbfgs += detect_lbfgs_size(batch->n_unknowns);
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
    batch->n_features = options.matching != NULL ? detect_matching_size(options.matching) : 0;
    batch->latent = latent;
    batch->image = image;
    batch->n_weights = options.of_z ? latent : weights_for(latent, options.search);
    batch->n_unknowns = unknowns_for(latent, options.search);
    batch->n_places = n_places;
    batch->searches = base_alloc(n_places, sizeof *batch->searches);
    batch->numbers = base_alloc(n_places * (3 * batch->n_weights + 2 * image + batch->n_features),
                                sizeof(float));
    batch->lbfgs_numbers =
        base_alloc(n_places * detect_lbfgs_size(batch->n_unknowns), sizeof(double));
    batch->z = base_alloc(n_places * latent, sizeof(float));
    batch->diff = base_alloc(n_places * image, sizeof(float));
    batch->diff_weights = base_alloc(batch->n_weights, sizeof(float));
    batch->diff_a = base_alloc(batch->n_unknowns, sizeof(double));
    ano_status status = detect_folded_pass_create(&batch->pass, generator, n_places, err);
    if (status == ANO_OK &&
        (batch->searches == NULL || batch->numbers == NULL || batch->lbfgs_numbers == NULL ||
         batch->z == NULL || batch->diff == NULL || batch->diff_weights == NULL ||
         batch->diff_a == NULL))
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

/* Adam begins with W and b = 0, L-BFGS with a = z0 · W. */
static void search_begin(const detect_latent_batch *batch, latent_search *search,
                         const float *kernel)
{
    const size_t latent = batch->latent;
    if (batch->options.search == ANO_SEARCH_ADAM) {
        if (batch->options.of_z)
            detect_support_begin(search->weights, search->z0, latent, batch->options.support);
        else {
            memcpy(search->weights, kernel, latent * latent * sizeof(float));
            memset(search->weights + latent * latent, 0, latent * sizeof(float));
        }
        memset(search->m, 0, batch->n_weights * sizeof(float));
        memset(search->v, 0, batch->n_weights * sizeof(float));
        return;
    }
    double *a = search->lbfgs.trial;
    memset(a, 0, latent * sizeof *a);
    for (size_t row = 0; row < latent; row++)
        for (size_t c = 0; c < latent; c++)
            a[c] += (double)search->z0[row] * (double)kernel[row * latent + c];
    detect_lbfgs_begin(&search->lbfgs);
}

void detect_latent_add(detect_latent_batch *batch, const float *image, detect_latent_start start,
                       size_t id, float *trace)
{
    latent_search *search = &batch->searches[batch->n++];
    search->id = id;
    search->z0 = start.z0;
    search->trace = trace;
    search->iteration = 0;
    search->least = search->least_before = INFINITY;
    search_begin(batch, search, start.kernel);
    memcpy(search->image, image, batch->image * sizeof(float));
}

/* ---- an iteration -------------------------------------------------------------------------- */

/* r */
static float range_of(const detect_latent_batch *batch)
{
    return model_prior_range(batch->options.support.prior);
}

/* z = r · tanh((z0 · W + b) / r). */
static void layer_forward(float *restrict z, const float *restrict z0,
                          const float *restrict weights, size_t latent, float range)
{
    memcpy(z, weights + latent * latent, latent * sizeof(float));
    for (size_t row = 0; row < latent; row++)
#pragma omp simd
        for (size_t c = 0; c < latent; c++)
            z[c] += z0[row] * weights[row * latent + c];
    for (size_t c = 0; c < latent; c++)
        z[c] = range * tanhf(z[c] / range);
}

/* From the gradient by z to those by W and b. */
static void layer_backward(float *restrict diff_weights, const float *restrict diff_z,
                           const float *restrict z, const float *restrict z0, size_t latent,
                           float range)
{
    float *restrict diff_bias = diff_weights + latent * latent;
#pragma omp simd
    for (size_t c = 0; c < latent; c++)
        diff_bias[c] = diff_z[c] * (1 - z[c] / range * (z[c] / range));
    for (size_t row = 0; row < latent; row++)
#pragma omp simd
        for (size_t c = 0; c < latent; c++)
            diff_weights[row * latent + c] = z0[row] * diff_bias[c];
}

double detect_smoothed_residual(float *diff, const float *x, const float *generated, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double difference = (double)(x[i] - generated[i]);
        const double smoothed = sqrt(difference * difference + SMOOTHING * SMOOTHING);
        sum += smoothed;
        diff[i] = (float)(-difference / smoothed);
    }
    return sum;
}

/* The residuals of all searches' iterates, or with matching their losses, and the gradients. */
static ano_status compare_all(detect_latent_batch *batch, const float *generated, ano_error *err)
{
    detect_matching *matching = batch->options.matching;
    double losses[DETECT_FOLDED_GROUP] = {0};
    const float *features[DETECT_FOLDED_GROUP];
    ano_status status = ANO_OK;
    for (size_t i = 0; i < batch->n && status == ANO_OK; i++) {
        const latent_search *search = &batch->searches[i];
        losses[i] = nn_residual(batch->diff + i * batch->image, search->image,
                                generated + i * batch->image, batch->image);
        features[i] = search->features;
        if (matching != NULL && search->iteration == 0)
            status = detect_matching_features(search->features, matching, search->image, err);
    }
    if (matching != NULL && status == ANO_OK)
        status =
            detect_matching_mix(losses, batch->diff, matching, generated, features, batch->n, err);
    for (size_t i = 0; i < batch->n; i++)
        batch->searches[i].residual = (float)losses[i];
    return status;
}

/* Takes the residual of search i's iterate; keeps the image if it is the best. */
static ano_status search_compare(detect_latent_batch *batch, size_t i, const float *generated,
                                 ano_error *err)
{
    latent_search *search = &batch->searches[i];
    const float residual = search->residual;
    if (batch->options.search == ANO_SEARCH_LBFGS)
        search->loss = detect_smoothed_residual(batch->diff + i * batch->image, search->image,
                                                generated, batch->image);
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
            ended.trace[k] = ended.residual;
    }
}

/* Adam's rate of an iteration: of z itself it falls, for z is to come to rest. */
static double rate_at(const detect_latent_options *options, int iteration)
{
    enum { STEPS = 5 };
    const int step = options->of_z ? (int)((int64_t)iteration * STEPS / options->iterations) : 0;
    return ldexp(options->rate, -step);
}

/* One step of Adam for the unknowns of search i. */
static void adam_update(detect_latent_batch *batch, size_t i, const float *diff_z)
{
    latent_search *search = &batch->searches[i];
    const float *z = batch->z + i * batch->latent;
    if (batch->options.of_z)
        detect_support_backward(batch->diff_weights, diff_z, z, batch->latent,
                                batch->options.support);
    else
        layer_backward(batch->diff_weights, diff_z, z, search->z0, batch->latent, range_of(batch));
    const double rate = nn_adam_rate(rate_at(&batch->options, search->iteration), SEARCH_BETA1,
                                     SEARCH_BETA2, (uint64_t)search->iteration + 1);
    batch->kernels->adam(search->weights, search->m, search->v, batch->diff_weights,
                         batch->n_weights,
                         (kernels_adam_step){.rate = (float)rate,
                                             .share1 = (float)(1 - SEARCH_BETA1),
                                             .share2 = (float)(1 - SEARCH_BETA2),
                                             .epsilon = (float)NN_ADAM_EPSILON});
    if (!batch->options.of_z)
        return;
    const uint64_t start = search->id % batch->options.starts;
    detect_support_keep(search->weights, batch->latent, batch->options.support,
                        (base_random){batch->options.seed, BASE_PURPOSE_CLIP,
                                      start << 32 | (uint64_t)search->iteration});
}

/* The next point of L-BFGS's for search i. False where no way leads down. */
static bool lbfgs_update(detect_latent_batch *batch, size_t i, const float *diff_z)
{
    latent_search *search = &batch->searches[i];
    const float *z = batch->z + i * batch->latent;
    const float range = range_of(batch);
    for (size_t c = 0; c < batch->latent; c++)
        batch->diff_a[c] = (double)(diff_z[c] * (1 - z[c] / range * (z[c] / range)));
    return detect_lbfgs_next(&search->lbfgs, search->loss, batch->diff_a);
}

/* Moves search i on. False where it must end. */
static bool search_update(detect_latent_batch *batch, size_t i, const float *diff_z)
{
    if (batch->options.search == ANO_SEARCH_ADAM)
        adam_update(batch, i, diff_z);
    else if (!lbfgs_update(batch, i, diff_z))
        return false;
    batch->searches[i].iteration++;
    return true;
}

/* z of search i. */
static void search_forward(detect_latent_batch *batch, size_t i)
{
    const latent_search *search = &batch->searches[i];
    float *z = batch->z + i * batch->latent;
    const float range = range_of(batch);
    if (batch->options.of_z)
        detect_support_z(z, search->weights, batch->latent, batch->options.support);
    else if (batch->options.search == ANO_SEARCH_ADAM)
        layer_forward(z, search->z0, search->weights, batch->latent, range);
    else
        for (size_t c = 0; c < batch->latent; c++)
            z[c] = range * tanhf((float)search->lbfgs.trial[c] / range);
}

ano_status detect_latent_step(detect_latent_batch *batch, ano_error *err)
{
    const size_t n = batch->n;
    bool has_ended[DETECT_FOLDED_GROUP];
    size_t n_ended = 0;
    for (size_t i = 0; i < n; i++)
        search_forward(batch, i);
    const float *generated = detect_folded_forward(batch->pass, batch->z, n);
    ano_status status = compare_all(batch, generated, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        status = search_compare(batch, i, generated + i * batch->image, err);
        has_ended[i] = search_has_ended(&batch->searches[i], &batch->options);
        n_ended += has_ended[i];
    }
    if (status != ANO_OK)
        return status;
    if (n_ended < n) {
        const float *diff_z = detect_folded_backward(batch->pass, batch->diff, n);
        for (size_t i = 0; i < n; i++)
            if (!has_ended[i])
                has_ended[i] = !search_update(batch, i, diff_z + i * batch->latent);
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
