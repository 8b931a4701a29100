#include <anogan/anogan.h>

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

enum { HEIGHT = 5, WIDTH = 7, PIXELS = HEIGHT * WIDTH, N_TRAIN = 60, N_TEST = 5 };

/* A generator as old as time (Numerical Recipes' constants), easy to repeat in another language. */
static unsigned next_byte(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 24;
}

/* n images, each a mix of the same two patterns and a little noise. */
static ano_dataset *make_images(size_t n, uint32_t seed, ano_shape shape)
{
    const size_t d = (size_t)(shape.height * shape.width * shape.channels);
    unsigned *patterns = calloc(2 * d, sizeof *patterns);
    uint8_t *pixels = calloc(n, d);
    uint32_t pattern_seed = 1;
    for (size_t k = 0; k < 2 * d; k++)
        patterns[k] = next_byte(&pattern_seed);
    for (size_t i = 0; i < n; i++) {
        const unsigned f0 = next_byte(&seed), f1 = next_byte(&seed);
        for (size_t k = 0; k < d; k++)
            pixels[i * d + k] = (uint8_t)(f0 * patterns[k] / 600 + f1 * patterns[d + k] / 1200 +
                                          next_byte(&seed) / 16);
    }
    ano_dataset *dataset;
    assert_int_equal(ano_dataset_from_pixels(&dataset, pixels, n, shape, NULL, NULL), ANO_OK);
    free(patterns);
    free(pixels);
    return dataset;
}

static const ano_shape small = {HEIGHT, WIDTH, 1};

static ano_status fit_and_score(float *scores, ano_baseline baseline, const ano_dataset *train,
                                const ano_dataset *test, int components, int threads,
                                ano_error *err)
{
    const ano_baseline_options options = {components, threads};
    ano_baseline_model *model;
    ano_status status = ano_baseline_fit(&model, baseline, train, &options, err);
    if (status != ANO_OK)
        return status;
    status = ano_baseline_score(scores, model, test, err);
    ano_baseline_free(model);
    return status;
}

static void check_scores(ano_baseline baseline, int components, const double expected[N_TEST],
                         double tolerance)
{
    ano_dataset *train = make_images(N_TRAIN, 2, small), *test = make_images(N_TEST, 3, small);
    float scores[N_TEST];
    ano_error err = ANO_ERROR_INIT;
    if (fit_and_score(scores, baseline, train, test, components, 0, &err) != ANO_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < N_TEST; i++)
        if (!(fabs((double)scores[i] - expected[i]) <= tolerance * expected[i]))
            fail_msg("%d components, image %zu: expected %.9g, got %.9g", components, i,
                     expected[i], (double)scores[i]);
    ano_dataset_free(train);
    ano_dataset_free(test);
}

/* Expected values by numpy 2.4.6: the same bytes / 127.5 - 1, the training mean taken off, the
 * leading right singular vectors of numpy.linalg.svd, in double precision. From the third on the
 * components are noise's, with singular values close together. */
static void pca__agrees_with_numpy(void **state)
{
    (void)state;
    check_scores(ANO_BASELINE_PCA, 1,
                 (double[]){0.0585533235, 0.0421267079, 0.0635285261, 0.161075718, 0.0443113502},
                 1e-5);
    check_scores(ANO_BASELINE_PCA, 2,
                 (double[]){0.0469373467, 0.0375466958, 0.0405309417, 0.0687334262, 0.0443100048},
                 1e-5);
    check_scores(ANO_BASELINE_PCA, 5,
                 (double[]){0.0373731515, 0.0360834577, 0.0394575567, 0.067638396, 0.0361294484},
                 1e-3);
    check_scores(ANO_BASELINE_PCA, 20,
                 (double[]){0.0114130282, 0.0165535015, 0.0176755553, 0.0338100306, 0.0213956676},
                 1e-4);
}

static void nearest__agrees_with_numpy(void **state)
{
    (void)state;
    check_scores(ANO_BASELINE_NEAREST, 0,
                 (double[]){0.227315714, 0.301221402, 0.317913227, 0.368126485, 0.297005431}, 1e-6);
}

static void nearest__of_a_training_image_is_itself(void **state)
{
    (void)state;
    /* More images than are compared at a time, and an odd number of colours. */
    enum { N = 300 };
    ano_dataset *images = make_images(N, 5, (ano_shape){3, 5, 3});
    float scores[N];
    assert_int_equal(fit_and_score(scores, ANO_BASELINE_NEAREST, images, images, 0, 0, NULL),
                     ANO_OK);
    for (size_t i = 0; i < N; i++)
        if (scores[i] != 0)
            fail_msg("image %zu: expected 0, got %g", i, (double)scores[i]);
    ano_dataset_free(images);
}

static void pca__rebuilds_images_of_few_dimensions_exactly(void **state)
{
    (void)state;
    /* Eight images that take turns: seven directions at most, of the twenty asked for. */
    enum { N = 64 };
    uint8_t pixels[N][PIXELS];
    uint32_t seed = 9;
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < PIXELS; k++)
            pixels[i][k] = i < 8 ? (uint8_t)next_byte(&seed) : pixels[i % 8][k];
    ano_dataset *images;
    assert_int_equal(ano_dataset_from_pixels(&images, &pixels[0][0], N, small, NULL, NULL), ANO_OK);
    float scores[N];
    assert_int_equal(fit_and_score(scores, ANO_BASELINE_PCA, images, images, 20, 0, NULL), ANO_OK);
    for (size_t i = 0; i < N; i++)
        if (!(scores[i] >= 0 && scores[i] < 1e-9f))
            fail_msg("image %zu: expected 0, got %g", i, (double)scores[i]);
    ano_dataset_free(images);
}

static void baselines__give_the_same_scores_with_any_number_of_threads(void **state)
{
    (void)state;
    enum { N = 10 };
    for (int baseline = 0; baseline < ANO_BASELINES; baseline++) {
        /* Large enough that PCA uses threads; the others always do. */
        const int size = baseline == ANO_BASELINE_PCA ? 260 : 40;
        const ano_shape shape = {size, size, 1};
        ano_dataset *train = make_images(140, 2, shape), *test = make_images(N, 3, shape);
        float scores[2][N];
        for (int i = 0; i < 2; i++)
            assert_int_equal(
                fit_and_score(scores[i], (ano_baseline)baseline, train, test, 1, 1 + 2 * i, NULL),
                ANO_OK);
        for (size_t i = 0; i < N; i++)
            if (scores[0][i] != scores[1][i])
                fail_msg("baseline %d, image %zu: %.9g by 1 thread, %.9g by 3", baseline, i,
                         (double)scores[0][i], (double)scores[1][i]);
        ano_dataset_free(train);
        ano_dataset_free(test);
    }
}

static void scores__depend_on_their_image_and_the_fit_alone(void **state)
{
    (void)state;
    enum { N = 20 };
    const ano_shape shape = {12, 15, 3};
    for (int baseline = 0; baseline < ANO_BASELINES; baseline++) {
        ano_dataset *train = make_images(50, 2, shape), *test = make_images(N, 3, shape);
        const ano_baseline_options options = {5, 0};
        ano_baseline_model *model;
        float together[N], alone[1];
        assert_int_equal(ano_baseline_fit(&model, (ano_baseline)baseline, train, &options, NULL),
                         ANO_OK);
        ano_dataset_free(train);
        assert_int_equal(ano_baseline_score(together, model, test, NULL), ANO_OK);
        for (size_t n = N - 1; n > 0; n--) {
            ano_dataset *rest, *one;
            assert_int_equal(ano_dataset_split(&rest, &one, test, 1, n, NULL), ANO_OK);
            assert_int_equal(ano_baseline_score(alone, model, one, NULL), ANO_OK);
            const size_t i = ano_dataset_index(one, 0);
            if (alone[0] != together[i])
                fail_msg("baseline %d, image %zu: %.9g together, %.9g alone", baseline, i,
                         (double)together[i], (double)alone[0]);
            ano_dataset_free(rest);
            ano_dataset_free(one);
        }
        ano_baseline_free(model);
        ano_dataset_free(test);
    }
}

/* Of n images that are like the training images, the ranks of each of the four scores are uniform
 * but for what images have in common: their mean is near 1/2. What is unlike them all is at the
 * end. */
static void rank_sum__says_how_many_training_images_score_lower(void **state)
{
    (void)state;
    enum { N_KNOWN = 120, N = 60 };
    const ano_shape shape = {16, 16, 1};
    ano_dataset *train = make_images(N_KNOWN, 2, shape), *test = make_images(N, 4, shape);
    float scores[N], odd;
    assert_int_equal(fit_and_score(scores, ANO_BASELINE_RANK_SUM, train, test, 0, 0, NULL), ANO_OK);
    double mean = 0;
    for (size_t i = 0; i < N; i++)
        mean += (double)scores[i] / N;
    if (!(mean > 1.5 && mean < 2.5))
        fail_msg("mean rank sum: expected about 2, got %g", mean);
    uint8_t stripes[16 * 16];
    for (size_t k = 0; k < 16 * 16; k++)
        stripes[k] = k / 16 % 8 < 4 ? 255 : 0;
    ano_dataset *other;
    assert_int_equal(ano_dataset_from_pixels(&other, stripes, 1, shape, NULL, NULL), ANO_OK);
    assert_int_equal(fit_and_score(&odd, ANO_BASELINE_RANK_SUM, train, other, 0, 0, NULL), ANO_OK);
    assert_true(fabs((double)odd - 4.0 * N_KNOWN / (N_KNOWN + 1)) < 1e-6);
    ano_dataset_free(train);
    ano_dataset_free(test);
    ano_dataset_free(other);
}

static void baselines__have_names_of_their_own(void **state)
{
    (void)state;
    for (int i = 0; i < ANO_BASELINES; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ano_baseline_name((ano_baseline)i),
                                    ano_baseline_name((ano_baseline)k));
    assert_null(ano_baseline_name((ano_baseline)ANO_BASELINES));
}

static void baselines__refuse_what_does_not_fit(void **state)
{
    (void)state;
    ano_dataset *train = make_images(20, 2, small);
    ano_dataset *wide = make_images(20, 2, (ano_shape){7, 5, 1});
    float scores[20];
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(fit_and_score(scores, ANO_BASELINE_PCA, train, train, 20, 0, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "there can be 1 to 19"));
    assert_int_equal(fit_and_score(scores, ANO_BASELINE_PCA, train, train, 0, 0, NULL), ANO_ARG);
    assert_int_equal(fit_and_score(scores, (ano_baseline)ANO_BASELINES, train, train, 0, 0, NULL),
                     ANO_ARG);
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(fit_and_score(scores, ANO_BASELINE_NEAREST, train, wide, 0, 0, &err),
                     ANO_SHAPE);
    assert_non_null(strstr(err.message, "5 x 7 x 1"));
    err = (ano_error)ANO_ERROR_INIT;
    ano_dataset *rest, *one;
    assert_int_equal(ano_dataset_split(&rest, &one, train, 1, 0, NULL), ANO_OK);
    assert_int_equal(
        fit_and_score(scores, ANO_BASELINE_HISTOGRAM_MAHALANOBIS, one, train, 0, 0, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "covariance of one image"));
    ano_dataset_free(rest);
    ano_dataset_free(one);
    ano_dataset_free(train);
    ano_dataset_free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pca__agrees_with_numpy),
        cmocka_unit_test(pca__rebuilds_images_of_few_dimensions_exactly),
        cmocka_unit_test(nearest__agrees_with_numpy),
        cmocka_unit_test(nearest__of_a_training_image_is_itself),
        cmocka_unit_test(baselines__give_the_same_scores_with_any_number_of_threads),
        cmocka_unit_test(scores__depend_on_their_image_and_the_fit_alone),
        cmocka_unit_test(rank_sum__says_how_many_training_images_score_lower),
        cmocka_unit_test(baselines__have_names_of_their_own),
        cmocka_unit_test(baselines__refuse_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
