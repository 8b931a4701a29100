/* PCA: the squared error ||x - m - Q Q' (x - m)||^2 of an image's reconstruction from the mean m
 * and the leading principal components, the columns of Q. They come from subspace iteration
 * (G. Golub, C. Van Loan, "Matrix Computations", 8.2.4; N. Halko et al., "Finding Structure with
 * Randomness", 2011): Y = X' X Q over the centred images X, then the orthonormal Q of the
 * eigenvectors of Y' Y, again and again. The covariance [d][d] is never formed, so that memory
 * grows with d alone: images of any size do. */
#include "eval/pca.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "eval/eigen.h"

#include <math.h>

/* Images in memory at a time, as floats; 128 of MNIST's fit a second-level cache. */
enum { BLOCK = 128 };

/* Multiply-adds below which starting threads costs more than they bring: some milliseconds'. */
enum { WORTH_THREADS = 1 << 24 };

struct eval_pca {
    size_t d, components, width;
    float *mean;  /* [d] */
    float *basis; /* Q [d][width], of which the first `components` columns count */
};

void eval_pca_free(eval_pca *pca)
{
    if (pca == NULL)
        return;
    base_free(pca->mean);
    base_free(pca->basis);
    base_free(pca);
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

/* ---- fitting ------------------------------------------------------------------------------ */

/* A fit under way. d numbers an image; `width` columns, more than the components wanted, for the
 * iteration converges by the ratio of the first eigenvalue left out to the last one wanted. */
typedef struct fitting {
    size_t d, components, width;
    float *mean, *basis;    /* the PCA's */
    float *images;          /* [BLOCK][d], centred */
    float *product;         /* Y [d][width] */
    float *projected;       /* X Q of a block, [BLOCK][width] */
    float *rotation;        /* [width][width] */
    double *gram, *vectors; /* [width][width] */
    double *values;         /* [width] */
} fitting;

static void fitting_free(fitting *fit)
{
    base_free(fit->images);
    base_free(fit->product);
    base_free(fit->projected);
    base_free(fit->rotation);
    base_free(fit->gram);
    base_free(fit->vectors);
    base_free(fit->values);
}

static ano_status fitting_create(fitting *fit, const eval_pca *pca, ano_error *err)
{
    const size_t d = pca->d, width = pca->width;
    *fit = (fitting){.d = d,
                     .components = pca->components,
                     .width = width,
                     .mean = pca->mean,
                     .basis = pca->basis};
    fit->images = base_alloc(BLOCK * d, sizeof *fit->images);
    fit->product = base_alloc(d * width, sizeof *fit->product);
    fit->projected = base_alloc(BLOCK * width, sizeof *fit->projected);
    fit->rotation = base_alloc(width * width, sizeof *fit->rotation);
    fit->gram = base_alloc(width * width, sizeof *fit->gram);
    fit->vectors = base_alloc(width * width, sizeof *fit->vectors);
    fit->values = base_alloc(width, sizeof *fit->values);
    if (fit->images == NULL || fit->product == NULL || fit->projected == NULL ||
        fit->rotation == NULL || fit->gram == NULL || fit->vectors == NULL || fit->values == NULL)
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

static ano_status read_centred(fitting *fit, const ano_dataset *dataset, size_t begin, size_t n,
                               ano_error *err)
{
    const ano_status status = read_block(fit->images, dataset, begin, n, err);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        for (size_t k = 0; k < fit->d; k++)
            fit->images[i * fit->d + k] -= fit->mean[k];
    return status;
}

static ano_status fit_mean(fitting *fit, const ano_dataset *train, ano_error *err)
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
static ano_status multiply(fitting *fit, const ano_dataset *train, ano_error *err)
{
    const size_t n = ano_dataset_count(train);
    clear(fit->product, fit->d * fit->width);
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        const size_t block = least(BLOCK, n - begin);
        const ano_status status = read_centred(fit, train, begin, block, err);
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
static double orthonormalise(fitting *fit)
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

static ano_status iterate(fitting *fit, const ano_dataset *train, ano_error *err)
{
    /* The variance captured converges twice as fast as the components, to which scores answer:
     * on MNIST's 1s, scores are within 1e-4 of exact where it moves by less than 1e-7. */
    enum { MAX_ITERATIONS = 60 };
    const double tolerance = 1e-7;

    ano_status status = fit_mean(fit, train, err);
    base_random_uniform(fit->basis, fit->d * fit->width, -1, 1,
                        (base_random){.seed = 0, .purpose = BASE_PURPOSE_PCA});
    double captured = 0, before = 0;
    for (int i = 0; i < MAX_ITERATIONS && status == ANO_OK; i++) {
        status = multiply(fit, train, err);
        before = captured;
        captured = orthonormalise(fit);
        if (i > 0 && fabs(captured - before) <= tolerance * captured)
            break;
    }
    return status;
}

/* ---- PCA ---------------------------------------------------------------------------------- */

static ano_status create(eval_pca *pca, ano_error *err)
{
    pca->mean = base_alloc(pca->d, sizeof *pca->mean);
    pca->basis = base_alloc(pca->d * pca->width, sizeof *pca->basis);
    return pca->mean != NULL && pca->basis != NULL ? ANO_OK : base_error_nomem(err, "PCA");
}

ano_status eval_pca_fit(eval_pca **out, const ano_dataset *train, int components, ano_error *err)
{
    const ano_shape shape = ano_dataset_shape(train);
    const size_t n = ano_dataset_count(train);
    const size_t d = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    if (components < 1 || (size_t)components >= least(n, d))
        return base_error(err, ANO_ARG,
                          "PCA: %d components are asked for; with %zu training images of %zu "
                          "numbers each there can be 1 to %zu",
                          components, n, d, least(n, d) - 1);
    eval_pca *pca = base_alloc(1, sizeof *pca);
    if (pca == NULL)
        return base_error_nomem(err, "PCA");
    /* n centred images span at most n - 1 directions. */
    const size_t wanted = (size_t)components;
    *pca = (eval_pca){.d = d, .components = wanted, .width = least(2 * wanted, least(n - 1, d))};
    fitting fit = {0};
    ano_status status = create(pca, err);
    if (status == ANO_OK)
        status = fitting_create(&fit, pca, err);
    if (status == ANO_OK)
        status = iterate(&fit, train, err);
    fitting_free(&fit);
    if (status == ANO_OK)
        *out = pca;
    else
        eval_pca_free(pca);
    return status;
}

/* ||x - m - Q Q' (x - m)||^2 of an image x; `centred` and `residual` [d] are scratch. */
static double reconstruction_error(const eval_pca *pca, const float *x, double *centred,
                                   double *residual)
{
    for (size_t k = 0; k < pca->d; k++)
        residual[k] = centred[k] = (double)(x[k] - pca->mean[k]);
    for (size_t j = 0; j < pca->components; j++) {
        const float *column = pca->basis + j;
        double projection = 0;
        for (size_t k = 0; k < pca->d; k++)
            projection += centred[k] * (double)column[k * pca->width];
        for (size_t k = 0; k < pca->d; k++)
            residual[k] -= projection * (double)column[k * pca->width];
    }
    double sum = 0;
    for (size_t k = 0; k < pca->d; k++)
        sum += residual[k] * residual[k];
    return sum;
}

ano_status eval_pca_score(float *scores, const eval_pca *pca, const float *images, size_t n,
                          ano_error *err)
{
    const size_t n_parts = least((size_t)base_threads(), n);
    double *scratch = base_alloc(n_parts * 2 * pca->d, sizeof *scratch);
    if (scratch == NULL)
        return base_error_nomem(err, "PCA");
#pragma omp parallel for schedule(static) num_threads((int)n_parts)
    for (size_t part = 0; part < n_parts; part++) {
        double *centred = scratch + part * 2 * pca->d;
        for (size_t i = n * part / n_parts; i < n * (part + 1) / n_parts; i++)
            scores[i] =
                (float)reconstruction_error(pca, images + i * pca->d, centred, centred + pca->d);
    }
    base_free(scratch);
    return ANO_OK;
}
