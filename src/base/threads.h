/* Threads: OpenMP's, for the length of one public call. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include "base/error.h"

enum { BASE_MAX_THREADS = 1024 };

/* ARG unless `threads` is from 0 to BASE_MAX_THREADS: OpenMP ends the process when it cannot make
 * as many as it is told to. */
ano_status base_threads_check(int threads, ano_error *err);

/* Makes parallel regions of the calling thread use `threads` threads (0: one a processor), and
 * returns what to give base_threads_leave() to have it as it was. */
int base_threads_enter(int threads);
/* How many threads that are now. */
int base_threads(void);
void base_threads_leave(int previous);

/* One thread's share of some work: number `thread` of those at it. */
typedef ano_status base_threads_work(int thread, void *cookie, ano_error *err);

/* Has each of n threads do its share, at once; returns the first error. A pass of a network, which
 * is for as many threads as it saw when it was made, is made in the share that runs it. */
ano_status base_threads_each(int n, base_threads_work *work, void *cookie, ano_error *err);

#endif
