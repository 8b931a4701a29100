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

#endif
