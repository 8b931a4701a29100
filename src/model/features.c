/* Features as descriptors: with f(x) the map of a convolution [h][w][c] after its leaky ReLU, and 0
 * the black image,
 *     v(cell, channel) = mean over the cell's 4 × 4 pixels of |f(x) - f(0)|,
 * much as random filters are, to which black is 0 as well (src/eval/descriptors.c); the vector of
 * all cells and layers is divided by its length. What is taken off is the biases' work and the
 * border's, which all images share: left in, it is most of every vector. Cells that reach out of
 * the map are left out; a map of less than 4 pixels is one cell.
 *
 * The net is cut behind each leaky ReLU that follows a convolution. The pieces are nets on the same
 * parameters, each of which takes what the one before it gives. */
#include "model/features.h"

#include "base/memory.h"
#include "base/threads.h"

#include <math.h>
#include <string.h>

enum { CELL = 4 };

/* The layers [first, end) of a net; `end` is behind a convolution and its leaky ReLU. */
typedef struct piece {
    int first, end;
} piece;

struct model_features {
    size_t length, image; /* numbers of a vector, and of an image */
    int n_pieces, n_threads;
    nn_net pieces[MODEL_FEATURES_MAPS]; /* views of the net */
    nn_pass **passes;                   /* [n_threads][n_pieces], of one image each */
    float *black[MODEL_FEATURES_MAPS];  /* the pieces' maps of the black image */
};

const nn_net *model_features_net(const ano_model *model)
{
    static const ano_network in_order[] = {ANO_PATCH_DISCRIMINATOR, ANO_DISCRIMINATOR, ANO_ENCODER};
    for (size_t i = 0; i < sizeof in_order / sizeof *in_order; i++)
        if (model->networks[in_order[i]] != NULL)
            return model->networks[in_order[i]];
    return NULL;
}

/* The next piece from layer `first` on; false where there is none. */
static bool next_piece(piece *out, const nn_net *net, int first)
{
    for (int i = first; i + 1 < net->n_layers; i++)
        if (net->layers[i].kind == NN_CONV && net->layers[i + 1].kind == NN_LEAKY_RELU) {
            *out = (piece){first, i + 2};
            return true;
        }
    return false;
}

static size_t cells_along(int length)
{
    return length < CELL ? 1 : (size_t)(length / CELL);
}

static size_t map_length(nn_shape map)
{
    return cells_along(map.h) * cells_along(map.w) * (size_t)map.c;
}

size_t model_features_length(const nn_net *net)
{
    size_t length = 0;
    piece p = {0, 0};
    for (int n = 0; n < MODEL_FEATURES_MAPS && next_piece(&p, net, p.end); n++)
        length += map_length(net->layers[p.end - 1].dst);
    return length;
}

void model_features_free(model_features *features)
{
    if (features == NULL)
        return;
    for (int i = 0; i < features->n_threads * features->n_pieces && features->passes != NULL; i++)
        nn_pass_free(features->passes[i]);
    for (int i = 0; i < features->n_pieces; i++)
        base_free(features->black[i]);
    base_free(features->passes);
    base_free(features);
}

static void cut(model_features *f, const nn_net *net)
{
    piece p = {0, 0};
    while (f->n_pieces < MODEL_FEATURES_MAPS && next_piece(&p, net, p.end)) {
        nn_net *view = &f->pieces[f->n_pieces++];
        *view = *net;
        view->layers = net->layers + p.first;
        view->n_layers = p.end - p.first;
        view->src = net->layers[p.first].src;
        view->dst = net->layers[p.end - 1].dst;
    }
}

/* Fills black, by the first thread's passes. */
static ano_status look_at_black(model_features *f, ano_error *err)
{
    float *image = base_alloc(f->image, sizeof *image);
    const float *map = image;
    ano_status status = image != NULL ? ANO_OK : base_error_nomem(err, "features");
    for (size_t k = 0; k < f->image && status == ANO_OK; k++)
        image[k] = -1;
    for (int i = 0; i < f->n_pieces && status == ANO_OK; i++) {
        const size_t size = nn_shape_size(f->pieces[i].dst);
        f->black[i] = base_alloc(size, sizeof(float));
        status = f->black[i] != NULL ? nn_pass_forward(&map, f->passes[i], map, err)
                                     : base_error_nomem(err, "features");
        if (status == ANO_OK)
            memcpy(f->black[i], map, size * sizeof(float));
    }
    base_free(image);
    return status;
}

static ano_status prepare(int thread, void *cookie, ano_error *err)
{
    model_features *f = cookie;
    ano_status status = ANO_OK;
    for (int i = 0; i < f->n_pieces && status == ANO_OK; i++)
        status = nn_pass_create(&f->passes[thread * f->n_pieces + i], &f->pieces[i], 1, 0, err);
    return status == ANO_OK && thread == 0 ? look_at_black(f, err) : status;
}

ano_status model_features_create(model_features **out, const nn_net *net, ano_error *err)
{
    *out = NULL;
    model_features *f = base_alloc(1, sizeof *f);
    if (f == NULL)
        return base_error_nomem(err, "features");
    f->length = model_features_length(net);
    f->image = nn_shape_size(net->src);
    f->n_threads = base_threads();
    cut(f, net);
    f->passes = base_alloc((size_t)f->n_threads * (size_t)f->n_pieces, sizeof(nn_pass *));
    ano_status status = f->passes != NULL ? ANO_OK : base_error_nomem(err, "features");
    if (status == ANO_OK)
        status = base_threads_each(f->n_threads, prepare, f, err);
    if (status == ANO_OK)
        *out = f;
    else
        model_features_free(f);
    return status;
}

size_t model_features_grids(eval_grid grids[MODEL_FEATURES_MAPS], const model_features *features)
{
    const nn_shape image = features->pieces[0].src;
    for (int i = 0; i < features->n_pieces; i++) {
        const nn_shape map = features->pieces[i].dst;
        const int height = map.h < CELL ? map.h : CELL, width = map.w < CELL ? map.w : CELL;
        grids[i] = (eval_grid){cells_along(map.h), cells_along(map.w), (size_t)map.c,
                               (float)(height * image.h) / (float)map.h,
                               (float)(width * image.w) / (float)map.w};
    }
    return (size_t)features->n_pieces;
}

/* dst [cells][c] from a map [h][w][c]. */
static void describe_map(float *dst, const float *map, const float *black, nn_shape shape)
{
    const size_t down = cells_along(shape.h), across = cells_along(shape.w), c = (size_t)shape.c;
    const size_t height = shape.h < CELL ? (size_t)shape.h : down * CELL;
    const size_t width = shape.w < CELL ? (size_t)shape.w : across * CELL;
    for (size_t i = 0; i < down * across * c; i++)
        dst[i] = 0;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            float *sum = dst + (y / CELL * across + x / CELL) * c;
            const size_t at = (y * (size_t)shape.w + x) * c;
            for (size_t k = 0; k < c; k++)
                sum[k] += fabsf(map[at + k] - black[at + k]);
        }
    /* To the mean: cells of small maps may have fewer pixels than others. */
    const float share = (float)(down * across) / (float)(height * width);
    for (size_t i = 0; i < down * across * c; i++)
        dst[i] *= share;
}

static ano_status describe_one(float *dst, const model_features *f, nn_pass *const *passes,
                               const float *image, ano_error *err)
{
    const float *map = image;
    float *at = dst;
    for (int i = 0; i < f->n_pieces; i++) {
        const ano_status status = nn_pass_forward(&map, passes[i], map, err);
        if (status != ANO_OK)
            return status;
        describe_map(at, map, f->black[i], f->pieces[i].dst);
        at += map_length(f->pieces[i].dst);
    }
    eval_normalise(dst, f->length);
    return ANO_OK;
}

/* Images that the threads share. */
typedef struct description {
    const model_features *features;
    float *dst;
    const float *images;
    size_t n;
} description;

static ano_status describe_share(int thread, void *cookie, ano_error *err)
{
    const description *d = cookie;
    const model_features *f = d->features;
    nn_pass *const *passes = f->passes + (ptrdiff_t)thread * f->n_pieces;
    ano_status status = ANO_OK;
    for (size_t i = (size_t)thread; i < d->n && status == ANO_OK; i += (size_t)f->n_threads)
        status = describe_one(d->dst + i * f->length, f, passes, d->images + i * f->image, err);
    return status;
}

ano_status model_features_describe(float *dst, model_features *features, const float *images,
                                   size_t n, ano_error *err)
{
    description d = {features, dst, images, n};
    return base_threads_each(features->n_threads, describe_share, &d, err);
}
