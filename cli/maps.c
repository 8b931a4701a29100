#include "cli/maps.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where nothing was calibrated: half of what a residual of pixels in [-1, 1] can be. */
#define HIGH_UNCALIBRATED 1.0

double cli_maps_high(const ano_model *model, ano_map map)
{
    const float high = ano_model_map_high(model, map);
    return high > 0 ? 2 * (double)high : HIGH_UNCALIBRATED;
}

int cli_maps_check(const cli_run *run, ano_map map)
{
    if (ano_model_has_map(run->model, map))
        return CLI_DONE;
    return cli_refuse(CLI_USAGE,
                      "--map: %s does not remember %s; `anogan info` lists what it remembers",
                      run->model_path, map == ANO_MAP_ALL ? "anything" : ano_map_name(map));
}

ano_status cli_maps_begin(cli_maps *out, const cli_options *options, const ano_model *model,
                          ano_error *err)
{
    *out = (cli_maps){.folder = options->maps,
                      .format = options->map_format,
                      .high = cli_maps_high(model, options->map)};
    return base_make_folder(options->maps, err);
}

enum { STEM_SIZE = 200 };

/* What image i's files begin with: its class and its file's name, whose ending stays, for a.png and
 * a.jpg are two images. */
static void name_files(char dst[STEM_SIZE], const ano_dataset *images, size_t i)
{
    const char *path = ano_dataset_path(images, i), *slash = strrchr(path, '/');
    char whole[4200];
    snprintf(whole, sizeof whole, "%s%s%s", ano_dataset_class(images, i),
             *ano_dataset_class(images, i) != '\0' ? "_" : "", slash != NULL ? slash + 1 : path);
    report_text_name(dst, STEM_SIZE, whole);
}

/* An image's name, as a sum that other names do not have but once in 2^64, and its place in the
 * data set. */
typedef struct named {
    uint64_t sum;
    size_t image;
} named;

static int compare_names(const void *a, const void *b)
{
    const uint64_t x = ((const named *)a)->sum, y = ((const named *)b)->sum;
    return (x > y) - (x < y);
}

ano_status cli_maps_name(cli_maps *maps, const ano_dataset *images, ano_error *err)
{
    const size_t n = ano_dataset_count(images);
    base_free(maps->needs_number);
    maps->needs_number = base_alloc(n, sizeof *maps->needs_number);
    named *names = base_alloc(n, sizeof *names);
    if (maps->needs_number == NULL || names == NULL) {
        base_free(names);
        return base_error_nomem(err, "names of maps");
    }
    for (size_t i = 0; i < n; i++) {
        char stem[STEM_SIZE];
        name_files(stem, images, i);
        names[i] = (named){report_text_sum(stem), i};
    }
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i + 1 < n; i++)
        if (names[i].sum == names[i + 1].sum)
            maps->needs_number[names[i].image] = maps->needs_number[names[i + 1].image] = true;
    base_free(names);
    return ANO_OK;
}

ano_status cli_maps_strip(cli_maps *maps, const ano_dataset *images, const ano_strip *strip,
                          ano_error *err)
{
    if (strip->y == 0) {
        char stem[STEM_SIZE + 24];
        name_files(stem, images, strip->image);
        if (maps->needs_number[strip->image])
            snprintf(stem + strlen(stem), 24, "_%zu", strip->image);
        maps->why = (ano_error)ANO_ERROR_INIT;
        const ano_status status =
            report_maps_open(&maps->maps,
                             &(report_maps_options){.folder = maps->folder,
                                                    .stem = stem,
                                                    .images = images,
                                                    .image = strip->image,
                                                    .scored = strip->shape,
                                                    .high = maps->high,
                                                    .generates = strip->generated != NULL,
                                                    .format = maps->format},
                             err);
        if (status != ANO_OK)
            return status;
    }
    if (maps->maps == NULL) /* the image could not be read for them */
        return ANO_OK;
    const ano_status status = report_maps_rows(maps->maps, strip, &maps->why);
    if (status == ANO_OK)
        return ANO_OK;
    cli_maps_drop(maps);
    return status == ANO_IO || status == ANO_FORMAT || status == ANO_UNSUPPORTED
               ? ANO_OK
               : base_error(err, status, "%s", maps->why.message);
}

ano_status cli_maps_end(cli_maps *maps, ano_error *err)
{
    report_maps *ended = maps->maps;
    maps->maps = NULL;
    return ended != NULL ? report_maps_close(ended, err) : ANO_OK;
}

void cli_maps_drop(cli_maps *maps)
{
    report_maps_discard(maps->maps);
    maps->maps = NULL;
}

void cli_maps_close(cli_maps *maps)
{
    cli_maps_drop(maps);
    base_free(maps->needs_number);
    maps->needs_number = NULL;
}
