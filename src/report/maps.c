/* Rows go to raw files, which libvips then reads in pieces as its pipelines ask for them: scaling,
 * colours and compression hold a few rows at a time, whatever the size of the image. The raw files
 * lie beside the results, where there is room, and not in /tmp, which may be memory. */
#include "report/maps.h"

#include "base/file.h"
#include "base/memory.h"
#include "report/colour.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>

#include <vips/vector.h> /* does not stand alone */

/* What rows hold, each of which becomes a file: the image by the map's colours over it. */
enum { MAP, IMAGE, GENERATED, N_FILES };

struct report_maps {
    report_maps_options options; /* without folder and stem, which are in the files' paths */
    int n_rows;                  /* so far */
    uint8_t *line;               /* [width][channels] */
    base_file raw[N_FILES];      /* of rows; abandoned in the end */
    base_file files[N_FILES];
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
        options->height < 1 || options->width < 1 || options->height > VIPS_MAX_COORD ||
        options->width > VIPS_MAX_COORD)
        return base_error(err, ANO_ARG, "%s: a map of %d x %d x %d for an image of %d x %d", stem,
                          scored.height, scored.width, scored.channels, options->height,
                          options->width);
    if (!(options->high > 0) || !isfinite(options->high))
        return base_error(err, ANO_ARG, "%s: a map whose highest value is %g", stem, options->high);
    return ANO_OK;
}

static ano_status create_files(report_maps *maps, const char *folder, const char *stem,
                               ano_error *err)
{
    const char *const names[N_FILES] = {maps->options.format == REPORT_MAP_TIFF ? "_map.tiff"
                                                                                : "_map.png",
                                        "_overlay.png", "_generated.png"};
    const size_t size = strlen(stem) + 32;
    char *name = base_alloc(size, 1), *path = NULL;
    ano_status status = name != NULL ? ANO_OK : base_error_nomem(err, stem);
    for (int i = 0; i < N_FILES && status == ANO_OK; i++) {
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
    maps->line = base_alloc((size_t)options->scored.width, (size_t)options->scored.channels);
    status = maps->line != NULL ? create_files(maps, options->folder, options->stem, err)
                                : base_error_nomem(err, options->stem);
    if (status != ANO_OK)
        report_maps_discard(maps);
    else
        *out = maps;
    return status;
}

static void write_pixels(FILE *stream, uint8_t *line, const float *pixels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        line[i] = (uint8_t)lroundf(127.5f * (fminf(fmaxf(pixels[i], -1), 1) + 1));
    fwrite(line, 1, n, stream);
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
    const float *map = strip->map, *pixels = strip->pixels, *generated = strip->generated;
    for (int row = 0; row < strip->n_rows; row++, map += width, pixels += n, generated += n) {
        for (size_t x = 0; x < width; x++)
            if (!isfinite(map[x]))
                return base_error(err, ANO_NUMERIC, "%s: the map at row %d, column %zu is %f", path,
                                  maps->n_rows, x, (double)map[x]);
        fwrite(map, sizeof *map, width, maps->raw[MAP].stream);
        write_pixels(maps->raw[IMAGE].stream, maps->line, pixels, n);
        write_pixels(maps->raw[GENERATED].stream, maps->line, generated, n);
        maps->n_rows++;
    }
    return ANO_OK;
}

/* ---- files --------------------------------------------------------------------------------- */

/* The images of one pipeline; those that are not made are NULL. */
enum { STEPS = 12 };

static void release(VipsImage *steps[STEPS])
{
    for (int i = 0; i < STEPS; i++)
        if (steps[i] != NULL)
            g_object_unref(steps[i]);
}

/* The functions from here to save() return as libvips' own do, 0 or an error kept by libvips. */

/* Reads raw file `which` and scales it to the size that the image came in. Straight lines between
 * pixels: other kernels overshoot, to values that no pixel has. Makes steps[0] and steps[1]. */
static int load(VipsImage **steps, const report_maps *maps, int which)
{
    const report_maps_options *options = &maps->options;
    const ano_shape scored = options->scored;
    return vips_rawload(maps->raw[which].temporary, &steps[0], scored.width, scored.height,
                        which == MAP ? 1 : scored.channels, "format",
                        which == MAP ? VIPS_FORMAT_FLOAT : VIPS_FORMAT_UCHAR, "interpretation",
                        which == MAP || scored.channels == 1 ? VIPS_INTERPRETATION_B_W
                                                             : VIPS_INTERPRETATION_sRGB,
                        NULL) != 0 ||
           vips_resize(steps[0], &steps[1], (double)options->width / scored.width, "vscale",
                       (double)options->height / scored.height, "kernel", VIPS_KERNEL_LINEAR,
                       NULL) != 0;
}

static int save_tiff(VipsImage *map, const char *path)
{
    /* More than 4 GB need BigTIFF; noise does not become smaller by compression. */
    const bool big = 4.0 * map->Xsize * map->Ysize > 4e9;
    vips_image_set_string(map, VIPS_META_IMAGEDESCRIPTION, "anomaly map: the score of each pixel");
    return vips_tiffsave(map, path, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
                         "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_NONE, "bigtiff", big, NULL);
}

static int save_map(const report_maps *maps, const char *path)
{
    const double high = maps->options.high;
    VipsImage *steps[STEPS] = {NULL};
    int failed = load(steps, maps, MAP);
    if (!failed && maps->options.format == REPORT_MAP_TIFF) {
        failed = vips_copy(steps[1], &steps[2], NULL) != 0 || save_tiff(steps[2], path) != 0;
    } else if (!failed) {
        char text[120];
        snprintf(text, sizeof text, "anomaly map: the score of each pixel is value / 65535 * %.9g",
                 high);
        failed =
            vips_linear1(steps[1], &steps[2], 65535 / high, 0.5, NULL) != 0 ||
            vips_cast(steps[2], &steps[3], VIPS_FORMAT_USHORT, NULL) != 0 ||
            vips_copy(steps[3], &steps[4], "interpretation", VIPS_INTERPRETATION_GREY16, NULL) != 0;
        if (!failed) {
            vips_image_set_string(steps[4], "png-comment-0-Description", text);
            failed = vips_pngsave(steps[4], path, NULL) != 0;
        }
    }
    release(steps);
    return failed;
}

static int save_overlay(const report_maps *maps, const char *path)
{
    uint8_t table[REPORT_COLOURS][4];
    report_colours(table);
    VipsImage *steps[STEPS] = {NULL};
    VipsImage **image = &steps[1], **map = &steps[3], **rgb = &steps[4], **colours = &steps[5];
    VipsImage *bands[3];
    int failed = load(steps, maps, IMAGE) != 0 || load(steps + 2, maps, MAP) != 0;
    bands[0] = bands[1] = bands[2] = *image;
    if (!failed)
        failed = maps->options.scored.channels == 1 ? vips_bandjoin(bands, rgb, 3, NULL)
                                                    : vips_copy(*image, rgb, NULL);
    *colours =
        vips_image_new_from_memory(table, sizeof table, REPORT_COLOURS, 1, 4, VIPS_FORMAT_UCHAR);
    failed =
        failed || *colours == NULL ||
        vips_linear1(*map, &steps[6], (REPORT_COLOURS - 1) / maps->options.high, 0.5, NULL) != 0 ||
        vips_cast(steps[6], &steps[7], VIPS_FORMAT_UCHAR, NULL) != 0 ||
        vips_maplut(steps[7], &steps[8], *colours, NULL) != 0 ||
        vips_extract_band(steps[8], &steps[9], 3, NULL) != 0 ||
        vips_extract_band(steps[8], &steps[10], 0, "n", 3, NULL) != 0 ||
        vips_ifthenelse(steps[9], steps[10], *rgb, &steps[11], "blend", TRUE, NULL) != 0 ||
        vips_pngsave(steps[11], path, NULL) != 0;
    release(steps);
    return failed;
}

static int save_generated(const report_maps *maps, const char *path)
{
    VipsImage *steps[STEPS] = {NULL};
    const int failed = load(steps, maps, GENERATED) != 0 || vips_pngsave(steps[1], path, NULL) != 0;
    release(steps);
    return failed;
}

static ano_status save(const report_maps *maps, ano_error *err)
{
    static int (*const savers[N_FILES])(const report_maps *,
                                        const char *) = {save_map, save_overlay, save_generated};
    for (int i = 0; i < N_FILES; i++) {
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
    for (int i = 0; i < N_FILES; i++)
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
    for (int i = 0; i < N_FILES && status == ANO_OK; i++)
        status = base_file_commit(&maps->files[i], err);
    report_maps_discard(maps);
    return status;
}

void report_maps_discard(report_maps *maps)
{
    if (maps == NULL)
        return;
    for (int i = 0; i < N_FILES; i++) {
        base_file_abandon(&maps->raw[i]);
        base_file_abandon(&maps->files[i]);
    }
    base_free(maps->line);
    base_free(maps);
}
