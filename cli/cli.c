#include "cli/cli.h"

#include "report/text.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void say(const char *format, va_list args)
{
    char message[2 * sizeof((ano_error *)NULL)->message];
    vsnprintf(message, sizeof message, format, args);
    fputs("anogan: ", stderr);
    report_text_show(stderr, message);
    fputc('\n', stderr);
}

void cli_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

int cli_fail(cli_subject subject, const ano_error *err)
{
    cli_say("%s", err->message);
    switch (err->status) {
    case ANO_ARG:
        return CLI_USAGE;
    case ANO_CANCELLED:
        return CLI_INTERRUPTED;
    case ANO_IO:
    case ANO_FORMAT:
    case ANO_SHAPE:
    case ANO_UNSUPPORTED:
        return subject == CLI_ON_DATA    ? CLI_BAD_DATA
               : subject == CLI_ON_MODEL ? CLI_BAD_MODEL
                                         : CLI_OTHER;
    default:
        return CLI_OTHER;
    }
}

int cli_refuse(cli_exit code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    return (int)code;
}

static const char *program = "anogan";

void cli_set_program(const char *name)
{
    program = name;
}

const char *cli_program(void)
{
    return program;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    if (interrupted)
        _exit(CLI_INTERRUPTED);
    interrupted = 1;
}

void cli_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}
