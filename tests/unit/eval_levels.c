#include "eval/levels.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static void levels__are_the_distinct_scores_in_order_with_their_images(void **state)
{
    (void)state;
    const float scores[] = {3, -1, 0, 3, -0.0f, 3, 7};
    const int labels[] = {0, 1, 0, 1, 1, 0, 1};
    const eval_level expected[] = {{-1, 0, 1}, {0, 1, 1}, {3, 2, 1}, {7, 0, 1}};
    eval_levels levels;
    assert_int_equal(eval_levels_init(&levels, scores, labels, 7, "test", NULL), ANO_OK);
    assert_int_equal(levels.n, 4);
    assert_int_equal(levels.n_normal, 3);
    assert_int_equal(levels.n_anomalous, 4);
    for (size_t i = 0; i < 4; i++)
        if (levels.at[i].score != expected[i].score ||
            levels.at[i].n_normal != expected[i].n_normal ||
            levels.at[i].n_anomalous != expected[i].n_anomalous)
            fail_msg("level %zu is %g with %zu normal and %zu anomalous images", i,
                     (double)levels.at[i].score, levels.at[i].n_normal, levels.at[i].n_anomalous);
    eval_levels_clear(&levels);
}

static void levels__refuses_with_the_name_of_what_was_asked(void **state)
{
    (void)state;
    const float scores[] = {1, 2}, infinite[] = {1, INFINITY};
    const int labels[] = {0, 1}, normal[] = {0, 0}, strange[] = {0, -1};
    eval_levels levels;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(eval_levels_init(&levels, scores, normal, 2, "test", &err), ANO_ARG);
    assert_string_equal(err.message,
                        "test: needs normal and anomalous images, and there are 2 and 0");
    assert_int_equal(eval_levels_init(&levels, scores, strange, 2, "test", NULL), ANO_ARG);
    assert_int_equal(eval_levels_init(&levels, infinite, labels, 2, "test", NULL), ANO_NUMERIC);
    assert_null(levels.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels__are_the_distinct_scores_in_order_with_their_images),
        cmocka_unit_test(levels__refuses_with_the_name_of_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
