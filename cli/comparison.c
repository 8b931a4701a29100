#include "cli/comparison.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void cli_comparison_free(cli_comparison *comparison)
{
    cli_classes_free(&comparison->classes);
    base_free(comparison->class_names);
    base_free(comparison->cells);
    base_free(comparison->figures);
    base_free(comparison->pieces);
}

/* Rows of methods, which are before those of baselines. */
static size_t count_methods(const cli_comparison *comparison)
{
    return comparison->n_rows - (comparison->options->baselines == 0 ? ANO_BASELINES : 0);
}

/* The method that trains what a method scores by. */
static ano_method trained_for(ano_method method)
{
    return method == ANO_METHOD_LATENT   ? ANO_METHOD_FC
           : method == ANO_METHOD_HYBRID ? ANO_METHOD_ENCODER
                                         : method;
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
        const ano_method method = comparison->methods[n], trained = trained_for(method);
        comparison->rows[comparison->n_rows++] =
            (report_contender){.name = name,
                               .n_seeds = (size_t)comparison->options->seeds,
                               .trained = trained != method ? ano_method_name(trained) : NULL};
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
        cli_options_take_method(&how, trained_for(comparison->methods[i]));
        status = ano_train_check(&how.model, &how.train, err);
    }
    return status;
}

static ano_status choose_rows(cli_comparison *comparison, ano_error *err)
{
    const cli_options *options = comparison->options;
    const bool all = strcmp(options->methods, "all") == 0;
    const char *list = all ? cli_options_methods()
                       : strcmp(options->methods, "auto") == 0
                           ? ano_method_name(cli_options_trained_method(options))
                           : options->methods;
    ano_status status = add_methods(comparison, list, all ? '|' : ',', err);
    if (status == ANO_OK)
        status = check_methods(comparison, err);
    for (int i = 0; i < ANO_BASELINES && status == ANO_OK && options->baselines == 0; i++)
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
    const size_t n_methods = count_methods(comparison);
    cli_cell cell = {.row = row,
                     .class_name = of->name,
                     .data = of->data,
                     .normal = of->normal,
                     .method = by->name,
                     .is_baseline = by->baseline,
                     .seed = comparison->options->seed + seed};
    if (by->baseline)
        cell.baseline = (ano_baseline)(row - n_methods);
    else {
        cell.by = comparison->methods[row];
        cell.trained = trained_for(cell.by);
    }
    return cell;
}

static ano_status make_cells(cli_comparison *comparison, ano_error *err)
{
    size_t most = 0;
    for (size_t r = 0; r < comparison->n_rows; r++)
        most += comparison->classes.n * comparison->rows[r].n_seeds;
    comparison->cells = base_alloc(most, sizeof *comparison->cells);
    comparison->figures = base_alloc(most, sizeof *comparison->figures);
    comparison->pieces = base_alloc(most, sizeof *comparison->pieces);
    comparison->class_names = base_alloc(comparison->classes.n, sizeof *comparison->class_names);
    if (comparison->cells == NULL || comparison->figures == NULL || comparison->pieces == NULL ||
        comparison->class_names == NULL)
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

/* Makes a piece of the missing cells of one class and seed whose model is the one of `row`, unless
 * an earlier row has that model. */
static void add_piece(cli_comparison *comparison, size_t row, size_t class_index, size_t seed)
{
    const bool baseline = comparison->rows[row].baseline;
    const size_t n_methods = count_methods(comparison);
    const ano_method trained =
        baseline ? ANO_METHOD_OF_MODEL : trained_for(comparison->methods[row]);
    cli_comparison_piece piece = {.trains = !baseline};
    for (size_t r = 0; r < row && !baseline; r++)
        if (trained_for(comparison->methods[r]) == trained)
            return;
    for (size_t r = row; r < (baseline ? row + 1 : n_methods); r++) {
        const report_contender *of = &comparison->rows[r];
        const size_t i =
            (size_t)(of->cells - comparison->figures) + class_index * of->n_seeds + seed;
        if (!baseline && trained_for(comparison->methods[r]) != trained)
            continue;
        if (comparison->figures[i].done)
            piece.trains = false; /* the model is there */
        else
            piece.cells[piece.n++] = i;
    }
    if (piece.n > 0)
        comparison->pieces[comparison->n_pieces++] = piece;
}

/* Baselines, which are quick, come first, then a seed after the other, so that all classes have a
 * figure soon. */
ano_status cli_comparison_find_missing(cli_comparison *comparison, ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < comparison->n_cells && status == ANO_OK; i++) {
        status = cli_cell_read(&comparison->figures[i], &comparison->cells[i],
                               comparison->options->out, err);
        comparison->n_done += comparison->figures[i].done;
    }
    const size_t n_methods = count_methods(comparison), n_classes = comparison->classes.n;
    for (size_t r = n_methods; r < comparison->n_rows; r++)
        for (size_t c = 0; c < n_classes; c++)
            add_piece(comparison, r, c, 0);
    for (size_t s = 0; s < (size_t)comparison->options->seeds; s++)
        for (size_t r = 0; r < n_methods; r++)
            for (size_t c = 0; c < n_classes; c++)
                add_piece(comparison, r, c, s);
    return status;
}

/* What would stop a row only when it comes to scoring, after training. */
static ano_status check_search(const cli_comparison *comparison, ano_error *err)
{
    const ano_score_options *search = &comparison->options->search;
    for (size_t r = 0; r < count_methods(comparison); r++) {
        const ano_method method = comparison->methods[r];
        if (method != ANO_METHOD_LATENT && method != ANO_METHOD_HYBRID)
            continue;
        if (search->search != ANO_SEARCH_ADAM)
            return base_error(err, ANO_ARG, "--search: the method %s searches by Adam only",
                              ano_method_name(method));
        if (search->feature_weight > 1)
            return base_error(err, ANO_ARG, "--feature-weight: of the method %s it is at most 1",
                              ano_method_name(method));
    }
    return ANO_OK;
}

int cli_comparison_plan(cli_comparison *comparison, const cli_options *options)
{
    *comparison = (cli_comparison){.options = options};
    ano_error err = ANO_ERROR_INIT;
    char *links = base_path_join(comparison->options->out, "images");
    int code = CLI_DONE;
    if (links == NULL)
        base_error_nomem(&err, "images");
    else if (choose_rows(comparison, &err) == ANO_OK && check_search(comparison, &err) == ANO_OK)
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

/* ---- the rows that are shown --------------------------------------------------------------- */

static bool has_part(const cli_comparison *comparison, const report_contender *part)
{
    for (size_t i = 0; i < comparison->classes.n * part->n_seeds; i++)
        if (!isnan(report_cell_auroc(part, i)))
            return true;
    return false;
}

void cli_comparison_show(cli_comparison *comparison)
{
    static const struct {
        report_part part;
        const char *name;
    } parts[] = {{REPORT_ALONE, "alone"}, {REPORT_UNLEARNED, "unlearned"}};
    comparison->n_shown = 0;
    for (size_t r = 0, n_parts = 0; r < comparison->n_rows; r++) {
        const report_contender *row = &comparison->rows[r];
        comparison->shown[comparison->n_shown++] = *row;
        for (size_t i = 0; i < sizeof parts / sizeof *parts && !row->baseline; i++) {
            report_contender part = *row;
            part.part = parts[i].part;
            part.of = row->name;
            if (!has_part(comparison, &part))
                continue;
            char *name = comparison->part_names[n_parts++];
            snprintf(name, sizeof *comparison->part_names, "%s %s", row->name, parts[i].name);
            part.name = name;
            comparison->shown[comparison->n_shown++] = part;
        }
    }
}

/* ---- the work ------------------------------------------------------------------------------ */

/* How long the training of a piece under way will take, by the epochs in its loss.csv; 0: there are
 * none yet. */
static double guess_training(const cli_comparison *comparison, const cli_cell *cell, double spent)
{
    char *text = NULL, *run = cli_cell_path(cell, comparison->options->out, CLI_CELL_RUN);
    char *path = run != NULL ? base_path_join(run, "loss.csv") : NULL;
    size_t length, n_epochs = 0;
    cli_options options = *comparison->options;
    cli_options_take_method(&options, cell->trained);
    if (path != NULL)
        base_file_read(&text, &length, path, NULL);
    for (const char *line = text; line != NULL && (line = strchr(line, '\n')) != NULL; line++)
        n_epochs++; /* and the line of names */
    base_free(text);
    base_free(path);
    base_free(run);
    return n_epochs > 1 ? spent * options.train.epochs / (double)(n_epochs - 1) : 0;
}

/* Seconds that training takes by each method, and testing in each row; 0: not known. */
typedef struct costs {
    double training[ANO_METHOD_HYBRID + 1], testing[CLI_MAX_METHODS + ANO_BASELINES];
} costs;

/* The means over cells that are done. */
static costs find_costs(const cli_comparison *comparison)
{
    costs found = {0};
    double n_trained[ANO_METHOD_HYBRID + 1] = {0}, n_tested[CLI_MAX_METHODS + ANO_BASELINES] = {0};
    size_t i = 0;
    for (size_t r = 0; r < comparison->n_rows; r++)
        for (size_t k = 0; k < comparison->classes.n * comparison->rows[r].n_seeds; k++, i++) {
            const report_benchmark_cell *cell = &comparison->figures[i];
            const ano_method trained = comparison->cells[i].trained;
            const bool baseline = comparison->rows[r].baseline;
            found.testing[r] += cell->test_seconds + (baseline ? cell->train_seconds : 0);
            n_tested[r] += cell->done;
            if (!baseline) {
                found.training[trained] += cell->train_seconds;
                n_trained[trained] += cell->done;
            }
        }
    for (int m = 0; m <= ANO_METHOD_HYBRID; m++)
        found.training[m] /= fmax(n_trained[m], 1);
    for (size_t r = 0; r < comparison->n_rows; r++)
        found.testing[r] /= fmax(n_tested[r], 1);
    return found;
}

/* Where nothing is known yet of a method's training, the pieces under way say what it promises. */
static void guess_costs(costs *found, const cli_comparison *comparison, double now)
{
    for (size_t p = 0; p < comparison->n_pieces; p++) {
        const cli_comparison_piece *piece = &comparison->pieces[p];
        const cli_cell *cell = &comparison->cells[piece->cells[0]];
        if (piece->begun > 0 && piece->ended == 0 && piece->trains &&
            found->training[cell->trained] == 0)
            found->training[cell->trained] = guess_training(comparison, cell, now - piece->begun);
    }
}

/* Adds up a piece's seconds; a step of which nothing is known is taken for `slowest`. */
static double piece_seconds(const cli_comparison *comparison, const cli_comparison_piece *piece,
                            const costs *found, double slowest)
{
    double seconds = 0;
    if (piece->trains) {
        const double training = found->training[comparison->cells[piece->cells[0]].trained];
        seconds += training > 0 ? training : slowest;
    }
    for (size_t k = 0; k < piece->n; k++) {
        const cli_cell *cell = &comparison->cells[piece->cells[k]];
        const double testing = found->testing[cell->row];
        seconds += testing > 0 ? testing : cell->is_baseline ? 0 : slowest;
    }
    return seconds;
}

/* The bar goes by the time that pieces take, for a baseline's is a small part of a method's. While
 * nothing is known of any method there is no time left to tell. */
void cli_comparison_work(double *done, double *total, const cli_comparison *comparison)
{
    const double now = base_seconds(), most = 0.95; /* of the time that a piece should take */
    costs found = find_costs(comparison);
    double slowest = 0;
    guess_costs(&found, comparison, now);
    for (int m = 0; m <= ANO_METHOD_HYBRID; m++)
        slowest = fmax(slowest, found.training[m]);
    for (size_t r = 0; r < count_methods(comparison); r++)
        slowest = fmax(slowest, found.testing[r]);
    *done = *total = 0;
    for (size_t p = 0; p < comparison->n_pieces; p++) {
        const cli_comparison_piece *piece = &comparison->pieces[p];
        const double seconds = piece_seconds(comparison, piece, &found, slowest);
        *total += seconds;
        if (piece->ended > 0)
            *done += seconds;
        else if (piece->begun > 0)
            *done += fmin(now - piece->begun, most * seconds);
    }
    if (slowest == 0 && count_methods(comparison) > 0)
        *done = 0;
}
