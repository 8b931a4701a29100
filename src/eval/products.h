/* Products of the rows of a matrix with a few vectors at a time, by the engine's own kernel, and
 * the distance of two vectors. */
#ifndef EVAL_PRODUCTS_H
#define EVAL_PRODUCTS_H

#include <stddef.h>

/* How many vectors are taken together, and how many rows one thread takes at a time. */
enum { EVAL_TOGETHER = 64, EVAL_ROWS = 128 };

/* dst [d][EVAL_TOGETHER] = n ≤ EVAL_TOGETHER vectors [n][d], turned; what is left is zero. */
void eval_turn(float *dst, const float *vectors, size_t n, size_t d);

/* dst [rows][EVAL_TOGETHER] = matrix [rows][d] · turned [d][EVAL_TOGETHER], of which the first
 * `inner` ≤ d columns of the one and the first n ≤ EVAL_TOGETHER of the other take part; on the
 * calling thread. What is in dst behind n is of no meaning. A product does not depend on how many
 * others there are. */
void eval_products(float *dst, const float *matrix, size_t rows, size_t d, const float *turned,
                   size_t inner, size_t n);

/* The squared Euclidean distance of a [d] and b [d], from their differences. */
double eval_squared_distance(const float *a, const float *b, size_t d);

#endif
