/* A training step of a GAN, by each of its losses: the discriminator's and the generator's losses
 * and gradients against twins of both networks, and those against central finite differences in
 * double precision. The penalty by itself, by every kernel, is in tests/check/penalty.c, and
 * spectral normalisation in spectral.c.
 *
 * Rounding makes the numbers and gradients of a net off by a share of them, check_net_error(), and
 * generated images bring the generator's share along. The discriminator's gradient is a sum: by
 * real images, by generated ones, which the first nearly takes away, and of the penalty, which has
 * as many sums going up as going down, √2 of the share, and grows as check_penalty_amplification()
 * says. Where images lie, between kinks, makes no difference to it, but with a cross-entropy what
 * the discriminator says does: σ has a slope of 1/4 at most. So what each of these may be off by is
 * added up, and their sum is compared with that.
 *
 * Of spectral normalisation the power method has come to rest before the step, so that each kernel
 * and what it is divided by are off by a few roundings, SPECTRAL; the gradient goes through
 * (G - (G · W̄) v uᵀ) / σ, which makes what G is off by (1 + |W̄|) / σ times as much at most. */
#include "base/random.h"
#include "check.h"
#include "formula.h"
#include "reference/reference.h"
#include "train/gan.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 4, LATENT = 3, SIZE = 8, IMAGE = SIZE * SIZE, LATENTS = BATCH * LATENT };
enum { STEP = TRAIN_GAN_CRITIC_STEPS - 1 }; /* which trains the generator, too */
static const double WEIGHT = 10, SPECTRAL = 1e-6;
static const double MARGIN = 1e-4; /* from kinks, beyond what rounding and differences reach */

typedef struct variant {
    ano_gan_loss loss;
    double smoothing;
    bool normalised;
    ano_prior prior;
} variant;

/* All of a step in double precision. */
typedef struct step_twin {
    variant variant;
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

/* The mean over one half of the images, real or generated. */
static double half_loss(const step_twin *t, const double *outputs, int half)
{
    const double *of = outputs + half * BATCH, side = half == 0 ? 1 : -1;
    const double label = half == 0 ? 1 - t->variant.smoothing : 0;
    switch (t->variant.loss) {
    case ANO_GAN_LOSS_BCE:
        return reference_cross_entropy(of, BATCH, label) / 2;
    case ANO_GAN_LOSS_HINGE:
        return reference_hinge(of, BATCH, side);
    default:
        return reference_wasserstein(of, BATCH, side);
    }
}

static void half_backward(double *diff, const step_twin *t, const double *outputs, int half)
{
    const double *of = outputs + half * BATCH, side = half == 0 ? 1 : -1;
    const double label = half == 0 ? 1 - t->variant.smoothing : 0;
    switch (t->variant.loss) {
    case ANO_GAN_LOSS_BCE:
        reference_cross_entropy_backward(diff, of, BATCH, label);
        for (int i = 0; i < BATCH; i++)
            diff[i] /= 2;
        break;
    case ANO_GAN_LOSS_HINGE:
        reference_hinge_backward(diff, of, BATCH, side);
        break;
    default:
        reference_wasserstein_backward(diff, BATCH, side);
    }
}

static double critic_loss(void *cookie)
{
    step_twin *t = cookie;
    const double *outputs = twin_forward(t->critic, t->images);
    const double loss = half_loss(t, outputs, 0) + half_loss(t, outputs, 1);
    return t->variant.loss == ANO_GAN_LOSS_WASSERSTEIN ? loss + penalty_of(t) : loss;
}

static const double *outputs_of(const twin *t)
{
    return t->layers[t->net->n_layers - 1].dst;
}

/* Adds the critic's gradient by one half of the images; returns its length. */
static double add_half(double *gradients, step_twin *t, int half)
{
    const int n = (int)t->critic->net->n_parameters;
    double diff[2 * BATCH] = {0};
    half_backward(diff + half * BATCH, t, outputs_of(t->critic), half);
    twin_backward(t->critic, diff);
    for (int i = 0; i < n; i++)
        gradients[i] += t->critic->gradients[i];
    return check_length(t->critic->gradients, n);
}

/* The mean over all images of the lengths of their outputs' gradients. */
static double mean_slope(step_twin *t)
{
    double sum = 0;
    for (int i = 0; i < 2 * BATCH; i++) {
        double diff[2 * BATCH] = {0};
        diff[i] = 1;
        twin_backward(t->critic, diff);
        sum += check_length(t->critic->gradients, (int)t->critic->net->n_parameters);
    }
    return sum / (2 * BATCH);
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
    const double *outputs = twin_forward(t->judge, twin_forward(t->generator, t->z_g));
    return t->variant.loss == ANO_GAN_LOSS_BCE ? reference_cross_entropy(outputs, BATCH, 1)
                                               : reference_wasserstein(outputs, BATCH, 1);
}

/* After it: into the gradients of the generator's twin. */
static void generator_backward(step_twin *t)
{
    double diff[BATCH];
    if (t->variant.loss == ANO_GAN_LOSS_BCE)
        reference_cross_entropy_backward(diff, outputs_of(t->judge), BATCH, 1);
    else
        reference_wasserstein_backward(diff, BATCH, 1);
    twin_backward(t->generator, twin_backward(t->judge, diff));
}

/* ---- set-up -------------------------------------------------------------------------------- */

static void draw_latents(double *dst, ano_prior prior, uint64_t seed, base_purpose purpose)
{
    float numbers[LATENTS];
    if (prior == ANO_PRIOR_NORMAL)
        base_random_normal(numbers, LATENTS, (base_random){seed, purpose, STEP});
    else
        base_random_uniform(numbers, LATENTS, -1, 1, (base_random){seed, purpose, STEP});
    check_widen(dst, numbers, LATENTS);
}

static void draw_shares(double *dst, uint64_t seed)
{
    float numbers[BATCH];
    base_random_uniform(numbers, BATCH, 0, 1, (base_random){seed, BASE_PURPOSE_PENALTY, STEP});
    check_widen(dst, numbers, BATCH);
}

/* The least distance of the discriminator's outputs from where a hinge turns. */
static double distance_from_hinges(const step_twin *t)
{
    double least = INFINITY;
    for (int i = 0; i < 2 * BATCH && t->variant.loss == ANO_GAN_LOSS_HINGE; i++)
        least = fmin(least, fabs(1 - (i < BATCH ? 1 : -1) * outputs_of(t->critic)[i]));
    return least;
}

/* How near both halves of the step come to a kink. */
static double distance_from_kinks(step_twin *t)
{
    generate(t);
    critic_loss(t); /* the generator, in whose images the critic has no gradient, may be on one */
    double least = fmin(twin_distance_from_kinks(t->critic), distance_from_hinges(t));
    if (t->variant.loss == ANO_GAN_LOSS_WASSERSTEIN)
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
        draw_latents(t->z_d, t->variant.prior, seed, BASE_PURPOSE_LATENT_D);
        draw_latents(t->z_g, t->variant.prior, seed, BASE_PURPOSE_LATENT_G);
        draw_shares(t->e, seed);
        if (distance_from_kinks(t) >= MARGIN)
            return seed;
    }
    fail_msg("no images lie %g from the kinks", MARGIN);
    return 0;
}

typedef struct fixture {
    ano_model *model;
    nn_adam adam[MODEL_NETWORKS];
    train_weights weights;
    train_gan *step;
    train_gan_result result;
    step_twin *twin;
} fixture;

/* Kernels whose largest singular value lies well apart from the next. */
static void fill_apart(nn_net *net)
{
    base_random_uniform(net->parameters, net->n_parameters, -0.5f, 1,
                        (base_random){1, BASE_PURPOSE_TEST, 0});
}

/* The twin drawn, and the step run. The optimisers have rate 0, so that the generator meets the
 * discriminator as it was. */
static fixture create(variant v)
{
    enum { TO_REST = 300 };
    static const ano_network trained[] = {ANO_DISCRIMINATOR, ANO_GENERATOR};
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER, v.prior};
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    fixture f = {.twin = calloc(1, sizeof *f.twin)};
    step_twin *t = f.twin;
    assert_non_null(t);
    t->variant = v;
    assert_int_equal(ano_model_create(&f.model, &config, 1, NULL), ANO_OK);
    for (int i = 0; i < 2; i++) {
        nn_net *net = f.model->networks[trained[i]];
        formula_fill_net(net, ano_network_name(trained[i]));
        assert_int_equal(nn_adam_init(&f.adam[trained[i]], net->n_parameters, 0, 0.9, 0.999, NULL),
                         ANO_OK);
    }
    if (v.normalised)
        fill_apart(f.model->networks[ANO_DISCRIMINATOR]);
    options.batch = BATCH;
    options.gan_loss = v.loss;
    options.label_smoothing = v.smoothing;
    options.spectral_norm = v.normalised;
    assert_int_equal(train_weights_init(&f.weights, f.model, &options, NULL), ANO_OK);
    for (int i = 0; i < TO_REST; i++)
        train_weights_normalise(&f.weights);
    t->critic = twin_create(f.model->networks[ANO_DISCRIMINATOR], 2 * BATCH, true);
    t->penalised = twin_create(f.model->networks[ANO_DISCRIMINATOR], BATCH, true);
    t->judge = twin_create(f.model->networks[ANO_DISCRIMINATOR], BATCH, true);
    t->generator = twin_create(f.model->networks[ANO_GENERATOR], BATCH, true);
    options.seed = draw(t);
    assert_int_equal(train_gan_create(&f.step, &f.weights, f.adam, &options, NULL), ANO_OK);
    check_narrow(train_gan_images(f.step), t->images, BATCH * IMAGE);
    assert_int_equal(train_gan_run(&f.result, f.step, STEP, NULL), ANO_OK);
    return f;
}

static void clear(fixture *f)
{
    twin_free(f->twin->critic);
    twin_free(f->twin->penalised);
    twin_free(f->twin->judge);
    twin_free(f->twin->generator);
    free(f->twin);
    train_gan_free(f->step);
    train_weights_clear(&f->weights);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        nn_adam_clear(&f->adam[i]);
    ano_model_free(f->model);
}

/* ---- checks -------------------------------------------------------------------------------- */

static void check_number(const char *what, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s: %.9g, not %.9g (allowed %.3g)", what, got, expected, tolerance);
}

/* What rounding makes of the discriminator's numbers, as a share of them. */
static double discriminator_share(const fixture *f, int batch)
{
    const nn_net *net = f->twin->critic->net;
    int n_kernels = 0;
    for (int i = 0; i < net->n_tensors; i++)
        n_kernels += net->tensors[i].n_dims > 1;
    return check_net_error(net, batch) + (f->weights.normalised ? n_kernels * SPECTRAL : 0);
}

/* The mean of what the twin says of one half of the images. */
static double mean_said(const step_twin *t, int half)
{
    double sum = 0;
    for (int i = half * BATCH; i < (half + 1) * BATCH; i++) {
        const double output = outputs_of(t->critic)[i];
        sum += t->variant.loss == ANO_GAN_LOSS_BCE ? 1 / (1 + exp(-output)) : output;
    }
    return sum / BATCH;
}

/* The gradient by W of a kernel from that by W̄, in place; how much more it may be off by. */
static double kernel_backward(double *gradient, const nn_tensor *tensor, const fixture *f)
{
    const int size = (int)tensor->size, columns = (int)tensor->dims[tensor->n_dims - 1];
    const int rows = size / columns;
    double *kernel = check_doubles(size), *by_normal = check_doubles(size);
    double *left = check_doubles(rows), *right = check_doubles(columns);
    check_widen(kernel, f->weights.spectral.parameters + tensor->offset, size);
    memcpy(by_normal, gradient, tensor->size * sizeof *gradient);
    const double largest = reference_spectral_norm(left, right, kernel, rows, columns);
    reference_spectral_backward(gradient, by_normal, kernel, largest, left, right, rows, columns);
    const double growth = (1 + check_length(kernel, size) / largest) / largest;
    free(kernel);
    free(by_normal);
    free(left);
    free(right);
    return growth;
}

/* The same of all kernels. */
static double normal_backward(double *gradients, const fixture *f)
{
    const nn_net *net = f->twin->critic->net;
    double growth = 1;
    for (int i = 0; i < net->n_tensors && f->weights.normalised; i++)
        if (net->tensors[i].n_dims > 1)
            growth = fmax(growth,
                          kernel_backward(gradients + net->tensors[i].offset, &net->tensors[i], f));
    return growth;
}

static void check_discriminator(variant v)
{
    fixture f = create(v);
    step_twin *t = f.twin;
    const bool penalises = v.loss == ANO_GAN_LOSS_WASSERSTEIN;
    const int n = (int)t->critic->net->n_parameters;
    double *gradients = check_doubles(n);
    generate(t);
    const double loss = critic_loss(t), penalty = penalises ? penalty_of(t) : 0;
    const double by_critic = discriminator_share(&f, 2 * BATCH);
    const double by_generator = check_net_error(t->generator->net, BATCH);
    const double of_penalty =
        penalises ? sqrt(2) * by_critic *
                        check_penalty_amplification(t->penalised->diff_src, BATCH, IMAGE)
                  : 0;
    const double of_outputs =
        (by_critic + by_generator) * check_greatest(outputs_of(t->critic), 2 * BATCH);
    check_number("penalty", f.result.penalty, penalty, 2 * of_penalty * penalty);
    check_number("d_loss", f.result.d_loss, loss, 2 * of_outputs + 2 * of_penalty * penalty);
    check_number("d_real", f.result.d_real, mean_said(t, 0), of_outputs);
    check_number("d_fake", f.result.d_fake, mean_said(t, 1), of_outputs);
    if (penalises)
        check_number("g_loss", f.result.g_loss, -mean_said(t, 1), of_outputs);

    double off = by_critic * add_half(gradients, t, 0) +
                 (by_critic + by_generator) * add_half(gradients, t, 1);
    if (penalises)
        off += of_penalty * add_penalty(gradients, t);
    if (v.loss == ANO_GAN_LOSS_BCE)
        off += of_outputs / 4 * mean_slope(t);
    twin_check_differences(t->critic, gradients, critic_loss, t, 1e-8 * (1 + penalty));
    off *= normal_backward(gradients, &f);
    const double length = check_length(gradients, n);
    assert_true(off < 1e-3 * length); /* so that it says something */
    check_distance("discriminator", train_gan_gradients(f.step, ANO_DISCRIMINATOR), gradients, n,
                   off / length);
    free(gradients);
    clear(&f);
}

static void check_generator(variant v)
{
    fixture f = create(v);
    step_twin *t = f.twin;
    const nn_net *generator = t->generator->net;
    const double loss = generator_loss(t);
    generator_backward(t);
    double share = discriminator_share(&f, BATCH) + check_net_error(generator, BATCH);
    const double of_outputs = share * check_greatest(outputs_of(t->judge), BATCH);
    if (v.loss != ANO_GAN_LOSS_WASSERSTEIN)
        check_number("g_loss", f.result.g_loss, loss, of_outputs);
    if (v.loss == ANO_GAN_LOSS_BCE) /* σ - 1, which has that share of slope and no more */
        share += of_outputs;
    assert_true(check_greatest(t->generator->gradients, (int)generator->n_parameters) > 1e-3);
    check_distance("generator", train_gan_gradients(f.step, ANO_GENERATOR), t->generator->gradients,
                   (int)generator->n_parameters, share);
    twin_check_differences(t->generator, t->generator->gradients, generator_loss, t, 1e-8);
    clear(&f);
}

static const variant wasserstein = {ANO_GAN_LOSS_WASSERSTEIN, 0, false, ANO_PRIOR_UNIFORM},
                     cross_entropy = {ANO_GAN_LOSS_BCE, 0.1, false, ANO_PRIOR_UNIFORM},
                     hinge = {ANO_GAN_LOSS_HINGE, 0, false, ANO_PRIOR_NORMAL};

static variant normalised(variant v)
{
    v.normalised = true;
    return v;
}

static void gan_step__has_the_gradients_of_the_wasserstein_loss(void **state)
{
    (void)state;
    check_discriminator(wasserstein);
    check_generator(wasserstein);
}

static void gan_step__has_the_gradients_of_cross_entropy_and_smoothed_labels(void **state)
{
    (void)state;
    check_discriminator(cross_entropy);
    check_generator(cross_entropy);
}

static void gan_step__has_the_gradients_of_the_hinge_loss(void **state)
{
    (void)state;
    check_discriminator(hinge);
    check_generator(hinge);
}

static void gan_step__has_the_gradients_by_kernels_that_are_normalised(void **state)
{
    (void)state;
    check_discriminator(normalised(wasserstein));
    check_discriminator(normalised(cross_entropy));
    check_discriminator(normalised(hinge));
    check_generator(normalised(hinge));
}

/* The discriminator's cross-entropy, where it says p of real images, the smoothed label less, and
 * is sure of generated ones. */
static double smoothed_loss(double p)
{
    const double label = 1 - cross_entropy.smoothing;
    return -(label * log(p) + (1 - label) * log1p(-p)) / 2;
}

static void excess__is_what_a_loss_has_above_the_least(void **state)
{
    (void)state;
    fixture f = create(cross_entropy);
    assert_true(fabs(train_gan_excess(f.step, smoothed_loss(1 - cross_entropy.smoothing))) < 1e-7);
    for (double p = 0.05; p < 1; p += 0.1)
        assert_true(train_gan_excess(f.step, smoothed_loss(p)) > -1e-7);
    assert_true(train_gan_excess(f.step, smoothed_loss(0.5)) > 0.1);
    clear(&f);
    f = create(hinge);
    assert_true(train_gan_excess(f.step, 0.25) == 0.25);
    clear(&f);
    f = create(wasserstein);
    assert_true(isinf(train_gan_excess(f.step, -1e9)));
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gan_step__has_the_gradients_of_the_wasserstein_loss),
        cmocka_unit_test(gan_step__has_the_gradients_of_cross_entropy_and_smoothed_labels),
        cmocka_unit_test(gan_step__has_the_gradients_of_the_hinge_loss),
        cmocka_unit_test(gan_step__has_the_gradients_by_kernels_that_are_normalised),
        cmocka_unit_test(excess__is_what_a_loss_has_above_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
