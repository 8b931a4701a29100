#include "cli/comparison.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

void cli_comparison_free(cli_comparison *comparison)
{
    cli_classes_free(&comparison->classes);
    base_free(comparison->class_names);
    base_free(comparison->cells);
    base_free(comparison->figures);
    base_free(comparison->begun);
    base_free(comparison->order);
}

/* Adds a row for each method of a list of words; `separator` is between them. */
static ano_status add_methods(cli_comparison *comparison, const char *list, char separator,
                              ano_error *err)
{
    const char separators[] = {separator, '\0'};
    for (const char *at = list;; at++) {
        const size_t length = strcspn(at, separators), n = comparison->n_rows;
        if (n == CLI_MAX_METHODS || length >= sizeof comparison->method_names[0])
            return base_error(err, ANO_ARG, "--methods: '%.40s' is too much", at);
        char *name = comparison->method_names[n];
        memcpy(name, at, length);
        for (size_t i = 0; i < n; i++)
            if (strcmp(comparison->method_names[i], name) == 0)
                return base_error(err, ANO_ARG, "--methods: '%s' is named twice", name);
        if (!cli_options_method(&comparison->methods[n], name))
            return base_error(err, ANO_ARG, "--methods: '%s' is none of %s", name,
                              cli_options_methods());
        comparison->rows[comparison->n_rows++] =
            (report_contender){.name = name, .n_seeds = (size_t)comparison->options->seeds};
        at += length;
        if (*at == '\0')
            return ANO_OK;
    }
}

/* Whether the options are for all methods that are compared. */
static ano_status check_methods(const cli_comparison *comparison, ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < comparison->n_rows && status == ANO_OK; i++) {
        cli_options how = *comparison->options;
        cli_options_take_method(&how, comparison->methods[i]);
        status = ano_train_check(&how.model, &how.train, err);
    }
    return status;
}

static ano_status choose_rows(cli_comparison *comparison, ano_error *err)
{
    const bool all = strcmp(comparison->options->methods, "all") == 0;
    ano_status status =
        add_methods(comparison, all ? cli_options_methods() : comparison->options->methods,
                    all ? '|' : ',', err);
    if (status == ANO_OK)
        status = check_methods(comparison, err);
    for (int i = 0; i < ANO_BASELINES && status == ANO_OK && comparison->options->baselines == 0;
         i++)
        comparison->rows[comparison->n_rows++] = (report_contender){
            .name = ano_baseline_name((ano_baseline)i), .baseline = true, .n_seeds = 1};
    return status;
}

/* The cell of a row, a class and a seed counted from 0. */
static cli_cell make_cell(const cli_comparison *comparison, size_t row, size_t class_index,
                          size_t seed)
{
    const cli_class *of = &comparison->classes.items[class_index];
    const report_contender *by = &comparison->rows[row];
    const size_t n_methods =
        comparison->n_rows - (comparison->options->baselines == 0 ? ANO_BASELINES : 0);
    cli_cell cell = {.class_name = of->name,
                     .data = of->data,
                     .normal = of->normal,
                     .method = by->name,
                     .is_baseline = by->baseline,
                     .seed = comparison->options->seed + seed};
    if (by->baseline)
        cell.baseline = (ano_baseline)(row - n_methods);
    else
        cell.by = comparison->methods[row];
    return cell;
}

static ano_status make_cells(cli_comparison *comparison, ano_error *err)
{
    size_t most = 0;
    for (size_t r = 0; r < comparison->n_rows; r++)
        most += comparison->classes.n * comparison->rows[r].n_seeds;
    comparison->cells = base_alloc(most, sizeof *comparison->cells);
    comparison->figures = base_alloc(most, sizeof *comparison->figures);
    comparison->begun = base_alloc(most, sizeof *comparison->begun);
    comparison->order = base_alloc(most, sizeof *comparison->order);
    comparison->class_names = base_alloc(comparison->classes.n, sizeof *comparison->class_names);
    if (comparison->cells == NULL || comparison->figures == NULL || comparison->begun == NULL ||
        comparison->order == NULL || comparison->class_names == NULL)
        return base_error_nomem(err, "cells");
    for (size_t c = 0; c < comparison->classes.n; c++)
        comparison->class_names[c] = comparison->classes.items[c].name;
    for (size_t r = 0; r < comparison->n_rows; r++) {
        comparison->rows[r].cells = comparison->figures + comparison->n_cells;
        for (size_t c = 0; c < comparison->classes.n; c++)
            for (size_t s = 0; s < comparison->rows[r].n_seeds; s++)
                comparison->cells[comparison->n_cells++] = make_cell(comparison, r, c, s);
    }
    return ANO_OK;
}

/* Reads what is finished; the rest is put in order: baselines, which are quick, then a seed after
 * the other, so that all classes have a figure soon. */
ano_status cli_comparison_find_missing(cli_comparison *comparison, ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < comparison->n_cells && status == ANO_OK; i++) {
        status = cli_cell_read(&comparison->figures[i], &comparison->cells[i],
                               comparison->options->out, err);
        comparison->n_done += comparison->figures[i].done;
    }
    for (int seed = -1; seed < comparison->options->seeds; seed++)
        for (size_t i = 0; i < comparison->n_cells; i++) {
            const cli_cell *cell = &comparison->cells[i];
            const bool in_turn =
                cell->is_baseline
                    ? seed < 0
                    : seed >= 0 && cell->seed == comparison->options->seed + (uint64_t)seed;
            if (in_turn && !comparison->figures[i].done)
                comparison->order[comparison->n_missing++] = i;
        }
    return status;
}

int cli_comparison_plan(cli_comparison *comparison, const cli_options *options)
{
    *comparison = (cli_comparison){.options = options};
    ano_error err = ANO_ERROR_INIT;
    char *links = base_path_join(comparison->options->out, "images");
    int code = CLI_DONE;
    if (links == NULL)
        base_error_nomem(&err, "images");
    else if (choose_rows(comparison, &err) == ANO_OK)
        code = cli_classes_find(&comparison->classes, comparison->options->data, links,
                                comparison->options->seed, &err) == ANO_OK
                   ? CLI_DONE
                   : CLI_BAD_DATA;
    if (err.status == ANO_OK &&
        cli_classes_keep(&comparison->classes, comparison->options->classes, &err) == ANO_OK)
        make_cells(comparison, &err);
    base_free(links);
    if (err.status == ANO_OK)
        return CLI_DONE;
    const int failed = cli_fail(CLI_ON_DATA, &err);
    return code != CLI_DONE && failed == CLI_USAGE ? code : failed;
}

/* ---- the work ------------------------------------------------------------------------------ */

/* How long an unfinished model will take, by the epochs that it has in loss.csv; 0: none yet. */
static double guess_seconds(const cli_comparison *comparison, size_t i, double spent)
{
    char *name = cli_cell_name(&comparison->cells[i]), *text = NULL;
    const size_t size = strlen(comparison->options->out) + sizeof "/runs//loss.csv";
    char *path = name != NULL ? base_alloc(size + strlen(name), 1) : NULL;
    size_t length, n_epochs = 0;
    if (path != NULL) {
        sprintf(path, "%s/runs/%s/loss.csv", comparison->options->out, name);
        base_file_read(&text, &length, path, NULL);
    }
    for (const char *line = text; line != NULL && (line = strchr(line, '\n')) != NULL; line++)
        n_epochs++; /* and the line of names */
    base_free(text);
    base_free(path);
    base_free(name);
    return n_epochs > 1 ? spent * comparison->options->train.epochs / (double)(n_epochs - 1) : 0;
}

/* Seconds that a cell of a row takes: the mean of those that are done, else what those under way
 * promise; 0: not known. */
static double row_seconds(const cli_comparison *comparison, const report_contender *row, double now)
{
    double sum = 0, guessed = 0;
    size_t n = 0;
    const size_t first = (size_t)(row->cells - comparison->figures),
                 size = comparison->classes.n * row->n_seeds;
    for (size_t i = first; i < first + size; i++)
        if (comparison->figures[i].done) {
            sum += comparison->figures[i].train_seconds + comparison->figures[i].test_seconds;
            n++;
        }
    for (size_t i = first; i < first + size && n == 0 && !row->baseline; i++)
        if (comparison->begun[i] > 0) {
            const double guess = guess_seconds(comparison, i, now - comparison->begun[i]);
            guessed = guess > guessed ? guess : guessed;
        }
    return n > 0 ? sum / (double)n : guessed;
}

/* The bar goes by the time that cells take, for a baseline's is a small piece of a method's. A
 * method of which nothing is known is taken for the slowest of the others; while nothing is known
 * of any, there is no time left to tell. */
void cli_comparison_work(double *done, double *total, const cli_comparison *comparison)
{
    const double now = base_seconds(), most = 0.95; /* of the time that a cell should take */
    double seconds[CLI_MAX_METHODS + ANO_BASELINES], slowest = 0;
    bool known = true;
    *done = *total = 0;
    for (size_t r = 0; r < comparison->n_rows; r++) {
        seconds[r] = row_seconds(comparison, &comparison->rows[r], now);
        if (!comparison->rows[r].baseline && seconds[r] > slowest)
            slowest = seconds[r];
    }
    for (size_t r = 0; r < comparison->n_rows; r++) {
        const report_contender *row = &comparison->rows[r];
        const size_t first = (size_t)(row->cells - comparison->figures),
                     size = comparison->classes.n * row->n_seeds;
        if (seconds[r] == 0 && !row->baseline)
            seconds[r] = slowest;
        known = known && (seconds[r] > 0 || row->baseline);
        for (size_t i = first; i < first + size; i++) {
            const double spent = comparison->begun[i] > 0 ? now - comparison->begun[i] : 0;
            *total += seconds[r];
            *done += comparison->figures[i].done ? seconds[r]
                     : spent < most * seconds[r] ? spent
                                                 : most * seconds[r];
        }
    }
    if (!known)
        *done = 0;
}
