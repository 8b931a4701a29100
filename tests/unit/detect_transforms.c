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
    assert_int_equal(detect_transforms_create(&transforms, parameters, SIZE, 1, NULL), ANO_OK);
    assert_int_equal(detect_transforms_confusions(confusions, transforms, images, 2 * N, NULL),
                     ANO_OK);
    float highest = 0, lowest = INFINITY;
    for (size_t i = 0; i < 2 * N; i += 2) {
        highest = fmaxf(highest, confusions[i]);
        lowest = fminf(lowest, confusions[i + 1]);
    }
    if (!(highest < 1 && lowest > 2)) /* nothing learned is ln 20, 3.0 */
        fail_msg("confusions are up to %f, and from %f", (double)highest, (double)lowest);
    float alone;
    assert_int_equal(detect_transforms_confusions(&alone, transforms, images + 5 * IMAGE, 1, NULL),
                     ANO_OK);
    assert_true(alone == confusions[5]);
    detect_transforms_free(transforms);
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
        cmocka_unit_test(training__depends_on_the_seed_alone),
        cmocka_unit_test(training__refuses_what_is_not_finite),
        cmocka_unit_test(training__can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
