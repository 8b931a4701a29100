/* AnoGAN's loss: its gradient against finite differences, its unit, and independence of groups. */
#include "detect/matching.h"

#include "base/memory.h"
#include "model/networks.h"
#include "nn/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 2 * DETECT_FEATURES_GROUP + 3, SIZE = 12, PIXELS = SIZE * SIZE };

typedef struct fixture {
    nn_net *discriminator;
    float x[IMAGES][PIXELS], generated[IMAGES][PIXELS];
} fixture;

static void create(fixture *f, int width)
{
    const ano_model_config config = {.size = SIZE, .channels = 1, .latent = 1, .base_width = width};
    assert_int_equal(model_discriminator_create(&f->discriminator, &config, NULL), ANO_OK);
    nn_net_initialise(f->discriminator, 3, BASE_PURPOSE_TEST);
    base_random_uniform(f->x[0], IMAGES * PIXELS, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 0});
    base_random_uniform(f->generated[0], IMAGES * PIXELS, -1, 1,
                        (base_random){1, BASE_PURPOSE_TEST, 1});
}

/* Losses and gradients of the images [first, first + n). */
static void measure(double *losses, float *diff, const fixture *f, size_t first, size_t n,
                    int block, double weight)
{
    detect_matching *matching;
    const float *features[IMAGES];
    ano_error err = ANO_ERROR_INIT;
    if (detect_matching_create(&matching, f->discriminator, block, weight, &err) != ANO_OK)
        fail_msg("%s", err.message);
    const size_t size = detect_matching_size(matching);
    float *numbers = base_alloc(n * size, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        features[i] = numbers + i * size;
        assert_int_equal(
            detect_matching_features(numbers + i * size, matching, f->x[first + i], NULL), ANO_OK);
        losses[i] =
            nn_residual(diff + i * PIXELS, f->x[first + i], f->generated[first + i], PIXELS);
    }
    assert_int_equal(
        detect_matching_mix(losses, diff, matching, f->generated[first], features, n, NULL),
        ANO_OK);
    base_free(numbers);
    detect_matching_free(matching);
}

/* Kinks are as dense as the loss has absolute values: about one of the image's N + the block's M
 * numbers in [-1, 1] turns its sign within h with probability h each, and adds at most a share of
 * the slope. Most differences see none: so it is the median error that must be rounding's. */
static void check_gradient(int width, int block, double weight)
{
    enum { SAMPLES = 31 };
    const float h = 0x1p-9f;
    fixture *f = base_alloc(1, sizeof *f);
    create(f, width);
    float diff[PIXELS], unused[PIXELS];
    double loss, errors[SAMPLES], scale = 0;
    measure(&loss, diff, f, 0, 1, block, weight);
    for (int i = 0; i < PIXELS; i++)
        scale = fmax(scale, (double)fabsf(diff[i]));
    for (int k = 0; k < SAMPLES; k++) {
        float *pixel = &f->generated[0][k * PIXELS / SAMPLES];
        const float here = *pixel;
        double above, below;
        *pixel = here + h;
        measure(&above, unused, f, 0, 1, block, weight);
        *pixel = here - h;
        measure(&below, unused, f, 0, 1, block, weight);
        *pixel = here;
        const double expected = (above - below) / (2 * (double)h);
        double error = fabs((double)diff[k * PIXELS / SAMPLES] - expected) / scale;
        int at = k;
        for (; at > 0 && errors[at - 1] > error; at--)
            errors[at] = errors[at - 1];
        errors[at] = error;
    }
    if (!(errors[SAMPLES / 2] < 0.02))
        fail_msg("width %d, block %d, weight %g: the median error is %g of the largest gradient",
                 width, block, weight, errors[SAMPLES / 2]);
    nn_net_free(f->discriminator);
    base_free(f);
}

static void matching_loss__has_its_gradient(void **state)
{
    (void)state;
    for (int block = 0; block <= 2; block++) {
        check_gradient(3, block, 0.1);
        check_gradient(16, block, 1);
    }
}

static void matching_loss__without_weight_is_the_residual(void **state)
{
    (void)state;
    fixture *f = base_alloc(1, sizeof *f);
    create(f, 16);
    float diff[PIXELS], expected[PIXELS];
    double loss;
    measure(&loss, diff, f, 0, 1, 0, 0);
    assert_true(loss == nn_residual(expected, f->x[0], f->generated[0], PIXELS));
    assert_memory_equal(diff, expected, sizeof diff);
    nn_net_free(f->discriminator);
    base_free(f);
}

/* λ = 1, and maps that are a multiple of the pixels': the loss is that multiple of the residual. */
static void matching_loss__counts_features_like_pixels(void **state)
{
    (void)state;
    fixture *f = base_alloc(1, sizeof *f);
    create(f, 1);
    for (int k = 0; k < PIXELS; k++) {
        f->x[0][k] = 0.5f;
        f->generated[0][k] = 0.25f;
    }
    for (int i = 0; i < f->discriminator->n_tensors; i++) {
        const nn_tensor *tensor = &f->discriminator->tensors[i];
        memset(nn_net_data(f->discriminator, tensor), 0, tensor->size * sizeof(float));
    }
    /* Every convolution doubles its first channel. */
    const nn_tensor *first = nn_net_find(f->discriminator, "conv_1.kernel");
    const nn_tensor *second = nn_net_find(f->discriminator, "conv_2.kernel");
    nn_net_data(f->discriminator, first)[12] = 2;
    nn_net_data(f->discriminator, second)[12 * 2] = 2;
    nn_net_data(f->discriminator, second)[12 * 2 + 1] = 2;
    float diff[PIXELS];
    double loss;
    measure(&loss, diff, f, 0, 1, 1, 1);
    assert_true(loss == 2 * 0.25 * PIXELS);
    measure(&loss, diff, f, 0, 1, 2, 1);
    assert_true(loss == 4 * 0.25 * PIXELS);
    nn_net_free(f->discriminator);
    base_free(f);
}

static void check_company(int width)
{
    fixture *f = base_alloc(1, sizeof *f);
    create(f, width);
    float *together = base_alloc(IMAGES * PIXELS, sizeof(float)), alone[PIXELS];
    double losses[IMAGES], loss;
    measure(losses, together, f, 0, IMAGES, 0, 0.1);
    for (size_t i = 0; i < IMAGES; i++) {
        measure(&loss, alone, f, i, 1, 0, 0.1);
        if (loss != losses[i])
            fail_msg("width %d, image %zu: expected %.17g, got %.17g", width, i, loss, losses[i]);
        assert_memory_equal(alone, together + i * PIXELS, sizeof alone);
    }
    base_free(together);
    nn_net_free(f->discriminator);
    base_free(f);
}

static void matching_loss__is_the_same_in_any_company(void **state)
{
    (void)state;
    check_company(3);
    check_company(16);
    check_company(64);
}

static void matching__knows_the_blocks_that_there_are(void **state)
{
    (void)state;
    fixture *f = base_alloc(1, sizeof *f);
    create(f, 3);
    detect_matching *matching;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(detect_matching_create(&matching, f->discriminator, 3, 0.1, &err), ANO_ARG);
    assert_null(matching);
    assert_string_equal(err.message, "the network has no block 3");
    nn_net_free(f->discriminator);
    base_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching_loss__has_its_gradient),
        cmocka_unit_test(matching_loss__without_weight_is_the_residual),
        cmocka_unit_test(matching_loss__counts_features_like_pixels),
        cmocka_unit_test(matching_loss__is_the_same_in_any_company),
        cmocka_unit_test(matching__knows_the_blocks_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
