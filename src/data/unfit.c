/* From what the networks see back to the image as it is in its file. A row or column of the image
 * lies in what was scored at `scale` times its own middle, less `offset`; between the middles of
 * what was scored lie straight lines. */
#include "data/unfit.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/dataset.h"

#include <math.h>

static void find_places(data_place *dst, int n_original, int other_original, int n_scored,
                        const ano_view *view)
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
    const double offset = centred ? (n_original * scale - n_scored) / 2 : 0;
    for (int i = 0; i < n_original; i++) {
        const double middle = (i + 0.5) * scale - offset, at = middle - 0.5;
        const int low = (int)floor(at);
        dst[i] = (data_place){.first = low < 0 ? 0 : low,
                              .second = low + 1 < n_scored ? low + 1 : n_scored - 1,
                              .share = (float)(at - low)};
        if (middle < 0 || middle > n_scored)
            dst[i] = (data_place){-1, -1, 0};
    }
}

void data_unfit_places(data_place *rows, data_place *columns, ano_shape original, ano_shape scored,
                       const ano_view *view)
{
    find_places(rows, original.height, original.width, scored.height, view);
    find_places(columns, original.width, original.height, scored.width, view);
}

/* a + s (b - a) with s <= 1 is not below 0 where a and b are not, whatever is rounded. */
void data_unfit_row(float *dst, const data_place *columns, size_t n, const float *above,
                    const float *below, float share, size_t channels, float nothing)
{
    for (size_t x = 0; x < n; x++) {
        const data_place *place = &columns[x];
        for (size_t c = 0; c < channels; c++, dst++) {
            *dst = nothing;
            if (place->first < 0)
                continue;
            const size_t left = (size_t)place->first * channels + c,
                         right = (size_t)place->second * channels + c;
            const float upper = above[left] + place->share * (above[right] - above[left]),
                        lower = below[left] + place->share * (below[right] - below[left]);
            *dst = upper + share * (lower - upper);
        }
    }
}

ano_status ano_dataset_unfit_map(float *dst, const ano_dataset *dataset, size_t i, const float *map,
                                 ano_shape scored, ano_error *err)
{
    ano_shape original;
    ano_status status = ano_dataset_original(&original, dataset, i, err);
    if (status != ANO_OK)
        return status;
    const size_t height = (size_t)original.height, width = (size_t)original.width;
    data_place *rows = base_alloc(height, sizeof *rows);
    data_place *columns = base_alloc(width, sizeof *columns);
    if (rows == NULL || columns == NULL)
        status = base_error_nomem(err, "a map brought back to its image");
    else
        data_unfit_places(rows, columns, original, scored, &dataset->view);
    for (size_t y = 0; y < height && status == ANO_OK; y++, dst += width) {
        for (size_t x = 0; x < width; x++)
            dst[x] = 0;
        if (rows[y].first >= 0)
            data_unfit_row(dst, columns, width, map + (size_t)rows[y].first * (size_t)scored.width,
                           map + (size_t)rows[y].second * (size_t)scored.width, rows[y].share, 1,
                           0);
    }
    base_free(rows);
    base_free(columns);
    return status;
}
