/* Pieces of work in processes of their own, several at a time: what one of them does to its memory,
 * its threads or itself is no concern of the others. */
#ifndef CLI_JOBS_H
#define CLI_JOBS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_jobs {
    size_t n;    /* pieces, begun in order */
    int at_once; /* at most so many run at the same time, from 1 */
    /* Does piece i, in a new process; returns an exit code. SIGTERM asks it to stop
     * (cli_interrupted()), Ctrl-C does not reach it. */
    int (*run)(size_t i, void *cookie);
    /* Piece i has been begun, or has ended; `signal` is what killed its process, or 0. */
    void (*on_begin)(size_t i, void *cookie);
    void (*on_end)(size_t i, int code, int signal, void *cookie);
    void (*on_wait)(void *cookie); /* several times a second */
    void *cookie;
} cli_jobs;

/* Does all pieces. On Ctrl-C or SIGTERM those under way are asked to stop and waited for, and no
 * more are begun. Returns an exit code: CLI_DONE whatever the pieces' codes are, CLI_INTERRUPTED,
 * CLI_OTHER where processes cannot be had. The caller has never run threads: a process that is
 * forked has none of them. */
int cli_jobs_run(const cli_jobs *jobs);

#endif
