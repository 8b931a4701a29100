#include "data/anomaly.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 400, SIZE = 48 };

static const float visible = 0.03f, covered = 0.3f;

/* Of just the sizes that are asked for, so that a sanitizer sees what lies beyond them. */
typedef struct canvas {
    int size, channels;
    size_t n_pixels, n_numbers;
    float *before, *image, *other, *mask, *scratch;
} canvas;

static canvas canvas_new(int size, int channels)
{
    const size_t n = (size_t)size * (size_t)size, numbers = n * (size_t)channels;
    const canvas c = {size,
                      channels,
                      n,
                      numbers,
                      malloc(numbers * sizeof(float)),
                      malloc(numbers * sizeof(float)),
                      malloc(numbers * sizeof(float)),
                      malloc(n * sizeof(float)),
                      malloc((n + numbers) * sizeof(float))};
    assert_true(c.before && c.image && c.other && c.mask && c.scratch);
    for (size_t i = 0; i < numbers; i++) {
        c.before[i] = sinf((float)i * 0.7f);
        c.other[i] = 0.5f + 0.4f * sinf((float)i * 0.31f);
    }
    return c;
}

static void canvas_free(canvas *c)
{
    free(c->before);
    free(c->image);
    free(c->other);
    free(c->mask);
    free(c->scratch);
}

static void flatten(float *image, size_t n, float tone)
{
    for (size_t i = 0; i < n; i++)
        image[i] = tone;
}

static base_random stream(uint64_t step)
{
    return (base_random){7, BASE_PURPOSE_ANOMALY, step};
}

/* Draws onto a copy of `before`. */
static void draw(canvas *c, base_random random, uint32_t index)
{
    memcpy(c->image, c->before, c->n_numbers * sizeof *c->image);
    data_draw_anomaly(c->image, c->mask, c->other, c->size, c->channels, random, index, c->scratch);
}

/* The largest change of a pixel's channels. */
static float change_at(const canvas *c, size_t pixel)
{
    float change = 0;
    for (size_t k = pixel * (size_t)c->channels; k < (pixel + 1) * (size_t)c->channels; k++)
        change = fmaxf(change, fabsf(c->image[k] - c->before[k]));
    return change;
}

static void check_drawing(const canvas *c, uint32_t index)
{
    for (size_t i = 0; i < c->n_numbers; i++)
        if (!(c->image[i] >= -1 && c->image[i] <= 1))
            fail_msg("size %d, draw %u: number %zu is %g", c->size, index, i, (double)c->image[i]);
    for (size_t i = 0; i < c->n_pixels; i++) {
        const float cover = c->scratch[i], change = change_at(c, i);
        const float expected = cover > covered && change > visible ? 1 : 0;
        if (!(cover >= 0 && cover <= 1) || (cover == 0 && change != 0) || c->mask[i] != expected)
            fail_msg("size %d, draw %u, pixel %zu: covered by %g, changed by %g, mask %g", c->size,
                     index, i, (double)cover, (double)change, (double)c->mask[i]);
    }
}

static void anomaly__changes_only_what_its_shape_covers_and_its_mask_says_where(void **state)
{
    (void)state;
    static const int sizes[] = {16, 17, 28, 64, 100, 256};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int channels = 1; channels <= 3; channels += 2) {
            canvas c = canvas_new(sizes[s], channels);
            const uint32_t n = sizes[s] < 100 ? 100 : 10;
            for (uint32_t i = 0; i < n; i++) {
                draw(&c, stream(0), i);
                check_drawing(&c, i);
            }
            canvas_free(&c);
        }
}

/* At the ends of the range all that is drawn outside of it is cut off. */
static void anomaly__stays_in_range_on_black_and_white(void **state)
{
    (void)state;
    canvas c = canvas_new(SIZE, 1);
    for (size_t i = 0; i < c.n_numbers; i++) {
        c.before[i] = i % 5 < 2 ? -1.0f : 1.0f;
        c.other[i] = i % 3 < 2 ? 1.0f : -1.0f;
    }
    for (uint32_t i = 0; i < DRAWS; i++) {
        draw(&c, stream(1), i);
        check_drawing(&c, i);
    }
    canvas_free(&c);
}

static void anomaly__is_seen_nearly_always_and_leaves_most_of_the_image(void **state)
{
    (void)state;
    canvas c = canvas_new(SIZE, 1);
    int n_seen = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        size_t n = 0;
        draw(&c, stream(2), i);
        for (size_t k = 0; k < c.n_pixels; k++)
            n += c.mask[k] > 0;
        n_seen += n > 0;
        if (n > 8 * c.n_pixels / 10)
            fail_msg("draw %u changes %zu of %zu pixels", i, n, c.n_pixels);
    }
    if (n_seen < DRAWS * 95 / 100)
        fail_msg("expected nearly %d that can be seen, got %d", DRAWS, n_seen);
    canvas_free(&c);
}

static void draws__hang_on_seed_purpose_step_and_index_alone(void **state)
{
    (void)state;
    canvas c = canvas_new(SIZE, 3), again = canvas_new(SIZE, 3);
    const size_t bytes = c.n_numbers * sizeof(float);
    const base_random random = stream(3);
    base_random others[] = {random, random, random};
    others[0].seed++;
    others[1].purpose = BASE_PURPOSE_TEST;
    others[2].step++;
    for (uint32_t i = 0; i < 20; i++) {
        draw(&c, random, i);
        memset(again.scratch, 0xff, (c.n_pixels + c.n_numbers) * sizeof(float));
        draw(&again, random, i);
        assert_memory_equal(again.image, c.image, bytes);
        assert_memory_equal(again.mask, c.mask, c.n_pixels * sizeof(float));
        draw(&again, random, i + 1);
        assert_memory_not_equal(again.image, c.image, bytes);
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            draw(&again, others[k], i);
            assert_memory_not_equal(again.image, c.image, bytes);
        }
    }
    canvas_free(&c);
    canvas_free(&again);
}

/* ---- what is drawn ------------------------------------------------------------------------ */

typedef struct range {
    float low, high;
    double mean;
    size_t n;
} range;

/* Of the change of what the shape covers wholly. */
static range change_of_inside(const canvas *c)
{
    range r = {INFINITY, -INFINITY, 0, 0};
    for (size_t i = 0; i < c->n_pixels; i++) {
        if (c->scratch[i] < 1)
            continue;
        const float change = c->image[i] - c->before[i];
        r.low = fminf(r.low, change);
        r.high = fmaxf(r.high, change);
        r.mean += (double)change;
        r.n++;
    }
    r.mean /= (double)r.n;
    return r;
}

/* On a flat image beside another that is as flat, pasting and blurring change nothing, light
 * changes all pixels alike, a tone by nearly the same, and noise by nothing on average. */
static void fillings__all_occur(void **state)
{
    (void)state;
    canvas flat = canvas_new(SIZE, 1);
    flatten(flat.before, flat.n_numbers, 0.1f);
    flatten(flat.other, flat.n_numbers, 0.1f);
    canvas wavy = canvas_new(SIZE, 1);
    float *image = malloc(wavy.n_numbers * sizeof *image);
    int n_pasted = 0, n_blurred = 0, n_lit = 0, n_toned = 0, n_noisy = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        draw(&wavy, stream(4), i);
        memcpy(image, wavy.image, wavy.n_numbers * sizeof *image);
        for (size_t k = 0; k < wavy.n_numbers; k++)
            wavy.other[k] = -wavy.other[k];
        draw(&wavy, stream(4), i);
        const bool is_pasted = memcmp(image, wavy.image, wavy.n_numbers * sizeof *image) != 0;
        draw(&flat, stream(4), i);
        const range r = change_of_inside(&flat);
        n_pasted += is_pasted;
        if (r.n < 30)
            continue;
        const float spread = r.high - r.low;
        n_blurred += !is_pasted && fmaxf(fabsf(r.low), fabsf(r.high)) < 1e-6f;
        n_lit += spread < 1e-6f && fabs(r.mean) > 1e-3;
        n_toned += spread > 1e-3f && fabs(r.mean) > 2 * (double)spread;
        n_noisy += spread > 1e-3f && fabs(r.mean) < 0.25 * (double)spread;
    }
    if (n_pasted < DRAWS / 8 || n_pasted > DRAWS / 3 || n_blurred < DRAWS / 16 ||
        n_lit < DRAWS / 16 || n_toned < DRAWS / 32 || n_noisy < DRAWS / 16)
        fail_msg("pasted %d, blurred %d, lit %d, toned %d, noisy %d of %d", n_pasted, n_blurred,
                 n_lit, n_toned, n_noisy, DRAWS);
    free(image);
    canvas_free(&flat);
    canvas_free(&wavy);
}

/* What is pasted from a flat image as it is changes by the opacity times the difference in tone. */
static void pastes__come_from_the_other_image(void **state)
{
    (void)state;
    canvas c = canvas_new(SIZE, 1);
    flatten(c.before, c.n_numbers, -0.5f);
    int n_pasted = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        double change[2];
        for (int k = 0; k < 2; k++) {
            flatten(c.other, c.n_numbers, k == 0 ? 0.4f : 0.9f);
            draw(&c, stream(5), i);
            change[k] = change_of_inside(&c).mean;
        }
        if (!(fabs(change[0] - change[1]) > 1e-4)) /* not pasted, or as light as the image */
            continue;
        n_pasted++;
        const double opacity = change[0] / (0.4 + 0.5);
        if (opacity < 0.35 - 1e-6 || opacity > 1 + 1e-6 ||
            fabs(change[1] - opacity * (0.9 + 0.5)) > 1e-5)
            fail_msg("draw %u: changes by %g and %g", i, change[0], change[1]);
    }
    assert_true(n_pasted > DRAWS / 20);
    canvas_free(&c);
}

/* ---- shapes ------------------------------------------------------------------------------- */

static bool is_inside(const canvas *c, int x, int y)
{
    return c->scratch[y * c->size + x] > 0.5f;
}

/* Whether a square of 7 pixels fits into it anywhere. A line is never wider than 5. */
static bool is_thick(const canvas *c)
{
    enum { REACH = 3 };
    for (int y = REACH; y < c->size - REACH; y++)
        for (int x = REACH; x < c->size - REACH; x++) {
            bool fits = true;
            for (int v = y - REACH; v <= y + REACH && fits; v++)
                for (int u = x - REACH; u <= x + REACH && fits; u++)
                    fits = is_inside(c, u, v);
            if (fits)
                return true;
        }
    return false;
}

/* How much of the smallest rectangle around it, at any angle, it fills. */
static double fill_of_rectangle(const canvas *c)
{
    double least = INFINITY, n = 0;
    for (int step = 0; step < 90; step++) {
        const double angle = step * acos(-1) / 180, cosine = cos(angle), sine = sin(angle);
        double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
        n = 0;
        for (int y = 0; y < c->size; y++)
            for (int x = 0; x < c->size; x++) {
                if (!is_inside(c, x, y))
                    continue;
                const double at[2] = {x * cosine + y * sine, y * cosine - x * sine};
                for (int k = 0; k < 2; k++) {
                    low[k] = fmin(low[k], at[k]);
                    high[k] = fmax(high[k], at[k]);
                }
                n++;
            }
        least = fmin(least, (high[0] - low[0] + 1) * (high[1] - low[1] + 1));
    }
    return n / least;
}

static bool touches_border(const canvas *c)
{
    for (int i = 0; i < c->size; i++)
        if (is_inside(c, i, 0) || is_inside(c, i, c->size - 1) || is_inside(c, 0, i) ||
            is_inside(c, c->size - 1, i))
            return true;
    return false;
}

/* An ellipse fills 0.79 of its rectangle; what is thin and fills little of it is a line. */
static void shapes__all_occur(void **state)
{
    (void)state;
    canvas c = canvas_new(64, 1);
    int n_blobs = 0, n_bars = 0, n_lines = 0;
    for (uint32_t i = 0; i < 2 * DRAWS; i++) {
        draw(&c, stream(6), i);
        if (touches_border(&c))
            continue;
        const bool thick = is_thick(&c);
        const double fill = fill_of_rectangle(&c);
        n_blobs += thick && fill < 0.82;
        n_bars += thick && fill > 0.9;
        n_lines += !thick && fill < 0.4;
    }
    if (n_blobs < 8 || n_bars < 8 || n_lines < 8)
        fail_msg("blobs %d, bars %d, lines %d of %d", n_blobs, n_bars, n_lines, 2 * DRAWS);
    canvas_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anomaly__changes_only_what_its_shape_covers_and_its_mask_says_where),
        cmocka_unit_test(anomaly__stays_in_range_on_black_and_white),
        cmocka_unit_test(anomaly__is_seen_nearly_always_and_leaves_most_of_the_image),
        cmocka_unit_test(draws__hang_on_seed_purpose_step_and_index_alone),
        cmocka_unit_test(fillings__all_occur),
        cmocka_unit_test(pastes__come_from_the_other_image),
        cmocka_unit_test(shapes__all_occur),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
