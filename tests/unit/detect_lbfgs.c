#include "detect/lbfgs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 20 };

typedef double loss(double *gradient, const double *x);

/* Σ cᵢ (xᵢ - i/10)², cᵢ from 1 to 1000. */
static double narrow_valley(double *gradient, const double *x)
{
    double sum = 0;
    for (int i = 0; i < N; i++) {
        const double c = pow(1000, i / (N - 1.0));
        sum += c * (x[i] - i / 10.0) * (x[i] - i / 10.0);
        gradient[i] = 2 * c * (x[i] - i / 10.0);
    }
    return sum;
}

/* H. Rosenbrock, The Computer Journal 1960: pairs 100 (b - a²)² + (1 - a)². */
static double bent_valley(double *gradient, const double *x)
{
    double sum = 0;
    for (int i = 0; i < N; i += 2) {
        const double a = x[i], b = x[i + 1], off = b - a * a;
        sum += 100 * off * off + (1 - a) * (1 - a);
        gradient[i] = -400 * a * off - 2 * (1 - a);
        gradient[i + 1] = 200 * off;
    }
    return sum;
}

/* Σ (i + 1) |xᵢ - i|, which has kinks everywhere that matters. */
static double kinks(double *gradient, const double *x)
{
    double sum = 0;
    for (int i = 0; i < N; i++) {
        sum += (i + 1) * fabs(x[i] - i);
        gradient[i] = x[i] > i ? i + 1 : -(i + 1);
    }
    return sum;
}

/* The least loss that so many evaluations find, from x = -1, and how many there were. */
static double least(loss *f, int *evaluations, int most)
{
    double *numbers = malloc(detect_lbfgs_size(N) * sizeof *numbers);
    double gradient[N], found = INFINITY;
    detect_lbfgs lbfgs;
    detect_lbfgs_init(&lbfgs, N, numbers);
    detect_lbfgs_begin(&lbfgs);
    for (int i = 0; i < N; i++)
        lbfgs.trial[i] = -1;
    bool goes_on = true;
    for (*evaluations = 0; goes_on && *evaluations < most; ++*evaluations) {
        const double value = f(gradient, lbfgs.trial);
        found = fmin(found, value);
        goes_on = detect_lbfgs_next(&lbfgs, value, gradient);
    }
    free(numbers);
    return found;
}

static void lbfgs__finds_the_end_of_smooth_valleys(void **state)
{
    (void)state;
    int evaluations;
    assert_true(least(narrow_valley, &evaluations, 200) < 1e-6);
    assert_true(least(bent_valley, &evaluations, 100) < 1e-8);
}

static void lbfgs__goes_down_over_kinks(void **state)
{
    (void)state;
    int evaluations;
    assert_true(least(kinks, &evaluations, 150) < 1e-6);
}

static double plain(double *gradient, const double *x)
{
    (void)x;
    for (int i = 0; i < N; i++)
        gradient[i] = 0;
    return 1;
}

static void lbfgs__ends_where_there_is_no_slope(void **state)
{
    (void)state;
    int evaluations;
    assert_true(least(plain, &evaluations, 10) == 1);
    assert_int_equal(evaluations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lbfgs__finds_the_end_of_smooth_valleys),
        cmocka_unit_test(lbfgs__goes_down_over_kinks),
        cmocka_unit_test(lbfgs__ends_where_there_is_no_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
