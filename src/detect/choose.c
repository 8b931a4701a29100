/* Which pool tells normal images from the same images with anomalies drawn onto them: all
 * candidates are fed with the same maps, so that each image is searched for once. */
#include "base/error.h"
#include "base/memory.h"
#include "detect/pool.h"

#include <stdbool.h>

static const struct {
    ano_pool pool;
    double share;
} candidates[ANO_POOL_CANDIDATES] = {
    {ANO_POOL_MEAN, 1},   {ANO_POOL_TOP, 0.1},   {ANO_POOL_TOP, 0.03},
    {ANO_POOL_TOP, 0.01}, {ANO_POOL_TOP, 0.003}, {ANO_POOL_MAX, 1},
};

typedef struct choosing {
    const ano_score_options *options; /* the caller's */
    size_t n;                         /* normal images; as many are drawn on */
    detect_pool *pools[ANO_POOL_CANDIDATES];
    float *scores[ANO_POOL_CANDIDATES]; /* [2 n]: the normal ones, then the drawn ones */
    bool *is_scored;                    /* [2 n] */
    size_t first;                       /* 0 while normal images are scored, then n */
    int channels;
} choosing;

static void choosing_clear(choosing *c)
{
    for (int i = 0; i < ANO_POOL_CANDIDATES; i++) {
        detect_pool_free(c->pools[i]);
        base_free(c->scores[i]);
    }
    base_free(c->is_scored);
}

static ano_status choosing_init(choosing *c, ano_error *err)
{
    ano_status status = ANO_OK;
    bool has_room = (c->is_scored = base_alloc(2 * c->n, sizeof *c->is_scored)) != NULL;
    for (int i = 0; i < ANO_POOL_CANDIDATES && status == ANO_OK; i++) {
        status = detect_pool_create(&c->pools[i], candidates[i].pool, candidates[i].share, err);
        c->scores[i] = base_alloc(2 * c->n, sizeof *c->scores[i]);
        has_room = has_room && c->scores[i] != NULL;
    }
    return status == ANO_OK && !has_room ? base_error_nomem(err, "choice of a pool") : status;
}

static int on_strip(const ano_strip *strip, void *cookie)
{
    choosing *c = cookie;
    c->channels = strip->shape.channels;
    for (int i = 0; i < ANO_POOL_CANDIDATES; i++)
        detect_pool_add(c->pools[i], strip->map,
                        (size_t)strip->n_rows * (size_t)strip->shape.width);
    return 0;
}

static int on_result(const ano_result *result, void *cookie)
{
    choosing *c = cookie;
    const size_t at = c->first + result->image;
    c->is_scored[at] = result->status == ANO_OK;
    for (int i = 0; i < ANO_POOL_CANDIDATES; i++) {
        if (c->is_scored[at])
            c->scores[i][at] = (float)detect_pool_score(c->pools[i], c->channels);
        detect_pool_begin(c->pools[i]);
    }
    return 0;
}

static int on_progress(double done, size_t n, void *cookie)
{
    const choosing *c = cookie;
    (void)n;
    return c->options->callback == NULL
               ? 0
               : c->options->callback((double)c->first + done, 2 * c->n, c->options->cookie);
}

static ano_status score(choosing *c, const ano_model *model, const ano_dataset *dataset,
                        ano_error *err)
{
    ano_score_options how = *c->options;
    how.callback = on_progress;
    how.cookie = c;
    return ano_score_images(
        model, dataset, &how,
        &(ano_score_sink){.on_strip = on_strip, .on_result = on_result, .cookie = c}, err);
}

/* Keeps the scores of the images that have one both as they are and drawn on. Returns how many:
 * then they are [2 × that]. */
static size_t keep_pairs(choosing *c)
{
    size_t n = 0;
    for (size_t k = 0; k < 2 * c->n; k++) {
        if (!c->is_scored[k % c->n] || !c->is_scored[c->n + k % c->n])
            continue;
        for (int i = 0; i < ANO_POOL_CANDIDATES; i++)
            c->scores[i][n] = c->scores[i][k];
        n++;
    }
    return n / 2;
}

/* The best candidate, of equals the first. */
static ano_status find_best(int *best, double *auroc, const choosing *c, size_t n, ano_error *err)
{
    int *labels = base_alloc(2 * n, sizeof *labels);
    if (labels == NULL)
        return base_error_nomem(err, "choice of a pool");
    for (size_t k = n; k < 2 * n; k++)
        labels[k] = 1;
    ano_status status = ANO_OK;
    *auroc = -1;
    for (int i = 0; i < ANO_POOL_CANDIDATES && status == ANO_OK; i++) {
        ano_metrics metrics;
        status = ano_evaluate(&metrics, c->scores[i], labels, 2 * n, err);
        if (status == ANO_OK && metrics.auroc > *auroc) {
            *best = i;
            *auroc = metrics.auroc;
        }
    }
    base_free(labels);
    return status;
}

ano_status ano_choose_pool(ano_score_options *options, double *auroc, size_t *n_images,
                           const ano_model *model, const ano_dataset *normals, uint64_t seed,
                           ano_error *err)
{
    choosing c = {.options = options, .n = ano_dataset_count(normals)};
    ano_dataset *drawn = NULL;
    int best = 0;
    double found = 0;
    size_t n = 0;
    ano_status status = choosing_init(&c, err);
    if (status == ANO_OK)
        status = ano_dataset_draw_anomalies(&drawn, normals, seed, err);
    if (status == ANO_OK)
        status = score(&c, model, normals, err);
    c.first = c.n;
    if (status == ANO_OK)
        status = score(&c, model, drawn, err);
    if (status == ANO_OK && (n = keep_pairs(&c)) == 0)
        status = base_error(err, ANO_ARG, "no image could be read to choose a pool on");
    if (status == ANO_OK)
        status = find_best(&best, &found, &c, n, err);
    if (status == ANO_OK) {
        options->pool = candidates[best].pool;
        options->pool_share = candidates[best].share;
        *auroc = found;
        *n_images = n;
    }
    ano_dataset_free(drawn);
    choosing_clear(&c);
    return status;
}
