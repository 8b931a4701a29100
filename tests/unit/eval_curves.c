#include <anogan/anogan.h>

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

enum { N = 60 };

static void make_images(float scores[N], int labels[N])
{
    for (int i = 0; i < N; i++) {
        labels[i] = i % 3 == 0;
        scores[i] = (float)(i * 37 % 41 + 9 * labels[i]);
    }
}

static void curves__are_what_their_thresholds_give(void **state)
{
    (void)state;
    float scores[N];
    int labels[N];
    make_images(scores, labels);
    ano_curve_point points[N + 1];
    size_t n;
    assert_int_equal(ano_curves(points, &n, scores, labels, N, NULL), ANO_OK);
    assert_true(n > 10);
    for (size_t i = 0; i < n; i++) {
        const ano_confusion c = ano_confusion_at(scores, labels, N, points[i].threshold);
        const double fpr = (double)c.fp / (double)(c.fp + c.tn);
        const double precision = c.tp + c.fp == 0 ? 1 : c.precision;
        if (points[i].fpr != fpr || points[i].tpr != c.recall || points[i].precision != precision)
            fail_msg("point %zu, at %g: expected %g, %g, %g, got %g, %g, %g", i,
                     points[i].threshold, fpr, c.recall, precision, points[i].fpr, points[i].tpr,
                     points[i].precision);
    }
}

static void curves__go_from_nothing_to_all_over_each_distinct_score(void **state)
{
    (void)state;
    const float scores[] = {1, 5, 2, 2, 7};
    const int labels[] = {0, 0, 0, 1, 1};
    const ano_curve_point expected[] = {{7, 0, 0, 1},
                                        {5, 0, 0.5, 1},
                                        {2, 1.0 / 3, 0.5, 0.5},
                                        {1, 2.0 / 3, 1, 0.5},
                                        {-INFINITY, 1, 1, 0.4}};
    ano_curve_point points[6];
    size_t n;
    assert_int_equal(ano_curves(points, &n, scores, labels, 5, NULL), ANO_OK);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++)
        if (points[i].threshold != expected[i].threshold || points[i].fpr != expected[i].fpr ||
            points[i].tpr != expected[i].tpr || points[i].precision != expected[i].precision)
            fail_msg("point %zu: got %g: %g, %g, %g", i, points[i].threshold, points[i].fpr,
                     points[i].tpr, points[i].precision);
}

static void curves__have_the_areas_of_the_metrics_under_them(void **state)
{
    (void)state;
    float scores[N];
    int labels[N];
    make_images(scores, labels);
    ano_curve_point points[N + 1];
    ano_metrics metrics;
    size_t n;
    assert_int_equal(ano_curves(points, &n, scores, labels, N, NULL), ANO_OK);
    assert_int_equal(ano_evaluate(&metrics, scores, labels, N, NULL), ANO_OK);
    double roc = 0, precision_recall = 0;
    for (size_t i = 1; i < n; i++) {
        const double tpr = points[i].tpr, before = points[i - 1].tpr;
        roc += (points[i].fpr - points[i - 1].fpr) * (tpr + before) / 2;
        precision_recall += (tpr - before) * points[i].precision;
    }
    if (!(fabs(roc - metrics.auroc) <= 1e-12 && fabs(precision_recall - metrics.aupr) <= 1e-12))
        fail_msg("expected %.12g and %.12g, got %.12g and %.12g", metrics.auroc, metrics.aupr, roc,
                 precision_recall);
}

static void curves__are_one_step_where_all_scores_tie(void **state)
{
    (void)state;
    const float scores[] = {3, 3, 3};
    const int labels[] = {0, 1, 0};
    ano_curve_point points[4];
    size_t n;
    assert_int_equal(ano_curves(points, &n, scores, labels, 3, NULL), ANO_OK);
    assert_int_equal(n, 2);
    assert_true(points[0].fpr == 0 && points[0].tpr == 0);
    assert_true(points[1].fpr == 1 && points[1].tpr == 1);
}

static void curves__refuse_what_has_no_answer(void **state)
{
    (void)state;
    const float scores[] = {1, 2}, not_numbers[] = {1, NAN};
    const int labels[] = {0, 1}, normal[] = {0, 0};
    ano_curve_point points[3];
    size_t n = 7;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_curves(points, &n, scores, normal, 2, &err), ANO_ARG);
    assert_string_equal(err.message,
                        "curves: needs normal and anomalous images, and there are 2 and 0");
    assert_int_equal(n, 0);
    assert_int_equal(ano_curves(points, &n, not_numbers, labels, 2, NULL), ANO_NUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves__are_what_their_thresholds_give),
        cmocka_unit_test(curves__go_from_nothing_to_all_over_each_distinct_score),
        cmocka_unit_test(curves__have_the_areas_of_the_metrics_under_them),
        cmocka_unit_test(curves__are_one_step_where_all_scores_tie),
        cmocka_unit_test(curves__refuse_what_has_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
