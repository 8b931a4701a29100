#include "detect/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 9 };
static const base_random draws = {1, BASE_PURPOSE_TEST, 0};
static const ano_prior priors[] = {ANO_PRIOR_UNIFORM, ANO_PRIOR_NORMAL};

static void support__leaves_alone_what_lies_inside(void **state)
{
    (void)state;
    const float shares[N] = {-1, -0.9f, -0.5f, -0.1f, 0, 0.3f, 0.7f, 0.99f, 1};
    for (int p = 0; p < 2; p++)
        for (ano_clip clip = ANO_CLIP_BOUND; clip <= ANO_CLIP_STOCHASTIC; clip++) {
            float inside[N], unknowns[N];
            for (int i = 0; i < N; i++)
                inside[i] = unknowns[i] = model_prior_range(priors[p]) * shares[i];
            detect_support_keep(unknowns, N, (detect_support){clip, priors[p]}, draws);
            assert_memory_equal(unknowns, inside, sizeof unknowns);
        }
}

static void support__brings_back_what_has_left(void **state)
{
    (void)state;
    const float shares[N] = {-1.01f, 0.5f, 1.01f, 3, -7, 0, 1.5f, -1.5f, 2};
    for (int p = 0; p < 2; p++) {
        const float range = model_prior_range(priors[p]);
        const detect_support by_bound = {ANO_CLIP_BOUND, priors[p]},
                             by_draws = {ANO_CLIP_STOCHASTIC, priors[p]};
        float left[N], bound[N], drawn[N], again[N];
        for (int i = 0; i < N; i++)
            left[i] = range * shares[i];
        memcpy(bound, left, sizeof bound);
        detect_support_keep(bound, N, by_bound, draws);
        memcpy(drawn, left, sizeof drawn);
        detect_support_keep(drawn, N, by_draws, draws);
        memcpy(again, left, sizeof again);
        detect_support_keep(again, N, by_draws, draws);
        assert_memory_equal(again, drawn, sizeof drawn);
        for (int i = 0; i < N; i++) {
            const bool is_out = fabsf(left[i]) > range;
            assert_true(bound[i] == (is_out ? copysignf(range, left[i]) : left[i]));
            assert_true(is_out ? fabsf(drawn[i]) < range : drawn[i] == left[i]);
            for (int k = 0; k < i && is_out; k++)
                assert_true(drawn[k] != drawn[i]);
        }
    }
}

/* The differences are off by h²/6 times the third derivative, at most 2, and by roundings, which
 * grow with the range, over h. */
static void support_by_tanh__begins_where_it_is_told_and_has_its_gradient(void **state)
{
    (void)state;
    const float shares[] = {-0.9f, -0.2f, 0, 0.6f}, h = 0x1p-8f;
    const float ones[] = {1, 1, 1, 1};
    for (int p = 0; p < 2; p++) {
        const detect_support support = {ANO_CLIP_TANH, priors[p]};
        const float range = model_prior_range(priors[p]);
        float z0[4], a[4], z[4], above[4], below[4], diff[4];
        for (int i = 0; i < 4; i++)
            z0[i] = range * shares[i];
        detect_support_begin(a, z0, 4, support);
        detect_support_z(z, a, 4, support);
        detect_support_backward(diff, ones, z, 4, support);
        for (int i = 0; i < 4; i++) {
            assert_true(fabsf(z[i] - z0[i]) < 1e-6f * range);
            a[i] += h;
        }
        detect_support_z(above, a, 4, support);
        for (int i = 0; i < 4; i++)
            a[i] -= 2 * h;
        detect_support_z(below, a, 4, support);
        for (int i = 0; i < 4; i++)
            assert_true(fabsf(diff[i] - (above[i] - below[i]) / (2 * h)) < 5e-5f * range);
    }
}

/* artanh of 1 is no place to begin at. */
static void support_by_tanh__begins_with_numbers(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        const float range = model_prior_range(priors[p]), ends[] = {-range, 2 * range};
        float a[2];
        detect_support_begin(a, ends, 2, (detect_support){ANO_CLIP_TANH, priors[p]});
        assert_true(isfinite(a[0]) && isfinite(a[1]));
    }
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
