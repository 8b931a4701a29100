#include "detect/folded.h"

#include "base/memory.h"
#include "nn/composed.h"

#include <math.h>
#include <string.h>

enum {
    DENSE_BLOCK = 64, /* columns of the dense layer's weights that lie together */
    PHASES = 4
};

/* The form of a generator: dense layer, batch norm, activation and reshape, then inner blocks of
 * upsampling, batch norm and activation, at last the outer block of upsampling and tanh. Upsampling
 * is two layers, a transposed convolution and a convolution. */
enum { HEAD_LAYERS = 4, INNER_LAYERS = 4, OUTER_LAYERS = 3 };

/* An inner block: upsampling to many channels, then batch norm. */
typedef struct inner_block {
    float src_slope;     /* of the activation before it */
    size_t src_at;       /* where its source begins in a pass's maps, for one image */
    kernels_upsample up; /* channels in whole vectors */
    float *weights;      /* U and U turned of kernels.h */
    float *back;
    float *bias; /* of one image's size */
} inner_block;

struct detect_folded {
    const kernels *kernels;
    size_t latent, latent_columns;
    size_t dense_size; /* of the first block's source */
    float *dense;      /* [dense_size / DENSE_BLOCK, rounded up][latent + 1][DENSE_BLOCK]:
                          weights and shift */
    float *dense_back; /* [dense_size][latent_columns] */
    int n_blocks;      /* inner ones */
    inner_block *blocks;
    float outer_slope; /* as of a block: of the outer one's source */
    size_t outer_at;
    kernels_upsample outer;     /* to the image's channels */
    nn_composed outer_composed; /* its weights and bias */
};

struct detect_folded_pass {
    const detect_folded *folded;
    size_t most;       /* images */
    float *z;          /* [most][latent + 1]: latents and a 1 */
    float *maps;       /* every block's source, [most] of each: before the activation, but the
                          outer block's after it */
    float *diff_map;   /* by the source of the inner block under way */
    float *v;          /* the transforms of kernels.h: of a block's source, and of its gradient */
    float *m;          /* of its destination, and of its gradient */
    float *diff_outer; /* of one image: by the outer block's source */
    float *generated;  /* [most][image] */
    float *diff_image; /* [image]: by the sum before the tanh */
    float *diff_z;     /* [most][latent_columns], then packed to [most][latent] */
};

static size_t src_size(const kernels_upsample *up)
{
    return (size_t)(up->height * up->width) * up->in;
}

static size_t dst_size(const kernels_upsample *up)
{
    return (size_t)(4 * up->height * up->width) * up->out;
}

/* ---- folding ------------------------------------------------------------------------------ */

static const float *layer_data(const nn_net *net, const nn_layer *layer, int tensor)
{
    return nn_net_data(net, &net->tensors[layer->first_tensor + tensor]);
}

/* Batch norm as y = x · scale + shift. */
static void norm_scale_and_shift(float *scale, float *shift, const nn_net *net,
                                 const nn_layer *norm)
{
    const float *gamma = layer_data(net, norm, 0), *beta = layer_data(net, norm, 1);
    const float *mean = layer_data(net, norm, 2), *variance = layer_data(net, norm, 3);
    for (size_t c = 0; c < (size_t)norm->dst.c; c++) {
        scale[c] = gamma[c] / sqrtf(variance[c] + NN_BATCH_NORM_EPSILON);
        shift[c] = beta[c] - mean[c] * scale[c];
    }
}

/* Of the activation that the layer's source comes from, past a reshape. */
static float slope_before(const nn_layer *layer)
{
    do
        layer--;
    while (layer->kind == NN_RESHAPE);
    return layer->slope;
}

/* The dense layer and its batch norm, by blocks of columns and, for the way back, transposed.
 * Feature (pixel, c) of the layer becomes column pixel · in + c. */
static ano_status fold_dense(detect_folded *f, const nn_net *net, ano_error *err)
{
    const nn_layer *dense = &net->layers[0], *norm = &net->layers[1], *reshape = &net->layers[3];
    const size_t in = f->blocks[0].up.in;
    const size_t latent = f->latent, c = (size_t)reshape->dst.c, features = (size_t)dense->dst.c;
    f->dense_size = src_size(&f->blocks[0].up);
    f->dense = base_alloc((f->dense_size + DENSE_BLOCK) * (latent + 1), sizeof(float));
    f->dense_back = base_alloc(f->dense_size * f->latent_columns, sizeof(float));
    float *scale = base_alloc(2 * features, sizeof(float));
    if (f->dense == NULL || f->dense_back == NULL || scale == NULL) {
        base_free(scale);
        return base_error_nomem(err, "folded generator");
    }
    const float *kernel = layer_data(net, dense, 0), *bias = layer_data(net, dense, 1);
    float *shift = scale + features;
    norm_scale_and_shift(scale, shift, net, norm);
    for (size_t feature = 0; feature < features; feature++) {
        const size_t column = feature / c * in + feature % c;
        float *block =
            f->dense + column / DENSE_BLOCK * (latent + 1) * DENSE_BLOCK + column % DENSE_BLOCK;
        block[latent * DENSE_BLOCK] = bias[feature] * scale[feature] + shift[feature];
        for (size_t k = 0; k < latent; k++) {
            const float weight = kernel[k * features + feature] * scale[feature];
            block[k * DENSE_BLOCK] = weight;
            f->dense_back[column * f->latent_columns + k] = weight;
        }
    }
    base_free(scale);
    return ANO_OK;
}

/* A block's composed weights with the batch norm after them, channels in whole vectors, to
 * scaled [window · window][out][in], and the bias map. */
static void scale_block(inner_block *b, float *scaled, const nn_composed *composed,
                        const float *scale, const float *shift)
{
    const size_t c_dst = composed->c_dst, in = b->up.in, out = b->up.out;
    for (size_t w = 0; w < (size_t)(composed->window * composed->window); w++)
        for (size_t o = 0; o < c_dst; o++)
            for (size_t c = 0; c < in; c++)
                scaled[(w * out + o) * in + c] =
                    scale[o] * composed->weights[(w * c_dst + o) * in + c];
    for (size_t pixel = 0; pixel < dst_size(&b->up) / out; pixel++)
        for (size_t o = 0; o < c_dst; o++)
            b->bias[pixel * out + o] = scale[o] * composed->bias[pixel * c_dst + o] + shift[o];
}

/* The block whose layers begin with up. */
static ano_status fold_block(inner_block *b, const nn_net *net, const nn_layer *up, ano_error *err)
{
    const nn_layer *conv = up + 1, *norm = up + 2;
    const size_t in = kernels_whole_columns((size_t)up->src.c);
    const size_t out = kernels_whole_columns((size_t)conv->dst.c);
    b->src_slope = slope_before(up);
    b->up = (kernels_upsample){up->src.h, up->src.w, conv->kernel, in, out};
    nn_composed composed = {0};
    ano_status status = nn_composed_init(&composed, up, conv, false, err);
    const size_t weights = (size_t)(composed.window * composed.window) * out * in;
    float *scaled = base_alloc(weights, sizeof(float));
    float *scale = base_alloc(2 * out, sizeof(float));
    b->weights = base_alloc(kernels_winograd_size(in, PHASES * out), sizeof(float));
    b->back = base_alloc(kernels_winograd_size(PHASES * out, in), sizeof(float));
    b->bias = base_alloc(dst_size(&b->up), sizeof(float));
    if (scaled == NULL || scale == NULL || b->weights == NULL || b->back == NULL || b->bias == NULL)
        status = base_error_nomem(err, "folded generator");
    if (status == ANO_OK) {
        nn_composed_compose(&composed, net);
        norm_scale_and_shift(scale, scale + out, net, norm);
        scale_block(b, scaled, &composed, scale, scale + out);
        kernels_get()->upsample_weights(b->weights, scaled, b->up, 0, in);
        kernels_get()->upsample_weights_turned(b->back, scaled, b->up, 0, PHASES * out);
    }
    nn_composed_clear(&composed);
    base_free(scaled);
    base_free(scale);
    return status;
}

static ano_status fold_outer(detect_folded *f, const nn_net *net, const nn_layer *up,
                             ano_error *err)
{
    const nn_layer *conv = up + 1;
    f->outer_slope = slope_before(up);
    f->outer = (kernels_upsample){up->src.h, up->src.w, conv->kernel,
                                  kernels_whole_columns((size_t)up->src.c), (size_t)conv->dst.c};
    const ano_status status = nn_composed_init(&f->outer_composed, up, conv, false, err);
    if (status == ANO_OK)
        nn_composed_compose(&f->outer_composed, net);
    return status;
}

/* Whether the net's layers from number `first` on are of these kinds. */
static bool has_kinds(const nn_net *net, int first, const nn_kind *kinds, int n)
{
    for (int i = 0; i < n; i++)
        if (net->layers[first + i].kind != kinds[i])
            return false;
    return true;
}

static bool is_foldable(const nn_net *net)
{
    static const nn_kind head[HEAD_LAYERS] = {NN_DENSE, NN_BATCH_NORM, NN_LEAKY_RELU, NN_RESHAPE};
    static const nn_kind inner[INNER_LAYERS] = {NN_CONV_TRANSPOSED, NN_CONV, NN_BATCH_NORM,
                                                NN_LEAKY_RELU};
    static const nn_kind outer[OUTER_LAYERS] = {NN_CONV_TRANSPOSED, NN_CONV, NN_TANH};
    const int last = net->n_layers - OUTER_LAYERS;
    if (last < HEAD_LAYERS + INNER_LAYERS || (last - HEAD_LAYERS) % INNER_LAYERS != 0 ||
        !has_kinds(net, 0, head, HEAD_LAYERS) || !has_kinds(net, last, outer, OUTER_LAYERS))
        return false;
    for (int i = HEAD_LAYERS; i < last; i += INNER_LAYERS)
        if (!has_kinds(net, i, inner, INNER_LAYERS) || !nn_composed_can(net, i) ||
            net->layers[i + 1].kernel != 3)
            return false;
    return nn_composed_can(net, last) && net->dst.c <= KERNELS_MAX_THIN;
}

ano_status detect_folded_create(detect_folded **out, const nn_net *generator, ano_error *err)
{
    *out = NULL;
    if (!is_foldable(generator))
        return base_error(err, ANO_UNSUPPORTED,
                          "the latent search knows generators of upsampling blocks only");
    const nn_layer *first = &generator->layers[HEAD_LAYERS];
    const nn_layer *last = &generator->layers[generator->n_layers - OUTER_LAYERS];
    detect_folded *f = base_alloc(1, sizeof *f);
    if (f == NULL)
        return base_error_nomem(err, "folded generator");
    f->kernels = kernels_get();
    f->latent = nn_shape_size(generator->src);
    f->latent_columns = kernels_whole_columns(f->latent);
    f->n_blocks = (int)(last - first) / INNER_LAYERS;
    f->blocks = base_alloc((size_t)f->n_blocks, sizeof *f->blocks);
    ano_status status = f->blocks != NULL ? ANO_OK : base_error_nomem(err, "folded generator");
    for (int i = 0; i < f->n_blocks && status == ANO_OK; i++) {
        f->blocks[i].src_at = f->outer_at;
        status = fold_block(&f->blocks[i], generator, first + (ptrdiff_t)i * INNER_LAYERS, err);
        f->outer_at += src_size(&f->blocks[i].up);
    }
    if (status == ANO_OK)
        status = fold_outer(f, generator, last, err);
    if (status == ANO_OK)
        status = fold_dense(f, generator, err);
    if (status != ANO_OK) {
        detect_folded_free(f);
        return status;
    }
    *out = f;
    return ANO_OK;
}

void detect_folded_free(detect_folded *f)
{
    if (f == NULL)
        return;
    base_free(f->dense);
    base_free(f->dense_back);
    for (int i = 0; i < f->n_blocks && f->blocks != NULL; i++) {
        base_free(f->blocks[i].weights);
        base_free(f->blocks[i].back);
        base_free(f->blocks[i].bias);
    }
    base_free(f->blocks);
    nn_composed_clear(&f->outer_composed);
    base_free(f);
}

/* ---- passes ------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t detect_folded_image_size(const detect_folded *f)
{
    size_t transforms = 0;
    for (int i = 0; i < f->n_blocks; i++) {
        const kernels_upsample *up = &f->blocks[i].up;
        transforms = larger(transforms, kernels_winograd_size(kernels_upsample_tiles(up),
                                                              up->in + PHASES * up->out));
    }
    return transforms + 2 * (f->outer_at + src_size(&f->outer)) + dst_size(&f->outer);
}

ano_status detect_folded_pass_create(detect_folded_pass **out, const detect_folded *f, size_t most,
                                     ano_error *err)
{
    *out = NULL;
    detect_folded_pass *pass = base_alloc(1, sizeof *pass);
    if (pass == NULL)
        return base_error_nomem(err, "latent search");
    size_t diff_map = 0, v = 0, m = 0;
    for (int i = 0; i < f->n_blocks; i++) {
        const kernels_upsample *up = &f->blocks[i].up;
        const size_t tiles = most * kernels_upsample_tiles(up);
        diff_map = larger(diff_map, most * src_size(up));
        v = larger(v, kernels_winograd_size(tiles, up->in));
        m = larger(m, kernels_winograd_size(tiles, PHASES * up->out));
    }
    const size_t image = dst_size(&f->outer), outer = src_size(&f->outer);
    pass->folded = f;
    pass->most = most;
    const struct {
        float **array;
        size_t size;
    } arrays[] = {
        {&pass->z, most * (f->latent + 1)},
        {&pass->maps, most * (f->outer_at + outer)},
        {&pass->diff_map, diff_map},
        {&pass->v, v},
        {&pass->m, m},
        {&pass->diff_outer, outer},
        {&pass->generated, most * image},
        {&pass->diff_image, image},
        {&pass->diff_z, most * f->latent_columns},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if ((*arrays[i].array = base_alloc(arrays[i].size, sizeof(float))) == NULL) {
            detect_folded_pass_free(pass);
            return base_error_nomem(err, "latent search");
        }
    *out = pass;
    return ANO_OK;
}

void detect_folded_pass_free(detect_folded_pass *pass)
{
    if (pass == NULL)
        return;
    base_free(pass->z);
    base_free(pass->maps);
    base_free(pass->diff_map);
    base_free(pass->v);
    base_free(pass->m);
    base_free(pass->diff_outer);
    base_free(pass->generated);
    base_free(pass->diff_image);
    base_free(pass->diff_z);
    base_free(pass);
}

/* Image i of the source of a block that begins there. */
static float *map_of(const detect_folded_pass *pass, size_t src_at, size_t src_size, size_t i)
{
    return pass->maps + pass->most * src_at + i * src_size;
}

static void dense_forward(detect_folded_pass *pass, const float *z, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t row = f->latent + 1;
    for (size_t i = 0; i < n; i++) {
        memcpy(pass->z + i * row, z + i * f->latent, f->latent * sizeof *z);
        pass->z[i * row + f->latent] = 1;
    }
    for (size_t column = 0; column < f->dense_size; column += DENSE_BLOCK) {
        const size_t left = f->dense_size - column;
        f->kernels->product(pass->maps + column, pass->z, f->dense + column * row,
                            (kernels_product){.rows = n,
                                              .columns = left < DENSE_BLOCK ? left : DENSE_BLOCK,
                                              .k = row,
                                              .dst_row = f->dense_size,
                                              .src_row = row,
                                              .src_column = 1,
                                              .weights_row = DENSE_BLOCK});
    }
}

static void dense_backward(detect_folded_pass *pass, size_t n)
{
    const detect_folded *f = pass->folded;
    f->kernels->product(pass->diff_z, pass->diff_map, f->dense_back,
                        (kernels_product){.rows = n,
                                          .columns = f->latent_columns,
                                          .k = f->dense_size,
                                          .dst_row = f->latent_columns,
                                          .src_row = f->dense_size,
                                          .src_column = 1,
                                          .weights_row = f->latent_columns});
    for (size_t i = 1; i < n; i++)
        memmove(pass->diff_z + i * f->latent, pass->diff_z + i * f->latent_columns,
                f->latent * sizeof(float));
}

/* The products of a block's points, over the first n images' tiles. */
static void multiply_points(const detect_folded_pass *pass, const inner_block *b, float *m,
                            const float *v, const float *u, size_t n, size_t columns, size_t k)
{
    const size_t tiles = kernels_upsample_tiles(&b->up);
    pass->folded->kernels->upsample_multiply(m, v, u, pass->most * tiles, n * tiles, columns, k, 0,
                                             KERNELS_WINOGRAD_POINTS);
}

/* From the products of the block before, unless it is the first, to the block's own. Image by
 * image: what lies between is in the cache. */
static void inner_forward(detect_folded_pass *pass, const inner_block *b, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t size = src_size(&b->up);
    for (size_t i = 0; i < n; i++) {
        float *map = map_of(pass, b->src_at, size, i);
        if (b > f->blocks)
            f->kernels->upsample_dst(map, pass->m, b[-1].bias, b[-1].up, pass->most, i, 1);
        f->kernels->upsample_src(pass->v, map, b->src_slope, b->up, pass->most, i, 1);
    }
    multiply_points(pass, b, pass->m, pass->v, b->weights, n, PHASES * b->up.out, b->up.in);
}

/* From the gradient by the block's products to that by those of the block before. */
static void inner_backward(detect_folded_pass *pass, const inner_block *b, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t size = src_size(&b->up);
    multiply_points(pass, b, pass->v, pass->m, b->back, n, b->up.in, PHASES * b->up.out);
    for (size_t i = 0; i < n; i++) {
        float *diff = pass->diff_map + i * size;
        f->kernels->upsample_diff_src(diff, pass->v, map_of(pass, b->src_at, size, i), b->src_slope,
                                      b->up, pass->most, i, 1);
        if (b > f->blocks)
            f->kernels->upsample_diff_dst(pass->m, diff, b[-1].up, pass->most, i, 1);
    }
}

/* From the last inner block's products to the generated images. */
static void outer_forward(detect_folded_pass *pass, size_t n)
{
    const detect_folded *f = pass->folded;
    const inner_block *last = &f->blocks[f->n_blocks - 1];
    const size_t size = src_size(&f->outer), image = dst_size(&f->outer);
    for (size_t i = 0; i < n; i++) {
        float *map = map_of(pass, f->outer_at, size, i), *generated = pass->generated + i * image;
        f->kernels->upsample_dst(map, pass->m, last->bias, last->up, pass->most, i, 1);
        f->kernels->leaky_relu(map, map, size, f->outer_slope);
        f->kernels->upsample_thin(generated, map, f->outer_composed.weights, f->outer_composed.bias,
                                  f->outer);
        f->kernels->tanh(generated, generated, image);
    }
}

/* The way back. */
static void outer_backward(detect_folded_pass *pass, const float *diff_generated, size_t n)
{
    const detect_folded *f = pass->folded;
    const inner_block *last = &f->blocks[f->n_blocks - 1];
    const size_t size = src_size(&f->outer), image = dst_size(&f->outer);
    for (size_t i = 0; i < n; i++) {
        f->kernels->tanh_backward(pass->diff_image, diff_generated + i * image,
                                  pass->generated + i * image, image);
        f->kernels->upsample_thin_back(pass->diff_outer, pass->diff_image,
                                       f->outer_composed.weights, f->outer);
        f->kernels->leaky_relu_backward(pass->diff_outer, pass->diff_outer,
                                        map_of(pass, f->outer_at, size, i), size, f->outer_slope);
        f->kernels->upsample_diff_dst(pass->m, pass->diff_outer, last->up, pass->most, i, 1);
    }
}

const float *detect_folded_forward(detect_folded_pass *pass, const float *z, size_t n)
{
    const detect_folded *f = pass->folded;
    dense_forward(pass, z, n);
    for (int i = 0; i < f->n_blocks; i++)
        inner_forward(pass, &f->blocks[i], n);
    outer_forward(pass, n);
    return pass->generated;
}

const float *detect_folded_backward(detect_folded_pass *pass, const float *diff_generated, size_t n)
{
    const detect_folded *f = pass->folded;
    outer_backward(pass, diff_generated, n);
    for (int i = f->n_blocks - 1; i >= 0; i--)
        inner_backward(pass, &f->blocks[i], n);
    dense_backward(pass, n);
    return pass->diff_z;
}
