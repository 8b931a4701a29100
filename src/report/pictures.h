/* Images as people see them: a grid of many, or one beside what the generator made of it. */
#ifndef REPORT_PICTURES_H
#define REPORT_PICTURES_H

#include "report/png.h"

/* Writes a PNG of n images [n][height][width][channels] with pixels in [-1, 1], `columns` to a
 * row, each pixel a square of `scale`. Errors: ARG, NOMEM, IO. */
ano_status report_grid(const char *path, const float *images, int n, ano_shape shape, int columns,
                       int scale, ano_error *err);

/* Writes a PNG of image | generated | their difference, |x - G| averaged over the channels, from
 * black (0) through purple and orange to white (2). Errors: ARG, NOMEM, IO. */
ano_status report_comparison(const char *path, const float *image, const float *generated,
                             ano_shape shape, int scale, ano_error *err);

/* The same of image | anomaly map [height][width], black for 0, white for `high` and above. */
ano_status report_map_beside(const char *path, const float *image, const float *map,
                             ano_shape shape, double high, int scale, ano_error *err);

/* The image [height][width][channels] as a PNG for a page, shrunk by a whole factor until no side
 * is longer than REPORT_LONGEST_SIDE; with `map` [height][width] not NULL in the map's colours over
 * it, `high` being the value that gets the top one. Of the pixels that become one, the image's are
 * averaged, the map's highest is kept, so that no anomaly is lost. Errors: ARG, NOMEM. */
ano_status report_picture(report_png *out, const float *image, const float *map, ano_shape shape,
                          double high, ano_error *err);

enum { REPORT_LONGEST_SIDE = 320 };

#endif
