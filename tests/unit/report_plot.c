#include "report/plot.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static double linear(double byte)
{
    const double value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

/* Relative luminance (WCAG 2.1). */
static double luminance(double red, double green, double blue)
{
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

static void plot__series_stand_out_from_light_and_dark_pages(void **state)
{
    (void)state;
    const double light = luminance(255, 255, 255), dark = luminance(24, 26, 30), least = 3;
    for (int i = 0; i < REPORT_PLOT_SERIES; i++) {
        const report_plot_colour *colour = &report_plot_colours[REPORT_PLOT_EDGE + i];
        const double own = luminance(colour->red, colour->green, colour->blue);
        const double on_light = (light + 0.05) / (own + 0.05);
        const double on_dark = (own + 0.05) / (dark + 0.05);
        if (on_light < least || on_dark < least)
            fail_msg("series %d: a contrast of %.2f on light, %.2f on dark, expected %.1f", i,
                     on_light, on_dark, least);
    }
}

static void plot__steps_are_the_next_round_numbers(void **state)
{
    (void)state;
    const double cases[][2] = {{1, 1}, {1.1, 2}, {3, 5}, {7, 10}, {0.021, 0.05}, {1e6, 1e6}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double got = report_plot_step(cases[i][0]);
        if (fabs(got - cases[i][1]) > 1e-9 * cases[i][1])
            fail_msg("step of %g: expected %g, got %g", cases[i][0], cases[i][1], got);
    }
}

static void plot__texts_hold_no_commands_and_end_in_time(void **state)
{
    (void)state;
    char text[16];
    report_plot_text(text, sizeof text, "a#\xFF\n");
    assert_string_equal(text, "a##\xEF\xBF\xBD\xEF\xBF\xBD");
    report_plot_text(text, sizeof text, "################");
    assert_true(strlen(text) < sizeof text && strlen(text) % 2 == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plot__series_stand_out_from_light_and_dark_pages),
        cmocka_unit_test(plot__steps_are_the_next_round_numbers),
        cmocka_unit_test(plot__texts_hold_no_commands_and_end_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
