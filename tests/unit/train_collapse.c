#include "train/collapse.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { N = 8, SIZE = 30 };

/* Images around one, each pixel at most `width` / 2 from it. */
static void make_images(float images[N * SIZE], float width, uint64_t seed)
{
    base_random_uniform(images, N * SIZE, -width / 2, width / 2,
                        (base_random){seed, BASE_PURPOSE_TEST, 0});
    for (int i = 0; i < N * SIZE; i++)
        images[i] += 0.3f * (float)(i % SIZE) / SIZE;
}

/* Which epoch is told of, 0 for none; what is said after the first time is a failure. */
static int told_in(const char **message, const float *width, const double *d_excess, int epochs)
{
    train_collapse collapse = {0};
    int told = 0;
    for (int epoch = 1; epoch <= epochs; epoch++) {
        float real[N * SIZE], generated[N * SIZE];
        make_images(real, 1, (uint64_t)epoch);
        make_images(generated, width[epoch - 1], (uint64_t)epoch + 1000);
        const char *said =
            train_collapse_watch(&collapse, real, generated, N, SIZE, d_excess[epoch - 1]);
        if (said == NULL)
            continue;
        assert_int_equal(told, 0);
        told = epoch;
        *message = said;
    }
    return told;
}

enum { EPOCHS = 4 * TRAIN_COLLAPSE_EPOCHS };

static void fill(float *width, double *d_excess, float usual_width, double usual_loss)
{
    for (int i = 0; i < EPOCHS; i++) {
        width[i] = usual_width;
        d_excess[i] = usual_loss;
    }
}

static void collapse__is_told_once_when_images_stay_alike(void **state)
{
    (void)state;
    float width[EPOCHS];
    double d_excess[EPOCHS];
    const char *message = "";
    fill(width, d_excess, 0.05f, 0.6);
    width[0] = width[1] = 1;
    assert_int_equal(told_in(&message, width, d_excess, EPOCHS), 2 + TRAIN_COLLAPSE_EPOCHS);
    assert_non_null(strstr(message, "the generator has collapsed"));
    assert_non_null(strstr(message, "another seed or half the learning rate"));
}

static void collapse__is_told_of_images_that_are_the_same(void **state)
{
    (void)state;
    float width[EPOCHS];
    double d_excess[EPOCHS];
    const char *message = "";
    fill(width, d_excess, 0, 0.6);
    assert_int_equal(told_in(&message, width, d_excess, EPOCHS), TRAIN_COLLAPSE_EPOCHS);
}

static void collapse__is_not_told_of_less_variety_or_for_a_moment(void **state)
{
    (void)state;
    float width[EPOCHS];
    double d_excess[EPOCHS];
    const char *message = "";
    fill(width, d_excess, 0.2f, 0.02);
    assert_int_equal(told_in(&message, width, d_excess, EPOCHS), 0);
    for (int i = 0; i < EPOCHS; i++)
        if (i % TRAIN_COLLAPSE_EPOCHS != 0) { /* never long enough on end */
            width[i] = 0;
            d_excess[i] = 0;
        }
    assert_int_equal(told_in(&message, width, d_excess, EPOCHS), 0);
}

static void collapse__is_not_told_where_real_images_are_alike(void **state)
{
    (void)state;
    static const float same[N * SIZE];
    train_collapse collapse = {0};
    for (int i = 0; i < EPOCHS; i++)
        assert_null(train_collapse_watch(&collapse, same, same, N, SIZE, 0.6));
}

static void collapse__is_told_when_the_discriminator_is_never_wrong(void **state)
{
    (void)state;
    float width[EPOCHS];
    double d_excess[EPOCHS];
    const char *message = "";
    fill(width, d_excess, 1, 1e-5);
    d_excess[0] = 0.5;
    assert_int_equal(told_in(&message, width, d_excess, EPOCHS), 1 + TRAIN_COLLAPSE_EPOCHS);
    assert_non_null(strstr(message, "the discriminator has won"));
    assert_non_null(strstr(message, "half the learning rate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collapse__is_told_once_when_images_stay_alike),
        cmocka_unit_test(collapse__is_told_of_images_that_are_the_same),
        cmocka_unit_test(collapse__is_not_told_of_less_variety_or_for_a_moment),
        cmocka_unit_test(collapse__is_not_told_where_real_images_are_alike),
        cmocka_unit_test(collapse__is_told_when_the_discriminator_is_never_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
