/* From what the networks see back to the image as it is in its file. */
#include "base/error.h"
#include "data/dataset.h"

#include <math.h>

/* Where a row or column of the original lies in what was scored: at `scale` times its own middle,
 * less `offset`. */
typedef struct placing {
    double scale, offset;
    int n_scored;
} placing;

static placing place(int n_original, int other_original, int n_scored, const ano_view *view)
{
    const int longer = n_original > other_original ? n_original : other_original;
    const int shorter = n_original + other_original - longer;
    double scale = (double)n_scored / n_original;
    if (view->stride > 0 && n_original * view->scale < view->size)
        scale = view->scale; /* what was scored goes on behind the image, mirrored */
    if (view->stride == 0 && view->fit == ANO_FIT_CROP)
        scale = (double)view->size / shorter;
    if (view->stride == 0 && view->fit == ANO_FIT_PAD)
        scale = (double)view->size / longer;
    const bool centred = view->stride == 0 && view->fit != ANO_FIT_RESIZE;
    return (placing){scale, centred ? (n_original * scale - n_scored) / 2 : 0, n_scored};
}

/* The two neighbours of original pixel i among what was scored and the share of the second; false
 * where nothing there was scored. */
static bool neighbours(int *first, int *second, float *share, const placing *p, int i)
{
    const double middle = (i + 0.5) * p->scale - p->offset, at = middle - 0.5;
    if (middle < 0 || middle > p->n_scored)
        return false;
    const int low = (int)floor(at);
    *first = low < 0 ? 0 : low;
    *second = low + 1 < p->n_scored ? low + 1 : p->n_scored - 1;
    *share = (float)(at - low);
    return true;
}

ano_status ano_dataset_unfit_map(float *dst, const ano_dataset *dataset, size_t i, const float *map,
                                 ano_shape scored, ano_error *err)
{
    ano_shape original;
    const ano_status status = ano_dataset_original(&original, dataset, i, err);
    if (status != ANO_OK)
        return status;
    const ano_view *view = &dataset->view;
    const placing rows = place(original.height, original.width, scored.height, view);
    const placing columns = place(original.width, original.height, scored.width, view);
    for (int y = 0; y < original.height; y++) {
        int y0 = 0, y1 = 0, x0, x1;
        float dy = 0, dx;
        const bool row_is_scored = neighbours(&y0, &y1, &dy, &rows, y);
        const float *above = map + (size_t)y0 * (size_t)scored.width,
                    *below = map + (size_t)y1 * (size_t)scored.width;
        float *row = dst + (size_t)y * (size_t)original.width;
        for (int x = 0; x < original.width; x++) {
            row[x] = 0;
            if (!row_is_scored || !neighbours(&x0, &x1, &dx, &columns, x))
                continue;
            const float upper = above[x0] + dx * (above[x1] - above[x0]),
                        lower = below[x0] + dx * (below[x1] - below[x0]);
            row[x] = fmaxf(upper + dy * (lower - upper), 0);
        }
    }
    return ANO_OK;
}
