/* The time for measuring durations. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Seconds on a clock that only goes forward. */
double base_seconds(void);

#endif
