/* Making a memory: the training images are described, those kept that a core-set needs, or a
 * network is trained on them, and what is usual is learnt from the images set aside. */
#include "base/memory.h"
#include "base/threads.h"
#include "detect/describe.h"
#include "detect/memory.h"
#include "detect/pool.h"
#include "detect/recall.h"
#include "detect/transforms.h"
#include "eval/coreset.h"
#include "model/calibration.h"
#include "model/memory.h"

#include <math.h>
#include <string.h>

enum { TOGETHER = 64, CANDIDATES = 2 }; /* times as many vectors as are kept, to choose from */

typedef struct memorising {
    ano_model *model;
    const ano_score_options *how;
    size_t n_done, n_images; /* read, and to be read */
    size_t n_training;       /* training images */
    float *own;              /* [n_own], the method's scores of the images set aside */
    size_t n_own;
    float map_high; /* the highest value of their maps by the method */
} memorising;

static ano_status tell(memorising *m, double n_done, ano_error *err)
{
    return m->how->callback == NULL ||
                   m->how->callback((double)m->n_done + n_done, m->n_images, m->how->cookie) == 0
               ? ANO_OK
               : base_error(err, ANO_CANCELLED, "remembering was stopped");
}

/* ---- images ------------------------------------------------------------------------------- */

/* Whether an image that cannot be read is to be left out. */
static bool is_image_lost(ano_status status)
{
    return status == ANO_IO || status == ANO_FORMAT || status == ANO_UNSUPPORTED;
}

/* Reads those of the images begin … end - 1, of n that lie evenly in a data set, that can be read:
 * dst [*n_read][image]. */
static ano_status read_images(float *dst, size_t *n_read, const memorising *m, ano_memory kind,
                              const ano_dataset *dataset, size_t begin, size_t end, size_t n,
                              size_t image, ano_error *err)
{
    const size_t count = ano_dataset_count(dataset);
    *n_read = 0;
    for (size_t i = begin; i < end; i++) {
        ano_error why = ANO_ERROR_INIT;
        const ano_status status =
            detect_recall_read(dst + *n_read * image, m->model, kind, dataset, i * count / n, &why);
        if (status == ANO_OK)
            ++*n_read;
        else if (!is_image_lost(status))
            return base_error(err, status, "%s", why.message);
    }
    return ANO_OK;
}

/* Has `work` done with up to n images that lie evenly in a data set, TOGETHER at a time: it is
 * called with those that can be read, of `image` numbers each, and how many there were before. */
typedef ano_status image_work(const float *images, size_t n, size_t before, void *cookie,
                              ano_error *err);

static ano_status each_image(size_t *n_read, memorising *m, ano_memory kind,
                             const ano_dataset *dataset, size_t n, size_t image, image_work *work,
                             void *cookie, ano_error *err)
{
    float *images = base_alloc(TOGETHER * image, sizeof *images);
    ano_status status = images != NULL ? ANO_OK : base_error_nomem(err, "images to remember");
    *n_read = 0;
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += TOGETHER) {
        const size_t end = n - begin < TOGETHER ? n : begin + TOGETHER;
        size_t group;
        status = read_images(images, &group, m, kind, dataset, begin, end, n, image, err);
        if (status == ANO_OK)
            status = work(images, group, *n_read, cookie, err);
        *n_read += group;
        m->n_done += end - begin;
        if (status == ANO_OK)
            status = tell(m, 0, err);
    }
    base_free(images);
    return status;
}

/* ---- vectors ------------------------------------------------------------------------------ */

typedef struct describing {
    float *dst; /* [n][d] */
    detect_describer *describer;
} describing;

static ano_status describe(const float *images, size_t n, size_t before, void *cookie,
                           ano_error *err)
{
    const describing *d = cookie;
    return detect_describe(d->dst + before * detect_describer_length(d->describer), d->describer,
                           images, n, err);
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

static ano_status fill_bank(model_bank *bank, memorising *m, ano_memory kind,
                            const ano_dataset *training, ano_error *err)
{
    describing d = {.dst = NULL};
    ano_status status = detect_describer_create(&d.describer, m->model, kind, err);
    if (status != ANO_OK)
        return status;
    bank->d = detect_describer_length(d.describer);
    const size_t count = ano_dataset_count(training);
    const size_t most = MODEL_MEMORY_NUMBERS / bank->d > 1 ? MODEL_MEMORY_NUMBERS / bank->d : 1;
    const size_t n = count < CANDIDATES * most ? count : CANDIDATES * most;
    d.dst = bank->vectors = base_alloc(n * bank->d, sizeof(float));
    status = d.dst != NULL ? each_image(&bank->n, m, kind, training, n,
                                        detect_describer_image(d.describer), describe, &d, err)
                           : base_error_nomem(err, "memory");
    detect_describer_free(d.describer);
    m->n_done += count - n;
    if (status == ANO_OK && bank->n == 0)
        status = base_error(err, ANO_ARG, "no training image could be read to remember");
    return status == ANO_OK && bank->n > most ? keep_coreset(bank, most, err) : status;
}

/* ---- the classifier of transformed images ------------------------------------------------- */

static ano_status tell_share(double share, void *cookie, ano_error *err)
{
    memorising *m = cookie;
    return tell(m, share * (double)m->n_training, err);
}

static ano_status learn_transforms(model_bank *bank, memorising *m, const ano_dataset *training,
                                   ano_error *err)
{
    const ano_view view = model_memory_view(m->model, ANO_MEMORY_TRANSFORMS);
    const size_t image = (size_t)view.size * (size_t)view.size * (size_t)view.channels;
    const size_t most = MODEL_MEMORY_NUMBERS / image;
    const size_t count = ano_dataset_count(training), n = count < most ? count : most;
    size_t n_read = 0;
    float *images = NULL;
    ano_status status = model_memory_length(&bank->d, m->model, ANO_MEMORY_TRANSFORMS, err);
    if (status != ANO_OK)
        return status;
    bank->n = 1;
    bank->vectors = base_alloc(bank->d, sizeof(float));
    images = base_alloc(n * image, sizeof *images);
    status =
        bank->vectors != NULL && images != NULL
            ? read_images(images, &n_read, m, ANO_MEMORY_TRANSFORMS, training, 0, n, n, image, err)
            : base_error_nomem(err, "images to transform");
    if (status == ANO_OK && n_read == 0)
        status = base_error(err, ANO_ARG, "no training image could be read to remember");
    if (status == ANO_OK)
        status = detect_transforms_train(bank->vectors, images, n_read, view.size, view.channels,
                                         m->how->seed, tell_share, m, err);
    base_free(images);
    m->n_done += count;
    return status;
}

/* ---- what is usual ------------------------------------------------------------------------ */

/* Of the scores above 0: copies of what is remembered say nothing of new images. With fewer than
 * two of them a score counts as it is. */
static model_usual usual_of(const float *scores, size_t n, float map_high)
{
    double sum = 0, squares = 0;
    size_t n_used = 0;
    for (size_t i = 0; i < n; i++)
        if (scores[i] > 0) {
            sum += log((double)scores[i]);
            n_used++;
        }
    if (n_used < 2)
        return (model_usual){0, 1, map_high};
    const double mean = sum / (double)n_used;
    for (size_t i = 0; i < n; i++)
        if (scores[i] > 0)
            squares += pow(log((double)scores[i]) - mean, 2);
    return (model_usual){mean, fmax(sqrt(squares / (double)(n_used - 1)), MODEL_LEAST_SPREAD),
                         map_high};
}

typedef struct recalling {
    float *dst;  /* [n] */
    float *maps; /* [TOGETHER], of the images under way */
    float map_high;
    detect_recall *recall;
} recalling;

static size_t map_size(const detect_recall *recall)
{
    const ano_shape shape = detect_recall_shape(recall);
    return (size_t)shape.height * (size_t)shape.width;
}

static ano_status recall(const float *images, size_t n, size_t before, void *cookie, ano_error *err)
{
    recalling *r = cookie;
    const ano_status status =
        detect_recall_distances(r->dst + before, r->maps, r->recall, images, n, err);
    if (status == ANO_OK)
        r->map_high = detect_highest(r->map_high, r->maps, n * map_size(r->recall));
    return status;
}

static ano_status learn_usual(model_bank *bank, memorising *m, ano_memory kind,
                              const ano_dataset *aside, ano_error *err)
{
    const size_t count = ano_dataset_count(aside);
    size_t n = 0;
    recalling r = {.dst = base_alloc(count, sizeof(float))};
    ano_status status = r.dst != NULL
                            ? detect_recall_create(&r.recall, m->model, kind, bank, true, err)
                            : base_error_nomem(err, "images set aside");
    if (status == ANO_OK) {
        r.maps = base_alloc(TOGETHER * map_size(r.recall), sizeof(float));
        status = r.maps != NULL ? ANO_OK : base_error_nomem(err, "maps");
    }
    if (status == ANO_OK)
        status =
            each_image(&n, m, kind, aside, count, detect_recall_image(r.recall), recall, &r, err);
    if (status == ANO_OK)
        bank->usual = usual_of(r.dst, n, r.map_high);
    detect_recall_free(r.recall);
    base_free(r.maps);
    base_free(r.dst);
    return status;
}

static int on_own_strip(const ano_strip *strip, void *cookie)
{
    memorising *m = cookie;
    m->map_high =
        detect_highest(m->map_high, strip->map, (size_t)strip->n_rows * (size_t)strip->shape.width);
    return 0;
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
    const ano_score_sink sink = {.on_strip = on_own_strip, .on_result = on_own, .cookie = m};
    ano_status status = ano_score_images(m->model, aside, &how, &sink, err);
    if (status == ANO_OK && m->n_own < 2)
        status = base_error(err, ANO_ARG, "of the images set aside %zu could be read, 2 are needed",
                            m->n_own);
    if (status == ANO_OK)
        m->model->memory.method = usual_of(m->own, m->n_own, m->map_high);
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
        const ano_memory kind = (ano_memory)i;
        model_bank *bank = &made.banks[i];
        status = kind == ANO_MEMORY_TRANSFORMS ? learn_transforms(bank, m, training, err)
                                               : fill_bank(bank, m, kind, training, err);
        if (status == ANO_OK)
            status = learn_usual(bank, m, kind, aside, err);
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
    memorising m = {.model = model, .how = how, .n_training = ano_dataset_count(training)};
    m.n_images = ano_dataset_count(aside) + n_kinds * (m.n_training + ano_dataset_count(aside));
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
