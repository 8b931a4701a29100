/* Whether the images that are called normal are still like the held-out ones.
 *
 * A conformal test martingale (V. Vovk, I. Nouretdinov, A. Gammerman, "Testing Exchangeability
 * On-Line", 2003). Each score gets a p-value among all scores before it, the held-out ones first:
 *
 *   p = (number before it that are higher + u (number equal + 1)) / (number before it + 1),
 *
 * u random. While all are exchangeable these p-values are independent and uniform, exactly;
 * p-values against held-out scores alone are not, for whatever sets those scores apart by chance
 * sets all later p-values apart in the same way. A gambler who starts with capital 1 and bets
 * against uniformity at fair odds then reaches 1 / delta, ever, with probability at most delta (J.
 * Ville, 1939): the capital is the evidence.
 *
 * Only scores below the threshold take part, held-out and new, for only those pass. The held-out
 * ones at or above it are what the threshold was chosen by; given them, the rest are exchangeable
 * with the new ones that pass.
 *
 * The bets. Part of the capital waits, c / (c + i) of it after i images, and what is released goes
 * evenly to gamblers who each hold that drift has just begun and has one form: so drift that
 * begins late is found nearly as soon as drift that begins at once. */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "eval/scores.h"

#include <math.h>
#include <string.h>

/* The densities of p that are bet on, 1 + tilt (1 - 2p) + spread (6p^2 - 6p + 1): all integrate to
 * 1 on [0, 1], and none falls below 0.1, so that no image alone ends a bet. */
static const struct bet {
    double tilt, spread;
} bets[] = {
    {0.5, 0},  {0.9, 0},  /* scores rise */
    {-0.5, 0}, {-0.9, 0}, /* scores fall */
    {0, 0.9},             /* scores spread */
    {0, -0.9},            /* scores draw together */
};
enum { N_BETS = sizeof bets / sizeof *bets };

/* c above, in images. Chosen by simulation: a larger one finds late drift sooner, early drift
 * later. */
static const double patience = 10;

/* Capital beyond which nothing is added: numbers end, doubt ended long before. */
static const double certainty = 1e100;

/* Scores are told apart by their distance below the threshold, a float's sign dropped and eight
 * bits of its fraction kept: to within 1 part in 256. Equal ones tie, which costs no promise. */
enum { BIN_SHIFT = 15, N_BINS = 1 << 16 };

struct ano_drift {
    double threshold, delta;
    uint64_t seed;
    uint64_t n_before;         /* scores that took part, held-out and new */
    uint64_t n_passed;         /* the new ones */
    double capital[N_BETS];    /* of the gamblers */
    double best;               /* the highest total so far */
    uint64_t tree[N_BINS + 1]; /* how many scores each bin has, as a Fenwick tree */
};

/* Rises with the distance, as the bits of positive floats do with their values. */
static uint32_t bin_of(const ano_drift *drift, double score)
{
    const float distance = (float)(drift->threshold - score);
    uint32_t bits;
    memcpy(&bits, &distance, sizeof bits);
    return bits >> BIN_SHIFT;
}

/* How many scores lie in the bins before `bin`. */
static uint64_t count_before(const ano_drift *drift, uint32_t bin)
{
    uint64_t count = 0;
    for (uint32_t i = bin; i > 0; i &= i - 1)
        count += drift->tree[i];
    return count;
}

static void add_score(ano_drift *drift, uint32_t bin)
{
    for (uint32_t i = bin + 1; i <= N_BINS; i += i & -i)
        drift->tree[i]++;
    drift->n_before++;
}

ano_status ano_drift_create(ano_drift **out, const float *scores, size_t n, double threshold,
                            double delta, uint64_t seed, ano_error *err)
{
    *out = NULL;
    if (!isfinite(threshold))
        return base_error(err, ANO_ARG, "drift: the threshold is %g", threshold);
    if (!(delta > 0 && delta < 1))
        return base_error(err, ANO_ARG, "drift: delta is %g, not between 0 and 1", delta);
    const ano_status status = eval_check_scores(scores, n, "drift", err);
    if (status != ANO_OK)
        return status;
    ano_drift *drift = base_alloc(1, sizeof *drift);
    if (drift == NULL)
        return base_error_nomem(err, "drift: the scores' places");
    drift->threshold = threshold;
    drift->delta = delta;
    drift->seed = seed;
    drift->best = 1;
    for (size_t i = 0; i < n; i++)
        if ((double)scores[i] < threshold)
            add_score(drift, bin_of(drift, (double)scores[i]));
    *out = drift;
    return ANO_OK;
}

void ano_drift_free(ano_drift *drift)
{
    base_free(drift);
}

/* Uniform in (0, 1). */
static double random_share(const ano_drift *drift)
{
    uint32_t words[4];
    base_random_block(words, (base_random){drift->seed, BASE_PURPOSE_DRIFT, drift->n_passed}, 0);
    return ((double)words[0] + 0.5) / 4294967296.0;
}

static double next_p_value(ano_drift *drift, double score)
{
    const uint32_t bin = bin_of(drift, score);
    const uint64_t higher = count_before(drift, bin);
    const uint64_t equal = count_before(drift, bin + 1) - higher;
    const double place = (double)higher + random_share(drift) * (double)(equal + 1);
    const double p = place / (double)(drift->n_before + 1);
    add_score(drift, bin);
    return p;
}

/* Releases capital to the gamblers, settles their bets on p and returns what all have. */
static double settle(ano_drift *drift, double p)
{
    const double before = patience + (double)drift->n_passed;
    const double released = patience / (before * (before + 1));
    double total = patience / (before + 1);
    for (size_t i = 0; i < N_BETS; i++) {
        const double density =
            1 + bets[i].tilt * (1 - 2 * p) + bets[i].spread * (6 * p * (p - 1) + 1);
        drift->capital[i] = (drift->capital[i] + released / N_BETS) * density;
        total += drift->capital[i];
    }
    return total;
}

bool ano_drift_update(ano_drift *drift, double score)
{
    if (score < drift->threshold && drift->best < certainty) {
        const double p = next_p_value(drift, score);
        drift->best = fmax(drift->best, settle(drift, p));
        drift->n_passed++;
    }
    return drift->best >= 1 / drift->delta;
}

double ano_drift_evidence(const ano_drift *drift)
{
    return log10(drift->best);
}

size_t ano_drift_count(const ano_drift *drift)
{
    return (size_t)drift->n_passed;
}
