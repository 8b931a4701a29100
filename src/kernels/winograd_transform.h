/* The transforms of Winograd convolution (A. Lavin, S. Gray, Fast Algorithms for Convolutional
 * Neural Networks, CVPR 2016): a tile of n × n results of an r × r kernel, n + r = 9, comes from an
 * 8 × 8 tile d of src as
 *     Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A.
 * The points are 0, ±1, ±2, ±½, ∞. With P(x) = x (x² - 1) (x² - 4) (x² - ¼),
 *     A  [8][n] has in row a: 1, a, a² …; ∞ has 0 … 0, 1;
 *     G  [8][r] has the same divided by P'(a), all but ∞;
 *     Bᵀ [8][8] has in row a the coefficients of P(x) / (x - a), ∞ those of P(x);
 * and the sign of row 0 is turned round in G and Bᵀ both. A and Bᵀ are exact in binary.
 * scripts/winograd_transforms.py derives the constants below and proves the identity. */
#ifndef KERNELS_WINOGRAD_TRANSFORM_H
#define KERNELS_WINOGRAD_TRANSFORM_H

#include "kernels/vector.h"

enum { POINTS = 8, PAIRS = 3, MAX_SIDE = 6 };

/* The points ±a: P(x) / (x ∓ a) = (x² ± a x) (x⁴ - p x² + q), and g = 1 / P'(±a). */
static const struct {
    float a, p, q, g;
} pairs[PAIRS] = {
    {1, 17 / 4.f, 1, -2 / 9.f},
    {2, 5 / 4.f, 1 / 4.f, 1 / 90.f},
    {1 / 2.f, 5, 4, 32 / 45.f},
};

/* v = Bᵀ d */
INLINE void multiply_b(vector v[POINTS], const vector d[POINTS])
{
    v[0] = d[0] - d[6] + 21 / 4.f * (d[4] - d[2]);
    for (int i = 0; i < PAIRS; i++) {
        const vector even = d[6] - pairs[i].p * d[4] + pairs[i].q * d[2];
        const vector odd = d[5] - pairs[i].p * d[3] + pairs[i].q * d[1];
        v[1 + 2 * i] = even + pairs[i].a * odd;
        v[2 + 2 * i] = even - pairs[i].a * odd;
    }
    v[7] = d[7] - d[1] + 21 / 4.f * (d[3] - d[5]);
}

/* u = G g, g of n numbers */
INLINE void multiply_g(vector u[POINTS], const vector g[], int n)
{
    u[0] = g[0];
    for (int i = 0; i < PAIRS; i++) {
        vector sum[2] = {{0}, {0}}; /* over the even and the odd powers */
        float power = pairs[i].g;
        for (int j = 0; j < n; j++) {
            sum[j % 2] += power * g[j];
            power *= pairs[i].a;
        }
        u[1 + 2 * i] = sum[0] + sum[1];
        u[2 + 2 * i] = sum[0] - sum[1];
    }
    u[7] = g[n - 1];
}

/* y = Aᵀ m, y of n numbers */
INLINE void multiply_a(vector y[], const vector m[POINTS], int n)
{
    float power[PAIRS] = {1, 1, 1};
    for (int j = 0; j < n; j++) {
        y[j] = (vector){0};
        for (int i = 0; i < PAIRS; i++) {
            const vector plus = m[1 + 2 * i], minus = m[2 + 2 * i];
            y[j] += power[i] * (j % 2 == 0 ? plus + minus : plus - minus);
            power[i] *= pairs[i].a;
        }
    }
    y[0] += m[0];
    y[n - 1] += m[7];
}

/* V = Bᵀ d B, one vector of channels; v[point · stride] is its first channel. */
INLINE void transform_b(float *v, size_t stride, const vector d[POINTS * POINTS])
{
    vector rows[POINTS][POINTS];
    for (int y = 0; y < POINTS; y++)
        multiply_b(rows[y], d + y * POINTS);
    for (int x = 0; x < POINTS; x++) {
        vector column[POINTS], points[POINTS];
        for (int y = 0; y < POINTS; y++)
            column[y] = rows[y][x];
        multiply_b(points, column);
        for (int y = 0; y < POINTS; y++)
            vector_store_stream(v + (size_t)(y * POINTS + x) * stride, points[y]);
    }
}

/* U = G g Gᵀ, g of n × n numbers */
INLINE void transform_g(float *u, size_t stride, const vector g[], int n)
{
    vector rows[MAX_SIDE][POINTS];
    for (int y = 0; y < n; y++)
        multiply_g(rows[y], g + y * n, n);
    for (int x = 0; x < POINTS; x++) {
        vector column[MAX_SIDE], points[POINTS];
        for (int y = 0; y < n; y++)
            column[y] = rows[y][x];
        multiply_g(points, column, n);
        for (int y = 0; y < POINTS; y++)
            vector_store(u + (size_t)(y * POINTS + x) * stride, points[y]);
    }
}

/* Y = Aᵀ M A, y of n × n numbers */
INLINE void transform_a(vector y[], const float *m, size_t stride, int n)
{
    vector columns[POINTS][MAX_SIDE];
    for (int x = 0; x < POINTS; x++) {
        vector points[POINTS];
        for (int i = 0; i < POINTS; i++)
            points[i] = vector_load(m + (size_t)(i * POINTS + x) * stride);
        multiply_a(columns[x], points, n);
    }
    for (int i = 0; i < n; i++) {
        vector points[POINTS];
        for (int x = 0; x < POINTS; x++)
            points[x] = columns[x][i];
        multiply_a(y + i * n, points, n);
    }
}

#endif
