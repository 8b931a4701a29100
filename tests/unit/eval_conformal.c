#include <anogan/anogan.h>

#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

/* ---- scores of normal images --------------------------------------------------------------- */

typedef enum distribution { UNIFORM, HEAVY_TAILED, FIVE_VALUES, MOSTLY_ZERO } distribution;
enum { N_DISTRIBUTIONS = MOSTLY_ZERO + 1 };

static const char *const names[] = {"uniform", "heavy-tailed", "five values", "mostly zero"};

static float from_uniform(float u, distribution of)
{
    switch (of) {
    case HEAVY_TAILED:
        return 1 / (1 - u);
    case FIVE_VALUES:
        return floorf(5 * u);
    case MOSTLY_ZERO:
        return u < 0.9f ? 0 : u;
    case UNIFORM:
        break;
    }
    return u;
}

static void draw(float *scores, size_t n, distribution of, uint64_t step)
{
    base_random_uniform(scores, n, 0, 1, (base_random){(uint64_t)of, BASE_PURPOSE_TEST, step});
    for (size_t i = 0; i < n; i++)
        scores[i] = from_uniform(scores[i], of);
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* ---- p-values ------------------------------------------------------------------------------ */

static void p_value__counts_the_held_out_scores_no_lower(void **state)
{
    (void)state;
    const float sorted[] = {1, 2, 2, 2, 5};
    const struct {
        double score, expected;
    } cases[] = {{-INFINITY, 1}, {0, 1},       {1, 1},         {1.5, 5.0 / 6},     {2, 5.0 / 6},
                 {2.5, 2.0 / 6}, {5, 2.0 / 6}, {5.1, 1.0 / 6}, {INFINITY, 1.0 / 6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double p = ano_p_value(sorted, 5, cases[i].score);
        if (p != cases[i].expected)
            fail_msg("score %g: expected %g, got %g", cases[i].score, cases[i].expected, p);
    }
    assert_true(isnan(ano_p_value(sorted, 5, NAN)));
    assert_true(ano_p_value(NULL, 0, 3) == 1);
    assert_true(ano_smallest_alpha(5) == ano_p_value(sorted, 5, 6));
}

/* Over 1,000 splits: with fresh held-out and new images, the mean share of false alarms. Without
 * ties it is exactly floor((n + 1) alpha) / (n + 1), or 1 / (n + 1) where that is 0. */
static void p_value__keeps_the_promise_over_splits(void **state)
{
    (void)state;
    enum { SPLITS = 1000, N_NEW = 50, N_MAX = 200 };
    const struct {
        size_t n;
        double alpha, expected;
    } cases[] = {
        {99, 0.05, 0.05}, {200, 0.01, 2.0 / 201}, {50, 0.1, 5.0 / 51}, {50, 0.01, 1.0 / 51}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases * N_DISTRIBUTIONS; i++) {
        const distribution of = (distribution)(i % N_DISTRIBUTIONS);
        const size_t n = cases[i / N_DISTRIBUTIONS].n;
        const double alpha = fmax(cases[i / N_DISTRIBUTIONS].alpha, ano_smallest_alpha(n));
        const double expected = cases[i / N_DISTRIBUTIONS].expected;
        float scores[N_MAX + N_NEW];
        double sum = 0, squares = 0;
        for (uint64_t split = 0; split < SPLITS; split++) {
            draw(scores, n + N_NEW, of, split);
            qsort(scores, n, sizeof *scores, compare);
            double alarms = 0;
            for (size_t j = 0; j < N_NEW; j++)
                alarms += ano_p_value(scores, n, (double)scores[n + j]) <= alpha;
            sum += alarms / N_NEW;
            squares += alarms / N_NEW * alarms / N_NEW;
        }
        const double mean = sum / SPLITS;
        const double error = sqrt((squares / SPLITS - mean * mean) / SPLITS);
        const bool ties = of == FIVE_VALUES || of == MOSTLY_ZERO;
        if (mean > alpha + 3 * error || (!ties && fabs(mean - expected) > 3 * error))
            fail_msg("%s, n %zu, alpha %g: expected %g, got %g, standard error %g", names[of], n,
                     alpha, expected, mean, error);
    }
}

/* ---- the threshold ------------------------------------------------------------------------- */

static void threshold__is_the_order_statistic_of_split_conformal_prediction(void **state)
{
    (void)state;
    enum { N = 199 };
    float scores[N];
    for (size_t i = 0; i < N; i++)
        scores[i] = (float)(1 + i * 83 % N); /* 1 … 199, shuffled */
    const struct {
        size_t n;
        double alpha, expected;
    } cases[] = {
        {N, 0.05, 190},  {N, 0.01, 198}, {N, 0.005, 199},   {N, 0.004, 199}, {N, 0.5, 100},
        {N, 0.145, 171}, {N, 0.999, 1},  {N, 1 - 1e-12, 1}, {1, 0.01, 1},    {1, 0.9, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double threshold;
        assert_int_equal(ano_threshold(&threshold, scores, cases[i].n, cases[i].alpha, NULL),
                         ANO_OK);
        if (threshold != cases[i].expected)
            fail_msg("case %zu: expected %g, got %g", i, cases[i].expected, threshold);
    }
}

static void threshold__refuses_no_scores_strange_alphas_and_nan(void **state)
{
    (void)state;
    const float scores[] = {1, NAN};
    const double alphas[] = {0, 1, -0.1, NAN};
    double threshold;
    assert_int_equal(ano_threshold(&threshold, scores, 0, 0.01, NULL), ANO_ARG);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ano_threshold(&threshold, scores, 1, alphas[i], NULL), ANO_ARG);
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_threshold(&threshold, scores, 2, 0.01, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "score 1"));
}

/* Every score of the held-out images, and one to either side of it. */
static void expect_same_decisions(const float *sorted, size_t n, double alpha)
{
    double threshold;
    assert_int_equal(ano_threshold(&threshold, sorted, n, alpha, NULL), ANO_OK);
    const double promised = fmax(alpha, ano_smallest_alpha(n));
    for (size_t i = 0; i < n; i++) {
        for (int side = -1; side <= 1; side++) {
            const double score =
                side == 0 ? (double)sorted[i] : nextafter((double)sorted[i], side * HUGE_VAL);
            const double p = ano_p_value(sorted, n, score);
            if ((score > threshold) != (p <= promised))
                fail_msg("n %zu, alpha %.17g: score %.17g, threshold %.17g, p %.17g", n, alpha,
                         score, threshold, p);
        }
    }
}

static void threshold__decides_as_p_values_do_for_any_scores_and_alpha(void **state)
{
    (void)state;
    enum { N_MAX = 200 };
    const size_t counts[] = {1, 2, 19, 20, 49, 99, 100, N_MAX - 1, N_MAX};
    float scores[N_MAX];
    for (size_t i = 0; i < sizeof counts / sizeof *counts * N_DISTRIBUTIONS; i++) {
        const size_t n = counts[i / N_DISTRIBUTIONS];
        draw(scores, n, (distribution)(i % N_DISTRIBUTIONS), 0);
        qsort(scores, n, sizeof *scores, compare);
        for (int percent = 1; percent < 100; percent++) {
            const double alpha = percent / 100.0;
            expect_same_decisions(scores, n, alpha);
            expect_same_decisions(scores, n, nextafter(alpha, 0));
            expect_same_decisions(scores, n, 1 - alpha);
        }
    }
}

static void threshold__takes_a_written_alpha_for_what_it_says(void **state)
{
    (void)state;
    enum { N = 999 };
    float scores[N];
    for (size_t i = 0; i < N; i++)
        scores[i] = (float)(i + 1);
    const size_t counts[] = {99, 199, 499, 999};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t n = counts[i];
        for (size_t percent = 1; percent < 100; percent++) {
            double threshold;
            assert_int_equal(ano_threshold(&threshold, scores, n, (double)percent / 100, NULL),
                             ANO_OK);
            const double expected = (double)((n + 1) * (100 - percent) / 100);
            if (threshold != expected)
                fail_msg("n %zu, alpha 0.%02zu: expected %g, got %g", n, percent, expected,
                         threshold);
        }
    }
}

/* ---- Benjamini-Hochberg -------------------------------------------------------------------- */

/* The example of the paper: fifteen p-values, of which four are rejected. */
static void benjamini_hochberg__agrees_with_its_paper(void **state)
{
    (void)state;
    enum { N = 15 };
    const double p_values[N] = {0.0459, 0.0001, 0.4262, 0.0004, 1.0000, 0.0019, 0.0344, 0.0095,
                                0.0201, 0.0278, 0.0298, 0.3240, 0.5719, 0.6528, 0.7590};
    bool rejected[N];
    assert_int_equal(ano_benjamini_hochberg(rejected, p_values, N, 0.05, NULL), ANO_OK);
    for (size_t i = 0; i < N; i++)
        if (rejected[i] != (p_values[i] <= 0.0095))
            fail_msg("p-value %g: rejected %d", p_values[i], rejected[i]);
}

static void benjamini_hochberg__lets_a_large_rank_carry_the_small_ones(void **state)
{
    (void)state;
    /* 0.03 > 1 × 0.06 / 3, but 0.06 <= 3 × 0.06 / 3; in the second batch nothing carries it. */
    const double p_values[] = {0.06, 0.03, 0.06}, alone[] = {0.07, 0.03, 0.06};
    bool rejected[3];
    assert_int_equal(ano_benjamini_hochberg(rejected, p_values, 3, 0.06, NULL), ANO_OK);
    assert_true(rejected[0] && rejected[1] && rejected[2]);
    assert_int_equal(ano_benjamini_hochberg(rejected, alone, 3, 0.06, NULL), ANO_OK);
    assert_true(!rejected[0] && !rejected[1] && !rejected[2]);
}

/* k of n p-values equal to k fdr / n meet the bound, however the two fractions round. */
static void benjamini_hochberg__is_not_decided_by_rounding(void **state)
{
    (void)state;
    enum { N = 50 };
    for (int percent = 1; percent < 100; percent++) {
        for (size_t k = 1; k <= N; k++) {
            double p_values[N];
            bool rejected[N];
            for (size_t i = 0; i < N; i++)
                p_values[i] = i < k ? (double)percent * (double)k / (100 * N) : 1;
            assert_int_equal(ano_benjamini_hochberg(rejected, p_values, N, percent / 100.0, NULL),
                             ANO_OK);
            for (size_t i = 0; i < N; i++)
                if (rejected[i] != (i < k))
                    fail_msg("%zu of %d at %d %%: number %zu is %d", k, N, percent, i, rejected[i]);
        }
    }
}

/* 40 normal and 10 anomalous images, the latter 0.98 to 1.08 by scores uniform on [0, 1] when
 * normal: the mean share of normal ones among those called, held to fdr × 40 / 50. */
static void benjamini_hochberg__keeps_the_false_discovery_rate_of_conformal_p_values(void **state)
{
    (void)state;
    enum { BATCHES = 1000, N_HELD_OUT = 499, N_NORMAL = 40, N = 50 };
    const double fdr = 0.2, expected = fdr * N_NORMAL / N;
    double sum = 0, squares = 0, found = 0;
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        float scores[N_HELD_OUT + N];
        double p_values[N];
        bool rejected[N];
        draw(scores, N_HELD_OUT + N, UNIFORM, batch);
        qsort(scores, N_HELD_OUT, sizeof *scores, compare);
        for (size_t i = 0; i < N; i++) {
            float score = scores[N_HELD_OUT + i];
            if (i >= N_NORMAL)
                score = 0.98f + 0.1f * score;
            p_values[i] = ano_p_value(scores, N_HELD_OUT, (double)score);
        }
        assert_int_equal(ano_benjamini_hochberg(rejected, p_values, N, fdr, NULL), ANO_OK);
        double wrong = 0, called = 0;
        for (size_t i = 0; i < N; i++) {
            called += rejected[i];
            wrong += rejected[i] && i < N_NORMAL;
        }
        const double share = called > 0 ? wrong / called : 0;
        sum += share;
        squares += share * share;
        found += called - wrong;
    }
    const double mean = sum / BATCHES;
    const double error = sqrt((squares / BATCHES - mean * mean) / BATCHES);
    found /= BATCHES * (N - N_NORMAL);
    if (mean > expected + 3 * error || mean < expected / 2 || found < 0.8)
        fail_msg("expected %g, got %g, standard error %g; found %g of the anomalous", expected,
                 mean, error, found);
}

static void benjamini_hochberg__refuses_what_is_no_p_value_or_rate(void **state)
{
    (void)state;
    const double strange[] = {NAN, -0.1, 1.1};
    const double rates[] = {0, 1, -0.1, NAN};
    bool rejected[2];
    ano_error err = ANO_ERROR_INIT;
    for (size_t i = 0; i < 3; i++) {
        const double p_values[] = {0.5, strange[i]};
        assert_int_equal(ano_benjamini_hochberg(rejected, p_values, 2, 0.1, &err), ANO_ARG);
    }
    assert_string_equal(err.message, "Benjamini-Hochberg: p-value 1 is nan, not in [0, 1]");
    const double p_values[] = {0, 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ano_benjamini_hochberg(rejected, p_values, 2, rates[i], NULL), ANO_ARG);
    assert_int_equal(ano_benjamini_hochberg(rejected, p_values, 2, 0.1, NULL), ANO_OK);
    assert_true(rejected[0] && !rejected[1]);
    assert_int_equal(ano_benjamini_hochberg(NULL, NULL, 0, 0.1, NULL), ANO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_value__counts_the_held_out_scores_no_lower),
        cmocka_unit_test(p_value__keeps_the_promise_over_splits),
        cmocka_unit_test(threshold__is_the_order_statistic_of_split_conformal_prediction),
        cmocka_unit_test(threshold__refuses_no_scores_strange_alphas_and_nan),
        cmocka_unit_test(threshold__decides_as_p_values_do_for_any_scores_and_alpha),
        cmocka_unit_test(threshold__takes_a_written_alpha_for_what_it_says),
        cmocka_unit_test(benjamini_hochberg__agrees_with_its_paper),
        cmocka_unit_test(benjamini_hochberg__lets_a_large_rank_carry_the_small_ones),
        cmocka_unit_test(benjamini_hochberg__is_not_decided_by_rounding),
        cmocka_unit_test(benjamini_hochberg__keeps_the_false_discovery_rate_of_conformal_p_values),
        cmocka_unit_test(benjamini_hochberg__refuses_what_is_no_p_value_or_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
