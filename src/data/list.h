/* What a data set is made of before its pixels are looked at: a list of images, each of a class, of
 * which the caller's options choose some and say which are normal. */
#ifndef DATA_LIST_H
#define DATA_LIST_H

#include "base/error.h"

#include <stdbool.h>

typedef struct data_item {
    char *path, *mask; /* files; NULL where there is none */
    size_t index;      /* in the file that it came from */
    size_t class_id;   /* in data_list's classes */
    int label;         /* 0 normal, 1 anomalous: known when data_list_choose() is done */
    bool is_unseen;    /* its header could not be read when the data set was found to be gray: it
                          may have colour, and is not read */
} data_item;

typedef struct data_list {
    size_t n_items, n_classes;
    data_item *items;     /* in the data set's order */
    char **classes;       /* their names */
    bool has_splits;      /* else all images are in either */
    size_t n_other_files; /* that lie among the images */
} data_list;

/* At most: classes are looked up one by one. */
enum { DATA_LIST_CLASSES = 10 * 1000 };

/* A zeroed list is empty. */
void data_list_clear(data_list *list);

/* *id = the number of the class of that name, which is added where it is new. Errors: FORMAT (there
 * are too many). */
ano_status data_list_class(size_t *id, data_list *list, const char *name, ano_error *err);

/* Appends an image; path and mask, which may be NULL, are copied. */
ano_status data_list_add(data_list *list, const char *path, const char *mask, size_t index,
                         size_t class_id, ano_error *err);

/* Labels the images as `options` say (normal, anomaly) and keeps those that have a label, of each
 * label at most options->count. Errors: ARG (a class is not there, or no image is of one; `name`,
 * the data set's, opens the message). */
ano_status data_list_choose(data_list *list, const ano_dataset_options *options, const char *name,
                            ano_error *err);

#endif
