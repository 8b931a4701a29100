/* The metrics against scikit-learn and the definition of AUPRO: the goldens that
 * tests/golden/make_metric_goldens.py made, of the scores, labels, maps and masks described there.
 * Usage: metrics FOLDER, that of the goldens. */
#include "formula.h"
#include "goldens.h"

#include <anogan/anogan.h>

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* As IMAGE_CASES, THRESHOLD, PIXEL_CASES and MAPS there. */
enum { MAX_IMAGES = 400, MAX_PIXELS = 64 * 48, NAME_SIZE = 64 };
static const struct {
    const char *name;
    size_t n, rate;
    float shift, steps;
} image_cases[] = {
    {"ties", 400, 3, 0.5f, 16}, {"continuous", 300, 2, 0.75f, 0}, {"rare", 250, 40, 1, 64}};
static const double THRESHOLD = 0.25;
static const struct {
    const char *name;
    float shift, steps;
} pixel_cases[] = {{"pixel_ties", 0.5f, 64}, {"pixel_continuous", 0.75f, 0}};
static const struct {
    int height, width;
    bool masked;
} maps[] = {{37, 53, true}, {64, 48, false}, {20, 91, true}, {1, 200, true}, {33, 1, false}};
enum {
    N_IMAGE_CASES = sizeof image_cases / sizeof *image_cases,
    N_PIXEL_CASES = sizeof pixel_cases / sizeof *pixel_cases,
    N_MAPS = sizeof maps / sizeof *maps
};

/* The goldens are stored as floats. */
static const double ROUNDING = 1e-7;

static format_safetensors *goldens;

static void check(const char *name, const char *part, double got, double tolerance)
{
    float expected;
    goldens_read(&expected, goldens, name, part, 0, 0);
    if (!(fabs(got - (double)expected) <= tolerance + ROUNDING))
        fail_msg("%s.%s: expected %.9g, got %.9g, allowed are %.3g", name, part, (double)expected,
                 got, tolerance + ROUNDING);
}

static float rounded(float value, float steps)
{
    return steps > 0 ? floorf(value * steps) / steps : value;
}

/* scores and labels [MAX_IMAGES] of image case i. */
static void make_images(float *scores, int *labels, int i)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.scores", image_cases[i].name);
    formula_numbers(scores, image_cases[i].n, name, 1, 0);
    snprintf(name, sizeof name, "%s.labels", image_cases[i].name);
    for (size_t k = 0; k < image_cases[i].n; k++) {
        labels[k] = formula_hash(name, k) % image_cases[i].rate == 0;
        scores[k] =
            rounded(scores[k] + (labels[k] == 1 ? image_cases[i].shift : 0), image_cases[i].steps);
    }
}

static void image_metrics__are_those_of_scikit_learn(void **state)
{
    (void)state;
    for (int i = 0; i < N_IMAGE_CASES; i++) {
        const char *name = image_cases[i].name;
        float scores[MAX_IMAGES];
        int labels[MAX_IMAGES];
        make_images(scores, labels, i);
        ano_metrics metrics;
        assert_int_equal(ano_evaluate(&metrics, scores, labels, image_cases[i].n, NULL), ANO_OK);
        check(name, "auroc", metrics.auroc, 0);
        check(name, "aupr", metrics.aupr, 0);
        check(name, "tpr_at_fpr_1", metrics.tpr_at_fpr_1, 0);
        check(name, "tpr_at_fpr_5", metrics.tpr_at_fpr_5, 0);
        check(name, "f1_all_positive", metrics.f1_all_positive, 0);
        const ano_confusion c = ano_confusion_at(scores, labels, image_cases[i].n, THRESHOLD);
        float counts[4];
        goldens_read(counts, goldens, name, "confusion", 4, 0);
        if (counts[0] != (float)c.tp || counts[1] != (float)c.fp || counts[2] != (float)c.tn ||
            counts[3] != (float)c.fn)
            fail_msg("%s: expected %g tp, %g fp, %g tn, %g fn, got %zu, %zu, %zu, %zu", name,
                     (double)counts[0], (double)counts[1], (double)counts[2], (double)counts[3],
                     c.tp, c.fp, c.tn, c.fn);
        check(name, "accuracy", c.accuracy, 0);
        check(name, "precision", c.precision, 0);
        check(name, "recall", c.recall, 0);
        check(name, "f1", c.f1, 0);
    }
}

static void curves__are_those_of_scikit_learn(void **state)
{
    (void)state;
    for (int i = 0; i < N_IMAGE_CASES; i++) {
        float scores[MAX_IMAGES], expected[MAX_IMAGES + 1][3];
        int labels[MAX_IMAGES];
        make_images(scores, labels, i);
        ano_curve_point points[MAX_IMAGES + 1];
        size_t n;
        assert_int_equal(ano_curves(points, &n, scores, labels, image_cases[i].n, NULL), ANO_OK);
        goldens_read(expected[0], goldens, image_cases[i].name, "curves", n, 3);
        for (size_t k = 0; k < n; k++) {
            const double got[] = {points[k].fpr, points[k].tpr, points[k].precision};
            for (int part = 0; part < 3; part++)
                if (!(fabs(got[part] - (double)expected[k][part]) <= ROUNDING))
                    fail_msg("%s: point %zu, number %d: expected %.9g, got %.9g",
                             image_cases[i].name, k, part, (double)expected[k][part], got[part]);
        }
    }
}

/* mask [height][width] of map i: blocks of 4 x 5 pixels, and single pixels. */
static void make_mask(uint8_t *mask, int i)
{
    const size_t width = (size_t)maps[i].width, n = (size_t)maps[i].height * width;
    char blocks[NAME_SIZE], singles[NAME_SIZE];
    snprintf(blocks, sizeof blocks, "pixels.blocks.%d", i);
    snprintf(singles, sizeof singles, "pixels.singles.%d", i);
    for (size_t k = 0; k < n; k++) {
        const size_t row = k / width / 4, column = k % width / 5;
        mask[k] = formula_hash(blocks, row * ((width + 4) / 5) + column) % 8 == 0 ||
                  formula_hash(singles, k) % 97 == 0;
    }
}

static void add_map(ano_pixel_metrics *metrics, int c, int i)
{
    const size_t n = (size_t)maps[i].height * (size_t)maps[i].width;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.%d", pixel_cases[c].name, i);
    float map[MAX_PIXELS];
    uint8_t mask[MAX_PIXELS] = {0};
    formula_numbers(map, n, name, 1, 0);
    if (maps[i].masked)
        make_mask(mask, i);
    for (size_t k = 0; k < n; k++)
        map[k] = rounded(fabsf(map[k]) + (mask[k] != 0 ? pixel_cases[c].shift : 0),
                         pixel_cases[c].steps);
    assert_int_equal(ano_pixel_metrics_add(metrics, map, maps[i].masked ? mask : NULL,
                                           maps[i].height, maps[i].width, NULL),
                     ANO_OK);
}

/* To rounding where values in a bin tie, else to the error given with the result: small enough. */
static void pixel_metrics__are_those_of_scikit_learn_and_of_the_definition(void **state)
{
    (void)state;
    for (int c = 0; c < N_PIXEL_CASES; c++) {
        const char *name = pixel_cases[c].name;
        ano_pixel_metrics *metrics;
        ano_pixel_result result;
        assert_int_equal(ano_pixel_metrics_create(&metrics, NULL), ANO_OK);
        for (int i = 0; i < N_MAPS; i++)
            add_map(metrics, c, i);
        assert_int_equal(ano_pixel_metrics_finish(&result, metrics, NULL), ANO_OK);
        const double largest = pixel_cases[c].steps > 0 ? 0 : 1e-4;
        if (result.auroc_error > largest || result.aupro_error > largest)
            fail_msg("%s: errors of %.3g and %.3g, expected at most %.3g", name, result.auroc_error,
                     result.aupro_error, largest);
        check(name, "auroc", result.auroc, result.auroc_error);
        check(name, "aupro", result.aupro, result.aupro_error);
        float counts[3];
        goldens_read(counts, goldens, name, "counts", 3, 0);
        assert_int_equal(result.n_normal, (size_t)counts[0]);
        assert_int_equal(result.n_anomalous, (size_t)counts[1]);
        assert_int_equal(result.n_regions, (size_t)counts[2]);
        ano_pixel_metrics_free(metrics);
    }
}

int main(int argc, char **argv)
{
    goldens = goldens_open(goldens_folder(argc, argv), "metrics");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_metrics__are_those_of_scikit_learn),
        cmocka_unit_test(curves__are_those_of_scikit_learn),
        cmocka_unit_test(pixel_metrics__are_those_of_scikit_learn_and_of_the_definition),
    };
    const int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    format_safetensors_free(goldens);
    return n_failed;
}
