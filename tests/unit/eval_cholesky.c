#include "eval/cholesky.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

/* Sizes around the columns that are taken together. */
static const size_t sizes[] = {1, 5, 32, 33, 100};

/* b b' + I of pseudo-random numbers b in [0, 1): its eigenvalues lie between 1 and n² / 2. */
static double *make_positive(size_t n)
{
    double *b = calloc(n * n, sizeof *b), *a = calloc(n * n, sizeof *a);
    for (size_t i = 0; i < n * n; i++)
        b[i] = (double)(i * 7919 % 1009) / 1009;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            a[i * n + j] = i == j;
            for (size_t k = 0; k < n; k++)
                a[i * n + j] += b[i * n + k] * b[j * n + k];
        }
    free(b);
    return a;
}

/* Sums of n terms no larger than a diagonal element, in double precision. */
static void factor__gives_the_matrix_again(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        double *a = make_positive(n), *l = make_positive(n);
        assert_true(eval_cholesky(l, n));
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++) {
                double sum = 0;
                for (size_t k = 0; k <= j; k++)
                    sum += l[i * n + k] * l[j * n + k];
                if (!(fabs(sum - a[i * n + j]) <= 1e-14 * (double)n * a[i * n + i]))
                    fail_msg("%zu rows, element %zu, %zu: expected %.17g, got %.17g", n, i, j,
                             a[i * n + j], sum);
            }
        free(a);
        free(l);
    }
}

/* The inverse is rounded to floats. */
static void inverse__times_the_factor_is_the_identity(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        double *l = make_positive(n);
        float *inverse = calloc(n * n, sizeof *inverse);
        assert_true(eval_cholesky(l, n));
        eval_invert_lower(inverse, l, n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0, size = 0;
                for (size_t k = j; k <= i; k++) {
                    sum += (double)inverse[i * n + k] * l[k * n + j];
                    size += fabs((double)inverse[i * n + k] * l[k * n + j]);
                }
                if (!(fabs(sum - (i == j)) <= 1e-7 * size))
                    fail_msg("%zu rows, element %zu, %zu: expected %d, got %.9g", n, i, j, i == j,
                             sum);
                if (j > i && inverse[i * n + j] != 0)
                    fail_msg("%zu rows, element %zu, %zu is not 0", n, i, j);
            }
        free(l);
        free(inverse);
    }
}

static void factor__refuses_what_is_not_positive_definite(void **state)
{
    (void)state;
    double *a = make_positive(40);
    a[35 * 40 + 35] = 0.5;
    assert_false(eval_cholesky(a, 40));
    free(a);
    double no_number = NAN;
    assert_false(eval_cholesky(&no_number, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factor__gives_the_matrix_again),
        cmocka_unit_test(inverse__times_the_factor_is_the_identity),
        cmocka_unit_test(factor__refuses_what_is_not_positive_definite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
