/* Making a memory: the training images are described, those kept that a core-set needs, and what is
 * usual is learnt from the images set aside. */
#include "base/memory.h"
#include "base/threads.h"
#include "detect/describe.h"
#include "detect/memory.h"
#include "eval/coreset.h"
#include "eval/nearest.h"
#include "model/calibration.h"
#include "model/memory.h"

#include <math.h>
#include <string.h>

enum { TOGETHER = 64, CANDIDATES = 2 }; /* times as many vectors as are kept, to choose from */

typedef struct memorising {
    ano_model *model;
    const ano_score_options *how;
    size_t n_done, n_images; /* read, and to be read */
    float *own;              /* [n_own], the method's scores of the images set aside */
    size_t n_own;
} memorising;

static ano_status tell(memorising *m, double n_done, ano_error *err)
{
    return m->how->callback == NULL ||
                   m->how->callback((double)m->n_done + n_done, m->n_images, m->how->cookie) == 0
               ? ANO_OK
               : base_error(err, ANO_CANCELLED, "remembering was stopped");
}

/* ---- vectors ------------------------------------------------------------------------------ */

/* Whether an image that cannot be read is to be left out. */
static bool is_image_lost(ano_status status)
{
    return status == ANO_IO || status == ANO_FORMAT || status == ANO_UNSUPPORTED;
}

/* Describes up to n images that lie evenly in a data set: dst [*n_described][d] of those that can
 * be read. */
static ano_status describe_images(float *dst, size_t *n_described, memorising *m,
                                  detect_describer *describer, const ano_dataset *dataset, size_t n,
                                  ano_error *err)
{
    const size_t count = ano_dataset_count(dataset), image = detect_describer_image(describer);
    float *images = base_alloc(TOGETHER * image, sizeof *images);
    ano_status status = images != NULL ? ANO_OK : base_error_nomem(err, "images to remember");
    *n_described = 0;
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += TOGETHER) {
        const size_t end = n - begin < TOGETHER ? n : begin + TOGETHER;
        size_t n_read = 0;
        for (size_t i = begin; i < end && status == ANO_OK; i++) {
            ano_error why = ANO_ERROR_INIT;
            status = detect_describer_read(images + n_read * image, describer, dataset,
                                           i * count / n, &why);
            if (status == ANO_OK)
                n_read++;
            else
                status =
                    is_image_lost(status) ? ANO_OK : base_error(err, status, "%s", why.message);
        }
        if (status == ANO_OK)
            status = detect_describe(dst + *n_described * detect_describer_length(describer),
                                     describer, images, n_read, err);
        *n_described += n_read;
        m->n_done += end - begin;
        if (status == ANO_OK)
            status = tell(m, 0, err);
    }
    base_free(images);
    return status;
}

/* Moves a core-set to the front of the bank's vectors and gives the other memory back. */
static ano_status keep_coreset(model_bank *bank, size_t n_kept, ano_error *err)
{
    size_t *chosen = base_alloc(n_kept, sizeof *chosen);
    float *kept = base_alloc(n_kept * bank->d, sizeof *kept);
    ano_status status = chosen != NULL && kept != NULL ? ANO_OK : base_error_nomem(err, "core-set");
    if (status == ANO_OK)
        status = eval_coreset(chosen, n_kept, bank->vectors, bank->n, bank->d, err);
    for (size_t k = 0; k < n_kept && status == ANO_OK; k++)
        memcpy(kept + k * bank->d, bank->vectors + chosen[k] * bank->d, bank->d * sizeof *kept);
    base_free(chosen);
    if (status != ANO_OK) {
        base_free(kept);
        return status;
    }
    base_free(bank->vectors);
    bank->vectors = kept;
    bank->n = n_kept;
    return ANO_OK;
}

static ano_status fill_bank(model_bank *bank, memorising *m, detect_describer *describer,
                            const ano_dataset *training, ano_error *err)
{
    const size_t d = detect_describer_length(describer), count = ano_dataset_count(training);
    const size_t most = MODEL_MEMORY_NUMBERS / d > 1 ? MODEL_MEMORY_NUMBERS / d : 1;
    const size_t n = count < CANDIDATES * most ? count : CANDIDATES * most;
    bank->d = d;
    bank->vectors = base_alloc(n * d, sizeof(float));
    if (bank->vectors == NULL)
        return base_error_nomem(err, "memory");
    ano_status status = describe_images(bank->vectors, &bank->n, m, describer, training, n, err);
    m->n_done += count - n;
    if (status == ANO_OK && bank->n == 0)
        status = base_error(err, ANO_ARG, "no training image could be read to remember");
    return status == ANO_OK && bank->n > most ? keep_coreset(bank, most, err) : status;
}

/* ---- what is usual ------------------------------------------------------------------------ */

/* Of the scores above 0: copies of what is remembered say nothing of new images. With fewer than
 * two of them a score counts as it is. */
static model_usual usual_of(const float *scores, size_t n)
{
    double sum = 0, squares = 0;
    size_t n_used = 0;
    for (size_t i = 0; i < n; i++)
        if (scores[i] > 0) {
            sum += log((double)scores[i]);
            n_used++;
        }
    if (n_used < 2)
        return (model_usual){0, 1};
    const double mean = sum / (double)n_used;
    for (size_t i = 0; i < n; i++)
        if (scores[i] > 0)
            squares += pow(log((double)scores[i]) - mean, 2);
    return (model_usual){mean, fmax(sqrt(squares / (double)(n_used - 1)), MODEL_LEAST_SPREAD)};
}

static ano_status learn_usual(model_bank *bank, memorising *m, detect_describer *describer,
                              const ano_dataset *aside, ano_error *err)
{
    const size_t count = ano_dataset_count(aside);
    size_t n = 0;
    eval_nearest *nearest = NULL;
    float *vectors = base_alloc(count * bank->d, sizeof *vectors);
    float *distances = base_alloc(count, sizeof *distances);
    ano_status status = vectors != NULL && distances != NULL
                            ? describe_images(vectors, &n, m, describer, aside, count, err)
                            : base_error_nomem(err, "images set aside");
    if (status == ANO_OK)
        status = eval_nearest_create(&nearest, bank->vectors, bank->n, bank->d, err);
    if (status == ANO_OK)
        status = eval_nearest_distances(distances, nearest, vectors, n, err);
    if (status == ANO_OK)
        bank->usual = usual_of(distances, n);
    eval_nearest_free(nearest);
    base_free(vectors);
    base_free(distances);
    return status;
}

static int on_own(const ano_result *result, void *cookie)
{
    memorising *m = cookie;
    if (result->status == ANO_OK)
        m->own[m->n_own++] = result->score;
    return 0;
}

static int on_own_progress(double n_done, size_t n, void *cookie)
{
    (void)n;
    return tell(cookie, n_done, NULL) != ANO_OK;
}

/* Of the method's own scores. */
static ano_status learn_own(memorising *m, const ano_dataset *aside, ano_error *err)
{
    ano_score_options how = *m->how;
    how.callback = on_own_progress;
    how.cookie = m;
    m->own = base_alloc(ano_dataset_count(aside), sizeof *m->own);
    if (m->own == NULL)
        return base_error_nomem(err, "scores");
    const ano_score_sink sink = {.on_result = on_own, .cookie = m};
    ano_status status = ano_score_images(m->model, aside, &how, &sink, err);
    if (status == ANO_OK && m->n_own < 2)
        status = base_error(err, ANO_ARG, "of the images set aside %zu could be read, 2 are needed",
                            m->n_own);
    if (status == ANO_OK)
        m->model->memory.method = usual_of(m->own, m->n_own);
    base_free(m->own);
    m->n_done += ano_dataset_count(aside);
    return status;
}

static ano_status memorise(memorising *m, unsigned kinds, const ano_dataset *training,
                           const ano_dataset *aside, ano_error *err)
{
    model_memory made = {.method = m->model->memory.method};
    ano_status status = ANO_OK;
    for (int i = 0; i < ANO_MEMORIES && status == ANO_OK; i++) {
        if (!(kinds >> i & 1))
            continue;
        model_bank *bank = &made.banks[i];
        detect_describer *describer = NULL;
        status = detect_describer_create(&describer, m->model, (ano_memory)i, err);
        if (status == ANO_OK)
            status = fill_bank(bank, m, describer, training, err);
        if (status == ANO_OK)
            status = learn_usual(bank, m, describer, aside, err);
        detect_describer_free(describer);
    }
    if (status == ANO_OK)
        m->model->memory = made;
    else
        model_memory_clear(&made);
    return status;
}

ano_status ano_memorise(ano_model *model, unsigned kinds, const ano_dataset *training,
                        const ano_dataset *aside, const ano_score_options *how, ano_error *err)
{
    model_memory_clear(&model->memory);
    model_calibration_clear(model);
    if (kinds == 0)
        return ANO_OK;
    if (kinds >> ANO_MEMORIES != 0)
        return base_error(err, ANO_ARG, "memory: there are no kinds %#x", kinds);
    size_t n_kinds = 0;
    for (int i = 0; i < ANO_MEMORIES; i++)
        n_kinds += kinds >> i & 1;
    memorising m = {.model = model, .how = how};
    m.n_images = ano_dataset_count(aside) +
                 n_kinds * (ano_dataset_count(training) + ano_dataset_count(aside));
    ano_status status = learn_own(&m, aside, err); /* checks `how` */
    if (status != ANO_OK)
        return status;
    const int previous = base_threads_enter(how->threads);
    status = memorise(&m, kinds, training, aside, err);
    base_threads_leave(previous);
    if (status != ANO_OK)
        model_memory_clear(&model->memory);
    return status;
}
