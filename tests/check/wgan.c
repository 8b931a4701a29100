/* A training step of a WGAN-GP: the critic's and the generator's losses and gradients against twins
 * of both networks, and those against central finite differences in double precision. The penalty
 * by itself, by every kernel, is in tests/check/penalty.c.
 *
 * Rounding makes the numbers and gradients of a net off by a share of them, check_net_error(), and
 * generated images bring the generator's share along. The critic's gradient is a sum of three: by
 * real images, by generated ones, which the first nearly takes away, and of the penalty, which has
 * as many sums going up as going down, √2 of the share, and grows as check_penalty_amplification()
 * says. Where images lie, between kinks, makes no difference to it. So what each of the three may
 * be off by is added up, and their sum is compared with that. */
#include "base/random.h"
#include "check.h"
#include "formula.h"
#include "reference/reference.h"
#include "train/wgan.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 4, LATENT = 3, SIZE = 8, IMAGE = SIZE * SIZE, LATENTS = BATCH * LATENT };
enum { STEP = TRAIN_WGAN_CRITIC_STEPS - 1 }; /* which trains the generator, too */
static const double WEIGHT = 10;
static const double MARGIN = 1e-4; /* from kinks, beyond what rounding and differences reach */

/* All of a step in double precision. */
typedef struct step_twin {
    twin *critic;    /* of 2B images */
    twin *penalised; /* the same of the B between */
    twin *judge;     /* the same of the B that train the generator */
    twin *generator;
    double images[2 * BATCH * IMAGE]; /* real, then generated */
    double mixed[BATCH * IMAGE], e[BATCH];
    double z_d[LATENTS], z_g[LATENTS];
} step_twin;

/* ---- the critic ---------------------------------------------------------------------------- */

/* Fills in the images that the generator makes, and those between. */
static void generate(step_twin *t)
{
    double *generated = t->images + BATCH * IMAGE;
    memcpy(generated, twin_forward(t->generator, t->z_d), BATCH * IMAGE * sizeof *generated);
    for (int i = 0; i < BATCH * IMAGE; i++) {
        const double e = t->e[i / IMAGE];
        t->mixed[i] = e * t->images[i] + (1 - e) * generated[i];
    }
}

/* The penalty of the images between, by the critic's parameters as they are. */
static double penalty_of(step_twin *t)
{
    double ones[BATCH];
    for (int i = 0; i < BATCH; i++)
        ones[i] = 1;
    memcpy(t->penalised->parameters, t->critic->parameters,
           t->critic->net->n_parameters * sizeof(double));
    twin_forward(t->penalised, t->mixed);
    return reference_penalty(twin_backward(t->penalised, ones), BATCH, IMAGE, WEIGHT);
}

static double critic_loss(void *cookie)
{
    step_twin *t = cookie;
    const double *outputs = twin_forward(t->critic, t->images);
    return reference_wasserstein(outputs, BATCH, 1) +
           reference_wasserstein(outputs + BATCH, BATCH, -1) + penalty_of(t);
}

/* Adds the critic's gradient by one half of the images; returns its length. */
static double add_half(double *gradients, step_twin *t, int half)
{
    const int n = (int)t->critic->net->n_parameters;
    double diff[2 * BATCH] = {0};
    reference_wasserstein_backward(diff + half * BATCH, BATCH, half == 0 ? 1 : -1);
    twin_backward(t->critic, diff);
    for (int i = 0; i < n; i++)
        gradients[i] += t->critic->gradients[i];
    return check_length(t->critic->gradients, n);
}

/* The same of the penalty. */
static double add_penalty(double *gradients, step_twin *t)
{
    const int n = (int)t->critic->net->n_parameters;
    double v[BATCH * IMAGE];
    reference_penalty_backward(v, t->penalised->diff_src, BATCH, IMAGE, WEIGHT);
    twin_tangent(t->penalised, v);
    for (int i = 0; i < n; i++)
        gradients[i] += t->penalised->gradients[i];
    return check_length(t->penalised->gradients, n);
}

/* ---- the generator ------------------------------------------------------------------------- */

static double generator_loss(void *cookie)
{
    step_twin *t = cookie;
    return reference_wasserstein(twin_forward(t->judge, twin_forward(t->generator, t->z_g)), BATCH,
                                 1);
}

/* After it: into the gradients of the generator's twin. */
static void generator_backward(step_twin *t)
{
    double diff[BATCH];
    reference_wasserstein_backward(diff, BATCH, 1);
    twin_backward(t->generator, twin_backward(t->judge, diff));
}

/* ---- set-up -------------------------------------------------------------------------------- */

static void draw_floats(double *dst, int n, float low, uint64_t seed, base_purpose purpose)
{
    float numbers[LATENTS];
    base_random_uniform(numbers, (size_t)n, low, 1, (base_random){seed, purpose, STEP});
    check_widen(dst, numbers, n);
}

/* How near both halves of the step come to a kink. */
static double distance_from_kinks(step_twin *t)
{
    double least = INFINITY;
    generate(t);
    critic_loss(t); /* the generator, in whose images the critic has no gradient, may be on one */
    least = fmin(least, twin_distance_from_kinks(t->critic));
    least = fmin(least, twin_distance_from_kinks(t->penalised));
    generator_loss(t);
    least = fmin(least, twin_distance_from_kinks(t->generator));
    return fmin(least, twin_distance_from_kinks(t->judge));
}

/* Real images and what the step draws, clear of kinks; returns the seed of the latter. */
static uint64_t draw(step_twin *t)
{
    enum { MOST_DRAWS = 200 };
    for (uint64_t seed = 1; seed < MOST_DRAWS; seed++) {
        check_random(t->images, BATCH * IMAGE, seed);
        draw_floats(t->z_d, LATENTS, -1, seed, BASE_PURPOSE_LATENT_D);
        draw_floats(t->z_g, LATENTS, -1, seed, BASE_PURPOSE_LATENT_G);
        draw_floats(t->e, BATCH, 0, seed, BASE_PURPOSE_PENALTY);
        if (distance_from_kinks(t) >= MARGIN)
            return seed;
    }
    fail_msg("no images lie %g from the kinks", MARGIN);
    return 0;
}

typedef struct fixture {
    ano_model *model;
    nn_adam adam[MODEL_NETWORKS];
    train_wgan *step;
    train_wgan_result result;
    step_twin *twin;
} fixture;

/* The twin drawn, and the step run. The optimisers have rate 0, so that the generator meets the
 * critic as it was. */
static fixture create(void)
{
    static const ano_network trained[] = {ANO_DISCRIMINATOR, ANO_GENERATOR};
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER};
    fixture f = {.twin = calloc(1, sizeof *f.twin)};
    step_twin *t = f.twin;
    assert_non_null(t);
    assert_int_equal(ano_model_create(&f.model, &config, 1, NULL), ANO_OK);
    for (int i = 0; i < 2; i++) {
        nn_net *net = f.model->networks[trained[i]];
        formula_fill_net(net, ano_network_name(trained[i]));
        assert_int_equal(nn_adam_init(&f.adam[trained[i]], net->n_parameters, 0, 0.9, 0.999, NULL),
                         ANO_OK);
    }
    t->critic = twin_create(f.model->networks[ANO_DISCRIMINATOR], 2 * BATCH, true);
    t->penalised = twin_create(f.model->networks[ANO_DISCRIMINATOR], BATCH, true);
    t->judge = twin_create(f.model->networks[ANO_DISCRIMINATOR], BATCH, true);
    t->generator = twin_create(f.model->networks[ANO_GENERATOR], BATCH, true);
    const uint64_t seed = draw(t);
    assert_int_equal(train_wgan_create(&f.step, f.model, f.adam, BATCH, seed, NULL), ANO_OK);
    check_narrow(train_wgan_images(f.step), t->images, BATCH * IMAGE);
    assert_int_equal(train_wgan_run(&f.result, f.step, STEP, NULL), ANO_OK);
    return f;
}

static void clear(fixture *f)
{
    twin_free(f->twin->critic);
    twin_free(f->twin->penalised);
    twin_free(f->twin->judge);
    twin_free(f->twin->generator);
    free(f->twin);
    train_wgan_free(f->step);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        nn_adam_clear(&f->adam[i]);
    ano_model_free(f->model);
}

/* ---- checks -------------------------------------------------------------------------------- */

static void check_loss(const char *what, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: %.9g, not %.9g (allowed %.3g)", what, got, expected, tolerance);
}

static void wgan_step__has_the_critics_losses_and_gradient(void **state)
{
    (void)state;
    fixture f = create();
    step_twin *t = f.twin;
    const nn_net *critic = t->critic->net;
    const int n = (int)critic->n_parameters;
    double *gradients = check_doubles(n);
    generate(t);
    const double loss = critic_loss(t), penalty = penalty_of(t);
    const double *outputs = t->critic->layers[critic->n_layers - 1].dst;
    const double by_critic = check_net_error(critic, 2 * BATCH);
    const double by_generator = check_net_error(t->generator->net, BATCH);
    const double of_penalty =
        sqrt(2) * by_critic * check_penalty_amplification(t->penalised->diff_src, BATCH, IMAGE);
    const double of_outputs = (by_critic + by_generator) * check_greatest(outputs, 2 * BATCH);
    check_loss("penalty", f.result.penalty, penalty, 2 * of_penalty * penalty);
    check_loss("generator's loss", f.result.g_loss,
               reference_wasserstein(outputs + BATCH, BATCH, 1), of_outputs);
    check_loss("critic's loss", f.result.d_loss, loss, 2 * of_outputs + 2 * of_penalty * penalty);

    const double off = by_critic * add_half(gradients, t, 0) +
                       (by_critic + by_generator) * add_half(gradients, t, 1) +
                       of_penalty * add_penalty(gradients, t);
    const double length = check_length(gradients, n);
    assert_true(off < 1e-4 * length); /* so that it says something */
    check_distance("critic", train_wgan_gradients(f.step, ANO_DISCRIMINATOR), gradients, n,
                   off / length);
    twin_check_differences(t->critic, gradients, critic_loss, t, 1e-8 * (1 + penalty));
    free(gradients);
    clear(&f);
}

static void wgan_step__has_the_generators_gradient(void **state)
{
    (void)state;
    fixture f = create();
    step_twin *t = f.twin;
    const nn_net *generator = t->generator->net;
    generator_loss(t);
    generator_backward(t);
    const double share = check_net_error(t->judge->net, BATCH) + check_net_error(generator, BATCH);
    assert_true(check_greatest(t->generator->gradients, (int)generator->n_parameters) > 1e-3);
    check_distance("generator", train_wgan_gradients(f.step, ANO_GENERATOR),
                   t->generator->gradients, (int)generator->n_parameters, share);
    twin_check_differences(t->generator, t->generator->gradients, generator_loss, t, 1e-8);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wgan_step__has_the_critics_losses_and_gradient),
        cmocka_unit_test(wgan_step__has_the_generators_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
