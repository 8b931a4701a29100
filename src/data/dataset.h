/* The data set: a list of images and the view that the networks have of them. Images are given in
 * memory (IDX files, pixels of the caller's) or lie in files that are decoded when they are read.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "data/list.h"

#include <stdbool.h>

struct ano_dataset {
    ano_dataset_kind kind;
    ano_view view;     /* nothing in it is 0 but stride */
    data_list list;    /* of the images that were chosen */
    char *file;        /* that all images are in, where the items have no path of their own */
    ano_shape native;  /* of the images in memory */
    uint8_t *pixels;   /* [n_items][native], NULL where they are in files */
    size_t max_pixels; /* of an image in a file */
    bool is_drawn_on;  /* an anomaly is drawn onto each image when it is read … */
    uint64_t seed;     /* … at random by this */
};

/* A view with its zeros filled in from what the images are, all but stride. Errors: ARG. */
ano_status data_view_resolve(ano_view *view, ano_shape native, ano_error *err);

/* Whether any of the IDX files is in a folder. Errors: NOMEM. */
ano_status data_idx_folder_is(bool *found, const char *folder, ano_error *err);

/* Reads the IDX files of a split in `folder` into `dataset`, a zeroed one but for its options:
 * list, file, native and pixels, of the images that are chosen. */
ano_status data_idx_folder_open(ano_dataset *dataset, const char *folder,
                                const ano_dataset_options *options, ano_error *err);

#endif
