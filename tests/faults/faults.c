#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static faults_plan plan;
static long count;
static bool rest_fails; /* of a write that was hit: a disk takes some of it first */

void faults_set(faults_plan next)
{
    plan = next;
    count = 0;
    rest_fails = false;
}

long faults_count(void)
{
    return count;
}

/* ---- what happens ------------------------------------------------------------------------- */

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void *spin_and_die(void *unused)
{
    (void)unused;
    for (volatile long i = 0; i < plan.spins; i = i + 1)
        continue;
    die();
    return NULL;
}

/* Counts a call. */
static bool is_hit(void)
{
    count++;
    return plan.kind != FAULTS_NONE &&
           (plan.kind == FAULTS_FROM ? count >= plan.at : count == plan.at);
}

/* What becomes of a call that is hit: true when it is to fail. */
static bool strike(void)
{
    pthread_t thread;
    if (plan.kind != FAULTS_KILL) {
        errno = plan.errnum;
        return true;
    }
    if (plan.spins == 0 || pthread_create(&thread, NULL, spin_and_die, NULL) != 0)
        die();
    return false;
}

static bool fails(void)
{
    return is_hit() && strike();
}

/* ---- the calls ---------------------------------------------------------------------------- */

/* Both names of a function that has one for large files; a mode that is not there is not used. */
#define WRAP_OPEN(name)                                                                            \
    int __real_##name(const char *path, int flags, ...);                                           \
    int __wrap_##name(const char *path, int flags, ...);                                           \
    int __wrap_##name(const char *path, int flags, ...)                                            \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        if (flags & O_CREAT) {                                                                     \
            va_list args;                                                                          \
            va_start(args, flags);                                                                 \
            mode = va_arg(args, mode_t);                                                           \
            va_end(args);                                                                          \
        }                                                                                          \
        const bool counts = (flags & (O_CREAT | O_DIRECTORY)) != 0;                                \
        return counts && fails() ? -1 : __real_##name(path, flags, mode);                          \
    }
WRAP_OPEN(open)
WRAP_OPEN(open64)

ssize_t __real_write(int descriptor, const void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    if (!rest_fails && !is_hit())
        return __real_write(descriptor, bytes, size);
    if (!rest_fails && size > 1 && plan.spins == 0) {
        rest_fails = true;
        return __real_write(descriptor, bytes, size / 2);
    }
    rest_fails = false;
    return strike() ? -1 : __real_write(descriptor, bytes, size);
}

/* Not in truth: no test can tell, and it takes most of their time. */
int __wrap_fsync(int descriptor);
int __wrap_fsync(int descriptor)
{
    (void)descriptor;
    return fails() ? -1 : 0;
}

int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_close(int descriptor)
{
    const bool fail = fails();
    const int errnum = errno, result = __real_close(descriptor);
    if (fail)
        errno = errnum;
    return fail ? -1 : result;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return fails() ? -1 : __real_rename(from, to);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
    return fails() ? -1 : __real_unlink(path);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails() ? -1 : __real_mkdir(path, mode);
}

double __real_base_seconds(void);
double __wrap_base_seconds(void);
double __wrap_base_seconds(void)
{
    if (plan.kind == FAULTS_KILL)
        fails();
    return 1e4 * __real_base_seconds();
}

/* ---- orders from the environment ------------------------------------------------------------ */

__attribute__((constructor)) static void take_orders(void)
{
    const char *orders = getenv("ANOGAN_FAULTS");
    char kind[8];
    long at, detail;
    if (orders == NULL || sscanf(orders, "%7[a-z]:%ld:%ld", kind, &at, &detail) != 3)
        return;
    if (strcmp(kind, "kill") == 0)
        plan = (faults_plan){.kind = FAULTS_KILL, .at = at, .spins = detail};
    else
        plan = (faults_plan){.kind = FAULTS_FROM, .at = at, .errnum = (int)detail};
}

__attribute__((destructor)) static void report_count(void)
{
    const char *path = getenv("ANOGAN_FAULTS_COUNT");
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", count);
    fclose(file);
}
