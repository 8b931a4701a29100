#include "eval/mahalanobis.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

/* The points (±3, 0), (0, ±1) and the mean, (0, 0): S = diag(18, 2) / 5. With s = 0.5, C has
 * 0.5 · 18 / 5 + 0.5 · 2 = 2.8 and 0.5 · 2 / 5 + 0.5 · 2 = 1.2 on its diagonal. */
static const float cross[] = {3, 0, -3, 0, 0, 1, 0, -1, 0, 0};

static void distances__are_those_of_a_covariance_known(void **state)
{
    (void)state;
    const float vectors[] = {0, 0, 7, 0, 0, 6, 1, 1};
    const double expected[] = {0, sqrt(49 / 2.8), sqrt(36 / 1.2), sqrt(1 / 2.8 + 1 / 1.2)};
    float got[4];
    eval_mahalanobis *m;
    assert_int_equal(eval_mahalanobis_create(&m, cross, 5, 2, 0.5, NULL), ANO_OK);
    assert_int_equal(eval_mahalanobis_distances(got, m, vectors, 4, NULL), ANO_OK);
    for (int i = 0; i < 4; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 1e-6 * expected[i]))
            fail_msg("vector %d: expected %.9g, got %.9g", i, expected[i], (double)got[i]);
    eval_mahalanobis_free(m);
}

/* The same in a space of six dimensions, more than there are vectors, of which four stay empty:
 * there C has 0.5 · tr(S) / 6 on its diagonal, 1 / 3, as well as in the two of the cross. */
static void distances__hold_with_more_dimensions_than_vectors(void **state)
{
    (void)state;
    float known[5 * 6] = {0};
    for (int i = 0; i < 5; i++) {
        known[i * 6 + 1] = cross[2 * i];
        known[i * 6 + 4] = cross[2 * i + 1];
    }
    const double c1 = 0.5 * 18 / 5 + 1 / 3.0, c4 = 0.5 * 2 / 5 + 1 / 3.0;
    const float vectors[] = {2, 0, 0, 0, 0, 0, 0, 5, 0, 0, -2, 0, 1, 1, 1, 1, 1, 1};
    const double expected[] = {sqrt(4 * 3.0), sqrt(25 / c1 + 4 / c4),
                               sqrt(1 / c1 + 1 / c4 + 4 * 3.0)};
    float got[3];
    eval_mahalanobis *m;
    assert_int_equal(eval_mahalanobis_create(&m, known, 5, 6, 0.5, NULL), ANO_OK);
    assert_int_equal(eval_mahalanobis_distances(got, m, vectors, 3, NULL), ANO_OK);
    for (int i = 0; i < 3; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 1e-5 * expected[i]))
            fail_msg("vector %d: expected %.9g, got %.9g", i, expected[i], (double)got[i]);
    eval_mahalanobis_free(m);
}

static void vectors_all_alike__are_refused(void **state)
{
    (void)state;
    const float same[] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3};
    eval_mahalanobis *m;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(eval_mahalanobis_create(&m, same, 4, 3, 0.05, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "4 vectors"));
    assert_int_equal(eval_mahalanobis_create(&m, same, 2, 6, 0.05, NULL), ANO_NUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances__are_those_of_a_covariance_known),
        cmocka_unit_test(distances__hold_with_more_dimensions_than_vectors),
        cmocka_unit_test(vectors_all_alike__are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
