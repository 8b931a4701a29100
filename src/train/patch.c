#include "train/patch.h"

#include "base/memory.h"
#include "base/threads.h"
#include "data/anomaly.h"
#include "model/networks.h"
#include "nn/loss.h"

#include <math.h>
#include <string.h>

/* The share of a cell's pixels that makes it anomalous. */
#define ENOUGH 0.25f

struct train_patch {
    nn_net *discriminator;
    nn_adam *adam;
    uint64_t seed;
    size_t batch, image, n_pixels, n_cells; /* images; numbers, pixels and cells of one */
    nn_pass *pass;
    float *normal;  /* [batch][image] */
    float *images;  /* the same, with anomalies drawn onto every second one */
    float *targets; /* [batch][cells] */
    float *diff;    /* [batch][cells] */
    float *masks;   /* [threads][pixels] */
    float *scratch; /* [threads][pixels][1 + channels] */
    float *gradients;
};

ano_status train_patch_create(train_patch **out, nn_net *discriminator, nn_adam *adam, int batch,
                              uint64_t seed, ano_error *err)
{
    *out = NULL;
    train_patch *p = base_alloc(1, sizeof *p);
    if (p == NULL)
        return base_error_nomem(err, "training step");
    const size_t n = (size_t)batch, threads = (size_t)base_threads();
    *p = (train_patch){.discriminator = discriminator,
                       .adam = adam,
                       .seed = seed,
                       .batch = n,
                       .image = nn_shape_size(discriminator->src),
                       .n_cells = nn_shape_size(discriminator->dst)};
    p->n_pixels = p->image / (size_t)discriminator->src.c;
    p->normal = base_alloc(n * p->image, sizeof(float));
    p->images = base_alloc(n * p->image, sizeof(float));
    p->targets = base_alloc(n * p->n_cells, sizeof(float));
    p->diff = base_alloc(n * p->n_cells, sizeof(float));
    p->masks = base_alloc(threads * p->n_pixels, sizeof(float));
    p->scratch = base_alloc(threads * (p->n_pixels + p->image), sizeof(float));
    p->gradients = base_alloc(discriminator->n_parameters, sizeof(float));
    ano_status status = ANO_OK;
    if (p->normal == NULL || p->images == NULL || p->targets == NULL || p->diff == NULL ||
        p->masks == NULL || p->scratch == NULL || p->gradients == NULL)
        status = base_error_nomem(err, "images of a training step");
    if (status == ANO_OK)
        status =
            nn_pass_create(&p->pass, discriminator, batch, NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        *out = p;
    else
        train_patch_free(p);
    return status;
}

void train_patch_free(train_patch *patch)
{
    if (patch == NULL)
        return;
    nn_pass_free(patch->pass);
    base_free(patch->normal);
    base_free(patch->images);
    base_free(patch->targets);
    base_free(patch->diff);
    base_free(patch->masks);
    base_free(patch->scratch);
    base_free(patch->gradients);
    base_free(patch);
}

float *train_patch_images(train_patch *patch)
{
    return patch->normal;
}

const float *train_patch_gradients(const train_patch *patch)
{
    return patch->gradients;
}

/* The targets of an image's cells from the mask [size][size] of its pixels. */
static void set_targets(float *targets, const float *mask, size_t size)
{
    const size_t side = size / MODEL_CELL;
    memset(targets, 0, side * side * sizeof *targets);
    for (size_t y = 0; y < size; y++)
        for (size_t x = 0; x < size; x++)
            targets[y / MODEL_CELL * side + x / MODEL_CELL] += mask[y * size + x];
    for (size_t i = 0; i < side * side; i++)
        targets[i] = fminf(targets[i] / (ENOUGH * MODEL_CELL * MODEL_CELL), 1);
}

/* Image i of the batch: an odd one gets an anomaly, which may take pixels from another. */
static void prepare_image(train_patch *p, size_t i, size_t thread, uint64_t step)
{
    const nn_shape shape = p->discriminator->src;
    float *image = p->images + i * p->image, *mask = p->masks + thread * p->n_pixels;
    memcpy(image, p->normal + i * p->image, p->image * sizeof *image);
    if (i % 2 == 0) {
        memset(p->targets + i * p->n_cells, 0, p->n_cells * sizeof(float));
        return;
    }
    const float *other = p->normal + (i + p->batch / 2) % p->batch * p->image;
    data_draw_anomaly(image, mask, other, shape.h, shape.c,
                      (base_random){p->seed, BASE_PURPOSE_ANOMALY, step}, (uint32_t)i,
                      p->scratch + thread * (p->n_pixels + p->image));
    set_targets(p->targets + i * p->n_cells, mask, (size_t)shape.h);
}

ano_status train_patch_run(double *loss, train_patch *patch, uint64_t step, ano_error *err)
{
    const int n_threads = base_threads();
#pragma omp parallel for num_threads(n_threads)
    for (int thread = 0; thread < n_threads; thread++)
        for (size_t i = (size_t)thread; i < patch->batch; i += (size_t)n_threads)
            prepare_image(patch, i, (size_t)thread, step);
    const float *logits;
    ano_status status = nn_pass_forward(&logits, patch->pass, patch->images, err);
    if (status != ANO_OK)
        return status;
    *loss = nn_binary_cross_entropy_mean(patch->diff, logits, patch->targets,
                                         patch->batch * patch->n_cells);
    status = nn_pass_backward(NULL, patch->pass, patch->diff, patch->gradients, err);
    if (status == ANO_OK)
        nn_adam_step(patch->adam, patch->discriminator->parameters, patch->gradients);
    return status;
}
