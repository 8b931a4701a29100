/* Rows of what was scored are brought back to the image as soon as two neighbours are there, laid
 * over the image's own pixels, which are read along, and go to raw files, which libvips compresses
 * in the end. All of that holds a few rows at a time, whatever the size of the image. The raw files
 * lie beside the results, where there is room, and not in /tmp, which may be memory. */
#include "report/maps.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/reader.h"
#include "data/unfit.h"
#include "report/colour.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

#include <vips/vector.h> /* does not stand alone */

/* What becomes a file each. */
enum { MAP, OVERLAY, GENERATED, MAX_FILES };

struct report_maps {
    report_maps_options options; /* without folder and stem, which are in the files' paths */
    uint8_t colours[REPORT_COLOURS][4];
    /* Of what was scored: how many rows there were, and the last two, of which row y is [y % 2]. */
    int n_rows;
    float *maps[2], *generated[2]; /* [scored.width], [scored.width][channels] */
    /* Of the image: its next row is y. */
    data_reader image; /* open from the first row on */
    int y;
    data_place *rows, *columns; /* [height], [width] */
    uint16_t *pixels;           /* [width][channels] */
    float *values;              /* [width][scored.channels] */
    uint16_t *shares;           /* [width], the map's as PNG */
    uint8_t *line;              /* [width][3] */
    int n_files;                /* without GENERATED where nothing is generated */
    base_file raw[MAX_FILES];   /* of rows; abandoned in the end */
    base_file files[MAX_FILES];
};

/* ---- rows ---------------------------------------------------------------------------------- */

static ano_status check_options(const report_maps_options *options, ano_error *err)
{
    const ano_shape scored = options->scored;
    const char *stem = options->stem;
    if (*stem == '\0' || strchr(stem, '/') != NULL || strcmp(stem, ".") == 0 ||
        strcmp(stem, "..") == 0)
        return base_error(err, ANO_ARG, "\"%s\" cannot begin a file's name", stem);
    if (scored.height < 1 || scored.width < 1 || (scored.channels != 1 && scored.channels != 3) ||
        options->image >= ano_dataset_count(options->images))
        return base_error(err, ANO_ARG, "%s: a map of %d x %d x %d for image %zu", stem,
                          scored.height, scored.width, scored.channels, options->image);
    if (!(options->high > 0) || !isfinite(options->high))
        return base_error(err, ANO_ARG, "%s: a map whose highest value is %g", stem, options->high);
    return ANO_OK;
}

static ano_status create_files(report_maps *maps, const char *folder, const char *stem,
                               ano_error *err)
{
    const char *const names[MAX_FILES] = {maps->options.format == REPORT_MAP_TIFF ? "_map.tiff"
                                                                                  : "_map.png",
                                          "_overlay.png", "_generated.png"};
    const size_t size = strlen(stem) + 32;
    char *name = base_alloc(size, 1), *path = NULL;
    ano_status status = name != NULL ? ANO_OK : base_error_nomem(err, stem);
    for (int i = 0; i < maps->n_files && status == ANO_OK; i++) {
        snprintf(name, size, "%s%s", stem, names[i]);
        path = base_path_join(folder, name);
        status = path == NULL ? base_error_nomem(err, stem)
                              : base_file_create(&maps->files[i], path, err);
        if (status == ANO_OK)
            status = base_file_create(&maps->raw[i], path, err);
        base_free(path);
    }
    base_free(name);
    return status;
}

ano_status report_maps_open(report_maps **out, const report_maps_options *options, ano_error *err)
{
    *out = NULL;
    ano_status status = check_options(options, err);
    if (status != ANO_OK)
        return status;
    if (VIPS_INIT("anogan") != 0)
        return base_error(err, ANO_IO, "libvips does not start: %s", vips_error_buffer());
    /* Its cache would take a raw file for an earlier one of the same name. The code that it
     * generates while it runs rounds its own way, and on 64-bit ARM it crashes (ORC 0.4.33). */
    vips_cache_set_max(0);
    vips_vector_set_enabled(FALSE);
    report_maps *maps = base_alloc(1, sizeof *maps);
    if (maps == NULL)
        return base_error_nomem(err, options->stem);
    maps->options = *options;
    maps->options.folder = maps->options.stem = NULL;
    maps->n_files = options->generates ? MAX_FILES : GENERATED;
    report_colours(maps->colours);
    status = create_files(maps, options->folder, options->stem, err);
    if (status != ANO_OK)
        report_maps_discard(maps);
    else
        *out = maps;
    return status;
}

/* Opens the image and makes room for its rows. */
static ano_status begin_image(report_maps *maps, ano_error *err)
{
    const ano_shape scored = maps->options.scored;
    const char *path = maps->files[MAP].path;
    ano_status status =
        data_reader_open_original(&maps->image, maps->options.images, maps->options.image, err);
    if (status != ANO_OK)
        return status;
    const ano_shape image = maps->image.shape;
    const size_t width = (size_t)image.width, scored_width = (size_t)scored.width,
                 channels = (size_t)scored.channels;
    if (image.channels != 1 && image.channels != 3)
        return base_error(err, ANO_ARG, "%s: an image of %d channels", path, image.channels);
    bool has_room = true;
    for (int i = 0; i < 2; i++) {
        has_room = (maps->maps[i] = base_alloc(scored_width, sizeof(float))) != NULL && has_room;
        maps->generated[i] = base_alloc(scored_width * channels, sizeof(float));
        has_room = maps->generated[i] != NULL && has_room;
    }
    maps->rows = base_alloc((size_t)image.height, sizeof *maps->rows);
    maps->columns = base_alloc(width, sizeof *maps->columns);
    maps->pixels = base_alloc(width * (size_t)image.channels, sizeof *maps->pixels);
    maps->values = base_alloc(width * channels, sizeof *maps->values);
    maps->shares = base_alloc(width, sizeof *maps->shares);
    maps->line = base_alloc(width, 3);
    if (!has_room || maps->rows == NULL || maps->columns == NULL || maps->pixels == NULL ||
        maps->values == NULL || maps->shares == NULL || maps->line == NULL)
        return base_error_nomem(err, path);
    const ano_view view = ano_dataset_get_view(maps->options.images);
    data_unfit_places(maps->rows, maps->columns, image, scored, &view);
    return ANO_OK;
}

/* maps->values = the image's next row, of what was scored in rows[0] and rows[1]. */
static void unfit_row(report_maps *maps, float *const rows[2], size_t channels, float nothing)
{
    const data_place at = maps->rows[maps->y];
    const size_t width = (size_t)maps->image.shape.width;
    if (at.first >= 0)
        data_unfit_row(maps->values, maps->columns, width, rows[at.first % 2], rows[at.second % 2],
                       at.share, channels, nothing);
    for (size_t i = 0; i < width * channels && at.first < 0; i++)
        maps->values[i] = nothing;
}

/* The map's share of what `high` stands for, on a scale that ends with `top`. */
static int place_of(const report_maps *maps, float value, float top)
{
    return (int)(fminf(value / (float)maps->options.high, 1) * top + 0.5f);
}

static void write_map(report_maps *maps)
{
    const size_t width = (size_t)maps->image.shape.width;
    FILE *stream = maps->raw[MAP].stream;
    if (maps->options.format == REPORT_MAP_TIFF) {
        fwrite(maps->values, sizeof *maps->values, width, stream);
        return;
    }
    for (size_t x = 0; x < width; x++)
        maps->shares[x] = (uint16_t)place_of(maps, maps->values[x], UINT16_MAX);
    fwrite(maps->shares, sizeof *maps->shares, width, stream);
}

/* The map's colours, each as opaque as it is, over the image's pixels. */
static void write_overlay(report_maps *maps)
{
    const size_t width = (size_t)maps->image.shape.width;
    const size_t channels = (size_t)maps->image.shape.channels;
    for (size_t x = 0; x < width; x++) {
        const uint8_t *colour = maps->colours[place_of(maps, maps->values[x], REPORT_COLOURS - 1)];
        for (size_t c = 0; c < 3; c++) {
            const int below = (maps->pixels[x * channels + c % channels] + 128) / 257;
            maps->line[3 * x + c] =
                (uint8_t)((below * (255 - colour[3]) + colour[c] * colour[3] + 127) / 255);
        }
    }
    fwrite(maps->line, 3, width, maps->raw[OVERLAY].stream);
}

static void write_generated(report_maps *maps)
{
    const size_t n = (size_t)maps->image.shape.width * (size_t)maps->options.scored.channels;
    for (size_t i = 0; i < n; i++)
        maps->line[i] = (uint8_t)lroundf(127.5f * (fminf(fmaxf(maps->values[i], -1), 1) + 1));
    fwrite(maps->line, 1, n, maps->raw[GENERATED].stream);
}

/* Writes those of the image's rows whose neighbours have been scored. */
static ano_status write_rows(report_maps *maps, ano_error *err)
{
    const int height = maps->image.shape.height;
    while (maps->y < height && maps->rows[maps->y].second < maps->n_rows) {
        const ano_status status = data_reader_rows(maps->pixels, &maps->image, 1, err);
        if (status != ANO_OK)
            return status;
        unfit_row(maps, maps->maps, 1, 0);
        write_map(maps);
        write_overlay(maps);
        if (maps->options.generates) {
            unfit_row(maps, maps->generated, (size_t)maps->options.scored.channels, -1);
            write_generated(maps);
        }
        maps->y++;
    }
    return ANO_OK;
}

ano_status report_maps_rows(report_maps *maps, const ano_strip *strip, ano_error *err)
{
    const ano_shape scored = maps->options.scored, shape = strip->shape;
    const size_t width = (size_t)scored.width, n = width * (size_t)scored.channels;
    const char *path = maps->files[MAP].path;
    if (shape.height != scored.height || shape.width != scored.width ||
        shape.channels != scored.channels)
        return base_error(err, ANO_ARG, "%s: rows of an image of another size", path);
    if (strip->y != maps->n_rows || strip->n_rows < 0 ||
        strip->n_rows > scored.height - maps->n_rows)
        return base_error(err, ANO_ARG, "%s: %d rows from %d on, after %d of %d", path,
                          strip->n_rows, strip->y, maps->n_rows, scored.height);
    const float *map = strip->map;
    ano_status status = maps->line == NULL ? begin_image(maps, err) : ANO_OK;
    for (int row = 0; row < strip->n_rows && status == ANO_OK; row++, map += width) {
        for (size_t x = 0; x < width; x++)
            if (!isfinite(map[x]))
                return base_error(err, ANO_NUMERIC, "%s: the map at row %d, column %zu is %f", path,
                                  maps->n_rows, x, (double)map[x]);
        memcpy(maps->maps[maps->n_rows % 2], map, width * sizeof *map);
        if (maps->options.generates)
            memcpy(maps->generated[maps->n_rows % 2], strip->generated + (size_t)row * n,
                   n * sizeof *strip->generated);
        maps->n_rows++;
        status = write_rows(maps, err);
    }
    return status;
}

/* ---- files --------------------------------------------------------------------------------- */

/* The functions from here to save() return as libvips' own do, 0 or an error kept by libvips. */

/* A raw file, whose rows libvips reads in pieces as it needs them. */
static int load(VipsImage **out, const report_maps *maps, int which, int channels,
                VipsBandFormat format, VipsInterpretation meaning)
{
    const ano_shape image = maps->image.shape;
    return vips_rawload(maps->raw[which].temporary, out, image.width, image.height, channels,
                        "format", format, "interpretation", meaning, NULL);
}

/* Neighbours are alike, most of all in a map brought back to a larger image: their differences
 * become smaller files in a third of the time than the best compression of what they are. */
static int save_png(VipsImage *rows, const char *path)
{
    return vips_pngsave(rows, path, "compression", 1, "filter", VIPS_FOREIGN_PNG_FILTER_SUB, NULL);
}

static int save_tiff(const report_maps *maps, const char *path)
{
    VipsImage *rows;
    if (load(&rows, maps, MAP, 1, VIPS_FORMAT_FLOAT, VIPS_INTERPRETATION_B_W) != 0)
        return -1;
    /* More than 4 GB need BigTIFF; noise does not become smaller by compression. */
    const bool big = 4.0 * rows->Xsize * rows->Ysize > 4e9;
    vips_image_set_string(rows, VIPS_META_IMAGEDESCRIPTION, "anomaly map: the score of each pixel");
    const int failed =
        vips_tiffsave(rows, path, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, "predictor",
                      VIPS_FOREIGN_TIFF_PREDICTOR_NONE, "bigtiff", big, NULL);
    g_object_unref(rows);
    return failed;
}

static int save_map(const report_maps *maps, const char *path)
{
    VipsImage *rows;
    char text[120];
    if (maps->options.format == REPORT_MAP_TIFF)
        return save_tiff(maps, path);
    if (load(&rows, maps, MAP, 1, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16) != 0)
        return -1;
    snprintf(text, sizeof text, "anomaly map: the score of each pixel is value / 65535 * %.9g",
             maps->options.high);
    vips_image_set_string(rows, "png-comment-0-Description", text);
    const int failed = save_png(rows, path);
    g_object_unref(rows);
    return failed;
}

static int save_picture(const report_maps *maps, const char *path, int which, int channels)
{
    VipsImage *rows;
    if (load(&rows, maps, which, channels, VIPS_FORMAT_UCHAR,
             channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB) != 0)
        return -1;
    const int failed = save_png(rows, path);
    g_object_unref(rows);
    return failed;
}

static int save_overlay(const report_maps *maps, const char *path)
{
    return save_picture(maps, path, OVERLAY, 3);
}

static int save_generated(const report_maps *maps, const char *path)
{
    return save_picture(maps, path, GENERATED, maps->options.scored.channels);
}

static ano_status save(const report_maps *maps, ano_error *err)
{
    static int (*const savers[MAX_FILES])(const report_maps *,
                                          const char *) = {save_map, save_overlay, save_generated};
    for (int i = 0; i < maps->n_files; i++) {
        const base_file *file = &maps->files[i];
        if (savers[i](maps, file->temporary) == 0)
            continue;
        char *text = vips_error_buffer_copy(); /* lines, each with its end; leaves none behind */
        for (char *end = text + strlen(text); end > text && end[-1] == '\n';)
            *--end = '\0';
        base_error(err, ANO_IO, "%s: cannot be written: %s", file->path, text);
        g_free(text);
        return ANO_IO;
    }
    return ANO_OK;
}

static ano_status flush_rows(const report_maps *maps, ano_error *err)
{
    if (maps->n_rows < maps->options.scored.height)
        return base_error(err, ANO_ARG, "%s: %d rows of %d", maps->files[MAP].path, maps->n_rows,
                          maps->options.scored.height);
    for (int i = 0; i < maps->n_files; i++)
        if (ferror(maps->raw[i].stream) || fflush(maps->raw[i].stream) != 0)
            return base_error(err, ANO_IO, "%s: its rows cannot be kept beside it",
                              maps->files[i].path);
    return ANO_OK;
}

ano_status report_maps_close(report_maps *maps, ano_error *err)
{
    ano_status status = flush_rows(maps, err);
    if (status == ANO_OK)
        status = save(maps, err);
    for (int i = 0; i < maps->n_files && status == ANO_OK; i++)
        status = base_file_commit(&maps->files[i], err);
    report_maps_discard(maps);
    return status;
}

void report_maps_discard(report_maps *maps)
{
    if (maps == NULL)
        return;
    for (int i = 0; i < maps->n_files; i++) {
        base_file_abandon(&maps->raw[i]);
        base_file_abandon(&maps->files[i]);
    }
    data_reader_close(&maps->image);
    for (int i = 0; i < 2; i++) {
        base_free(maps->maps[i]);
        base_free(maps->generated[i]);
    }
    base_free(maps->rows);
    base_free(maps->columns);
    base_free(maps->pixels);
    base_free(maps->values);
    base_free(maps->shares);
    base_free(maps->line);
    base_free(maps);
}
