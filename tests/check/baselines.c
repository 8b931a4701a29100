/* The baselines against scikit-learn, and the descriptions of images against a second
 * implementation: the goldens that tests/golden/make_baseline_goldens.py made, of the vectors and
 * images described there. Usage: baselines FOLDER, that of the goldens. */
#include "eval/descriptors.h"
#include "eval/mahalanobis.h"
#include "eval/nearest.h"
#include "formula.h"
#include "goldens.h"

#include <anogan/anogan.h>

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* As VECTOR_CASES, DESCRIBED and what is beside them there. */
enum { N_VECTORS = 9, N_DESCRIBED = 3, N_TRAIN = 60, N_TEST = 12, COMPONENTS = 2, NAME_SIZE = 64 };
static const struct {
    const char *name;
    size_t n, d;
} vector_cases[] = {{"tall", 300, 70}, {"wide", 50, 333}};
static const struct {
    const char *name;
    ano_shape shape;
} described[] = {{"gray", {28, 28, 1}}, {"colour", {13, 11, 3}}, {"small", {5, 7, 1}}};
static const ano_shape SHAPE = {20, 17, 1};
enum {
    N_VECTOR_CASES = sizeof vector_cases / sizeof *vector_cases,
    N_CASES_DESCRIBED = sizeof described / sizeof *described
};

static format_safetensors *goldens;

/* Fails unless got [n][width] is the golden "name.part" within absolute + relative · |golden|. */
static void check(const char *name, const char *part, const float *got, size_t n, size_t width,
                  double absolute, double relative)
{
    float *expected = calloc(n * width, sizeof *expected);
    goldens_read(expected, goldens, name, part, n, width > 1 ? width : 0);
    for (size_t i = 0; i < n * width; i++) {
        const double wanted = (double)expected[i], tolerance = absolute + relative * fabs(wanted);
        if (!(fabs((double)got[i] - wanted) <= tolerance))
            fail_msg("%s.%s, number %zu: expected %.9g, got %.9g, allowed are %.3g", name, part, i,
                     wanted, (double)got[i], tolerance);
    }
    free(expected);
}

/* ---- distances ---------------------------------------------------------------------------- */

/* n vectors of numbers of which the later ones spread less. */
static float *make_vectors(const char *name, const char *part, size_t n, size_t d, float scale,
                           float offset)
{
    char full[NAME_SIZE];
    snprintf(full, sizeof full, "%s.%s", name, part);
    float *vectors = calloc(n * d, sizeof *vectors);
    formula_numbers(vectors, n * d, full, scale, offset);
    for (size_t i = 0; i < n * d; i++)
        vectors[i] *= 1 / (float)(i % d + 1);
    return vectors;
}

/* Found by products of floats, but measured by differences. */
static void nearest__is_that_of_scikit_learn(void **state)
{
    (void)state;
    const double rounding = 1e-6;
    for (int i = 0; i < N_VECTOR_CASES; i++) {
        const char *name = vector_cases[i].name;
        const size_t n = vector_cases[i].n, d = vector_cases[i].d;
        float *known = make_vectors(name, "known", n, d, 1, 0);
        float *vectors = make_vectors(name, "vectors", N_VECTORS, d, 1.5f, 0.25f);
        float *got = calloc(n, sizeof *got);
        eval_nearest *nearest;
        assert_int_equal(eval_nearest_create(&nearest, known, n, d, NULL), ANO_OK);
        assert_int_equal(eval_nearest_distances(got, NULL, nearest, vectors, N_VECTORS, NULL),
                         ANO_OK);
        check(name, "nearest", got, N_VECTORS, 1, 0, rounding);
        assert_int_equal(eval_nearest_left_out(got, nearest, NULL), ANO_OK);
        check(name, "nearest_left_out", got, n, 1, 0, rounding);
        eval_nearest_free(nearest);
        free(known);
        free(vectors);
        free(got);
    }
}

/* The covariance is of floats' products, and its inverse multiplies what is wrong with it by its
 * condition, a few thousand at most as it is shrunk. Left out, a vector takes a part in n of the
 * trace with it, more or less as long as it is, which is not followed: half as much of the
 * distance.
 */
static void mahalanobis__is_that_of_scikit_learn(void **state)
{
    (void)state;
    const double rounding = 1e-4;
    for (int i = 0; i < N_VECTOR_CASES; i++) {
        const char *name = vector_cases[i].name;
        const size_t n = vector_cases[i].n, d = vector_cases[i].d;
        float *known = make_vectors(name, "known", n, d, 1, 0);
        float *vectors = make_vectors(name, "vectors", N_VECTORS, d, 1.5f, 0.25f);
        float *got = calloc(n, sizeof *got);
        eval_mahalanobis *m;
        assert_int_equal(eval_mahalanobis_create(&m, known, n, d, 0.05, NULL), ANO_OK);
        assert_int_equal(eval_mahalanobis_distances(got, m, vectors, N_VECTORS, NULL), ANO_OK);
        check(name, "mahalanobis", got, N_VECTORS, 1, 0, rounding);
        assert_int_equal(eval_mahalanobis_left_out(got, m, known, NULL), ANO_OK);
        check(name, "mahalanobis_left_out", got, n, 1, 0, 0.5 / (double)n);
        eval_mahalanobis_free(m);
        free(known);
        free(vectors);
        free(got);
    }
}

/* ---- images ------------------------------------------------------------------------------- */

static unsigned byte_of(const char *name, size_t i)
{
    return (unsigned)(formula_hash(name, i) >> 56);
}

static size_t pixels_of(ano_shape shape)
{
    return (size_t)(shape.height * shape.width * shape.channels);
}

static ano_dataset *make_images(const char *name, size_t n, ano_shape shape)
{
    const size_t d = pixels_of(shape);
    uint8_t *pixels = calloc(n, d);
    for (size_t i = 0; i < n; i++) {
        const size_t word = i * (d + 2);
        const unsigned mix_0 = byte_of(name, word), mix_1 = byte_of(name, word + 1);
        for (size_t k = 0; k < d; k++)
            pixels[i * d + k] = (uint8_t)(mix_0 * byte_of("patterns", k) / 600 +
                                          mix_1 * byte_of("patterns", d + k) / 1200 +
                                          byte_of(name, word + 2 + k) / 8);
    }
    ano_dataset *images;
    assert_int_equal(ano_dataset_from_pixels(&images, pixels, n, shape, NULL, NULL), ANO_OK);
    free(pixels);
    return images;
}

/* A number is a sum of some hundred terms of one sign, of a vector of length 1. */
static void descriptors__are_those_of_their_definition(void **state)
{
    (void)state;
    const double rounding = 1e-5;
    static const struct {
        eval_descriptor_kind kind;
        const char *name;
    } kinds[] = {{EVAL_HISTOGRAMS, "histograms"}, {EVAL_RANDOM, "random"}};
    for (int i = 0; i < N_CASES_DESCRIBED; i++) {
        ano_dataset *images = make_images(described[i].name, N_DESCRIBED, described[i].shape);
        float *pixels = calloc(N_DESCRIBED * pixels_of(described[i].shape), sizeof *pixels);
        const size_t all[N_DESCRIBED] = {0, 1, 2};
        assert_int_equal(ano_dataset_read(pixels, images, all, N_DESCRIBED, NULL), ANO_OK);
        for (int k = 0; k < 2; k++) {
            eval_descriptor *descriptor;
            assert_int_equal(
                eval_descriptor_create(&descriptor, kinds[k].kind, described[i].shape, NULL),
                ANO_OK);
            const size_t d = eval_descriptor_length(descriptor);
            float *got = calloc(N_DESCRIBED * d, sizeof *got);
            assert_int_equal(eval_describe(got, descriptor, pixels, N_DESCRIBED, NULL), ANO_OK);
            check(described[i].name, kinds[k].name, got, N_DESCRIBED, d, rounding, 0);
            eval_descriptor_free(descriptor);
            free(got);
        }
        free(pixels);
        ano_dataset_free(images);
    }
}

/* Ranks: where one of the four shares counts one training image more or less, which distances that
 * are left out approximately may, it is by 1 / (n + 1). */
static void baselines__score_as_scikit_learn_does(void **state)
{
    (void)state;
    ano_dataset *train = make_images("train", N_TRAIN, SHAPE);
    ano_dataset *test = make_images("test", N_TEST, SHAPE);
    for (int i = 0; i < ANO_BASELINES; i++) {
        const ano_baseline_options options = {COMPONENTS, 0};
        ano_baseline_model *model;
        float scores[N_TEST];
        assert_int_equal(ano_baseline_fit(&model, (ano_baseline)i, train, &options, NULL), ANO_OK);
        assert_int_equal(ano_baseline_score(scores, model, test, NULL), ANO_OK);
        const bool ranks = i == ANO_BASELINE_RANK_SUM;
        check("scores", ano_baseline_name((ano_baseline)i), scores, N_TEST, 1,
              ranks ? 1.001 / (N_TRAIN + 1) : 0, ranks ? 0 : 1e-4);
        ano_baseline_free(model);
    }
    ano_dataset_free(train);
    ano_dataset_free(test);
}

int main(int argc, char **argv)
{
    goldens = goldens_open(goldens_folder(argc, argv), "baselines");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest__is_that_of_scikit_learn),
        cmocka_unit_test(mahalanobis__is_that_of_scikit_learn),
        cmocka_unit_test(descriptors__are_those_of_their_definition),
        cmocka_unit_test(baselines__score_as_scikit_learn_does),
    };
    const int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    format_safetensors_free(goldens);
    return n_failed;
}
