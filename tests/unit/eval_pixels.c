#include <anogan/anogan.h>

#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static ano_pixel_metrics *create(void)
{
    ano_pixel_metrics *metrics;
    assert_int_equal(ano_pixel_metrics_create(&metrics, NULL), ANO_OK);
    return metrics;
}

static void add(ano_pixel_metrics *metrics, const float *map, const uint8_t *mask, int height,
                int width)
{
    ano_error err = ANO_ERROR_INIT;
    if (ano_pixel_metrics_add(metrics, map, mask, height, width, &err) != ANO_OK)
        fail_msg("%s", err.message);
}

/* The result of all that was added; frees the metrics. */
static ano_pixel_result finish(ano_pixel_metrics *metrics)
{
    ano_pixel_result result;
    ano_error err = ANO_ERROR_INIT;
    if (ano_pixel_metrics_finish(&result, metrics, &err) != ANO_OK)
        fail_msg("%s", err.message);
    ano_pixel_metrics_free(metrics);
    return result;
}

static void expect(const char *what, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: expected %.12g, got %.12g", what, expected, got);
}

/* Two regions, of 1 and of 4 pixels, and 10 normal pixels. From the top: the single pixel; then of
 * the normal pixels 2; then half of the large region; 2 more normal ones; the rest of the region
 * with 6 normal ones. PRO over FPR: (0, 0.5), (0.2, 0.5), (0.2, 0.75), (0.4, 0.75), so that from 0
 * to 0.3 the area is 0.2 x 0.5 + 0.1 x 0.75. */
static void pixels__agree_with_a_case_done_by_hand(void **state)
{
    (void)state;
    const uint8_t mask[] = {1, 0, 0, 0, 0, /**/ 0, 0, 0, 1, 1, /**/ 0, 0, 0, 1, 1};
    const float map[] = {9, 8, 8, 5, 5, /**/ 3, 3, 3, 7, 3, /**/ 3, 3, 3, 7, 3};
    ano_pixel_metrics *metrics = create();
    add(metrics, map, mask, 3, 5);
    const ano_pixel_result result = finish(metrics);
    assert_int_equal(result.n_normal, 10);
    assert_int_equal(result.n_anomalous, 5);
    assert_int_equal(result.n_regions, 2);
    expect("aupro", result.aupro, (0.2 * 0.5 + 0.1 * 0.75) / 0.3, 1e-12);
    expect("auroc", result.auroc, (10 + 2 * 8 + 2 * 3) / 50.0, 1e-12);
    assert_true(result.auroc_error == 0 && result.aupro_error == 0);
}

static void pixels__interpolate_where_a_step_crosses_the_limit(void **state)
{
    (void)state;
    const uint8_t mask[] = {1, 1, 0, 0, 0, 0, 0, 0};
    /* (0, 0.5), then to (0.5, 1) in one step of a tie, which the limit cuts at (0.3, 0.8). */
    const float map[] = {4, 3, 3, 3, 3, 1, 1, 1};
    ano_pixel_metrics *metrics = create();
    add(metrics, map, mask, 1, 8);
    expect("aupro", finish(metrics).aupro, (0.5 + 0.8) / 2, 1e-12);
}

static void pixels__give_chance_where_all_tie_and_one_where_all_are_apart(void **state)
{
    (void)state;
    const uint8_t mask[] = {0, 1, 0, 0, 1, 1};
    const float tied[] = {0, 0, -0.0f, 0, 0, -0.0f}, apart[] = {0, 2, 0, 1, 3, 3};
    ano_pixel_metrics *metrics = create();
    add(metrics, tied, mask, 2, 3);
    const ano_pixel_result chance = finish(metrics);
    expect("auroc tied", chance.auroc, 0.5, 1e-15);
    expect("aupro tied", chance.aupro, 0.3 / 2, 1e-15);
    expect("auroc_error tied", chance.auroc_error, 0, 0);
    metrics = create();
    add(metrics, apart, mask, 2, 3);
    const ano_pixel_result one = finish(metrics);
    expect("auroc apart", one.auroc, 1, 0);
    expect("aupro apart", one.aupro, 1, 1e-15);
}

static void pixels__weigh_a_region_of_one_pixel_as_a_large_one(void **state)
{
    (void)state;
    enum { WIDTH = 1000 };
    uint8_t mask[WIDTH] = {0};
    float map[WIDTH] = {0};
    mask[0] = 1; /* missed */
    map[0] = 0;
    for (int i = 100; i < WIDTH; i++) { /* found whole */
        mask[i] = 1;
        map[i] = 1;
    }
    ano_pixel_metrics *metrics = create();
    add(metrics, map, mask, 1, WIDTH);
    const ano_pixel_result result = finish(metrics);
    assert_int_equal(result.n_regions, 2);
    /* From (0, 0.5) straight to (1, 1). */
    expect("aupro", result.aupro, (0.5 + 0.65) / 2, 1e-12);
}

static void pixels__take_an_empty_mask_for_none(void **state)
{
    (void)state;
    const uint8_t mask[] = {0, 1, 1, 0}, empty[4] = {0};
    const float map[] = {1, 2, 3, 4}, other[] = {2, 5, 0.5f, 1};
    ano_pixel_metrics *with = create(), *without = create();
    add(with, map, mask, 2, 2);
    add(with, other, empty, 4, 1);
    add(without, other, NULL, 1, 4);
    add(without, map, mask, 2, 2);
    const ano_pixel_result a = finish(with), b = finish(without);
    assert_int_equal(a.n_normal, 6);
    assert_int_equal(a.n_regions, 1);
    assert_memory_equal(&a, &b, sizeof a);
}

/* Against all pairs of random values as close as floats can be to each other, and farther. */
static void pixels__keep_auroc_within_the_error_they_state(void **state)
{
    (void)state;
    enum { N = 600 };
    const float widths[] = {0x1p-20f, 0x1p-12f, 0x1p-8f, 1, 1000};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        float map[N];
        uint8_t mask[N];
        base_random_uniform(map, N, 1, 1 + widths[w], (base_random){1, BASE_PURPOSE_TEST, w});
        for (int i = 0; i < N; i++)
            mask[i] = i % 7 < 3;
        double wins = 0, pairs = 0;
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < N; k++) {
                if (mask[i] == 0 || mask[k] != 0)
                    continue;
                pairs++;
                wins += map[i] > map[k] ? 1 : map[i] == map[k] ? 0.5 : 0;
            }
        }
        ano_pixel_metrics *metrics = create();
        add(metrics, map, mask, 1, N);
        const ano_pixel_result result = finish(metrics);
        expect("auroc", result.auroc, wins / pairs, result.auroc_error + 1e-12);
        if (widths[w] >= 1)
            expect("auroc_error", result.auroc_error, 0, 1e-3);
        else if (widths[w] < 0x1p-12f)
            expect("auroc_error", result.auroc_error, 0.5, 1e-12);
    }
}

/* All normal pixels in one bin with the anomalous ones, above or below them: the exact PRO is 0 or
 * 1 up to the limit. */
static void pixels__state_an_error_of_aupro_that_holds_for_the_worst_of_a_bin(void **state)
{
    (void)state;
    const float low = 1, high = 1 + 0x1p-20f;
    const uint8_t mask[] = {1, 0, 0, 0};
    const float best[] = {high, low, low, low}, worst[] = {low, high, high, high};
    ano_pixel_metrics *metrics = create();
    add(metrics, best, mask, 2, 2);
    const ano_pixel_result above = finish(metrics);
    metrics = create();
    add(metrics, worst, mask, 2, 2);
    const ano_pixel_result below = finish(metrics);
    assert_true(above.aupro + above.aupro_error >= 1 - 1e-12 && above.aupro_error <= 1);
    assert_true(below.aupro - below.aupro_error <= 1e-12);
}

static void pixels__refuse_bad_numbers_and_add_nothing(void **state)
{
    (void)state;
    const uint8_t mask[] = {1, 0, 1, 0};
    const float map[] = {1, 2, 3, 4}, negative[] = {1, 2, 3, -1};
    float not_numbers[] = {1, 2, NAN, 4};
    ano_pixel_metrics *metrics = create();
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_pixel_metrics_add(metrics, not_numbers, mask, 2, 2, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "row 1, column 0"));
    not_numbers[2] = INFINITY;
    assert_int_equal(ano_pixel_metrics_add(metrics, not_numbers, mask, 2, 2, NULL), ANO_NUMERIC);
    assert_int_equal(ano_pixel_metrics_add(metrics, negative, mask, 2, 2, NULL), ANO_ARG);
    assert_int_equal(ano_pixel_metrics_add(metrics, map, mask, 0, 4, NULL), ANO_SHAPE);
    assert_int_equal(ano_pixel_metrics_add(metrics, map, mask, 1 << 16, 1 << 15, NULL), ANO_SHAPE);
    ano_pixel_result result;
    assert_int_equal(ano_pixel_metrics_finish(&result, metrics, NULL), ANO_ARG);
    add(metrics, map, mask, 2, 2);
    const ano_pixel_result sound = finish(metrics);
    assert_int_equal(sound.n_anomalous, 2);
    assert_int_equal(sound.n_regions, 1);
}

static void pixels__need_both_kinds(void **state)
{
    (void)state;
    const uint8_t all[] = {1, 1};
    const float map[] = {1, 2};
    ano_pixel_metrics *metrics = create();
    ano_pixel_result result;
    ano_error err = ANO_ERROR_INIT;
    add(metrics, map, NULL, 1, 2);
    assert_int_equal(ano_pixel_metrics_finish(&result, metrics, &err), ANO_ARG);
    assert_string_equal(err.message,
                        "pixel metrics: needs normal and anomalous pixels, and there are 2 and 0");
    ano_pixel_metrics_free(metrics);
    metrics = create();
    add(metrics, map, all, 2, 1);
    assert_int_equal(ano_pixel_metrics_finish(&result, metrics, NULL), ANO_ARG);
    ano_pixel_metrics_free(metrics);
    ano_pixel_metrics_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels__agree_with_a_case_done_by_hand),
        cmocka_unit_test(pixels__interpolate_where_a_step_crosses_the_limit),
        cmocka_unit_test(pixels__give_chance_where_all_tie_and_one_where_all_are_apart),
        cmocka_unit_test(pixels__weigh_a_region_of_one_pixel_as_a_large_one),
        cmocka_unit_test(pixels__take_an_empty_mask_for_none),
        cmocka_unit_test(pixels__keep_auroc_within_the_error_they_state),
        cmocka_unit_test(pixels__state_an_error_of_aupro_that_holds_for_the_worst_of_a_bin),
        cmocka_unit_test(pixels__refuse_bad_numbers_and_add_nothing),
        cmocka_unit_test(pixels__need_both_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
