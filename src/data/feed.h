/* The feed of training: the images of a data set as batches of samples. A sample is a whole image
 * or, where the view is of tiles, a tile at a random place; an epoch takes as many tiles of an
 * image as would cover it.
 *
 * Where the pixels of all images fit in the memory that is given, an epoch is one permutation of
 * all samples. Where they do not, the epoch's images are shuffled and cut into groups of at most
 * half the memory; the samples are shuffled within a group, and while one group is trained on, a
 * thread of the feed's own decodes the next. */
#ifndef DATA_FEED_H
#define DATA_FEED_H

#include "data/survey.h"

typedef struct data_feed data_feed;

typedef struct data_feed_options {
    int batch; /* samples */
    uint64_t seed;
    ano_augment augment;
    size_t cache;        /* bytes of decoded images */
    int threads;         /* that decode in data_feed_create() */
    data_notice *notice; /* there, and of images that are lost later; then its answer is ignored */
    void *cookie;
} data_feed_options;

/* Looks at all images, leaving out those that cannot be read. `dataset` must outlive the feed.
 * Errors: ARG (too few samples), those of data_survey_take(). */
ano_status data_feed_create(data_feed **out, const ano_dataset *dataset,
                            const data_feed_options *options, ano_error *err);
void data_feed_free(data_feed *feed);

/* Batches of an epoch; the last samples, which fill none, are left out. */
size_t data_feed_steps(const data_feed *feed);
/* CRC-32 of all images as the networks see them. */
uint32_t data_feed_crc(const data_feed *feed);

/* dst [batch][height][width][channels] = the batch of a step, counted from 0, of an epoch: a
 * function of the data, the options and these alone, but cheap where it follows the one before. An
 * image that can no longer be read is replaced by the next of its group. Errors: NOMEM, IO (a whole
 * group can no longer be read). */
ano_status data_feed_batch(float *dst, data_feed *feed, size_t epoch, size_t step, ano_error *err);

#endif
