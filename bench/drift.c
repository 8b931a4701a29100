/* How often drift is found where there is none, and how soon where there is some: the figures of
 * docs/methods.md, by simulation. Normal images' scores are normally distributed; alpha is 0.05,
 * delta 0.01.
 *
 *   bench_drift [STREAMS] */
#include <anogan/anogan.h>

#include "base/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_HELD_OUT_MAX = 1000, CHUNK = 1024 };

/* n images whose scores lie `shift` standard deviations higher and `spread` times as far apart, and
 * the share of them that is anomalous: 3 standard deviations above the normal ones. */
typedef struct phase {
    size_t n;
    double shift, spread, anomalous;
} phase;

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

static double draw_score(source *from, phase of)
{
    const double turn = 2 * 3.14159265358979323846;
    const double radius = sqrt(-2 * log(1 - draw_uniform(from)));
    const double score = of.shift + of.spread * radius * cos(turn * draw_uniform(from));
    return draw_uniform(from) < of.anomalous ? score + 3 : score;
}

static ano_drift *create(source *from, size_t n)
{
    const phase normal = {0, 0, 1, 0};
    float scores[N_HELD_OUT_MAX];
    double threshold;
    ano_drift *drift;
    ano_error err = ANO_ERROR_INIT;
    for (size_t i = 0; i < n; i++)
        scores[i] = (float)draw_score(from, normal);
    if (ano_threshold(&threshold, scores, n, 0.05, &err) != ANO_OK ||
        ano_drift_create(&drift, scores, n, threshold, 0.01, from->seed, &err) != ANO_OK) {
        fprintf(stderr, "bench_drift: %s\n", err.message);
        exit(EXIT_FAILURE);
    }
    return drift;
}

/* After how many images of `of` drift is found; infinite when not by the end. */
static double feed(ano_drift *drift, source *from, phase of)
{
    for (size_t i = 0; i < of.n; i++)
        if (ano_drift_update(drift, draw_score(from, of)))
            return (double)(i + 1);
    return INFINITY;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(size_t n_held_out, phase before, phase after, size_t streams)
{
    double *delays = malloc(streams * sizeof *delays);
    if (delays == NULL)
        exit(EXIT_FAILURE);
    size_t early = 0, n = 0, found = 0;
    for (uint64_t stream = 0; stream < streams; stream++) {
        source from = {.seed = stream};
        ano_drift *drift = create(&from, n_held_out);
        if (isfinite(feed(drift, &from, before))) {
            early++;
        } else {
            delays[n] = feed(drift, &from, after);
            found += delays[n++] < INFINITY;
        }
        ano_drift_free(drift);
    }
    printf("%8zu %7zu %9.2f %6.2f %6.2f %7.4f", n_held_out, before.n, before.anomalous, after.shift,
           after.spread, (double)early / (double)streams);
    if (after.n > 0 && n > 0) {
        qsort(delays, n, sizeof *delays, compare);
        printf(" %6.3f %7.0f %7.0f", (double)found / (double)n, delays[n / 2], delays[n * 9 / 10]);
    }
    printf("\n");
    fflush(stdout);
    free(delays);
}

int main(int argc, char **argv)
{
    const size_t streams = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    const size_t held_out[] = {50, 200, 1000}, starts[] = {0, 1000, 10000};
    const double anomalous[] = {0, 0.01, 0.1};
    const phase drifted[] = {
        {3000, 0.5, 1, 0}, {3000, 1, 1, 0}, {3000, 0, 1.5, 0}, {3000, 0, 0.67, 0}};
    printf("%8s %7s %9s %6s %6s %7s %6s %7s %7s\n", "held out", "normals", "anomalous", "shift",
           "spread", "early", "found", "median", "90 %");
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            measure(held_out[i], (phase){10000, 0, 1, anomalous[j]}, (phase){0, 0, 1, 0}, streams);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            for (size_t k = 0; k < sizeof drifted / sizeof *drifted; k++)
                measure(held_out[i], (phase){starts[j], 0, 1, 0}, drifted[k], streams / 5);
    return 0;
}
