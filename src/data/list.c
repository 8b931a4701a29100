#include "data/list.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

typedef enum role { LEFT_OUT = -1, NORMAL = 0, ANOMALOUS = 1 } role;

/* Classes that are normal where nobody says which. */
static const char *const normal_names[] = {"good", "normal", "ok"};

void data_list_clear(data_list *list)
{
    for (size_t i = 0; i < list->n_items; i++) {
        base_free(list->items[i].path);
        base_free(list->items[i].mask);
    }
    for (size_t i = 0; i < list->n_classes; i++)
        base_free(list->classes[i]);
    base_free(list->items);
    base_free(list->classes);
    *list = (data_list){0};
}

/* Room for one more where an array of n is full, which it is when n is a power of two. */
static bool grow(void **array, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return true;
    void *larger = base_alloc(n == 0 ? 1 : 2 * n, size);
    if (larger == NULL)
        return false;
    if (n > 0)
        memcpy(larger, *array, n * size);
    base_free(*array);
    *array = larger;
    return true;
}

static size_t find_class(const data_list *list, const char *name, size_t length)
{
    size_t id = 0;
    while (id < list->n_classes &&
           (strlen(list->classes[id]) != length || memcmp(list->classes[id], name, length) != 0))
        id++;
    return id;
}

ano_status data_list_class(size_t *id, data_list *list, const char *name, ano_error *err)
{
    *id = find_class(list, name, strlen(name));
    if (*id < list->n_classes)
        return ANO_OK;
    if (list->n_classes == DATA_LIST_CLASSES)
        return base_error(err, ANO_FORMAT,
                          "'%.100s' is one class too many: at most %d are possible, each for many "
                          "images",
                          name, DATA_LIST_CLASSES);
    if (!grow((void **)&list->classes, list->n_classes, sizeof *list->classes) ||
        (list->classes[list->n_classes] = base_strdup(name)) == NULL)
        return base_error_nomem(err, name);
    list->n_classes++;
    return ANO_OK;
}

ano_status data_list_add(data_list *list, const char *path, const char *mask, size_t index,
                         size_t class_id, ano_error *err)
{
    data_item item = {.index = index, .class_id = class_id};
    if (!grow((void **)&list->items, list->n_items, sizeof item) ||
        (path != NULL && (item.path = base_strdup(path)) == NULL) ||
        (mask != NULL && (item.mask = base_strdup(mask)) == NULL)) {
        base_free(item.path);
        return base_error_nomem(err, "list of images");
    }
    list->items[list->n_items++] = item;
    return ANO_OK;
}

/* ---- choosing ----------------------------------------------------------------------------- */

/* "0, 1, 9", cut to what fits. */
static void name_classes(char *dst, size_t size, const data_list *list)
{
    size_t length = 0;
    dst[0] = '\0';
    for (size_t i = 0; i < list->n_classes && length < size; i++)
        length += (size_t)snprintf(dst + length, size - length, "%s%s", i > 0 ? ", " : "",
                                   list->classes[i]);
}

/* Gives the classes of a comma-separated list their role, which must not be another already. */
static ano_status assign_roles(role *roles, const data_list *list, const char *names, role assigned,
                               const char *dataset, ano_error *err)
{
    for (const char *name = names;;) {
        const size_t length = strcspn(name, ",");
        const size_t id = find_class(list, name, length);
        if (id == list->n_classes) {
            char known[512];
            name_classes(known, sizeof known, list);
            return base_error(err, ANO_ARG, "%s: class '%.*s' is not there; the classes are %s",
                              dataset, length < 40 ? (int)length : 40, name, known);
        }
        if (roles[id] != LEFT_OUT && roles[id] != assigned)
            return base_error(err, ANO_ARG, "%s: class '%s' is both normal and anomalous", dataset,
                              list->classes[id]);
        roles[id] = assigned;
        if (name[length] == '\0')
            return ANO_OK;
        name += length + 1;
    }
}

/* The classes that go by a name for normal; all where there is none. */
static void guess_normal(role *roles, const data_list *list)
{
    bool any = false;
    for (size_t i = 0; i < sizeof normal_names / sizeof *normal_names; i++) {
        const size_t id = find_class(list, normal_names[i], strlen(normal_names[i]));
        if (id < list->n_classes) {
            roles[id] = NORMAL;
            any = true;
        }
    }
    for (size_t id = 0; id < list->n_classes && !any; id++)
        roles[id] = NORMAL;
}

static ano_status choose_roles(role *roles, const data_list *list,
                               const ano_dataset_options *options, const char *dataset,
                               ano_error *err)
{
    for (size_t id = 0; id < list->n_classes; id++)
        roles[id] = LEFT_OUT;
    ano_status status = ANO_OK;
    if (options->normal != NULL)
        status = assign_roles(roles, list, options->normal, NORMAL, dataset, err);
    else
        guess_normal(roles, list);
    if (status != ANO_OK || options->anomaly == NULL)
        return status;
    if (strcmp(options->anomaly, "*") != 0)
        return assign_roles(roles, list, options->anomaly, ANOMALOUS, dataset, err);
    for (size_t id = 0; id < list->n_classes; id++)
        if (roles[id] == LEFT_OUT)
            roles[id] = ANOMALOUS;
    return ANO_OK;
}

/* The error where no image has a class that was chosen; it names those that images have. */
static ano_status check_choice(const role *roles, const data_list *list, ano_split split,
                               const char *dataset, ano_error *err)
{
    char there[512] = "";
    size_t length = 0;
    bool *is_named = base_alloc(list->n_classes, sizeof *is_named);
    if (is_named == NULL)
        return base_error_nomem(err, dataset);
    bool is_any = list->n_items == 0;
    for (size_t i = 0; i < list->n_items && !is_any; i++) {
        const size_t id = list->items[i].class_id;
        is_any = roles[id] != LEFT_OUT;
        if (!is_named[id] && length < sizeof there)
            length += (size_t)snprintf(there + length, sizeof there - length, "%s%s",
                                       length > 0 ? ", " : "", list->classes[id]);
        is_named[id] = true;
    }
    base_free(is_named);
    return is_any ? ANO_OK
                  : base_error(err, ANO_ARG,
                               "%s: has no images for %s of the classes asked for, but of %s",
                               dataset, split == ANO_SPLIT_TRAIN ? "training" : "testing", there);
}

ano_status data_list_choose(data_list *list, const ano_dataset_options *options, const char *name,
                            ano_error *err)
{
    role *roles = base_alloc(list->n_classes, sizeof *roles);
    if (roles == NULL)
        return base_error_nomem(err, name);
    ano_status status = choose_roles(roles, list, options, name, err);
    if (status == ANO_OK)
        status = check_choice(roles, list, options->split, name, err);
    size_t n_kept = 0, n_taken[2] = {0, 0};
    for (size_t i = 0; i < list->n_items && status == ANO_OK; i++) {
        data_item *item = &list->items[i];
        const role found = roles[item->class_id];
        if (found == LEFT_OUT || (options->count > 0 && n_taken[found] == options->count)) {
            base_free(item->path);
            base_free(item->mask);
            continue;
        }
        n_taken[found]++;
        item->label = found;
        list->items[n_kept++] = *item;
    }
    if (status == ANO_OK)
        list->n_items = n_kept;
    base_free(roles);
    return status;
}
