/* Two descriptions of an image by what is to be seen at each place of it, neither of them learned.
 *
 * Histograms of oriented gradients (N. Dalal, B. Triggs, "Histograms of Oriented Gradients for
 * Human Detection", 2005; here without blocks). With g the gradient by central differences, of the
 * channel where it is longest, and u_b the unit vector of direction b · 45°, every pixel votes for
 * the 8 directions, from dark to bright:
 *     v_b = |g| max(0, cos(angle from g to u_b))⁴ = max(0, g·u_b)⁴ / |g|³.
 * Votes are blurred by a Gaussian of σ = 1.5 px and taken at the centres of cells of 3 x 3 px; the
 * vector of all of them is divided by its length. The root of each number at last is what makes
 * Euclidean distances those of Hellinger between histograms (R. Arandjelović, A. Zisserman, "Three
 * things everyone should know to improve object retrieval", 2012).
 *
 * Random filters (K. Jarrett et al., "What is the Best Multi-Stage Architecture for Object
 * Recognition?", 2009): a convolution with 32 filters of 5 x 5 px drawn once for all, zeros around
 * the image, in which black is 0 and white 1; a leaky ReLU of slope 0.2; the absolute value; the
 * mean over cells of 4 x 4 px; the vector divided by its length.
 *
 * Cells of either kind that reach out of the image are left out. */
#include "eval/descriptors.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "kernels/kernels.h"

#include <math.h>

enum { BINS = 8, CELL = 3, BLUR_RADIUS = 6, BLUR_TAPS = 2 * BLUR_RADIUS + 1 };
enum { FILTERS = 32, FILTER_SIDE = 5, FILTER_CELL = 4 };
static const float BLUR_SIGMA = 1.5f, SLOPE = 0.2f;

struct eval_descriptor {
    eval_descriptor_kind kind;
    size_t height, width, channels;
    eval_grid grid;            /* of a vector */
    size_t length;             /* its numbers */
    size_t scratch;            /* floats, for one image */
    float directions[2][BINS]; /* x and y of u_b */
    float blur[BLUR_TAPS];
    float *filters; /* [FILTER_SIDE][FILTER_SIDE][channels][FILTERS] */
};

/* ---- histograms of orientations ----------------------------------------------------------- */

static void prepare_histograms(eval_descriptor *own)
{
    const double eighth = acos(-1.0) / 4;
    for (int b = 0; b < BINS; b++) {
        own->directions[0][b] = (float)cos(b * eighth);
        own->directions[1][b] = (float)sin(b * eighth);
    }
    double sum = 0, weights[BLUR_TAPS];
    for (int t = 0; t < BLUR_TAPS; t++) {
        const double away = (t - BLUR_RADIUS) / (double)BLUR_SIGMA;
        weights[t] = exp(-away * away / 2);
        sum += weights[t];
    }
    for (int t = 0; t < BLUR_TAPS; t++)
        own->blur[t] = (float)(weights[t] / sum);
}

/* The gradient at pixel (y, x), to the right and down; the edges' pixels go on beyond the edges. */
static void gradient(float *right, float *down, const eval_descriptor *own, const float *image,
                     size_t y, size_t x)
{
    const size_t c = own->channels, row = own->width * c;
    const float *at = image + y * row + x * c;
    const size_t left = x > 0 ? c : 0, up = y > 0 ? row : 0;
    const size_t to_right = x + 1 < own->width ? c : 0, to_down = y + 1 < own->height ? row : 0;
    float longest = -1;
    for (size_t k = 0; k < c; k++) {
        const float gx = at[to_right + k] - *(at + k - left), gy = at[to_down + k] - *(at + k - up);
        const float square = gx * gx + gy * gy;
        if (square > longest) {
            longest = square;
            *right = gx;
            *down = gy;
        }
    }
}

/* votes [width][BINS] of the pixels of row y. */
static void vote(float *votes, const eval_descriptor *own, const float *image, size_t y)
{
    for (size_t x = 0; x < own->width; x++) {
        float gx = 0, gy = 0;
        gradient(&gx, &gy, own, image, y, x);
        const float square = gx * gx + gy * gy;
        const float scale = square > 0 ? 1 / (square * sqrtf(square)) : 0;
        for (int b = 0; b < BINS; b++) {
            const float along = gx * own->directions[0][b] + gy * own->directions[1][b];
            const float positive = along > 0 ? along * along : 0;
            votes[x * BINS + (size_t)b] = positive * positive * scale;
        }
    }
}

/* dst [BINS] += the blur along one axis around place `centre` of `size`, places `step` floats
 * apart; there are no votes beyond the edges. */
static void blur_at(float *dst, const eval_descriptor *own, const float *src, size_t size,
                    size_t step, size_t centre)
{
    const size_t begin = centre > BLUR_RADIUS ? centre - BLUR_RADIUS : 0;
    const size_t end = centre + BLUR_RADIUS < size ? centre + BLUR_RADIUS + 1 : size;
    for (size_t i = begin; i < end; i++) {
        const float weight = own->blur[i + BLUR_RADIUS - centre];
        for (size_t b = 0; b < BINS; b++)
            dst[b] += weight * src[i * step + b];
    }
}

/* scratch: the votes of a row, [width][BINS], and all rows blurred across, [height][across][BINS].
 */
static void count_orientations(float *dst, const eval_descriptor *own, const float *image,
                               float *scratch)
{
    const size_t across = own->grid.across, down = own->grid.down, row = across * BINS;
    float *votes = scratch, *blurred = scratch + own->width * BINS;
    for (size_t i = 0; i < own->height * row; i++)
        blurred[i] = 0;
    for (size_t i = 0; i < own->length; i++)
        dst[i] = 0;
    for (size_t y = 0; y < own->height; y++) {
        vote(votes, own, image, y);
        for (size_t x = 0; x < across; x++)
            blur_at(blurred + y * row + x * BINS, own, votes, own->width, BINS,
                    x * CELL + CELL / 2);
    }
    for (size_t y = 0; y < down; y++)
        for (size_t x = 0; x < across; x++)
            blur_at(dst + y * row + x * BINS, own, blurred + x * BINS, own->height, row,
                    y * CELL + CELL / 2);
}

/* ---- random filters ----------------------------------------------------------------------- */

/* scratch: the image, black at 0, and what the filters say of every pixel, [h][w][FILTERS]. */
static void filter(float *dst, const eval_descriptor *own, const float *image, float *scratch)
{
    const size_t pixels = own->height * own->width, n = pixels * own->channels;
    const size_t across = own->grid.across, down = own->grid.down;
    float *bright = scratch, *maps = scratch + n;
    for (size_t i = 0; i < n; i++)
        bright[i] = (image[i] + 1) / 2;
    kernels_get()->thin_widen(maps, bright, own->filters,
                              (kernels_thin){.height = (int)own->height,
                                             .width = (int)own->width,
                                             .kernel = FILTER_SIDE,
                                             .thin = (int)own->channels,
                                             .wide = FILTERS},
                              false, (kernels_epilogue){.slope = SLOPE});
    for (size_t i = 0; i < own->length; i++)
        dst[i] = 0;
    for (size_t y = 0; y < down * FILTER_CELL; y++)
        for (size_t x = 0; x < across * FILTER_CELL; x++) {
            float *sum = dst + (y / FILTER_CELL * across + x / FILTER_CELL) * FILTERS;
            const float *map = maps + (y * own->width + x) * FILTERS;
            for (size_t k = 0; k < FILTERS; k++)
                sum[k] += fabsf(map[k]);
        }
}

/* ---- descriptors -------------------------------------------------------------------------- */

static ano_status prepare(eval_descriptor *own, ano_error *err)
{
    const size_t h = own->height, w = own->width, c = own->channels;
    switch (own->kind) {
    case EVAL_HISTOGRAMS:
        own->grid = (eval_grid){h / CELL, w / CELL, BINS, CELL, CELL};
        own->scratch = w * BINS + h * (w / CELL) * BINS;
        prepare_histograms(own);
        break;
    case EVAL_RANDOM: {
        const size_t n = c * FILTER_SIDE * FILTER_SIDE * FILTERS;
        own->grid =
            (eval_grid){h / FILTER_CELL, w / FILTER_CELL, FILTERS, FILTER_CELL, FILTER_CELL};
        own->scratch = h * w * (c + FILTERS);
        own->filters = base_alloc(n, sizeof *own->filters);
        if (own->filters == NULL)
            return base_error_nomem(err, "random filters");
        base_random_normal(own->filters, n,
                           (base_random){.seed = 0, .purpose = BASE_PURPOSE_FILTERS});
        break;
    }
    case EVAL_PIXELS:
        own->grid = (eval_grid){h, w, c, 1, 1};
        break;
    }
    own->length = own->grid.down * own->grid.across * own->grid.channels;
    if (own->length == 0 || (own->kind == EVAL_RANDOM && c > KERNELS_MAX_THIN))
        return base_error(err, ANO_SHAPE,
                          "images of %zu x %zu x %zu (height, width, channels) have no %s", h, w, c,
                          own->kind == EVAL_RANDOM ? "random filters" : "orientation histograms");
    return ANO_OK;
}

ano_status eval_descriptor_create(eval_descriptor **out, eval_descriptor_kind kind, ano_shape shape,
                                  ano_error *err)
{
    eval_descriptor *own = base_alloc(1, sizeof *own);
    if (own == NULL)
        return base_error_nomem(err, "descriptors");
    *own = (eval_descriptor){.kind = kind,
                             .height = (size_t)shape.height,
                             .width = (size_t)shape.width,
                             .channels = (size_t)shape.channels};
    const ano_status status = prepare(own, err);
    if (status == ANO_OK)
        *out = own;
    else
        eval_descriptor_free(own);
    return status;
}

void eval_descriptor_free(eval_descriptor *descriptor)
{
    if (descriptor == NULL)
        return;
    base_free(descriptor->filters);
    base_free(descriptor);
}

size_t eval_descriptor_length(const eval_descriptor *descriptor)
{
    return descriptor->length;
}

eval_grid eval_descriptor_grid(const eval_descriptor *descriptor)
{
    return descriptor->grid;
}

void eval_normalise(float *vector, size_t d)
{
    double squares = 0;
    for (size_t k = 0; k < d; k++)
        squares += (double)vector[k] * (double)vector[k];
    const float scale = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (size_t k = 0; k < d; k++)
        vector[k] *= scale;
}

static void describe_one(float *dst, const eval_descriptor *own, const float *image, float *scratch)
{
    switch (own->kind) {
    case EVAL_HISTOGRAMS:
        count_orientations(dst, own, image, scratch);
        eval_normalise(dst, own->length);
        for (size_t k = 0; k < own->length; k++)
            dst[k] = sqrtf(dst[k]);
        break;
    case EVAL_RANDOM:
        filter(dst, own, image, scratch);
        eval_normalise(dst, own->length);
        break;
    case EVAL_PIXELS:
        for (size_t k = 0; k < own->length; k++)
            dst[k] = image[k];
        break;
    }
}

ano_status eval_describe(float *dst, const eval_descriptor *descriptor, const float *images,
                         size_t n, ano_error *err)
{
    const eval_descriptor *own = descriptor;
    const size_t pixels = own->height * own->width * own->channels;
    const size_t n_parts = n < (size_t)base_threads() ? n : (size_t)base_threads();
    float *scratch = base_alloc(n_parts * own->scratch, sizeof *scratch);
    if (scratch == NULL)
        return base_error_nomem(err, "descriptors");
#pragma omp parallel for schedule(static) num_threads((int)n_parts)
    for (size_t part = 0; part < n_parts; part++)
        for (size_t i = n * part / n_parts; i < n * (part + 1) / n_parts; i++)
            describe_one(dst + i * own->length, own, images + i * pixels,
                         scratch + part * own->scratch);
    base_free(scratch);
    return ANO_OK;
}
