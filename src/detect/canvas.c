#include "detect/canvas.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Sums of weighted tiles over the rows that a band has. */
struct detect_canvas {
    ano_view view;
    size_t size, channels, width;
    float *weights;                 /* [size], of a tile's rows and columns */
    float *x_sums;                  /* [width], of the weights of the tiles over a column */
    float *y_sums;                  /* [size], of the bands over a row */
    float *map, *generated;         /* [size][width], [size][width][channels] */
    float *out_map, *out_generated; /* the same, of the rows that are final */
};

static void free_rows(detect_canvas *c)
{
    base_free(c->x_sums);
    base_free(c->map);
    base_free(c->generated);
    base_free(c->out_map);
    base_free(c->out_generated);
}

void detect_canvas_free(detect_canvas *canvas)
{
    if (canvas == NULL)
        return;
    free_rows(canvas);
    base_free(canvas->weights);
    base_free(canvas->y_sums);
    base_free(canvas);
}

ano_status detect_canvas_create(detect_canvas **out, const ano_view *view, ano_error *err)
{
    *out = NULL;
    const size_t size = (size_t)view->size;
    detect_canvas *c = base_alloc(1, sizeof *c);
    if (c == NULL)
        return base_error_nomem(err, "anomaly map");
    *c = (detect_canvas){.view = *view,
                         .size = size,
                         .channels = (size_t)view->channels,
                         .weights = base_alloc(size, sizeof(float)),
                         .y_sums = base_alloc(size, sizeof(float))};
    if (c->weights == NULL || c->y_sums == NULL) {
        detect_canvas_free(c);
        return base_error_nomem(err, "anomaly map");
    }
    for (size_t i = 0; i < size; i++)
        c->weights[i] = (float)(i < size - 1 - i ? i + 1 : size - i);
    *out = c;
    return ANO_OK;
}

/* Makes room for an image of another width. */
static ano_status begin_image(detect_canvas *c, int width, ano_error *err)
{
    const size_t n = c->size * (size_t)width;
    if (c->width != (size_t)width) {
        free_rows(c);
        c->width = (size_t)width;
        c->x_sums = base_alloc(c->width, sizeof(float));
        c->map = base_alloc(n, sizeof(float));
        c->generated = base_alloc(n * c->channels, sizeof(float));
        c->out_map = base_alloc(n, sizeof(float));
        c->out_generated = base_alloc(n * c->channels, sizeof(float));
        if (c->x_sums == NULL || c->map == NULL || c->generated == NULL || c->out_map == NULL ||
            c->out_generated == NULL) {
            c->width = 0;
            return base_error_nomem(err, "anomaly map");
        }
        for (int i = 0; i < detect_tiles_along(width, &c->view); i++)
            for (size_t x = 0; x < c->size; x++)
                c->x_sums[(size_t)detect_tile_at(i, width, &c->view) + x] += c->weights[x];
    }
    memset(c->y_sums, 0, c->size * sizeof(float));
    memset(c->map, 0, n * sizeof(float));
    memset(c->generated, 0, n * c->channels * sizeof(float));
    return ANO_OK;
}

/* Adds a tile whose left edge is at x0. */
static void add_tile(detect_canvas *c, size_t x0, const float *map, const float *generated)
{
    for (size_t y = 0; y < c->size; y++)
        for (size_t x = 0; x < c->size; x++) {
            const size_t from = y * c->size + x, to = y * c->width + x0 + x;
            const float weight = c->weights[y] * c->weights[x];
            c->map[to] += weight * map[from];
            for (size_t k = 0; k < c->channels && generated != NULL; k++)
                c->generated[to * c->channels + k] += weight * generated[from * c->channels + k];
        }
}

/* The first n rows, divided by their weights, move out; the others move up. */
static void take_rows(detect_canvas *c, size_t n)
{
    const size_t row = c->width, n_left = c->size - n;
    for (size_t y = 0; y < n; y++)
        for (size_t x = 0; x < row; x++) {
            const size_t at = y * row + x;
            const float weight = c->y_sums[y] * c->x_sums[x];
            c->out_map[at] = c->map[at] / weight;
            for (size_t k = 0; k < c->channels; k++)
                c->out_generated[at * c->channels + k] =
                    c->generated[at * c->channels + k] / weight;
        }
    memmove(c->y_sums, c->y_sums + n, n_left * sizeof(float));
    memmove(c->map, c->map + n * row, n_left * row * sizeof(float));
    memmove(c->generated, c->generated + n * row * c->channels,
            n_left * row * c->channels * sizeof(float));
    memset(c->y_sums + n_left, 0, n * sizeof(float));
    memset(c->map + n_left * row, 0, n * row * sizeof(float));
    memset(c->generated + n_left * row * c->channels, 0, n * row * c->channels * sizeof(float));
}

ano_status detect_canvas_add(ano_strip *out, detect_canvas *canvas, const detect_band *band,
                             const float *maps, const float *generated, ano_error *err)
{
    const int width = band->shape.width;
    const size_t n_pixels = canvas->size * canvas->size, tile = n_pixels * canvas->channels;
    const ano_status status = band->y == 0 ? begin_image(canvas, width, err) : ANO_OK;
    if (status != ANO_OK)
        return status;
    for (int i = 0; i < detect_tiles_along(width, &canvas->view); i++)
        add_tile(canvas, (size_t)detect_tile_at(i, width, &canvas->view),
                 maps + (size_t)i * n_pixels,
                 generated != NULL ? generated + (size_t)i * tile : NULL);
    for (size_t y = 0; y < canvas->size; y++)
        canvas->y_sums[y] += canvas->weights[y];
    take_rows(canvas, (size_t)band->n_final);
    *out = (ano_strip){.image = band->image,
                       .shape = band->shape,
                       .y = band->y,
                       .n_rows = band->n_final,
                       .pixels = band->pixels,
                       .generated = generated != NULL ? canvas->out_generated : NULL,
                       .map = canvas->out_map};
    return ANO_OK;
}
