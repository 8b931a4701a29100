/* Anomaly maps as files, of images of any size in little memory. */
#ifndef REPORT_MAPS_H
#define REPORT_MAPS_H

#include "base/error.h"

typedef enum report_map_format {
    REPORT_MAP_PNG, /* 16-bit gray: round(65535 min(1, value / high)); its text says so */
    REPORT_MAP_TIFF /* float32: the values themselves */
} report_map_format;

typedef struct report_maps_options {
    const char *folder;        /* is there */
    const char *stem;          /* what the files' names begin with; no path */
    const ano_dataset *images; /* must outlive the maps */
    size_t image;     /* which of them, in 1 or 3 channels; its size is what the files get */
    ano_shape scored; /* of the image as it was scored; 1 or 3 channels */
    double high;      /* the value that gets the top colour, one for all maps of a run */
    report_map_format format;
    bool generates; /* whether strips have what was generated */
} report_maps_options;

/* The maps of an image being written. */
typedef struct report_maps report_maps;

/* Begins STEM_map.png (or .tiff), STEM_overlay.png, the map's colours over the image's own pixels,
 * and, where it is generated, STEM_generated.png; all have the image's size, as it is in its file.
 * Where the view saw nothing of the image, the map is 0 and what was generated black. Until
 * report_maps_close() rows wait in temporary files in the folder. Errors: ARG, IO, NOMEM. */
ano_status report_maps_open(report_maps **out, const report_maps_options *options, ano_error *err);

/* The next rows from the top, at the size that was scored; the image is read along. A failed write
 * may come to light only in report_maps_close(). Errors: ARG (not the next rows, or not of this
 * size), NUMERIC (a value of the map is not finite), NOMEM, and where the image cannot be read
 * again IO, FORMAT, UNSUPPORTED. */
ano_status report_maps_rows(report_maps *maps, const ano_strip *strip, ano_error *err);

/* Puts the files in place, once all are written. Ends `maps` either way; when it fails no temporary
 * file is left. Errors: ARG (rows are missing), IO, NOMEM. */
ano_status report_maps_close(report_maps *maps, ano_error *err);

/* Ends `maps` without files; NULL is safe. */
void report_maps_discard(report_maps *maps);

#endif
