/* Images that lie in folders as files. An image is known by the ending of its name alone, and what
 * begins with a dot is passed over. Links are followed, but into no folder that leads there. The
 * order is a natural one, part2 before part10, and the same everywhere. */
#ifndef DATA_FILES_H
#define DATA_FILES_H

#include "data/list.h"

/* Of images, in any case. */
#define DATA_FILES_ENDINGS                                                                         \
    "png, jpg, jpeg, tif, tiff, bmp, webp, gif, pgm, ppm, pnm, pbm, heic, heif, avif, jp2, jxl"

/* Whether the name of a file ends in a dot and one of `endings`, "png, jpg". */
bool data_files_ends_in(const char *path, const char *endings);

/* An order of names: numbers in them by their value, all else by its bytes. */
int data_files_compare(const char *a, const char *b);

/* Whether a folder is an MVTec-style tree: it has the folders train and test, or one of them with
 * folders of classes in it. Errors: NOMEM. */
ano_status data_files_is_tree(bool *is_tree, const char *folder, ano_error *err);

/* Appends all images under `folder`; the class of one is the name of the folder in `folder` that it
 * is under, "" for those right in it. Errors: IO. */
ano_status data_files_folder(data_list *list, const char *folder, ano_error *err);

/* Appends the images of a split of a tree, with the masks that are there, and the classes of both.
 * Errors: IO. */
ano_status data_files_tree(data_list *list, const char *folder, ano_split split, ano_error *err);

#endif
