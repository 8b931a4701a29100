#include "data/feed.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/augment.h"
#include "data/reader.h"

#include <pthread.h>
#include <stdatomic.h>

/* An image of a group. */
typedef struct group_image {
    size_t image;     /* of the survey */
    uint16_t *pixels; /* the survey's where it keeps them, else the group's; NULL: unreadable */
    char *why;        /* it has just become so */
} group_image;

typedef struct group {
    size_t epoch, first_sample; /* which samples of which epoch they are */
    size_t n_images, n_samples;
    group_image *images; /* [n_images] */
    size_t *samples;     /* [n_samples], in their order: which of images they are of */
} group;

struct data_feed {
    const ano_dataset *dataset;
    data_feed_options options;
    data_survey survey;
    ano_shape shape;    /* of a sample */
    size_t n_samples;   /* of an epoch, before the last ones are left out */
    group groups[2];    /* there is memory for all images in each */
    group *now, *ahead; /* what is trained on, and what is being read */
    size_t *images;     /* [n_images], an epoch's order while a group is planned */
    size_t *unshuffled; /* [n_samples], the group's samples meanwhile */
    bool *is_lost;      /* [n_images] */
    float *scratch;     /* a sample */
    pthread_t loader;
    bool is_loading;
    atomic_size_t n_taken; /* images of `ahead` that are read or being read */
    atomic_bool stops, lacks_memory;
};

/* As many tiles as would cover the image; 1 where the view is whole. */
static size_t samples_of(const data_feed *feed, size_t image)
{
    const ano_shape whole = feed->survey.images[image].shape, tile = feed->shape;
    return ((size_t)whole.height + (size_t)tile.height - 1) / (size_t)tile.height *
           (((size_t)whole.width + (size_t)tile.width - 1) / (size_t)tile.width);
}

size_t data_feed_steps(const data_feed *feed)
{
    return feed->n_samples / (size_t)feed->options.batch;
}

uint32_t data_feed_crc(const data_feed *feed)
{
    return feed->survey.crc;
}

/* ---- groups ------------------------------------------------------------------------------- */

static void group_clear(group *g, bool owns_pixels)
{
    for (size_t i = 0; i < g->n_images; i++) {
        if (owns_pixels)
            base_free(g->images[i].pixels);
        base_free(g->images[i].why);
    }
    g->n_images = g->n_samples = 0;
}

static bool group_holds(const group *g, size_t epoch, size_t sample)
{
    return g->epoch == epoch && sample >= g->first_sample &&
           sample - g->first_sample < g->n_samples;
}

/* Lists the images from `first` on, in the epoch's order, that fit the memory of a group. */
static void fill_group(data_feed *feed, group *g, size_t first)
{
    const data_survey *survey = &feed->survey;
    const size_t limit = survey->is_kept ? SIZE_MAX : feed->options.cache / 2;
    size_t bytes = 0;
    g->n_images = g->n_samples = 0;
    for (size_t i = first; i < survey->n_images; i++) {
        const size_t image = feed->images[i], size = data_image_bytes(&survey->images[image]);
        if (i > first && size > limit - bytes)
            break;
        bytes += size < limit ? size : limit;
        for (size_t k = samples_of(feed, image); k > 0; k--)
            feed->unshuffled[g->n_samples++] = g->n_images;
        g->images[g->n_images++] = (group_image){.image = image};
    }
}

/* Makes `g` the group that holds a sample of an epoch, its pixels yet to be read. */
static void plan_group(data_feed *feed, group *g, size_t epoch, size_t sample)
{
    const uint64_t seed = feed->options.seed;
    const size_t n_images = feed->survey.n_images;
    group_clear(g, !feed->survey.is_kept);
    if (feed->survey.is_kept)
        for (size_t i = 0; i < n_images; i++)
            feed->images[i] = i;
    else
        base_random_permutation(feed->images, n_images,
                                (base_random){seed, BASE_PURPOSE_IMAGES, epoch});
    uint64_t number = 0;
    size_t first_image = 0;
    g->epoch = epoch;
    g->first_sample = 0;
    fill_group(feed, g, 0);
    while (!group_holds(g, epoch, sample)) {
        number++;
        first_image += g->n_images;
        g->first_sample += g->n_samples;
        fill_group(feed, g, first_image);
    }
    base_random_permutation(g->samples, g->n_samples,
                            (base_random){seed, BASE_PURPOSE_SHUFFLE, epoch | number << 32});
    for (size_t i = 0; i < g->n_samples; i++)
        g->samples[i] = feed->unshuffled[g->samples[i]];
}

/* ---- reading ahead ------------------------------------------------------------------------ */

/* Reads what nobody has taken yet: in the loader, and in the caller's thread when it must wait. */
static void *load_group(void *shared)
{
    data_feed *feed = shared;
    group *g = feed->ahead;
    for (size_t i; !feed->stops && (i = feed->n_taken++) < g->n_images;) {
        group_image *slot = &g->images[i];
        const data_image *image = &feed->survey.images[slot->image];
        if (feed->is_lost[slot->image])
            continue;
        ano_error err = ANO_ERROR_INIT;
        const ano_status status = data_image_read(&slot->pixels, image, feed->dataset, &err);
        if (status != ANO_OK && status != ANO_NOMEM)
            slot->why = base_strdup(err.message);
        if (status == ANO_NOMEM || (status != ANO_OK && slot->why == NULL))
            feed->stops = feed->lacks_memory = true;
    }
    return NULL;
}

static void start_loading(data_feed *feed)
{
    const data_survey *survey = &feed->survey;
    group *g = feed->ahead;
    feed->n_taken = 0;
    for (size_t i = 0; i < g->n_images && survey->is_kept; i++)
        g->images[i].pixels = survey->images[g->images[i].image].pixels;
    if (!survey->is_kept) /* without a thread all is read when it is needed */
        feed->is_loading = pthread_create(&feed->loader, NULL, load_group, feed) == 0;
}

static ano_status end_loading(data_feed *feed, ano_error *err)
{
    if (!feed->survey.is_kept)
        load_group(feed);
    if (feed->is_loading)
        pthread_join(feed->loader, NULL);
    feed->is_loading = false;
    return feed->lacks_memory ? base_error_nomem(err, "a training image") : ANO_OK;
}

/* Tells of the images of a group that could be read before and no longer can. */
static ano_status report_lost(data_feed *feed, group *g, ano_error *err)
{
    const size_t n = feed->survey.n_images;
    size_t n_readable = 0;
    for (size_t i = 0; i < g->n_images; i++) {
        group_image *slot = &g->images[i];
        n_readable += slot->pixels != NULL;
        if (slot->why == NULL)
            continue;
        feed->is_lost[slot->image] = true;
        if (feed->options.notice != NULL)
            feed->options.notice(n, n, slot->why, feed->options.cookie);
        base_free(slot->why);
        slot->why = NULL;
    }
    if (n_readable == 0)
        return base_error(
            err, ANO_IO, "%s: can no longer be read, nor can those beside it",
            ano_dataset_path(feed->dataset, feed->survey.images[g->images[0].image].index));
    return ANO_OK;
}

/* Makes `now` the group that holds a sample, and begins to read the one after it. */
static ano_status reach(data_feed *feed, size_t epoch, size_t sample, ano_error *err)
{
    if (group_holds(feed->now, epoch, sample))
        return ANO_OK;
    ano_status status = end_loading(feed, err);
    if (status == ANO_OK && !group_holds(feed->ahead, epoch, sample)) {
        plan_group(feed, feed->ahead, epoch, sample);
        start_loading(feed);
        status = end_loading(feed, err);
    }
    if (status == ANO_OK)
        status = report_lost(feed, feed->ahead, err);
    if (status != ANO_OK)
        return status;
    group *reached = feed->ahead;
    feed->ahead = feed->now;
    feed->now = reached;
    if (!feed->survey.is_kept) {
        const size_t next = reached->first_sample + reached->n_samples;
        const bool ends = next >= data_feed_steps(feed) * (size_t)feed->options.batch;
        plan_group(feed, feed->ahead, ends ? epoch + 1 : epoch, ends ? 0 : next);
        start_loading(feed);
    }
    return ANO_OK;
}

/* ---- samples ------------------------------------------------------------------------------ */

static void copy_sample(float *dst, const data_feed *feed, size_t sample, uint64_t step, size_t i)
{
    const group *g = feed->now;
    size_t k = g->samples[sample - g->first_sample];
    while (g->images[k].pixels == NULL) /* not so for all, as report_lost() saw */
        k = (k + 1) % g->n_images;
    const ano_shape whole = feed->survey.images[g->images[k].image].shape, tile = feed->shape;
    uint32_t words[4];
    base_random_block(words, (base_random){feed->options.seed, BASE_PURPOSE_TILE, step},
                      (uint32_t)i);
    const size_t rest_y = (size_t)(whole.height - tile.height) + 1,
                 rest_x = (size_t)(whole.width - tile.width) + 1;
    const size_t y = ((uint64_t)words[0] * rest_y) >> 32, x = ((uint64_t)words[1] * rest_x) >> 32;
    const size_t channels = (size_t)tile.channels, row = (size_t)tile.width * channels,
                 stride = (size_t)whole.width * channels;
    const uint16_t *src = g->images[k].pixels + y * stride + x * channels;
    for (int r = 0; r < tile.height; r++, src += stride, dst += row)
        data_scale(dst, src, row);
}

static bool changes_images(const ano_augment *augment)
{
    return augment->flip != 0 || augment->shift > 0 || augment->rotate > 0 ||
           augment->brightness > 0 || augment->contrast > 0;
}

ano_status data_feed_batch(float *dst, data_feed *feed, size_t epoch, size_t step, ano_error *err)
{
    const data_feed_options *o = &feed->options;
    const size_t batch = (size_t)o->batch;
    const size_t size =
        (size_t)feed->shape.height * (size_t)feed->shape.width * (size_t)feed->shape.channels;
    const uint64_t global_step = (uint64_t)epoch * data_feed_steps(feed) + step;
    for (size_t i = 0; i < batch; i++, dst += size) {
        const size_t sample = step * batch + i;
        const ano_status status = reach(feed, epoch, sample, err);
        if (status != ANO_OK)
            return status;
        copy_sample(dst, feed, sample, global_step, i);
        if (!changes_images(&o->augment))
            continue;
        const data_change change =
            data_draw_change(&o->augment, feed->shape.height, o->seed, global_step, i);
        data_change_image(dst, feed->shape.height, feed->shape.channels, &change, feed->scratch);
    }
    return ANO_OK;
}

/* ---- the feed ----------------------------------------------------------------------------- */

static ano_status count_samples(data_feed *feed, ano_error *err)
{
    const data_survey *survey = &feed->survey;
    for (size_t i = 0; i < survey->n_images; i++)
        feed->n_samples += samples_of(feed, i);
    const char *what = ano_dataset_get_view(feed->dataset).stride > 0 ? "tiles" : "images";
    if (feed->n_samples > UINT32_MAX)
        return base_error(err, ANO_ARG, "%zu training %s are too many", feed->n_samples, what);
    if (feed->n_samples < (size_t)feed->options.batch && survey->n_skipped == 0)
        return base_error(err, ANO_ARG, "there are %zu training %s, fewer than a batch of %d",
                          feed->n_samples, what, feed->options.batch);
    if (feed->n_samples < (size_t)feed->options.batch)
        return base_error(err, ANO_ARG,
                          "there are %zu training %s, fewer than a batch of %d: %zu images could "
                          "not be read",
                          feed->n_samples, what, feed->options.batch, survey->n_skipped);
    return ANO_OK;
}

static ano_status allocate(data_feed *feed, ano_error *err)
{
    const size_t n_images = feed->survey.n_images, n_samples = feed->n_samples;
    const ano_shape shape = feed->shape;
    feed->images = base_alloc(n_images, sizeof *feed->images);
    feed->unshuffled = base_alloc(n_samples, sizeof *feed->unshuffled);
    feed->is_lost = base_alloc(n_images, sizeof *feed->is_lost);
    feed->scratch = base_alloc((size_t)shape.height * (size_t)shape.width,
                               (size_t)shape.channels * sizeof(float));
    bool all = feed->images != NULL && feed->unshuffled != NULL && feed->is_lost != NULL &&
               feed->scratch != NULL;
    for (int i = 0; i < 2; i++) {
        group *g = &feed->groups[i];
        g->images = base_alloc(n_images, sizeof *g->images);
        g->samples = base_alloc(n_samples, sizeof *g->samples);
        all = all && g->images != NULL && g->samples != NULL;
    }
    return all ? ANO_OK : base_error_nomem(err, "the order of the images");
}

ano_status data_feed_create(data_feed **out, const ano_dataset *dataset,
                            const data_feed_options *options, ano_error *err)
{
    *out = NULL;
    data_feed *feed = base_alloc(1, sizeof *feed);
    if (feed == NULL)
        return base_error_nomem(err, "the feed of training");
    feed->dataset = dataset;
    feed->options = *options;
    feed->shape = ano_dataset_shape(dataset);
    feed->now = &feed->groups[0];
    feed->ahead = &feed->groups[1];
    ano_status status = data_survey_take(&feed->survey, dataset, options->cache, options->threads,
                                         options->notice, options->cookie, err);
    if (status == ANO_OK)
        status = count_samples(feed, err);
    if (status == ANO_OK)
        status = allocate(feed, err);
    if (status == ANO_OK)
        *out = feed;
    else
        data_feed_free(feed);
    return status;
}

void data_feed_free(data_feed *feed)
{
    if (feed == NULL)
        return;
    feed->stops = true;
    end_loading(feed, NULL);
    for (int i = 0; i < 2; i++) {
        group_clear(&feed->groups[i], !feed->survey.is_kept);
        base_free(feed->groups[i].images);
        base_free(feed->groups[i].samples);
    }
    data_survey_clear(&feed->survey);
    base_free(feed->images);
    base_free(feed->unshuffled);
    base_free(feed->is_lost);
    base_free(feed->scratch);
    base_free(feed);
}
