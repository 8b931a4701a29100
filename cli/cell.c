#include "cli/cell.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *cli_cell_path(const cli_cell *cell, const char *folder, cli_cell_file which)
{
    enum { ESCAPED = 3, REST = 64 };
    static const char *const kinds[] = {"cells", "runs", "logs"}, *const endings[] = {".json", "",
                                                                                      ".txt"};
    const char *method = which == CLI_CELL_FIGURES || cell->is_baseline
                             ? cell->method
                             : ano_method_name(cell->trained);
    char *path =
        base_alloc(strlen(folder) + ESCAPED * strlen(cell->class_name) + strlen(method) + REST, 1);
    if (path == NULL)
        return NULL;
    size_t length = (size_t)sprintf(path, "%s/%s/", folder, kinds[which]);
    for (const char *c = cell->class_name; *c != '\0'; c++) {
        const bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                           (*c >= 'A' && *c <= 'Z') || *c == '_' ||
                           (*c == '.' && c > cell->class_name);
        length +=
            (size_t)sprintf(path + length, plain ? "%c" : "%%%02X", (unsigned)(unsigned char)*c);
    }
    sprintf(path + length, "-%s-%" PRIu64 "%s", method, cell->seed, endings[which]);
    return path;
}

/* The figures that not every cell has, by their names in its file. */
static const struct {
    const char *name;
    size_t offset; /* of a double in report_benchmark_cell */
} optional[] = {
    {"accuracy", offsetof(report_benchmark_cell, accuracy)},
    {"false_alarms", offsetof(report_benchmark_cell, false_alarms)},
    {"detected", offsetof(report_benchmark_cell, detected)},
    {"auroc_alone", offsetof(report_benchmark_cell, alone)},
    {"auroc_unlearned", offsetof(report_benchmark_cell, unlearned)},
};
enum { N_OPTIONAL = sizeof optional / sizeof *optional };

static bool unpack(report_benchmark_cell *out, const json_t *root, const cli_cell *cell)
{
    const char *class_name, *method;
    json_int_t seed;
    for (size_t i = 0; i < N_OPTIONAL; i++) {
        const json_t *found = json_object_get(root, optional[i].name);
        const double value = found != NULL ? json_number_value(found) : NAN;
        memcpy((char *)out + optional[i].offset, &value, sizeof value);
    }
    return json_unpack((json_t *)root, "{ss ss sI sF sF sF sF}", "class", &class_name, "method",
                       &method, "seed", &seed, "auroc", &out->auroc, "train_seconds",
                       &out->train_seconds, "test_seconds", &out->test_seconds, "image_seconds",
                       &out->image_seconds) == 0 &&
           strcmp(class_name, cell->class_name) == 0 && strcmp(method, cell->method) == 0 &&
           seed == (json_int_t)cell->seed && out->auroc >= 0 && out->auroc <= 1;
}

ano_status cli_cell_read(report_benchmark_cell *out, const cli_cell *cell, const char *folder,
                         ano_error *err)
{
    *out = (report_benchmark_cell){0};
    char *path = cli_cell_path(cell, folder, CLI_CELL_FIGURES), *text = NULL;
    size_t size;
    if (path == NULL)
        return base_error_nomem(err, "cells");
    ano_status status = ANO_OK;
    if (access(path, F_OK) == 0)
        status = base_file_read(&text, &size, path, err);
    if (text != NULL) {
        json_t *root;
        json_error_t where;
        if (base_json_read(&root, text, size, &where) == ANO_NOMEM)
            status = base_error_nomem(err, path);
        out->done = unpack(out, root, cell);
        json_decref(root);
        if (!out->done && status == ANO_OK)
            status =
                base_error(err, ANO_FORMAT,
                           "%s: is not what a benchmark wrote; remove it, and the cell is done "
                           "again",
                           path);
    }
    base_free(text);
    base_free(path);
    return status;
}

ano_status cli_cell_write(const cli_cell *cell, const report_benchmark_cell *found,
                          const char *folder, ano_error *err)
{
    char *path = cli_cell_path(cell, folder, CLI_CELL_FIGURES);
    json_t *root =
        json_pack("{ss ss sI sb sf sf sf sf}", "class", cell->class_name, "method", cell->method,
                  "seed", (json_int_t)cell->seed, "baseline", (int)cell->is_baseline, "auroc",
                  found->auroc, "train_seconds", found->train_seconds, "test_seconds",
                  found->test_seconds, "image_seconds", found->image_seconds);
    bool packed = root != NULL;
    for (size_t i = 0; i < N_OPTIONAL && packed; i++) {
        double value;
        memcpy(&value, (const char *)found + optional[i].offset, sizeof value);
        packed = isnan(value) || json_object_set_new(root, optional[i].name, json_real(value)) == 0;
    }
    char *text = packed ? base_json_text(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    const ano_status status = path != NULL && text != NULL
                                  ? base_file_write(path, text, strlen(text), err)
                                  : base_error_nomem(err, "cells");
    base_free(text);
    json_decref(root);
    base_free(path);
    return status;
}
