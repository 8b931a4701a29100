/* The training loop: epochs of steps over shuffled images, and what a run leaves in its folder.
 *
 * Every random number is a function of (seed, what it is for, epoch or step), so a run resumed from
 * its checkpoint repeats an uninterrupted one to the bit. */
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "data/augment.h"
#include "data/feed.h"
#include "model/model_file.h"
#include "model/prior.h"
#include "nn/choose.h"
#include "train/checkpoint.h"
#include "train/collapse.h"
#include "train/finite.h"
#include "train/objective.h"

#include <limits.h>
#include <math.h>

typedef struct training {
    const ano_dataset *dataset;
    const ano_train_options *options;
    train_state state;
    train_objective *objective;
    data_feed *feed;
    int steps;                  /* an epoch's */
    float *samples_z, *samples; /* the grid's latents and images; NULL without a generator */
    int unsaved;                /* steps since the last checkpoint */
    double saved;               /* when it was */
    train_collapse collapse;
    bool cancelled;
} training;

/* ---- files -------------------------------------------------------------------------------- */

static ano_status write_loss_csv(const training *t, ano_error *err)
{
    char *path = base_path_join(t->options->run_dir, "loss.csv");
    if (path == NULL)
        return base_error_nomem(err, "loss.csv");
    base_file file;
    ano_status status = base_file_create(&file, path, err);
    if (status == ANO_OK) {
        const ano_method method = t->state.model->config.method;
        fprintf(file.stream, "epoch");
        for (int k = 0; ano_loss_name(method, k) != NULL; k++)
            fprintf(file.stream, ",%s", ano_loss_name(method, k));
        fprintf(file.stream, ",seconds,images_per_second\n");
        for (int i = 0; i < t->state.epoch; i++) {
            const ano_epoch *e = &t->state.history[i];
            fprintf(file.stream, "%d", e->epoch);
            for (int k = 0; ano_loss_name(method, k) != NULL; k++)
                fprintf(file.stream, ",%.9g", e->losses[k]);
            fprintf(file.stream, ",%.3f,%.1f\n", e->seconds, e->images_per_second);
        }
        status = base_file_commit(&file, err);
    }
    base_free(path);
    return status;
}

static ano_status write_weights(const training *t, ano_error *err)
{
    ano_status status = ANO_OK;
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++) {
        if (t->state.model->networks[i] == NULL)
            continue;
        char name[64];
        snprintf(name, sizeof name, "weights/%s_%04d.safetensors", ano_network_name((ano_network)i),
                 t->state.epoch);
        char *path = base_path_join(t->options->run_dir, name);
        status = path != NULL ? model_save_network(t->state.model, (ano_network)i, path, err)
                              : base_error_nomem(err, name);
        base_free(path);
    }
    return status;
}

static ano_status write_model(const training *t, ano_error *err)
{
    char *path = base_path_join(t->options->run_dir, "model.safetensors");
    const ano_status status =
        path != NULL ? ano_model_save(t->state.model, path, err) : base_error_nomem(err, "model");
    base_free(path);
    return status;
}

static ano_status make_run_folder(const ano_train_options *options, ano_error *err)
{
    char *weights = base_path_join(options->run_dir, "weights");
    const ano_status status =
        weights != NULL ? base_make_folder(weights, err) : base_error_nomem(err, "run folder");
    base_free(weights);
    return status;
}

/* ---- the loop ----------------------------------------------------------------------------- */

static bool is_due(const training *t, int every)
{
    return (every > 0 && t->state.epoch % every == 0) || t->state.epoch == t->options->epochs;
}

static void report(training *t, const ano_train_event *event)
{
    if (!t->cancelled && t->options->callback != NULL &&
        t->options->callback(event, t->options->cookie) != 0)
        t->cancelled = true;
}

/* What data_feed tells: of every image while the feed is made, then of those that are lost. */
static int on_notice(size_t n_looked_at, size_t n_images, const char *skipped, void *cookie)
{
    training *t = cookie;
    ano_train_event event = {.epochs = t->options->epochs, .skipped = skipped};
    if (t->feed == NULL) {
        event.step = (int)n_looked_at;
        event.steps = (int)n_images;
    } else {
        event.epoch = t->state.epoch + 1;
        event.step = t->state.step;
        event.steps = t->steps;
    }
    report(t, &event);
    return t->cancelled;
}

/* What checkpoints and the watch on collapse have to tell. */
static void on_tell(const char *message, void *cookie)
{
    training *t = cookie;
    report(t, &(ano_train_event){.epoch = t->state.epoch + (t->state.epoch < t->options->epochs),
                                 .epochs = t->options->epochs,
                                 .step = t->state.step,
                                 .steps = t->steps,
                                 .notice = message});
}

static ano_status save_checkpoint(training *t, ano_error *err)
{
    if (t->options->run_dir == NULL || t->unsaved == 0)
        return ANO_OK;
    const ano_status status = train_checkpoint_save(&t->state, t->options, err);
    t->unsaved = 0;
    t->saved = base_seconds();
    return status;
}

static bool minutes_have_passed(const training *t)
{
    const int minutes = t->options->checkpoint_minutes;
    return minutes > 0 && base_seconds() - t->saved >= 60.0 * minutes;
}

static ano_status run_step(training *t, ano_error *err)
{
    train_state *state = &t->state;
    const uint64_t global_step =
        (uint64_t)state->epoch * (uint64_t)t->steps + (uint64_t)state->step;
    ano_status status = data_feed_batch(train_objective_images(t->objective), t->feed,
                                        (size_t)state->epoch, (size_t)state->step, err);
    if (status != ANO_OK)
        return status;
    train_result result;
    status = train_objective_run(&result, t->objective, global_step, err);
    if (status != ANO_OK)
        return status;
    const float *gradients[MODEL_NETWORKS];
    for (int i = 0; i < MODEL_NETWORKS; i++)
        gradients[i] = train_objective_gradients(t->objective, (ano_network)i);
    ano_error broken = ANO_ERROR_INIT;
    if (train_check_finite(state->model, gradients, result.losses, &broken) != ANO_OK)
        return base_error(err, ANO_NUMERIC,
                          "epoch %d, step %d: %s: begin again with a lower learning rate; the last "
                          "good checkpoint is kept",
                          state->epoch + 1, state->step + 1, broken.message);
    for (int i = 0; i < ANO_MAX_LOSSES; i++)
        state->sums.losses[i] += result.losses[i];
    state->step++;
    t->unsaved++;
    return ANO_OK;
}

static void watch_collapse(training *t, const ano_epoch *ended)
{
    const float *real = train_objective_images(t->objective),
                *generated = train_objective_generated(t->objective);
    if (generated == NULL)
        return;
    const size_t image = nn_shape_size(t->state.model->networks[ANO_GENERATOR]->dst);
    const char *message =
        train_collapse_watch(&t->collapse, real, generated, (size_t)t->options->batch, image,
                             train_objective_excess(t->objective, ended->losses[0]));
    if (message != NULL)
        on_tell(message, t);
}

/* Turns the sums of the steps into the epoch's row, writes the run's files, tells the caller. */
static ano_status end_epoch(training *t, ano_error *err)
{
    train_state *state = &t->state;
    const train_sums sums = state->sums;
    const double steps = t->steps;
    ano_epoch *ended = &state->history[state->epoch];
    *ended = (ano_epoch){
        .epoch = state->epoch + 1,
        .seconds = sums.seconds,
        .images_per_second = sums.seconds > 0 ? steps * t->options->batch / sums.seconds : 0,
    };
    for (int i = 0; i < ANO_MAX_LOSSES; i++)
        ended->losses[i] = sums.losses[i] / steps;
    state->epoch++;
    state->step = 0;
    state->sums = (train_sums){0};
    ano_status status = ANO_OK;
    if (t->options->run_dir != NULL) {
        if (is_due(t, t->options->weights_every))
            status = write_weights(t, err);
        if (status == ANO_OK)
            status = write_loss_csv(t, err);
    }
    const bool samples_due = t->samples != NULL && is_due(t, t->options->sample_every);
    if (status == ANO_OK && samples_due)
        status = ano_model_generate(t->samples, state->model, t->samples_z, ANO_SAMPLE_COUNT,
                                    t->options->threads, err);
    if (status == ANO_OK)
        report(t, &(ano_train_event){.epoch = state->epoch,
                                     .epochs = t->options->epochs,
                                     .step = t->steps,
                                     .steps = t->steps,
                                     .ended = ended,
                                     .samples = samples_due ? t->samples : NULL});
    if (status == ANO_OK)
        watch_collapse(t, ended);
    /* Last, so that a run killed before it makes the epoch's files again. */
    if (status == ANO_OK && (is_due(t, t->options->checkpoint_every) || minutes_have_passed(t)))
        status = save_checkpoint(t, err);
    return status;
}

static ano_status run_epoch(training *t, ano_error *err)
{
    train_state *state = &t->state;
    while (state->step < t->steps && !t->cancelled) {
        const double start = base_seconds();
        ano_status status = run_step(t, err);
        if (status != ANO_OK)
            return status;
        state->sums.seconds += base_seconds() - start;
        report(t, &(ano_train_event){.epoch = state->epoch + 1,
                                     .epochs = t->options->epochs,
                                     .step = state->step,
                                     .steps = t->steps});
        if (state->step < t->steps && minutes_have_passed(t))
            status = save_checkpoint(t, err);
        if (status != ANO_OK)
            return status;
    }
    return state->step == t->steps ? end_epoch(t, err) : ANO_OK;
}

static ano_status run_epochs(training *t, ano_error *err)
{
    while (t->state.epoch < t->options->epochs && !t->cancelled) {
        const ano_status status = run_epoch(t, err);
        if (status != ANO_OK)
            return status;
    }
    if (t->state.epoch == t->options->epochs)
        return ANO_OK;
    const ano_status status = save_checkpoint(t, err);
    return status != ANO_OK
               ? status
               : base_error(err, ANO_CANCELLED, "training was stopped after epoch %d, step %d",
                            t->state.epoch, t->state.step);
}

/* ---- set-up ------------------------------------------------------------------------------- */

static ano_status feed_create(training *t, ano_error *err)
{
    const data_feed_options how = {.batch = t->options->batch,
                                   .seed = t->options->seed,
                                   .augment = t->options->augment,
                                   .cache = t->options->cache,
                                   .threads = base_threads(),
                                   .notice = on_notice,
                                   .cookie = t};
    const ano_status status = data_feed_create(&t->feed, t->dataset, &how, err);
    if (status != ANO_OK)
        return status;
    if (data_feed_steps(t->feed) > INT_MAX)
        return base_error(err, ANO_ARG, "an epoch would have %zu steps", data_feed_steps(t->feed));
    t->steps = (int)data_feed_steps(t->feed);
    t->state.images_crc = data_feed_crc(t->feed);
    return ANO_OK;
}

/* Makes room for the samples and draws their latents, where there is a generator. */
static ano_status samples_create(training *t, ano_error *err)
{
    const ano_model *model = t->state.model;
    if (model->networks[ANO_GENERATOR] == NULL)
        return ANO_OK;
    const size_t n_latents = ANO_SAMPLE_COUNT * (size_t)model->config.latent;
    const size_t image = nn_shape_size(model->networks[ANO_GENERATOR]->dst);
    t->samples_z = base_alloc(n_latents, sizeof(float));
    t->samples = base_alloc(ANO_SAMPLE_COUNT * image, sizeof(float));
    if (t->samples_z == NULL || t->samples == NULL)
        return base_error_nomem(err, "samples");
    const base_random random = {t->options->seed, BASE_PURPOSE_SAMPLES, 0};
    model_prior_draw(t->samples_z, n_latents, model->config.prior, random);
    return ANO_OK;
}

static ano_status training_init(training *t, const ano_model_config *config, ano_error *err)
{
    const ano_train_options *o = t->options;
    train_state *state = &t->state;
    ano_status status = ano_model_create(&state->model, config, o->seed, err);
    if (status != ANO_OK)
        return status;
    state->model->view = ano_dataset_get_view(t->dataset);
    state->history = base_alloc((size_t)o->epochs, sizeof *state->history);
    if (state->history == NULL)
        return base_error_nomem(err, "training");
    status = samples_create(t, err);
    if (status == ANO_OK)
        status = feed_create(t, err);
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK; i++)
        if (state->model->networks[i] != NULL)
            status = nn_adam_init(&state->adam[i], state->model->networks[i]->n_parameters,
                                  o->learning_rate, o->beta1, o->beta2, err);
    if (status == ANO_OK)
        status = train_weights_init(&state->weights, state->model, o, err);
    bool found = false;
    if (status == ANO_OK && o->resume)
        status = train_checkpoint_load(&found, state, o, on_tell, t, err);
    for (int i = 0; i < MODEL_NETWORKS && status == ANO_OK && !found; i++)
        if (state->model->networks[i] != NULL)
            status = nn_choose_methods(state->model->networks[i], o->conv, o->batch, err);
    if (status == ANO_OK && state->step > t->steps)
        status = base_error(err, ANO_FORMAT, "the checkpoint is at step %d of an epoch of %d",
                            state->step, t->steps);
    if (status == ANO_OK && o->run_dir != NULL)
        status = make_run_folder(o, err);
    if (status == ANO_OK && o->run_dir != NULL && !o->resume)
        status = train_checkpoint_clear(o->run_dir, err);
    t->saved = base_seconds();
    if (status == ANO_OK)
        status =
            train_objective_create(&t->objective, &state->weights, state->adam, o, t->steps, err);
    return status;
}

static void training_clear(training *t)
{
    train_objective_free(t->objective);
    data_feed_free(t->feed);
    train_weights_clear(&t->state.weights);
    ano_model_free(t->state.model);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        nn_adam_clear(&t->state.adam[i]);
    base_free(t->state.history);
    base_free(t->samples_z);
    base_free(t->samples);
}

static ano_status check_images(const ano_dataset *dataset, const ano_model_config *config,
                               ano_error *err)
{
    const ano_shape shape = ano_dataset_shape(dataset);
    if (shape.height == config->size && shape.width == config->size &&
        shape.channels == config->channels)
        return ANO_OK;
    return base_error(err, ANO_SHAPE, "the images are %d×%d×%d, the model is for %d×%d×%d",
                      shape.height, shape.width, shape.channels, config->size, config->size,
                      config->channels);
}

ano_status ano_train(ano_model **out, const ano_dataset *dataset, const ano_model_config *config,
                     const ano_train_options *options, ano_error *err)
{
    *out = NULL;
    ano_status status = ano_train_check(config, options, err);
    if (status == ANO_OK)
        status = check_images(dataset, config, err);
    if (status != ANO_OK)
        return status;
    ano_run_lock *lock = NULL;
    if (options->run_dir != NULL && options->lock == NULL) {
        ano_error refused = ANO_ERROR_INIT;
        status = ano_run_lock_take(&lock, options->run_dir, &refused);
        if (status != ANO_OK && status != ANO_UNSUPPORTED)
            return base_error(err, status, "%s", refused.message);
    }
    const int previous = base_threads_enter(options->threads);
    training t = {.dataset = dataset, .options = options};
    status = training_init(&t, config, err);
    if (status == ANO_OK)
        status = run_epochs(&t, err);
    if (status == ANO_OK && options->run_dir != NULL)
        status = write_model(&t, err);
    if (status == ANO_OK) {
        /* As a model is that was read from a file: the same weights give the same bytes. */
        for (int i = 0; i < MODEL_NETWORKS; i++)
            if (t.state.model->networks[i] != NULL)
                nn_choose_methods(t.state.model->networks[i], ANO_CONV_DIRECT, options->batch,
                                  NULL);
        *out = t.state.model;
        t.state.model = NULL;
    }
    training_clear(&t);
    base_threads_leave(previous);
    ano_run_lock_free(lock);
    return status;
}
