/* What the checks share: random numbers, and comparisons that say where, what and by how much. */
#ifndef CHECK_H
#define CHECK_H

#include "nn/net.h"

#include <stddef.h>
#include <stdint.h>

/* n zeros; ends the program when memory is short. free() them. */
double *check_doubles(int n);
float *check_floats(int n);

/* dst uniform in [-1, 1), each a float in width; `stream` tells one array from another. */
void check_random(double *dst, int n, uint64_t stream);
/* The same, but no two are closer than 2 / n, and none is closer to 0 than 1 / (2 n): functions
 * with kinks are differentiable there. */
void check_random_apart(double *dst, int n, uint64_t stream);

void check_narrow(float *dst, const double *src, int n);
void check_widen(double *dst, const float *src, int n);
void check_absolute(double *dst, const double *src, int n);
/* The greatest absolute value. */
double check_greatest(const double *src, int n);
/* The Euclidean length. */
double check_length(const double *src, int n);

/* Fails the test unless |got[i] - expected[i]| ≤ tolerance[i] for every i (NaN fails); says how
 * many do not, and of the worst its index, what was expected and what there was. */
void check_close(const char *what, const float *got, const double *expected,
                 const double *tolerance, int n);

/* The same unless the distance of got from expected is at most `share` of the length of expected.
 */
void check_distance(const char *what, const float *got, const double *expected, int n,
                    double share);

/* tolerance[i] = factor · magnitude[i], magnitude being what the sum of the absolute values of the
 * terms of result i comes to. */
void check_tolerance(double *tolerance, const double *magnitude, int n, double factor);

/* The rounding error of a sum of `length` float products, relative to the sum of their absolute
 * values: one rounding of a product and at most `length` of sums, ε / 2 each, whatever the order,
 * where the sum is short; where it is long, eight times the length of the random walk that these
 * roundings are. */
double check_sum_error(int length);

/* What rounding may cost the numbers and gradients of a whole network over a batch, as a share of
 * the greatest of their kind: the errors of all its layers' sums, those over what makes a number of
 * dst and those over the batch's pixels, which have no reason to add up and so do as squares. */
double check_net_error(const nn_net *net, int batch);

/* The gradient penalty's v = c (1 - 1 / |g|) g of gradients g [n][size] is off by so many times
 * what they are: 1 + 1 / ||g| - 1| at most. */
double check_penalty_amplification(const double *g, int n, int size);

#endif
