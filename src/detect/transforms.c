#include "detect/transforms.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "detect/interpolate.h"
#include "model/networks.h"
#include "model/transforms.h"
#include "nn/adam.h"
#include "nn/loss.h"

#include <math.h>
#include <string.h>

/* Chosen on images kept out of training sets: docs/methods.md, "Memory". */
enum {
    BATCH = 64,
    MOST_STEPS = 1000,
    STEPS_OF_AN_IMAGE = 4 /* few images are learnt by heart in fewer steps */
};
enum { CELL = 4 }; /* of a map, pixels */
#define RATE 1e-3

/* ---- learning ----------------------------------------------------------------------------- */

typedef struct training {
    nn_net *net;
    nn_pass *pass;
    nn_adam adam;
    float *batch;     /* [BATCH][size][size][channels] */
    float *diff;      /* [BATCH][MODEL_TRANSFORMS] */
    float *gradients; /* [n_parameters] */
} training;

static void clear(training *t)
{
    nn_pass_free(t->pass);
    nn_adam_clear(&t->adam);
    base_free(t->batch);
    base_free(t->diff);
    base_free(t->gradients);
    nn_net_free(t->net);
}

static ano_status prepare_training(training *t, int size, int channels, uint64_t seed,
                                   ano_error *err)
{
    ano_status status = model_transforms_create(&t->net, size, channels, err);
    if (status != ANO_OK)
        return status;
    nn_net_initialise(t->net, seed, BASE_PURPOSE_TRANSFORMS_INIT);
    t->batch = base_alloc(BATCH * nn_shape_size(t->net->src), sizeof(float));
    t->diff = base_alloc((size_t)BATCH * MODEL_TRANSFORMS, sizeof(float));
    t->gradients = base_alloc(t->net->n_parameters, sizeof(float));
    if (t->batch == NULL || t->diff == NULL || t->gradients == NULL)
        return base_error_nomem(err, "transformed images");
    status = nn_adam_init(&t->adam, t->net->n_parameters, RATE, 0.9, 0.999, err);
    return status == ANO_OK
               ? nn_pass_create(&t->pass, t->net, BATCH, NN_TRAINING | NN_WEIGHT_GRADIENTS, err)
               : status;
}

/* Draws which image is in place i of a step's batch, of n, and how it is transformed. */
static size_t draw(size_t i, size_t n, uint64_t seed, uint64_t step)
{
    const double u =
        (double)base_random_uniform_at(i, 0, 1, (base_random){seed, BASE_PURPOSE_TRANSFORMS, step});
    const size_t drawn = (size_t)(u * (double)n);
    return drawn < n ? drawn : n - 1;
}

static ano_status take_step(training *t, const float *images, size_t n, uint64_t seed,
                            uint64_t step, ano_error *err)
{
    const nn_shape shape = t->net->src;
    const size_t size = nn_shape_size(shape);
    size_t labels[BATCH];
    const float *logits;
    double loss = 0;
    for (size_t i = 0; i < BATCH; i++) {
        labels[i] = draw(2 * i + 1, MODEL_TRANSFORMS, seed, step);
        model_transform(t->batch + i * size, images + draw(2 * i, n, seed, step) * size, shape.h,
                        shape.c, (int)labels[i]);
    }
    const ano_status status = nn_pass_forward(&logits, t->pass, t->batch, err);
    if (status != ANO_OK)
        return status;
    for (size_t i = 0; i < BATCH; i++)
        loss +=
            nn_softmax_cross_entropy(t->diff + i * MODEL_TRANSFORMS, logits + i * MODEL_TRANSFORMS,
                                     MODEL_TRANSFORMS, labels[i], 1.0f / BATCH);
    if (!isfinite(loss))
        return base_error(err, ANO_NUMERIC, "the loss of transformed images is not finite");
    const ano_status back = nn_pass_backward(NULL, t->pass, t->diff, t->gradients, err);
    if (back == ANO_OK)
        nn_adam_step(&t->adam, t->net->parameters, t->gradients);
    return back;
}

ano_status detect_transforms_train(float *parameters, const float *images, size_t n, int size,
                                   int channels, uint64_t seed,
                                   detect_transforms_progress *progress, void *cookie,
                                   ano_error *err)
{
    const uint64_t steps = n < MOST_STEPS / STEPS_OF_AN_IMAGE ? n * STEPS_OF_AN_IMAGE : MOST_STEPS;
    training t = {.net = NULL};
    ano_status status = prepare_training(&t, size, channels, seed, err);
    for (uint64_t step = 0; step < steps && status == ANO_OK; step++) {
        status = take_step(&t, images, n, seed, step, err);
        if (status == ANO_OK)
            status = progress((double)(step + 1) / (double)steps, cookie, err);
    }
    if (status == ANO_OK)
        memcpy(parameters, t.net->parameters, t.net->n_parameters * sizeof *parameters);
    clear(&t);
    return status;
}

/* ---- at work ------------------------------------------------------------------------------ */

/* A thread's own. */
typedef struct worker {
    nn_pass *pass;   /* of an image's transformations */
    float *batch;    /* [MODEL_TRANSFORMS][size][size][channels] */
    float *diff;     /* [MODEL_TRANSFORMS][MODEL_TRANSFORMS]; without maps NULL, as those below */
    float *gradient; /* [size][size][channels] */
    float *cells;    /* [size / CELL][size / CELL] */
} worker;

struct detect_transforms {
    nn_net *net;
    bool maps;
    int n_threads;
    worker *workers; /* [n_threads] */
};

void detect_transforms_free(detect_transforms *transforms)
{
    if (transforms == NULL)
        return;
    for (int i = 0; i < transforms->n_threads && transforms->workers != NULL; i++) {
        nn_pass_free(transforms->workers[i].pass);
        base_free(transforms->workers[i].batch);
        base_free(transforms->workers[i].diff);
        base_free(transforms->workers[i].gradient);
        base_free(transforms->workers[i].cells);
    }
    base_free(transforms->workers);
    nn_net_free(transforms->net);
    base_free(transforms);
}

static ano_status prepare_thread(int thread, void *cookie, ano_error *err)
{
    const detect_transforms *t = cookie;
    worker *w = &t->workers[thread];
    const nn_shape shape = t->net->src;
    w->batch = base_alloc(MODEL_TRANSFORMS * nn_shape_size(shape), sizeof(float));
    bool is_room = w->batch != NULL;
    if (t->maps) {
        w->diff = base_alloc((size_t)MODEL_TRANSFORMS * MODEL_TRANSFORMS, sizeof(float));
        w->gradient = base_alloc(nn_shape_size(shape), sizeof(float));
        w->cells = base_alloc((size_t)(shape.h / CELL) * (size_t)(shape.w / CELL), sizeof(float));
        is_room = is_room && w->diff != NULL && w->gradient != NULL && w->cells != NULL;
    }
    return is_room ? nn_pass_create(&w->pass, t->net, MODEL_TRANSFORMS,
                                    NN_FROZEN | (t->maps ? NN_DATA_GRADIENT : 0U), err)
                   : base_error_nomem(err, "transformed images");
}

ano_status detect_transforms_create(detect_transforms **out, const float *parameters, int size,
                                    int channels, bool maps, ano_error *err)
{
    *out = NULL;
    detect_transforms *t = base_alloc(1, sizeof *t);
    if (t == NULL)
        return base_error_nomem(err, "transformations");
    t->maps = maps;
    t->n_threads = base_threads();
    t->workers = base_alloc((size_t)t->n_threads, sizeof *t->workers);
    ano_status status = t->workers != NULL ? model_transforms_create(&t->net, size, channels, err)
                                           : base_error_nomem(err, "transformations");
    if (status == ANO_OK) {
        memcpy(t->net->parameters, parameters, t->net->n_parameters * sizeof *parameters);
        status = base_threads_each(t->n_threads, prepare_thread, t, err);
    }
    if (status == ANO_OK)
        *out = t;
    else
        detect_transforms_free(t);
    return status;
}

/* map [size][size] from the gradients of an image's transformations. */
static void draw_map(float *map, const worker *w, nn_shape shape, const float *image,
                     const float *gradients)
{
    const size_t side = (size_t)(shape.h / CELL), row = (size_t)shape.w * (size_t)shape.c;
    memset(w->gradient, 0, nn_shape_size(shape) * sizeof(float));
    for (int which = 0; which < MODEL_TRANSFORMS; which++)
        model_transform_back(w->gradient, gradients + (size_t)which * nn_shape_size(shape), shape.h,
                             shape.c, which);
    memset(w->cells, 0, side * side * sizeof(float));
    for (size_t y = 0; y < side * CELL; y++)
        for (size_t k = 0; k < side * CELL * (size_t)shape.c; k++)
            w->cells[y / CELL * side + k / ((size_t)shape.c * CELL)] +=
                w->gradient[y * row + k] * (image[y * row + k] + 1) / (CELL * CELL);
    for (size_t i = 0; i < side * side; i++)
        w->cells[i] = fmaxf(w->cells[i], 0);
    memset(map, 0, (size_t)shape.h * (size_t)shape.w * sizeof(float));
    detect_interpolate(map, 0, shape.h, shape.w, w->cells, (eval_grid){side, side, 1, CELL, CELL});
}

static ano_status confuse(float *dst, float *map, const worker *w, nn_shape shape,
                          const float *image, ano_error *err)
{
    const float *logits, *gradients;
    for (int which = 0; which < MODEL_TRANSFORMS; which++)
        model_transform(w->batch + (size_t)which * nn_shape_size(shape), image, shape.h, shape.c,
                        which);
    ano_status status = nn_pass_forward(&logits, w->pass, w->batch, err);
    double sum = 0;
    for (size_t which = 0; which < MODEL_TRANSFORMS && status == ANO_OK; which++)
        sum += nn_softmax_cross_entropy(map != NULL ? w->diff + which * MODEL_TRANSFORMS : NULL,
                                        logits + which * MODEL_TRANSFORMS, MODEL_TRANSFORMS, which,
                                        1.0f / MODEL_TRANSFORMS);
    *dst = (float)(sum / MODEL_TRANSFORMS);
    if (status == ANO_OK && map != NULL)
        status = nn_pass_backward(&gradients, w->pass, w->diff, NULL, err);
    if (status == ANO_OK && map != NULL)
        draw_map(map, w, shape, image, gradients);
    return status;
}

/* Images that the threads share. */
typedef struct sharing {
    float *dst, *maps;
    const detect_transforms *transforms;
    const float *images;
    size_t n;
} sharing;

static ano_status confuse_share(int thread, void *cookie, ano_error *err)
{
    const sharing *s = cookie;
    const detect_transforms *t = s->transforms;
    const nn_shape shape = t->net->src;
    const size_t n_pixels = (size_t)shape.h * (size_t)shape.w;
    ano_status status = ANO_OK;
    for (size_t i = (size_t)thread; i < s->n && status == ANO_OK; i += (size_t)t->n_threads)
        status = confuse(s->dst + i, s->maps != NULL ? s->maps + i * n_pixels : NULL,
                         &t->workers[thread], shape, s->images + i * nn_shape_size(shape), err);
    return status;
}

ano_status detect_transforms_confusions(float *dst, float *maps, detect_transforms *transforms,
                                        const float *images, size_t n, ano_error *err)
{
    sharing s = {dst, maps, transforms, images, n};
    return base_threads_each(transforms->n_threads, confuse_share, &s, err);
}
