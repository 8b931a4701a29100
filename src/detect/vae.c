#include "detect/vae.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "detect/folded.h"
#include "detect/rounds.h"
#include "nn/gaussian.h"

#include <math.h>
#include <string.h>

/* Of a thread, in a round. */
enum { TILES_A_THREAD = 32 };

/* Of the blur, in pixels: its σ, and where it is cut off. */
#define BLUR 1.0
enum { BLUR_RADIUS = 4 };

/* The share of training's variance σ² that is added to an image's: one without contrast divides by
 * nothing. */
#define LEAST_CONTRAST 0.02

/* What one thread works with. */
typedef struct worker {
    nn_pass *encoder; /* of one tile: what is found of it depends on no other */
    detect_folded_pass *decoder;
    float *z;          /* [group][latent] */
    float *left, *row; /* [tile], of a sample, and while it is blurred */
    float *generated;  /* [tile], the sum over the samples */
    double *surprise;  /* [pixels], likewise: the squares of what is left */
} worker;

struct detect_vae {
    size_t size, n_pixels, channels, tile, latent; /* tile: its numbers */
    size_t n_samples, group;                       /* that go through the decoder together */
    ano_evidence evidence;
    double variance;
    const nn_net *encoder;
    detect_folded *decoder;
    float *noise;                /* [n_samples][latent] */
    float blur[BLUR_RADIUS + 1]; /* its weights, from the middle out */
    int n_threads;
    worker *workers;
};

void detect_vae_free(detect_vae *vae)
{
    if (vae == NULL)
        return;
    for (int i = 0; i < vae->n_threads && vae->workers != NULL; i++) {
        worker *w = &vae->workers[i];
        nn_pass_free(w->encoder);
        detect_folded_pass_free(w->decoder);
        base_free(w->z);
        base_free(w->left);
        base_free(w->row);
        base_free(w->generated);
        base_free(w->surprise);
    }
    base_free(vae->workers);
    base_free(vae->noise);
    detect_folded_free(vae->decoder);
    base_free(vae);
}

static void set_blur(float weights[BLUR_RADIUS + 1])
{
    double sum = 0;
    for (int i = -BLUR_RADIUS; i <= BLUR_RADIUS; i++)
        sum += exp(-i * i / (2 * BLUR * BLUR));
    for (int i = 0; i <= BLUR_RADIUS; i++)
        weights[i] = (float)(exp(-i * i / (2 * BLUR * BLUR)) / sum);
}

static ano_status worker_init(int thread, void *cookie, ano_error *err)
{
    const detect_vae *vae = cookie;
    worker *w = &vae->workers[thread];
    w->z = base_alloc(vae->group * vae->latent, sizeof(float));
    w->left = base_alloc(vae->tile, sizeof(float));
    w->row = base_alloc(vae->tile, sizeof(float));
    w->generated = base_alloc(vae->tile, sizeof(float));
    w->surprise = base_alloc(vae->n_pixels, sizeof(double));
    if (w->z == NULL || w->left == NULL || w->row == NULL || w->generated == NULL ||
        w->surprise == NULL)
        return base_error_nomem(err, "samples of images");
    const ano_status status = detect_folded_pass_create(&w->decoder, vae->decoder, vae->group, err);
    return status == ANO_OK ? nn_pass_create(&w->encoder, vae->encoder, 1, 0, err) : status;
}

ano_status detect_vae_create(detect_vae **out, const ano_model *model,
                             const ano_score_options *options, ano_error *err)
{
    *out = NULL;
    if (!(model->variance > 0))
        return base_error(err, ANO_ARG, "the variational autoencoder is not trained");
    detect_vae *v = base_alloc(1, sizeof *v);
    if (v == NULL)
        return base_error_nomem(err, "samples of images");
    const nn_net *decoder = model->networks[ANO_GENERATOR];
    const size_t n_samples = (size_t)options->samples;
    *v = (detect_vae){.size = (size_t)decoder->dst.w,
                      .n_pixels = (size_t)decoder->dst.h * (size_t)decoder->dst.w,
                      .channels = (size_t)decoder->dst.c,
                      .tile = nn_shape_size(decoder->dst),
                      .latent = nn_shape_size(decoder->src),
                      .n_samples = n_samples,
                      .group = n_samples < DETECT_FOLDED_GROUP ? n_samples : DETECT_FOLDED_GROUP,
                      .evidence = options->evidence,
                      .variance = model->variance,
                      .encoder = model->networks[ANO_ENCODER],
                      .n_threads = base_threads()};
    v->noise = base_alloc(n_samples * v->latent, sizeof(float));
    v->workers = base_alloc((size_t)v->n_threads, sizeof *v->workers);
    ano_status status = v->noise != NULL && v->workers != NULL
                            ? detect_folded_create(&v->decoder, decoder, err)
                            : base_error_nomem(err, "samples of images");
    if (status == ANO_OK)
        base_random_normal(v->noise, n_samples * v->latent,
                           (base_random){options->seed, BASE_PURPOSE_VAE_SCORE, 0});
    set_blur(v->blur);
    if (status == ANO_OK)
        status = base_threads_each(v->n_threads, worker_init, v, err);
    if (status == ANO_OK)
        *out = v;
    else
        detect_vae_free(v);
    return status;
}

static detect_rounds rounds_of(const detect_vae *vae)
{
    return (detect_rounds){vae->n_threads, 1, TILES_A_THREAD};
}

size_t detect_vae_width(const detect_vae *vae)
{
    return detect_rounds_width(rounds_of(vae));
}

/* dst = src blurred along one axis, with zeros around it: neighbours lie `step` numbers apart, in
 * lines of `length`. */
static void blur_along(float *dst, const float *src, const detect_vae *v, size_t step,
                       size_t length)
{
    for (size_t i = 0; i < v->tile; i++) {
        const size_t at = i / step % length;
        float sum = v->blur[0] * src[i];
        for (size_t k = 1; k <= BLUR_RADIUS; k++) {
            const float before = at >= k ? src[i - k * step] : 0;
            const float after = at + k < length ? src[i + k * step] : 0;
            sum += v->blur[k] * (before + after);
        }
        dst[i] = sum;
    }
}

/* Adds what a sample leaves of a tile to the worker's sums. */
static void add_sample(worker *w, const detect_vae *v, const float *tile, const float *generated)
{
    for (size_t i = 0; i < v->tile; i++) {
        w->left[i] = tile[i] - generated[i];
        w->generated[i] += generated[i];
    }
    if (v->evidence == ANO_EVIDENCE_UNEXPLAINED) {
        blur_along(w->row, w->left, v, v->channels, v->size);
        blur_along(w->left, w->row, v, v->size * v->channels, v->size);
    }
    for (size_t i = 0; i < v->tile; i++)
        w->surprise[i / v->channels] += (double)(w->left[i] * w->left[i]);
}

/* The sum over its numbers of a tile's squared distance from the mean of its channel. */
static double contrast(const detect_vae *v, const float *tile)
{
    double sum = 0;
    for (size_t c = 0; c < v->channels; c++) {
        double mean = 0;
        for (size_t i = c; i < v->tile; i += v->channels)
            mean += (double)tile[i] / (double)v->n_pixels;
        for (size_t i = c; i < v->tile; i += v->channels)
            sum += ((double)tile[i] - mean) * ((double)tile[i] - mean);
    }
    return sum;
}

/* What the squares that a tile is left with are divided by. */
static double divisor(const detect_vae *v, const float *tile)
{
    return v->evidence == ANO_EVIDENCE_UNEXPLAINED
               ? contrast(v, tile) + LEAST_CONTRAST * v->variance * (double)v->tile
               : 2 * v->variance;
}

/* All samples of a tile of that code. */
static void draw(worker *w, const detect_vae *v, const float *tile, const float *code)
{
    memset(w->generated, 0, v->tile * sizeof *w->generated);
    memset(w->surprise, 0, v->n_pixels * sizeof *w->surprise);
    for (size_t first = 0; first < v->n_samples; first += v->group) {
        const size_t left = v->n_samples - first, n = left < v->group ? left : v->group;
        for (size_t k = 0; k < n; k++)
            nn_gaussian_sample(w->z + k * v->latent, code, v->noise + (first + k) * v->latent,
                               v->latent);
        const float *generated = detect_folded_forward(w->decoder, w->z, n);
        for (size_t k = 0; k < n; k++)
            add_sample(w, v, tile, generated + k * v->tile);
    }
}

/* What the threads of a run share. */
typedef struct run {
    const detect_found *found;
    const detect_vae *vae;
    const float *tiles;
} run;

/* What a thread finds of tile i. */
static ano_status look(int thread, size_t i, size_t n, void *cookie, ano_error *err)
{
    (void)n; /* it is 1 */
    const run *r = cookie;
    const detect_found *found = r->found;
    const detect_vae *v = r->vae;
    worker *w = &v->workers[thread];
    const float *tile = r->tiles + i * v->tile, *code;
    const ano_status status = nn_pass_forward(&code, w->encoder, tile, err);
    if (status != ANO_OK)
        return status;
    draw(w, v, tile, code);
    const double share = 1 / (divisor(v, tile) * (double)v->n_samples);
    double score = 0;
    for (size_t k = 0; k < v->n_pixels; k++) {
        score += share * w->surprise[k];
        if (found->maps != NULL)
            found->maps[i * v->n_pixels + k] =
                (float)(share * w->surprise[k] / (double)v->channels);
    }
    for (size_t k = 0; k < v->tile && found->generated != NULL; k++)
        found->generated[i * v->tile + k] = w->generated[k] / (float)v->n_samples;
    if (v->evidence == ANO_EVIDENCE_ELBO)
        score += nn_gaussian_divergence(code, v->latent);
    if (!isfinite((float)score))
        return base_error(err, ANO_NUMERIC, "the score of an image is not finite");
    if (found->scores != NULL)
        found->scores[i] = (float)score;
    return ANO_OK;
}

ano_status detect_vae_run(const detect_found *found, detect_vae *vae, const float *tiles, size_t n,
                          detect_tick *tick, void *cookie, ano_error *err)
{
    run r = {found, vae, tiles};
    return detect_rounds_run(rounds_of(vae), n, look, &r, tick, cookie, err);
}
