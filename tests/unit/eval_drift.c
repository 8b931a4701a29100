#include <anogan/anogan.h>

#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

/* ---- streams of scores --------------------------------------------------------------------- */

/* Scores of about the normal distribution with mean 20, where n of them are `shift` above it and
 * `spread` times as far apart, rounded down to a multiple of `grid` unless that is 0. */
typedef struct phase {
    size_t n;
    double shift, spread, grid;
} phase;

enum { CHUNK = 256 };
typedef struct source {
    uint64_t seed, step;
    size_t left;
    float uniform[CHUNK];
} source;

static double draw_uniform(source *from)
{
    if (from->left == 0) {
        from->left = CHUNK;
        base_random_uniform(from->uniform, CHUNK, 0, 1,
                            (base_random){from->seed, BASE_PURPOSE_TEST, from->step++});
    }
    return (double)from->uniform[--from->left];
}

/* The sum of four uniform numbers, scaled to a standard deviation of 1. */
static double draw_score(source *from, phase of)
{
    double sum = -2;
    for (int i = 0; i < 4; i++)
        sum += draw_uniform(from);
    const double score = 20 + of.shift + of.spread * sum * sqrt(3);
    return of.grid > 0 ? floor(score / of.grid) * of.grid : score;
}

enum { N_HELD_OUT_MAX = 200 };

/* A drift over n held-out scores drawn like `normal`. */
static ano_drift *create(source *from, size_t n, phase normal, double alpha, double delta)
{
    float scores[N_HELD_OUT_MAX];
    double threshold;
    ano_drift *drift = NULL;
    ano_error err = ANO_ERROR_INIT;
    for (size_t i = 0; i < n; i++)
        scores[i] = (float)draw_score(from, normal);
    if (ano_threshold(&threshold, scores, n, alpha, &err) != ANO_OK ||
        ano_drift_create(&drift, scores, n, threshold, delta, from->seed, &err) != ANO_OK)
        fail_msg("%s", err.message);
    return drift;
}

/* The number of images of `of` after which drift is found, counted from 1; 0: not by the end. */
static size_t feed(ano_drift *drift, source *from, phase of)
{
    for (size_t i = 0; i < of.n; i++)
        if (ano_drift_update(drift, (double)(float)draw_score(from, of)))
            return i + 1;
    return 0;
}

/* ---- false alarms -------------------------------------------------------------------------- */

static void drift__rings_no_oftener_than_promised_where_nothing_drifts(void **state)
{
    (void)state;
    enum { STREAMS = 200 };
    const double delta = 0.05;
    const struct {
        size_t n_held_out;
        double alpha;
        phase normal;
    } cases[] = {
        {50, 0.05, {1500, 0, 1, 0}},
        {200, 0.05, {1500, 0, 1, 0}},
        {50, 0.01, {1500, 0, 1, 0.7}},
        {200, 0.1, {1500, 0, 1, 0.7}},
    };
    const double error = sqrt(delta * (1 - delta) / STREAMS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double alarms = 0;
        for (uint64_t stream = 0; stream < STREAMS; stream++) {
            source from = {.seed = 1000 * i + stream};
            ano_drift *drift =
                create(&from, cases[i].n_held_out, cases[i].normal, cases[i].alpha, delta);
            alarms += feed(drift, &from, cases[i].normal) > 0;
            ano_drift_free(drift);
        }
        if (alarms / STREAMS > delta + 3 * error)
            fail_msg("case %zu: promised %g, got %g, standard error %g", i, delta, alarms / STREAMS,
                     error);
    }
}

/* Anomalous images far above the threshold are no drift, and neither are some just below it. */
static void drift__is_not_rung_by_some_anomalous_images(void **state)
{
    (void)state;
    const phase normal = {4000, 0, 1, 0};
    source from = {.seed = 1};
    ano_drift *drift = create(&from, 200, normal, 0.05, 0.01);
    for (size_t i = 0; i < normal.n; i++) {
        const double score = draw_score(&from, normal);
        const bool anomalous = i % 20 == 0, near = i % 100 == 0;
        if (ano_drift_update(drift, near ? 21.4 : anomalous ? 30 : score))
            fail_msg("image %zu", i);
    }
    ano_drift_free(drift);
}

/* ---- drift --------------------------------------------------------------------------------- */

static void drift__is_found_early_or_late_whatever_its_form(void **state)
{
    (void)state;
    enum { STREAMS = 20 };
    const size_t starts[] = {0, 3000};
    const struct {
        phase drifted;
        size_t within[2]; /* images in the mean, by start */
    } cases[] = {
        {{600, 1, 1, 0}, {70, 130}},
        {{600, -1, 1, 0}, {70, 130}},
        {{3000, 0, 2, 0}, {300, 300}},
        {{3000, 0, 0.5, 0}, {100, 200}},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const phase normal = {starts[i % 2], 0, 1, 0}, drifted = cases[i / 2].drifted;
        double sum = 0;
        for (uint64_t stream = 0; stream < STREAMS; stream++) {
            source from = {.seed = stream};
            ano_drift *drift = create(&from, 200, normal, 0.05, 0.01);
            if (feed(drift, &from, normal) > 0)
                fail_msg("stream %zu rings before it drifts", (size_t)stream);
            const size_t delay = feed(drift, &from, drifted);
            if (delay == 0)
                fail_msg("shift %g, spread %g after %zu images, stream %zu: not found",
                         drifted.shift, drifted.spread, normal.n, (size_t)stream);
            sum += (double)delay;
            ano_drift_free(drift);
        }
        const double mean = sum / STREAMS;
        if (mean > (double)cases[i / 2].within[i % 2])
            fail_msg("shift %g, spread %g after %zu images: found after %g in the mean",
                     drifted.shift, drifted.spread, normal.n, mean);
    }
}

/* Scores that fall and fall, each lower than all before it. */
static void drift__stays_found_and_its_evidence_finite(void **state)
{
    (void)state;
    const phase normal = {1000, 0, 1, 0};
    source from = {.seed = 3};
    ano_drift *drift = create(&from, 200, normal, 0.05, 0.01);
    assert_true(ano_drift_evidence(drift) == 0);
    bool found = false;
    double before = 0;
    for (int i = 0; i < 2000; i++) {
        found = ano_drift_update(drift, -i);
        assert_true(found == (ano_drift_evidence(drift) >= 2));
        assert_true(ano_drift_evidence(drift) >= before);
        before = ano_drift_evidence(drift);
    }
    assert_true(found && before >= 100 && before < 101);
    assert_true(feed(drift, &from, normal) == 1);
    ano_drift_free(drift);
}

/* ---- edges --------------------------------------------------------------------------------- */

static void drift__looks_at_what_passes_alone(void **state)
{
    (void)state;
    const float scores[] = {1, 2, 3, 4};
    ano_drift *drift;
    assert_int_equal(ano_drift_create(&drift, scores, 4, 3, 0.01, 0, NULL), ANO_OK);
    const double left_out[] = {3, 3.5, INFINITY, NAN};
    for (size_t i = 0; i < 4; i++)
        for (int again = 0; again < 100; again++)
            assert_false(ano_drift_update(drift, left_out[i]));
    assert_int_equal(ano_drift_count(drift), 0);
    assert_true(ano_drift_evidence(drift) == 0);
    assert_false(ano_drift_update(drift, -INFINITY));
    assert_false(ano_drift_update(drift, nextafter(3, 0)));
    assert_int_equal(ano_drift_count(drift), 2);
    ano_drift_free(drift);
    ano_drift_free(NULL);
}

static void drift__is_decided_by_scores_and_seed(void **state)
{
    (void)state;
    const phase normal = {500, 0, 1, 0.5};
    double evidence[3];
    for (int run = 0; run < 3; run++) {
        source from = {.seed = 5};
        float scores[200];
        for (size_t i = 0; i < 200; i++)
            scores[i] = (float)draw_score(&from, normal);
        ano_drift *drift;
        const uint64_t seed = run == 2;
        assert_int_equal(ano_drift_create(&drift, scores, 200, 22, 0.01, seed, NULL), ANO_OK);
        feed(drift, &from, normal);
        evidence[run] = ano_drift_evidence(drift);
        ano_drift_free(drift);
    }
    assert_true(evidence[0] == evidence[1]);
    assert_true(evidence[0] != evidence[2]);
}

static void drift__refuses_strange_thresholds_deltas_and_nan(void **state)
{
    (void)state;
    const float scores[] = {1, NAN};
    const double deltas[] = {0, 1, -0.1, NAN};
    ano_drift *drift;
    ano_error err = ANO_ERROR_INIT;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ano_drift_create(&drift, scores, 1, 1, deltas[i], 0, NULL), ANO_ARG);
    assert_int_equal(ano_drift_create(&drift, scores, 1, INFINITY, 0.01, 0, NULL), ANO_ARG);
    assert_int_equal(ano_drift_create(&drift, scores, 2, 1, 0.01, 0, &err), ANO_NUMERIC);
    assert_string_equal(err.message, "drift: score 1 is nan");
    assert_null(drift);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drift__rings_no_oftener_than_promised_where_nothing_drifts),
        cmocka_unit_test(drift__is_not_rung_by_some_anomalous_images),
        cmocka_unit_test(drift__is_found_early_or_late_whatever_its_form),
        cmocka_unit_test(drift__stays_found_and_its_evidence_finite),
        cmocka_unit_test(drift__looks_at_what_passes_alone),
        cmocka_unit_test(drift__is_decided_by_scores_and_seed),
        cmocka_unit_test(drift__refuses_strange_thresholds_deltas_and_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
