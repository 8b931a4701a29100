#include "detect/encode.h"

#include "base/memory.h"
#include "base/threads.h"
#include "detect/features.h"
#include "detect/folded.h"
#include "detect/rounds.h"
#include "kernels/kernels.h"
#include "model/networks.h"

#include <math.h>
#include <string.h>

/* Groups of a thread in a round, and terms of a product that are added up before they join the sum.
 */
enum { GROUPS_A_THREAD = 4, TERMS = 64 };

/* What a thread needs for itself. */
typedef struct encode_thread {
    detect_features *encoder, *critic;
    detect_folded_pass *generator;
    float *sums; /* [group][columns], of the dense layer */
    float *z;    /* [group][latent], of images … */
    float *back; /* … and of what is generated of them */
    float *seen; /* [group][features], f(x) */
} encode_thread;

struct detect_encode {
    const ano_model *model;
    const kernels *kernels;
    size_t latent, columns, image, maps, features; /* numbers: of z, in whole vectors; of an image;
                                                      of the encoder's last maps; of f */
    size_t group;                                  /* images */
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
        base_free(t->back);
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

static ano_status create_thread(int thread, void *cookie, ano_error *err)
{
    const detect_encode *e = cookie;
    encode_thread *t = &e->threads[thread];
    nn_net *const *networks = e->model->networks;
    ano_status status = detect_features_create(&t->encoder, networks[ANO_ENCODER], 0, false, err);
    if (status == ANO_OK)
        status = detect_features_create(&t->critic, networks[ANO_DISCRIMINATOR], 0, false, err);
    if (status == ANO_OK)
        status = detect_folded_pass_create(&t->generator, e->generator, DETECT_FEATURES_GROUP, err);
    t->sums = base_alloc(DETECT_FEATURES_GROUP * e->columns, sizeof(float));
    t->z = base_alloc(DETECT_FEATURES_GROUP * e->latent, sizeof(float));
    t->back = base_alloc(DETECT_FEATURES_GROUP * e->latent, sizeof(float));
    t->seen = base_alloc(DETECT_FEATURES_GROUP * e->features, sizeof(float));
    if (status == ANO_OK && (t->sums == NULL || t->z == NULL || t->back == NULL || t->seen == NULL))
        status = base_error_nomem(err, "encoder");
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
    e->model = model;
    e->kernels = kernels_get();
    e->latent = nn_shape_size(encoder->dst);
    e->columns = kernels_whole_columns(e->latent);
    e->image = nn_shape_size(encoder->src);
    e->maps = nn_shape_size(encoder->layers[model_feature_layers(encoder, 0) - 1].dst);
    e->features = nn_shape_size(critic->layers[model_feature_layers(critic, 0) - 1].dst);
    e->weight = options->feature_weight;
    e->n_threads = base_threads();
    e->threads = base_alloc((size_t)e->n_threads, sizeof *e->threads);
    ano_status status = e->threads != NULL ? ANO_OK : base_error_nomem(err, "encoder");
    if (status == ANO_OK)
        status = copy_dense(e, encoder, err);
    if (status == ANO_OK)
        status = detect_folded_create(&e->generator, model->networks[ANO_GENERATOR], err);
    if (status == ANO_OK)
        status = base_threads_each(e->n_threads, create_thread, e, err);
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

static detect_rounds rounds_of(const detect_encode *encode)
{
    return (detect_rounds){encode->n_threads, encode->group, GROUPS_A_THREAD};
}

size_t detect_encode_width(const detect_encode *encode)
{
    return detect_rounds_width(rounds_of(encode));
}

/* ---- a group ------------------------------------------------------------------------------ */

/* z [n][latent] = tanh(maps · W + b) of n tiles. */
static ano_status encode_group(float *z, encode_thread *t, const detect_encode *e,
                               const float *tiles, size_t n, ano_error *err)
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
        for (size_t c = 0; c < e->latent; c++)
            z[i * e->latent + c] = tanhf(t->sums[i * e->columns + c] + e->bias[c]);
    return ANO_OK;
}

/* How far n tiles' z are from those given. */
static ano_status measure_group(float *distances, encode_thread *t, const detect_encode *e,
                                const float *z, const float *tiles, size_t n, ano_error *err)
{
    const ano_status status = encode_group(t->back, t, e, tiles, n, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        double squares = 0;
        for (size_t c = i * e->latent; c < (i + 1) * e->latent; c++)
            squares += (double)(z[c] - t->back[c]) * (double)(z[c] - t->back[c]);
        distances[i] = (float)sqrt(squares);
    }
    return status;
}

static double mean_square(const float *a, const float *b, size_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
    return sum / (double)n;
}

/* What the threads of a run share. */
typedef struct run {
    const detect_found *found;
    const detect_encode *encode;
    const float *tiles;
} run;

/* The same where only z is asked for … */
typedef struct run_of_z {
    const detect_encode *encode;
    const float *tiles;
    float *z;
} run_of_z;

/* … and where it is given. */
typedef struct run_of_distances {
    const detect_encode *encode;
    const float *tiles, *z;
    float *distances;
} run_of_distances;

/* What a thread finds of n tiles from number `first` on. */
static ano_status look(int thread, size_t first, size_t n, void *cookie, ano_error *err)
{
    const run *r = cookie;
    const detect_found *found = r->found;
    const detect_encode *e = r->encode;
    encode_thread *t = &e->threads[thread];
    const float *tile = r->tiles + first * e->image, *maps;
    ano_status status = encode_group(t->z, t, e, tile, n, err);
    if (status != ANO_OK)
        return status;
    const float *generated = detect_folded_forward(t->generator, t->z, n);
    if (found->generated != NULL)
        memcpy(found->generated + first * e->image, generated, n * e->image * sizeof(float));
    if (found->z_distances != NULL)
        status = measure_group(found->z_distances + first, t, e, t->z, generated, n, err);
    if (status == ANO_OK)
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

/* The z of n tiles from number `first` on. */
static ano_status look_for_z(int thread, size_t first, size_t n, void *cookie, ano_error *err)
{
    const run_of_z *r = cookie;
    const detect_encode *e = r->encode;
    return encode_group(r->z + first * e->latent, &e->threads[thread], e,
                        r->tiles + first * e->image, n, err);
}

static ano_status look_how_far(int thread, size_t first, size_t n, void *cookie, ano_error *err)
{
    const run_of_distances *r = cookie;
    const detect_encode *e = r->encode;
    return measure_group(r->distances + first, &e->threads[thread], e, r->z + first * e->latent,
                         r->tiles + first * e->image, n, err);
}

/* ---- all of them -------------------------------------------------------------------------- */

ano_status detect_encode_run(const detect_found *found, detect_encode *encode, const float *tiles,
                             size_t n, detect_tick *tick, void *cookie, ano_error *err)
{
    run r = {found, encode, tiles};
    return detect_rounds_run(rounds_of(encode), n, look, &r, tick, cookie, err);
}

ano_status detect_encode_latents(float *z, detect_encode *encode, const float *tiles, size_t n,
                                 ano_error *err)
{
    run_of_z r = {encode, tiles, z};
    return detect_rounds_run(rounds_of(encode), n, look_for_z, &r, NULL, NULL, err);
}

ano_status detect_encode_distances(float *distances, detect_encode *encode, const float *z,
                                   const float *tiles, size_t n, ano_error *err)
{
    run_of_distances r = {encode, tiles, z, distances};
    return detect_rounds_run(rounds_of(encode), n, look_how_far, &r, NULL, NULL, err);
}
