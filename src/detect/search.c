#include "detect/search.h"

#include "base/memory.h"
#include "base/threads.h"
#include "detect/latent.h"

#include <math.h>
#include <string.h>

/* How far the searches of an image are. */
typedef struct image_state {
    size_t best_start; /* of those that have ended */
    size_t n_ended;
} image_state;

struct detect_search {
    size_t latent, image, restarts,
        iterations; /* numbers of an image, searches of it, steps of each */
    detect_folded *generator;
    detect_latent_start *starts; /* [restarts] */
    float *start_numbers;        /* that the starts point to */
    int n_batches;               /* one a thread */
    size_t n_places;             /* of each */
    detect_latent_batch **batches;
    detect_matching **matchings; /* [n_batches], of which all are NULL where none is asked for */
};

/* What the threads of a run share. */
typedef struct run {
    const detect_search *search;
    const float *images, *z;     /* z: where first searches begin; NULL: where the starts say */
    size_t n_images, n_searches; /* search `id` is image id / restarts, start id % restarts */
    float *residuals, *generated, *trace;
    image_state *states; /* [n_images] */
    size_t next, n_done; /* of the queue; images whose searches have all ended */
    bool stops;          /* a thread has failed */
    detect_tick *tick;
    void *cookie;
} run;

/* ---- set-up ------------------------------------------------------------------------------- */

void detect_search_free(detect_search *search)
{
    if (search == NULL)
        return;
    for (int i = 0; i < search->n_batches && search->batches != NULL; i++)
        detect_latent_free(search->batches[i]);
    for (int i = 0; i < search->n_batches && search->matchings != NULL; i++)
        detect_matching_free(search->matchings[i]);
    base_free(search->batches);
    base_free(search->matchings);
    base_free(search->starts);
    base_free(search->start_numbers);
    detect_folded_free(search->generator);
    base_free(search);
}

/* Every search starts like Keras's dense layer, W Glorot uniform, from a z0 drawn like the latents
 * of training. */
static ano_status draw_starts(detect_search *s, size_t latent, uint64_t seed, ano_error *err)
{
    const float limit = sqrtf(6.0f / (float)(2 * latent));
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

/* What threads make their matchings from. */
typedef struct matching_source {
    const detect_search *search;
    const nn_net *discriminator;
    const ano_score_options *options;
} matching_source;

static ano_status create_matching(int thread, void *cookie, ano_error *err)
{
    const matching_source *from = cookie;
    return detect_matching_create(&from->search->matchings[thread], from->discriminator,
                                  from->options->feature_block, from->options->feature_weight, err);
}

ano_status detect_search_create(detect_search **out, const ano_model *model,
                                const ano_score_options *options, size_t n, ano_error *err)
{
    *out = NULL;
    const nn_net *generator = model->networks[ANO_GENERATOR];
    const size_t latent = nn_shape_size(generator->src), threads = (size_t)base_threads();
    const bool of_z = options->method != ANO_METHOD_FC;
    detect_latent_options how = {.search = options->search,
                                 .of_z = of_z,
                                 .clip = options->clip,
                                 .seed = options->seed,
                                 .starts = (size_t)options->restarts,
                                 .iterations = options->iterations,
                                 .rate = options->learning_rate,
                                 .tolerance = options->tolerance};
    detect_search *s = base_alloc(1, sizeof *s);
    if (s == NULL)
        return base_error_nomem(err, "latent search");
    s->latent = latent;
    s->image = nn_shape_size(generator->dst);
    s->restarts = (size_t)options->restarts;
    s->iterations = (size_t)options->iterations;
    const size_t n_searches = n * s->restarts;
    s->n_batches = (int)(threads < n_searches ? threads : n_searches);
    s->batches = base_alloc((size_t)s->n_batches, sizeof(detect_latent_batch *));
    s->matchings = base_alloc((size_t)s->n_batches, sizeof(detect_matching *));
    ano_status status = s->batches != NULL && s->matchings != NULL
                            ? ANO_OK
                            : base_error_nomem(err, "latent search");
    if (status == ANO_OK && of_z && options->feature_weight > 0) {
        matching_source from = {s, model->networks[ANO_DISCRIMINATOR], options};
        status = base_threads_each(s->n_batches, create_matching, &from, err);
    }
    if (status == ANO_OK)
        status = draw_starts(s, latent, options->seed, err);
    if (status == ANO_OK)
        status = detect_folded_create(&s->generator, generator, err);
    if (status == ANO_OK)
        s->n_places = places_for(n_searches, (size_t)s->n_batches,
                                 detect_latent_most(s->generator, latent, s->image, how.search));
    for (int i = 0; i < s->n_batches && status == ANO_OK; i++) {
        how.matching = s->matchings[i];
        status = detect_latent_create(&s->batches[i], s->generator, latent, s->image, s->n_places,
                                      how, err);
    }
    if (status == ANO_OK)
        *out = s;
    else
        detect_search_free(s);
    return status;
}

size_t detect_search_width(const detect_search *search)
{
    return (size_t)search->n_batches * search->n_places;
}

/* ---- a run -------------------------------------------------------------------------------- */

/* Fills a thread's batch from the queue. */
static void run_fill(run *r, detect_latent_batch *batch)
{
    const detect_search *s = r->search;
    while (detect_latent_has_room(batch)) {
        size_t id;
#pragma omp atomic capture
        id = r->next++;
        if (id >= r->n_searches)
            break;
        const size_t image = id / s->restarts;
        detect_latent_start start = s->starts[id % s->restarts];
        if (r->z != NULL && id % s->restarts == 0)
            start.z0 = r->z + image * s->latent;
        detect_latent_add(batch, r->images + image * s->image, start, id,
                          r->trace != NULL ? r->trace + id * s->iterations : NULL);
    }
}

/* Takes what a search has found as its image's result, if it is the best. Of two that are as good
 * it is the one with the earlier start, whichever ended first. */
static void run_keep(run *r, detect_latent_found found)
{
    const detect_search *s = r->search;
    const size_t image = found.id / s->restarts, start = found.id % s->restarts;
#pragma omp critical
    {
        image_state *state = &r->states[image];
        if (state->n_ended == 0 || found.residual < r->residuals[image] ||
            (found.residual == r->residuals[image] && start < state->best_start)) {
            state->best_start = start;
            r->residuals[image] = found.residual;
            if (r->generated != NULL)
                memcpy(r->generated + image * s->image, found.generated, s->image * sizeof(float));
        }
        if (++state->n_ended == s->restarts) {
#pragma omp atomic
            r->n_done++;
        }
    }
}

static ano_status run_report(run *r, ano_error *err)
{
    size_t done;
#pragma omp atomic read
    done = r->n_done;
    if (r->tick == NULL || r->tick(done, r->cookie) == 0)
        return ANO_OK;
    return base_error(err, ANO_CANCELLED, "scoring was stopped");
}

/* Searches until the queue is empty. The first thread is the caller's. */
static ano_status run_queue(run *r, int index, ano_error *err)
{
    detect_latent_batch *batch = r->search->batches[index];
    for (;;) {
        bool stops;
#pragma omp atomic read
        stops = r->stops;
        run_fill(r, batch);
        if (stops || detect_latent_is_empty(batch))
            return ANO_OK;
        ano_status status = detect_latent_step(batch, err);
        if (status != ANO_OK)
            return status;
        for (detect_latent_found found; detect_latent_take(&found, batch);)
            run_keep(r, found);
        if (index == 0)
            status = run_report(r, err);
        if (status != ANO_OK)
            return status;
    }
}

static ano_status run_work(int thread, void *cookie, ano_error *err)
{
    run *r = cookie;
    const ano_status status = run_queue(r, thread, err);
    if (status != ANO_OK) {
#pragma omp atomic write
        r->stops = true;
    }
    return status;
}

ano_status detect_search_run(float *residuals, float *generated, float *trace,
                             detect_search *search, const float *images, const float *z, size_t n,
                             detect_tick *tick, void *cookie, ano_error *err)
{
    run r = {.search = search,
             .images = images,
             .z = z,
             .n_images = n,
             .n_searches = n * search->restarts,
             .residuals = residuals,
             .generated = generated,
             .trace = trace,
             .states = base_alloc(n, sizeof *r.states),
             .tick = tick,
             .cookie = cookie};
    if (r.states == NULL)
        return base_error_nomem(err, "latent search");
    ano_status status = base_threads_each(search->n_batches, run_work, &r, err);
    if (status == ANO_OK)
        status = run_report(&r, err);
    base_free(r.states);
    return status;
}
