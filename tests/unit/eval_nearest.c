#include "eval/nearest.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

/* More vectors, and more known ones, than are taken at a time, and an odd length. */
enum { N = 150, N_KNOWN = 300, D = 37 };

static float *make_vectors(size_t n, size_t first)
{
    float *vectors = calloc(n * D, sizeof *vectors);
    for (size_t i = 0; i < n * D; i++)
        vectors[i] = (float)((first + i) * 7919 % 1009) / 504.5f - 1;
    return vectors;
}

/* Fails unless got is expected, but for a neighbour as near up to the rounding of the squares of
 * these vectors' numbers, D of up to 1. */
static void check(size_t i, double expected, float got)
{
    if (!(fabs((double)got * (double)got - expected * expected) <= 2 * D * (double)FLT_EPSILON))
        fail_msg("vector %zu: expected %.9g, got %.9g", i, expected, (double)got);
}

static double distance(const float *a, const float *b)
{
    double sum = 0;
    for (size_t k = 0; k < D; k++)
        sum += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
    return sqrt(sum);
}

static void distances__are_the_least_of_all(void **state)
{
    (void)state;
    float *known = make_vectors(N_KNOWN, 0), *vectors = make_vectors(N, 123456), got[N];
    size_t rows[N];
    eval_nearest *nearest;
    assert_int_equal(eval_nearest_create(&nearest, known, N_KNOWN, D, NULL), ANO_OK);
    assert_int_equal(eval_nearest_distances(got, rows, nearest, vectors, N, NULL), ANO_OK);
    for (size_t i = 0; i < N; i++) {
        double expected = INFINITY;
        for (size_t k = 0; k < N_KNOWN; k++)
            expected = fmin(expected, distance(vectors + i * D, known + k * D));
        check(i, expected, got[i]);
        assert_true(fabs(distance(vectors + i * D, known + rows[i] * D) - (double)got[i]) <
                    1e-6 * (double)got[i] + 1e-30);
    }
    eval_nearest_free(nearest);
    free(known);
    free(vectors);
}

static void known_vectors__are_left_out_each_for_itself_only(void **state)
{
    (void)state;
    float *known = make_vectors(N_KNOWN, 0), got[N_KNOWN];
    /* One that is there twice, in different blocks. */
    for (size_t k = 0; k < D; k++)
        known[5 * D + k] = known[290 * D + k];
    eval_nearest *nearest;
    assert_int_equal(eval_nearest_create(&nearest, known, N_KNOWN, D, NULL), ANO_OK);
    assert_int_equal(eval_nearest_left_out(got, nearest, NULL), ANO_OK);
    for (size_t i = 0; i < N_KNOWN; i++) {
        double expected = INFINITY;
        for (size_t k = 0; k < N_KNOWN; k++)
            if (k != i)
                expected = fmin(expected, distance(known + i * D, known + k * D));
        check(i, expected, got[i]);
    }
    assert_true(got[5] == 0 && got[290] == 0);
    eval_nearest_free(nearest);
    free(known);
}

static void the_only_known_vector__has_no_neighbour(void **state)
{
    (void)state;
    float *known = make_vectors(1, 0), got;
    eval_nearest *nearest;
    assert_int_equal(eval_nearest_create(&nearest, known, 1, D, NULL), ANO_OK);
    assert_int_equal(eval_nearest_left_out(&got, nearest, NULL), ANO_OK);
    assert_true(got == INFINITY);
    eval_nearest_free(nearest);
    free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances__are_the_least_of_all),
        cmocka_unit_test(known_vectors__are_left_out_each_for_itself_only),
        cmocka_unit_test(the_only_known_vector__has_no_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
