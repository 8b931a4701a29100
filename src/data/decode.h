/* An image decoded by libvips as a view has it, from top to bottom, in memory that does not grow
 * with its height. Whatever is in the file becomes gray or RGB of 0…65535:
 *   - 8 bits v are 257 v, so that 255 is 65535; 16 bits are taken as they are;
 *   - it is turned as its EXIF orientation says;
 *   - what is transparent is laid over black;
 *   - palettes, CMYK and Lab become RGB; an RGB profile is not looked at;
 *   - gray is made of RGB as ITU-R BT.601 has it, 0.299 R + 0.587 G + 0.114 B;
 *   - of several pages or frames it is the first.
 * Only an interlaced PNG, a progressive JPEG, a BMP, GIF or WebP and an image that has to be turned
 * are held whole while they are read; libvips puts what is large into a temporary file.
 *
 * libvips keeps state of its own for the whole process: it is started at the first use and set not
 * to cache, not to use threads of its own and not to print; nor does GObject warn from then on. */
#ifndef DATA_DECODE_H
#define DATA_DECODE_H

#include "base/error.h"

typedef struct data_decoder data_decoder;

/* Whether images can be decoded at all. Errors: UNSUPPORTED (the library was built without
 * libvips), BACKEND. */
ano_status data_decode_check(ano_error *err);

/* *out = the size of the image in a file, 1 or 3 channels. Errors: IO, FORMAT (no image, or more
 * than max_pixels), UNSUPPORTED (numbers or channels that are neither gray nor RGB). */
ano_status data_decode_size(ano_shape *out, const char *path, size_t max_pixels, ano_error *err);

/* Opens a file as `view` has it, which is resolved but for zeros: a whole image fitted to the size,
 * or as it is where that is 0; for tiles, the image at the view's scale, mirrored to the right and
 * below where it is smaller than a tile; in the channels that the file has where those are 0.
 * Errors: as data_decode_size(). */
ano_status data_decode_open(data_decoder **out, const char *path, const ano_view *view,
                            size_t max_pixels, ano_error *err);
/* The same of pixels in memory, which must outlive the decoder. */
ano_status data_decode_open_pixels(data_decoder **out, const uint8_t *pixels, ano_shape shape,
                                   const ano_view *view, ano_error *err);
void data_decode_close(data_decoder *decoder);

/* Of what data_decode_read() gives. */
ano_shape data_decode_shape(const data_decoder *decoder);
/* The next n numbers, row by row [height][width][channels]; no more than are left. Errors: FORMAT
 * (the file is broken or cut short; the message names it). */
ano_status data_decode_read(uint16_t *dst, data_decoder *decoder, size_t n, ano_error *err);

#endif
