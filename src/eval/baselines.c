/* The plain detectors that ours must beat, fitted to the same normal images: PCA, and distances
 * between descriptions of images, each kind of description with each kind of distance.
 *
 * The rank sum is that of four: histograms and random filters, nearest neighbour and Mahalanobis
 * each. A score is worth the share of the training images that score lower when they are left out
 * of the fit themselves, 1 - ano_p_value() of these scores, and the four shares are added. So an
 * image's score does not depend on which other images are tested. */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/threads.h"
#include "eval/descriptors.h"
#include "eval/mahalanobis.h"
#include "eval/nearest.h"
#include "eval/pca.h"

#include <stdlib.h>

static const double SHRINKAGE = 0.05;

/* Images in memory at a time, as floats. */
enum { BLOCK = 256 };

/* Floats that describe training images, 1 GB: where there are more, images that lie evenly among
 * them are kept. */
enum { MAX_KNOWN = 1 << 28 };

typedef enum distance { NEAREST, MAHALANOBIS, N_DISTANCES } distance;

enum { MAX_DESCRIPTORS = 2 };

/* What a baseline is made of. */
typedef struct recipe {
    const char *name;
    int n_descriptors; /* 0: PCA */
    eval_descriptor_kind descriptors[MAX_DESCRIPTORS];
    bool distances[N_DISTANCES];
} recipe;

/* In the order of ano_baseline; distances are nearest neighbour, Mahalanobis. */
static const recipe recipes[ANO_BASELINES] = {
    {"pca", 0, {0}, {false, false}},
    {"nearest", 1, {EVAL_PIXELS}, {true, false}},
    {"histogram_nearest", 1, {EVAL_HISTOGRAMS}, {true, false}},
    {"histogram_mahalanobis", 1, {EVAL_HISTOGRAMS}, {false, true}},
    {"random_nearest", 1, {EVAL_RANDOM}, {true, false}},
    {"random_mahalanobis", 1, {EVAL_RANDOM}, {false, true}},
    {"rank_sum", 2, {EVAL_HISTOGRAMS, EVAL_RANDOM}, {true, true}},
};

/* The training images by one descriptor. */
typedef struct described {
    eval_descriptor *descriptor;
    size_t n, d;
    float *known; /* [n][d] */
    eval_nearest *nearest;
    eval_mahalanobis *mahalanobis;
    float *left_out[N_DISTANCES]; /* [n], rising; of a rank sum */
} described;

struct ano_baseline_model {
    ano_baseline kind;
    ano_shape shape;
    int threads;
    eval_pca *pca;
    described spaces[MAX_DESCRIPTORS];
};

const char *ano_baseline_name(ano_baseline baseline)
{
    return (int)baseline >= 0 && (int)baseline < ANO_BASELINES ? recipes[baseline].name : NULL;
}

static bool is_rank_sum(const recipe *parts)
{
    return parts->n_descriptors > 1;
}

void ano_baseline_free(ano_baseline_model *model)
{
    if (model == NULL)
        return;
    eval_pca_free(model->pca);
    for (int i = 0; i < MAX_DESCRIPTORS; i++) {
        described *space = &model->spaces[i];
        eval_nearest_free(space->nearest);
        eval_mahalanobis_free(space->mahalanobis);
        eval_descriptor_free(space->descriptor);
        base_free(space->known);
        for (int k = 0; k < N_DISTANCES; k++)
            base_free(space->left_out[k]);
    }
    base_free(model);
}

static size_t pixel_count(ano_shape shape)
{
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- fitting ------------------------------------------------------------------------------ */

/* Describes the training images, or those kept, a block of them in memory at a time. */
static ano_status describe_training(described *space, const ano_dataset *train, ano_error *err)
{
    const size_t count = ano_dataset_count(train);
    float *images = base_alloc(BLOCK * pixel_count(ano_dataset_shape(train)), sizeof *images);
    space->d = eval_descriptor_length(space->descriptor);
    space->n = least(count, MAX_KNOWN / space->d);
    space->known = base_alloc(space->n * space->d, sizeof *space->known);
    ano_status status = images != NULL && space->known != NULL
                            ? ANO_OK
                            : base_error_nomem(err, "the training images of a baseline");
    for (size_t begin = 0; begin < space->n && status == ANO_OK; begin += BLOCK) {
        size_t indices[BLOCK];
        const size_t n = least(BLOCK, space->n - begin);
        for (size_t i = 0; i < n; i++)
            indices[i] = (begin + i) * count / space->n;
        status = ano_dataset_read(images, train, indices, n, err);
        if (status == ANO_OK)
            status =
                eval_describe(space->known + begin * space->d, space->descriptor, images, n, err);
    }
    base_free(images);
    return status;
}

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static ano_status find_left_out(described *space, ano_error *err)
{
    for (int k = 0; k < N_DISTANCES; k++) {
        space->left_out[k] = base_alloc(space->n, sizeof *space->left_out[k]);
        if (space->left_out[k] == NULL)
            return base_error_nomem(err, "ranks");
    }
    ano_status status = eval_nearest_left_out(space->left_out[NEAREST], space->nearest, err);
    if (status == ANO_OK)
        status = eval_mahalanobis_left_out(space->left_out[MAHALANOBIS], space->mahalanobis,
                                           space->known, err);
    for (int k = 0; k < N_DISTANCES; k++)
        qsort(space->left_out[k], space->n, sizeof *space->left_out[k], compare_floats);
    return status;
}

static ano_status fit_space(described *space, const recipe *parts, eval_descriptor_kind descriptor,
                            const ano_dataset *train, ano_error *err)
{
    if (parts->distances[MAHALANOBIS] && ano_dataset_count(train) < 2)
        return base_error(err, ANO_ARG, "Mahalanobis: there is no covariance of one image");
    ano_status status =
        eval_descriptor_create(&space->descriptor, descriptor, ano_dataset_shape(train), err);
    if (status == ANO_OK)
        status = describe_training(space, train, err);
    if (status == ANO_OK && parts->distances[NEAREST])
        status = eval_nearest_create(&space->nearest, space->known, space->n, space->d, err);
    if (status == ANO_OK && parts->distances[MAHALANOBIS])
        status = eval_mahalanobis_create(&space->mahalanobis, space->known, space->n, space->d,
                                         SHRINKAGE, err);
    if (status == ANO_OK && is_rank_sum(parts))
        status = find_left_out(space, err);
    return status;
}

static ano_status fit(ano_baseline_model *model, const ano_dataset *train, int components,
                      ano_error *err)
{
    const recipe *parts = &recipes[model->kind];
    if (model->kind == ANO_BASELINE_PCA)
        return eval_pca_fit(&model->pca, train, components, err);
    ano_status status = ANO_OK;
    for (int i = 0; i < parts->n_descriptors && status == ANO_OK; i++)
        status = fit_space(&model->spaces[i], parts, parts->descriptors[i], train, err);
    return status;
}

ano_status ano_baseline_fit(ano_baseline_model **out, ano_baseline baseline,
                            const ano_dataset *train, const ano_baseline_options *options,
                            ano_error *err)
{
    *out = NULL;
    if (ano_baseline_name(baseline) == NULL)
        return base_error(err, ANO_ARG, "baseline: there is no method %d", (int)baseline);
    if (ano_dataset_count(train) == 0)
        return base_error(err, ANO_ARG, "baseline: there are no training images");
    if (base_threads_check(options->threads, err) != ANO_OK)
        return ANO_ARG;
    ano_baseline_model *model = base_alloc(1, sizeof *model);
    if (model == NULL)
        return base_error_nomem(err, "baseline");
    *model = (ano_baseline_model){
        .kind = baseline, .shape = ano_dataset_shape(train), .threads = options->threads};
    const int previous = base_threads_enter(options->threads);
    const ano_status status = fit(model, train, options->components, err);
    base_threads_leave(previous);
    if (status == ANO_OK)
        *out = model;
    else
        ano_baseline_free(model);
    return status;
}

/* ---- scoring ------------------------------------------------------------------------------ */

/* scores [n] += what the distance says of n described images, or its rank. */
static ano_status add_distance(float *scores, const described *space, distance which,
                               const float *vectors, size_t n, ano_error *err)
{
    float distances[BLOCK];
    const ano_status status =
        which == NEAREST
            ? eval_nearest_distances(distances, NULL, space->nearest, vectors, n, err)
            : eval_mahalanobis_distances(distances, space->mahalanobis, vectors, n, err);
    const float *left_out = space->left_out[which];
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        scores[i] += left_out == NULL
                         ? distances[i]
                         : (float)(1 - ano_p_value(left_out, space->n, (double)distances[i]));
    return status;
}

/* scores [n] of n ≤ BLOCK images. */
static ano_status score_block(float *scores, const ano_baseline_model *model, const float *images,
                              size_t n, ano_error *err)
{
    const recipe *parts = &recipes[model->kind];
    if (model->kind == ANO_BASELINE_PCA)
        return eval_pca_score(scores, model->pca, images, n, err);
    for (size_t i = 0; i < n; i++)
        scores[i] = 0;
    ano_status status = ANO_OK;
    for (int i = 0; i < parts->n_descriptors && status == ANO_OK; i++) {
        const described *space = &model->spaces[i];
        float *vectors = base_alloc(n * space->d, sizeof *vectors);
        status = vectors != NULL ? eval_describe(vectors, space->descriptor, images, n, err)
                                 : base_error_nomem(err, "the description of images");
        for (int k = 0; k < N_DISTANCES && status == ANO_OK; k++)
            if (parts->distances[k])
                status = add_distance(scores, space, (distance)k, vectors, n, err);
        base_free(vectors);
    }
    return status;
}

static ano_status score(float *scores, const ano_baseline_model *model, const ano_dataset *dataset,
                        ano_error *err)
{
    const size_t count = ano_dataset_count(dataset);
    float *images = base_alloc(BLOCK * pixel_count(model->shape), sizeof *images);
    ano_status status = images != NULL ? ANO_OK : base_error_nomem(err, "images");
    for (size_t begin = 0; begin < count && status == ANO_OK; begin += BLOCK) {
        size_t indices[BLOCK];
        const size_t n = least(BLOCK, count - begin);
        for (size_t i = 0; i < n; i++)
            indices[i] = begin + i;
        status = ano_dataset_read(images, dataset, indices, n, err);
        if (status == ANO_OK)
            status = score_block(scores + begin, model, images, n, err);
    }
    base_free(images);
    return status;
}

ano_status ano_baseline_score(float *scores, const ano_baseline_model *model,
                              const ano_dataset *dataset, ano_error *err)
{
    const ano_shape fitted = model->shape, given = ano_dataset_shape(dataset);
    if (fitted.height != given.height || fitted.width != given.width ||
        fitted.channels != given.channels)
        return base_error(err, ANO_SHAPE,
                          "baseline: the training images are %d x %d x %d, those to score "
                          "%d x %d x %d (height, width, channels)",
                          fitted.height, fitted.width, fitted.channels, given.height, given.width,
                          given.channels);
    const int previous = base_threads_enter(model->threads);
    const ano_status status = score(scores, model, dataset, err);
    base_threads_leave(previous);
    return status;
}
