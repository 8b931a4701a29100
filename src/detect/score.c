/* The scoring path, the only one: images of a data set, block by block, through the latent search.
 */
#include "base/memory.h"
#include "base/threads.h"
#include "detect/latent.h"
#include "model/model.h"

#include <math.h>

static ano_status check_options(const ano_model *model, const ano_dataset *dataset,
                                const ano_score_options *options, ano_error *err)
{
    if (model->networks[ANO_GENERATOR] == NULL)
        return base_error(err, ANO_ARG, "the model has no generator to search with");
    if (options->iterations < 1)
        return base_error(err, ANO_ARG, "iterations is %d, but must be at least 1",
                          options->iterations);
    if (!(options->learning_rate > 0) || !isfinite(options->learning_rate))
        return base_error(err, ANO_ARG, "the search's learning rate is %g, but must be above 0",
                          options->learning_rate);
    const ano_shape shape = ano_dataset_shape(dataset);
    const ano_model_config config = model->config;
    if (shape.height != config.size || shape.width != config.size ||
        shape.channels != config.channels)
        return base_error(err, ANO_SHAPE, "the images are %d×%d×%d, the model is for %d×%d×%d",
                          shape.height, shape.width, shape.channels, config.size, config.size,
                          config.channels);
    return ANO_OK;
}

/* Keras's dense layer: W Glorot uniform, and an input drawn like the generator's own. */
static ano_status search_create(detect_latent_search **out, const ano_model *model,
                                const ano_score_options *options, ano_error *err)
{
    const size_t latent = (size_t)model->config.latent;
    const float limit = sqrtf(6.0f / (float)(2 * latent));
    float *start = base_alloc(latent + latent * latent, sizeof(float));
    if (start == NULL)
        return base_error_nomem(err, "start of the latent search");
    float *z0 = start, *kernel = start + latent;
    base_random_uniform(z0, latent, -1, 1, (base_random){options->seed, BASE_PURPOSE_SEARCH, 0});
    base_random_uniform(kernel, latent * latent, -limit, limit,
                        (base_random){options->seed, BASE_PURPOSE_SEARCH, 1});
    const ano_status status =
        detect_latent_create(out, model->networks[ANO_GENERATOR], (detect_latent_start){z0, kernel},
                             options->learning_rate, err);
    base_free(start);
    return status;
}

ano_status ano_score(float *scores, float *generated, float *trace, const ano_model *model,
                     const ano_dataset *dataset, const ano_score_options *options, ano_error *err)
{
    ano_status status = check_options(model, dataset, options, err);
    if (status != ANO_OK)
        return status;
    const size_t n = ano_dataset_count(dataset), iterations = (size_t)options->iterations;
    const size_t image = nn_shape_size(model->networks[ANO_GENERATOR]->dst);
    const int previous = base_threads_enter(options->threads);
    detect_latent_search *search = NULL;
    float *images = base_alloc(DETECT_LATENT_BLOCK * image, sizeof(float));
    if (images == NULL) {
        status = base_error_nomem(err, "images to score");
        goto done;
    }
    status = search_create(&search, model, options, err);
    for (size_t first = 0; first < n && status == ANO_OK; first += DETECT_LATENT_BLOCK) {
        const size_t count = n - first < DETECT_LATENT_BLOCK ? n - first : DETECT_LATENT_BLOCK;
        size_t indices[DETECT_LATENT_BLOCK];
        for (size_t i = 0; i < count; i++)
            indices[i] = first + i;
        status = ano_dataset_read(images, dataset, indices, count, err);
        if (status == ANO_OK)
            status = detect_latent_run(scores + first,
                                       generated != NULL ? generated + first * image : NULL,
                                       trace != NULL ? trace + first * iterations : NULL, search,
                                       images, count, options->iterations, err);
        if (status == ANO_OK && options->callback != NULL &&
            options->callback(first + count, n, options->cookie) != 0)
            status = base_error(err, ANO_CANCELLED, "scoring was stopped after %zu of %zu images",
                                first + count, n);
    }
done:
    detect_latent_free(search);
    base_free(images);
    base_threads_leave(previous);
    return status;
}
