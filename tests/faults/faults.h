/* Disks that fail, and processes that die, for tests: the linker sends what src/base/file.c and
 * others ask of the kernel here (--wrap, tests/faults/meson.build). Counted are calls that open for
 * writing, write, sync, close, rename, make and remove, and looks at the clock, of which a training
 * step has two. Nothing is synced in truth, and the clock goes ten thousand
 * times too fast, so that there are checkpoints by minutes within epochs.
 *
 * A program that is linked with it takes its orders from the environment:
 *   ANOGAN_FAULTS=kill:K:SPINS   as FAULTS_KILL below
 *   ANOGAN_FAULTS=fail:K:ERRNO   as FAULTS_FROM
 *   ANOGAN_FAULTS_COUNT=FILE     writes how many calls there were, when the program ends */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

typedef enum faults_kind {
    FAULTS_NONE,
    FAULTS_ONCE, /* the k-th call fails; a write has written half by then */
    FAULTS_FROM, /* all calls from the k-th on fail */
    FAULTS_KILL  /* the process dies, as by kill -9: in the middle of the k-th call, or where there
                    are spins, a thread kills it after so many turns of an empty loop */
} faults_kind;

typedef struct faults_plan {
    faults_kind kind;
    long at;    /* k, from 1 */
    int errnum; /* with which calls fail */
    long spins;
} faults_plan;

/* Sets what is to happen, and counts from 0 again. */
void faults_set(faults_plan plan);
/* The calls since. Looks at the clock do not fail and are not counted but to kill. */
long faults_count(void);

#endif
