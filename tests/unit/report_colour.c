#include "report/colour.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static double linear(uint8_t byte)
{
    const double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

/* CIELAB's L* of a colour. */
static double lightness(const uint8_t rgb[3])
{
    const double y = 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27;
}

static void colours__become_evenly_lighter_and_more_opaque(void **state)
{
    (void)state;
    uint8_t colours[REPORT_COLOURS][4];
    report_colours(colours);
    assert_int_equal(colours[0][3], 0);
    assert_int_equal(colours[REPORT_COLOURS - 1][3], 217);
    for (int i = 0; i < REPORT_COLOURS; i++) {
        const double expected = 20 + 70 * i / 255.0, got = lightness(colours[i]);
        const double tolerance = 0.5; /* of eight bits in dark colours */
        if (fabs(got - expected) > tolerance)
            fail_msg("colour %d: expected a lightness of %.2f, got %.2f", i, expected, got);
        if (i > 0 && colours[i][3] < colours[i - 1][3])
            fail_msg("colour %d is less opaque than the one before", i);
    }
}

static void colours__lie_inside_srgb(void **state)
{
    (void)state;
    uint8_t colours[REPORT_COLOURS][4];
    report_colours(colours);
    for (int i = 0; i < REPORT_COLOURS; i++)
        for (int c = 0; c < 3; c++)
            if (colours[i][c] == 0 || colours[i][c] == 255)
                fail_msg("colour %d, component %d is clipped to %d", i, c, colours[i][c]);
}

static void colours__are_found_by_the_share_of_the_highest(void **state)
{
    (void)state;
    assert_int_equal(report_colour_place(0, 4), 0);
    assert_int_equal(report_colour_place(2, 4), 128);
    assert_int_equal(report_colour_place(4, 4), 255);
    assert_int_equal(report_colour_place(9, 4), 255);
    assert_int_equal(report_colour_place(-1, 4), 0);
    assert_int_equal(report_colour_place(NAN, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours__become_evenly_lighter_and_more_opaque),
        cmocka_unit_test(colours__lie_inside_srgb),
        cmocka_unit_test(colours__are_found_by_the_share_of_the_highest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
