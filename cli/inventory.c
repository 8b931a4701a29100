/* What is printed comes from the JSON, so that both say the same. */
#include "cli/inventory.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const split_names[] = {[ANO_SPLIT_TRAIN] = "train", [ANO_SPLIT_TEST] = "test"};

typedef struct value_range {
    int least, most; /* 0: of nothing */
} value_range;

typedef struct counts {
    ano_dataset_kind kind;
    bool has_splits;
    value_range height, width, channels;
    size_t n_masks, n_other_files, n_unreadable;
    json_t *classes[2]; /* of the splits */
} counts;

bool cli_is_dataset(const char *file)
{
    const ano_dataset_options options = {.view = {.channels = 1}};
    ano_dataset *images;
    const ano_status status = ano_dataset_open(&images, file, &options, NULL);
    ano_dataset_free(images);
    return status != ANO_IO;
}

/* ---- counting ----------------------------------------------------------------------------- */

static void widen(value_range *range, int value)
{
    if (range->most == 0 || value < range->least)
        range->least = value;
    if (value > range->most)
        range->most = value;
}

static ano_status look_at_images(counts *found, ano_error *first_unreadable,
                                 const ano_dataset *images, ano_error *err)
{
    for (size_t i = 0; i < ano_dataset_count(images); i++) {
        ano_shape shape;
        if (cli_interrupted())
            return base_error(err, ANO_CANCELLED, "interrupted");
        found->n_masks += ano_dataset_mask(images, i) != NULL;
        if (ano_dataset_original(&shape, images, i, first_unreadable) != ANO_OK) {
            found->n_unreadable++;
            continue;
        }
        widen(&found->height, shape.height);
        widen(&found->width, shape.width);
        widen(&found->channels, shape.channels);
    }
    return ANO_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* {"0": 5923, …}: how many images of each class, in the order of the names. */
static ano_status count_classes(json_t *classes, const ano_dataset *images, ano_error *err)
{
    const size_t n = ano_dataset_count(images);
    const char **names = base_alloc(n, sizeof *names);
    if (names == NULL)
        return base_error_nomem(err, "classes");
    for (size_t i = 0; i < n; i++)
        names[i] = ano_dataset_class(images, i);
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0, first = 0; i < n; i++) {
        if (i + 1 < n && strcmp(names[i], names[i + 1]) == 0)
            continue;
        json_object_set_new_nocheck(classes, names[i], json_integer((json_int_t)(i + 1 - first)));
        first = i + 1;
    }
    base_free(names);
    return ANO_OK;
}

/* A split that is not there leaves `found` as it is; the error says so. */
static ano_status count_split(counts *found, ano_error *first_unreadable,
                              const cli_options *options, ano_split split, ano_error *err)
{
    const ano_dataset_options all = {.split = split,
                                     .anomaly = "*",
                                     .view = {.channels = 1},
                                     .max_pixels = (size_t)options->max_pixels,
                                     .allow_outside = options->allow_outside};
    ano_dataset *images;
    ano_status status = ano_dataset_open(&images, options->run, &all, err);
    if (status != ANO_OK)
        return status;
    found->kind = ano_dataset_get_kind(images);
    found->has_splits = ano_dataset_has_splits(images);
    found->n_other_files += ano_dataset_other_files(images);
    status = count_classes(found->classes[split], images, err);
    if (status == ANO_OK)
        status = look_at_images(found, first_unreadable, images, err);
    ano_dataset_free(images);
    return status;
}

static ano_status count(counts *found, ano_error *first_unreadable, const cli_options *options,
                        ano_error *err)
{
    const ano_status train = count_split(found, first_unreadable, options, ANO_SPLIT_TRAIN, err);
    if (train == ANO_OK && !found->has_splits) {
        json_object_update(found->classes[ANO_SPLIT_TEST], found->classes[ANO_SPLIT_TRAIN]);
        return ANO_OK;
    }
    if (train != ANO_OK && train != ANO_ARG)
        return train;
    ano_error test = ANO_ERROR_INIT;
    count_split(found, first_unreadable, options, ANO_SPLIT_TEST, &test);
    if (test.status == ANO_OK || (test.status == ANO_ARG && train == ANO_OK)) {
        *err = (ano_error)ANO_ERROR_INIT;
        return ANO_OK;
    }
    return train == ANO_OK ? base_error(err, test.status, "%s", test.message) : train;
}

static json_t *range_as_json(value_range range)
{
    return json_pack("[ii]", range.least, range.most);
}

ano_status cli_inventory(json_t **out, ano_error *first_unreadable, const cli_options *options,
                         ano_error *err)
{
    counts found = {.classes = {json_object(), json_object()}};
    const ano_status status = count(&found, first_unreadable, options, err);
    *out = json_pack("{ss sb so so so so so sI sI sI}", "kind", ano_dataset_kind_name(found.kind),
                     "splits", found.has_splits, "height", range_as_json(found.height), "width",
                     range_as_json(found.width), "channels", range_as_json(found.channels),
                     split_names[ANO_SPLIT_TRAIN], found.classes[ANO_SPLIT_TRAIN],
                     split_names[ANO_SPLIT_TEST], found.classes[ANO_SPLIT_TEST], "masks",
                     (json_int_t)found.n_masks, "other_files", (json_int_t)found.n_other_files,
                     "unreadable", (json_int_t)found.n_unreadable);
    return status != ANO_OK || *out != NULL ? status : base_error_nomem(err, options->run);
}

/* ---- printing ----------------------------------------------------------------------------- */

static json_int_t number(const json_t *inventory, const char *key)
{
    return json_integer_value(json_object_get(inventory, key));
}

static void print_range(const json_t *inventory, const char *key, const char *between)
{
    const json_t *range = json_object_get(inventory, key);
    const json_int_t least = json_integer_value(json_array_get(range, 0)),
                     most = json_integer_value(json_array_get(range, 1));
    printf("%" JSON_INTEGER_FORMAT, least);
    if (least != most)
        printf("%s%" JSON_INTEGER_FORMAT, between, most);
}

static void print_classes(const json_t *inventory, ano_split split, const char *heading)
{
    const char *name;
    json_t *n, *classes = json_object_get(inventory, split_names[split]);
    puts(heading);
    if (json_object_size(classes) == 0)
        puts("  no images");
    json_object_foreach(classes, name, n)
        printf("  class %-20s %8" JSON_INTEGER_FORMAT "\n", *name != '\0' ? name : "\"\"",
               json_integer_value(n));
}

void cli_inventory_print(const json_t *inventory, const ano_error *first_unreadable)
{
    const json_int_t masks = number(inventory, "masks"), others = number(inventory, "other_files"),
                     unreadable = number(inventory, "unreadable");
    printf("%s", json_string_value(json_object_get(inventory, "kind")));
    if (json_integer_value(json_array_get(json_object_get(inventory, "height"), 0)) > 0) {
        printf(", ");
        print_range(inventory, "height", "-");
        printf(" x ");
        print_range(inventory, "width", "-");
        printf(" x ");
        print_range(inventory, "channels", " or ");
    }
    putchar('\n');
    if (!json_is_true(json_object_get(inventory, "splits"))) {
        print_classes(inventory, ANO_SPLIT_TRAIN, "train and test");
    } else {
        print_classes(inventory, ANO_SPLIT_TRAIN, "train");
        print_classes(inventory, ANO_SPLIT_TEST, "test");
    }
    if (masks > 0)
        printf("masks: %" JSON_INTEGER_FORMAT "\n", masks);
    if (others > 0)
        printf("other files, which are no images: %" JSON_INTEGER_FORMAT "\n", others);
    if (unreadable > 0)
        printf("images that cannot be read: %" JSON_INTEGER_FORMAT ", the first: %s\n", unreadable,
               first_unreadable->message);
}
