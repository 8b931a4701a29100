/* Cyclic Jacobi: rotates pairs of rows and columns, each time making one off-diagonal element
 * zero, until all are as small as rounding (G. Golub, C. Van Loan, "Matrix Computations", 8.5).
 * Simple, deterministic, and accurate for the few hundred rows it is meant for; quick on matrices
 * that are nearly diagonal, as those of a converging subspace iteration are. */
#include "eval/eigen.h"

#include <math.h>

/* Rows p and q of the n-wide matrix become c p - s q and s p + c q. */
static void rotate_rows(double *matrix, size_t n, size_t p, size_t q, double c, double s)
{
    double *row_p = matrix + p * n, *row_q = matrix + q * n;
    for (size_t k = 0; k < n; k++) {
        const double x = row_p[k], y = row_q[k];
        row_p[k] = c * x - s * y;
        row_q[k] = s * x + c * y;
    }
}

static void rotate_columns(double *matrix, size_t n, size_t p, size_t q, double c, double s)
{
    for (size_t k = 0; k < n; k++) {
        const double x = matrix[k * n + p], y = matrix[k * n + q];
        matrix[k * n + p] = c * x - s * y;
        matrix[k * n + q] = s * x + c * y;
    }
}

/* One rotation for each pair whose element is not yet negligible; returns how many there were. */
static size_t sweep(double *vectors, double *a, size_t n, double negligible)
{
    size_t rotations = 0;
    for (size_t p = 0; p + 1 < n; p++) {
        for (size_t q = p + 1; q < n; q++) {
            const double off_diagonal = a[p * n + q];
            if (fabs(off_diagonal) <= negligible)
                continue;
            /* t = tan of the smaller angle that makes the element zero. */
            const double theta = (a[q * n + q] - a[p * n + p]) / (2 * off_diagonal);
            const double t = copysign(1 / (fabs(theta) + sqrt(theta * theta + 1)), theta);
            const double c = 1 / sqrt(t * t + 1), s = t * c;
            rotate_rows(a, n, p, q, c, s);
            rotate_columns(a, n, p, q, c, s);
            rotate_rows(vectors, n, p, q, c, s);
            rotations++;
        }
    }
    return rotations;
}

static void sort_falling(double *values, double *vectors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t largest = i;
        for (size_t j = i + 1; j < n; j++)
            if (values[j] > values[largest])
                largest = j;
        for (size_t k = 0; largest != i && k < n; k++) {
            const double swapped = vectors[i * n + k];
            vectors[i * n + k] = vectors[largest * n + k];
            vectors[largest * n + k] = swapped;
        }
        const double swapped = values[i];
        values[i] = values[largest];
        values[largest] = swapped;
    }
}

void eval_symmetric_eigen(double *values, double *vectors, double *a, size_t n)
{
    enum { MAX_SWEEPS = 40 }; /* 6 to 10 are usual: convergence is quadratic */

    double squares = 0;
    for (size_t i = 0; i < n * n; i++) {
        squares += a[i] * a[i];
        vectors[i] = i / n == i % n;
    }
    const double negligible = 1e-16 * sqrt(squares);
    for (int i = 0; i < MAX_SWEEPS && sweep(vectors, a, n, negligible) > 0; i++)
        continue;
    for (size_t i = 0; i < n; i++)
        values[i] = a[i * n + i];
    sort_falling(values, vectors, n);
}
