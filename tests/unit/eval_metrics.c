#include <anogan/anogan.h>

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static void expect(const char *what, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: expected %.12g, got %.12g", what, expected, got);
}

static ano_metrics evaluate(const float *scores, const int *labels, size_t n)
{
    ano_metrics metrics;
    ano_error err = ANO_ERROR_INIT;
    if (ano_evaluate(&metrics, scores, labels, n, &err) != ANO_OK)
        fail_msg("%s", err.message);
    return metrics;
}

static double accuracy(const float *scores, const int *labels, size_t n, double threshold)
{
    return ano_confusion_at(scores, labels, n, threshold).accuracy;
}

/* Expected values by scikit-learn 1.9.1 (roc_auc_score, average_precision_score) and, for the
 * interval, by numpy 2.4.6 from DeLong's definition over all pairs (psi = 1, 1/2 or 0; the
 * variances of its row and column means), with the 97.5 % point 1.959963984540054 on the logit. */
static void evaluate__agrees_with_scikit_learn_where_scores_tie(void **state)
{
    (void)state;
    enum { N = 60 };
    float scores[N];
    int labels[N];
    for (int i = 0; i < N; i++) {
        labels[i] = i % 3 == 0;
        scores[i] = (float)(i * 37 % 41 + 9 * labels[i]);
    }
    const ano_metrics metrics = evaluate(scores, labels, N);
    expect("auroc", metrics.auroc, 0.67625, 1e-12);
    expect("auroc_low", metrics.auroc_low, 0.5175979601159886, 1e-12);
    expect("auroc_high", metrics.auroc_high, 0.8026217322320977, 1e-12);
    expect("aupr", metrics.aupr, 0.5818678061415653, 1e-12);
    expect("accuracy_best", metrics.accuracy_best, 44.0 / 60, 1e-12);
    /* [40, 41) is as wide. */
    expect("best_low", metrics.best_low, 38, 0);
    expect("best_high", metrics.best_high, 39, 0);
}

/* By hand: of the 6 pairs, 4 are in order and one ties; precision 1 at recall 1/2, 2/4 (the tie is
 * one step) at recall 1. */
static void evaluate__agrees_with_a_case_done_by_hand(void **state)
{
    (void)state;
    const float scores[] = {1, 5, 2, 2, 7};
    const int labels[] = {0, 0, 0, 1, 1};
    const ano_metrics metrics = evaluate(scores, labels, 5);
    expect("auroc", metrics.auroc, 4.5 / 6, 1e-15);
    expect("aupr", metrics.aupr, 0.5 * 1 + 0.5 * 2 / 4, 1e-15);
    expect("accuracy_best", metrics.accuracy_best, 4.0 / 5, 1e-15);
    expect("best_low", metrics.best_low, 5, 0);
    expect("best_high", metrics.best_high, 7, 0);
}

static void evaluate__admits_doubt_where_the_kinds_are_wholly_apart(void **state)
{
    (void)state;
    enum { EACH = 100 };
    float scores[2 * EACH];
    int labels[2 * EACH], reversed[2 * EACH];
    for (int i = 0; i < 2 * EACH; i++) {
        scores[i] = (float)i;
        labels[i] = i >= EACH;
        reversed[i] = i < EACH;
    }
    const ano_metrics apart = evaluate(scores, labels, 2 * EACH);
    expect("auroc", apart.auroc, 1, 0);
    expect("auroc_high", apart.auroc_high, 1, 1e-15);
    /* Wilson's bound for n of n: n / (n + z^2). */
    expect("auroc_low", apart.auroc_low, 100 / (100 + 3.841458820694124), 1e-12);
    expect("aupr", apart.aupr, 1, 0);
    expect("best_low", apart.best_low, 99, 0);
    expect("best_high", apart.best_high, 100, 0);
    const ano_metrics wrong = evaluate(scores, reversed, 2 * EACH);
    expect("auroc reversed", wrong.auroc, 0, 0);
    expect("auroc_low reversed", wrong.auroc_low, 0, 1e-15);
    expect("auroc_high reversed", wrong.auroc_high, 1 - apart.auroc_low, 1e-12);
}

static void evaluate__never_gives_an_interval_of_zero_width(void **state)
{
    (void)state;
    const float scores[][4] = {{1, 1, 1, 1}, {1, 2, 3, 4}, {4, 3, 2, 1}, {2, 1, 3, 2}};
    const int labels[][4] = {{0, 0, 1, 1}, {0, 1, 1, 1}, {0, 0, 0, 1}, {1, 0, 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            const ano_metrics metrics = evaluate(scores[i], labels[j], 4);
            if (!(metrics.auroc_low < metrics.auroc_high && metrics.auroc_low >= 0 &&
                  metrics.auroc_high <= 1 && metrics.auroc_low <= metrics.auroc &&
                  metrics.auroc <= metrics.auroc_high))
                fail_msg("scores %zu, labels %zu: %g in [%g, %g]", i, j, metrics.auroc,
                         metrics.auroc_low, metrics.auroc_high);
        }
    }
}

/* Of 100 normal images, 1 and 5 may be called anomalous. Two of them tie with an anomalous one at
 * 98, and one at 94. */
static void evaluate__finds_what_few_false_alarms_allow(void **state)
{
    (void)state;
    enum { NORMAL = 100, ANOMALOUS = 8, N = NORMAL + ANOMALOUS };
    const float anomalous[ANOMALOUS] = {200, 98.5f, 98, 97.5f, 96, 94.5f, 94, 3};
    float scores[N];
    int labels[N] = {0};
    for (int i = 0; i < NORMAL; i++)
        scores[i] = i == 97 ? 98 : (float)i;
    for (int i = 0; i < ANOMALOUS; i++) {
        scores[NORMAL + i] = anomalous[i];
        labels[NORMAL + i] = 1;
    }
    const ano_metrics metrics = evaluate(scores, labels, N);
    /* Above 98 there is one normal image; the two at 98 come together. */
    expect("tpr_at_fpr_1", metrics.tpr_at_fpr_1, 2.0 / ANOMALOUS, 0);
    /* Above 94 there are five; at 94 is a sixth. */
    expect("tpr_at_fpr_5", metrics.tpr_at_fpr_5, 6.0 / ANOMALOUS, 0);
    expect("f1_all_positive", metrics.f1_all_positive, 16.0 / (16 + 100), 1e-15);
}

static void evaluate__finds_nothing_without_false_alarms_where_all_tie(void **state)
{
    (void)state;
    const float scores[] = {2, 2, 2, 2};
    const int labels[] = {0, 1, 1, 1};
    const ano_metrics metrics = evaluate(scores, labels, 4);
    expect("auroc", metrics.auroc, 0.5, 0);
    expect("tpr_at_fpr_1", metrics.tpr_at_fpr_1, 0, 0);
    expect("tpr_at_fpr_5", metrics.tpr_at_fpr_5, 0, 0);
    expect("f1_all_positive", metrics.f1_all_positive, 6.0 / 7, 1e-15);
}

static void evaluate__every_threshold_of_the_best_range_reaches_the_best_accuracy(void **state)
{
    (void)state;
    enum { N = 12 };
    /* Every way of labelling twelve scores, two of which tie. */
    const float scores[N] = {-3, -1, -1, 0, 0.5f, 2, 3, 5, 8, 9, 9.5f, 20};
    for (unsigned mask = 1; mask < (1u << N) - 1; mask++) {
        int labels[N];
        for (int i = 0; i < N; i++)
            labels[i] = (mask >> i & 1) != 0;
        const ano_metrics metrics = evaluate(scores, labels, N);
        double best = 0;
        for (int i = -1; i < N; i++)
            best = fmax(best, accuracy(scores, labels, N, i < 0 ? -100 : (double)scores[i]));
        const double low = metrics.best_low, high = metrics.best_high;
        const double below_high = nextafter(high, -INFINITY);
        if (!(low < high) || metrics.accuracy_best != best ||
            accuracy(scores, labels, N, low) != best ||
            accuracy(scores, labels, N, (low + below_high) / 2) != best ||
            accuracy(scores, labels, N, below_high) != best)
            fail_msg("labels %#x: best is %g, got %g in [%g, %g)", mask, best,
                     metrics.accuracy_best, low, high);
    }
}

static void evaluate__joins_neighbouring_ranges_and_takes_the_widest(void **state)
{
    (void)state;
    const float scores[] = {1, 2, 4, 4, 9, 10};
    const int labels[] = {0, 1, 0, 1, 0, 1};
    const ano_metrics metrics = evaluate(scores, labels, 6);
    expect("accuracy_best", metrics.accuracy_best, 4.0 / 6, 1e-15);
    /* [1, 2) and [9, 10) reach it, each of width 1. */
    expect("best_low", metrics.best_low, 1, 0);
    expect("best_high", metrics.best_high, 2, 0);

    const float joined[] = {1, 3, 3, 6, 7};
    const int joined_labels[] = {0, 0, 1, 1, 1};
    const ano_metrics wide = evaluate(joined, joined_labels, 5);
    expect("accuracy_best joined", wide.accuracy_best, 4.0 / 5, 1e-15);
    expect("best_low joined", wide.best_low, 1, 0);
    expect("best_high joined", wide.best_high, 6, 0);
}

static void evaluate__refuses_what_has_no_answer(void **state)
{
    (void)state;
    float scores[] = {1, 2, 3};
    const int labels[] = {0, 1, 1}, same[] = {1, 1, 1}, strange[] = {0, 1, 2};
    ano_metrics metrics;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_evaluate(&metrics, scores, same, 3, &err), ANO_ARG);
    assert_string_equal(err.message,
                        "evaluate: needs normal and anomalous images, and there are 0 and 3");
    assert_int_equal(ano_evaluate(&metrics, scores, strange, 3, NULL), ANO_ARG);
    assert_int_equal(ano_evaluate(&metrics, scores, labels, 0, NULL), ANO_ARG);
    scores[2] = NAN;
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_evaluate(&metrics, scores, labels, 3, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "score 2"));
    scores[2] = INFINITY;
    assert_int_equal(ano_evaluate(&metrics, scores, labels, 3, NULL), ANO_NUMERIC);
}

static void confusion__calls_anomalous_what_lies_above_the_threshold(void **state)
{
    (void)state;
    const float scores[] = {1, 2, 3, 4, 5};
    const int labels[] = {0, 0, 1, 0, 1};
    const ano_confusion at_3 = ano_confusion_at(scores, labels, 5, 3);
    assert_int_equal(at_3.tp, 1);
    assert_int_equal(at_3.fp, 1);
    assert_int_equal(at_3.tn, 2);
    assert_int_equal(at_3.fn, 1);
    const ano_confusion at_2 = ano_confusion_at(scores, labels, 5, 2);
    expect("accuracy", at_2.accuracy, 4.0 / 5, 1e-15);
    expect("precision", at_2.precision, 2.0 / 3, 1e-15);
    expect("recall", at_2.recall, 1, 0);
    expect("f1", at_2.f1, 4.0 / 5, 1e-15);
}

static void confusion__is_zero_where_there_is_nothing_to_divide_by(void **state)
{
    (void)state;
    const float scores[] = {1, 2};
    const int labels[] = {0, 0};
    const ano_confusion none_called = ano_confusion_at(scores, labels, 2, 2);
    expect("accuracy", none_called.accuracy, 1, 0);
    expect("precision", none_called.precision, 0, 0);
    expect("recall", none_called.recall, 0, 0);
    expect("f1", none_called.f1, 0, 0);
    expect("accuracy of no images", ano_confusion_at(scores, labels, 0, 2).accuracy, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluate__agrees_with_scikit_learn_where_scores_tie),
        cmocka_unit_test(evaluate__agrees_with_a_case_done_by_hand),
        cmocka_unit_test(evaluate__admits_doubt_where_the_kinds_are_wholly_apart),
        cmocka_unit_test(evaluate__never_gives_an_interval_of_zero_width),
        cmocka_unit_test(evaluate__finds_what_few_false_alarms_allow),
        cmocka_unit_test(evaluate__finds_nothing_without_false_alarms_where_all_tie),
        cmocka_unit_test(evaluate__every_threshold_of_the_best_range_reaches_the_best_accuracy),
        cmocka_unit_test(evaluate__joins_neighbouring_ranges_and_takes_the_widest),
        cmocka_unit_test(evaluate__refuses_what_has_no_answer),
        cmocka_unit_test(confusion__calls_anomalous_what_lies_above_the_threshold),
        cmocka_unit_test(confusion__is_zero_where_there_is_nothing_to_divide_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
