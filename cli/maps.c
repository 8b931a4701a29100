#include "cli/maps.h"

#include "base/error.h"
#include "base/file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where nothing was calibrated: half of what a residual of pixels in [-1, 1] can be. */
#define HIGH_UNCALIBRATED 1.0

double cli_maps_high(const ano_model *model)
{
    const ano_calibration calibration = ano_model_get_calibration(model);
    return calibration.n > 0 && calibration.map_high > 0 ? 2 * (double)calibration.map_high
                                                         : HIGH_UNCALIBRATED;
}

ano_status cli_maps_begin(cli_maps *out, const cli_options *options, const ano_model *model,
                          ano_error *err)
{
    *out = (cli_maps){
        .folder = options->maps, .format = options->map_format, .high = cli_maps_high(model)};
    return base_make_folder(options->maps, err);
}

/* The name of image i's file without folders and ending. */
static const char *stem_of(int *length, const ano_dataset *images, size_t i)
{
    const char *path = ano_dataset_path(images, i), *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path, *dot = strrchr(name, '.');
    *length = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);
    return name;
}

static bool has_namesake(const ano_dataset *images, size_t i)
{
    int length, other_length;
    const char *name = stem_of(&length, images, i), *other;
    for (size_t k = 0; k < ano_dataset_count(images); k++) {
        other = stem_of(&other_length, images, k);
        if (k != i && other_length == length && memcmp(name, other, (size_t)length) == 0 &&
            strcmp(ano_dataset_class(images, i), ano_dataset_class(images, k)) == 0)
            return true;
    }
    return false;
}

/* What image i's files begin with: its class, its name, and where that is not enough its number. */
static void name_files(char *dst, size_t size, const ano_dataset *images, size_t i)
{
    int length;
    const char *name = stem_of(&length, images, i), *class_name = ano_dataset_class(images, i);
    const size_t n = (size_t)snprintf(dst, size, "%s%s%.*s", class_name,
                                      class_name[0] != '\0' ? "_" : "", length, name);
    if (n < size && has_namesake(images, i))
        snprintf(dst + n, size - n, "_%zu", i);
}

ano_status cli_maps_strip(cli_maps *maps, const ano_dataset *images, const ano_strip *strip,
                          ano_error *err)
{
    if (strip->y == 0) {
        char stem[200];
        name_files(stem, sizeof stem, images, strip->image);
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
