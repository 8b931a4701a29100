#include "report/curves.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static const double x[] = {0, 0, 0.5, 1}, y[] = {0, 0.6, 0.9, 1};
static const report_curve curves[] = {{"ours", x, y, 4}, {"#1 <&\xFF", x, y, 4}};

static report_svg draw(report_plane plane, const report_curve *drawn, int n)
{
    report_svg svg;
    ano_error err = ANO_ERROR_INIT;
    if (report_curves(&svg, &plane, drawn, n, &err) != ANO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(strlen(svg.text), svg.size);
    return svg;
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

/* The colour as cairo writes it. */
static const char *colour_of(int series)
{
    static char text[80];
    const report_plot_colour *colour = &report_plot_colours[REPORT_PLOT_EDGE + series];
    snprintf(text, sizeof text, "rgb(%.8g%%", round(colour->red / 2.55 * 1e6) / 1e6);
    return text;
}

static void curves__are_svg_for_the_inside_of_any_page(void **state)
{
    (void)state;
    report_svg svg = draw(report_plane_roc(), curves, 2);
    assert_memory_equal(svg.text, "<svg", 4);
    assert_non_null(strstr(svg.text, "</svg>"));
    assert_null(strstr(svg.text, "<?xml"));
    assert_null(strstr(svg.text, "<rect")); /* no background */
    assert_null(strstr(svg.text, "rgb(100%,100%,100%)"));
    assert_null(strstr(svg.text, "rgb(0.392157%")); /* the ink before it is the page's */
    assert_true(count(svg.text, "currentColor") > 10);
    report_svg_free(&svg);
    assert_null(svg.text);
}

static void curves__differ_by_colour_and_by_dashes(void **state)
{
    (void)state;
    report_svg one = draw(report_plane_precision_recall(0.3), curves, 1);
    report_svg two = draw(report_plane_precision_recall(0.3), curves, 2);
    assert_non_null(strstr(one.text, colour_of(0)));
    assert_null(strstr(one.text, colour_of(1)));
    assert_null(strstr(one.text, "stroke-dasharray"));
    assert_non_null(strstr(two.text, colour_of(0)));
    assert_non_null(strstr(two.text, colour_of(1)));
    assert_int_equal(count(two.text, "stroke-dasharray"), 2); /* the curve and the legend */
    report_svg_free(&one);
    report_svg_free(&two);
}

static void curves__of_many_images_stay_small(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *share = malloc(N * sizeof *share);
    for (int i = 0; i < N; i++)
        share[i] = i / (N - 1.0);
    const report_curve curve = {"many", share, share, N};
    report_svg svg = draw(report_plane_roc(), &curve, 1);
    if (svg.size > 150000)
        fail_msg("expected at most 150000 bytes, got %zu", svg.size);
    report_svg_free(&svg);
    free(share);
}

static void curves__draw_what_is_hardly_a_curve(void **state)
{
    (void)state;
    const double epoch[] = {1}, zero[] = {0};
    const report_curve cases[] = {{"one epoch", epoch, epoch, 1}, {"no loss", epoch, zero, 1}};
    for (int i = 0; i < 2; i++) {
        report_svg svg = draw(report_plane_losses(), &cases[i], 1);
        if (strstr(svg.text, "nan") != NULL || strstr(svg.text, colour_of(0)) == NULL)
            fail_msg("%s: not drawn", cases[i].name);
        report_svg_free(&svg);
    }
}

static void curves__refuse_what_they_cannot_draw(void **state)
{
    (void)state;
    const double bad[] = {0, NAN};
    const report_curve none = {"none", x, y, 0}, nan = {"loss", x, bad, 2};
    const report_plane plane = report_plane_losses();
    report_svg svg;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_curves(&svg, &plane, curves, 0, NULL), ANO_ARG);
    assert_int_equal(report_curves(&svg, &plane, curves, REPORT_MAX_CURVES + 1, NULL), ANO_ARG);
    assert_int_equal(report_curves(&svg, &plane, &none, 1, NULL), ANO_ARG);
    assert_int_equal(report_curves(&svg, &plane, &nan, 1, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "point 1 of curve loss"));
    assert_null(svg.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves__are_svg_for_the_inside_of_any_page),
        cmocka_unit_test(curves__differ_by_colour_and_by_dashes),
        cmocka_unit_test(curves__of_many_images_stay_small),
        cmocka_unit_test(curves__draw_what_is_hardly_a_curve),
        cmocka_unit_test(curves__refuse_what_they_cannot_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
