/* Metrics of anomaly maps against masks, over the pixels of all images.
 *
 *   - AUROC, as in metrics.c, each pixel counting as an image does there.
 *   - AUPRO (P. Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021): a threshold's
 *     per-region overlap is the mean, over the connected regions of all masks, of the share of a
 *     region's pixels that lie above it, so that a small defect counts as much as a large one; its
 *     FPR is the share of all normal pixels above it. The area under PRO as a function of FPR from
 *     0 to 0.3, joined by straight lines, is divided by 0.3. Regions are 8-connected, as in the
 *     evaluation code that goes with the paper.
 *
 * A pixel of a region of s pixels adds 1 / s to the sum of overlaps, so PRO is a ROC curve with
 * weights, and one histogram over the pixels' values holds all that either needs, whatever the
 * number and sizes of the images. The bits of floats ≥ 0 are in the order of their values, and the
 * top 20 after the sign number the bins: normal numbers in a bin differ by less than 2^-12 of
 * themselves.
 *
 * Between bins the counts are exact, so the histogram's curves pass through points of the exact
 * ones. In between, both rise within the rectangle of the bin's step, and differ in area by at most
 * half of it, where the bin holds more than one value. The sum of these halves bounds the error. */
#include <anogan/anogan.h>

#include "base/error.h"
#include "base/memory.h"
#include "eval/regions.h"

#include <math.h>
#include <string.h>

enum { BIN_BITS = 20, DROPPED_BITS = 31 - BIN_BITS, N_BINS = 1 << BIN_BITS };

static const double PRO_LIMIT = 0.3; /* the FPR up to which PRO is integrated */

typedef struct bin {
    uint64_t n_normal, n_anomalous; /* pixels */
    double overlap;                 /* of the anomalous ones, the sum of 1 / the region's size */
    float value;                    /* of the first pixel */
    bool mixed;                     /* there are other values */
} bin;

struct ano_pixel_metrics {
    bin *bins; /* [N_BINS] */
    size_t n_regions;
};

ano_status ano_pixel_metrics_create(ano_pixel_metrics **out, ano_error *err)
{
    *out = base_alloc(1, sizeof **out);
    if (*out != NULL)
        (*out)->bins = base_alloc(N_BINS, sizeof *(*out)->bins);
    if (*out != NULL && (*out)->bins != NULL)
        return ANO_OK;
    ano_pixel_metrics_free(*out);
    *out = NULL;
    return base_error_nomem(err, "pixel metrics");
}

void ano_pixel_metrics_free(ano_pixel_metrics *metrics)
{
    if (metrics == NULL)
        return;
    base_free(metrics->bins);
    base_free(metrics);
}

static bin *bin_of(const ano_pixel_metrics *metrics, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return &metrics->bins[(bits & INT32_MAX) >> DROPPED_BITS]; /* without the sign: -0 is 0 */
}

static ano_status check_map(const float *map, size_t n, int width, ano_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (isfinite(map[i]) && map[i] >= 0)
            continue;
        return base_error(err, isfinite(map[i]) ? ANO_ARG : ANO_NUMERIC,
                          "pixel metrics: the map is %g at row %zu, column %zu, not 0 or more",
                          (double)map[i], i / (size_t)width, i % (size_t)width);
    }
    return ANO_OK;
}

/* Counts a pixel of the value in its bin, which is returned. */
static bin *note_value(ano_pixel_metrics *metrics, float value)
{
    bin *b = bin_of(metrics, value);
    if (b->n_normal + b->n_anomalous == 0)
        b->value = value;
    b->mixed = b->mixed || value != b->value;
    return b;
}

static void add_anomalous(ano_pixel_metrics *metrics, float value, int32_t *regions, int32_t pixel)
{
    const int32_t root = eval_regions_root(regions, pixel);
    bin *b = note_value(metrics, value);
    b->n_anomalous++;
    b->overlap += 1 / -(double)regions[root];
    metrics->n_regions += root == pixel;
}

ano_status ano_pixel_metrics_add(ano_pixel_metrics *metrics, const float *map, const uint8_t *mask,
                                 int height, int width, ano_error *err)
{
    if (height < 1 || width < 1 || height > INT32_MAX / width)
        return base_error(err, ANO_SHAPE, "pixel metrics: a map of %d x %d pixels", height, width);
    const int32_t n = height * width;
    const ano_status status = check_map(map, (size_t)n, width, err);
    if (status != ANO_OK)
        return status;
    int32_t *regions = NULL;
    if (mask != NULL) {
        regions = base_alloc((size_t)n, sizeof *regions);
        if (regions == NULL)
            return base_error_nomem(err, "pixel metrics: the regions of a mask");
        eval_regions_join(regions, mask, height, width);
    }
    for (int32_t i = 0; i < n; i++) {
        if (mask != NULL && mask[i] != 0)
            add_anomalous(metrics, map[i], regions, i);
        else
            note_value(metrics, map[i])->n_normal++;
    }
    base_free(regions);
    return ANO_OK;
}

/* Adds what the step of a curve from (x, y) by (dx, dy) puts under it up to `limit`, and the most
 * that the exact curve may differ from the step's straight line. */
static void add_step(double *area, double *error, double x, double y, double dx, double dy,
                     double limit, bool mixed)
{
    if (!(dx > 0 && x < limit))
        return;
    const double width = fmin(dx, limit - x), share = width / dx;
    *area += width * (y + share * dy / 2);
    if (mixed)
        *error += width * dy * (1 - share / 2);
}

ano_status ano_pixel_metrics_finish(ano_pixel_result *out, const ano_pixel_metrics *metrics,
                                    ano_error *err)
{
    *out = (ano_pixel_result){.n_regions = metrics->n_regions};
    for (size_t i = 0; i < N_BINS; i++) {
        out->n_normal += metrics->bins[i].n_normal;
        out->n_anomalous += metrics->bins[i].n_anomalous;
    }
    if (out->n_normal == 0 || out->n_anomalous == 0)
        return base_error(err, ANO_ARG,
                          "pixel metrics: needs normal and anomalous pixels, and there are %zu and "
                          "%zu",
                          out->n_normal, out->n_anomalous);
    /* Curves of sums, which become shares at the end. */
    const double right = (double)out->n_normal, limit = PRO_LIMIT * right;
    double n_normal = 0, n_anomalous = 0, overlap = 0; /* of the higher bins */
    double roc = 0, roc_error = 0, pro = 0, pro_error = 0;
    for (size_t i = N_BINS; i-- > 0;) {
        const bin *b = &metrics->bins[i];
        const double normal = (double)b->n_normal, anomalous = (double)b->n_anomalous;
        add_step(&roc, &roc_error, n_normal, n_anomalous, normal, anomalous, right, b->mixed);
        add_step(&pro, &pro_error, n_normal, overlap, normal, b->overlap, limit, b->mixed);
        n_normal += normal;
        n_anomalous += anomalous;
        overlap += b->overlap;
    }
    out->auroc = roc / (right * n_anomalous);
    out->auroc_error = roc_error / (right * n_anomalous);
    out->aupro = fmin(1, pro / (limit * (double)out->n_regions));
    out->aupro_error = pro_error / (limit * (double)out->n_regions);
    return ANO_OK;
}
