#include "eval/coreset.h"

#include "base/random.h"
#include "eval/products.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N = 60, D = 19, CHOSEN = 17 };

static void on_a_line__the_ends_and_then_the_middles_are_chosen(void **state)
{
    (void)state;
    const float line[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    size_t chosen[5];
    assert_int_equal(eval_coreset(chosen, 3, line, 9, 1, NULL), ANO_OK);
    assert_true(chosen[0] == 0 && chosen[1] == 4 && chosen[2] == 8);
    assert_int_equal(eval_coreset(chosen, 5, line, 9, 1, NULL), ANO_OK);
    const size_t expected[] = {0, 2, 4, 6, 8};
    for (size_t k = 0; k < 5; k++)
        assert_int_equal(chosen[k], expected[k]);
}

/* The algorithm without the laziness. */
static void choose_plainly(int is_chosen[N], const float *vectors)
{
    double distance[N];
    for (size_t i = 0; i < N; i++)
        distance[i] = INFINITY;
    for (size_t k = 0; k < CHOSEN; k++) {
        size_t farthest = 0;
        for (size_t i = 1; i < N; i++)
            if (distance[i] > distance[farthest])
                farthest = i;
        is_chosen[farthest] = 1;
        for (size_t i = 0; i < N; i++)
            distance[i] = fmin(distance[i],
                               eval_squared_distance(vectors + i * D, vectors + farthest * D, D));
    }
}

static void chosen_ones__are_those_of_the_plain_algorithm(void **state)
{
    (void)state;
    float vectors[N * D];
    size_t chosen[CHOSEN];
    int expected[N] = {0};
    base_random_normal(vectors, (size_t)N * D, (base_random){.purpose = BASE_PURPOSE_TEST});
    choose_plainly(expected, vectors);
    assert_int_equal(eval_coreset(chosen, CHOSEN, vectors, N, D, NULL), ANO_OK);
    for (size_t k = 0; k < CHOSEN; k++) {
        assert_true(expected[chosen[k]]);
        assert_true(k == 0 || chosen[k - 1] < chosen[k]);
    }
}

static void all__can_be_chosen_though_they_are_alike(void **state)
{
    (void)state;
    const float alike[4] = {1, 1, 1, 1};
    size_t chosen[4];
    assert_int_equal(eval_coreset(chosen, 4, alike, 4, 1, NULL), ANO_OK);
    for (size_t k = 0; k < 4; k++)
        assert_int_equal(chosen[k], k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_line__the_ends_and_then_the_middles_are_chosen),
        cmocka_unit_test(chosen_ones__are_those_of_the_plain_algorithm),
        cmocka_unit_test(all__can_be_chosen_though_they_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
