/* An image's anomaly map, and what a generator made of the image, put together from tiles that
 * overlap: at every pixel the mean over the tiles there, weighted by a pyramid that falls from a
 * tile's middle to its border, where a tile knows least of what is around. */
#ifndef DETECT_CANVAS_H
#define DETECT_CANVAS_H

#include "detect/bands.h"

typedef struct detect_canvas detect_canvas;

ano_status detect_canvas_create(detect_canvas **out, const ano_view *view, ano_error *err);
void detect_canvas_free(detect_canvas *canvas);

/* Adds the tiles of an image's next band, their maps [n][size][size] and what was generated
 * [n][size][size][channels], or NULL, and gives the band's rows that are final, band->n_final of
 * them, lent until the next call. */
ano_status detect_canvas_add(ano_strip *out, detect_canvas *canvas, const detect_band *band,
                             const float *maps, const float *generated, ano_error *err);

#endif
