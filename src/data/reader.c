#include "data/reader.h"

#include "base/memory.h"
#include "base/random.h"
#include "data/anomaly.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Anomalies that are drawn until one can be seen. */
enum { TRIES = 16 };

/* Images in memory that the view takes as they are. */
static bool is_taken_as_is(const ano_dataset *dataset)
{
    const ano_view *view = &dataset->view;
    const ano_shape native = dataset->native;
    if (dataset->pixels == NULL || native.channels != view->channels)
        return false;
    if (view->stride > 0)
        return view->scale == 1 && native.height >= view->size && native.width >= view->size;
    return view->size == 0 || (native.height == view->size && native.width == view->size);
}

/* Opens image i as `view` has it, where it is not in memory and taken as it is. */
static ano_status open_as(data_reader *out, const ano_dataset *dataset, size_t i,
                          const ano_view *view, bool as_is, ano_error *err)
{
    *out = (data_reader){0};
    const char *path = dataset->list.items[i].path;
    const ano_shape native = dataset->native;
    const uint8_t *pixels = NULL;
    if (dataset->pixels != NULL)
        pixels = dataset->pixels +
                 i * (size_t)native.height * (size_t)native.width * (size_t)native.channels;
    ano_status status = ANO_OK;
    if (pixels != NULL && as_is)
        *out = (data_reader){.shape = native, .pixels = pixels};
    else if (pixels != NULL)
        status = data_decode_open_pixels(&out->decoder, pixels, native, view, err);
    else
        status = data_decode_open(&out->decoder, path, view, dataset->max_pixels, err);
    if (out->decoder != NULL)
        out->shape = data_decode_shape(out->decoder);
    if (status == ANO_OK && dataset->list.items[i].is_unseen) {
        data_reader_close(out);
        status = base_error(err, ANO_IO,
                            "%s: can be read, but could not when the data set was opened to see "
                            "whether it has colour; open it again",
                            path);
    }
    return status;
}

/* As the data set's view has it, with nothing drawn onto it. */
static ano_status open_view(data_reader *out, const ano_dataset *dataset, size_t i, ano_error *err)
{
    return open_as(out, dataset, i, &dataset->view, is_taken_as_is(dataset), err);
}

/* 0…255 is stretched to 0…65535, so that the networks see the same numbers either way. */
static ano_status read_numbers(uint16_t *dst, data_reader *reader, size_t n, ano_error *err)
{
    if (reader->decoder != NULL)
        return data_decode_read(dst, reader->decoder, n, err);
    for (size_t i = 0; i < n; i++)
        dst[i] = (uint16_t)(reader->pixels[i] * 257);
    reader->pixels += n;
    return ANO_OK;
}

/* ---- drawing onto an image ---------------------------------------------------------------- */

/* Reads an image from its first row down to the end of the window, which lies at these shares of
 * the room that it has to the right and down. */
static ano_status read_window(data_window *window, data_reader *reader, const float at[2],
                              ano_error *err)
{
    const size_t channels = (size_t)reader->shape.channels;
    const size_t row = (size_t)reader->shape.width * channels;
    const size_t line = (size_t)window->side * channels;
    uint16_t *numbers = base_alloc(row, sizeof *numbers);
    if (numbers == NULL)
        return base_error_nomem(err, "a row of an image");
    window->x = (int)(at[0] * (float)(reader->shape.width - window->side + 1));
    window->y = (int)(at[1] * (float)(reader->shape.height - window->side + 1));
    ano_status status = ANO_OK;
    for (int y = 0; y < window->y + window->side && status == ANO_OK; y++) {
        status = read_numbers(numbers, reader, row, err);
        if (status == ANO_OK && y >= window->y)
            memcpy(window->numbers + (size_t)(y - window->y) * line,
                   numbers + (size_t)window->x * channels, line * sizeof *numbers);
    }
    base_free(numbers);
    return status;
}

/* Reads a window of another image: the first that can be read from a random one on, at share
 * `first` of them. Where none can, the window keeps the numbers that it has. */
static ano_status read_other(data_window *window, const ano_dataset *dataset, size_t i, float first,
                             const float at[2], ano_error *err)
{
    const size_t n = dataset->list.n_items;
    const size_t begin = (size_t)((double)first * (double)(n - 1));
    for (size_t k = 0; k + 1 < n; k++) {
        data_reader reader;
        ano_error why = ANO_ERROR_INIT;
        const size_t other = (i + 1 + (begin + k) % (n - 1)) % n;
        ano_status status = open_view(&reader, dataset, other, &why);
        if (status == ANO_OK)
            status = read_window(window, &reader, at, &why);
        data_reader_close(&reader);
        if (status == ANO_OK)
            return ANO_OK;
        if (status == ANO_NOMEM)
            return base_error(err, status, "%s", why.message);
    }
    return ANO_OK;
}

/* The number that data_scale() makes x of, or the nearest. */
static uint16_t unscale(float x)
{
    return (uint16_t)lrintf((x + 1) * 32767.5f);
}

/* Draws into `numbers` [side][side][channels], beside `other` of the same size. */
static ano_status draw(uint16_t *numbers, const uint16_t *other, int side, int channels,
                       base_random random, ano_error *err)
{
    const size_t n_pixels = (size_t)side * (size_t)side, n = n_pixels * (size_t)channels;
    float *before = base_alloc(4 * n + 2 * n_pixels, sizeof *before);
    if (before == NULL)
        return base_error_nomem(err, "an anomaly to draw");
    float *image = before + n, *pasted = image + n, *mask = pasted + n, *scratch = mask + n_pixels;
    bool is_seen = false;
    data_scale(before, numbers, n);
    data_scale(pasted, other, n);
    for (uint32_t k = 0; k < TRIES && !is_seen; k++) {
        memcpy(image, before, n * sizeof *image);
        data_draw_anomaly(image, mask, pasted, side, channels, random, k, scratch);
        for (size_t p = 0; p < n_pixels && !is_seen; p++)
            is_seen = mask[p] > 0;
    }
    for (size_t p = 0; p < n; p++)
        if (image[p] != before[p])
            numbers[p] = unscale(image[p]);
    base_free(before);
    return ANO_OK;
}

/* Fills the window of image i, which the reader has just opened; what is in it is the caller's to
 * free in every case. */
static ano_status draw_window(data_window *window, data_reader *reader, const ano_dataset *dataset,
                              size_t i, ano_error *err)
{
    const ano_shape shape = reader->shape;
    const int shorter = shape.height < shape.width ? shape.height : shape.width;
    const int side = dataset->view.size > 0 ? dataset->view.size : shorter;
    const size_t n = (size_t)side * (size_t)side * (size_t)shape.channels;
    data_window other = {.side = side, .numbers = base_alloc(n, sizeof *other.numbers)};
    *window = (data_window){.side = side, .numbers = base_alloc(n, sizeof *window->numbers)};
    float at[5]; /* the window's place, the other image, the place there */
    base_random_uniform(at, 5, 0, 1, (base_random){dataset->seed, BASE_PURPOSE_DRAWN_AT, i});
    ano_status status = window->numbers != NULL && other.numbers != NULL
                            ? read_window(window, reader, at, err)
                            : base_error_nomem(err, "a window of an image");
    if (status == ANO_OK) {
        memcpy(other.numbers, window->numbers, n * sizeof *other.numbers);
        status = read_other(&other, dataset, i, at[2], at + 3, err);
    }
    if (status == ANO_OK)
        status = draw(window->numbers, other.numbers, side, shape.channels,
                      (base_random){dataset->seed, BASE_PURPOSE_DRAWN, i}, err);
    base_free(other.numbers);
    return status;
}

/* Replaces what of the numbers [first, first + n) of an image lies in the window. */
static void lay_window(uint16_t *dst, const data_window *window, ano_shape shape, size_t first,
                       size_t n)
{
    const size_t channels = (size_t)shape.channels, line = (size_t)window->side * channels;
    for (size_t y = 0; y < (size_t)window->side; y++) {
        const size_t row = ((size_t)window->y + y) * (size_t)shape.width + (size_t)window->x;
        const size_t begin = row * channels, end = begin + line;
        const size_t low = begin > first ? begin : first;
        const size_t high = end < first + n ? end : first + n;
        if (low < high)
            memcpy(dst + low - first, window->numbers + y * line + low - begin,
                   (high - low) * sizeof *dst);
    }
}

/* ---- what others use ---------------------------------------------------------------------- */

ano_status data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i, ano_error *err)
{
    ano_status status = open_view(out, dataset, i, err);
    if (status != ANO_OK || !dataset->is_drawn_on)
        return status;
    const ano_shape shape = out->shape;
    data_window window;
    status = draw_window(&window, out, dataset, i, err);
    data_reader_close(out);
    if (status == ANO_OK)
        status = open_view(out, dataset, i, err);
    out->window = window;
    if (status == ANO_OK && memcmp(&out->shape, &shape, sizeof shape) != 0)
        status = base_error(err, ANO_IO, "%s: was changed while it was read",
                            ano_dataset_path(dataset, i));
    return status;
}

ano_status data_reader_open_original(data_reader *out, const ano_dataset *dataset, size_t i,
                                     ano_error *err)
{
    return open_as(out, dataset, i, &(ano_view){.scale = 1}, true, err);
}

void data_reader_close(data_reader *reader)
{
    data_decode_close(reader->decoder);
    base_free(reader->window.numbers);
    *reader = (data_reader){0};
}

ano_status data_reader_numbers(uint16_t *dst, data_reader *reader, size_t n, ano_error *err)
{
    const ano_status status = read_numbers(dst, reader, n, err);
    if (status == ANO_OK && reader->window.numbers != NULL)
        lay_window(dst, &reader->window, reader->shape, reader->n_read, n);
    reader->n_read += n;
    return status;
}

ano_status data_reader_rows(uint16_t *dst, data_reader *reader, int n, ano_error *err)
{
    const ano_shape shape = reader->shape;
    return data_reader_numbers(dst, reader,
                               (size_t)n * (size_t)shape.width * (size_t)shape.channels, err);
}

void data_scale(float *dst, const uint16_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)src[i] / 32767.5f - 1;
}
