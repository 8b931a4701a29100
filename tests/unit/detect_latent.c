#include "detect/latent.h"

#include "base/memory.h"
#include "model/networks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SEARCHES = 6, LATENT = 4, SIZE = 8, PIXELS = SIZE * SIZE, ITERATIONS = 200 };
enum { WEIGHTS = LATENT * LATENT + LATENT };

static const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};

/* A drawn generator, and for each search an image that it makes and a start. */
typedef struct fixture {
    detect_folded *generator;
    float images[SEARCHES][PIXELS], z0[SEARCHES][LATENT], kernels[SEARCHES][LATENT * LATENT];
} fixture;

typedef struct outcome {
    float residual, generated[PIXELS], weights[WEIGHTS], trace[ITERATIONS];
    int steps; /* of the batch, from the search's first to its last */
} outcome;

static int set_up(void **state)
{
    fixture *f = base_alloc(1, sizeof *f);
    nn_net *net;
    assert_int_equal(model_generator_create(&net, &config, NULL), ANO_OK);
    nn_net_initialise(net, 3, BASE_PURPOSE_TEST);
    assert_int_equal(detect_folded_create(&f->generator, net, NULL), ANO_OK);
    nn_net_free(net);
    detect_folded_pass *pass;
    assert_int_equal(detect_folded_pass_create(&pass, f->generator, 1, NULL), ANO_OK);
    for (size_t i = 0; i < SEARCHES; i++) {
        float z[LATENT];
        base_random_uniform(z, LATENT, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 3 + i});
        memcpy(f->images[i], detect_folded_forward(pass, z, 1), sizeof f->images[i]);
    }
    detect_folded_pass_free(pass);
    base_random_uniform(f->z0[0], SEARCHES * LATENT, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 1});
    base_random_uniform(f->kernels[0], SEARCHES * LATENT * LATENT, -0.9f, 0.9f,
                        (base_random){1, BASE_PURPOSE_TEST, 2});
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    detect_folded_free(f->generator);
    base_free(f);
    return 0;
}

/* Runs searches [first, first + n), as many at once as there are places. */
static void run(outcome *outcomes, const fixture *f, size_t first, size_t n, size_t n_places,
                detect_latent_options how)
{
    detect_latent_batch *batch;
    assert_int_equal(
        detect_latent_create(&batch, f->generator, LATENT, PIXELS, n_places, how, NULL), ANO_OK);
    size_t next = first;
    for (int step = 0; next < first + n || !detect_latent_is_empty(batch); step++) {
        for (; next < first + n && detect_latent_has_room(batch); next++) {
            outcomes[next].steps = -step;
            detect_latent_add(batch, f->images[next],
                              (detect_latent_start){f->z0[next], f->kernels[next]}, next,
                              outcomes[next].trace);
        }
        assert_int_equal(detect_latent_step(batch, NULL), ANO_OK);
        for (detect_latent_found found; detect_latent_take(&found, batch);) {
            outcome *out = &outcomes[found.id];
            out->residual = found.residual;
            out->steps += step + 1;
            memcpy(out->generated, found.generated, sizeof out->generated);
            if (how.search == ANO_SEARCH_ADAM)
                memcpy(out->weights, found.weights, sizeof out->weights);
        }
    }
    detect_latent_free(batch);
}

static void check_company(const fixture *f, ano_search search)
{
    const detect_latent_options how = {
        .search = search, .iterations = ITERATIONS, .rate = 1e-2, .tolerance = 0.02};
    outcome *alone = base_alloc(SEARCHES, sizeof *alone);
    outcome *together = base_alloc(SEARCHES, sizeof *together);
    int differing = 0;
    for (size_t i = 0; i < SEARCHES; i++) {
        run(alone, f, i, 1, 1, how);
        differing += alone[i].steps != alone[0].steps;
    }
    assert_true(differing > 0); /* or no search would leave the batch before another */
    for (size_t n_places = 2; n_places <= SEARCHES && n_places <= DETECT_FOLDED_GROUP; n_places++) {
        run(together, f, 0, SEARCHES, n_places, how);
        for (size_t i = 0; i < SEARCHES; i++)
            if (memcmp(&alone[i], &together[i], sizeof(outcome)) != 0)
                fail_msg("search %zu of %d in %zu places: expected %.9g after %d steps, got %.9g "
                         "after %d",
                         i, SEARCHES, n_places, (double)alone[i].residual, alone[i].steps,
                         (double)together[i].residual, together[i].steps);
    }
    base_free(alone);
    base_free(together);
}

static void search__finds_the_same_in_any_company(void **state)
{
    check_company(*state, ANO_SEARCH_ADAM);
    check_company(*state, ANO_SEARCH_LBFGS);
}

/* The iteration after which a search must end, from the residuals of one that does not end early.
 */
static int expected_end(const float *trace, double least, double tolerance)
{
    double before = least;
    for (int k = 1; k < ITERATIONS; k++) {
        least = fmin(least, (double)trace[k - 1]);
        if (k % DETECT_LATENT_WINDOW != 0)
            continue;
        if (least > before * (1 - tolerance))
            return k;
        before = least;
    }
    return ITERATIONS;
}

static void search__ends_when_a_window_was_hardly_worth_it(void **state)
{
    const double tolerance = 0.02;
    detect_latent_options how = {.iterations = 0, .rate = 1e-2};
    outcome *at_first = base_alloc(SEARCHES, sizeof *at_first);
    outcome *whole = base_alloc(SEARCHES, sizeof *whole);
    outcome *ended = base_alloc(SEARCHES, sizeof *ended);
    run(at_first, *state, 0, SEARCHES, 1, how);
    how.iterations = ITERATIONS;
    run(whole, *state, 0, SEARCHES, 1, how);
    how.tolerance = tolerance;
    run(ended, *state, 0, SEARCHES, 1, how);
    for (size_t i = 0; i < SEARCHES; i++) {
        const int end = expected_end(whole[i].trace, (double)at_first[i].residual, tolerance);
        assert_int_equal(whole[i].steps, ITERATIONS + 1);
        assert_int_equal(ended[i].steps, end + 1);
        assert_true(end > DETECT_LATENT_WINDOW && end < ITERATIONS);
        float least = at_first[i].residual;
        for (int k = 0; k < ITERATIONS; k++) {
            const float expected = whole[i].trace[k < end ? k : end - 1];
            least = fminf(least, expected);
            if (ended[i].trace[k] != expected)
                fail_msg("search %zu, which ends after %d iterations, %d: expected %.9g, got %.9g",
                         i, end, k, (double)expected, (double)ended[i].trace[k]);
        }
        assert_true(ended[i].residual == least);
    }
    base_free(at_first);
    base_free(whole);
    base_free(ended);
}

static void search_without_tolerance__goes_on_when_nothing_improves(void **state)
{
    detect_latent_options how = {.iterations = ITERATIONS, .rate = 0};
    outcome *out = base_alloc(SEARCHES, sizeof *out);
    run(out, *state, 0, 1, 1, how);
    assert_int_equal(out[0].steps, ITERATIONS + 1);
    how.tolerance = 1e-6;
    run(out, *state, 0, 1, 1, how);
    assert_int_equal(out[0].steps, DETECT_LATENT_WINDOW + 1);
    base_free(out);
}

static void search_by_lbfgs__comes_closer_in_fewer_iterations(void **state)
{
    outcome *adam = base_alloc(SEARCHES, sizeof *adam);
    outcome *lbfgs = base_alloc(SEARCHES, sizeof *lbfgs);
    run(adam, *state, 0, SEARCHES, 1,
        (detect_latent_options){.iterations = ITERATIONS, .rate = 1e-2});
    run(lbfgs, *state, 0, SEARCHES, 1,
        (detect_latent_options){.search = ANO_SEARCH_LBFGS, .iterations = ITERATIONS / 4});
    for (size_t i = 0; i < SEARCHES; i++)
        if (!(lbfgs[i].residual < adam[i].residual))
            fail_msg("search %zu: expected below %.9g, got %.9g", i, (double)adam[i].residual,
                     (double)lbfgs[i].residual);
    base_free(adam);
    base_free(lbfgs);
}

static void search_by_lbfgs__ends_where_no_way_leads_down(void **state)
{
    fixture *f = *state, *flat = base_alloc(1, sizeof *flat);
    outcome *out = base_alloc(SEARCHES, sizeof *out);
    *flat = *f;
    for (int i = 0; i < LATENT; i++)
        flat->kernels[0][i * LATENT + i] = flat->z0[0][i] = 1e4f; /* where tanh is flat */
    run(out, flat, 0, 1, 1,
        (detect_latent_options){.search = ANO_SEARCH_LBFGS, .iterations = ITERATIONS});
    assert_int_equal(out[0].steps, 1);
    for (int k = 0; k < ITERATIONS; k++)
        assert_true(out[0].trace[k] == out[0].residual);
    base_free(out);
    base_free(flat);
}

static void smoothed_residual__has_the_gradient_that_it_says(void **state)
{
    (void)state;
    enum { N = 40 };
    const float h = 0x1p-10f;
    float x[N], generated[N], diff[N], unused[N];
    base_random_uniform(x, N, -1, 1, (base_random){2, BASE_PURPOSE_TEST, 0});
    base_random_uniform(generated, N, -1, 1, (base_random){2, BASE_PURPOSE_TEST, 1});
    detect_smoothed_residual(diff, x, generated, N);
    for (int i = 0; i < N; i++) {
        const float here = generated[i];
        generated[i] = here + h;
        const double above = detect_smoothed_residual(unused, x, generated, N);
        generated[i] = here - h;
        const double below = detect_smoothed_residual(unused, x, generated, N);
        generated[i] = here;
        /* h²/6 times the third derivative, at most 1/δ² = 25, and roundings of x - G by h. */
        const double expected = (above - below) / (2 * (double)h);
        if (fabs((double)diff[i] - expected) > 1e-4)
            fail_msg("gradient %d: expected %.9g, got %.9g", i, expected, (double)diff[i]);
    }
}

static void batch__has_as_many_places_as_memory_allows(void **state)
{
    const detect_folded *small = ((const fixture *)*state)->generator;
    assert_int_equal(detect_latent_most(small, 30, 28 * 28, ANO_SEARCH_ADAM), DETECT_FOLDED_GROUP);
    assert_int_equal(detect_latent_most(small, 4096, 256 * 256 * 3, ANO_SEARCH_ADAM), 1);
    const ano_model_config large = {.size = 112, .channels = 1, .latent = LATENT, .base_width = 64};
    nn_net *net;
    detect_folded *generator;
    assert_int_equal(model_generator_create(&net, &large, NULL), ANO_OK);
    assert_int_equal(detect_folded_create(&generator, net, NULL), ANO_OK);
    const size_t most = detect_latent_most(generator, LATENT, 112 * 112, ANO_SEARCH_ADAM);
    assert_in_range(most, 2, DETECT_FOLDED_GROUP - 1);
    detect_folded_free(generator);
    nn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search__finds_the_same_in_any_company),
        cmocka_unit_test(search__ends_when_a_window_was_hardly_worth_it),
        cmocka_unit_test(search_without_tolerance__goes_on_when_nothing_improves),
        cmocka_unit_test(search_by_lbfgs__comes_closer_in_fewer_iterations),
        cmocka_unit_test(search_by_lbfgs__ends_where_no_way_leads_down),
        cmocka_unit_test(smoothed_residual__has_the_gradient_that_it_says),
        cmocka_unit_test(batch__has_as_many_places_as_memory_allows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
