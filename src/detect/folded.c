#include "detect/folded.h"

#include "base/memory.h"
#include "nn/composed.h"

#include <math.h>
#include <string.h>

enum {
    DENSE_BLOCK = 64, /* columns of the dense layer's weights that lie together */
    PHASES = 4
};

struct detect_folded {
    const kernels *kernels;
    float slope[2]; /* of the activations after the dense layer and after the inner block */
    size_t latent, latent_columns;
    kernels_upsample inner, outer; /* channels in whole vectors but for the image's */
    size_t dense_size;             /* of inner's source */
    float *dense;         /* [dense_size / DENSE_BLOCK, rounded up][latent + 1][DENSE_BLOCK]:
                             weights and shift */
    float *dense_back;    /* [dense_size][latent_columns] */
    float *inner_weights; /* U and U turned of kernels.h */
    float *inner_back;
    float *inner_bias;          /* of one image's size */
    nn_composed outer_composed; /* its weights and bias */
};

struct detect_folded_pass {
    const detect_folded *folded;
    size_t most;       /* images */
    float *z;          /* [most][latent + 1]: latents and a 1 */
    float *dense;      /* [most][dense_size]: before the activation */
    float *diff_dense; /* by that */
    float *v;          /* the transforms of kernels.h: of inner's source, and of its gradient */
    float *m;          /* of inner's destination, and of its gradient */
    float *inner;      /* [most][inner's destination]: after the activation */
    float *diff_inner; /* of one image: by the sums before it */
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

/* The dense layer and its batch norm, by blocks of columns and, for the way back, transposed.
 * Feature (pixel, c) of the layer becomes column pixel · inner.in + c. */
static ano_status fold_dense(detect_folded *f, const nn_net *net, ano_error *err)
{
    const nn_layer *dense = &net->layers[0], *norm = &net->layers[1], *reshape = &net->layers[3];
    const size_t latent = f->latent, c = (size_t)reshape->dst.c, features = (size_t)dense->dst.c;
    f->dense = base_alloc((f->dense_size + DENSE_BLOCK) * (latent + 1), sizeof(float));
    f->dense_back = base_alloc(f->dense_size * f->latent_columns, sizeof(float));
    float *scale = base_alloc(2 * features, sizeof(float)), *shift = scale + features;
    if (f->dense == NULL || f->dense_back == NULL || scale == NULL) {
        base_free(scale);
        return base_error_nomem(err, "folded generator");
    }
    const float *kernel = layer_data(net, dense, 0), *bias = layer_data(net, dense, 1);
    norm_scale_and_shift(scale, shift, net, norm);
    for (size_t feature = 0; feature < features; feature++) {
        const size_t column = feature / c * f->inner.in + feature % c;
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

/* The inner block's composed weights with the batch norm after them, channels in whole vectors, to
 * scaled [window · window][out][in], and the bias map. */
static void scale_inner(detect_folded *f, float *scaled, const nn_composed *composed,
                        const float *scale, const float *shift)
{
    const size_t c_dst = composed->c_dst, in = f->inner.in, out = f->inner.out;
    for (size_t w = 0; w < (size_t)(composed->window * composed->window); w++)
        for (size_t o = 0; o < c_dst; o++)
            for (size_t c = 0; c < in; c++)
                scaled[(w * out + o) * in + c] =
                    scale[o] * composed->weights[(w * c_dst + o) * in + c];
    for (size_t pixel = 0; pixel < dst_size(&f->inner) / out; pixel++)
        for (size_t o = 0; o < c_dst; o++)
            f->inner_bias[pixel * out + o] =
                scale[o] * composed->bias[pixel * c_dst + o] + shift[o];
}

static ano_status fold_inner(detect_folded *f, const nn_net *net, ano_error *err)
{
    const size_t in = f->inner.in, out = f->inner.out;
    const size_t u_size = kernels_winograd_size(in, PHASES * out);
    nn_composed composed = {0};
    ano_status status = nn_composed_init(&composed, &net->layers[4], &net->layers[5], false, err);
    const size_t weights = (size_t)(composed.window * composed.window) * out * in;
    float *scaled = base_alloc(weights, sizeof(float));
    float *scale = base_alloc(2 * out, sizeof(float));
    f->inner_weights = base_alloc(u_size, sizeof(float));
    f->inner_back = base_alloc(kernels_winograd_size(PHASES * out, in), sizeof(float));
    f->inner_bias = base_alloc(dst_size(&f->inner), sizeof(float));
    if (scaled == NULL || scale == NULL || f->inner_weights == NULL || f->inner_back == NULL ||
        f->inner_bias == NULL)
        status = base_error_nomem(err, "folded generator");
    if (status == ANO_OK) {
        nn_composed_compose(&composed, net);
        norm_scale_and_shift(scale, scale + out, net, &net->layers[6]);
        scale_inner(f, scaled, &composed, scale, scale + out);
        f->kernels->upsample_weights(f->inner_weights, scaled, f->inner, 0, in);
        f->kernels->upsample_weights_turned(f->inner_back, scaled, f->inner, 0, PHASES * out);
    }
    nn_composed_clear(&composed);
    base_free(scaled);
    base_free(scale);
    return status;
}

static ano_status fold_outer(detect_folded *f, const nn_net *net, ano_error *err)
{
    const ano_status status =
        nn_composed_init(&f->outer_composed, &net->layers[8], &net->layers[9], false, err);
    if (status == ANO_OK)
        nn_composed_compose(&f->outer_composed, net);
    return status;
}

static bool is_foldable(const nn_net *net)
{
    static const nn_kind form[] = {NN_DENSE,           NN_BATCH_NORM, NN_LEAKY_RELU, NN_RESHAPE,
                                   NN_CONV_TRANSPOSED, NN_CONV,       NN_BATCH_NORM, NN_LEAKY_RELU,
                                   NN_CONV_TRANSPOSED, NN_CONV,       NN_TANH};
    if (net->n_layers != (int)(sizeof form / sizeof *form))
        return false;
    for (int i = 0; i < net->n_layers; i++)
        if (net->layers[i].kind != form[i])
            return false;
    return nn_composed_can(net, 4) && net->layers[5].kernel == 3 && nn_composed_can(net, 8) &&
           net->dst.c <= KERNELS_MAX_THIN;
}

ano_status detect_folded_create(detect_folded **out, const nn_net *generator, ano_error *err)
{
    *out = NULL;
    if (!is_foldable(generator))
        return base_error(err, ANO_UNSUPPORTED,
                          "the latent search knows generators of two upsampling blocks only");
    detect_folded *f = base_alloc(1, sizeof *f);
    if (f == NULL)
        return base_error_nomem(err, "folded generator");
    const nn_layer *layers = generator->layers;
    const nn_shape inner = layers[3].dst, outer = layers[7].dst;
    f->kernels = kernels_get();
    f->slope[0] = layers[2].slope;
    f->slope[1] = layers[7].slope;
    f->latent = nn_shape_size(generator->src);
    f->latent_columns = kernels_whole_columns(f->latent);
    f->inner = (kernels_upsample){inner.h, inner.w, layers[5].kernel,
                                  kernels_whole_columns((size_t)inner.c),
                                  kernels_whole_columns((size_t)outer.c)};
    f->outer = (kernels_upsample){outer.h, outer.w, layers[9].kernel, f->inner.out,
                                  (size_t)generator->dst.c};
    f->dense_size = src_size(&f->inner);
    ano_status status = fold_dense(f, generator, err);
    if (status == ANO_OK)
        status = fold_inner(f, generator, err);
    if (status == ANO_OK)
        status = fold_outer(f, generator, err);
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
    base_free(f->inner_weights);
    base_free(f->inner_back);
    base_free(f->inner_bias);
    nn_composed_clear(&f->outer_composed);
    base_free(f);
}

/* ---- passes ------------------------------------------------------------------------------- */

ano_status detect_folded_pass_create(detect_folded_pass **out, const detect_folded *f, size_t most,
                                     ano_error *err)
{
    *out = NULL;
    detect_folded_pass *pass = base_alloc(1, sizeof *pass);
    if (pass == NULL)
        return base_error_nomem(err, "latent search");
    const size_t tiles = most * kernels_upsample_tiles(&f->inner);
    const size_t image = dst_size(&f->outer);
    pass->folded = f;
    pass->most = most;
    const struct {
        float **array;
        size_t size;
    } arrays[] = {
        {&pass->z, most * (f->latent + 1)},
        {&pass->dense, most * f->dense_size},
        {&pass->diff_dense, most * f->dense_size},
        {&pass->v, kernels_winograd_size(tiles, f->inner.in)},
        {&pass->m, kernels_winograd_size(tiles, PHASES * f->inner.out)},
        {&pass->inner, most * dst_size(&f->inner)},
        {&pass->diff_inner, dst_size(&f->inner)},
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
    base_free(pass->dense);
    base_free(pass->diff_dense);
    base_free(pass->v);
    base_free(pass->m);
    base_free(pass->inner);
    base_free(pass->diff_inner);
    base_free(pass->generated);
    base_free(pass->diff_image);
    base_free(pass->diff_z);
    base_free(pass);
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
        f->kernels->product(pass->dense + column, pass->z, f->dense + column * row,
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

    f->kernels->product(pass->diff_z, pass->diff_dense, f->dense_back,
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

/* The products of inner's points, over the first n images' tiles. */
static void multiply_points(const detect_folded_pass *pass, float *m, const float *v,
                            const float *u, size_t n, size_t columns, size_t k)
{
    const detect_folded *f = pass->folded;
    const size_t tiles = kernels_upsample_tiles(&f->inner);
    f->kernels->upsample_multiply(m, v, u, pass->most * tiles, n * tiles, columns, k, 0,
                                  KERNELS_WINOGRAD_POINTS);
}

/* From inner's products to the generated images, one by one while they are in the cache. */
static void outer_forward(detect_folded_pass *pass, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t size = src_size(&f->outer), image = dst_size(&f->outer);
    for (size_t i = 0; i < n; i++) {
        float *inner = pass->inner + i * size, *generated = pass->generated + i * image;
        f->kernels->upsample_dst(inner, pass->m, f->inner_bias, f->inner, pass->most, i, 1);
        f->kernels->leaky_relu(inner, inner, size, f->slope[1]);
        f->kernels->upsample_thin(generated, inner, f->outer_composed.weights,
                                  f->outer_composed.bias, f->outer);
        f->kernels->tanh(generated, generated, image);
    }
}

/* The way back. */
static void outer_backward(detect_folded_pass *pass, const float *diff_generated, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t size = src_size(&f->outer), image = dst_size(&f->outer);
    for (size_t i = 0; i < n; i++) {
        f->kernels->tanh_backward(pass->diff_image, diff_generated + i * image,
                                  pass->generated + i * image, image);
        f->kernels->upsample_thin_back(pass->diff_inner, pass->diff_image,
                                       f->outer_composed.weights, f->outer);
        f->kernels->leaky_relu_backward(pass->diff_inner, pass->diff_inner, pass->inner + i * size,
                                        size, f->slope[1]);
        f->kernels->upsample_diff_dst(pass->m, pass->diff_inner, f->inner, pass->most, i, 1);
    }
}

const float *detect_folded_forward(detect_folded_pass *pass, const float *z, size_t n)
{
    const detect_folded *f = pass->folded;
    dense_forward(pass, z, n);
    f->kernels->upsample_src(pass->v, pass->dense, f->slope[0], f->inner, pass->most, 0, n);
    multiply_points(pass, pass->m, pass->v, f->inner_weights, n, PHASES * f->inner.out,
                    f->inner.in);
    outer_forward(pass, n);
    return pass->generated;
}

const float *detect_folded_backward(detect_folded_pass *pass, const float *diff_generated, size_t n)
{
    const detect_folded *f = pass->folded;
    outer_backward(pass, diff_generated, n);
    multiply_points(pass, pass->v, pass->m, f->inner_back, n, f->inner.in, PHASES * f->inner.out);
    f->kernels->upsample_diff_src(pass->diff_dense, pass->v, pass->dense, f->slope[0], f->inner,
                                  pass->most, 0, n);
    dense_backward(pass, n);
    return pass->diff_z;
}
