/* The plain detectors that ours must beat, fitted to the same normal images.
 *
 * PCA: the squared error ||x - m - Q Q' (x - m)||^2 of an image's reconstruction from the mean m
 * and the leading principal components, the columns of Q. They come from subspace iteration
 * (G. Golub, C. Van Loan, "Matrix Computations", 8.2.4; N. Halko et al., "Finding Structure with
 * Randomness", 2011): Y = X' X Q over the centred images X, then the orthonormal Q of the
 * eigenvectors of Y' Y, again and again. The covariance [d][d] is never formed, so that memory
 * grows with d alone: images of any size do.
 *
 * Nearest neighbour: the Euclidean distance to the nearest training image, found by comparing
 * with every one. */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "eval/eigen.h"

#include <math.h>
#include <stdint.h>

/* Images in memory at a time, as floats; 128 of MNIST's fit a second-level cache. */
enum { BLOCK = 128 };

/* Multiply-adds below which starting threads costs more than they bring: some milliseconds'. */
enum { WORTH_THREADS = 1 << 24 };

static size_t pixel_count(const ano_dataset *dataset)
{
    const ano_shape shape = ano_dataset_shape(dataset);
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* dst [n][d] = the n ≤ BLOCK images that follow the first `begin`. */
static ano_status read_block(float *dst, const ano_dataset *dataset, size_t begin, size_t n,
                             ano_error *err)
{
    size_t indices[BLOCK];
    for (size_t i = 0; i < n; i++)
        indices[i] = begin + i;
    return ano_dataset_read(dst, dataset, indices, n, err);
}

/* ---- principal components ----------------------------------------------------------------- */

/* A fit under way. d numbers an image; `width` columns, more than the components wanted, for the
 * iteration converges by the ratio of the first eigenvalue left out to the last one wanted. */
typedef struct pca {
    size_t d, components, width;
    float *images;          /* [BLOCK][d], centred */
    float *mean;            /* [d] */
    float *basis;           /* Q [d][width] */
    float *product;         /* Y [d][width] */
    float *projected;       /* X Q of a block, [BLOCK][width] */
    float *rotation;        /* [width][width] */
    double *gram, *vectors; /* [width][width] */
    double *values;         /* [width] */
} pca;

static void pca_free(pca *fit)
{
    base_free(fit->images);
    base_free(fit->mean);
    base_free(fit->basis);
    base_free(fit->product);
    base_free(fit->projected);
    base_free(fit->rotation);
    base_free(fit->gram);
    base_free(fit->vectors);
    base_free(fit->values);
}

static ano_status pca_create(pca *fit, size_t d, size_t components, size_t width, ano_error *err)
{
    *fit = (pca){.d = d, .components = components, .width = width};
    fit->images = base_alloc(BLOCK * d, sizeof *fit->images);
    fit->mean = base_alloc(d, sizeof *fit->mean);
    fit->basis = base_alloc(d * width, sizeof *fit->basis);
    fit->product = base_alloc(d * width, sizeof *fit->product);
    fit->projected = base_alloc(BLOCK * width, sizeof *fit->projected);
    fit->rotation = base_alloc(width * width, sizeof *fit->rotation);
    fit->gram = base_alloc(width * width, sizeof *fit->gram);
    fit->vectors = base_alloc(width * width, sizeof *fit->vectors);
    fit->values = base_alloc(width, sizeof *fit->values);
    if (fit->images == NULL || fit->mean == NULL || fit->basis == NULL || fit->product == NULL ||
        fit->projected == NULL || fit->rotation == NULL || fit->gram == NULL ||
        fit->vectors == NULL || fit->values == NULL)
        return base_error_nomem(err, "PCA");
    return ANO_OK;
}

/* dst [rows][width] += A b: row i and column k of A at a[i * a_row + k * a_column], b
 * [inner][width]. Four rows of b at a time spare most loads and stores of dst. */
static void multiply_add(float *dst, const float *a, size_t a_row, size_t a_column, const float *b,
                         size_t rows, size_t inner, size_t width)
{
#pragma omp parallel for schedule(static) if (rows * inner * width > WORTH_THREADS)
    for (size_t i = 0; i < rows; i++) {
        float *restrict sum = dst + i * width;
        const float *factor = a + i * a_row;
        size_t k = 0;
        for (; k + 4 <= inner; k += 4, factor += 4 * a_column) {
            const float f0 = factor[0], f1 = factor[a_column], f2 = factor[2 * a_column],
                        f3 = factor[3 * a_column];
            const float *b0 = b + k * width, *b1 = b0 + width, *b2 = b1 + width, *b3 = b2 + width;
            for (size_t j = 0; j < width; j++)
                sum[j] += (f0 * b0[j] + f1 * b1[j]) + (f2 * b2[j] + f3 * b3[j]);
        }
        for (; k < inner; k++, factor += a_column)
            for (size_t j = 0; j < width; j++)
                sum[j] += factor[0] * b[k * width + j];
    }
}

static void clear(float *dst, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = 0;
}

static ano_status pca_read(pca *fit, const ano_dataset *dataset, size_t begin, size_t n,
                           ano_error *err)
{
    const ano_status status = read_block(fit->images, dataset, begin, n, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        for (size_t k = 0; k < fit->d; k++)
            fit->images[i * fit->d + k] -= fit->mean[k];
    return status;
}

static ano_status pca_fit_mean(pca *fit, const ano_dataset *train, ano_error *err)
{
    const size_t n = ano_dataset_count(train);
    double *sum = base_alloc(fit->d, sizeof *sum);
    if (sum == NULL)
        return base_error_nomem(err, "PCA");
    ano_status status = ANO_OK;
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += BLOCK) {
        const size_t block = least(BLOCK, n - begin);
        status = read_block(fit->images, train, begin, block, err);
        for (size_t i = 0; i < block * fit->d; i++)
            sum[i % fit->d] += (double)fit->images[i];
    }
    for (size_t i = 0; i < fit->d; i++)
        fit->mean[i] = (float)(sum[i] / (double)n);
    base_free(sum);
    return status;
}

/* product = X' X basis, a block of X at a time. */
static ano_status pca_multiply(pca *fit, const ano_dataset *train, ano_error *err)
{
    const size_t n = ano_dataset_count(train);
    clear(fit->product, fit->d * fit->width);
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        const size_t block = least(BLOCK, n - begin);
        const ano_status status = pca_read(fit, train, begin, block, err);
        if (status != ANO_OK)
            return status;
        clear(fit->projected, block * fit->width);
        multiply_add(fit->projected, fit->images, fit->d, 1, fit->basis, block, fit->d, fit->width);
        multiply_add(fit->product, fit->images, 1, fit->d, fit->projected, fit->d, block,
                     fit->width);
    }
    return ANO_OK;
}

/* basis = the orthonormal columns that span product's, in falling order of the eigenvalues of
 * X' X that they come close to; returns the sum of those of the components. Y' Y = V diag(v^2) V'
 * makes Y V / v orthonormal. A direction that holds nothing but rounding is left out, as zeros. */
static double pca_orthonormalise(pca *fit)
{
    const size_t width = fit->width;
    for (size_t i = 0; i < width; i++) {
        double *sum = fit->gram + i * width;
        for (size_t j = 0; j < width; j++)
            sum[j] = 0;
        for (size_t k = 0; k < fit->d; k++) {
            const float *row = fit->product + k * width;
            for (size_t j = 0; j < width; j++)
                sum[j] += (double)row[i] * (double)row[j];
        }
    }
    eval_symmetric_eigen(fit->values, fit->vectors, fit->gram, width);
    const double rounding = 1e-6;
    double captured = 0;
    for (size_t j = 0; j < width; j++) {
        const bool held = fit->values[j] > rounding * rounding * fit->values[0];
        const double value = held ? sqrt(fit->values[j]) : 0;
        for (size_t k = 0; k < width; k++)
            fit->rotation[k * width + j] = held ? (float)(fit->vectors[j * width + k] / value) : 0;
        if (j < fit->components)
            captured += value;
    }
    clear(fit->basis, fit->d * width);
    multiply_add(fit->basis, fit->product, width, 1, fit->rotation, fit->d, width, width);
    return captured;
}

static ano_status pca_fit(pca *fit, const ano_dataset *train, ano_error *err)
{
    /* The variance captured converges twice as fast as the components, to which scores answer:
     * on MNIST's 1s, scores are within 1e-4 of exact where it moves by less than 1e-7. */
    enum { MAX_ITERATIONS = 60 };
    const double tolerance = 1e-7;

    ano_status status = pca_fit_mean(fit, train, err);
    base_random_uniform(fit->basis, fit->d * fit->width, -1, 1,
                        (base_random){.seed = 0, .purpose = BASE_PURPOSE_PCA});
    double captured = 0, before = 0;
    for (int i = 0; i < MAX_ITERATIONS && status == ANO_OK; i++) {
        status = pca_multiply(fit, train, err);
        before = captured;
        captured = pca_orthonormalise(fit);
        if (i > 0 && fabs(captured - before) <= tolerance * captured)
            break;
    }
    return status;
}

/* ||x - Q Q' x||^2 of a centred image x; `residual` [d] is scratch. */
static double reconstruction_error(const pca *fit, const float *x, double *residual)
{
    for (size_t k = 0; k < fit->d; k++)
        residual[k] = (double)x[k];
    for (size_t j = 0; j < fit->components; j++) {
        const float *column = fit->basis + j;
        double projection = 0;
        for (size_t k = 0; k < fit->d; k++)
            projection += (double)x[k] * (double)column[k * fit->width];
        for (size_t k = 0; k < fit->d; k++)
            residual[k] -= projection * (double)column[k * fit->width];
    }
    double sum = 0;
    for (size_t k = 0; k < fit->d; k++)
        sum += residual[k] * residual[k];
    return sum;
}

static ano_status pca_score(float *scores, pca *fit, const ano_dataset *test, ano_error *err)
{
    const size_t n = ano_dataset_count(test);
    double *residual = base_alloc(fit->d, sizeof *residual);
    if (residual == NULL)
        return base_error_nomem(err, "PCA");
    ano_status status = ANO_OK;
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += BLOCK) {
        const size_t block = least(BLOCK, n - begin);
        status = pca_read(fit, test, begin, block, err);
        for (size_t i = 0; i < block && status == ANO_OK; i++)
            scores[begin + i] =
                (float)reconstruction_error(fit, fit->images + i * fit->d, residual);
    }
    base_free(residual);
    return status;
}

static ano_status score_by_pca(float *scores, const ano_dataset *train, const ano_dataset *test,
                               int components, ano_error *err)
{
    const size_t n = ano_dataset_count(train), d = pixel_count(train);
    /* n centred images span at most n - 1 directions. */
    const size_t rank = least(n - 1, d);
    if (components < 1 || (size_t)components >= least(n, d))
        return base_error(err, ANO_ARG,
                          "PCA: %d components are asked for; with %zu training images of %zu "
                          "numbers each there can be 1 to %zu",
                          components, n, d, least(n, d) - 1);
    pca fit;
    ano_status status =
        pca_create(&fit, d, (size_t)components, least(2 * (size_t)components, rank), err);
    if (status == ANO_OK)
        status = pca_fit(&fit, train, err);
    if (status == ANO_OK)
        status = pca_score(scores, &fit, test, err);
    pca_free(&fit);
    return status;
}

/* ---- nearest neighbour -------------------------------------------------------------------- */

/* Sixteen sums side by side, which any processor's vectors can hold; the order of additions is
 * fixed. */
static double squared_distance(const float *a, const float *b, size_t d)
{
    enum { LANES = 16 };
    float sums[LANES] = {0};
    size_t k = 0;
    for (; k + LANES <= d; k += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const float difference = a[k + lane] - b[k + lane];
            sums[lane] += difference * difference;
        }
    }
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += (double)sums[lane];
    for (; k < d; k++) {
        const double difference = (double)a[k] - (double)b[k];
        sum += difference * difference;
    }
    return sum;
}

/* scores [n] of the test images of one block, against all training images, a block at a time. */
static ano_status nearest_of_block(float *scores, const float *tested, size_t n, float *known,
                                   const ano_dataset *train, size_t d, ano_error *err)
{
    const size_t n_train = ano_dataset_count(train);
    for (size_t i = 0; i < n; i++)
        scores[i] = INFINITY;
    for (size_t begin = 0; begin < n_train; begin += BLOCK) {
        const size_t block = least(BLOCK, n_train - begin);
        const ano_status status = read_block(known, train, begin, block, err);
        if (status != ANO_OK)
            return status;
#pragma omp parallel for schedule(static) if (n * block * d > WORTH_THREADS)
        for (size_t i = 0; i < n; i++) {
            double nearest = (double)scores[i] * (double)scores[i];
            for (size_t j = 0; j < block; j++)
                nearest = fmin(nearest, squared_distance(tested + i * d, known + j * d, d));
            scores[i] = (float)sqrt(nearest);
        }
    }
    return ANO_OK;
}

static ano_status score_by_nearest(float *scores, const ano_dataset *train, const ano_dataset *test,
                                   ano_error *err)
{
    const size_t n = ano_dataset_count(test), d = pixel_count(test);
    float *tested = base_alloc(BLOCK * d, sizeof *tested);
    float *known = base_alloc(BLOCK * d, sizeof *known);
    ano_status status = ANO_OK;
    if (tested == NULL || known == NULL)
        status = base_error_nomem(err, "nearest neighbour");
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += BLOCK) {
        const size_t block = least(BLOCK, n - begin);
        status = read_block(tested, test, begin, block, err);
        if (status == ANO_OK)
            status = nearest_of_block(scores + begin, tested, block, known, train, d, err);
    }
    base_free(tested);
    base_free(known);
    return status;
}

ano_status ano_baseline_score(float *scores, ano_baseline baseline, const ano_dataset *train,
                              const ano_dataset *test, int components, int threads, ano_error *err)
{
    const ano_shape fitted = ano_dataset_shape(train), given = ano_dataset_shape(test);
    if (fitted.height != given.height || fitted.width != given.width ||
        fitted.channels != given.channels)
        return base_error(err, ANO_SHAPE,
                          "baseline: the training images are %d x %d x %d, the test images "
                          "%d x %d x %d (height, width, channels)",
                          fitted.height, fitted.width, fitted.channels, given.height, given.width,
                          given.channels);
    if (ano_dataset_count(train) == 0)
        return base_error(err, ANO_ARG, "baseline: there are no training images");
    if (base_threads_check(threads, err) != ANO_OK)
        return ANO_ARG;
    const int previous = base_threads_enter(threads);
    ano_status status = ANO_ARG;
    switch (baseline) {
    case ANO_BASELINE_PCA:
        status = score_by_pca(scores, train, test, components, err);
        break;
    case ANO_BASELINE_NEAREST:
        status = score_by_nearest(scores, train, test, err);
        break;
    default:
        status = base_error(err, ANO_ARG, "baseline: there is no method %d", (int)baseline);
    }
    base_threads_leave(previous);
    return status;
}
