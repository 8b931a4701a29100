/* Maps of what the networks saw, brought back to the image as it is in its file, row by row. */
#ifndef DATA_UNFIT_H
#define DATA_UNFIT_H

#include <anogan/anogan.h>

/* Where a row, or a column, of an image lies among those of its map: `share` of the way from the
 * middle of one to that of the next, which are the same beyond the outermost middles. */
typedef struct data_place {
    int first, second; /* -1: nothing was scored there */
    float share;
} data_place;

/* Fills the places of an image's rows [original.height] and columns [original.width] in a map of
 * `scored`, made as `view` says. They rise. */
void data_unfit_places(data_place *rows, data_place *columns, ano_shape original, ano_shape scored,
                       const ano_view *view);

/* dst [n][channels]: the row of n places `columns` between the map's rows `above` and `below`, at
 * `share`; `nothing` where nothing was scored. Numbers >= 0 stay so. */
void data_unfit_row(float *dst, const data_place *columns, size_t n, const float *above,
                    const float *below, float share, size_t channels, float nothing);

#endif
