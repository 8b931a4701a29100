#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

/* Known answers of Philox4x32-10 from the Random123 distribution (kat_vectors). */
static void philox__gives_the_known_answers(void **state)
{
    (void)state;
    uint32_t words[4];
    base_random_block(words, (base_random){.seed = 0, .purpose = 0, .step = 0}, 0);
    const uint32_t zeros[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
    assert_memory_equal(words, zeros, sizeof words);
    base_random_block(words,
                      (base_random){.seed = 0x299f31d0a4093822u,
                                    .purpose = (base_purpose)0x03707344,
                                    .step = 0x13198a2e85a308d3u},
                      0x243f6a88u);
    const uint32_t pi[4] = {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u};
    assert_memory_equal(words, pi, sizeof words);
}

static void permutation__holds_every_index_once(void **state)
{
    (void)state;
    enum { N = 1001 };
    size_t order[N];
    int seen[N] = {0};
    base_random_permutation(order, N, (base_random){7, BASE_PURPOSE_TEST, 0});
    size_t in_place = 0;
    for (size_t i = 0; i < N; i++) {
        assert_in_range(order[i], 0, N - 1);
        assert_int_equal(seen[order[i]]++, 0);
        in_place += order[i] == i;
    }
    assert_true(in_place < 10);
}

static void uniform__stays_in_its_range_and_fills_it(void **state)
{
    (void)state;
    enum { N = 10000 };
    float values[N];
    base_random_uniform(values, N, -1, 1, (base_random){7, BASE_PURPOSE_TEST, 0});
    double sum = 0, sum_of_squares = 0;
    for (size_t i = 0; i < N; i++) {
        assert_true(values[i] >= -1 && values[i] < 1);
        sum += values[i];
        sum_of_squares += (double)values[i] * values[i];
    }
    assert_true(sum / N > -0.03 && sum / N < 0.03);
    assert_true(sum_of_squares / N > 0.32 && sum_of_squares / N < 0.35);
}

/* Of n numbers: moments within five of their deviations, √(1 / n), √(2 / n) and √(96 / n). */
static void normal__has_the_moments_of_its_distribution(void **state)
{
    (void)state;
    enum { N = 100001 };
    float *numbers = test_malloc(N * sizeof *numbers);
    base_random_normal(numbers, N, (base_random){7, BASE_PURPOSE_TEST, 0});
    double sum = 0, squares = 0, fourths = 0, products = 0;
    for (size_t i = 0; i < N; i++) {
        const double x = (double)numbers[i];
        sum += x;
        squares += x * x;
        fourths += x * x * x * x;
        products += i > 0 ? x * (double)numbers[i - 1] : 0;
    }
    const double deviation = 5 / sqrt(N);
    assert_true(fabs(sum / N) < deviation);
    assert_true(fabs(squares / N - 1) < sqrt(2) * deviation);
    assert_true(fabs(fourths / N - 3) < sqrt(96) * deviation);
    assert_true(fabs(products / N) < deviation);
    test_free(numbers);
}

/* Of both kinds, by the last bit. */
static void number_of_a_stream__is_the_same_alone(void **state)
{
    (void)state;
    enum { N = 23 };
    const base_random random = {7, BASE_PURPOSE_TEST, 3};
    float uniform[N], normal[N];
    base_random_uniform(uniform, N, -1, 1, random);
    base_random_normal(normal, N, random);
    for (size_t i = 0; i < N; i++) {
        assert_true(base_random_uniform_at(i, -1, 1, random) == uniform[i]);
        assert_true(base_random_normal_at(i, random) == normal[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox__gives_the_known_answers),
        cmocka_unit_test(permutation__holds_every_index_once),
        cmocka_unit_test(uniform__stays_in_its_range_and_fills_it),
        cmocka_unit_test(normal__has_the_moments_of_its_distribution),
        cmocka_unit_test(number_of_a_stream__is_the_same_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
