#include "eval/eigen.h"

#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N = 33 };

/* A symmetric matrix with random elements; of rank 5 when `deficient`. */
static void make_symmetric(double a[N][N], int deficient)
{
    float numbers[N * N];
    base_random_uniform(numbers, (size_t)N * N, -1, 1,
                        (base_random){3, BASE_PURPOSE_TEST, (uint64_t)deficient});
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)numbers[i * N + j] + (double)numbers[j * N + i];
            for (int k = 0; k < 5 && deficient; k++)
                a[i][j] = (k == 0 ? 0 : a[i][j]) +
                          (double)numbers[k * N + i] * (double)numbers[k * N + j];
        }
    }
}

static void eigen__gives_orthonormal_vectors_that_the_matrix_stretches(void **state)
{
    (void)state;
    for (int deficient = 0; deficient < 2; deficient++) {
        double a[N][N], destroyed[N][N], values[N], vectors[N][N];
        make_symmetric(a, deficient);
        make_symmetric(destroyed, deficient);
        eval_symmetric_eigen(values, &vectors[0][0], &destroyed[0][0], N);
        for (int i = 0; i < N; i++) {
            if (i > 0 && values[i] > values[i - 1])
                fail_msg("value %d: %g after %g", i, values[i], values[i - 1]);
            for (int j = 0; j < N; j++) {
                double dot = 0, stretched = 0;
                for (int k = 0; k < N; k++) {
                    dot += vectors[i][k] * vectors[j][k];
                    stretched += a[j][k] * vectors[i][k];
                }
                if (fabs(dot - (i == j)) > 1e-13)
                    fail_msg("vectors %d and %d: product %g", i, j, dot);
                if (fabs(stretched - values[i] * vectors[i][j]) > 1e-12)
                    fail_msg("vector %d, element %d: expected %g, got %g", i, j,
                             values[i] * vectors[i][j], stretched);
            }
        }
    }
}

static void eigen__leaves_a_diagonal_matrix_but_for_the_order(void **state)
{
    (void)state;
    double a[9] = {2, 0, 0, 0, 7, 0, 0, 0, -1}, values[3], vectors[9];
    eval_symmetric_eigen(values, vectors, a, 3);
    const double expected_values[3] = {7, 2, -1};
    const double expected_vectors[9] = {0, 1, 0, 1, 0, 0, 0, 0, 1};
    assert_memory_equal(values, expected_values, sizeof values);
    assert_memory_equal(vectors, expected_vectors, sizeof vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigen__gives_orthonormal_vectors_that_the_matrix_stretches),
        cmocka_unit_test(eigen__leaves_a_diagonal_matrix_but_for_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
