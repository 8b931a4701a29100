#include "detect/choice.h"

#include "base/error.h"
#include "base/memory.h"
#include "detect/pool.h"

#include <string.h>

static const ano_pool candidates[] = {ANO_POOL_TOP, ANO_POOL_MAX, ANO_POOL_MEAN};
enum { N_CANDIDATES = sizeof candidates / sizeof *candidates, PLAIN = 0, CHANGED = 1 };

struct detect_choice {
    size_t room, n; /* images, and those that count so far */
    int width, channels;
    float *row; /* [width], changed */
    detect_pool *pools[N_CANDIDATES][2];
    float *scores[N_CANDIDATES][2]; /* [room] */
};

void detect_choice_free(detect_choice *choice)
{
    if (choice == NULL)
        return;
    for (int k = 0; k < N_CANDIDATES; k++)
        for (int i = PLAIN; i <= CHANGED; i++) {
            detect_pool_free(choice->pools[k][i]);
            base_free(choice->scores[k][i]);
        }
    base_free(choice->row);
    base_free(choice);
}

ano_status detect_choice_create(detect_choice **out, size_t n, double share, ano_error *err)
{
    *out = NULL;
    detect_choice *choice = base_alloc(1, sizeof *choice);
    if (choice == NULL)
        return base_error_nomem(err, "choice of a pool");
    choice->room = n;
    ano_status status = ANO_OK;
    for (int k = 0; k < N_CANDIDATES && status == ANO_OK; k++)
        for (int i = PLAIN; i <= CHANGED && status == ANO_OK; i++) {
            status = detect_pool_create(&choice->pools[k][i], candidates[k], share, err);
            choice->scores[k][i] = base_alloc(n, sizeof(float));
            if (status == ANO_OK && choice->scores[k][i] == NULL)
                status = base_error_nomem(err, "choice of a pool");
        }
    if (status == ANO_OK)
        *out = choice;
    else
        detect_choice_free(choice);
    return status;
}

/* Whether i of n lies in the middle eighth. */
static bool is_middle(int i, int n)
{
    return i >= n * 7 / 16 && i < n * 9 / 16;
}

/* Doubles a row's middle. */
static void change_row(float *dst, const float *row, int width)
{
    for (int x = 0; x < width; x++)
        dst[x] = is_middle(x, width) ? 2 * row[x] : row[x];
}

ano_status detect_choice_add(detect_choice *choice, const ano_strip *strip, ano_error *err)
{
    const int width = strip->shape.width;
    const size_t n = (size_t)width;
    if (choice->width != width) {
        base_free(choice->row);
        choice->row = base_alloc(n, sizeof *choice->row);
        choice->width = choice->row != NULL ? width : 0;
        if (choice->row == NULL)
            return base_error_nomem(err, "choice of a pool");
    }
    choice->channels = strip->shape.channels;
    for (int y = 0; y < strip->n_rows; y++) {
        const float *row = strip->map + (size_t)y * n, *changed = row;
        if (is_middle(strip->y + y, strip->shape.height)) {
            change_row(choice->row, row, width);
            changed = choice->row;
        }
        for (int k = 0; k < N_CANDIDATES; k++) {
            detect_pool_add(choice->pools[k][PLAIN], row, n);
            detect_pool_add(choice->pools[k][CHANGED], changed, n);
        }
    }
    return ANO_OK;
}

void detect_choice_end(detect_choice *choice, bool counts)
{
    for (int k = 0; k < N_CANDIDATES; k++)
        for (int i = PLAIN; i <= CHANGED; i++) {
            if (counts)
                choice->scores[k][i][choice->n] =
                    (float)detect_pool_score(choice->pools[k][i], choice->channels);
            detect_pool_begin(choice->pools[k][i]);
        }
    choice->n += counts;
}

ano_status detect_choice_make(ano_pool *pool, const float **scores, detect_choice *choice,
                              ano_error *err)
{
    const size_t n = choice->n;
    float *all = base_alloc(2 * n, sizeof *all);
    int *labels = base_alloc(2 * n, sizeof *labels);
    ano_status status =
        all != NULL && labels != NULL ? ANO_OK : base_error_nomem(err, "choice of a pool");
    double best = -1;
    for (int k = 0; k < N_CANDIDATES && status == ANO_OK; k++) {
        ano_metrics metrics;
        for (size_t i = 0; i < 2 * n; i++) {
            labels[i] = i < n ? 0 : 1;
            all[i] = choice->scores[k][labels[i]][i % n];
        }
        status = ano_evaluate(&metrics, all, labels, 2 * n, err);
        if (status != ANO_OK || metrics.auroc <= best)
            continue;
        best = metrics.auroc;
        *pool = candidates[k];
        *scores = choice->scores[k][PLAIN];
    }
    base_free(all);
    base_free(labels);
    return status;
}
