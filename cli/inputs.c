#include "cli/inputs.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of paths, which it owns. */
typedef struct path_list {
    size_t n, room;
    char **paths;
} path_list;

static void path_list_clear(path_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        base_free(list->paths[i]);
    free(list->paths);
}

static ano_status path_list_add(path_list *list, const char *path, ano_error *err)
{
    if (list->n == list->room) {
        const size_t room = list->room == 0 ? 16 : 2 * list->room;
        char **paths = realloc(list->paths, room * sizeof *paths);
        if (paths == NULL)
            return base_error_nomem(err, "list of paths");
        list->paths = paths;
        list->room = room;
    }
    list->paths[list->n] = base_strdup(path);
    return list->paths[list->n++] != NULL ? ANO_OK : base_error_nomem(err, "list of paths");
}

static ano_status read_stdin(path_list *list, ano_error *err)
{
    char *line = NULL;
    size_t size = 0;
    ano_status status = ANO_OK;
    for (ssize_t length; status == ANO_OK && (length = getline(&line, &size, stdin)) > 0;) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0')
            status = path_list_add(list, line, err);
    }
    free(line);
    if (status == ANO_OK && list->n == 0)
        status = base_error(err, ANO_ARG, "-: standard input names no images");
    return status;
}

int cli_inputs_open(ano_dataset **out, const ano_model *model, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    path_list list = {0};
    ano_status status = ANO_OK;
    const ano_dataset_options which = {.split = options->split,
                                       .normal = options->classes,
                                       .anomaly = options->classes == NULL ? "*" : NULL,
                                       .view = ano_model_get_view(model),
                                       .max_pixels = (size_t)options->max_pixels,
                                       .allow_outside = options->allow_outside};
    for (size_t i = 0; i < options->n_inputs && status == ANO_OK; i++)
        status = strcmp(options->inputs[i], "-") == 0
                     ? read_stdin(&list, &err)
                     : path_list_add(&list, options->inputs[i], &err);
    if (status == ANO_OK && options->n_inputs == 0)
        status = path_list_add(&list, options->data, &err);
    if (status == ANO_OK)
        status = ano_dataset_open_list(out, (const char *const *)list.paths, list.n, &which, &err);
    path_list_clear(&list);
    return status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_DATA, &err);
}

void cli_image_name(char *dst, size_t size, const ano_dataset *images, size_t i)
{
    const char *path = ano_dataset_path(images, i);
    if (ano_dataset_get_kind(images) == ANO_DATASET_IDX)
        snprintf(dst, size, "%s#%zu", path, ano_dataset_index(images, i));
    else
        snprintf(dst, size, "%s", path);
}
