#include "detect/folded.h"

#include "base/memory.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { DENSE_BLOCK = 64 }; /* columns of the dense layer's weights that lie together */

/* A transposed convolution 2 × 2 with the convolution after it, and the batch norm after that where
 * there is one: a linear map from [q][q][c_src] to [2q][2q][c_dst]. */
typedef struct composed {
    int q, c_src, c_dst;
    int radius;     /* k / 2 */
    int taps;       /* (k + 1) / 2 */
    int first[2];   /* the first tap's row, or column, relative to the source pixel's, by phase */
    float *weights; /* [phase y][phase x][tap y][tap x][c_src][c_dst] */
    float *bias;    /* [2q][2q][c_dst]; at the border the convolution sees zeros, not the
                       transposed convolution's bias */
} composed;

struct detect_folded {
    const kernels *kernels;
    float slope[2]; /* of the activations after the dense layer and after the inner block */
    size_t latent, latent_columns;
    composed inner, outer; /* inner.q is the size after the dense layer; outer.q twice that */
    size_t c_dense,
        c_inner;          /* channels after the dense layer and the inner block, in whole vectors */
    size_t dense_size;    /* q · q · c_dense, in whole blocks */
    float *dense;         /* [dense_size / DENSE_BLOCK][latent][DENSE_BLOCK] */
    float *dense_shift;   /* [dense_size] */
    float *dense_back;    /* [dense_size][latent_columns] */
    float *inner_weights; /* [phase y][phase x][tap y][tap x][c_dense][c_inner] */
    float *inner_bias;    /* [2q][2q][c_inner] */
    float *inner_back;    /* [window][window][c_inner][c_dense]; window = 2 · taps */
    size_t spread;        /* tap y, tap x, phase y, phase x, channel, in whole vectors */
    float *outer_weights; /* [c_inner][spread] */
    float *outer_back;    /* [spread][c_inner] */
};

struct detect_folded_pass {
    const detect_folded *folded;
    size_t border;     /* of zeros around the activations of the dense layer */
    float *dense;      /* [group][dense_size], and their gradients */
    float *activated;  /* [group][q + 2·border][q + 2·border][c_dense] */
    float *inner;      /* [group][2q][2q][c_inner] */
    float *diff_inner; /* [2q + 2·radius][2q + 2·radius][c_inner] */
    float *spread;     /* [2q][2q][spread] */
    float *generated;  /* [group][4q][4q][c] */
    float *diff_image; /* [4q][4q][c]: by the sum before the tanh */
    float *diff_z;     /* [group][latent_columns], then packed to [group][latent] */
};

static size_t whole_vectors(size_t columns)
{
    const size_t unit = KERNELS_COLUMNS;
    return (columns + unit - 1) / unit * unit;
}

static int floor_half(int value)
{
    return value >= 0 ? value / 2 : -((1 - value) / 2);
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

/* Where the weights of a phase and a tap lie: [c_src][c_dst]. */
static size_t composed_offset(const composed *m, int phase_y, int phase_x, int tap_y, int tap_x)
{
    const int place = ((phase_y * 2 + phase_x) * m->taps + tap_y) * m->taps + tap_x;
    return (size_t)place * (size_t)m->c_src * (size_t)m->c_dst;
}

/* Adds T[a][b]ᵀ · K[dy][dx] for one phase and one place (dy, dx) of the convolution's kernel. */
static void compose_place(composed *m, const float *up_kernel, const float *conv_kernel,
                          size_t c_middle, int phase_y, int phase_x, int dy, int dx)
{
    const size_t c_src = (size_t)m->c_src, c_dst = (size_t)m->c_dst;
    const int row = floor_half(phase_y + dy), column = floor_half(phase_x + dx);
    const int a = phase_y + dy - 2 * row, b = phase_x + dx - 2 * column;
    const int k = 2 * m->radius + 1, place = (dy + m->radius) * k + dx + m->radius;
    const float *up = up_kernel + (size_t)(a * 2 + b) * c_middle * c_src;
    const float *conv = conv_kernel + (size_t)place * c_middle * c_dst;
    float *weights = m->weights + composed_offset(m, phase_y, phase_x, row - m->first[phase_y],
                                                  column - m->first[phase_x]);
    for (size_t c = 0; c < c_src; c++)
        for (size_t middle = 0; middle < c_middle; middle++)
            for (size_t o = 0; o < c_dst; o++)
                weights[c * c_dst + o] += up[middle * c_src + c] * conv[middle * c_dst + o];
}

/* bias[y][x] = conv_bias + Σ over the places of the kernel that fall inside of up_bias · K[dy][dx].
 */
static void compose_bias(composed *m, const float *up_bias, const float *conv_kernel,
                         const float *conv_bias, size_t c_middle)
{
    const int size = 2 * m->q, k = 2 * m->radius + 1;
    const size_t c_dst = (size_t)m->c_dst;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            float *bias = m->bias + (size_t)(y * size + x) * c_dst;
            memcpy(bias, conv_bias, c_dst * sizeof(float));
            for (int place = 0; place < k * k; place++) {
                const int from_y = y + place / k - m->radius, from_x = x + place % k - m->radius;
                if (from_y < 0 || from_y >= size || from_x < 0 || from_x >= size)
                    continue;
                const float *conv = conv_kernel + (size_t)place * c_middle * c_dst;
                for (size_t middle = 0; middle < c_middle; middle++)
                    for (size_t o = 0; o < c_dst; o++)
                        bias[o] += up_bias[middle] * conv[middle * c_dst + o];
            }
        }
}

/* Multiplies each row of c_dst numbers by scale. */
static void scale_rows(float *numbers, size_t rows, const float *scale, size_t c_dst)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < c_dst; o++)
            numbers[r * c_dst + o] *= scale[o];
}

static ano_status compose(composed *m, const nn_net *net, const nn_layer *up, const nn_layer *conv,
                          const nn_layer *norm, ano_error *err)
{
    *m = (composed){.q = up->src.h,
                    .c_src = up->src.c,
                    .c_dst = conv->dst.c,
                    .radius = conv->kernel / 2,
                    .taps = (conv->kernel + 1) / 2,
                    .first = {floor_half(-(conv->kernel / 2)), floor_half(1 - conv->kernel / 2)}};
    const size_t c_dst = (size_t)m->c_dst, c_middle = (size_t)up->dst.c;
    const size_t rows = composed_offset(m, 2, 0, 0, 0) / c_dst, pixels = (size_t)(4 * m->q * m->q);
    m->weights = base_alloc(rows * c_dst, sizeof(float));
    m->bias = base_alloc(pixels * c_dst, sizeof(float));
    float *scale = base_alloc(2 * c_dst, sizeof(float));
    if (m->weights == NULL || m->bias == NULL || scale == NULL) {
        base_free(scale);
        return base_error_nomem(err, "folded generator");
    }
    for (int phase = 0; phase < 4; phase++)
        for (int dy = -m->radius; dy <= m->radius; dy++)
            for (int dx = -m->radius; dx <= m->radius; dx++)
                compose_place(m, layer_data(net, up, 0), layer_data(net, conv, 0), c_middle,
                              phase / 2, phase % 2, dy, dx);
    compose_bias(m, layer_data(net, up, 1), layer_data(net, conv, 0), layer_data(net, conv, 1),
                 c_middle);
    if (norm != NULL) {
        float *shift = scale + c_dst;
        norm_scale_and_shift(scale, shift, net, norm);
        scale_rows(m->weights, rows, scale, c_dst);
        scale_rows(m->bias, pixels, scale, c_dst);
        for (size_t i = 0; i < pixels * c_dst; i++)
            m->bias[i] += shift[i % c_dst];
    }
    base_free(scale);
    return ANO_OK;
}

/* The dense layer and its batch norm, by blocks of columns and, for the way back, transposed.
 * Feature (pixel, c) of the layer becomes column pixel · c_dense + c. */
static ano_status fold_dense(detect_folded *f, const nn_net *net, const nn_layer *dense,
                             const nn_layer *norm, ano_error *err)
{
    const size_t latent = f->latent, c = (size_t)f->inner.c_src, features = (size_t)dense->dst.c;
    f->dense = base_alloc(f->dense_size * latent, sizeof(float));
    f->dense_shift = base_alloc(f->dense_size, sizeof(float));
    f->dense_back = base_alloc(f->dense_size * f->latent_columns, sizeof(float));
    float *scale = base_alloc(2 * features, sizeof(float)), *shift = scale + features;
    if (f->dense == NULL || f->dense_shift == NULL || f->dense_back == NULL || scale == NULL) {
        base_free(scale);
        return base_error_nomem(err, "folded generator");
    }
    const float *kernel = layer_data(net, dense, 0), *bias = layer_data(net, dense, 1);
    norm_scale_and_shift(scale, shift, net, norm);
    for (size_t feature = 0; feature < features; feature++) {
        const size_t column = feature / c * f->c_dense + feature % c;
        float *block =
            f->dense + column / DENSE_BLOCK * latent * DENSE_BLOCK + column % DENSE_BLOCK;
        f->dense_shift[column] = bias[feature] * scale[feature] + shift[feature];
        for (size_t k = 0; k < latent; k++) {
            const float weight = kernel[k * features + feature] * scale[feature];
            block[k * DENSE_BLOCK] = weight;
            f->dense_back[column * f->latent_columns + k] = weight;
        }
    }
    base_free(scale);
    return ANO_OK;
}

/* Lays the inner block's weights out for the products, and for the way back by the window of
 * destination pixels [2i - radius, 2i + 1 + radius]² that source pixel i reaches. */
static ano_status pack_inner(detect_folded *f, ano_error *err)
{
    const composed *m = &f->inner;
    const int window = 2 * m->taps;
    const size_t c_src = (size_t)m->c_src, c_dst = (size_t)m->c_dst;
    const size_t pixels = (size_t)(4 * m->q * m->q), matrix = f->c_dense * f->c_inner;
    f->inner_weights = base_alloc((size_t)(4 * m->taps * m->taps) * matrix, sizeof(float));
    f->inner_back = base_alloc((size_t)(window * window) * matrix, sizeof(float));
    f->inner_bias = base_alloc(pixels * f->c_inner, sizeof(float));
    if (f->inner_weights == NULL || f->inner_back == NULL || f->inner_bias == NULL)
        return base_error_nomem(err, "folded generator");
    for (size_t p = 0; p < pixels; p++)
        memcpy(f->inner_bias + p * f->c_inner, m->bias + p * c_dst, c_dst * sizeof(float));
    for (int place = 0; place < 4 * m->taps * m->taps; place++) {
        const int tap_x = place % m->taps, tap_y = place / m->taps % m->taps;
        const int phase_x = place / (m->taps * m->taps) % 2;
        const int phase_y = place / (m->taps * m->taps * 2);
        const int window_y = m->radius + phase_y - 2 * (m->first[phase_y] + tap_y);
        const int window_x = m->radius + phase_x - 2 * (m->first[phase_x] + tap_x);
        const float *from = m->weights + composed_offset(m, phase_y, phase_x, tap_y, tap_x);
        float *to = f->inner_weights + (size_t)place * matrix;
        float *back = f->inner_back + (size_t)(window_y * window + window_x) * matrix;
        for (size_t c = 0; c < c_src; c++)
            for (size_t o = 0; o < c_dst; o++) {
                to[c * f->c_inner + o] = from[c * c_dst + o];
                back[o * f->c_dense + c] = from[c * c_dst + o];
            }
    }
    return ANO_OK;
}

/* The place in a row of `spread` of what a pixel adds, by a tap, to the pixels of a phase. */
static size_t spread_column(const composed *m, int tap_y, int tap_x, int phase_y, int phase_x)
{
    const int place = ((tap_y * m->taps + tap_x) * 2 + phase_y) * 2 + phase_x;
    return (size_t)place * (size_t)m->c_dst;
}

static ano_status pack_outer(detect_folded *f, ano_error *err)
{
    const composed *m = &f->outer;
    const size_t c_src = (size_t)m->c_src, c_dst = (size_t)m->c_dst;
    f->spread = whole_vectors(spread_column(m, m->taps, 0, 0, 0));
    f->outer_weights = base_alloc(f->c_inner * f->spread, sizeof(float));
    f->outer_back = base_alloc(f->spread * f->c_inner, sizeof(float));
    if (f->outer_weights == NULL || f->outer_back == NULL)
        return base_error_nomem(err, "folded generator");
    for (int place = 0; place < 4 * m->taps * m->taps; place++) {
        const int phase_x = place % 2, phase_y = place / 2 % 2;
        const int tap_x = place / 4 % m->taps, tap_y = place / 4 / m->taps;
        const size_t column = spread_column(m, tap_y, tap_x, phase_y, phase_x);
        const float *from = m->weights + composed_offset(m, phase_y, phase_x, tap_y, tap_x);
        for (size_t c = 0; c < c_src; c++)
            for (size_t o = 0; o < c_dst; o++) {
                f->outer_weights[c * f->spread + column + o] = from[c * c_dst + o];
                f->outer_back[(column + o) * f->c_inner + c] = from[c * c_dst + o];
            }
    }
    return ANO_OK;
}

static bool is_foldable(const nn_net *net)
{
    static const nn_kind form[] = {NN_DENSE,           NN_BATCH_NORM, NN_LEAKY_RELU, NN_RESHAPE,
                                   NN_CONV_TRANSPOSED, NN_CONV,       NN_BATCH_NORM, NN_LEAKY_RELU,
                                   NN_CONV_TRANSPOSED, NN_CONV,       NN_TANH};
    if (net->n_layers != (int)(sizeof form / sizeof *form))
        return false;
    for (int i = 0; i < net->n_layers; i++)
        if (net->layers[i].kind != form[i] ||
            (form[i] == NN_CONV_TRANSPOSED && net->layers[i].kernel != 2))
            return false;
    return net->layers[3].dst.h == net->layers[3].dst.w;
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
    f->kernels = kernels_get();
    f->slope[0] = layers[2].slope;
    f->slope[1] = layers[7].slope;
    f->latent = nn_shape_size(generator->src);
    f->latent_columns = whole_vectors(f->latent);
    ano_status status = compose(&f->inner, generator, &layers[4], &layers[5], &layers[6], err);
    if (status == ANO_OK)
        status = compose(&f->outer, generator, &layers[8], &layers[9], NULL, err);
    f->c_dense = whole_vectors((size_t)layers[3].dst.c);
    f->c_inner = whole_vectors((size_t)layers[5].dst.c);
    f->dense_size = (size_t)(f->inner.q * f->inner.q) * f->c_dense;
    f->dense_size = (f->dense_size + DENSE_BLOCK - 1) / DENSE_BLOCK * DENSE_BLOCK;
    if (status == ANO_OK)
        status = fold_dense(f, generator, &layers[0], &layers[1], err);
    if (status == ANO_OK)
        status = pack_inner(f, err);
    if (status == ANO_OK)
        status = pack_outer(f, err);
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
    base_free(f->inner.weights);
    base_free(f->inner.bias);
    base_free(f->outer.weights);
    base_free(f->outer.bias);
    base_free(f->dense);
    base_free(f->dense_shift);
    base_free(f->dense_back);
    base_free(f->inner_weights);
    base_free(f->inner_bias);
    base_free(f->inner_back);
    base_free(f->outer_weights);
    base_free(f->outer_back);
    base_free(f);
}

/* ---- passes ------------------------------------------------------------------------------- */

ano_status detect_folded_pass_create(detect_folded_pass **out, const detect_folded *f,
                                     ano_error *err)
{
    *out = NULL;
    detect_folded_pass *pass = base_alloc(1, sizeof *pass);
    if (pass == NULL)
        return base_error_nomem(err, "latent search");
    const size_t group = DETECT_FOLDED_GROUP, q = (size_t)f->inner.q;
    const size_t radius = (size_t)f->inner.radius, image = 16 * q * q * (size_t)f->outer.c_dst;
    pass->folded = f;
    pass->border = (radius + 1) / 2;
    const size_t with_border = q + 2 * pass->border, diff_size = 2 * q + 2 * radius;
    const struct {
        float **array;
        size_t size;
    } arrays[] = {
        {&pass->dense, group * f->dense_size},
        {&pass->activated, group * with_border * with_border * f->c_dense},
        {&pass->inner, group * 4 * q * q * f->c_inner},
        {&pass->diff_inner, diff_size * diff_size * f->c_inner},
        {&pass->spread, 4 * q * q * f->spread},
        {&pass->generated, group * image},
        {&pass->diff_image, image},
        {&pass->diff_z, group * f->latent_columns},
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
    base_free(pass->dense);
    base_free(pass->activated);
    base_free(pass->inner);
    base_free(pass->diff_inner);
    base_free(pass->spread);
    base_free(pass->generated);
    base_free(pass->diff_image);
    base_free(pass->diff_z);
    base_free(pass);
}

static float *activated_row(const detect_folded_pass *pass, size_t image, size_t y)
{
    const detect_folded *f = pass->folded;
    const size_t size = (size_t)f->inner.q + 2 * pass->border;
    return pass->activated + ((image * size + y + pass->border) * size + pass->border) * f->c_dense;
}

static void dense_forward(detect_folded_pass *pass, const float *z, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t q = (size_t)f->inner.q, row = q * f->c_dense;
    for (size_t i = 0; i < n; i++)
        memcpy(pass->dense + i * f->dense_size, f->dense_shift, f->dense_size * sizeof(float));
    for (size_t column = 0; column < f->dense_size; column += DENSE_BLOCK)
        f->kernels->product(pass->dense + column, z, f->dense + column * f->latent,
                            (kernels_product){.rows = n,
                                              .columns = DENSE_BLOCK,
                                              .k = f->latent,
                                              .dst_row = f->dense_size,
                                              .src_row = f->latent,
                                              .src_column = 1,
                                              .weights_row = DENSE_BLOCK,
                                              .accumulate = true});
    for (size_t i = 0; i < n; i++)
        for (size_t y = 0; y < q; y++)
            f->kernels->leaky_relu(activated_row(pass, i, y),
                                   pass->dense + i * f->dense_size + y * row, row, f->slope[0]);
}

static void dense_backward(detect_folded_pass *pass, size_t n)
{
    const detect_folded *f = pass->folded;
    const size_t q = (size_t)f->inner.q, row = q * f->c_dense;
    for (size_t i = 0; i < n; i++)
        for (size_t y = 0; y < q; y++) {
            float *diff = pass->dense + i * f->dense_size + y * row;
            f->kernels->leaky_relu_backward(diff, diff, activated_row(pass, i, y), row,
                                            f->slope[0]);
        }
    f->kernels->product(pass->diff_z, pass->dense, f->dense_back,
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

/* One row of products for each phase, each source row and each tap row: `q` pixels at a time. */
static void inner_forward(detect_folded_pass *pass, size_t image)
{
    const detect_folded *f = pass->folded;
    const composed *m = &f->inner;
    const size_t size = 2 * (size_t)m->q, area = size * size * f->c_inner;
    const size_t tap_row = (size_t)m->taps * f->c_dense;
    const kernels_product product = {.rows = (size_t)m->q,
                                     .columns = f->c_inner,
                                     .k = tap_row,
                                     .dst_row = 2 * f->c_inner,
                                     .src_row = f->c_dense,
                                     .src_column = 1,
                                     .weights_row = f->c_inner,
                                     .accumulate = true};
    float *dst = pass->inner + image * area;
    memcpy(dst, f->inner_bias, area * sizeof(float));
    for (int phase = 0; phase < 4; phase++) {
        const int phase_y = phase / 2, phase_x = phase % 2;
        const float *weights = f->inner_weights + (size_t)(phase * m->taps) * tap_row * f->c_inner;
        const ptrdiff_t first_x = m->first[phase_x] * (ptrdiff_t)f->c_dense;
        for (int y = 0; y < m->q; y++)
            for (int tap = 0; tap < m->taps; tap++) {
                /* Rows above and below the map are its border. */
                const float *src = activated_row(pass, image, 0) +
                                   (ptrdiff_t)(y + m->first[phase_y] + tap) *
                                       (ptrdiff_t)(((size_t)m->q + 2 * pass->border) * f->c_dense) +
                                   first_x;
                f->kernels->product(dst + ((size_t)(2 * y + phase_y) * size + (size_t)phase_x) *
                                              f->c_inner,
                                    src, weights + (size_t)tap * tap_row * f->c_inner, product);
            }
    }
    f->kernels->leaky_relu(dst, dst, area, f->slope[1]);
}

/* From diff_inner, whose border is zero, to the gradient by the dense layer's activations. */
static void inner_backward(detect_folded_pass *pass, size_t image)
{
    const detect_folded *f = pass->folded;
    const composed *m = &f->inner;
    const size_t q = (size_t)m->q, window = 2 * (size_t)m->taps;
    const size_t size = 2 * q + 2 * (size_t)m->radius, window_row = window * f->c_inner;
    float *dst = pass->dense + image * f->dense_size;
    for (size_t y = 0; y < q; y++)
        for (size_t window_y = 0; window_y < window; window_y++)
            f->kernels->product(dst + y * q * f->c_dense,
                                pass->diff_inner + (2 * y + window_y) * size * f->c_inner,
                                f->inner_back + window_y * window_row * f->c_dense,
                                (kernels_product){.rows = q,
                                                  .columns = f->c_dense,
                                                  .k = window_row,
                                                  .dst_row = f->c_dense,
                                                  .src_row = 2 * f->c_inner,
                                                  .src_column = 1,
                                                  .weights_row = f->c_dense,
                                                  .accumulate = window_y > 0});
}

/* The source pixels [begin, end) whose tap falls inside the map. */
typedef struct span {
    int begin, end;
} span;

static span valid_span(const composed *m, int phase, int tap)
{
    const int shift = m->first[phase] + tap, size = m->q;
    return (span){shift < 0 ? -shift : 0, shift > 0 ? size - shift : size};
}

/* Moves numbers between the image [2q][2q][c] and the rows of `spread`: for every phase and tap,
 * pixel (2y + phase y, 2x + phase x) gathers from, or hands back to, pixel (y, x) + tap. */
static void spread_exchange(const detect_folded_pass *pass, float *image, bool gather)
{
    const detect_folded *f = pass->folded;
    const composed *m = &f->outer;
    const size_t q = (size_t)m->q, c_count = (size_t)m->c_dst;
    for (int place = 0; place < 4 * m->taps * m->taps; place++) {
        const int phase_x = place % 2, phase_y = place / 2 % 2;
        const int tap_x = place / 4 % m->taps, tap_y = place / 4 / m->taps;
        const span rows = valid_span(m, phase_y, tap_y), columns = valid_span(m, phase_x, tap_x);
        const size_t column = spread_column(m, tap_y, tap_x, phase_y, phase_x);
        for (int y = rows.begin; y < rows.end; y++)
            for (int x = columns.begin; x < columns.end; x++) {
                const size_t from_y = (size_t)(y + m->first[phase_y] + tap_y);
                const size_t from_x = (size_t)(x + m->first[phase_x] + tap_x);
                float *spread = pass->spread + (from_y * q + from_x) * f->spread + column;
                float *pixel =
                    image +
                    ((size_t)(2 * y + phase_y) * 2 * q + (size_t)(2 * x + phase_x)) * c_count;
                for (size_t c = 0; c < c_count; c++) {
                    if (gather)
                        pixel[c] += spread[c];
                    else
                        spread[c] = pixel[c];
                }
            }
    }
}

static void outer_forward(detect_folded_pass *pass, size_t image)
{
    const detect_folded *f = pass->folded;
    const size_t pixels = (size_t)(f->outer.q * f->outer.q);
    const size_t size = 4 * pixels * (size_t)f->outer.c_dst;
    float *generated = pass->generated + image * size;
    f->kernels->product(pass->spread, pass->inner + image * pixels * f->c_inner, f->outer_weights,
                        (kernels_product){.rows = pixels,
                                          .columns = f->spread,
                                          .k = f->c_inner,
                                          .dst_row = f->spread,
                                          .src_row = f->c_inner,
                                          .src_column = 1,
                                          .weights_row = f->spread});
    memcpy(generated, f->outer.bias, size * sizeof(float));
    spread_exchange(pass, generated, true);
    for (size_t i = 0; i < size; i++)
        generated[i] = tanhf(generated[i]);
}

/* From the gradient by the generated image to diff_inner. */
static void outer_backward(detect_folded_pass *pass, const float *diff_generated, size_t image)
{
    const detect_folded *f = pass->folded;
    const size_t q = (size_t)f->outer.q, row = q * f->c_inner, radius = (size_t)f->inner.radius;
    const size_t size = 4 * q * q * (size_t)f->outer.c_dst;
    const float *generated = pass->generated + image * size;
    f->kernels->tanh_backward(pass->diff_image, diff_generated, generated, size);
    memset(pass->spread, 0, q * q * f->spread * sizeof(float));
    spread_exchange(pass, pass->diff_image, false);
    for (size_t y = 0; y < q; y++) {
        const float *inner = pass->inner + (image * q + y) * row;
        float *diff = pass->diff_inner + ((y + radius) * (q + 2 * radius) + radius) * f->c_inner;
        f->kernels->product(diff, pass->spread + y * q * f->spread, f->outer_back,
                            (kernels_product){.rows = q,
                                              .columns = f->c_inner,
                                              .k = f->spread,
                                              .dst_row = f->c_inner,
                                              .src_row = f->spread,
                                              .src_column = 1,
                                              .weights_row = f->c_inner});
        f->kernels->leaky_relu_backward(diff, diff, inner, row, f->slope[1]);
    }
}

const float *detect_folded_forward(detect_folded_pass *pass, const float *z, size_t n)
{
    dense_forward(pass, z, n);
    for (size_t image = 0; image < n; image++) {
        inner_forward(pass, image);
        outer_forward(pass, image);
    }
    return pass->generated;
}

const float *detect_folded_backward(detect_folded_pass *pass, const float *diff_generated, size_t n)
{
    const composed *outer = &pass->folded->outer;
    const size_t image_size = (size_t)(4 * outer->q * outer->q) * (size_t)outer->c_dst;
    for (size_t image = 0; image < n; image++) {
        outer_backward(pass, diff_generated + image * image_size, image);
        inner_backward(pass, image);
    }
    dense_backward(pass, n);
    return pass->diff_z;
}
