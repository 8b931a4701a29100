#include "eval/descriptors.h"

#include "base/threads.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

enum { SIDE = 12, CELLS = SIDE / 3, BINS = 8, FILTERS = 32 };

/* A vector of one image, for the caller to free; *d, unless NULL, gets its length. */
static float *describe(eval_descriptor_kind kind, ano_shape shape, const float *image, size_t *d)
{
    eval_descriptor *descriptor;
    assert_int_equal(eval_descriptor_create(&descriptor, kind, shape, NULL), ANO_OK);
    const size_t length = eval_descriptor_length(descriptor);
    float *vector = calloc(length, sizeof *vector);
    assert_int_equal(eval_describe(vector, descriptor, image, 1, NULL), ANO_OK);
    eval_descriptor_free(descriptor);
    if (d != NULL)
        *d = length;
    return vector;
}

/* An edge between black and white through the middle of the image: white at the right, below, at
 * the left, above. It is all horizontal or vertical, so that neighbouring directions get cos⁴ 45° =
 * 1/4 of its votes, of which the root is taken, and no others get any. */
static void edges__vote_for_the_direction_from_dark_to_bright(void **state)
{
    (void)state;
    for (size_t side = 0; side < 4; side++) {
        float image[SIDE * SIDE];
        for (size_t i = 0; i < SIDE * SIDE; i++) {
            const size_t along = side % 2 == 0 ? i % SIDE : i / SIDE;
            image[i] = (along >= SIDE / 2) == (side < 2) ? 1 : -1;
        }
        float *vector = describe(EVAL_HISTOGRAMS, (ano_shape){SIDE, SIDE, 1}, image, NULL);
        for (size_t cell = 0; cell < CELLS * CELLS; cell++) {
            const float *bins = vector + cell * BINS, full = bins[2 * side];
            assert_true(full > 0.05f);
            for (size_t b = 0; b < BINS; b++) {
                const size_t away = (b + BINS - 2 * side) % BINS;
                const float expected = away == 0 ? full : away == 1 || away == 7 ? full / 2 : 0;
                if (!(fabsf(bins[b] - expected) <= 1e-4f))
                    fail_msg("edge %zu, cell %zu, bin %zu: expected %g, got %g", side, cell, b,
                             (double)expected, (double)bins[b]);
            }
        }
        free(vector);
    }
}

static void edges__vote_where_they_are(void **state)
{
    (void)state;
    /* White from column 3 on: the gradient is in columns 2 and 3. Blurred by σ = 1.5, it is felt in
     * cells by the distance from their centres, columns 1, 4, 7 and 10. */
    float image[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++)
        image[i] = i % SIDE >= 3 ? 1 : -1;
    float *vector = describe(EVAL_HISTOGRAMS, (ano_shape){SIDE, SIDE, 1}, image, NULL);
    const float *row = vector + CELLS * BINS;
    /* Columns 2 and 3 are 1 and 2 away from the first two centres, 5 and 4 from the third. */
    const double near = exp(-1 / 4.5) + exp(-4 / 4.5), far = exp(-16 / 4.5) + exp(-25 / 4.5);
    assert_true(fabsf(row[0] - row[BINS]) < 1e-5f);
    assert_true(fabs((double)(row[2 * BINS] / row[0]) - sqrt(far / near)) < 1e-4);
    assert_true(row[3 * BINS] == 0);
    free(vector);
}

static void histograms__do_not_depend_on_brightness_and_contrast(void **state)
{
    (void)state;
    float image[SIDE * SIDE], faint[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        image[i] = (float)(i * i % 37) / 37;
        faint[i] = image[i] / 8 - 0.5f;
    }
    size_t d;
    float *of_image = describe(EVAL_HISTOGRAMS, (ano_shape){SIDE, SIDE, 1}, image, &d);
    float *of_faint = describe(EVAL_HISTOGRAMS, (ano_shape){SIDE, SIDE, 1}, faint, NULL);
    for (size_t k = 0; k < d; k++)
        if (!(fabsf(of_image[k] - of_faint[k]) < 1e-4f))
            fail_msg("number %zu: expected %g, got %g", k, (double)of_image[k],
                     (double)of_faint[k]);
    free(of_image);
    free(of_faint);
}

static void histograms__follow_the_channel_that_changes_most(void **state)
{
    (void)state;
    /* Red and blue have the same edge as green, but fainter and the other way. */
    float colour[SIDE * SIDE * 3], gray[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        gray[i] = i / SIDE >= SIDE / 2 ? 1 : -1;
        colour[3 * i] = colour[3 * i + 2] = -0.75f * gray[i];
        colour[3 * i + 1] = gray[i];
    }
    size_t d;
    float *of_colour = describe(EVAL_HISTOGRAMS, (ano_shape){SIDE, SIDE, 3}, colour, &d);
    float *of_gray = describe(EVAL_HISTOGRAMS, (ano_shape){SIDE, SIDE, 1}, gray, NULL);
    assert_memory_equal(of_colour, of_gray, d * sizeof *of_gray);
    free(of_colour);
    free(of_gray);
}

static void descriptors__of_nothing_are_zero(void **state)
{
    (void)state;
    float image[SIDE * SIDE];
    for (size_t i = 0; i < SIDE * SIDE; i++)
        image[i] = -1;
    for (int kind = EVAL_HISTOGRAMS; kind <= EVAL_RANDOM; kind++) {
        size_t d;
        float *vector = describe((eval_descriptor_kind)kind, (ano_shape){SIDE, SIDE, 1}, image, &d);
        for (size_t k = 0; k < d; k++)
            assert_true(vector[k] == 0);
        free(vector);
    }
}

static void descriptors__have_the_lengths_that_their_header_says(void **state)
{
    (void)state;
    static const struct {
        ano_shape shape;
        size_t lengths[3];
    } cases[] = {
        {{28, 28, 1}, {784, 9 * 9 * BINS, 7 * 7 * FILTERS}},
        {{17, 16, 3}, {816, 5 * 5 * BINS, 4 * 4 * FILTERS}},
        {{256, 256, 3}, {196608, 85 * 85 * BINS, 64 * 64 * FILTERS}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int kind = EVAL_PIXELS; kind <= EVAL_RANDOM; kind++) {
            eval_descriptor *descriptor;
            assert_int_equal(eval_descriptor_create(&descriptor, (eval_descriptor_kind)kind,
                                                    cases[i].shape, NULL),
                             ANO_OK);
            assert_int_equal(eval_descriptor_length(descriptor), cases[i].lengths[kind]);
            eval_descriptor_free(descriptor);
        }
}

static void descriptors__do_not_depend_on_other_images_nor_on_threads(void **state)
{
    (void)state;
    enum { N = 7, PIXELS = 16 * 19 * 3 };
    const ano_shape shape = {16, 19, 3};
    float images[N * PIXELS];
    for (size_t i = 0; i < N * PIXELS; i++)
        images[i] = (float)(i * 7919 % 1009) / 504.5f - 1;
    for (int kind = EVAL_PIXELS; kind <= EVAL_RANDOM; kind++) {
        eval_descriptor *descriptor;
        assert_int_equal(
            eval_descriptor_create(&descriptor, (eval_descriptor_kind)kind, shape, NULL), ANO_OK);
        const size_t d = eval_descriptor_length(descriptor);
        float *together = calloc(N * d, sizeof *together), *alone = calloc(d, sizeof *alone);
        const int previous = base_threads_enter(3);
        assert_int_equal(eval_describe(together, descriptor, images, N, NULL), ANO_OK);
        base_threads_leave(previous);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(eval_describe(alone, descriptor, images + i * PIXELS, 1, NULL),
                             ANO_OK);
            assert_memory_equal(alone, together + i * d, d * sizeof *alone);
        }
        eval_descriptor_free(descriptor);
        free(together);
        free(alone);
    }
}

static void descriptors__refuse_images_too_small_for_them(void **state)
{
    (void)state;
    eval_descriptor *descriptor;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(
        eval_descriptor_create(&descriptor, EVAL_HISTOGRAMS, (ano_shape){2, 9, 1}, &err),
        ANO_SHAPE);
    assert_non_null(strstr(err.message, "2 x 9 x 1"));
    assert_int_equal(eval_descriptor_create(&descriptor, EVAL_RANDOM, (ano_shape){9, 3, 1}, NULL),
                     ANO_SHAPE);
    assert_int_equal(eval_descriptor_create(&descriptor, EVAL_RANDOM, (ano_shape){9, 9, 5}, NULL),
                     ANO_SHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges__vote_for_the_direction_from_dark_to_bright),
        cmocka_unit_test(edges__vote_where_they_are),
        cmocka_unit_test(histograms__do_not_depend_on_brightness_and_contrast),
        cmocka_unit_test(histograms__follow_the_channel_that_changes_most),
        cmocka_unit_test(descriptors__of_nothing_are_zero),
        cmocka_unit_test(descriptors__have_the_lengths_that_their_header_says),
        cmocka_unit_test(descriptors__do_not_depend_on_other_images_nor_on_threads),
        cmocka_unit_test(descriptors__refuse_images_too_small_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
