#include "report/dots.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static const char *const names[] = {"2", "8"};

static report_svg draw(const report_dots_row *rows, size_t n_rows)
{
    ano_error err = ANO_ERROR_INIT;
    report_svg svg;
    assert_int_equal(report_dots(&svg, rows, n_rows, names, 2, &err), ANO_OK);
    return svg;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

/* The place of the nth circle. */
static double circle(const char *text, int n)
{
    for (; n >= 0; n--)
        text = strstr(text, "<circle cx=\"") + strlen("<circle cx=\"");
    return strtod(text, NULL);
}

static void dots__has_a_dot_for_each_value_that_is_there(void **state)
{
    (void)state;
    const double first[] = {0.9, 0.7}, second[] = {NAN, 0.8};
    const report_dots_row rows[] = {{"fc", first, 0.8, true}, {"pca", second, NAN, false}};
    report_svg svg = draw(rows, 2);
    assert_int_equal(count(svg.text, "<circle"), 3);
    assert_int_equal(count(svg.text, "<title>8: 0.7000</title>"), 1);
    assert_int_equal(count(svg.text, "stroke-width=\"3\""), 1); /* the one mean */
    assert_null(strstr(svg.text, "nan"));
    report_svg_free(&svg);
}

static void dots__lie_by_their_values(void **state)
{
    (void)state;
    const double values[] = {0.9, 0.7}, others[] = {1, 0.8};
    const report_dots_row rows[] = {{"fc", values, 0.8, true}, {"pca", others, 0.9, false}};
    report_svg svg = draw(rows, 2);
    const double step = circle(svg.text, 0) - circle(svg.text, 3), rounding = 0.11;
    assert_true(step > 0);
    assert_true(fabs(circle(svg.text, 2) - circle(svg.text, 1) - 3 * step) <= 2 * rounding);
    report_svg_free(&svg);
}

static void dots__fit_where_all_are_1_or_some_0(void **state)
{
    (void)state;
    const double best[] = {1, 1}, worst[] = {0, 1};
    const report_dots_row rows[] = {{"fc", best, 1, true}, {"pca", worst, 0.5, false}};
    for (size_t n = 1; n <= 2; n++) {
        report_svg svg = draw(rows, n);
        for (int i = 0; i < 2 * (int)n; i++)
            assert_true(circle(svg.text, i) >= 0 && circle(svg.text, i) <= 480);
        report_svg_free(&svg);
    }
}

static void dots__escapes_names(void **state)
{
    (void)state;
    const double values[] = {0.9, 0.7};
    const report_dots_row row = {"<script>&", values, 0.8, true};
    report_svg svg = draw(&row, 1);
    assert_null(strstr(svg.text, "<script"));
    assert_non_null(strstr(svg.text, "&#60;script&#62;&#38;"));
    report_svg_free(&svg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots__has_a_dot_for_each_value_that_is_there),
        cmocka_unit_test(dots__lie_by_their_values),
        cmocka_unit_test(dots__fit_where_all_are_1_or_some_0),
        cmocka_unit_test(dots__escapes_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
