#include "detect/scorer.h"

#include "base/memory.h"
#include "detect/encode.h"
#include "detect/patch.h"
#include "detect/search.h"
#include "detect/vae.h"

#include <math.h>

struct detect_scorer {
    ano_shape tile;
    detect_search *search; /* one of these, or the first and the last; the others are NULL */
    detect_patch *patch;
    detect_vae *vae;
    detect_encode *encode;
    size_t latent;
};

bool detect_method_encodes(ano_method method)
{
    return method == ANO_METHOD_ENCODER || method == ANO_METHOD_HYBRID;
}

bool detect_method_generates(ano_method method)
{
    return method != ANO_METHOD_PATCH;
}

ano_score_options detect_settle_method(const ano_score_options *options, const ano_model *model)
{
    ano_score_options settled = *options;
    if (options->method == ANO_METHOD_OF_MODEL)
        settled.method =
            model->calibration.n > 0 ? model->calibration.how.method : model->config.method;
    return settled;
}

void detect_scorer_free(detect_scorer *scorer)
{
    if (scorer == NULL)
        return;
    detect_search_free(scorer->search);
    detect_patch_free(scorer->patch);
    detect_vae_free(scorer->vae);
    detect_encode_free(scorer->encode);
    base_free(scorer);
}

static ano_status check_networks(const ano_model *model, ano_method method, ano_error *err)
{
    for (int i = 0; i < MODEL_NETWORKS; i++)
        if (ano_method_needs(method, (ano_network)i) && model->networks[i] == NULL)
            return base_error(err, ANO_ARG, "the model has no %s to score with",
                              ano_network_name((ano_network)i));
    return ANO_OK;
}

ano_status detect_scorer_create(detect_scorer **out, const ano_model *model,
                                const ano_score_options *options, size_t n, ano_error *err)
{
    *out = NULL;
    ano_status status = check_networks(model, options->method, err);
    if (status != ANO_OK)
        return status;
    detect_scorer *s = base_alloc(1, sizeof *s);
    if (s == NULL)
        return base_error_nomem(err, "scoring");
    s->tile = (ano_shape){model->config.size, model->config.size, model->config.channels};
    s->latent = (size_t)model->config.latent;
    switch (options->method) {
    case ANO_METHOD_FC:
    case ANO_METHOD_LATENT:
        status = detect_search_create(&s->search, model, options, n, err);
        break;
    case ANO_METHOD_PATCH:
        status = detect_patch_create(&s->patch, model->networks[ANO_PATCH_DISCRIMINATOR], err);
        break;
    case ANO_METHOD_VAE:
        status = detect_vae_create(&s->vae, model, options, err);
        break;
    case ANO_METHOD_ENCODER:
        status = detect_encode_create(&s->encode, model, options, err);
        break;
    case ANO_METHOD_HYBRID:
        status = detect_encode_create(&s->encode, model, options, err);
        if (status == ANO_OK)
            status = detect_search_create(&s->search, model, options, n, err);
        break;
    case ANO_METHOD_OF_MODEL: /* is settled */
        break;
    }
    if (status == ANO_OK)
        *out = s;
    else
        detect_scorer_free(s);
    return status;
}

size_t detect_scorer_width(const detect_scorer *scorer)
{
    return scorer->search != NULL  ? detect_search_width(scorer->search)
           : scorer->patch != NULL ? detect_patch_width(scorer->patch)
           : scorer->vae != NULL   ? detect_vae_width(scorer->vae)
                                   : detect_encode_width(scorer->encode);
}

/* map [size][size] = |tile - generated|, averaged over the channels. */
static void map_residual(float *map, const float *tile, const float *generated, ano_shape shape)
{
    const size_t n_pixels = (size_t)shape.height * (size_t)shape.width;
    const size_t channels = (size_t)shape.channels;
    for (size_t i = 0; i < n_pixels; i++) {
        float residual = 0;
        for (size_t c = 0; c < channels; c++)
            residual += fabsf(tile[i * channels + c] - generated[i * channels + c]);
        map[i] = residual / (float)channels;
    }
}

/* A search, from where an encoder says if there is one. */
static ano_status search(const detect_found *found, detect_scorer *scorer, const float *tiles,
                         size_t n, detect_tick *tick, void *cookie, ano_error *err)
{
    float *z = NULL;
    ano_status status = ANO_OK;
    if (scorer->encode != NULL) {
        z = base_alloc(n * scorer->latent, sizeof(float));
        status = z != NULL ? detect_encode_latents(z, scorer->encode, tiles, n, err)
                           : base_error_nomem(err, "latent vectors");
    }
    if (status == ANO_OK)
        status = detect_search_run(found->scores, found->generated, found->trace, scorer->search,
                                   tiles, z, n, tick, cookie, err);
    if (status == ANO_OK && z != NULL && found->z_distances != NULL)
        status = detect_encode_distances(found->z_distances, scorer->encode, z, found->generated, n,
                                         err);
    base_free(z);
    return status;
}

ano_status detect_scorer_run(const detect_found *found, detect_scorer *scorer, const float *tiles,
                             size_t n, detect_tick *tick, void *cookie, ano_error *err)
{
    if (scorer->patch != NULL)
        return detect_patch_run(found, scorer->patch, tiles, n, tick, cookie, err);
    if (scorer->vae != NULL)
        return detect_vae_run(found, scorer->vae, tiles, n, tick, cookie, err);
    const ano_shape shape = scorer->tile;
    const size_t n_pixels = (size_t)shape.height * (size_t)shape.width;
    const size_t tile = n_pixels * (size_t)shape.channels;
    const ano_status status =
        scorer->search != NULL
            ? search(found, scorer, tiles, n, tick, cookie, err)
            : detect_encode_run(found, scorer->encode, tiles, n, tick, cookie, err);
    for (size_t i = 0; i < n && status == ANO_OK && found->maps != NULL; i++)
        map_residual(found->maps + i * n_pixels, tiles + i * tile, found->generated + i * tile,
                     shape);
    return status;
}
