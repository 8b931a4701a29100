/* Pixels as PNG. */
#ifndef REPORT_PNG_H
#define REPORT_PNG_H

#include "base/error.h"

#include <stdint.h>

/* A PNG in memory. */
typedef struct report_png {
    uint8_t *bytes; /* free by report_png_free() */
    size_t size;
    int width, height;
} report_png;

/* Encodes pixels [height][width][channels], 8 bits each, gray (1 channel) or red, green, blue (3).
 * Errors: ARG, NOMEM. */
ano_status report_png_encode(report_png *out, const uint8_t *pixels, int width, int height,
                             int channels, ano_error *err);
void report_png_free(report_png *png);

/* The same as a file. Errors: ARG, NOMEM, IO. */
ano_status report_png_write(const char *path, const uint8_t *pixels, int width, int height,
                            int channels, ano_error *err);

#endif
