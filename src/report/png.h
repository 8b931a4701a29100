/* Bytes as a PNG file. */
#ifndef REPORT_PNG_H
#define REPORT_PNG_H

#include "base/error.h"

#include <stdint.h>

/* Writes pixels [height][width][channels], 8 bits each, gray (1 channel) or red, green, blue (3).
 * Errors: ARG, NOMEM, IO. */
ano_status report_png_write(const char *path, const uint8_t *pixels, int width, int height,
                            int channels, ano_error *err);

#endif
