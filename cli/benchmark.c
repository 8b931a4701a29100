/* anogan benchmark: each class of a data set in turn is normal, and methods and plain baselines are
 * trained on its training images and tested on the test images of all classes. Each cell of the
 * table ends in a file of its own, so that what was finished is never done again, and cells that
 * share a model are one process. */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/comparison.h"
#include "cli/jobs.h"
#include "cli/piece.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/train.h"
#include "report/benchmark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command command = {
    .verb = CLI_VERB_BENCHMARK,
    .arguments = "DATA --out DIR\n--resume DIR [DATA]",
    .doc =
        "Takes each class of DATA for normal in turn: trains methods on its training images, tests "
        "them on the test images of all classes, and prints the AUROCs beside those of plain "
        "baselines. DATA is a folder of IDX files, an MVTec-style tree or a folder of such, a CSV "
        "manifest, or folders of images, a folder a class, of which a fifth is kept for testing. "
        "What is finished is kept in DIR: after Ctrl-C --resume goes on from there, and in a table "
        "that is finished it may add methods, classes and seeds. Where models remember (--memory), "
        "rows called alone and unlearned tell what the method says without the memory, and what of "
        "the memory nothing was learned for.",
    .takes_data = true,
};

/* A benchmark under way. */
typedef struct benchmark {
    const cli_options *options;
    cli_comparison compared;
    cli_progress progress;
    int code; /* the exit code of the first cell that failed */
} benchmark;

/* ---- progress ------------------------------------------------------------------------------ */

static void on_wait(void *cookie)
{
    enum { PARTS = 1000 }; /* of a second, so that small benchmarks have a bar, too */
    benchmark *b = cookie;
    double done, total;
    size_t n_running = 0;
    if (b->progress.quiet || !b->progress.terminal)
        return;
    cli_comparison_work(&done, &total, &b->compared);
    for (size_t i = 0; i < b->compared.n_pieces; i++) {
        const cli_comparison_piece *piece = &b->compared.pieces[i];
        n_running += piece->begun > 0 && piece->ended == 0 ? piece->n : 0;
    }
    char title[64];
    snprintf(title, sizeof title, "%zu of %zu cells, %zu under way", b->compared.n_done,
             b->compared.n_cells, n_running);
    cli_progress_update(&b->progress, title, PARTS * done, 1 + (size_t)(PARTS * total));
}

static void on_begin(size_t i, void *cookie)
{
    benchmark *b = cookie;
    b->compared.pieces[i].begun = base_seconds();
}

/* ---- pieces -------------------------------------------------------------------------------- */

/* In a process of its own, whose messages go to a file. */
static int run_piece(size_t i, void *cookie)
{
    const benchmark *b = cookie;
    const cli_comparison_piece *piece = &b->compared.pieces[i];
    const cli_cell *cells[CLI_MAX_METHODS];
    for (size_t k = 0; k < piece->n; k++)
        cells[k] = &b->compared.cells[piece->cells[k]];
    char *path = cli_cell_path(cells[0], b->options->out, CLI_CELL_LOG);
    cli_options options = *b->options;
    options.quiet = options.json = false;
    if (path == NULL || freopen(path, "a", stderr) == NULL)
        return CLI_OTHER;
    base_free(path);
    return cli_piece_run(cells, piece->n, &options, b->options->out);
}

/* The last error among a piece's messages, else their last line. */
static void say_why(const char *path)
{
    char *text;
    size_t size;
    if (path == NULL || base_file_read(&text, &size, path, NULL) != ANO_OK)
        return;
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    const char *last = text, *error = NULL;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += line > text;
        last = line;
        error = strncmp(line, "anogan: ", 8) == 0 ? line : error;
    }
    last = error != NULL ? error : last;
    if (size > 0)
        fprintf(stderr, "%.*s\n", (int)strcspn(last, "\n"), last);
    base_free(text);
}

/* Names the cells of a piece that have no figures: "class 9, fc, latent, seed 0". */
static void say_failed(benchmark *b, const cli_comparison_piece *piece, int signal)
{
    const cli_cell *first = &b->compared.cells[piece->cells[0]];
    char *path = cli_cell_path(first, b->options->out, CLI_CELL_LOG);
    cli_progress_end(&b->progress);
    fprintf(stderr, "anogan: class %s", first->class_name);
    for (size_t k = 0; k < piece->n; k++)
        if (!b->compared.figures[piece->cells[k]].done)
            fprintf(stderr, ", %s", b->compared.cells[piece->cells[k]].method);
    fprintf(stderr, ", seed %" PRIu64 ": ", first->seed);
    if (signal != 0)
        fprintf(stderr, "was ended by signal %d%s\n", signal,
                signal == 9 ? ", as where memory is short: try fewer --jobs" : "");
    else
        fprintf(stderr, "failed; %s ends in\n", path != NULL ? path : "its log");
    say_why(signal == 0 ? path : NULL);
    base_free(path);
}

static void say_done(benchmark *b, const cli_cell *cell, const report_benchmark_cell *found)
{
    cli_progress_say(&b->progress, "%zu of %zu  class %s  %s  seed %" PRIu64 "  AUROC %.4f  %.1f s",
                     b->compared.n_done, b->compared.n_cells, cell->class_name, cell->method,
                     cell->seed, found->auroc, found->train_seconds + found->test_seconds);
}

static void on_end(size_t i, int code, int signal, void *cookie)
{
    benchmark *b = cookie;
    cli_comparison_piece *piece = &b->compared.pieces[i];
    ano_error err = ANO_ERROR_INIT;
    piece->ended = base_seconds();
    for (size_t k = 0; k < piece->n; k++) {
        const cli_cell *cell = &b->compared.cells[piece->cells[k]];
        report_benchmark_cell *found = &b->compared.figures[piece->cells[k]];
        if (cli_cell_read(found, cell, b->options->out, &err) != ANO_OK)
            code = cli_fail(CLI_ON_RUN, &err);
        b->compared.n_done += found->done;
        if (found->done)
            say_done(b, cell, found);
    }
    if (code == CLI_DONE || cli_interrupted() || code == CLI_INTERRUPTED)
        return;
    if (err.status == ANO_OK)
        say_failed(b, piece, signal);
    b->code = b->code == CLI_DONE ? code : b->code;
}

/* ---- how many at a time -------------------------------------------------------------------- */

/* Bytes that programs may still have; 0: not known. */
static double available_memory(void)
{
    const double kilobyte = 1024;
    double found = 0;
    char line[200];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "MemAvailable:", 13) == 0)
            found = kilobyte * strtod(line + 13, NULL);
    if (file != NULL)
        fclose(file);
    return found;
}

static int count_processors(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

/* As many models as there are processors, each on a thread of its own, for threads of one model
 * wait for each other; fewer where memory is short: a model may take a gigabyte beside the images
 * that it keeps. */
static int choose_jobs(const cli_options *options)
{
    const double needed = 1e9 + 1e6 * options->cache, memory = available_memory();
    int jobs = count_processors() / (options->threads > 0 ? options->threads : 1);
    if (memory > 0 && memory / needed < jobs)
        jobs = (int)(memory / needed);
    return jobs > 1 ? jobs : 1;
}

/* Settles jobs and threads. Threads are part of what makes the bytes of a result: they are chosen
 * once and kept in config.json. */
static void settle_jobs(cli_options *options)
{
    if (options->jobs == 0)
        options->jobs = choose_jobs(options);
    if (options->threads == 0)
        options->threads = count_processors() / options->jobs;
    if (options->threads == 0)
        options->threads = 1;
}

/* ---- results ------------------------------------------------------------------------------- */

static int write_results(benchmark *b)
{
    enum { N_SETTINGS = 12, TEXT = 32 };
    const cli_options *o = b->options;
    char texts[N_SETTINGS][TEXT];
    size_t n = 0;
    const struct {
        const char *name, *option; /* which methods may have defaults of their own for, else NULL */
        int value;
    } numbers[] = {{"seeds", NULL, o->seeds},
                   {"epochs", "epochs", o->train.epochs},
                   {"batch", NULL, o->train.batch},
                   {"latent", NULL, o->model.latent},
                   {"base width", "base-width", o->model.base_width},
                   {"held out (0: a fifth, at most 200)", NULL, o->held_out},
                   {"iterations of a search", "iterations", o->search.iterations},
                   {"restarts of a search", "restarts", o->search.restarts},
                   {"threads of a model", NULL, o->threads}};
    report_setting settings[N_SETTINGS] = {{"data", o->data}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(texts[n], TEXT, "%d", numbers[i].value);
        if (numbers[i].option != NULL && !cli_options_given(o, numbers[i].option))
            snprintf(texts[n], TEXT, "each method's own");
        settings[n + 1] = (report_setting){numbers[i].name, texts[n]};
        n++;
    }
    snprintf(texts[n], TEXT, "%g", o->alpha);
    settings[n + 1] = (report_setting){"alpha of the thresholds", texts[n]};
    n++;
    snprintf(texts[n], TEXT, "%" PRIu64, o->seed);
    settings[n + 1] = (report_setting){"first seed", texts[n]};
    cli_comparison_show(&b->compared);
    const report_benchmark results = {.data = o->data,
                                      .classes = b->compared.class_names,
                                      .n_classes = b->compared.classes.n,
                                      .rows = b->compared.shown,
                                      .n_rows = b->compared.n_shown,
                                      .seed = o->seed,
                                      .settings = settings,
                                      .n_settings = n + 2};
    ano_error err = ANO_ERROR_INIT;
    if (report_benchmark_write(o->out, &results, &err) != ANO_OK ||
        (o->json && report_benchmark_json(stdout, &results, &err) != ANO_OK))
        return cli_fail(CLI_ON_RUN, &err);
    if (o->json)
        return CLI_DONE;
    report_benchmark_print(stdout, &results);
    printf("\n%s/benchmark.html  this as a page\n%s/benchmark.csv   a line for each cell, and "
           "benchmark.json\n",
           o->out, o->out);
    return CLI_DONE;
}

/* ---- the verb ------------------------------------------------------------------------------ */

static int make_folders(const cli_options *options)
{
    static const char *const names[] = {"cells", "runs", "logs"};
    ano_error err = ANO_ERROR_INIT;
    ano_status status = ANO_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == ANO_OK; i++) {
        char *path = base_path_join(options->out, names[i]);
        status = path != NULL ? base_make_folder(path, &err) : base_error_nomem(&err, names[i]);
        if (status == ANO_OK)
            base_file_sweep(path);
        base_free(path);
    }
    if (status == ANO_OK)
        status = cli_options_save(options, CLI_VERB_BENCHMARK, options->out, &err);
    return status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_RUN, &err);
}

static int run(cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    benchmark b = {.options = options, .progress = cli_progress_begin(options->quiet)};
    b.progress.no_rate = true;
    int code = cli_comparison_plan(&b.compared, options);
    char *absolute = realpath(options->data, NULL); /* what is kept holds from any folder */
    options->data = absolute != NULL ? absolute : options->data;
    if (code == CLI_DONE)
        code = make_folders(options);
    if (code == CLI_DONE && cli_comparison_find_missing(&b.compared, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    const cli_jobs jobs = {
        b.compared.n_pieces, options->jobs, run_piece, on_begin, on_end, on_wait, &b};
    if (code == CLI_DONE)
        code = cli_jobs_run(&jobs);
    cli_progress_end(&b.progress);
    if (code == CLI_INTERRUPTED)
        fprintf(stderr,
                "anogan: stopped, with %zu of %zu cells done; \"%s benchmark --resume %s\" goes on "
                "from here\n",
                b.compared.n_done, b.compared.n_cells, cli_program(), options->out);
    if (code == CLI_DONE)
        code = write_results(&b);
    if (code == CLI_DONE)
        code = b.code;
    cli_comparison_free(&b.compared);
    free(absolute);
    return code;
}

/* Makes the options of the folder the ones that the command line is read onto. */
static int resume(cli_options *options, int argc, char **argv)
{
    ano_error err = ANO_ERROR_INIT;
    bool found;
    const char *folder = options->resume;
    const char *fixed = cli_options_fixed_given(options, CLI_VERB_BENCHMARK);
    if (options->out != NULL)
        return cli_refuse(CLI_USAGE, "--out: a resumed benchmark stays in its folder");
    if (fixed != NULL)
        return cli_refuse(CLI_USAGE, "--%s: a resumed benchmark keeps the one that it began with",
                          fixed);
    *options = cli_options_default();
    options->methods = NULL;
    if (cli_options_load(&found, options, folder, &err) != ANO_OK)
        return cli_fail(CLI_ON_MODEL, &err);
    if (!found || options->methods == NULL)
        return cli_refuse(CLI_BAD_MODEL, "%s: no benchmark has been begun there", folder);
    cli_options_parse(options, &command, argc, argv);
    options->out = options->resume;
    return CLI_DONE;
}

/* Takes the folder for this process, and refuses one that is in use for something. */
static int claim_folder(ano_run_lock **lock, const cli_options *options)
{
    const int code = cli_run_lock(lock, options->out);
    if (code != CLI_DONE || options->resume != NULL || !cli_exists(options->out, "config.json"))
        return code;
    return cli_refuse(CLI_USAGE,
                      "%s: holds a run or a benchmark already; go on with it by \"%s benchmark "
                      "--resume %s\", or name another folder with --out",
                      options->out, cli_program(), options->out);
}

int cli_benchmark(int argc, char **argv)
{
    cli_options options = cli_options_default();
    ano_run_lock *lock = NULL;
    cli_options_parse(&options, &command, argc, argv);
    int code = CLI_DONE;
    if (options.resume != NULL)
        code = resume(&options, argc, argv);
    else if (options.data == NULL)
        code = cli_refuse(CLI_USAGE, "benchmark: DATA is missing; see \"anogan benchmark --help\"");
    else if (options.out == NULL)
        code = cli_refuse(CLI_USAGE,
                          "benchmark: --out DIR is missing; see \"anogan benchmark --help\"");
    if (code == CLI_DONE && options.data == NULL)
        code = cli_refuse(CLI_USAGE, "benchmark: config.json names no data; give DATA");
    if (code == CLI_DONE)
        code = cli_check_view(&options);
    if (code == CLI_DONE)
        code = claim_folder(&lock, &options);
    if (code == CLI_DONE) {
        settle_jobs(&options);
        code = run(&options);
    }
    ano_run_lock_free(lock);
    cli_options_free(&options);
    return code;
}
