/* The scoring path, the only one: each image of a data set is searched for from each start. The
 * searches stand in one queue, image by image, from which every thread keeps its batch full. */
#include "base/memory.h"
#include "base/threads.h"
#include "detect/latent.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

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
    if (options->search != ANO_SEARCH_ADAM && options->search != ANO_SEARCH_LBFGS)
        return base_error(err, ANO_ARG, "there is no search number %d", (int)options->search);
    if (!(options->learning_rate > 0) || !isfinite(options->learning_rate))
        return base_error(err, ANO_ARG, "the search's learning rate is %g, but must be above 0",
                          options->learning_rate);
    if (!(options->tolerance >= 0 && options->tolerance < 1))
        return base_error(err, ANO_ARG,
                          "the search's tolerance is %g, but must be at least 0 and below 1",
                          options->tolerance);
    const ano_shape shape = ano_dataset_shape(dataset);
    const ano_model_config config = model->config;
    if (shape.height != config.size || shape.width != config.size ||
        shape.channels != config.channels)
        return base_error(err, ANO_SHAPE, "the images are %d×%d×%d, the model is for %d×%d×%d",
                          shape.height, shape.width, shape.channels, config.size, config.size,
                          config.channels);
    return base_threads_check(options->threads, err);
}

/* How far the searches of an image are. */
typedef struct image_state {
    size_t best_start; /* of those that have ended */
    size_t n_ended;
} image_state;

/* What all threads share. */
typedef struct scoring {
    const ano_dataset *dataset;
    const ano_score_options *options;
    float *scores, *generated, *trace; /* ano_score()'s */
    size_t image, n_images;            /* numbers of an image, and how many there are */
    size_t restarts, n_searches;       /* search `id` is image id / restarts, start id % restarts */
    detect_folded *generator;
    detect_latent_start *starts; /* [restarts] */
    float *start_numbers;        /* that the starts point to */
    int n_batches;               /* one a thread */
    detect_latent_batch **batches;
    float *images;       /* [n_batches][image], read from the data set */
    image_state *states; /* [n_images] */
    size_t next, n_done; /* of the queue; images whose searches have all ended */
    bool stops;          /* a thread has failed */
} scoring;

static void scoring_clear(scoring *s)
{
    for (int i = 0; i < s->n_batches && s->batches != NULL; i++)
        detect_latent_free(s->batches[i]);
    base_free(s->batches);
    base_free(s->images);
    base_free(s->states);
    base_free(s->starts);
    base_free(s->start_numbers);
    detect_folded_free(s->generator);
}

/* Every search starts like Keras's dense layer, W Glorot uniform, from a z0 drawn like the latents
 * of training. */
static ano_status draw_starts(scoring *s, size_t latent, ano_error *err)
{
    const float limit = sqrtf(6.0f / (float)(2 * latent));
    const uint64_t seed = s->options->seed;
    s->starts = base_alloc(s->restarts, sizeof *s->starts);
    s->start_numbers = base_alloc(s->restarts * (latent + latent * latent), sizeof(float));
    if (s->starts == NULL || s->start_numbers == NULL)
        return base_error_nomem(err, "latent search");
    for (size_t i = 0; i < s->restarts; i++) {
        float *z0 = s->start_numbers + i * (latent + latent * latent), *kernel = z0 + latent;
        base_random_uniform(z0, latent, -1, 1, (base_random){seed, BASE_PURPOSE_SEARCH, 2 * i});
        base_random_uniform(kernel, latent * latent, -limit, limit,
                            (base_random){seed, BASE_PURPOSE_SEARCH, 2 * i + 1});
        s->starts[i] = (detect_latent_start){z0, kernel};
    }
    return ANO_OK;
}

/* As many rounds as the largest batches need, and then batches of equal size: where all searches
 * take as long, no thread waits. */
static size_t places_for(size_t n_searches, size_t n_batches, size_t most)
{
    const size_t rounds = (n_searches + n_batches * most - 1) / (n_batches * most);
    return (n_searches + n_batches * rounds - 1) / (n_batches * rounds);
}

static ano_status scoring_init(scoring *s, const nn_net *generator, size_t threads, ano_error *err)
{
    const size_t latent = nn_shape_size(generator->src);
    const detect_latent_options how = {.search = s->options->search,
                                       .iterations = s->options->iterations,
                                       .rate = s->options->learning_rate,
                                       .tolerance = s->options->tolerance};
    const size_t n_batches = threads < s->n_searches ? threads : s->n_searches;
    const size_t n_places =
        places_for(s->n_searches, n_batches, detect_latent_most(latent, s->image, how.search));
    s->n_batches = (int)n_batches;
    s->batches = base_alloc(n_batches, sizeof(detect_latent_batch *));
    s->images = base_alloc(n_batches * s->image, sizeof(float));
    s->states = base_alloc(s->n_images, sizeof *s->states);
    if (s->batches == NULL || s->images == NULL || s->states == NULL)
        return base_error_nomem(err, "latent search");
    ano_status status = draw_starts(s, latent, err);
    if (status == ANO_OK)
        status = detect_folded_create(&s->generator, generator, err);
    for (size_t i = 0; i < n_batches && status == ANO_OK; i++)
        status = detect_latent_create(&s->batches[i], s->generator, latent, s->image, n_places, how,
                                      err);
    return status;
}

/* Fills a thread's batch from the queue. */
static ano_status scoring_fill(scoring *s, int batch, ano_error *err)
{
    float *image = s->images + (size_t)batch * s->image;
    while (detect_latent_has_room(s->batches[batch])) {
        size_t id;
#pragma omp atomic capture
        id = s->next++;
        if (id >= s->n_searches)
            break;
        const size_t index = id / s->restarts;
        const ano_status status = ano_dataset_read(image, s->dataset, &index, 1, err);
        if (status != ANO_OK)
            return status;
        detect_latent_add(s->batches[batch], image, s->starts[id % s->restarts], id,
                          s->trace != NULL ? s->trace + id * (size_t)s->options->iterations : NULL);
    }
    return ANO_OK;
}

/* Takes what a search has found as its image's result, if it is the best. Of two that are as good
 * it is the one with the earlier start, whichever ended first. */
static void scoring_keep(scoring *s, detect_latent_found found)
{
    const size_t image = found.id / s->restarts, start = found.id % s->restarts;
#pragma omp critical
    {
        image_state *state = &s->states[image];
        if (state->n_ended == 0 || found.residual < s->scores[image] ||
            (found.residual == s->scores[image] && start < state->best_start)) {
            state->best_start = start;
            s->scores[image] = found.residual;
            if (s->generated != NULL)
                memcpy(s->generated + image * s->image, found.generated, s->image * sizeof(float));
        }
        if (++state->n_ended == s->restarts) {
#pragma omp atomic
            s->n_done++;
        }
    }
}

static ano_status scoring_report(scoring *s, ano_error *err)
{
    size_t done;
#pragma omp atomic read
    done = s->n_done;
    const ano_score_options *options = s->options;
    if (options->callback == NULL || options->callback(done, s->n_images, options->cookie) == 0)
        return ANO_OK;
    return base_error(err, ANO_CANCELLED, "scoring was stopped after %zu of %zu images", done,
                      s->n_images);
}

/* What one thread does: searches, until the queue is empty. The first thread is ano_score()'s. */
static ano_status scoring_work(scoring *s, int batch, ano_error *err)
{
    for (;;) {
        bool stops;
#pragma omp atomic read
        stops = s->stops;
        ano_status status = scoring_fill(s, batch, err);
        if (status != ANO_OK || stops || detect_latent_is_empty(s->batches[batch]))
            return status;
        status = detect_latent_step(s->batches[batch], err);
        if (status != ANO_OK)
            return status;
        for (detect_latent_found found; detect_latent_take(&found, s->batches[batch]);)
            scoring_keep(s, found);
        if (batch == 0)
            status = scoring_report(s, err);
        if (status != ANO_OK)
            return status;
    }
}

static ano_status scoring_run(scoring *s, ano_error *err)
{
    ano_status status = ANO_OK;
#pragma omp parallel for schedule(static, 1) num_threads(s->n_batches)
    for (int i = 0; i < s->n_batches; i++) {
        ano_error own = ANO_ERROR_INIT;
        if (scoring_work(s, i, &own) != ANO_OK) {
#pragma omp atomic write
            s->stops = true;
#pragma omp critical
            status = base_error(err, own.status, "%s", own.message);
        }
    }
    return status == ANO_OK ? scoring_report(s, err) : status;
}

ano_status ano_score(float *scores, float *generated, float *trace, const ano_model *model,
                     const ano_dataset *dataset, const ano_score_options *options, ano_error *err)
{
    ano_status status = check_options(model, dataset, options, err);
    if (status != ANO_OK)
        return status;
    const nn_net *generator = model->networks[ANO_GENERATOR];
    const int previous = base_threads_enter(options->threads);
    scoring s = {.dataset = dataset,
                 .options = options,
                 .scores = scores,
                 .generated = generated,
                 .trace = trace,
                 .image = nn_shape_size(generator->dst),
                 .n_images = ano_dataset_count(dataset),
                 .restarts = (size_t)options->restarts};
    s.n_searches = s.n_images * s.restarts;
    if (s.n_images > 0)
        status = scoring_init(&s, generator, (size_t)base_threads(), err);
    if (status == ANO_OK && s.n_images > 0)
        status = scoring_run(&s, err);
    scoring_clear(&s);
    base_threads_leave(previous);
    return status;
}
