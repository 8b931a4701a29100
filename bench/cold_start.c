#define _XOPEN_SOURCE 700 /* realpath(), mkdtemp() */
/* How long the program takes from nothing to its answer: wall time of whole processes, with the
 * files in the system's cache.
 *
 *   bench_cold_start [--json] [--runs N] ANOGAN
 *
 * `info` prints a model's layers, `score` scores one image by a search of one iteration. */
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "median.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIDE = 28, MAX_RUNS = 1000, MAX_ARGUMENTS = 12 };

extern char **environ;

static void check(ano_status status, const ano_error *err)
{
    if (status == ANO_OK)
        return;
    fprintf(stderr, "bench_cold_start: %s\n", err->message);
    exit(EXIT_FAILURE);
}

/* ---- what is scored ------------------------------------------------------------------------ */

static const char model_file[] = "model.safetensors";
static const char images_file[] = "t10k-images-idx3-ubyte",
                  labels_file[] = "t10k-labels-idx1-ubyte";

/* An untrained model of the usual size and a data set of one image, in the folder we are in. */
static void write_files(void)
{
    const ano_model_config config = ANO_MODEL_CONFIG_INIT;
    ano_error err = ANO_ERROR_INIT;
    ano_model *model;
    uint8_t images[16 + SIDE * SIDE] = {[2] = 8, 3, [7] = 1, [11] = SIDE, [15] = SIDE};
    const uint8_t labels[8 + 1] = {[2] = 8, 1, [7] = 1};
    for (size_t i = 16; i < sizeof images; i++)
        images[i] = (uint8_t)(i * 2654435761u >> 24);
    check(ano_model_create(&model, &config, 0, &err), &err);
    check(ano_model_save(model, model_file, &err), &err);
    check(base_file_write(images_file, images, sizeof images, &err), &err);
    check(base_file_write(labels_file, labels, sizeof labels, &err), &err);
    ano_model_free(model);
}

/* ---- processes ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *arguments[MAX_ARGUMENTS]; /* after the program's name */
} commands[] = {
    {"info", {"info", model_file}},
    {"score", {"score", model_file, ".", "--iterations", "1", "--restarts", "1", "--quiet"}},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* Milliseconds from the start of a process to its end. What it prints goes nowhere. */
static double run(const char *program, const char *const arguments[MAX_ARGUMENTS])
{
    const char *argv[MAX_ARGUMENTS + 2] = {program};
    memcpy(argv + 1, arguments, MAX_ARGUMENTS * sizeof *arguments);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t process;
    int status = 0;
    const double start = base_seconds();
    const int failed = posix_spawn(&process, program, &actions, NULL, (char **)argv, environ);
    if (failed == 0)
        waitpid(process, &status, 0);
    const double seconds = base_seconds() - start;
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0 || status != 0) {
        fprintf(stderr, "bench_cold_start: %s %s: %s\n", program, arguments[0],
                failed != 0 ? strerror(failed) : "did not end well");
        exit(EXIT_FAILURE);
    }
    return 1e3 * seconds;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"runs", required_argument, NULL, 'r'}, {0}};
    bool json = false;
    long runs = 40;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'j')
            json = true;
        else if (c == 'r')
            runs = strtol(optarg, NULL, 10);
        else
            return 2;
    }
    char *program = optind + 1 == argc ? realpath(argv[optind], NULL) : NULL;
    char folder[] = "/tmp/bench_cold_start.XXXXXX";
    if (program == NULL || runs < 1 || runs > MAX_RUNS) {
        fprintf(stderr, "usage: bench_cold_start [--json] [--runs 1 … %d] ANOGAN\n", MAX_RUNS);
        return 2;
    }
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        fprintf(stderr, "bench_cold_start: %s: %s\n", folder, strerror(errno));
        return EXIT_FAILURE;
    }
    write_files();

    /* The commands take turns, so that what disturbs the machine for a while disturbs both; the
     * first turn, which brings the files into the cache, is not counted. */
    static double milliseconds[N_COMMANDS][MAX_RUNS];
    for (long r = -1; r < runs; r++)
        for (int i = 0; i < N_COMMANDS; i++)
            milliseconds[i][r < 0 ? 0 : r] = run(program, commands[i].arguments);

    printf(json ? "{\"runs\": %ld" : "cold start, %ld runs        median        least\n", runs);
    for (int i = 0; i < N_COMMANDS; i++) {
        const double middle = median(milliseconds[i], (size_t)runs);
        printf(json ? ", \"%s\": {\"milliseconds\": %.3f, \"least\": %.3f}"
                    : "%-20s %11.1f ms %9.1f ms\n",
               commands[i].name, middle, milliseconds[i][0]);
    }
    printf(json ? "}\n" : "");
    unlink(model_file);
    unlink(images_file);
    unlink(labels_file);
    rmdir(folder);
    free(program);
    return 0;
}
