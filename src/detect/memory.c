/* The memory: for every kind k of description, v_k(x) of an image x and the vectors M_k of the
 * normal images that are kept, s_k(x) = min over v in M_k of ||v_k(x) - v||, as in PatchCore (K.
 * Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022), but of whole
 * images. The score adds up, over the method's own score and every s_k, z = max(LEAST, (ln s -
 * mean) / sd), with mean and sd of ln s over normal images that were set aside: scores of different
 * units become comparable, a factor counts the same wherever it is, and unlike p-values, which end
 * at 1 / (n + 1), z goes on rising where all of n held-out images lie below. */
#include "detect/memory.h"

#include "base/memory.h"
#include "detect/describe.h"
#include "eval/nearest.h"
#include "eval/products.h"
#include "model/memory.h"

#include <math.h>

/* Images described at a time. */
enum { TOGETHER = EVAL_TOGETHER };

/* A copy of a training image, at distance 0, is to outweigh what the others say no more than so. */
#define LEAST (-6.0)

typedef struct bank {
    const model_bank *of; /* NULL: not remembered */
    detect_describer *describer;
    eval_nearest *nearest;
} bank;

struct detect_memory {
    bank banks[ANO_MEMORIES];
    float *vectors; /* [TOGETHER][d], of the largest d */
    float *image;   /* one that is read again, of the largest size */
};

void detect_memory_free(detect_memory *memory)
{
    if (memory == NULL)
        return;
    for (int i = 0; i < ANO_MEMORIES; i++) {
        detect_describer_free(memory->banks[i].describer);
        eval_nearest_free(memory->banks[i].nearest);
    }
    base_free(memory->vectors);
    base_free(memory->image);
    base_free(memory);
}

ano_status detect_memory_create(detect_memory **out, const ano_model *model, ano_error *err)
{
    *out = NULL;
    if (!model_memory_holds(&model->memory))
        return ANO_OK;
    detect_memory *m = base_alloc(1, sizeof *m);
    if (m == NULL)
        return base_error_nomem(err, "memory");
    size_t longest = 0, largest = 0;
    ano_status status = ANO_OK;
    for (int i = 0; i < ANO_MEMORIES && status == ANO_OK; i++) {
        const model_bank *of = &model->memory.banks[i];
        if (of->n == 0)
            continue;
        m->banks[i].of = of;
        status = detect_describer_create(&m->banks[i].describer, model, (ano_memory)i, err);
        if (status == ANO_OK)
            status = eval_nearest_create(&m->banks[i].nearest, of->vectors, of->n, of->d, err);
        if (status != ANO_OK)
            break;
        const size_t image = detect_describer_image(m->banks[i].describer);
        longest = of->d > longest ? of->d : longest;
        largest = image > largest ? image : largest;
    }
    m->vectors = base_alloc(TOGETHER * longest, sizeof(float));
    m->image = base_alloc(largest, sizeof(float));
    if (status == ANO_OK && (m->vectors == NULL || m->image == NULL))
        status = base_error_nomem(err, "memory");
    if (status == ANO_OK)
        *out = m;
    else
        detect_memory_free(m);
    return status;
}

double detect_standardised(model_usual usual, double score)
{
    return score > 0 ? fmax((log(score) - usual.mean) / usual.sd, LEAST) : LEAST;
}

/* Writes what a bank says of n ≤ TOGETHER images of its view to dst[0], dst[ANO_MEMORIES] … */
static ano_status tell_distances(double *dst, const detect_memory *m, const bank *b,
                                 const float *images, size_t n, ano_error *err)
{
    float distances[TOGETHER];
    ano_status status = detect_describe(m->vectors, b->describer, images, n, err);
    if (status == ANO_OK)
        status = eval_nearest_distances(distances, b->nearest, m->vectors, n, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        dst[i * ANO_MEMORIES] = detect_standardised(b->of->usual, (double)distances[i]);
    return status;
}

ano_status detect_memory_compare(double *dst, detect_memory *memory, const float *images, size_t n,
                                 ano_error *err)
{
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n * ANO_MEMORIES; i++)
        dst[i] = NAN;
    for (int k = 0; k < ANO_MEMORIES; k++) {
        const bank *b = &memory->banks[k];
        for (size_t first = 0; b->of != NULL && first < n && status == ANO_OK; first += TOGETHER)
            status = tell_distances(dst + first * ANO_MEMORIES + k, memory, b,
                                    images + first * detect_describer_image(b->describer),
                                    n - first < TOGETHER ? n - first : TOGETHER, err);
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

ano_status detect_memory_compare_read(double *dst, detect_memory *memory,
                                      const ano_dataset *dataset, size_t i, ano_error *err)
{
    ano_status status = ANO_OK;
    for (int k = 0; k < ANO_MEMORIES && status == ANO_OK; k++) {
        const bank *b = &memory->banks[k];
        dst[k] = NAN;
        if (b->of == NULL)
            continue;
        status = detect_describer_read(memory->image, b->describer, dataset, i, err);
        if (status == ANO_OK)
            status = tell_distances(dst + k, memory, b, memory->image, 1, err);
    }
    return status;
}
