/* anogan: the program. `anogan VERB …` calls one of the functions in the table below. */
#define _DEFAULT_SOURCE /* on_exit() */
#include "cli/cli.h"
#include "cli/output.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"demo", cli_demo, "Train on handwritten 1s and tell 9s from 1s: the experiment"},
    {"train", cli_train, "Train a detector on the normal images of a data set, and test it"},
    {"score", cli_score, "Score images with a trained detector"},
    {"calibrate", cli_calibrate, "Learn what scores of normal images are like, for p-values"},
    {"evaluate", cli_evaluate, "Test a trained detector beside three plain baselines"},
    {"report", cli_report, "Compare runs that were tested on the same images, on one page"},
    {"benchmark", cli_benchmark, "Train and test methods on each class of a data set in turn"},
    {"info", cli_info, "Show a model's layers and calibration, or what a data set holds"},
};

enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

enum { MAX_NAME = 16 }; /* longer than any verb */

/* Levenshtein's distance from what was typed to a verb's name. */
static size_t edit_distance(const char *typed, const char *name)
{
    size_t row[MAX_NAME + 1];
    const size_t width = strlen(name);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; typed[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            const size_t replaced = diagonal + (typed[i - 1] != name[j - 1]);
            const size_t shorter = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[width];
}

static void refuse_verb(const struct argp_state *state, const char *word)
{
    enum { NEAR = 3 };
    int best = 0;
    for (int i = 1; i < VERB_COUNT; i++)
        if (edit_distance(word, verbs[i].name) < edit_distance(word, verbs[best].name))
            best = i;
    if (edit_distance(word, verbs[best].name) <= NEAR)
        argp_error(state, "'%s' is not a verb; did you mean '%s'?", word, verbs[best].name);
    argp_error(state, "'%s' is not a verb", word);
}

static error_t parse_verb(int key, char *word, struct argp_state *state)
{
    int *chosen = state->input;
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "a verb is missing");
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    for (*chosen = 0; *chosen < VERB_COUNT; ++*chosen)
        if (strcmp(word, verbs[*chosen].name) == 0)
            break;
    if (*chosen == VERB_COUNT)
        refuse_verb(state, word);
    return 0;
}

static char *describe_verbs(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)text;
    enum { SIZE = 1024 };
    char *doc = malloc(SIZE);
    if (doc == NULL)
        return (char *)text;
    int length = snprintf(doc, SIZE, "Verbs:\n");
    for (int i = 0; i < VERB_COUNT; i++)
        length += snprintf(doc + length, SIZE - (size_t)length, "  %-10s %s\n", verbs[i].name,
                           verbs[i].summary);
    snprintf(doc + length, SIZE - (size_t)length,
             "\n\"anogan VERB --help\" explains a verb. Exit codes: 0 done, 1 an anomaly was found "
             "(only where asked), 2 usage, 3 bad data, 4 bad model, 5 anything else, 130 "
             "interrupted.");
    return doc;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    const ano_build build = ano_build_info();
    fprintf(stream, "anogan %s\noneDNN %s, %s kernels, %s build\n", ano_version(), build.onednn,
            build.kernels, build.build_type);
}

/* Runs when the program ends, which argp does by itself after --help. */
static void check_output(int code, void *unused)
{
    (void)unused;
    ano_error err = ANO_ERROR_INIT;
    if (cli_output_flush(&err) != ANO_OK && (code == CLI_DONE || code == CLI_ANOMALY_FOUND))
        _exit(cli_fail(CLI_ON_RUN, &err));
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_verb,
        .args_doc = "VERB [ARGUMENT...]",
        .doc = "Learns from normal images what is normal, and says of a new image how far it is "
               "from that.\v",
        .help_filter = describe_verbs,
    };
    argp_program_version_hook = print_version;
    argp_err_exit_status = CLI_USAGE;
    on_exit(check_output, NULL);
    cli_set_program(argv[0]);
    char program[] = "anogan";
    argv[0] = program;

    /* What stands before the verb is ours, what stands after it the verb's. */
    int chosen = 0, verb_at = 1;
    while (verb_at < argc && argv[verb_at][0] == '-')
        verb_at++;
    argp_parse(&argp, verb_at < argc ? verb_at + 1 : argc, argv, ARGP_IN_ORDER, NULL, &chosen);

    char name[MAX_NAME + sizeof "anogan "];
    snprintf(name, sizeof name, "anogan %s", verbs[chosen].name);
    argv[verb_at] = name;
    cli_interrupt_install();
    return verbs[chosen].run(argc - verb_at, argv + verb_at);
}
