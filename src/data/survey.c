#include "data/survey.h"

#include "base/memory.h"
#include "data/reader.h"

#include <pthread.h>
#include <string.h>
#include <zlib.h>

size_t data_image_size(const data_image *image)
{
    const ano_shape shape = image->shape;
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

size_t data_image_bytes(const data_image *image)
{
    return data_image_size(image) * sizeof *image->pixels;
}

static bool same_shape(ano_shape a, ano_shape b)
{
    return a.height == b.height && a.width == b.width && a.channels == b.channels;
}

ano_status data_image_read(uint16_t **pixels, const data_image *image, const ano_dataset *dataset,
                           ano_error *err)
{
    *pixels = NULL;
    data_reader reader;
    uint16_t *rows = NULL;
    ano_status status = data_reader_open(&reader, dataset, image->index, err);
    if (status == ANO_OK && !same_shape(reader.shape, image->shape))
        status = base_error(err, ANO_SHAPE, "%s: has another size than it had",
                            ano_dataset_path(dataset, image->index));
    if (status == ANO_OK && (rows = base_alloc(data_image_size(image), sizeof *rows)) == NULL)
        status = base_error_nomem(err, "an image");
    if (status == ANO_OK)
        status = data_reader_rows(rows, &reader, image->shape.height, err);
    data_reader_close(&reader);
    if (status == ANO_OK)
        *pixels = rows;
    else
        base_free(rows);
    return status;
}

/* ---- a look at one image ------------------------------------------------------------------ */

/* What came of it. */
typedef struct look {
    bool is_done;
    ano_status status;
    char *why; /* it cannot be read, NULL where it can */
    data_image image;
    uint32_t crc;
} look;

/* What the threads share. */
typedef struct work {
    const ano_dataset *dataset;
    size_t n_images;
    look *looks;           /* [n_images] */
    pthread_mutex_t lock;  /* of looks[].is_done and of what follows */
    pthread_cond_t looked; /* at one more */
    size_t next;           /* the first image that no thread has taken */
    size_t memory;         /* bytes that are left for pixels */
    bool stops;
} work;

/* Room for all pixels of an image, where the memory is given for them. */
static ano_status reserve_pixels(data_image *image, work *w, ano_error *err)
{
    const size_t bytes = data_image_bytes(image);
    pthread_mutex_lock(&w->lock);
    const bool fits = bytes <= w->memory;
    if (fits)
        w->memory -= bytes;
    pthread_mutex_unlock(&w->lock);
    if (!fits)
        return ANO_OK;
    image->pixels = base_alloc(bytes, 1);
    return image->pixels != NULL ? ANO_OK : base_error_nomem(err, "an image");
}

static void give_back_pixels(data_image *image, work *w)
{
    if (image->pixels == NULL)
        return;
    base_free(image->pixels);
    image->pixels = NULL;
    pthread_mutex_lock(&w->lock);
    w->memory += data_image_bytes(image);
    pthread_mutex_unlock(&w->lock);
}

/* Reads the image a few rows at a time, for their CRC and where its pixels are kept. */
static ano_status read_rows(look *l, data_reader *reader, ano_error *err)
{
    enum { STRIP_SIZE = 1 << 14 };
    const size_t row = (size_t)l->image.shape.width * (size_t)l->image.shape.channels;
    const int height = l->image.shape.height, most = row < STRIP_SIZE ? (int)(STRIP_SIZE / row) : 1,
              n_rows = height < most ? height : most;
    uint16_t *strip = base_alloc((size_t)n_rows * row, sizeof *strip);
    float *seen = base_alloc((size_t)n_rows * row, sizeof *seen);
    ano_status status =
        strip != NULL && seen != NULL ? ANO_OK : base_error_nomem(err, "rows of an image");
    uLong crc = 0;
    for (int y = 0; y < height && status == ANO_OK; y += n_rows) {
        const int n = height - y < n_rows ? height - y : n_rows;
        const size_t size = (size_t)n * row;
        uint16_t *rows = l->image.pixels != NULL ? l->image.pixels + (size_t)y * row : strip;
        status = data_reader_rows(rows, reader, n, err);
        if (status != ANO_OK)
            break;
        data_scale(seen, rows, size);
        crc = crc32(crc, (const Bytef *)seen, (uInt)(size * sizeof *seen));
    }
    l->crc = (uint32_t)crc;
    base_free(strip);
    base_free(seen);
    return status;
}

static void look_at(look *l, work *w, size_t i)
{
    ano_error err = ANO_ERROR_INIT;
    data_reader reader;
    l->image.index = i;
    l->status = data_reader_open(&reader, w->dataset, i, &err);
    l->image.shape = reader.shape;
    if (l->status == ANO_OK)
        l->status = reserve_pixels(&l->image, w, &err);
    if (l->status == ANO_OK)
        l->status = read_rows(l, &reader, &err);
    data_reader_close(&reader);
    if (l->status == ANO_OK)
        return;
    give_back_pixels(&l->image, w);
    l->why = base_strdup(err.message);
    if (l->why == NULL)
        l->status = ANO_NOMEM;
}

static void *look_at_images(void *shared)
{
    work *w = shared;
    pthread_mutex_lock(&w->lock);
    while (!w->stops && w->next < w->n_images) {
        const size_t i = w->next++;
        pthread_mutex_unlock(&w->lock);
        look_at(&w->looks[i], w, i);
        pthread_mutex_lock(&w->lock);
        w->looks[i].is_done = true;
        pthread_cond_signal(&w->looked);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- the survey --------------------------------------------------------------------------- */

static void wait_for(work *w, const look *l)
{
    pthread_mutex_lock(&w->lock);
    while (!l->is_done)
        pthread_cond_wait(&w->looked, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

/* Takes the looks up in the data set's order, whichever was done first. */
static ano_status take_up(data_survey *out, work *w, data_notice *notice, void *cookie,
                          ano_error *err)
{
    for (size_t i = 0; i < w->n_images; i++) {
        look *l = &w->looks[i];
        wait_for(w, l);
        if (l->status == ANO_NOMEM)
            return base_error_nomem(err, "a training image");
        if (l->status == ANO_OK) {
            out->crc = (uint32_t)crc32_combine(
                out->crc, l->crc, (z_off_t)(data_image_size(&l->image) * sizeof(float)));
            out->images[out->n_images++] = l->image;
            l->image.pixels = NULL;
        } else {
            out->n_skipped++;
        }
        if (notice != NULL && notice(i + 1, w->n_images, l->why, cookie) != 0)
            return base_error(err, ANO_CANCELLED, "stopped at image %zu of %zu", i + 1,
                              w->n_images);
    }
    if (out->n_images == 0)
        return base_error(err, w->looks[0].status, "none of the %zu images can be read: %s",
                          w->n_images, w->looks[0].why);
    return ANO_OK;
}

/* Keeps the pixels of all images or of none. An image may have found no room because of one that
 * turned out to be unreadable: what is kept must not hang on which came first. */
static ano_status keep_all_or_none(data_survey *out, const ano_dataset *dataset, size_t memory,
                                   ano_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < out->n_images && bytes <= memory; i++)
        bytes += data_image_bytes(&out->images[i]);
    out->is_kept = bytes <= memory;
    ano_status status = ANO_OK;
    for (size_t i = 0; i < out->n_images && status == ANO_OK; i++) {
        data_image *image = &out->images[i];
        if (out->is_kept && image->pixels == NULL) {
            status = data_image_read(&image->pixels, image, dataset, err);
        } else if (!out->is_kept) {
            base_free(image->pixels);
            image->pixels = NULL;
        }
    }
    return status;
}

ano_status data_survey_take(data_survey *out, const ano_dataset *dataset, size_t memory,
                            int threads, data_notice *notice, void *cookie, ano_error *err)
{
    const size_t n = ano_dataset_count(dataset);
    const size_t n_threads = (size_t)threads < n ? (size_t)threads : n;
    *out = (data_survey){.images = base_alloc(n, sizeof *out->images)};
    work w = {.dataset = dataset,
              .n_images = n,
              .looks = base_alloc(n, sizeof *w.looks),
              .lock = PTHREAD_MUTEX_INITIALIZER,
              .looked = PTHREAD_COND_INITIALIZER,
              .memory = memory};
    pthread_t *started = base_alloc(n_threads, sizeof *started);
    ano_status status = ANO_OK;
    if (out->images == NULL || w.looks == NULL || started == NULL) {
        status = base_error_nomem(err, "the list of images");
        goto done;
    }
    size_t n_started = 0;
    while (n_started < n_threads &&
           pthread_create(&started[n_started], NULL, look_at_images, &w) == 0)
        n_started++;
    if (n_started == 0)
        look_at_images(&w);
    status = take_up(out, &w, notice, cookie, err);
    pthread_mutex_lock(&w.lock);
    w.stops = true;
    pthread_mutex_unlock(&w.lock);
    for (size_t i = 0; i < n_started; i++)
        pthread_join(started[i], NULL);
    if (status == ANO_OK)
        status = keep_all_or_none(out, dataset, memory, err);
done:
    for (size_t i = 0; i < n && w.looks != NULL; i++) {
        base_free(w.looks[i].image.pixels);
        base_free(w.looks[i].why);
    }
    base_free(w.looks);
    base_free(started);
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.looked);
    return status;
}

void data_survey_clear(data_survey *survey)
{
    for (size_t i = 0; i < survey->n_images; i++)
        base_free(survey->images[i].pixels);
    base_free(survey->images);
    *survey = (data_survey){0};
}
