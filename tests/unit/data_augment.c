#include "data/augment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 12, CHANNELS = 3, N = SIZE * SIZE * CHANNELS };

static const data_change none = {.gain = 1};

/* Every number another, none of them round. */
static void fill(float *image)
{
    for (int i = 0; i < N; i++)
        image[i] = sinf((float)i * 0.7f) * 0.9f;
}

static float at(const float *image, int y, int x, int c)
{
    y = y < 0 ? 0 : y >= SIZE ? SIZE - 1 : y;
    x = x < 0 ? 0 : x >= SIZE ? SIZE - 1 : x;
    return image[(y * SIZE + x) * CHANNELS + c];
}

static void change_image(float *image, const data_change *change)
{
    float scratch[N];
    data_change_image(image, SIZE, CHANNELS, change, scratch);
}

static void no_augmentation__leaves_every_bit(void **state)
{
    (void)state;
    float image[N], changed[N];
    fill(image);
    memcpy(changed, image, sizeof image);
    const data_change change = data_draw_change(&(ano_augment){0}, SIZE, 5, 17, 3);
    change_image(changed, &change);
    assert_memory_equal(changed, image, sizeof image);
}

static void flips__mirror(void **state)
{
    (void)state;
    for (int kind = 1; kind < 4; kind++) {
        float image[N], changed[N];
        fill(image);
        memcpy(changed, image, sizeof image);
        data_change change = none;
        change.horizontal = kind & 1;
        change.vertical = kind & 2;
        change_image(changed, &change);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                for (int c = 0; c < CHANNELS; c++)
                    if (at(changed, y, x, c) !=
                        at(image, kind & 2 ? SIZE - 1 - y : y, kind & 1 ? SIZE - 1 - x : x, c))
                        fail_msg("flip %d differs at %d, %d, %d", kind, y, x, c);
        change_image(changed, &change);
        assert_memory_equal(changed, image, sizeof image);
    }
}

static void shifts__move_pixels_and_repeat_the_edge(void **state)
{
    (void)state;
    static const int shifts[][2] = {{3, 0}, {-2, 0}, {0, 5}, {0, -1}, {4, -6}};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        float image[N], changed[N];
        fill(image);
        memcpy(changed, image, sizeof image);
        data_change change = none;
        change.shift_x = shifts[i][0];
        change.shift_y = shifts[i][1];
        change_image(changed, &change);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                for (int c = 0; c < CHANNELS; c++)
                    if (at(changed, y, x, c) != at(image, y - shifts[i][1], x - shifts[i][0], c))
                        fail_msg("shift %zu differs at %d, %d, %d", i, y, x, c);
    }
}

/* A quarter turn clockwise takes what was above to the right. */
static void rotation__turns_clockwise_about_the_centre(void **state)
{
    (void)state;
    float image[N], changed[N];
    fill(image);
    memcpy(changed, image, sizeof image);
    data_change change = none;
    change.angle = acos(-1) / 2;
    change_image(changed, &change);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            for (int c = 0; c < CHANNELS; c++)
                if (fabsf(at(changed, y, x, c) - at(image, SIZE - 1 - x, y, c)) > 1e-5f)
                    fail_msg("differs at %d, %d, %d", y, x, c);
}

/* Bilinear interpolation repeats a plane exactly, where it does not reach beyond the edge. */
static void rotation_and_shift__are_one_exact_resampling_of_a_plane(void **state)
{
    (void)state;
    float image[N];
    for (int i = 0; i < N; i++) {
        const int y = i / CHANNELS / SIZE, x = i / CHANNELS % SIZE;
        image[i] = 0.03f * (float)x - 0.05f * (float)y;
    }
    data_change change = none;
    change.angle = 0.3;
    change.shift_x = 1;
    change.shift_y = -1;
    change_image(image, &change);
    const double centre = (SIZE - 1) / 2.0, cosine = cos(0.3), sine = sin(0.3);
    for (int y = 4; y < 8; y++)
        for (int x = 4; x < 8; x++) {
            const double right = x - centre - 1, down = y - centre + 1;
            const double expected = 0.03 * (cosine * right + sine * down + centre) -
                                    0.05 * (cosine * down - sine * right + centre);
            for (int c = 0; c < CHANNELS; c++)
                assert_float_equal(at(image, y, x, c), expected, 1e-5);
        }
}

static void light__is_gain_and_offset_within_the_range(void **state)
{
    (void)state;
    float image[N], changed[N];
    fill(image);
    memcpy(changed, image, sizeof image);
    data_change change = none;
    change.gain = 1.5;
    change.offset = -0.25;
    change_image(changed, &change);
    int n_clamped = 0;
    for (int i = 0; i < N; i++) {
        const float expected = 1.5f * image[i] - 0.25f;
        n_clamped += fabsf(expected) > 1;
        assert_float_equal(changed[i], fminf(fmaxf(expected, -1), 1), 1e-6);
    }
    assert_true(n_clamped > 0);
}

static const ano_augment everything = {.flip = ANO_FLIP_HORIZONTAL | ANO_FLIP_VERTICAL,
                                       .shift = 0.26,
                                       .rotate = 20,
                                       .brightness = 0.4,
                                       .contrast = 0.5};

/* Interpolation and edges invent nothing: what comes out lies between what went in. */
static void whatever_is_drawn__stays_in_range(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < 200; step++) {
        float image[N];
        for (int i = 0; i < N; i++)
            image[i] = (i + (int)step) % 5 < 2 ? -1.0f : 1.0f;
        const data_change change = data_draw_change(&everything, SIZE, 1, step, 0);
        change_image(image, &change);
        for (int i = 0; i < N; i++)
            if (!(image[i] >= -1 && image[i] <= 1))
                fail_msg("step %d, %d: %g", (int)step, i, (double)image[i]);
    }
}

/* Every number that is drawn: flips as 0 and 1, then what has a range. */
enum { N_DRAWN = 7 };
static void list_drawn(double drawn[N_DRAWN], const data_change *change)
{
    drawn[0] = change->horizontal;
    drawn[1] = change->vertical;
    drawn[2] = change->shift_x;
    drawn[3] = change->shift_y;
    drawn[4] = change->angle * 180 / acos(-1);
    drawn[5] = log(change->gain);
    drawn[6] = change->offset;
}

static void draws__fill_their_ranges_evenly(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    const double most[N_DRAWN] = {1, 1, 3, 3, 20, log(1.5), 0.4};
    double low[N_DRAWN] = {0}, high[N_DRAWN] = {0}, sum[N_DRAWN] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        double drawn[N_DRAWN];
        const data_change change = data_draw_change(&everything, SIZE, 2, i / 32, i % 32);
        list_drawn(drawn, &change);
        assert_true(change.shift_x == floor(change.shift_x));
        for (int k = 0; k < N_DRAWN; k++) {
            low[k] = fmin(low[k], drawn[k]);
            high[k] = fmax(high[k], drawn[k]);
            sum[k] += drawn[k] / most[k] / DRAWS;
        }
    }
    for (int k = 0; k < N_DRAWN; k++) {
        const double lowest = k < 2 ? 0 : -most[k], mean = k < 2 ? 0.5 : 0;
        if (high[k] > most[k] || high[k] < 0.99 * most[k] || low[k] < lowest ||
            low[k] > 0.99 * lowest || fabs(sum[k] - mean) > 0.05)
            fail_msg("number %d: %g to %g, mean %g", k, low[k], high[k], sum[k]);
    }
}

static void draws__hang_on_seed_step_and_index_alone(void **state)
{
    (void)state;
    double drawn[5][N_DRAWN];
    const data_change changes[5] = {
        data_draw_change(&everything, SIZE, 2, 9, 4), data_draw_change(&everything, SIZE, 2, 9, 4),
        data_draw_change(&everything, SIZE, 3, 9, 4), data_draw_change(&everything, SIZE, 2, 8, 4),
        data_draw_change(&everything, SIZE, 2, 9, 5)};
    for (int i = 0; i < 5; i++)
        list_drawn(drawn[i], &changes[i]);
    for (int k = 4; k < N_DRAWN; k++) {
        assert_true(drawn[1][k] == drawn[0][k]);
        for (int i = 2; i < 5; i++)
            assert_true(drawn[i][k] != drawn[0][k]);
    }
}

/* What a run with flips alone does is not changed by what else there is. */
static void draws__of_one_kind_are_the_same_beside_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        const data_change all = data_draw_change(&everything, SIZE, 2, 0, i);
        const data_change flips =
            data_draw_change(&(ano_augment){.flip = everything.flip}, SIZE, 2, 0, i);
        assert_true(all.horizontal == flips.horizontal && all.vertical == flips.vertical);
        assert_true(flips.shift_x == 0 && flips.angle == 0 && flips.gain == 1 && flips.offset == 0);
    }
}

static void check__refuses_what_is_out_of_range_by_name(void **state)
{
    (void)state;
    static const struct {
        ano_augment augment;
        const char *word;
    } cases[] = {
        {{.flip = 4}, "flip"},
        {{.shift = 0.6}, "shift"},
        {{.shift = -0.1}, "shift"},
        {{.rotate = 181}, "rotate"},
        {{.brightness = 1.5}, "brightness"},
        {{.contrast = NAN}, "contrast"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_error err = ANO_ERROR_INIT;
        assert_int_equal(data_augment_check(&cases[i].augment, &err), ANO_ARG);
        assert_non_null(strstr(err.message, cases[i].word));
    }
    assert_int_equal(data_augment_check(&everything, NULL), ANO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_augmentation__leaves_every_bit),
        cmocka_unit_test(flips__mirror),
        cmocka_unit_test(shifts__move_pixels_and_repeat_the_edge),
        cmocka_unit_test(rotation__turns_clockwise_about_the_centre),
        cmocka_unit_test(rotation_and_shift__are_one_exact_resampling_of_a_plane),
        cmocka_unit_test(light__is_gain_and_offset_within_the_range),
        cmocka_unit_test(whatever_is_drawn__stays_in_range),
        cmocka_unit_test(draws__fill_their_ranges_evenly),
        cmocka_unit_test(draws__hang_on_seed_step_and_index_alone),
        cmocka_unit_test(draws__of_one_kind_are_the_same_beside_others),
        cmocka_unit_test(check__refuses_what_is_out_of_range_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
