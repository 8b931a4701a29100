/* Arrays for checks of kernels: aligned to nothing but a float, with guards around what is written
 * (any byte changed fails) and what is read (NaN: what is read beyond an array's ends spoils the
 * result). */
#ifndef CHECK_ARRAY_H
#define CHECK_ARRAY_H

#include "kernels/kernels.h"

#include <float.h>
#include <stddef.h>

#define ROUNDING (FLT_EPSILON / 2.0)

enum { MAX_SETS = 8 /* more than there are */ };

/* Bytes between two guards. */
typedef struct guarded {
    unsigned char *memory;
    void *bytes;
    size_t size;
    unsigned char mark;
} guarded;

/* The bytes are signalling NaNs, other ones for each mark. */
guarded guard(size_t size, unsigned char mark);
/* Fails the test unless the guards are as they were. */
void guard_end(guarded *g);

/* n random numbers as the kernel gets them and as its twin does. */
typedef struct array {
    guarded memory;
    float *narrow;
    double *wide, *tolerance;
    int n;
} array;

/* `stream` tells one array from another. */
array array_create(int n, unsigned char stream);
void array_free(array *a);
/* Fails the test unless narrow is wide within tolerance. */
void array_check(const kernels *k, const char *what, const array *a);
/* Fails the test unless the largest error is within `accuracy` of wide's standard deviation, for
 * algorithms whose errors are parts of all that they transform at once. Numbers that are to be
 * zero, results of nothing but padding, do not count for the deviation. Prints the largest error.
 */
void array_check_accuracy(const kernels *k, const char *what, array *a, double accuracy);

/* Fails the test unless the bytes are the same. */
void check_same_bits(const kernels *k, const char *what, const void *expected, const void *got,
                     size_t bytes);

#endif
