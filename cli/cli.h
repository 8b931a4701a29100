/* What the verbs share: exit codes, messages, interruption, and the verbs themselves. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <anogan/anogan.h>

#include <stdbool.h>

/* The exit codes, which scripts may rely on. */
typedef enum cli_exit {
    CLI_DONE = 0,
    CLI_ANOMALY_FOUND = 1, /* only with --fail-on-anomaly */
    CLI_USAGE = 2,
    CLI_BAD_DATA = 3,
    CLI_BAD_MODEL = 4,
    CLI_OTHER = 5,
    CLI_INTERRUPTED = 130
} cli_exit;

/* What a failing call was about, which decides the exit code of the same ano_status. */
typedef enum cli_subject { CLI_ON_DATA, CLI_ON_MODEL, CLI_ON_RUN } cli_subject;

/* Prints "anogan: message" on stderr, whatever names of files do to it, on one line. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same of an error; returns the exit code that it amounts to. */
int cli_fail(cli_subject subject, const ano_error *err);
/* The same for a message of the program's own. */
int cli_refuse(cli_exit code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How the program was called, for messages that name a command to run. */
void cli_set_program(const char *name);
const char *cli_program(void);

/* Whether Ctrl-C (or SIGTERM) was given since the start; a second one ends the program at once. */
void cli_interrupt_install(void);
bool cli_interrupted(void);

/* The verbs: argv[0] is "anogan VERB"; they return exit codes. */
int cli_demo(int argc, char **argv);
int cli_train(int argc, char **argv);
int cli_score(int argc, char **argv);
int cli_evaluate(int argc, char **argv);
int cli_calibrate(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_benchmark(int argc, char **argv);
int cli_info(int argc, char **argv);

#endif
