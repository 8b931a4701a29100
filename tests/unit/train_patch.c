/* One step of a discriminator of patches: what is drawn, what it is told, and its gradient. */
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "model/networks.h"
#include "train/patch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 16, BATCH = 4, IMAGE = SIZE * SIZE, SEED = 5, STEPS = 400 };

/* A step with everything that it needs. */
typedef struct fixture {
    nn_net *net;
    nn_adam adam;
    train_patch *patch;
    float images[BATCH * IMAGE];
} fixture;

static fixture *make(double rate)
{
    const ano_model_config config = {
        .size = SIZE, .channels = 1, .base_width = 16, .method = ANO_METHOD_PATCH};
    fixture *f = base_alloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(model_patch_discriminator_create(&f->net, &config, NULL), ANO_OK);
    nn_net_initialise(f->net, SEED, BASE_PURPOSE_PATCH_INIT);
    assert_int_equal(nn_adam_init(&f->adam, f->net->n_parameters, rate, 0.9, 0.999, NULL), ANO_OK);
    assert_int_equal(train_patch_create(&f->patch, f->net, &f->adam, BATCH, SEED, NULL), ANO_OK);
    base_random_uniform(f->images, BATCH * IMAGE, -0.03f, 0.03f,
                        (base_random){SEED, BASE_PURPOSE_TEST, 0});
    return f;
}

static void discard(fixture *f)
{
    train_patch_free(f->patch);
    nn_adam_clear(&f->adam);
    nn_net_free(f->net);
    base_free(f);
}

static double run(fixture *f, uint64_t step)
{
    double loss;
    memcpy(train_patch_images(f->patch), f->images, sizeof f->images);
    assert_int_equal(train_patch_run(&loss, f->patch, step, NULL), ANO_OK);
    return loss;
}

/* With a rate that changes no weight, a step is a function of the weights: its gradient agrees with
 * central differences of its loss. A difference of 2 · STEP keeps rounding, 1e-7 of a loss near 1,
 * to 1e-5; the rest of the tolerance is for kinks that the difference crosses. */
static void gradient__is_that_of_the_loss(void **state)
{
    (void)state;
    const float STEP = 5e-3f;
    const double TOLERANCE = 0.02;
    fixture *f = make(1e-30);
    run(f, 3);
    float *gradient = base_alloc(f->net->n_parameters, sizeof(float));
    memcpy(gradient, train_patch_gradients(f->patch), f->net->n_parameters * sizeof(float));
    double error = 0, length = 0;
    for (int i = 0; i < f->net->n_tensors; i++)
        for (size_t k = 0; k < 3; k++) {
            const nn_tensor *tensor = &f->net->tensors[i];
            const size_t at = tensor->offset + k * 7919 % tensor->size;
            const float kept = f->net->parameters[at];
            f->net->parameters[at] = kept + STEP;
            const double above = run(f, 3);
            f->net->parameters[at] = kept - STEP;
            const double below = run(f, 3);
            f->net->parameters[at] = kept;
            const double expected = (above - below) / (2 * (double)STEP);
            error += pow(expected - (double)gradient[at], 2);
            length += expected * expected;
        }
    if (!(length > 0 && sqrt(error) <= TOLERANCE * sqrt(length)))
        fail_msg("the gradient is off by %g of its length", sqrt(error / length));
    base_free(gradient);
    discard(f);
}

/* It learns: on images alike, where a drawn anomaly is easy to tell. */
static void steps__lower_the_loss(void **state)
{
    (void)state;
    enum { SOME = 20 };
    fixture *f = make(2e-3);
    double first = 0, last = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        const double loss = run(f, step);
        first += step < SOME ? loss / SOME : 0;
        last += step >= STEPS - SOME ? loss / SOME : 0;
    }
    if (!(last < 0.6 * first))
        fail_msg("the loss went from %g to %g", first, last);
    discard(f);
}

/* Whatever the threads: their number decides who draws on which image, not what. */
static void a_step__is_a_function_of_seed_and_number(void **state)
{
    (void)state;
    double losses[2][3];
    for (int i = 0; i < 2; i++) {
        const int previous = base_threads_enter(i + 1);
        fixture *f = make(1e-30);
        losses[i][0] = run(f, 3);
        losses[i][1] = run(f, 4);
        losses[i][2] = run(f, 3);
        discard(f);
        base_threads_leave(previous);
    }
    assert_true(losses[0][0] == losses[0][2]);
    assert_true(losses[0][0] != losses[0][1]);
    for (int k = 0; k < 2; k++)
        assert_true(fabs(losses[0][k] - losses[1][k]) <= 1e-6 * losses[0][k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient__is_that_of_the_loss),
        cmocka_unit_test(steps__lower_the_loss),
        cmocka_unit_test(a_step__is_a_function_of_seed_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
