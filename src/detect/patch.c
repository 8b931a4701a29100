#include "detect/patch.h"

#include "base/memory.h"
#include "base/threads.h"
#include "detect/interpolate.h"
#include "detect/rounds.h"
#include "model/networks.h"

#include <math.h>
#include <string.h>

/* Of a thread, in a round. */
enum { TILES_A_THREAD = 8 };

struct detect_patch {
    size_t size, side, tile; /* pixels along an edge; cells; numbers of a tile */
    const nn_net *discriminator;
    int n_threads;
    nn_pass **passes; /* [n_threads], of one tile each: what is found of it depends on no other */
    float *surprise;  /* [n_threads][side][side] */
    float *maps;      /* [n_threads][size][size], where the caller wants none */
};

void detect_patch_free(detect_patch *patch)
{
    if (patch == NULL)
        return;
    for (int i = 0; i < patch->n_threads && patch->passes != NULL; i++)
        nn_pass_free(patch->passes[i]);
    base_free(patch->passes);
    base_free(patch->surprise);
    base_free(patch->maps);
    base_free(patch);
}

static ano_status create_pass(int thread, void *cookie, ano_error *err)
{
    const detect_patch *p = cookie;
    return nn_pass_create(&p->passes[thread], p->discriminator, 1, 0, err);
}

ano_status detect_patch_create(detect_patch **out, const nn_net *discriminator, ano_error *err)
{
    *out = NULL;
    detect_patch *p = base_alloc(1, sizeof *p);
    if (p == NULL)
        return base_error_nomem(err, "patches");
    const size_t n_threads = (size_t)base_threads();
    p->size = (size_t)discriminator->src.h;
    p->side = (size_t)discriminator->dst.h;
    p->tile = nn_shape_size(discriminator->src);
    p->discriminator = discriminator;
    p->n_threads = (int)n_threads;
    p->passes = base_alloc(n_threads, sizeof(nn_pass *));
    p->surprise = base_alloc(n_threads * p->side * p->side, sizeof(float));
    p->maps = base_alloc(n_threads * p->size * p->size, sizeof(float));
    ano_status status = ANO_OK;
    if (p->passes == NULL || p->surprise == NULL || p->maps == NULL)
        status = base_error_nomem(err, "patches");
    if (status == ANO_OK)
        status = base_threads_each(p->n_threads, create_pass, p, err);
    if (status == ANO_OK)
        *out = p;
    else
        detect_patch_free(p);
    return status;
}

static detect_rounds rounds_of(const detect_patch *patch)
{
    return (detect_rounds){patch->n_threads, 1, TILES_A_THREAD};
}

size_t detect_patch_width(const detect_patch *patch)
{
    return detect_rounds_width(rounds_of(patch));
}

/* ln(1 + e^x), without overflow. */
static float softplus(float x)
{
    return fmaxf(x, 0) + log1pf(expf(-fabsf(x)));
}

/* What the threads of a run share. */
typedef struct run {
    const detect_found *found;
    const detect_patch *patch;
    const float *tiles;
} run;

/* What a thread finds of tile i. */
static ano_status look(int thread, size_t i, size_t n, void *cookie, ano_error *err)
{
    (void)n; /* it is 1 */
    const run *r = cookie;
    const detect_found *found = r->found;
    const detect_patch *p = r->patch;
    const size_t n_cells = p->side * p->side, n_pixels = p->size * p->size;
    const float *logits;
    const ano_status status =
        nn_pass_forward(&logits, p->passes[thread], r->tiles + i * p->tile, err);
    if (status != ANO_OK)
        return status;
    float *surprise = p->surprise + (size_t)thread * n_cells;
    for (size_t k = 0; k < n_cells; k++)
        surprise[k] = softplus(logits[k]);
    float *map =
        found->maps != NULL ? found->maps + i * n_pixels : p->maps + (size_t)thread * n_pixels;
    memset(map, 0, n_pixels * sizeof *map);
    detect_interpolate(map, 0, (int)p->size, (int)p->size, surprise,
                       (eval_grid){p->side, p->side, 1, MODEL_CELL, MODEL_CELL});
    double sum = 0;
    for (size_t k = 0; k < n_pixels; k++)
        sum += (double)map[k];
    if (!isfinite(sum))
        return base_error(err, ANO_NUMERIC, "the map of an image is not finite");
    if (found->scores != NULL)
        found->scores[i] = (float)sum;
    return ANO_OK;
}

ano_status detect_patch_run(const detect_found *found, detect_patch *patch, const float *tiles,
                            size_t n, detect_tick *tick, void *cookie, ano_error *err)
{
    run r = {found, patch, tiles};
    return detect_rounds_run(rounds_of(patch), n, look, &r, tick, cookie, err);
}
