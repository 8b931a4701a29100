/* Spectral normalisation: a matrix divided by its largest singular value, by the power method until
 * nothing moves. */
#include "reference/reference.h"

#include <math.h>

enum { STEPS = 2000 };

static void normalise(double *vector, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += vector[i] * vector[i];
    for (int i = 0; i < n; i++)
        vector[i] /= sqrt(sum);
}

double reference_spectral_norm(double *left, double *right, const double *kernel, int rows,
                               int columns)
{
    for (int c = 0; c < columns; c++)
        right[c] = 1 + 0.1 * c;
    for (int step = 0; step < STEPS; step++) {
        for (int r = 0; r < rows; r++) {
            left[r] = 0;
            for (int c = 0; c < columns; c++)
                left[r] += kernel[r * columns + c] * right[c];
        }
        normalise(left, rows);
        for (int c = 0; c < columns; c++) {
            right[c] = 0;
            for (int r = 0; r < rows; r++)
                right[c] += kernel[r * columns + c] * left[r];
        }
        normalise(right, columns);
    }
    double sum = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            sum += left[r] * kernel[r * columns + c] * right[c];
    return sum;
}

void reference_spectral_backward(double *diff_kernel, const double *diff_normal,
                                 const double *kernel, double largest, const double *left,
                                 const double *right, int rows, int columns)
{
    double along = 0; /* the normalised kernel */
    for (int i = 0; i < rows * columns; i++)
        along += diff_normal[i] * kernel[i] / largest;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            diff_kernel[r * columns + c] =
                (diff_normal[r * columns + c] - along * left[r] * right[c]) / largest;
}
