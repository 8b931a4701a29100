#include "detect/encode.h"

#include "base/memory.h"
#include "base/threads.h"
#include "detect/features.h"
#include "detect/folded.h"
#include "kernels/kernels.h"
#include "model/networks.h"

#include <math.h>
#include <string.h>

/* Groups that a thread takes between two ticks, and terms of a product that are added up before
 * they join the sum. */
enum { GROUPS_A_THREAD = 4, TERMS = 64 };

/* What a thread needs for itself. */
typedef struct encode_thread {
    detect_features *encoder, *critic;
    detect_folded_pass *generator;
    float *sums; /* [group][columns], of the dense layer */
    float *z;    /* [group][latent] */
    float *seen; /* [group][features], f(x) */
} encode_thread;

struct detect_encode {
    const kernels *kernels;
    size_t latent, columns, image, maps, features; /* numbers: of z, in whole vectors; of an image;
                                                      of the encoder's last maps; of f */
    size_t group;                                  /* images */
    bool bounded;                                  /* z by tanh */
    double weight;                                 /* κ */
    float *weights, *bias; /* the dense layer's, [maps][columns] and [columns] */
    detect_folded *generator;
    int n_threads;
    encode_thread *threads;
};

/* ---- set-up ------------------------------------------------------------------------------- */

void detect_encode_free(detect_encode *encode)
{
    if (encode == NULL)
        return;
    for (int i = 0; i < encode->n_threads && encode->threads != NULL; i++) {
        encode_thread *t = &encode->threads[i];
        detect_features_free(t->encoder);
        detect_features_free(t->critic);
        detect_folded_pass_free(t->generator);
        base_free(t->sums);
        base_free(t->z);
        base_free(t->seen);
    }
    base_free(encode->threads);
    base_free(encode->weights);
    base_free(encode->bias);
    detect_folded_free(encode->generator);
    base_free(encode);
}

/* The dense layer's numbers, rows filled up to whole vectors. */
static ano_status copy_dense(detect_encode *e, const nn_net *encoder, ano_error *err)
{
    const float *kernel = nn_net_data(encoder, nn_net_find(encoder, "dense.kernel"));
    const float *bias = nn_net_data(encoder, nn_net_find(encoder, "dense.bias"));
    e->weights = base_alloc(e->maps * e->columns, sizeof(float));
    e->bias = base_alloc(e->columns, sizeof(float));
    if (e->weights == NULL || e->bias == NULL)
        return base_error_nomem(err, "encoder");
    for (size_t row = 0; row < e->maps; row++)
        memcpy(e->weights + row * e->columns, kernel + row * e->latent, e->latent * sizeof(float));
    memcpy(e->bias, bias, e->latent * sizeof(float));
    return ANO_OK;
}

static ano_status create_thread(encode_thread *t, detect_encode *e, const ano_model *model,
                                ano_error *err)
{
    ano_status status =
        detect_features_create(&t->encoder, model->networks[ANO_ENCODER], 0, false, err);
    if (status == ANO_OK)
        status =
            detect_features_create(&t->critic, model->networks[ANO_DISCRIMINATOR], 0, false, err);
    if (status == ANO_OK)
        status = detect_folded_pass_create(&t->generator, e->generator, DETECT_FEATURES_GROUP, err);
    t->sums = base_alloc(DETECT_FEATURES_GROUP * e->columns, sizeof(float));
    t->z = base_alloc(DETECT_FEATURES_GROUP * e->latent, sizeof(float));
    t->seen = base_alloc(DETECT_FEATURES_GROUP * e->features, sizeof(float));
    if (status == ANO_OK && (t->sums == NULL || t->z == NULL || t->seen == NULL))
        status = base_error_nomem(err, "encoder");
    return status;
}

/* Each thread's own, made in it: passes are for as many threads as they see. */
static ano_status create_threads(detect_encode *e, const ano_model *model, ano_error *err)
{
    ano_status status = ANO_OK;
#pragma omp parallel for schedule(static, 1) num_threads(e->n_threads)
    for (int i = 0; i < e->n_threads; i++) {
        ano_error own = ANO_ERROR_INIT;
        if (create_thread(&e->threads[i], e, model, &own) != ANO_OK) {
#pragma omp critical
            status = base_error(err, own.status, "%s", own.message);
        }
    }
    return status;
}

ano_status detect_encode_create(detect_encode **out, const ano_model *model,
                                const ano_score_options *options, ano_error *err)
{
    *out = NULL;
    const nn_net *encoder = model->networks[ANO_ENCODER];
    const nn_net *critic = model->networks[ANO_DISCRIMINATOR];
    detect_encode *e = base_alloc(1, sizeof *e);
    if (e == NULL)
        return base_error_nomem(err, "encoder");
    e->kernels = kernels_get();
    e->latent = nn_shape_size(encoder->dst);
    e->columns = kernels_whole_columns(e->latent);
    e->image = nn_shape_size(encoder->src);
    e->maps = nn_shape_size(encoder->layers[model_feature_layers(encoder, 0) - 1].dst);
    e->features = nn_shape_size(critic->layers[model_feature_layers(critic, 0) - 1].dst);
    e->bounded = encoder->layers[encoder->n_layers - 1].kind == NN_TANH;
    e->weight = options->feature_weight;
    e->n_threads = base_threads();
    e->threads = base_alloc((size_t)e->n_threads, sizeof *e->threads);
    ano_status status = e->threads != NULL ? ANO_OK : base_error_nomem(err, "encoder");
    if (status == ANO_OK)
        status = copy_dense(e, encoder, err);
    if (status == ANO_OK)
        status = detect_folded_create(&e->generator, model->networks[ANO_GENERATOR], err);
    if (status == ANO_OK)
        status = create_threads(e, model, err);
    if (status != ANO_OK) {
        detect_encode_free(e);
        return status;
    }
    const size_t by_encoder = detect_features_group(e->threads[0].encoder);
    const size_t by_critic = detect_features_group(e->threads[0].critic);
    e->group = by_encoder < by_critic ? by_encoder : by_critic;
    *out = e;
    return ANO_OK;
}

size_t detect_encode_width(const detect_encode *encode)
{
    return (size_t)encode->n_threads * GROUPS_A_THREAD * encode->group;
}

/* ---- a group ------------------------------------------------------------------------------ */

/* z = maps · W + b, or where the prior is bounded tanh of it, of n tiles, into t->z. */
static ano_status encode_group(encode_thread *t, const detect_encode *e, const float *tiles,
                               size_t n, ano_error *err)
{
    const float *maps;
    const ano_status status = detect_features_forward(&maps, t->encoder, tiles, n, err);
    if (status != ANO_OK)
        return status;
    e->kernels->product(t->sums, maps, e->weights,
                        (kernels_product){.rows = n,
                                          .columns = e->columns,
                                          .k = e->maps,
                                          .terms = TERMS,
                                          .dst_row = e->columns,
                                          .src_row = e->maps,
                                          .src_column = 1,
                                          .weights_row = e->columns});
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < e->latent; c++) {
            const float sum = t->sums[i * e->columns + c] + e->bias[c];
            t->z[i * e->latent + c] = e->bounded ? tanhf(sum) : sum;
        }
    return ANO_OK;
}

static double mean_square(const float *a, const float *b, size_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
    return sum / (double)n;
}

/* What is found of the n tiles from number `first` on. */
static ano_status look(const detect_found *found, encode_thread *t, const detect_encode *e,
                       const float *tiles, size_t first, size_t n, ano_error *err)
{
    const float *tile = tiles + first * e->image, *maps;
    ano_status status = encode_group(t, e, tile, n, err);
    if (status != ANO_OK)
        return status;
    const float *generated = detect_folded_forward(t->generator, t->z, n);
    if (found->generated != NULL)
        memcpy(found->generated + first * e->image, generated, n * e->image * sizeof(float));
    status = detect_features_forward(&maps, t->critic, tile, n, err);
    if (status != ANO_OK)
        return status;
    memcpy(t->seen, maps, n * e->features * sizeof(float));
    status = detect_features_forward(&maps, t->critic, generated, n, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        const double score =
            mean_square(tile + i * e->image, generated + i * e->image, e->image) +
            e->weight * mean_square(t->seen + i * e->features, maps + i * e->features, e->features);
        if (!isfinite(score))
            return base_error(err, ANO_NUMERIC, "the score of an image is not finite");
        if (found->scores != NULL)
            found->scores[first + i] = (float)score;
    }
    return status;
}

/* ---- all of them -------------------------------------------------------------------------- */

ano_status detect_encode_run(const detect_found *found, detect_encode *encode, const float *tiles,
                             size_t n, detect_tick *tick, void *cookie, ano_error *err)
{
    const size_t width = detect_encode_width(encode), group = encode->group;
    const size_t n_threads = (size_t)encode->n_threads;
    ano_status status = ANO_OK;
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += width) {
        const size_t end = n - begin < width ? n : begin + width;
#pragma omp parallel for schedule(static, 1) num_threads(encode->n_threads)
        for (size_t thread = 0; thread < n_threads; thread++)
            for (size_t i = begin + thread * group; i < end; i += n_threads * group) {
                ano_error own = ANO_ERROR_INIT;
                if (look(found, &encode->threads[thread], encode, tiles, i,
                         end - i < group ? end - i : group, &own) != ANO_OK) {
#pragma omp critical
                    status = base_error(err, own.status, "%s", own.message);
                }
            }
        if (status == ANO_OK && tick != NULL && tick(end, cookie) != 0)
            status = base_error(err, ANO_CANCELLED, "scoring was stopped");
    }
    return status;
}

ano_status detect_encode_latents(float *z, detect_encode *encode, const float *tiles, size_t n,
                                 ano_error *err)
{
    const size_t group = encode->group, n_threads = (size_t)encode->n_threads;
    const size_t latent = encode->latent;
    ano_status status = ANO_OK;
#pragma omp parallel for schedule(static, 1) num_threads(encode->n_threads)
    for (size_t thread = 0; thread < n_threads; thread++)
        for (size_t i = thread * group; i < n; i += n_threads * group) {
            encode_thread *t = &encode->threads[thread];
            const size_t here = n - i < group ? n - i : group;
            ano_error own = ANO_ERROR_INIT;
            if (encode_group(t, encode, tiles + i * encode->image, here, &own) == ANO_OK)
                memcpy(z + i * latent, t->z, here * latent * sizeof(float));
            else {
#pragma omp critical
                status = base_error(err, own.status, "%s", own.message);
            }
        }
    return status;
}
