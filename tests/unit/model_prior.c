#include "model/prior.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void prior__is_the_methods_where_none_is_given(void **state)
{
    (void)state;
    static const ano_method gans[] = {ANO_METHOD_FC, ANO_METHOD_ENCODER};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(model_prior(&(ano_model_config){.method = gans[i]}), ANO_PRIOR_UNIFORM);
        assert_int_equal(
            model_prior(&(ano_model_config){.method = gans[i], .prior = ANO_PRIOR_NORMAL}),
            ANO_PRIOR_NORMAL);
    }
    assert_int_equal(model_prior(&(ano_model_config){.method = ANO_METHOD_VAE}), ANO_PRIOR_NORMAL);
}

static void prior__is_found_by_its_name(void **state)
{
    (void)state;
    for (ano_prior prior = ANO_PRIOR_UNIFORM; prior <= ANO_PRIOR_NORMAL; prior++) {
        ano_prior found = ANO_PRIOR_OF_METHOD;
        assert_true(model_prior_named(&found, ano_prior_name(prior)));
        assert_int_equal(found, prior);
        assert_false(model_prior_named(&found, ""));
    }
}

/* Of n numbers the share within the range is 1, or 0.9973 ± 5 √(0.0027 / n). */
static void prior__has_its_mass_in_the_range_that_searches_keep_to(void **state)
{
    (void)state;
    enum { N = 40000 };
    static float z[N];
    static const double least[] = {[ANO_PRIOR_UNIFORM] = 1, [ANO_PRIOR_NORMAL] = 0.996};
    static const double most[] = {[ANO_PRIOR_UNIFORM] = 1, [ANO_PRIOR_NORMAL] = 0.9986};
    const base_random random = {5, BASE_PURPOSE_TEST, 0};
    for (ano_prior prior = ANO_PRIOR_UNIFORM; prior <= ANO_PRIOR_NORMAL; prior++) {
        const float range = model_prior_range(prior);
        double within = 0;
        model_prior_draw(z, N, prior, random);
        for (size_t i = 0; i < N; i++)
            within += z[i] >= -range && z[i] <= range;
        assert_true(within / N >= least[prior] && within / N <= most[prior]);
        for (size_t i = 0; i < 10; i++)
            assert_true(model_prior_number(i, prior, random) == z[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prior__is_the_methods_where_none_is_given),
        cmocka_unit_test(prior__is_found_by_its_name),
        cmocka_unit_test(prior__has_its_mass_in_the_range_that_searches_keep_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
