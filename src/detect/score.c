/* The scoring path, the only one: images of a data set, block by block, through the latent search.
 */
#include "base/memory.h"
#include "base/threads.h"
#include "detect/latent.h"
#include "model/model.h"

#include <math.h>

static ano_status check_options(const ano_model *model, const ano_dataset *dataset,
                                const ano_score_options *options, ano_error *err)
{
    if (model->networks[ANO_GENERATOR] == NULL)
        return base_error(err, ANO_ARG, "the model has no generator to search with");
    if (options->iterations < 1)
        return base_error(err, ANO_ARG, "iterations is %d, but must be at least 1",
                          options->iterations);
    if (options->restarts < 1)
        return base_error(err, ANO_ARG, "restarts is %d, but must be at least 1",
                          options->restarts);
    if (!(options->learning_rate > 0) || !isfinite(options->learning_rate))
        return base_error(err, ANO_ARG, "the search's learning rate is %g, but must be above 0",
                          options->learning_rate);
    const ano_shape shape = ano_dataset_shape(dataset);
    const ano_model_config config = model->config;
    if (shape.height != config.size || shape.width != config.size ||
        shape.channels != config.channels)
        return base_error(err, ANO_SHAPE, "the images are %d×%d×%d, the model is for %d×%d×%d",
                          shape.height, shape.width, shape.channels, config.size, config.size,
                          config.channels);
    return base_threads_check(options->threads, err);
}

/* What all threads share, and a search for each of them. */
typedef struct scoring {
    detect_folded *generator;
    int n_searches;
    detect_latent_search **searches;
    float *images; /* [n_searches · DETECT_FOLDED_GROUP][image] */
    size_t image;
} scoring;

static void scoring_clear(scoring *s)
{
    for (int i = 0; i < s->n_searches && s->searches != NULL; i++)
        detect_latent_free(s->searches[i]);
    base_free(s->searches);
    base_free(s->images);
    detect_folded_free(s->generator);
}

/* Every search starts like Keras's dense layer, W Glorot uniform, from a z0 drawn like the latents
 * of training. */
static ano_status scoring_init(scoring *s, const ano_model *model, int threads,
                               const ano_score_options *options, ano_error *err)
{
    const nn_net *generator = model->networks[ANO_GENERATOR];
    const size_t latent = nn_shape_size(generator->src);
    const float limit = sqrtf(6.0f / (float)(2 * latent));
    s->image = nn_shape_size(generator->dst);
    s->n_searches = threads;
    s->searches = base_alloc((size_t)threads, sizeof(detect_latent_search *));
    s->images = base_alloc((size_t)threads * DETECT_FOLDED_GROUP * s->image, sizeof(float));
    const size_t restarts = (size_t)options->restarts;
    detect_latent_start *starts = base_alloc(restarts, sizeof *starts);
    float *numbers = base_alloc(restarts * (latent + latent * latent), sizeof(float));
    ano_status status = ANO_OK;
    if (s->searches == NULL || s->images == NULL || starts == NULL || numbers == NULL)
        status = base_error_nomem(err, "latent search");
    if (status == ANO_OK)
        status = detect_folded_create(&s->generator, generator, err);
    for (size_t i = 0; i < restarts && status == ANO_OK; i++) {
        float *z0 = numbers + i * (latent + latent * latent), *kernel = z0 + latent;
        base_random_uniform(z0, latent, -1, 1,
                            (base_random){options->seed, BASE_PURPOSE_SEARCH, 2 * i});
        base_random_uniform(kernel, latent * latent, -limit, limit,
                            (base_random){options->seed, BASE_PURPOSE_SEARCH, 2 * i + 1});
        starts[i] = (detect_latent_start){z0, kernel};
    }
    for (int i = 0; i < threads && status == ANO_OK; i++)
        status = detect_latent_create(&s->searches[i], s->generator, latent, s->image, starts,
                                      options->restarts, options->learning_rate, err);
    base_free(starts);
    base_free(numbers);
    return status;
}

/* Numbers of an image's trace. */
static size_t trace_row(const ano_score_options *options)
{
    return (size_t)options->restarts * (size_t)options->iterations;
}

/* Scores the n images of s->images, n ≤ n_searches · DETECT_FOLDED_GROUP, each thread its share. */
static ano_status scoring_run(scoring *s, float *scores, float *generated, float *trace, size_t n,
                              const ano_score_options *options, ano_error *err)
{
    ano_status status = ANO_OK;
#pragma omp parallel for schedule(static, 1) num_threads(s->n_searches)
    for (int i = 0; i < s->n_searches; i++) {
        const size_t first = n * (size_t)i / (size_t)s->n_searches;
        const size_t end = n * ((size_t)i + 1) / (size_t)s->n_searches;
        ano_error own = ANO_ERROR_INIT;
        detect_latent_run(scores + first, generated != NULL ? generated + first * s->image : NULL,
                          trace != NULL ? trace + first * trace_row(options) : NULL, s->searches[i],
                          s->images + first * s->image, end - first, options->iterations, &own);
        if (own.status != ANO_OK) {
#pragma omp critical
            status = base_error(err, own.status, "%s", own.message);
        }
    }
    return status;
}

ano_status ano_score(float *scores, float *generated, float *trace, const ano_model *model,
                     const ano_dataset *dataset, const ano_score_options *options, ano_error *err)
{
    ano_status status = check_options(model, dataset, options, err);
    if (status != ANO_OK)
        return status;
    const size_t n = ano_dataset_count(dataset);
    const int previous = base_threads_enter(options->threads), threads = base_threads();
    scoring s = {0};
    status = scoring_init(&s, model, threads, options, err);
    /* As many rounds as the largest groups need, and then rounds of equal size: no thread waits. */
    const size_t most = (size_t)threads * DETECT_FOLDED_GROUP, rounds = (n + most - 1) / most;
    for (size_t round = 0; round < rounds && status == ANO_OK; round++) {
        const size_t first = n * round / rounds, count = n * (round + 1) / rounds - first;
        size_t indices[DETECT_FOLDED_GROUP];
        for (size_t i = 0; i < count && status == ANO_OK; i += DETECT_FOLDED_GROUP) {
            size_t n_indices = 0;
            while (n_indices < DETECT_FOLDED_GROUP && i + n_indices < count) {
                indices[n_indices] = first + i + n_indices;
                n_indices++;
            }
            status = ano_dataset_read(s.images + i * s.image, dataset, indices, n_indices, err);
        }
        if (status == ANO_OK)
            status = scoring_run(
                &s, scores + first, generated != NULL ? generated + first * s.image : NULL,
                trace != NULL ? trace + first * trace_row(options) : NULL, count, options, err);
        if (status == ANO_OK && options->callback != NULL &&
            options->callback(first + count, n, options->cookie) != 0)
            status = base_error(err, ANO_CANCELLED, "scoring was stopped after %zu of %zu images",
                                first + count, n);
    }
    scoring_clear(&s);
    base_threads_leave(previous);
    return status;
}
