/* Cholesky factorisation and the inverse of the factor (G. Golub, C. Van Loan, "Matrix
 * Computations", 4.2), both row by row, so that all that is added up lies side by side in memory,
 * and a few columns at a time, so that what a row is multiplied with stays in the cache. */
#include "eval/cholesky.h"

#include <math.h>

enum { COLUMNS = 32, LANES = 8 };

/* Eight sums side by side; the order of additions is fixed. */
static double dot(const double *a, const double *b, size_t n)
{
    double sums[LANES] = {0};
    size_t k = 0;
    for (; k + LANES <= n; k += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += a[k + lane] * b[k + lane];
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    for (; k < n; k++)
        sum += a[k] * b[k];
    return sum;
}

/* Row i of L, its columns [begin, end), end ≤ i + 1: all columns before them, and the rows `begin`
 * to i - 1, are done. False where the diagonal would have the root of what is not above zero. */
static bool finish_row(double *a, size_t n, size_t i, size_t begin, size_t end)
{
    double *row = a + i * n;
    for (size_t j = begin; j < end; j++) {
        const double rest = row[j] - dot(row, a + j * n, j);
        if (j == i && !(rest > 0))
            return false;
        row[j] = j == i ? sqrt(rest) : rest / a[j * n + j];
    }
    return true;
}

bool eval_cholesky(double *a, size_t n)
{
    for (size_t begin = 0; begin < n; begin += COLUMNS) {
        const size_t end = n - begin < COLUMNS ? n : begin + COLUMNS;
        for (size_t i = begin; i < end; i++)
            if (!finish_row(a, n, i, begin, i + 1))
                return false;
#pragma omp parallel for schedule(static)
        for (size_t i = end; i < n; i++)
            finish_row(a, n, i, begin, end);
    }
    return true;
}

/* Column c of the inverse is x with L x = e_c: x_c = 1 / L_cc, and below it
 * x_i = -(L_ic x_c + Σ_{c<k<i} L_ik x_k) / L_ii. It is kept in row c of the upper triangle. */
static void invert_columns(float *dst, double *a, size_t n, size_t begin, size_t end)
{
    for (size_t i = begin; i < n; i++) {
        const double *row = a + i * n;
        for (size_t c = begin; c < end && c < i; c++) {
            double *x = a + c * n;
            x[i] = -(row[c] / a[c * n + c] + dot(row + c + 1, x + c + 1, i - c - 1)) / row[i];
            dst[i * n + c] = (float)x[i];
        }
        if (i < end)
            dst[i * n + i] = (float)(1 / row[i]);
    }
}

void eval_invert_lower(float *dst, double *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = i + 1; c < n; c++)
            dst[i * n + c] = 0;
#pragma omp parallel for schedule(dynamic)
    for (size_t begin = 0; begin < n; begin += COLUMNS)
        invert_columns(dst, a, n, begin, n - begin < COLUMNS ? n : begin + COLUMNS);
}
