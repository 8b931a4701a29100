/* One image of a data set as its view has it, read from top to bottom: a whole image fitted to the
 * view's size, or, for tiles, the image at the view's scale, mirrored at its edges where it is
 * smaller than a tile, to the right and below. Values are 0…65535, whatever the file has.
 *
 * Where the data set is drawn on (ano_dataset_draw_anomalies()), opening an image reads it down to
 * a window at a random place, as high and wide as the view's size, draws the anomaly into it, and
 * opens the image again; the window's pixels are replaced as rows pass. All outside of the window
 * and all in it that the anomaly leaves alone have the bits that they had. */
#ifndef DATA_READER_H
#define DATA_READER_H

#include "data/dataset.h"
#include "data/decode.h"

/* A square of an image and what it is replaced by. */
typedef struct data_window {
    int x, y, side;
    uint16_t *numbers; /* [side][side][channels]; NULL: there is none */
} data_window;

typedef struct data_reader {
    ano_shape shape; /* of what it gives */
    data_decoder
        *decoder; /* NULL for images in memory that the view takes as they are, which then */
    const uint8_t *pixels; /* are what is left of them: reading those allocates nothing */
    data_window window;
    size_t n_read; /* numbers */
} data_reader;

/* Opens image i; `dataset` must outlive the reader, which is to be closed in every case. Errors:
 * IO, FORMAT (the message names the file), UNSUPPORTED. */
ano_status data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i, ano_error *err);
/* The same of the image as it is in its file, ano_dataset_original(), whatever the view and with
 * nothing drawn onto it. */
ano_status data_reader_open_original(data_reader *out, const ano_dataset *dataset, size_t i,
                                     ano_error *err);
void data_reader_close(data_reader *reader);

/* The next n rows: dst [n][width][channels]. No more than are left. Errors: IO, FORMAT. */
ano_status data_reader_rows(uint16_t *dst, data_reader *reader, int n, ano_error *err);

/* The same in parts of any length: the next n numbers. */
ano_status data_reader_numbers(uint16_t *dst, data_reader *reader, size_t n, ano_error *err);

/* dst [n] = src [n] scaled to [-1, 1]: what the networks see. */
void data_scale(float *dst, const uint16_t *src, size_t n);

#endif
