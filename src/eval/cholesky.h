/* Cholesky factors of symmetric positive definite matrices. */
#ifndef EVAL_CHOLESKY_H
#define EVAL_CHOLESKY_H

#include <stdbool.h>
#include <stddef.h>

/* Puts L with L L' = a, both [n][n], into the lower triangle of `a`; the upper one is neither read
 * nor written. False where `a` is not positive definite. */
bool eval_cholesky(double *a, size_t n);

/* dst [n][n] = L⁻¹, zeros above its diagonal, of the L in the lower triangle of `a`; the upper one
 * is written to. */
void eval_invert_lower(float *dst, double *a, size_t n);

#endif
