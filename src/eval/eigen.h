/* Eigenvectors of small symmetric matrices. */
#ifndef EVAL_EIGEN_H
#define EVAL_EIGEN_H

#include <stddef.h>

/* Decomposes the symmetric `a` [n][n], which is overwritten: values [n] in falling order, and
 * row i of vectors [n][n] the unit eigenvector of values[i]. */
void eval_symmetric_eigen(double *values, double *vectors, double *a, size_t n);

#endif
