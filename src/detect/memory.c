/* The memory: for every kind k of description, v_k(x) of an image x and the vectors M_k of the
 * normal images that are kept, s_k(x) = min over v in M_k of ||v_k(x) - v||, as in PatchCore (K.
 * Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022), but of whole
 * images; of the kind that is a network, how confused it is. The score adds up, over the method's
 * own score and every s_k, w z, z = max(LEAST, (ln s - mean) / sd), with mean and sd of ln s over
 * normal images that were set aside, and w = 1 but for transforms: scores of different units become
 * comparable, a factor counts the same wherever it is, and unlike p-values, which end at 1 / (n +
 * 1), z goes on rising where all of n held-out images lie below. */
#include "detect/memory.h"

#include "base/memory.h"
#include "detect/interpolate.h"
#include "detect/recall.h"
#include "model/memory.h"

#include <math.h>
#include <string.h>

/* Images compared at a time. */
enum { TOGETHER = 64 };

/* A copy of a training image, at distance 0, is to outweigh what the others say no more than so. */
#define LEAST (-6.0)

/* What the kinds count for beside the method's score. Half of transforms makes clothes better
 * without making digits worse, on images kept out of training: docs/methods.md, "Memory". */
static const double weights[ANO_MEMORIES] = {[ANO_MEMORY_HISTOGRAMS] = 1,
                                             [ANO_MEMORY_RANDOM] = 1,
                                             [ANO_MEMORY_FEATURES] = 1,
                                             [ANO_MEMORY_TRANSFORMS] = 0.5};

struct detect_memory {
    const ano_model *model;
    detect_recall *recalls[ANO_MEMORIES]; /* NULL: not remembered */
    ano_map map;                          /* whose are wanted */
    ano_shape shape;                      /* of maps */
    float *maps;                          /* [TOGETHER] of a kind, of the largest size */
    float *image;                         /* one that is read again, of the largest size */
};

void detect_memory_free(detect_memory *memory)
{
    if (memory == NULL)
        return;
    for (int k = 0; k < ANO_MEMORIES; k++)
        detect_recall_free(memory->recalls[k]);
    base_free(memory->maps);
    base_free(memory->image);
    base_free(memory);
}

static bool is_mapped(const detect_memory *memory, int k)
{
    return memory->map == ANO_MAP_ALL || (int)memory->map == (int)ANO_MAP_HISTOGRAMS + k;
}

static size_t map_size(const detect_memory *memory)
{
    return (size_t)memory->shape.height * (size_t)memory->shape.width;
}

ano_status detect_memory_create(detect_memory **out, const ano_model *model, ano_map map,
                                ano_error *err)
{
    *out = NULL;
    if (!ano_model_has_map(model, map))
        return base_error(err, ANO_ARG, "the model does not remember %s, so it has no map of it",
                          map == ANO_MAP_ALL ? "anything" : ano_map_name(map));
    if (!model_memory_holds(&model->memory))
        return ANO_OK;
    detect_memory *m = base_alloc(1, sizeof *m);
    if (m == NULL)
        return base_error_nomem(err, "memory");
    m->model = model;
    m->map = map;
    size_t largest = 0;
    ano_status status = ANO_OK;
    for (int k = 0; k < ANO_MEMORIES && status == ANO_OK; k++) {
        const model_bank *bank = &model->memory.banks[k];
        if (bank->n == 0)
            continue;
        status =
            detect_recall_create(&m->recalls[k], model, (ano_memory)k, bank, is_mapped(m, k), err);
        if (status != ANO_OK)
            break;
        const ano_shape shape = detect_recall_shape(m->recalls[k]);
        if (detect_recall_image(m->recalls[k]) > largest)
            largest = detect_recall_image(m->recalls[k]);
        if (is_mapped(m, k) && shape.height > m->shape.height)
            m->shape = shape;
    }
    m->image = base_alloc(largest, sizeof(float));
    m->maps = base_alloc(TOGETHER * map_size(m), sizeof(float));
    if (status == ANO_OK && (m->image == NULL || m->maps == NULL))
        status = base_error_nomem(err, "memory");
    if (status == ANO_OK)
        *out = m;
    else
        detect_memory_free(m);
    return status;
}

ano_shape detect_memory_map_shape(const detect_memory *memory)
{
    return memory != NULL ? memory->shape : (ano_shape){0};
}

float detect_map_unit(model_usual usual)
{
    return usual.map_high > 0 ? usual.map_high : 1;
}

double detect_standardised(model_usual usual, double score)
{
    return score > 0 ? fmax((log(score) - usual.mean) / usual.sd, LEAST) : LEAST;
}

/* Adds kind k's maps of n images to dst [n]: as they are where they alone are wanted. */
static void add_maps(float *dst, const detect_memory *m, int k, size_t n)
{
    const ano_shape shape = detect_recall_shape(m->recalls[k]);
    const size_t size = (size_t)shape.height * (size_t)shape.width;
    const float unit = m->map == ANO_MAP_ALL ? detect_map_unit(m->model->memory.banks[k].usual) : 1;
    for (size_t i = 0; i < n * size; i++)
        m->maps[i] /= unit;
    for (size_t i = 0; i < n; i++)
        detect_interpolate(dst + i * map_size(m), 0, m->shape.height, m->shape.width,
                           m->maps + i * size,
                           (eval_grid){(size_t)shape.height, (size_t)shape.width, 1,
                                       (float)m->shape.height / (float)shape.height,
                                       (float)m->shape.width / (float)shape.width});
}

/* Writes what kind k says of n ≤ TOGETHER images of its view to dst[0], dst[ANO_MEMORIES] …, and
 * adds to maps [n] where they are wanted of it. */
static ano_status tell_distances(double *dst, float *maps, const detect_memory *m, int k,
                                 const float *images, size_t n, ano_error *err)
{
    float distances[TOGETHER];
    const bool mapped = maps != NULL && is_mapped(m, k);
    const ano_status status =
        detect_recall_distances(distances, mapped ? m->maps : NULL, m->recalls[k], images, n, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        dst[i * ANO_MEMORIES] =
            weights[k] * detect_standardised(m->model->memory.banks[k].usual, (double)distances[i]);
    if (status == ANO_OK && mapped)
        add_maps(maps, m, k, n);
    return status;
}

ano_status detect_memory_compare(double *dst, float *maps, detect_memory *memory,
                                 const float *images, size_t n, ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n * ANO_MEMORIES; i++)
        dst[i] = NAN;
    if (maps != NULL)
        memset(maps, 0, n * map_size(memory) * sizeof *maps);
    for (int k = 0; k < ANO_MEMORIES; k++)
        for (size_t first = 0; memory->recalls[k] != NULL && first < n && status == ANO_OK;
             first += TOGETHER)
            status = tell_distances(dst + first * ANO_MEMORIES + k,
                                    maps != NULL ? maps + first * map_size(memory) : NULL, memory,
                                    k, images + first * detect_recall_image(memory->recalls[k]),
                                    n - first < TOGETHER ? n - first : TOGETHER, err);
    return status;
}

ano_status detect_memory_compare_read(double *dst, float *map, detect_memory *memory,
                                      const ano_dataset *dataset, size_t i, ano_error *err)
{
    ano_status status = ANO_OK;
    if (map != NULL)
        memset(map, 0, map_size(memory) * sizeof *map);
    for (int k = 0; k < ANO_MEMORIES && status == ANO_OK; k++) {
        dst[k] = NAN;
        if (memory->recalls[k] == NULL)
            continue;
        status = detect_recall_read(memory->image, memory->model, (ano_memory)k, dataset, i, err);
        if (status == ANO_OK)
            status = tell_distances(dst + k, map, memory, k, memory->image, 1, err);
    }
    return status;
}

double detect_memory_sum(const double parts[ANO_MEMORIES])
{
    double sum = 0;
    for (int k = 0; k < ANO_MEMORIES; k++)
        if (!isnan(parts[k]))
            sum += parts[k];
    return sum;
}
