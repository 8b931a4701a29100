/* Mahalanobis distance (P. Mahalanobis, "On the Generalised Distance in Statistics", 1936)
 *     q = (x - m)' C⁻¹ (x - m),    C = (1 - s) S + s tr(S) / d · I
 * from the mean m of n known vectors of length d; S is their covariance, the sum divided by n, and
 * the share s of C is a multiple of the identity with the same trace (O. Ledoit, M. Wolf, "A
 * well-conditioned estimator for large-dimensional covariance matrices", 2004, which also chooses
 * s: here it is given). So C can be inverted however few vectors there are.
 *
 * With X [n][d] the centred vectors and a = s tr(S) / d, either of two matrices is factored, by
 * Cholesky, the one of fewer rows:
 *     C = (1 - s) / n · X'X + a I = L L'     q = ||L⁻¹ (x - m)||²
 *     K = X X' + n a / (1 - s) · I = L L'    q = (||x - m||² - ||L⁻¹ X (x - m)||²) / a
 * the second by the Woodbury identity (Golub, Van Loan, "Matrix Computations", 2.1.4).
 *
 * Left out of the fit, a known vector would have had another mean and covariance, which differ by
 * multiples of x - m and of its square alone: by the Sherman-Morrison formula its distance would be
 *     q_out = n / (n - 1) · q / (1 - c q),    c = (1 - s) / (n - 1)
 * but for what tr(S) loses with it, the share t = ||x - m||² / ((n - 1) tr(S)). Where C is factored
 * that is left out, about one part in n of q_out at most. Where K is, with more dimensions than
 * vectors, x - m lies mostly where C is a I, and q_out is divided by 1 - t; there
 * q = n / (1 - s) · (1 - n a / (1 - s) · [K⁻¹]_ii), and 1 - c q is computed without cancellation.
 */
#include "eval/mahalanobis.h"

#include "base/memory.h"
#include "eval/cholesky.h"
#include "eval/products.h"

#include <math.h>

/* Rows of the matrix that is factored: 128 MB and some seconds. */
enum { MAX_ROWS = 4096 };

struct eval_mahalanobis {
    size_t n, n_kept, d; /* known vectors, those fitted to, their length */
    size_t rows;         /* of the matrix factored */
    double shrinkage;
    double identity;  /* a */
    float *mean;      /* [d] */
    float *inverse;   /* L⁻¹ [rows][rows] */
    float *kept;      /* X [n_kept][d] where K is factored, else NULL */
    double *left_out; /* q_out [n_kept] where K is factored, else NULL; first ||x - m||² */
};

/* Which of the known vectors is the i-th fitted to. */
static size_t kept_at(const eval_mahalanobis *m, size_t i)
{
    return i * m->n / m->n_kept;
}

static bool factors_covariance(const eval_mahalanobis *m)
{
    return m->rows == m->d;
}

void eval_mahalanobis_free(eval_mahalanobis *m)
{
    if (m == NULL)
        return;
    base_free(m->mean);
    base_free(m->inverse);
    base_free(m->kept);
    base_free(m->left_out);
    base_free(m);
}

/* ---- fitting ------------------------------------------------------------------------------ */

static ano_status fit_mean(eval_mahalanobis *m, const float *known, ano_error *err)
{
    double *sum = base_alloc(m->d, sizeof *sum);
    if (sum == NULL)
        return base_error_nomem(err, "Mahalanobis");
    for (size_t i = 0; i < m->n_kept; i++)
        for (size_t k = 0; k < m->d; k++)
            sum[k] += (double)known[kept_at(m, i) * m->d + k];
    for (size_t k = 0; k < m->d; k++)
        m->mean[k] = (float)(sum[k] / (double)m->n_kept);
    base_free(sum);
    return ANO_OK;
}

/* dst [n_kept][d] = X, or turned, [d][n_kept]. */
static void centre(float *dst, const eval_mahalanobis *m, const float *known, bool turned)
{
    const size_t row = turned ? 1 : m->d, column = turned ? m->n_kept : 1;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < m->n_kept; i++)
        for (size_t k = 0; k < m->d; k++)
            dst[i * row + k * column] = known[kept_at(m, i) * m->d + k] - m->mean[k];
}

/* The lower triangle of dst [rows][rows] = a a', a [rows][inner]; `turned` [inner][EVAL_TOGETHER]
 * is scratch. */
static void multiply_by_itself(double *dst, const float *a, size_t rows, size_t inner,
                               float *turned)
{
    for (size_t column = 0; column < rows; column += EVAL_TOGETHER) {
        const size_t n = rows - column < EVAL_TOGETHER ? rows - column : EVAL_TOGETHER;
        eval_turn(turned, a + column * inner, n, inner);
#pragma omp parallel for schedule(static)
        for (size_t begin = column; begin < rows; begin += EVAL_ROWS) {
            float products[EVAL_ROWS * EVAL_TOGETHER];
            const size_t count = rows - begin < EVAL_ROWS ? rows - begin : EVAL_ROWS;
            eval_products(products, a + begin * inner, count, inner, turned, inner, n);
            for (size_t r = 0; r < count; r++)
                for (size_t i = 0; i < n; i++)
                    dst[(begin + r) * rows + column + i] = (double)products[r * EVAL_TOGETHER + i];
        }
    }
}

/* Turns the product of the centred vectors into C or K, and that into L. */
static ano_status factor(eval_mahalanobis *m, double *product, ano_error *err)
{
    const double n = (double)m->n_kept, s = m->shrinkage;
    const size_t rows = m->rows;
    double trace = 0;
    for (size_t i = 0; i < rows; i++)
        trace += product[i * rows + i] / n;
    m->identity = s * trace / (double)m->d;
    const double scale = factors_covariance(m) ? (1 - s) / n : 1;
    const double diagonal = factors_covariance(m) ? m->identity : n * m->identity / (1 - s);
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k <= i; k++)
            product[i * rows + k] *= scale;
        product[i * rows + i] += diagonal;
    }
    if (!(m->identity > 0) || !eval_cholesky(product, rows))
        return base_error(err, ANO_NUMERIC, "Mahalanobis: the %zu vectors have no covariance",
                          m->n);
    return ANO_OK;
}

/* Infinite where the others say nothing of a vector's direction. */
static double leave_out(const eval_mahalanobis *m, double q, double one_less_cq)
{
    const double n = (double)m->n_kept;
    return n / (n - 1) * q / fmax(one_less_cq, 0);
}

/* [K⁻¹]_ii is the sum of the squares of column i of L⁻¹. With p = n a / (1 - s) · [K⁻¹]_ii, which
 * is above 1 / n as the vectors are centred, 1 - c q = (n p - 1) / (n - 1). tr(S) is a d / s. */
static void find_left_out(eval_mahalanobis *m)
{
    const double n = (double)m->n_kept, s = m->shrinkage;
    const double trace = m->identity * (double)m->d / s;
    for (size_t i = 0; i < m->n_kept; i++) {
        double inverse = 0;
        for (size_t r = i; r < m->rows; r++) {
            const double element = (double)m->inverse[r * m->rows + i];
            inverse += element * element;
        }
        const double p = n * m->identity / (1 - s) * inverse;
        const double q_out = leave_out(m, n / (1 - s) * fmax(1 - p, 0), (n * p - 1) / (n - 1));
        m->left_out[i] = q_out / fmax(1 - m->left_out[i] / ((n - 1) * trace), 0);
    }
}

static ano_status fit(eval_mahalanobis *m, const float *known, ano_error *err)
{
    const size_t rows = m->rows, inner = factors_covariance(m) ? m->n_kept : m->d;
    float *centred = base_alloc(rows * inner, sizeof *centred);
    float *turned = base_alloc(inner * EVAL_TOGETHER, sizeof *turned);
    double *product = base_alloc(rows * rows, sizeof *product);
    ano_status status = centred != NULL && turned != NULL && product != NULL
                            ? fit_mean(m, known, err)
                            : base_error_nomem(err, "Mahalanobis");
    if (status == ANO_OK) {
        centre(centred, m, known, factors_covariance(m));
        multiply_by_itself(product, centred, rows, inner, turned);
        for (size_t i = 0; i < rows && !factors_covariance(m); i++)
            m->left_out[i] = product[i * rows + i];
        status = factor(m, product, err);
    }
    if (status == ANO_OK)
        eval_invert_lower(m->inverse, product, rows);
    if (status == ANO_OK && !factors_covariance(m)) {
        m->kept = centred;
        centred = NULL;
        find_left_out(m);
    }
    base_free(centred);
    base_free(turned);
    base_free(product);
    return status;
}

ano_status eval_mahalanobis_create(eval_mahalanobis **out, const float *known, size_t n, size_t d,
                                   double shrinkage, ano_error *err)
{
    eval_mahalanobis *m = base_alloc(1, sizeof *m);
    if (m == NULL)
        return base_error_nomem(err, "Mahalanobis");
    *m = (eval_mahalanobis){.n = n, .n_kept = n, .d = d, .rows = d, .shrinkage = shrinkage};
    if (d > n || d > MAX_ROWS) {
        m->n_kept = n < MAX_ROWS ? n : MAX_ROWS;
        m->rows = m->n_kept;
        m->left_out = base_alloc(m->n_kept, sizeof *m->left_out);
    }
    m->mean = base_alloc(d, sizeof *m->mean);
    m->inverse = base_alloc(m->rows * m->rows, sizeof *m->inverse);
    const bool is_room =
        m->mean != NULL && m->inverse != NULL && (factors_covariance(m) || m->left_out != NULL);
    const ano_status status = is_room ? fit(m, known, err) : base_error_nomem(err, "Mahalanobis");
    if (status == ANO_OK)
        *out = m;
    else
        eval_mahalanobis_free(m);
    return status;
}

/* ---- distances ---------------------------------------------------------------------------- */

/* Room for EVAL_TOGETHER vectors on their way. */
typedef struct scratch {
    float *centred;   /* [EVAL_TOGETHER][d] */
    float *turned;    /* [d][EVAL_TOGETHER] */
    float *projected; /* X (x - m), [n_kept][EVAL_TOGETHER]; where K is factored */
    double *sums;     /* for every EVAL_ROWS rows of L⁻¹, [EVAL_TOGETHER] */
} scratch;

static void room_free(scratch *room)
{
    base_free(room->centred);
    base_free(room->turned);
    base_free(room->projected);
    base_free(room->sums);
}

static ano_status room_create(scratch *room, const eval_mahalanobis *m, ano_error *err)
{
    const size_t n_chunks = (m->rows + EVAL_ROWS - 1) / EVAL_ROWS;
    room->centred = base_alloc(m->d * EVAL_TOGETHER, sizeof *room->centred);
    room->turned = base_alloc(m->d * EVAL_TOGETHER, sizeof *room->turned);
    room->projected = base_alloc(m->n_kept * EVAL_TOGETHER, sizeof *room->projected);
    room->sums = base_alloc(n_chunks * EVAL_TOGETHER, sizeof *room->sums);
    if (room->centred != NULL && room->turned != NULL && room->projected != NULL &&
        room->sums != NULL)
        return ANO_OK;
    return base_error_nomem(err, "Mahalanobis");
}

/* The sums of the squares of the rows [begin, begin + rows) of L⁻¹ v. Row r of L⁻¹ ends after
 * column r. */
static void add_squares(double *sums, const eval_mahalanobis *m, const float *v, size_t begin,
                        size_t rows)
{
    float products[EVAL_ROWS * EVAL_TOGETHER];
    eval_products(products, m->inverse + begin * m->rows, rows, m->rows, v, begin + rows,
                  EVAL_TOGETHER);
    for (size_t i = 0; i < EVAL_TOGETHER; i++)
        sums[i] = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < EVAL_TOGETHER; i++) {
            const double product = (double)products[r * EVAL_TOGETHER + i];
            sums[i] += product * product;
        }
}

static void measure(float *dst, const eval_mahalanobis *m, scratch *room, const float *vectors,
                    size_t n)
{
    const size_t d = m->d;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++)
            room->centred[i * d + k] = vectors[i * d + k] - m->mean[k];
    eval_turn(room->turned, room->centred, n, d);
    if (!factors_covariance(m)) {
#pragma omp parallel for schedule(static)
        for (size_t begin = 0; begin < m->n_kept; begin += EVAL_ROWS)
            eval_products(room->projected + begin * EVAL_TOGETHER, m->kept + begin * d,
                          m->n_kept - begin < EVAL_ROWS ? m->n_kept - begin : EVAL_ROWS, d,
                          room->turned, d, EVAL_TOGETHER);
    }
    const float *v = factors_covariance(m) ? room->turned : room->projected;
    const size_t n_chunks = (m->rows + EVAL_ROWS - 1) / EVAL_ROWS;
#pragma omp parallel for schedule(static)
    for (size_t chunk = 0; chunk < n_chunks; chunk++) {
        const size_t begin = chunk * EVAL_ROWS;
        add_squares(room->sums + chunk * EVAL_TOGETHER, m, v, begin,
                    m->rows - begin < EVAL_ROWS ? m->rows - begin : EVAL_ROWS);
    }
    for (size_t i = 0; i < n; i++) {
        double squares = 0, length = 0;
        for (size_t chunk = 0; chunk < n_chunks; chunk++)
            squares += room->sums[chunk * EVAL_TOGETHER + i];
        for (size_t k = 0; k < d && !factors_covariance(m); k++)
            length += (double)room->centred[i * d + k] * (double)room->centred[i * d + k];
        const double q = factors_covariance(m) ? squares : fmax(length - squares, 0) / m->identity;
        dst[i] = (float)sqrt(q);
    }
}

ano_status eval_mahalanobis_distances(float *dst, const eval_mahalanobis *m, const float *vectors,
                                      size_t n, ano_error *err)
{
    scratch room = {0};
    const ano_status status = room_create(&room, m, err);
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += EVAL_TOGETHER)
        measure(dst + begin, m, &room, vectors + begin * m->d,
                n - begin < EVAL_TOGETHER ? n - begin : EVAL_TOGETHER);
    room_free(&room);
    return status;
}

ano_status eval_mahalanobis_left_out(float *dst, const eval_mahalanobis *m, const float *known,
                                     ano_error *err)
{
    const ano_status status = eval_mahalanobis_distances(dst, m, known, m->n, err);
    for (size_t i = 0; i < m->n_kept && status == ANO_OK; i++) {
        float *distance = dst + kept_at(m, i);
        const double n = (double)m->n_kept, q = (double)*distance * (double)*distance;
        const double q_out = factors_covariance(m)
                                 ? leave_out(m, q, 1 - (1 - m->shrinkage) / (n - 1) * q)
                                 : m->left_out[i];
        *distance = (float)sqrt(q_out);
    }
    return status;
}
