#include "detect/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 9 };
static const base_random draws = {1, BASE_PURPOSE_TEST, 0};

static void support__leaves_alone_what_lies_inside(void **state)
{
    (void)state;
    const float inside[N] = {-1, -0.9f, -0.5f, -0.1f, 0, 0.3f, 0.7f, 0.99f, 1};
    for (ano_clip clip = ANO_CLIP_BOUND; clip <= ANO_CLIP_STOCHASTIC; clip++) {
        float unknowns[N];
        memcpy(unknowns, inside, sizeof unknowns);
        detect_support_keep(unknowns, N, clip, draws);
        assert_memory_equal(unknowns, inside, sizeof unknowns);
    }
}

static void support__brings_back_what_has_left(void **state)
{
    (void)state;
    const float left[N] = {-1.01f, 0.5f, 1.01f, 3, -7, 0, 1.5f, -1.5f, 2};
    float bound[N], drawn[N], again[N];
    memcpy(bound, left, sizeof bound);
    detect_support_keep(bound, N, ANO_CLIP_BOUND, draws);
    memcpy(drawn, left, sizeof drawn);
    detect_support_keep(drawn, N, ANO_CLIP_STOCHASTIC, draws);
    memcpy(again, left, sizeof again);
    detect_support_keep(again, N, ANO_CLIP_STOCHASTIC, draws);
    assert_memory_equal(again, drawn, sizeof drawn);
    for (int i = 0; i < N; i++) {
        const bool is_out = fabsf(left[i]) > 1;
        assert_true(bound[i] == (is_out ? copysignf(1, left[i]) : left[i]));
        assert_true(is_out ? fabsf(drawn[i]) < 1 : drawn[i] == left[i]);
        for (int k = 0; k < i && is_out; k++)
            assert_true(drawn[k] != drawn[i]);
    }
}

static void support_by_tanh__begins_where_it_is_told_and_has_its_gradient(void **state)
{
    (void)state;
    const float z0[] = {-0.9f, -0.2f, 0, 0.6f}, h = 0x1p-8f;
    float a[4], z[4], above[4], below[4], diff[4];
    const float ones[] = {1, 1, 1, 1};
    detect_support_begin(a, z0, 4, ANO_CLIP_TANH);
    detect_support_z(z, a, 4, ANO_CLIP_TANH);
    detect_support_backward(diff, ones, z, 4, ANO_CLIP_TANH);
    for (int i = 0; i < 4; i++) {
        assert_true(fabsf(z[i] - z0[i]) < 1e-6f);
        a[i] += h;
    }
    detect_support_z(above, a, 4, ANO_CLIP_TANH);
    for (int i = 0; i < 4; i++)
        a[i] -= 2 * h;
    detect_support_z(below, a, 4, ANO_CLIP_TANH);
    for (int i = 0; i < 4; i++) /* h²/6 times the third derivative, at most 2; roundings by h */
        assert_true(fabsf(diff[i] - (above[i] - below[i]) / (2 * h)) < 5e-5f);
}

/* artanh of 1 is no place to begin at. */
static void support_by_tanh__begins_with_numbers(void **state)
{
    (void)state;
    const float ends[] = {-1, 1};
    float a[2];
    detect_support_begin(a, ends, 2, ANO_CLIP_TANH);
    assert_true(isfinite(a[0]) && isfinite(a[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(support__leaves_alone_what_lies_inside),
        cmocka_unit_test(support__brings_back_what_has_left),
        cmocka_unit_test(support_by_tanh__begins_where_it_is_told_and_has_its_gradient),
        cmocka_unit_test(support_by_tanh__begins_with_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
