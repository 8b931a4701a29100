/* A grid and a comparison are the same thing, rows of equal tiles on white, so that one canvas
 * draws both: a tile is an image or a difference, a pixel of it a square of `scale` by `scale`. */
#include "report/pictures.h"

#include "base/memory.h"
#include "report/colour.h"

#include <math.h>
#include <string.h>

/* A picture of equal tiles, in rows, on white. */
typedef struct canvas {
    uint8_t *pixels; /* [height][width][channels] */
    int width, height, channels;
    ano_shape tile; /* an image, before scaling */
    int columns, scale, gap;
} canvas;

static ano_status canvas_create(canvas *out, const char *path, ano_shape tile, int channels,
                                int n_tiles, int columns, int scale, ano_error *err)
{
    const int max_side = 32000;
    *out = (canvas){.channels = channels, .tile = tile, .columns = columns, .scale = scale};
    if (n_tiles < 1 || columns < 1 || scale < 1 || scale > max_side || tile.height < 1 ||
        tile.width < 1 || (tile.channels != 1 && tile.channels != 3))
        return base_error(err, ANO_ARG,
                          "%s: a picture of %d images of %d x %d x %d in %d columns, scale %d",
                          path, n_tiles, tile.height, tile.width, tile.channels, columns, scale);
    const int rows = n_tiles / columns + (n_tiles % columns > 0);
    out->gap = scale + 1;
    const double width = columns * ((double)tile.width * scale + out->gap) + out->gap;
    const double height = rows * ((double)tile.height * scale + out->gap) + out->gap;
    if (width > max_side || height > max_side)
        return base_error(err, ANO_ARG, "%s: a picture larger than %d pixels a side", path,
                          max_side);
    out->width = (int)width;
    out->height = (int)height;
    const size_t size = (size_t)width * (size_t)height * (size_t)channels;
    out->pixels = base_alloc(size, 1);
    if (out->pixels == NULL)
        return base_error_nomem(err, path);
    memset(out->pixels, 255, size);
    return ANO_OK;
}

/* Fills the square of the image's pixel (y, x) in tile number `tile`. */
static void canvas_set(canvas *dst, int tile, int y, int x, const uint8_t colour[3])
{
    const int pitch_x = dst->tile.width * dst->scale + dst->gap;
    const int pitch_y = dst->tile.height * dst->scale + dst->gap;
    const int left = dst->gap + tile % dst->columns * pitch_x + x * dst->scale;
    const int top = dst->gap + tile / dst->columns * pitch_y + y * dst->scale;
    for (int row = top; row < top + dst->scale; row++) {
        uint8_t *pixel =
            dst->pixels + ((size_t)row * (size_t)dst->width + (size_t)left) * (size_t)dst->channels;
        for (int i = 0; i < dst->scale; i++, pixel += dst->channels)
            memcpy(pixel, colour, (size_t)dst->channels);
    }
}

/* value in [0, 1] to 0 … 255; what lies outside is clipped, NaN is 0. */
static uint8_t to_byte(double value)
{
    return (uint8_t)(255 * fmin(fmax(value, 0), 1) + 0.5);
}

/* Colours of rising lightness, so that the order survives in gray and for the colour-blind; share
 * in [0, 1]. */
static void difference_colour(uint8_t dst[3], double share)
{
    enum { N_STOPS = 6 };
    static const double stops[N_STOPS][3] = {{0, 0, 0},          {0.34, 0.06, 0.43},
                                             {0.73, 0.21, 0.33}, {0.97, 0.55, 0.05},
                                             {0.98, 0.87, 0.40}, {1, 1, 1}};
    const double place = fmin(fmax(share, 0), 1) * (N_STOPS - 1);
    const int below = (int)fmin(place, N_STOPS - 2);
    for (int c = 0; c < 3; c++)
        dst[c] =
            to_byte(stops[below][c] + (place - below) * (stops[below + 1][c] - stops[below][c]));
}

static void draw_image(canvas *dst, int tile, const float *image)
{
    const ano_shape shape = dst->tile;
    for (int y = 0; y < shape.height; y++) {
        for (int x = 0; x < shape.width; x++, image += shape.channels) {
            uint8_t colour[3];
            for (int c = 0; c < 3; c++)
                colour[c] = to_byte(((double)image[c % shape.channels] + 1) / 2);
            canvas_set(dst, tile, y, x, colour);
        }
    }
}

static void draw_difference(canvas *dst, int tile, const float *image, const float *generated)
{
    enum { MOST = 2 }; /* black to white */
    const ano_shape shape = dst->tile;
    for (int y = 0; y < shape.height; y++) {
        for (int x = 0; x < shape.width; x++) {
            double sum = 0;
            for (int c = 0; c < shape.channels; c++)
                sum += fabs((double)*image++ - (double)*generated++);
            uint8_t colour[3];
            difference_colour(colour, sum / shape.channels / MOST);
            canvas_set(dst, tile, y, x, colour);
        }
    }
}

static void draw_map(canvas *dst, int tile, const float *map, double high)
{
    for (int y = 0; y < dst->tile.height; y++)
        for (int x = 0; x < dst->tile.width; x++) {
            uint8_t colour[3];
            difference_colour(colour, (double)*map++ / high);
            canvas_set(dst, tile, y, x, colour);
        }
}

static ano_status canvas_write(const char *path, const canvas *picture, ano_error *err)
{
    return report_png_write(path, picture->pixels, picture->width, picture->height,
                            picture->channels, err);
}

ano_status report_grid(const char *path, const float *images, int n, ano_shape shape, int columns,
                       int scale, ano_error *err)
{
    canvas picture;
    ano_status status =
        canvas_create(&picture, path, shape, shape.channels, n, columns, scale, err);
    const size_t image_size = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    for (int i = 0; i < n && status == ANO_OK; i++)
        draw_image(&picture, i, images + (size_t)i * image_size);
    if (status == ANO_OK)
        status = canvas_write(path, &picture, err);
    base_free(picture.pixels);
    return status;
}

ano_status report_comparison(const char *path, const float *image, const float *generated,
                             ano_shape shape, int scale, ano_error *err)
{
    enum { TILES = 3, CHANNELS = 3 };
    canvas picture;
    ano_status status = canvas_create(&picture, path, shape, CHANNELS, TILES, TILES, scale, err);
    if (status == ANO_OK) {
        draw_image(&picture, 0, image);
        draw_image(&picture, 1, generated);
        draw_difference(&picture, 2, image, generated);
        status = canvas_write(path, &picture, err);
    }
    base_free(picture.pixels);
    return status;
}

ano_status report_map_beside(const char *path, const float *image, const float *map,
                             ano_shape shape, double high, int scale, ano_error *err)
{
    enum { TILES = 2, CHANNELS = 3 };
    canvas picture;
    ano_status status = canvas_create(&picture, path, shape, CHANNELS, TILES, TILES, scale, err);
    if (status == ANO_OK) {
        draw_image(&picture, 0, image);
        draw_map(&picture, 1, map, high);
        status = canvas_write(path, &picture, err);
    }
    base_free(picture.pixels);
    return status;
}

/* ---- pictures for a page ------------------------------------------------------------------- */

/* Component c of the square of `factor` by `factor` pixels at (y, x), 0 … 255. */
static double mean_of_square(const float *image, ano_shape shape, int y, int x, int c, int factor)
{
    double sum = 0;
    for (int row = y; row < y + factor; row++)
        for (int column = x; column < x + factor; column++)
            sum += to_byte(
                ((double)image[((ptrdiff_t)row * shape.width + column) * shape.channels + c] + 1) /
                2);
    return sum / (factor * factor);
}

static double highest_of_square(const float *map, int width, int y, int x, int factor)
{
    double highest = 0;
    for (int row = y; row < y + factor; row++)
        for (int column = x; column < x + factor; column++)
            highest = fmax(highest, (double)map[(ptrdiff_t)row * width + column]);
    return highest;
}

ano_status report_picture(report_png *out, const float *image, const float *map, ano_shape shape,
                          double high, ano_error *err)
{
    *out = (report_png){0};
    if (shape.height < 1 || shape.width < 1 || (shape.channels != 1 && shape.channels != 3))
        return base_error(err, ANO_ARG, "a picture of %d x %d pixels of %d channels", shape.width,
                          shape.height, shape.channels);
    const int longest = shape.height > shape.width ? shape.height : shape.width;
    const int shortest = shape.height < shape.width ? shape.height : shape.width;
    int factor = (longest + REPORT_LONGEST_SIDE - 1) / REPORT_LONGEST_SIDE;
    factor = factor < shortest ? factor : shortest;
    const int height = shape.height / factor, width = shape.width / factor;
    const int channels = map != NULL ? 3 : shape.channels;
    uint8_t colours[REPORT_COLOURS][4];
    report_colours(colours);
    uint8_t *pixels = base_alloc((size_t)height * (size_t)width, (size_t)channels), *dst = pixels;
    if (pixels == NULL)
        return base_error_nomem(err, "a picture");
    for (int i = 0; i < height * width; i++) {
        const int y = i / width * factor, x = i % width * factor;
        const uint8_t *colour = colours[0];
        if (map != NULL)
            colour = colours[report_colour_place(highest_of_square(map, shape.width, y, x, factor),
                                                 high)];
        for (int c = 0; c < channels; c++) {
            const double below = mean_of_square(image, shape, y, x, c % shape.channels, factor);
            *dst++ = (uint8_t)(below + colour[3] / 255.0 * (colour[c] - below) + 0.5);
        }
    }
    const ano_status status = report_png_encode(out, pixels, width, height, channels, err);
    base_free(pixels);
    return status;
}
