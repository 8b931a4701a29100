#include "model/transforms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 28, CHANNELS = 2, IMAGE = SIZE * SIZE * CHANNELS };

/* No number twice, and none that is black. */
static void number(float *image)
{
    for (int i = 0; i < IMAGE; i++)
        image[i] = (float)i;
}

static int at(int y, int x, int c)
{
    return (y * SIZE + x) * CHANNELS + c;
}

static void first__changes_nothing(void **state)
{
    (void)state;
    static float src[IMAGE], dst[IMAGE];
    number(src);
    model_transform(dst, src, SIZE, CHANNELS, 0);
    assert_memory_equal(src, dst, sizeof src);
}

static void quarter_turn__is_anticlockwise_and_four_are_none(void **state)
{
    (void)state;
    static float src[IMAGE], once[IMAGE], turned[IMAGE], all[IMAGE];
    number(src);
    model_transform(once, src, SIZE, CHANNELS, MODEL_SHIFTS);
    assert_true(once[at(0, 0, 1)] == src[at(0, SIZE - 1, 1)]);
    assert_true(once[at(SIZE - 1, 0, 0)] == src[at(0, 0, 0)]);
    assert_true(once[at(3, 5, 1)] == src[at(5, SIZE - 4, 1)]);
    for (int turns = 1; turns < MODEL_TURNS; turns++) {
        model_transform(all, src, SIZE, CHANNELS, turns * MODEL_SHIFTS);
        if (turns > 1)
            model_transform(turned, once, SIZE, CHANNELS, (turns - 1) * MODEL_SHIFTS);
        assert_memory_equal(all, turns > 1 ? turned : once, sizeof all);
    }
    model_transform(turned, all, SIZE, CHANNELS, MODEL_SHIFTS);
    assert_memory_equal(turned, src, sizeof src);
}

static void shift__is_of_six_pixels_of_28_and_bares_black(void **state)
{
    (void)state;
    static const int down[] = {6, -6, 0, 0}, right[] = {0, 0, 6, -6};
    static float src[IMAGE], dst[IMAGE], turned[IMAGE];
    number(src);
    model_transform(turned, src, SIZE, CHANNELS, 2 * MODEL_SHIFTS);
    for (int shift = 1; shift < MODEL_SHIFTS; shift++)
        for (int turns = 0; turns <= 2; turns += 2) {
            const float *from = turns == 0 ? src : turned;
            model_transform(dst, src, SIZE, CHANNELS, turns * MODEL_SHIFTS + shift);
            for (int y = 0; y < SIZE; y++)
                for (int x = 0; x < SIZE; x++) {
                    const int v = y - down[shift - 1], u = x - right[shift - 1];
                    const int inside = v >= 0 && v < SIZE && u >= 0 && u < SIZE;
                    for (int c = 0; c < CHANNELS; c++)
                        if (dst[at(y, x, c)] != (inside ? from[at(v, u, c)] : -1))
                            fail_msg("shift %d of row %d, column %d: got %f", shift, y, x,
                                     (double)dst[at(y, x, c)]);
                }
        }
}

/* Σ (T x - T 0) · y = Σ x · (back y), for T is linear but for the black that it bares. */
static void back__is_the_other_way_round(void **state)
{
    (void)state;
    static float x[IMAGE], y[IMAGE], moved[IMAGE], bared[IMAGE], back[IMAGE];
    static const float zeros[IMAGE];
    for (int i = 0; i < IMAGE; i++) {
        x[i] = (float)(i * 7 % 11);
        y[i] = (float)(i * 5 % 13);
    }
    for (int which = 0; which < MODEL_TRANSFORMS; which++) {
        double there = 0, here = 0;
        memset(back, 0, sizeof back);
        model_transform(moved, x, SIZE, CHANNELS, which);
        model_transform(bared, zeros, SIZE, CHANNELS, which);
        model_transform_back(back, y, SIZE, CHANNELS, which);
        for (int i = 0; i < IMAGE; i++) {
            there += ((double)moved[i] - (double)bared[i]) * (double)y[i];
            here += (double)x[i] * (double)back[i];
        }
        assert_true(there == here && there > 0); /* whole numbers */
        model_transform_back(back, y, SIZE, CHANNELS, which);
        here = 0;
        for (int i = 0; i < IMAGE; i++)
            here += (double)x[i] * (double)back[i];
        assert_true(here == 2 * there); /* what is there stays */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first__changes_nothing),
        cmocka_unit_test(quarter_turn__is_anticlockwise_and_four_are_none),
        cmocka_unit_test(shift__is_of_six_pixels_of_28_and_bares_black),
        cmocka_unit_test(back__is_the_other_way_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
