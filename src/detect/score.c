/* The scoring path: images, whole or in tiles, are searched for in blocks; what is left of them
 * makes their anomaly maps, and the maps, beside what the model remembers, their scores. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "detect/canvas.h"
#include "detect/folded.h"
#include "detect/interpolate.h"
#include "detect/memory.h"
#include "detect/pool.h"
#include "detect/scorer.h"

#include <math.h>
#include <string.h>

/* Images that ano_score() searches for in one run. */
enum { MOST_TOGETHER = 1024 };

static ano_status check_options(const ano_model *model, const ano_dataset *dataset,
                                const ano_score_options *options, ano_error *err)
{
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
    if (options->method != ANO_METHOD_OF_MODEL &&
        (options->method < ANO_METHOD_FC || options->method > ANO_METHOD_HYBRID))
        return base_error(err, ANO_ARG, "there is no method number %d", (int)options->method);
    if ((options->method == ANO_METHOD_LATENT || options->method == ANO_METHOD_HYBRID) &&
        options->search != ANO_SEARCH_ADAM)
        return base_error(err, ANO_ARG, "the method %s searches by Adam only",
                          ano_method_name(options->method));
    if (!(options->feature_weight >= 0) || !isfinite(options->feature_weight) ||
        (options->feature_weight > 1 && options->method != ANO_METHOD_ENCODER))
        return base_error(
            err, ANO_ARG,
            "the features' weight is %g, but must be at least 0, of searches at most 1",
            options->feature_weight);
    if (options->clip < ANO_CLIP_BOUND || options->clip > ANO_CLIP_STOCHASTIC)
        return base_error(err, ANO_ARG, "there is no clip number %d", (int)options->clip);
    if (options->pool < ANO_POOL_SUM || options->pool > ANO_POOL_MAX)
        return base_error(err, ANO_ARG, "there is no pool number %d", (int)options->pool);
    if (!(options->pool_share > 0 && options->pool_share <= 1))
        return base_error(err, ANO_ARG, "the pool's share is %g, but must be above 0 and at most 1",
                          options->pool_share);
    if (options->samples < 1)
        return base_error(err, ANO_ARG, "samples is %d, but must be at least 1", options->samples);
    if (options->evidence < ANO_EVIDENCE_ELBO || options->evidence > ANO_EVIDENCE_UNEXPLAINED)
        return base_error(err, ANO_ARG, "there is no evidence number %d", (int)options->evidence);
    const ano_shape shape = ano_dataset_shape(dataset);
    const ano_model_config config = model->config;
    if (shape.height != config.size || shape.width != config.size ||
        shape.channels != config.channels)
        return base_error(err, ANO_SHAPE, "the images are %d×%d×%d, the model is for %d×%d×%d",
                          shape.height, shape.width, shape.channels, config.size, config.size,
                          config.channels);
    return base_threads_check(options->threads, err);
}

/* ---- whole images, to arrays -------------------------------------------------------------- */

static int tell(double n_done, size_t n, const ano_score_options *options)
{
    return options->callback == NULL ? 0 : options->callback(n_done, n, options->cookie);
}

typedef struct progress {
    const ano_score_options *options;
    size_t before, n_images; /* done before the run, in all */
} progress;

static int on_images(size_t n_done, void *cookie)
{
    const progress *p = cookie;
    return tell((double)(p->before + n_done), p->n_images, p->options);
}

/* Numbers in the trace of an image. */
static size_t traced(const ano_score_options *options)
{
    return (size_t)options->restarts * (size_t)options->iterations;
}

/* Numbers in an image, or a tile, as the networks see it. */
static size_t image_size(const ano_dataset *dataset)
{
    const ano_shape shape = ano_dataset_shape(dataset);
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

/* Scores the images [first, first + n). */
static ano_status score_some(float *scores, float *generated, float *trace, detect_scorer *scorer,
                             float *images, const ano_dataset *dataset, size_t first, size_t n,
                             const ano_score_options *options, ano_error *err)
{
    const size_t image = image_size(dataset);
    for (size_t i = 0; i < n; i++) {
        const size_t index = first + i;
        const ano_status status = ano_dataset_read(images + i * image, dataset, &index, 1, err);
        if (status != ANO_OK)
            return status;
    }
    progress p = {options, first, ano_dataset_count(dataset)};
    const detect_found found = {
        .scores = scores + first,
        .generated = generated != NULL ? generated + first * image : NULL,
        .trace = trace != NULL ? trace + first * traced(options) : NULL,
    };
    return detect_scorer_run(&found, scorer, images, n, on_images, &p, err);
}

ano_status ano_score(float *scores, float *generated, float *trace, const ano_model *model,
                     const ano_dataset *dataset, const ano_score_options *options, ano_error *err)
{
    const ano_score_options how = detect_settle_method(options, model);
    ano_status status = check_options(model, dataset, &how, err);
    const size_t n = ano_dataset_count(dataset);
    if (status == ANO_OK && trace != NULL && !ano_method_searches(how.method))
        status = base_error(err, ANO_ARG, "the method %s does not search, so there is no trace",
                            ano_method_name(how.method));
    if (status != ANO_OK)
        return status;
    if (n == 0)
        return tell(0, 0, options) == 0 ? ANO_OK
                                        : base_error(err, ANO_CANCELLED, "scoring was stopped");
    const size_t together = n < MOST_TOGETHER ? n : MOST_TOGETHER;
    const int previous = base_threads_enter(options->threads);
    detect_scorer *scorer = NULL;
    float *images = base_alloc(together * image_size(dataset), sizeof(float));
    status = images != NULL ? detect_scorer_create(&scorer, model, &how, together, err)
                            : base_error_nomem(err, "images to score");
    for (size_t first = 0; first < n && status == ANO_OK; first += together)
        status = score_some(scores, generated, trace, scorer, images, dataset, first,
                            n - first < together ? n - first : together, options, err);
    detect_scorer_free(scorer);
    base_free(images);
    base_threads_leave(previous);
    return status;
}

/* ---- images of any size, to a sink -------------------------------------------------------- */

typedef struct scoring {
    const ano_model *model;
    const ano_dataset *dataset;
    const ano_score_options *options;
    const ano_score_sink *sink;
    size_t tile; /* its numbers */
    bool generates;
    detect_scorer *scorer;
    detect_bands *bands;
    detect_canvas *canvas;
    detect_pool *pool;
    detect_memory *memory; /* NULL: there is none */
    size_t room;           /* tiles that this holds: */
    detect_found found;    /* without the arrays that there are none of */
    double *remembered;    /* [room][ANO_MEMORIES], what it says of images that are seen whole */
    float *memory_maps;    /* of detect_memory_map_shape() where one of its is wanted, else NULL:
                              [room] of images that are seen whole, else of the one under way */
    float *rows;           /* [n_rows][width], of the wanted map */
    size_t rows_room;
    ano_result result;   /* of the image under way */
    size_t n_tiles_done; /* of it, in the blocks before */
    ano_error lost;      /* why it could not be read again */
    const detect_block *block;
} scoring;

static bool is_whole(const scoring *s)
{
    return s->dataset->view.stride == 0;
}

static bool traces(const scoring *s)
{
    return s->sink->traces && is_whole(s) && ano_method_searches(s->options->method);
}

static bool measures_z(const scoring *s)
{
    return s->sink->z_distances && is_whole(s) && detect_method_encodes(s->options->method);
}

static bool wants_memory_map(const scoring *s)
{
    return s->sink->map != ANO_MAP_METHOD;
}

static void found_clear(detect_found *found)
{
    base_free(found->scores);
    base_free(found->maps);
    base_free(found->generated);
    base_free(found->trace);
    base_free(found->z_distances);
    *found = (detect_found){0};
}

/* Pixels of a map of the memory's. */
static size_t memory_map_size(const scoring *s)
{
    const ano_shape shape = detect_memory_map_shape(s->memory);
    return (size_t)shape.height * (size_t)shape.width;
}

static ano_status make_room(scoring *s, size_t n_tiles, ano_error *err)
{
    if (n_tiles <= s->room)
        return ANO_OK;
    const size_t n_pixels = s->tile / (size_t)ano_dataset_shape(s->dataset).channels;
    found_clear(&s->found);
    base_free(s->remembered);
    s->remembered = base_alloc(n_tiles * ANO_MEMORIES, sizeof *s->remembered);
    if (wants_memory_map(s) && (is_whole(s) || s->memory_maps == NULL)) {
        base_free(s->memory_maps);
        s->memory_maps =
            base_alloc((is_whole(s) ? n_tiles : 1) * memory_map_size(s), sizeof(float));
    }
    s->found = (detect_found){
        .scores = base_alloc(n_tiles, sizeof(float)),
        .maps = base_alloc(n_tiles * n_pixels, sizeof(float)),
        .generated = s->generates ? base_alloc(n_tiles * s->tile, sizeof(float)) : NULL,
        .trace = traces(s) ? base_alloc(n_tiles * traced(s->options), sizeof(float)) : NULL,
        .z_distances = measures_z(s) ? base_alloc(n_tiles, sizeof(float)) : NULL,
    };
    const bool all = s->remembered != NULL && (!wants_memory_map(s) || s->memory_maps != NULL) &&
                     s->found.scores != NULL && s->found.maps != NULL &&
                     (!s->generates || s->found.generated != NULL) &&
                     (!traces(s) || s->found.trace != NULL) &&
                     (!measures_z(s) || s->found.z_distances != NULL);
    s->room = all ? n_tiles : 0;
    return s->room > 0 ? ANO_OK : base_error_nomem(err, "tiles to score");
}

static ano_result result_of(size_t image)
{
    ano_result result = {.image = image, .message = "", .z_distance = NAN};
    for (int k = 0; k < ANO_MEMORIES; k++)
        result.remembered[k] = NAN;
    return result;
}

static ano_status cancelled(ano_error *err, const scoring *s)
{
    return base_error(err, ANO_CANCELLED, "scoring was stopped after %zu of %zu images",
                      s->result.image, s->dataset->list.n_items);
}

/* How many images are done when n_done tiles of the block are, counted from its first: searches end
 * in about that order. */
static int on_tiles(size_t n_done, void *cookie)
{
    const scoring *s = cookie;
    const ano_view *view = &s->dataset->view;
    size_t image = s->result.image, of_image = s->n_tiles_done, all = 1;
    for (size_t i = 0; i < s->block->n_bands; i++) {
        const detect_band *band = &s->block->bands[i];
        const bool is_read = band->error.status == ANO_OK;
        const size_t n = is_read ? (size_t)detect_tiles_along(band->shape.width, view) : 0;
        const size_t n_here = n < n_done ? n : n_done;
        all = is_read ? n * (size_t)detect_tiles_along(band->shape.height, view) : 1;
        of_image += n_here;
        n_done -= n_here;
        if (!is_read || of_image == all) {
            image = band->image + 1;
            of_image = 0;
        }
        if (n_here < n)
            break;
    }
    return tell((double)image + (double)of_image / (double)all, s->dataset->list.n_items,
                s->options);
}

static ano_status end_image(scoring *s, ano_error *err)
{
    if (s->sink->on_result != NULL && s->sink->on_result(&s->result, s->sink->cookie) != 0)
        return cancelled(err, s);
    s->result = result_of(s->result.image + 1);
    s->n_tiles_done = 0;
    detect_pool_begin(s->pool);
    return ANO_OK;
}

/* What the memory says of the image whose first band this is, of a model that sees tiles: it is
 * read once more, whole. Where it cannot be, that is to be its result. */
static ano_status remember_image(scoring *s, const detect_band *band, ano_error *err)
{
    s->lost = (ano_error)ANO_ERROR_INIT;
    const ano_status status = detect_memory_compare_read(
        s->result.remembered, s->memory_maps, s->memory, s->dataset, band->image, &s->lost);
    return status == ANO_NOMEM || status == ANO_BACKEND
               ? base_error(err, status, "%s", s->lost.message)
               : ANO_OK;
}

/* Gives a strip the rows of the wanted map in place of the method's, which is part of the sum. */
static ano_status take_memory_map(ano_strip *strip, scoring *s, const detect_band *band,
                                  ano_error *err)
{
    const ano_shape map = detect_memory_map_shape(s->memory);
    const size_t n = (size_t)strip->n_rows * (size_t)strip->shape.width;
    if (n > s->rows_room) {
        base_free(s->rows);
        s->rows = base_alloc(n, sizeof *s->rows);
        s->rows_room = s->rows != NULL ? n : 0;
        if (s->rows == NULL)
            return base_error_nomem(err, "anomaly map");
    }
    const float unit = detect_map_unit(s->model->memory.method);
    for (size_t i = 0; i < n; i++)
        s->rows[i] = s->sink->map == ANO_MAP_ALL ? strip->map[i] / unit : 0;
    detect_interpolate(s->rows, strip->y, strip->n_rows, strip->shape.width,
                       s->memory_maps + (is_whole(s) ? band->first_tile * memory_map_size(s) : 0),
                       (eval_grid){(size_t)map.height, (size_t)map.width, 1,
                                   (float)strip->shape.height / (float)map.height,
                                   (float)strip->shape.width / (float)map.width});
    strip->map = s->rows;
    return ANO_OK;
}

/* The score of the image whose last band this is; where it cannot be read again, that is its
 * result. A whole image's sum is what its method says, a residual to the bit. */
static void score_image(scoring *s, const detect_band *band, int channels)
{
    const float own = is_whole(s) && s->options->pool == ANO_POOL_SUM
                          ? s->found.scores[band->first_tile]
                          : (float)detect_pool_score(s->pool, channels);
    ano_result *result = &s->result;
    result->score = own;
    result->own = (double)own;
    if (s->memory == NULL)
        return;
    if (is_whole(s)) {
        memcpy(result->remembered, s->remembered + band->first_tile * ANO_MEMORIES,
               sizeof result->remembered);
    } else if (s->lost.status != ANO_OK) {
        result->status = s->lost.status;
        result->message = s->lost.message;
    }
    result->own = detect_standardised(s->model->memory.method, (double)own);
    result->score = (float)(result->own + detect_memory_sum(result->remembered));
}

/* Takes a band of whose tiles all is found, which took `seconds`. */
static ano_status take_band(scoring *s, const detect_band *band, double seconds, ano_error *err)
{
    if (band->error.status != ANO_OK) {
        s->result.status = band->error.status;
        s->result.message = band->error.message;
        return end_image(s, err);
    }
    const double start = base_seconds();
    const detect_found *found = &s->found;
    const size_t first = band->first_tile;
    const size_t n_pixels = s->tile / (size_t)ano_dataset_shape(s->dataset).channels;
    ano_strip strip;
    ano_status status =
        detect_canvas_add(&strip, s->canvas, band, found->maps + first * n_pixels,
                          s->generates ? found->generated + first * s->tile : NULL, err);
    if (status != ANO_OK)
        return status;
    detect_pool_add(s->pool, strip.map, (size_t)strip.n_rows * (size_t)strip.shape.width);
    if (s->memory != NULL && !is_whole(s) && strip.y == 0)
        status = remember_image(s, band, err);
    if (status == ANO_OK && s->memory_maps != NULL)
        status = take_memory_map(&strip, s, band, err);
    if (status != ANO_OK)
        return status;
    if (s->sink->on_strip != NULL && s->sink->on_strip(&strip, s->sink->cookie) != 0)
        return cancelled(err, s);
    const bool is_last = strip.y + strip.n_rows == strip.shape.height;
    if (is_last)
        score_image(s, band, strip.shape.channels);
    s->result.seconds += seconds + base_seconds() - start;
    if (!is_last) {
        s->n_tiles_done += (size_t)detect_tiles_along(strip.shape.width, &s->dataset->view);
        return ANO_OK;
    }
    if (traces(s))
        s->result.trace = found->trace + first * traced(s->options);
    if (measures_z(s))
        s->result.z_distance = found->z_distances[first];
    return end_image(s, err);
}

static ano_status score_block(scoring *s, const detect_block *block, ano_error *err)
{
    const double start = base_seconds();
    s->block = block;
    ano_status status = make_room(s, block->n_tiles, err);
    if (status == ANO_OK)
        status =
            detect_scorer_run(&s->found, s->scorer, block->tiles, block->n_tiles, on_tiles, s, err);
    if (status == ANO_OK && s->memory != NULL && is_whole(s))
        status = detect_memory_compare(s->remembered, s->memory_maps, s->memory, block->tiles,
                                       block->n_tiles, err);
    const double a_tile = (base_seconds() - start) / (double)block->n_tiles;
    for (size_t i = 0; i < block->n_bands && status == ANO_OK; i++) {
        const detect_band *band = &block->bands[i];
        const int n_tiles = detect_tiles_along(band->shape.width, &s->dataset->view);
        status = take_band(s, band, a_tile * n_tiles, err);
    }
    return status;
}

ano_status ano_score_images(const ano_model *model, const ano_dataset *dataset,
                            const ano_score_options *options, const ano_score_sink *sink,
                            ano_error *err)
{
    const ano_score_options how = detect_settle_method(options, model);
    ano_status status = check_options(model, dataset, &how, err);
    if (status == ANO_OK && (sink->map < ANO_MAP_METHOD || sink->map > ANO_MAP_ALL))
        status = base_error(err, ANO_ARG, "there is no map number %d", (int)sink->map);
    if (status != ANO_OK)
        return status;
    const size_t n = dataset->list.n_items;
    const int previous = base_threads_enter(options->threads);
    const size_t together = (size_t)base_threads() * DETECT_FOLDED_GROUP;
    scoring s = {.model = model,
                 .dataset = dataset,
                 .options = &how,
                 .sink = sink,
                 .tile = image_size(dataset),
                 .generates = detect_method_generates(how.method),
                 .result = result_of(0)};
    if (n > 0)
        status = detect_scorer_create(
            &s.scorer, model, &how, dataset->view.stride == 0 && n < together ? n : together, err);
    if (status == ANO_OK && n > 0)
        status = detect_bands_create(&s.bands, dataset, detect_scorer_width(s.scorer), err);
    if (status == ANO_OK)
        status = detect_canvas_create(&s.canvas, &dataset->view, err);
    if (status == ANO_OK)
        status = detect_memory_create(&s.memory, model, sink->map, err);
    if (status == ANO_OK)
        status = detect_pool_create(&s.pool, how.pool, how.pool_share, err);
    while (status == ANO_OK && s.result.image < n) {
        const detect_block *block;
        status = detect_bands_next(&block, s.bands, err);
        if (status == ANO_OK)
            status = score_block(&s, block, err);
    }
    if (status == ANO_OK)
        (void)tell((double)n, n, options); /* nothing is left that could be stopped */
    detect_bands_free(s.bands);
    detect_scorer_free(s.scorer);
    detect_canvas_free(s.canvas);
    detect_pool_free(s.pool);
    detect_memory_free(s.memory);
    base_free(s.remembered);
    base_free(s.memory_maps);
    base_free(s.rows);
    found_clear(&s.found);
    base_threads_leave(previous);
    return status;
}
