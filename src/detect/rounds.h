/* The way of tiles through a scorer that looks at each, or at a few together, by itself: the
 * threads share them in rounds, between which the caller is told how far they are. */
#ifndef DETECT_ROUNDS_H
#define DETECT_ROUNDS_H

#include "detect/scorer.h"

typedef struct detect_rounds {
    int n_threads;
    size_t group;  /* tiles that are looked at together */
    size_t groups; /* of a thread in a round: enough that threads seldom wait for each other */
} detect_rounds;

/* Looks at the tiles [first, first + n), n ≤ group, in thread number `thread`. */
typedef ano_status detect_look(int thread, size_t first, size_t n, void *looking, ano_error *err);

/* The tiles of a round. */
size_t detect_rounds_width(detect_rounds rounds);

/* Has n tiles looked at; `tick` may be NULL. Errors: the first of a thread's, CANCELLED. */
ano_status detect_rounds_run(detect_rounds rounds, size_t n, detect_look *look, void *looking,
                             detect_tick *tick, void *cookie, ano_error *err);

#endif
