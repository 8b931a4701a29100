/* What this machine can do at most. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

/* Floating-point operations a second in fused multiply-adds of floats in registers, two operations
 * each, all threads together; the best of several rounds. */
double peak_measure(void);

#endif
