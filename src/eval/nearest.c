/* Nearest neighbour by comparing with every one: for x and each known b, ||b||² - 2 x·b differs
 * from the squared distance by ||x||² alone, and is the smallest where b is nearest. All the
 * products x·b are one of matrices, which is many times as fast as differences are. What that costs
 * in digits where b is close to x is had back: the distance to the one found is computed from the
 * difference. */
#include "eval/nearest.h"

#include "base/memory.h"
#include "eval/products.h"

#include <math.h>
#include <stdint.h>

struct eval_nearest {
    size_t n, d;
    const float *known; /* [n][d], lent */
    float *squares;     /* ||b||², [n] */
};

static const size_t NOT_KNOWN = SIZE_MAX;

ano_status eval_nearest_create(eval_nearest **out, const float *known, size_t n, size_t d,
                               ano_error *err)
{
    eval_nearest *nearest = base_alloc(1, sizeof *nearest);
    float *squares = base_alloc(n, sizeof *squares);
    if (nearest == NULL || squares == NULL) {
        base_free(nearest);
        base_free(squares);
        return base_error_nomem(err, "nearest neighbour");
    }
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < d; k++)
            sum += (double)known[i * d + k] * (double)known[i * d + k];
        squares[i] = (float)sum;
    }
    *nearest = (eval_nearest){.n = n, .d = d, .known = known, .squares = squares};
    *out = nearest;
    return ANO_OK;
}

void eval_nearest_free(eval_nearest *nearest)
{
    if (nearest == NULL)
        return;
    base_free(nearest->squares);
    base_free(nearest);
}

/* Of some rows of the known, for each of the vectors: the least ||b||² - 2 x·b, and which row. */
typedef struct candidates {
    float least[EVAL_TOGETHER];
    uint32_t row[EVAL_TOGETHER];
} candidates;

/* n vectors with the rows [begin, begin + rows), rows ≤ EVAL_ROWS; vector i is known row `self` +
 * i, which does not count, unless self is NOT_KNOWN. */
static void compare(candidates *dst, const eval_nearest *nearest, const float *turned, size_t n,
                    size_t begin, size_t rows, size_t self)
{
    float products[EVAL_ROWS * EVAL_TOGETHER];
    eval_products(products, nearest->known + begin * nearest->d, rows, nearest->d, turned,
                  nearest->d, n);
    for (size_t i = 0; i < n; i++) {
        dst->least[i] = INFINITY;
        dst->row[i] = 0;
    }
    for (size_t r = 0; r < rows; r++) {
        const float square = nearest->squares[begin + r];
        float *product = products + r * EVAL_TOGETHER;
        if (self != NOT_KNOWN && begin + r >= self && begin + r - self < n)
            product[begin + r - self] = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            const float value = square - 2 * product[i];
            const bool closer = value < dst->least[i];
            dst->least[i] = closer ? value : dst->least[i];
            dst->row[i] = closer ? (uint32_t)(begin + r) : dst->row[i];
        }
    }
}

/* Room for what a pass over the known needs. */
typedef struct scratch {
    float *turned;      /* [d][EVAL_TOGETHER] */
    candidates *chunks; /* one for every EVAL_ROWS of the known */
} scratch;

/* The first of equals is taken, however many threads there are. */
static void find(float *dst, size_t *rows, const eval_nearest *nearest, scratch *room,
                 const float *vectors, size_t n, size_t self)
{
    const size_t d = nearest->d, n_chunks = (nearest->n + EVAL_ROWS - 1) / EVAL_ROWS;
    eval_turn(room->turned, vectors, n, d);
#pragma omp parallel for schedule(static)
    for (size_t chunk = 0; chunk < n_chunks; chunk++) {
        const size_t begin = chunk * EVAL_ROWS, left = nearest->n - begin;
        compare(&room->chunks[chunk], nearest, room->turned, n, begin,
                left < EVAL_ROWS ? left : EVAL_ROWS, self);
    }
    for (size_t i = 0; i < n; i++) {
        const candidates *best = &room->chunks[0];
        for (size_t chunk = 1; chunk < n_chunks; chunk++)
            if (room->chunks[chunk].least[i] < best->least[i])
                best = &room->chunks[chunk];
        if (rows != NULL)
            rows[i] = best->row[i];
        dst[i] = best->least[i] == INFINITY
                     ? INFINITY
                     : (float)sqrt(eval_squared_distance(vectors + i * d,
                                                         nearest->known + best->row[i] * d, d));
    }
}

static ano_status find_all(float *dst, size_t *rows, const eval_nearest *nearest,
                           const float *vectors, size_t n, bool known, ano_error *err)
{
    scratch room = {
        .turned = base_alloc(nearest->d * EVAL_TOGETHER, sizeof *room.turned),
        .chunks = base_alloc((nearest->n + EVAL_ROWS - 1) / EVAL_ROWS, sizeof *room.chunks),
    };
    const bool is_room = room.turned != NULL && room.chunks != NULL;
    for (size_t begin = 0; begin < n && is_room; begin += EVAL_TOGETHER)
        find(dst + begin, rows != NULL ? rows + begin : NULL, nearest, &room,
             vectors + begin * nearest->d, n - begin < EVAL_TOGETHER ? n - begin : EVAL_TOGETHER,
             known ? begin : NOT_KNOWN);
    base_free(room.turned);
    base_free(room.chunks);
    return is_room ? ANO_OK : base_error_nomem(err, "nearest neighbour");
}

ano_status eval_nearest_distances(float *dst, size_t *rows, const eval_nearest *nearest,
                                  const float *vectors, size_t n, ano_error *err)
{
    return find_all(dst, rows, nearest, vectors, n, false, err);
}

ano_status eval_nearest_left_out(float *dst, const eval_nearest *nearest, ano_error *err)
{
    return find_all(dst, NULL, nearest, nearest->known, nearest->n, true, err);
}
