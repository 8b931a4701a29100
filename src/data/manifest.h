/* CSV manifests: a row for each image, after a header that names the columns, in any order: path,
 * label, and where wanted split and mask; others are passed over. Fields are quoted as RFC 4180 has
 * it. Paths are relative to the manifest's folder and, unless that is allowed, do not leave it. A
 * label is a class; 0 stands for "normal" and 1 for "anomalous". A row whose split is neither train
 * nor test, but empty, is in both. */
#ifndef DATA_MANIFEST_H
#define DATA_MANIFEST_H

#include "data/list.h"

#include <stdio.h>

enum {
    DATA_MANIFEST_LINE = 1 << 14, /* bytes of a row, at most */
    DATA_MANIFEST_LINES = 10 * 1000 * 1000
};

/* Appends the images of a split that the manifest at `path` lists, and the classes of both. Errors:
 * IO, FORMAT (the message names file and line). */
ano_status data_manifest_open(data_list *list, const char *path, ano_split split,
                              bool allow_outside, ano_error *err);
/* The same of an open file. */
ano_status data_manifest_read(data_list *list, FILE *file, const char *path, ano_split split,
                              bool allow_outside, ano_error *err);

#endif
