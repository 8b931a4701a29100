#define _DEFAULT_SOURCE /* malloc_trim() */
#include "score.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "median.h"

#include <malloc.h>
#include <stdio.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, ITERATIONS = 20, ROUNDS = 3 };

static const size_t sizes[] = {100, 300, 1000, 3000, 10000};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

typedef struct cost {
    double seconds[ROUNDS];
    double megabytes; /* the most of all rounds */
} cost;

/* From now on the peak of the process's memory is counted from what it holds now. */
static void memory_peak_reset(void)
{
    malloc_trim(0);
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL)
        return;
    fputs("5", file);
    fclose(file);
}

/* 0 where the system does not tell. */
static double memory_peak_megabytes(void)
{
    long kilobytes = 0;
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1)
            break;
    fclose(file);
    return (double)kilobytes / 1024;
}

static ano_status random_dataset(ano_dataset **out, size_t n, ano_error *err)
{
    uint8_t *pixels = base_alloc(n * PIXELS, 1);
    if (pixels == NULL)
        return base_error_nomem(err, "images");
    for (size_t i = 0; i < n * PIXELS; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    const ano_status status =
        ano_dataset_from_pixels(out, pixels, n, (ano_shape){SIDE, SIDE, 1}, NULL, err);
    base_free(pixels);
    return status;
}

static ano_status measure(cost *c, int round, size_t n, const ano_model *model, int threads,
                          ano_error *err)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = ITERATIONS;
    options.restarts = 1;
    options.threads = threads;
    ano_dataset *dataset;
    float *scores = base_alloc(n, sizeof *scores);
    if (scores == NULL)
        return base_error_nomem(err, "scores");
    ano_status status = random_dataset(&dataset, n, err);
    if (status == ANO_OK) {
        memory_peak_reset();
        const double start = base_seconds();
        status = ano_score(scores, NULL, NULL, model, dataset, &options, err);
        c->seconds[round] = base_seconds() - start;
        const double megabytes = memory_peak_megabytes();
        c->megabytes = megabytes > c->megabytes ? megabytes : c->megabytes;
        ano_dataset_free(dataset);
    }
    base_free(scores);
    return status;
}

static void print(bool json, cost costs[N_SIZES])
{
    if (json)
        printf(", \"score\": {\"iterations\": %d, \"sizes\": [", ITERATIONS);
    else
        printf("\nscore, %d iterations, one start: %12s %16s %14s %14s\n", ITERATIONS, "images",
               "ms an image", "peak memory", "of it images");
    for (int i = 0; i < N_SIZES; i++) {
        cost *c = &costs[i];
        const double n = (double)sizes[i];
        printf(json ? "%s{\"images\": %zu, \"milliseconds\": %.4f, \"megabytes\": %.2f, "
                      "\"images_megabytes\": %.2f}"
                    : "%s%44zu %13.4f ms %11.1f MB %11.1f MB\n",
               json && i > 0 ? ", " : "", sizes[i], 1e3 * median(c->seconds, ROUNDS) / n,
               c->megabytes, n * PIXELS / (1 << 20));
    }
    printf(json ? "]}" : "");
}

/* A round is one of every size, so that what disturbs the machine for a while disturbs all sizes.
 */
ano_status score_measure(bool json, int threads, ano_error *err)
{
    const ano_model_config config = ANO_MODEL_CONFIG_INIT;
    cost costs[N_SIZES] = {0};
    ano_model *model;
    ano_status status = ano_model_create(&model, &config, 0, err);
    if (status != ANO_OK)
        return status;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < N_SIZES && status == ANO_OK; i++)
            status = measure(&costs[i], round, sizes[i], model, threads, err);
    if (status == ANO_OK)
        print(json, costs);
    ano_model_free(model);
    return status;
}
