#include "detect/bands.h"

#include "base/memory.h"
#include "data/reader.h"

#include <pthread.h>
#include <string.h>

/* What is being filled, and what it may hold. */
typedef struct block {
    detect_block lent;
    size_t bands_room, tiles_room;
    ano_error error; /* of filling it */
} block;

struct detect_bands {
    const ano_dataset *dataset;
    size_t n_tiles, size, channels;
    size_t image; /* the next one, or the one that the reader has open */
    bool is_open; /* the reader is in the midst of an image */
    data_reader reader;
    int band;       /* the next of its bands */
    uint16_t *rows; /* [size][width][channels]: what the last band saw */
    block blocks[2];
    int filling; /* which of them */
    pthread_t reader_thread;
    bool has_thread; /* else blocks are filled when they are asked for */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_filled, stops; /* under the lock: the block is whole; the thread is to end */
};

/* ---- the grid ----------------------------------------------------------------------------- */

int detect_tiles_along(int length, const ano_view *view)
{
    return view->stride == 0 ? 1 : (length - view->size + view->stride - 1) / view->stride + 1;
}

int detect_tile_at(int i, int length, const ano_view *view)
{
    return i == detect_tiles_along(length, view) - 1 ? length - view->size : i * view->stride;
}

/* ---- filling a block ---------------------------------------------------------------------- */

static bool grow(void **array, size_t *room, size_t used, size_t wanted, size_t size)
{
    if (wanted <= *room)
        return true;
    const size_t larger = wanted > 2 * *room ? wanted : 2 * *room;
    void *moved = base_alloc(larger, size);
    if (moved == NULL)
        return false;
    if (used > 0)
        memcpy(moved, *array, used * size);
    base_free(*array);
    *array = moved;
    *room = larger;
    return true;
}

static void block_empty(block *b)
{
    for (size_t i = 0; i < b->lent.n_bands; i++)
        base_free(b->lent.bands[i].pixels);
    b->lent.n_bands = b->lent.n_tiles = 0;
    b->error = (ano_error)ANO_ERROR_INIT;
}

/* Reads the rows of the reader's next band; those that the band before it had are here already. */
static ano_status read_rows(detect_bands *s, int y, int previous_y, ano_error *err)
{
    const size_t row = (size_t)s->reader.shape.width * s->channels;
    const int n_kept = s->band == 0 ? 0 : previous_y + (int)s->size - y;
    if (s->band == 0) {
        base_free(s->rows);
        s->rows = base_alloc(s->size * row, sizeof *s->rows);
        if (s->rows == NULL)
            return base_error_nomem(err, "rows of an image");
    }
    memmove(s->rows, s->rows + (s->size - (size_t)n_kept) * row,
            (size_t)n_kept * row * sizeof *s->rows);
    return data_reader_rows(s->rows + (size_t)n_kept * row, &s->reader, (int)s->size - n_kept, err);
}

/* Cuts a band into the block's next tiles. */
static void cut_tiles(block *b, const detect_band *band, const detect_bands *s)
{
    const ano_view *view = &s->dataset->view;
    const size_t row = s->size * s->channels, width = (size_t)band->shape.width * s->channels;
    for (int i = 0; i < detect_tiles_along(band->shape.width, view); i++) {
        const size_t x = (size_t)detect_tile_at(i, band->shape.width, view) * s->channels;
        float *tile = b->lent.tiles + b->lent.n_tiles++ * s->size * row;
        for (size_t y = 0; y < s->size; y++)
            memcpy(tile + y * row, band->pixels + y * width + x, row * sizeof *tile);
    }
}

/* The band under way, into a band of a block with room for it. */
static ano_status read_band(block *b, detect_band *band, detect_bands *s, ano_error *err)
{
    const ano_view *view = &s->dataset->view;
    const ano_shape shape = band->shape = s->reader.shape;
    const int n_bands = detect_tiles_along(shape.height, view);
    const size_t n_numbers = s->size * (size_t)shape.width * s->channels;
    band->y = detect_tile_at(s->band, shape.height, view);
    band->n_final = s->band == n_bands - 1
                        ? view->size
                        : detect_tile_at(s->band + 1, shape.height, view) - band->y;
    const int previous_y = s->band > 0 ? detect_tile_at(s->band - 1, shape.height, view) : 0;
    ano_status status = read_rows(s, band->y, previous_y, err);
    if (status != ANO_OK)
        return status;
    const size_t n_tiles = (size_t)detect_tiles_along(shape.width, view);
    band->pixels = base_alloc(n_numbers, sizeof(float));
    if (band->pixels == NULL ||
        !grow((void **)&b->lent.tiles, &b->tiles_room, b->lent.n_tiles, b->lent.n_tiles + n_tiles,
              s->size * s->size * s->channels * sizeof(float)))
        return base_error_nomem(err, "tiles of an image");
    data_scale(band->pixels, s->rows, n_numbers);
    band->first_tile = b->lent.n_tiles;
    cut_tiles(b, band, s);
    s->is_open = ++s->band < n_bands;
    return ANO_OK;
}

static void close_image(detect_bands *s)
{
    data_reader_close(&s->reader);
    s->image++;
    s->band = 0;
    s->is_open = false;
}

/* Appends the next band, or an error in its place: what is wrong with one image does not stop the
 * others. */
static ano_status add_band(block *b, detect_bands *s)
{
    if (!grow((void **)&b->lent.bands, &b->bands_room, b->lent.n_bands, b->lent.n_bands + 1,
              sizeof *b->lent.bands))
        return base_error_nomem(&b->error, "bands of images");
    detect_band *band = &b->lent.bands[b->lent.n_bands++];
    *band = (detect_band){.image = s->image, .error = ANO_ERROR_INIT};
    ano_status status = ANO_OK;
    if (!s->is_open)
        status = data_reader_open(&s->reader, s->dataset, s->image, &band->error);
    if (status == ANO_OK)
        status = read_band(b, band, s, &band->error);
    if (status != ANO_OK || !s->is_open)
        close_image(s);
    return status == ANO_NOMEM ? base_error(&b->error, status, "%s", band->error.message) : ANO_OK;
}

static void fill(detect_bands *s)
{
    block *b = &s->blocks[s->filling];
    block_empty(b);
    while (b->lent.n_tiles < s->n_tiles && s->image < s->dataset->list.n_items &&
           b->error.status == ANO_OK)
        add_band(b, s);
}

/* ---- blocks, one ahead -------------------------------------------------------------------- */

/* The only thread that touches the reader, from its opening to its close: libvips has it so. */
static void *read_ahead(void *cookie)
{
    detect_bands *s = cookie;
    pthread_mutex_lock(&s->lock);
    while (!s->stops) {
        if (s->is_filled) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        pthread_mutex_unlock(&s->lock);
        fill(s);
        pthread_mutex_lock(&s->lock);
        s->is_filled = true;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    data_reader_close(&s->reader);
    return NULL;
}

ano_status detect_bands_create(detect_bands **out, const ano_dataset *dataset, size_t n_tiles,
                               ano_error *err)
{
    *out = NULL;
    detect_bands *s = base_alloc(1, sizeof *s);
    if (s == NULL)
        return base_error_nomem(err, "bands of images");
    s->dataset = dataset;
    s->n_tiles = n_tiles;
    s->size = (size_t)dataset->view.size;
    s->channels = (size_t)dataset->view.channels;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->has_thread = pthread_create(&s->reader_thread, NULL, read_ahead, s) == 0;
    *out = s;
    return ANO_OK;
}

void detect_bands_free(detect_bands *bands)
{
    if (bands == NULL)
        return;
    pthread_mutex_lock(&bands->lock);
    bands->stops = true;
    pthread_cond_broadcast(&bands->changed);
    pthread_mutex_unlock(&bands->lock);
    if (bands->has_thread)
        pthread_join(bands->reader_thread, NULL);
    else
        data_reader_close(&bands->reader);
    pthread_cond_destroy(&bands->changed);
    pthread_mutex_destroy(&bands->lock);
    for (int i = 0; i < 2; i++) {
        block_empty(&bands->blocks[i]);
        base_free(bands->blocks[i].lent.bands);
        base_free(bands->blocks[i].lent.tiles);
    }
    base_free(bands->rows);
    base_free(bands);
}

ano_status detect_bands_next(const detect_block **out, detect_bands *bands, ano_error *err)
{
    if (!bands->has_thread)
        fill(bands);
    pthread_mutex_lock(&bands->lock);
    while (bands->has_thread && !bands->is_filled)
        pthread_cond_wait(&bands->changed, &bands->lock);
    const block *filled = &bands->blocks[bands->filling];
    *out = &filled->lent;
    if (filled->error.status == ANO_OK) {
        bands->filling = 1 - bands->filling;
        bands->is_filled = false;
        pthread_cond_broadcast(&bands->changed);
    }
    pthread_mutex_unlock(&bands->lock);
    return filled->error.status == ANO_OK
               ? ANO_OK
               : base_error(err, filled->error.status, "%s", filled->error.message);
}
