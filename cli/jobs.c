#include "cli/jobs.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 100 };

/* A process, 0 where there is none, and which piece it does. */
typedef struct job {
    pid_t process;
    size_t piece;
} job;

/* The child's side. It ends with its parent, even if that is killed. */
static void run_piece(const cli_jobs *jobs, size_t piece, pid_t parent)
{
    signal(SIGINT, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int code = getppid() == parent ? jobs->run(piece, jobs->cookie) : CLI_INTERRUPTED;
    fflush(NULL);
    _exit(code);
}

static bool begin(job *dst, const cli_jobs *jobs, size_t piece)
{
    const pid_t parent = getpid();
    fflush(NULL);
    const pid_t process = fork();
    if (process == 0)
        run_piece(jobs, piece, parent);
    if (process < 0)
        return false;
    *dst = (job){process, piece};
    jobs->on_begin(piece, jobs->cookie);
    return true;
}

/* Tells of a process that has ended; returns whether one has. */
static bool collect(job *running, int n, const cli_jobs *jobs)
{
    int state;
    const pid_t process = waitpid(-1, &state, WNOHANG);
    if (process <= 0)
        return false;
    for (int k = 0; k < n; k++)
        if (running[k].process == process) {
            running[k].process = 0;
            jobs->on_end(running[k].piece, WIFEXITED(state) ? WEXITSTATUS(state) : CLI_OTHER,
                         WIFSIGNALED(state) ? WTERMSIG(state) : 0, jobs->cookie);
        }
    return true;
}

/* A signal with a handler ends a wait. */
static void wake(int signal)
{
    (void)signal;
}

int cli_jobs_run(const cli_jobs *jobs)
{
    struct sigaction on_child = {.sa_handler = wake}, before;
    int n_running = 0;
    bool told = false, failed = false;
    size_t next = 0;
    job *running = base_alloc((size_t)jobs->at_once, sizeof *running);
    if (running == NULL)
        return cli_refuse(CLI_OTHER, "out of memory: jobs");
    sigemptyset(&on_child.sa_mask);
    sigaction(SIGCHLD, &on_child, &before);
    while (n_running > 0 || (next < jobs->n && !told && !failed)) {
        const bool stops = cli_interrupted() || failed;
        for (int k = 0; k < jobs->at_once && !stops && !failed && next < jobs->n; k++)
            if (running[k].process == 0) {
                failed = !begin(&running[k], jobs, next);
                if (failed)
                    cli_refuse(CLI_OTHER, "a process cannot be begun; fewer --jobs need fewer");
                n_running += !failed;
                next += !failed;
            }
        for (int k = 0; k < jobs->at_once && stops && !told; k++)
            if (running[k].process > 0)
                kill(running[k].process, SIGTERM);
        told = told || stops;
        if (collect(running, jobs->at_once, jobs)) {
            n_running--;
            continue;
        }
        jobs->on_wait(jobs->cookie);
        poll(NULL, 0, WAIT_MS);
    }
    sigaction(SIGCHLD, &before, NULL);
    base_free(running);
    return failed ? CLI_OTHER : cli_interrupted() ? CLI_INTERRUPTED : CLI_DONE;
}
