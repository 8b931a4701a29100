/* The classifier of transformed images, of images with a bright wedge whose place and slope vary.
 */
#include "detect/transforms.h"

#include "base/memory.h"
#include "base/random.h"
#include "model/networks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 16, IMAGE = SIZE * SIZE, N = 64 };

/* Bright below a line from the left to the right, which rises; where it is upside down, above one.
 */
static void draw(float *image, size_t i, bool upside_down)
{
    const base_random random = {3, BASE_PURPOSE_TEST, i};
    const float height = base_random_uniform_at(0, 3, 7, random);
    const float slope = base_random_uniform_at(1, 0.1f, 0.5f, random);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            const bool below = (float)(SIZE - 1 - y) < height + slope * (float)x;
            image[y * SIZE + x] = below != upside_down ? 1 : -1;
        }
}

static size_t count_parameters(void)
{
    nn_net *net;
    assert_int_equal(model_transforms_lay_out(&net, SIZE, 1, NULL), ANO_OK);
    const size_t n = net->n_parameters;
    nn_net_free(net);
    return n;
}

static ano_status go_on(double share, void *cookie, ano_error *err)
{
    (void)err;
    double *last = cookie;
    assert_true(share > *last && share <= 1);
    *last = share;
    return ANO_OK;
}

/* From wedges that have their light below. */
static float *train(uint64_t seed)
{
    static float images[N * IMAGE];
    float *parameters = base_alloc(count_parameters(), sizeof *parameters);
    double share = 0;
    for (size_t i = 0; i < N; i++)
        draw(images + i * IMAGE, i, false);
    assert_int_equal(
        detect_transforms_train(parameters, images, N, SIZE, 1, seed, go_on, &share, NULL), ANO_OK);
    assert_true(share == 1);
    return parameters;
}

static void confusion__is_higher_of_what_was_not_learned_from(void **state)
{
    (void)state;
    float *parameters = train(0);
    detect_transforms *transforms;
    static float images[2 * N * IMAGE];
    float confusions[2 * N];
    for (size_t i = 0; i < 2 * N; i++) /* none of them was in training */
        draw(images + i * IMAGE, N + i, i % 2 != 0);
    assert_int_equal(detect_transforms_create(&transforms, parameters, SIZE, 1, false, NULL),
                     ANO_OK);
    assert_int_equal(
        detect_transforms_confusions(confusions, NULL, transforms, images, 2 * N, NULL), ANO_OK);
    float highest = 0, lowest = INFINITY;
    for (size_t i = 0; i < 2 * N; i += 2) {
        highest = fmaxf(highest, confusions[i]);
        lowest = fminf(lowest, confusions[i + 1]);
    }
    if (!(highest < 1 && lowest > 2)) /* nothing learned is ln 20, 3.0 */
        fail_msg("confusions are up to %f, and from %f", (double)highest, (double)lowest);
    float alone;
    assert_int_equal(
        detect_transforms_confusions(&alone, NULL, transforms, images + 5 * IMAGE, 1, NULL),
        ANO_OK);
    assert_true(alone == confusions[5]);
    detect_transforms_free(transforms);
    base_free(parameters);
}

/* Of images of which one cell is not black, so that all others have 0. By central differences, s(x
 * + h (x - black)) - s(x - h (x - black)) = 2 h Σ (x - black) ∂s/∂x. */
static void map__is_what_contrast_adds_to_the_confusion(void **state)
{
    (void)state;
    enum { CELL = 4, SIDE = SIZE / CELL };
    const double h = 1.0 / 1024;
    float *parameters = train(0);
    detect_transforms *transforms;
    assert_int_equal(detect_transforms_create(&transforms, parameters, SIZE, 1, true, NULL),
                     ANO_OK);
    int n_above = 0;
    for (int cell = 0; cell < SIDE * SIDE; cell++) {
        float images[3][IMAGE], maps[3][IMAGE], confusions[3];
        for (int i = 0; i < IMAGE; i++) {
            const bool inside = i / SIZE / CELL == cell / SIDE && i % SIZE / CELL == cell % SIDE;
            const double contrast = inside ? 0.5 + 0.01 * (i % 7) : 0;
            images[0][i] = (float)(contrast - 1);
            images[1][i] = (float)(contrast * (1 + h) - 1);
            images[2][i] = (float)(contrast * (1 - h) - 1);
        }
        assert_int_equal(
            detect_transforms_confusions(confusions, maps[0], transforms, images[0], 3, NULL),
            ANO_OK);
        const double slope = ((double)confusions[1] - (double)confusions[2]) / (2 * h);
        /* The middle pixels are an eighth of the way to neighbours, which have 0 or are not there.
         */
        const int y = cell / SIDE * CELL + 1, x = cell % SIDE * CELL + 1;
        double middle = 0;
        for (int k = 0; k < 4; k++)
            middle += (double)maps[0][(y + k / 2) * SIZE + x + k % 2] / 4;
        const double down = cell / SIDE % (SIDE - 1) == 0 ? 0.9375 : 0.875;
        const double across = cell % SIDE % (SIDE - 1) == 0 ? 0.9375 : 0.875;
        const double expected = fmax(slope, 0) / (CELL * CELL) * down * across;
        if (!(fabs(middle - expected) <= 1e-2 * fabs(slope) / (CELL * CELL) + 2e-5))
            fail_msg("cell %d: expected %g, got %g", cell, expected, middle);
        n_above += slope > 1e-3;
        for (int i = 0; i < IMAGE; i++)
            assert_true(maps[0][i] >= 0);
    }
    assert_true(n_above > 2);
    detect_transforms_free(transforms);
    base_free(parameters);
}

static void confusion__is_the_same_with_a_map(void **state)
{
    (void)state;
    float *parameters = train(0);
    static float images[N * IMAGE], maps[N * IMAGE];
    float plain[N], mapped[N];
    detect_transforms *transforms[2];
    for (size_t i = 0; i < N; i++)
        draw(images + i * IMAGE, i, i % 2 != 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            detect_transforms_create(&transforms[i], parameters, SIZE, 1, i == 1, NULL), ANO_OK);
    assert_int_equal(detect_transforms_confusions(plain, NULL, transforms[0], images, N, NULL),
                     ANO_OK);
    assert_int_equal(detect_transforms_confusions(mapped, maps, transforms[1], images, N, NULL),
                     ANO_OK);
    assert_memory_equal(plain, mapped, sizeof plain);
    detect_transforms_free(transforms[0]);
    detect_transforms_free(transforms[1]);
    base_free(parameters);
}

static void training__depends_on_the_seed_alone(void **state)
{
    (void)state;
    const size_t bytes = count_parameters() * sizeof(float);
    float *parameters = train(1), *again = train(1), *other = train(2);
    assert_memory_equal(parameters, again, bytes);
    assert_memory_not_equal(parameters, other, bytes);
    base_free(parameters);
    base_free(again);
    base_free(other);
}

static void training__refuses_what_is_not_finite(void **state)
{
    (void)state;
    static float image[IMAGE];
    float *parameters = base_alloc(count_parameters(), sizeof *parameters);
    double share = 0;
    image[7] = NAN;
    assert_int_equal(detect_transforms_train(parameters, image, 1, SIZE, 1, 0, go_on, &share, NULL),
                     ANO_NUMERIC);
    base_free(parameters);
}

static ano_status stop(double share, void *cookie, ano_error *err)
{
    (void)share;
    (void)cookie;
    (void)err;
    return ANO_CANCELLED;
}

static void training__can_be_stopped(void **state)
{
    (void)state;
    static float image[IMAGE];
    float *parameters = base_alloc(count_parameters(), sizeof *parameters);
    assert_int_equal(detect_transforms_train(parameters, image, 1, SIZE, 1, 0, stop, NULL, NULL),
                     ANO_CANCELLED);
    base_free(parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confusion__is_higher_of_what_was_not_learned_from),
        cmocka_unit_test(map__is_what_contrast_adds_to_the_confusion),
        cmocka_unit_test(confusion__is_the_same_with_a_map),
        cmocka_unit_test(training__depends_on_the_seed_alone),
        cmocka_unit_test(training__refuses_what_is_not_finite),
        cmocka_unit_test(training__can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
