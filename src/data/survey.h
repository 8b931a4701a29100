/* A first look at all images of a data set, before training depends on them: which can be read, how
 * large they are, what they hold, and, where the memory is given for it, all their pixels. */
#ifndef DATA_SURVEY_H
#define DATA_SURVEY_H

#include "data/dataset.h"

/* Told of every image that was looked at and, by `skipped`, of one that cannot be read: which and
 * why (else NULL). Called in the thread of whoever asked; non-zero stops the work. */
typedef int data_notice(size_t n_looked_at, size_t n_images, const char *skipped, void *cookie);

/* An image that can be read. */
typedef struct data_image {
    size_t index;     /* in the data set */
    ano_shape shape;  /* as the view has it */
    uint16_t *pixels; /* [shape], NULL where they are not kept */
} data_image;

typedef struct data_survey {
    data_image *images; /* [n_images], in the data set's order */
    size_t n_images, n_skipped;
    bool is_kept; /* the pixels of all images fit in the memory and are there */
    uint32_t crc; /* CRC-32 of the images as the networks see them */
} data_survey;

/* Looks at the images with `threads` threads, in at most `memory` bytes and a few rows for each.
 * The result depends on neither the threads nor their timing; data_survey_clear() in every case.
 * Errors: what the first image's is when none can be read; NOMEM; CANCELLED. */
ano_status data_survey_take(data_survey *out, const ano_dataset *dataset, size_t memory,
                            int threads, data_notice *notice, void *cookie, ano_error *err);
void data_survey_clear(data_survey *survey);

/* How many numbers and how many bytes the pixels of an image are. */
size_t data_image_size(const data_image *image);
size_t data_image_bytes(const data_image *image);

/* *pixels = an image's, for the caller to free. Errors: NOMEM, IO, FORMAT, SHAPE (it has another
 * size than it had). */
ano_status data_image_read(uint16_t **pixels, const data_image *image, const ano_dataset *dataset,
                           ano_error *err);

#endif
