/* The images of a data set in bands of tiles. A band is as high as a tile and as wide as the image;
 * the tiles lie in it, and the bands in the image, a stride apart, but for the last, which ends
 * where the image does. An image that is seen whole is one band of one tile. Blocks of bands are
 * read ahead, by a thread of their own, while the block before them is worked on. */
#ifndef DETECT_BANDS_H
#define DETECT_BANDS_H

#include "data/dataset.h"

typedef struct detect_band {
    size_t image;      /* which of the data set */
    ano_shape shape;   /* of the image, at the view's scale */
    int y, n_final;    /* its first row; how many of its rows no later band of the image has */
    size_t first_tile; /* in the block */
    float *pixels;     /* [size][width][channels] */
    ano_error error;   /* why there is no band: the image cannot be read, or not to its end */
} detect_band;

/* Bands in the images' order, from top to bottom. */
typedef struct detect_block {
    size_t n_bands, n_tiles;
    detect_band *bands;
    float *tiles; /* [n_tiles][size][size][channels], left to right */
} detect_block;

/* Where the tiles along an edge lie. */
int detect_tiles_along(int length, const ano_view *view);
int detect_tile_at(int i, int length, const ano_view *view);

typedef struct detect_bands detect_bands;

/* Blocks have at least `n_tiles` tiles, but for the last one. The data set must outlive it. */
ano_status detect_bands_create(detect_bands **out, const ano_dataset *dataset, size_t n_tiles,
                               ano_error *err);
void detect_bands_free(detect_bands *bands);

/* The next block, lent until the next call; without bands when all images are through. */
ano_status detect_bands_next(const detect_block **out, detect_bands *bands, ano_error *err);

#endif
