/* The gradients of the losses through whole networks, as the engine computes them, against central
 * finite differences of the same losses computed by the plain twins in double precision: those of
 * the discriminator's step, of the generator's step (through the discriminator), and of the latent
 * search. Every parameter of small networks is moved. Larger ones, where finite differences would
 * step over kinks, are held against the twins' gradients. */
#include "check.h"
#include "detect/latent.h"
#include "formula.h"
#include "model/networks.h"
#include "nn/loss.h"
#include "reference/reference.h"
#include "twin.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double STEP = 1e-6;
static const ano_model_config configs[] = {
    {.size = 8, .channels = 1, .latent = 3, .base_width = 2},
    {.size = 12, .channels = 3, .latent = 5, .base_width = 3},
};
enum { N_CONFIGS = sizeof configs / sizeof *configs, BATCH = 4 };

/* Both networks, the numbers that go in, and the twins' loss. */
typedef struct networks {
    nn_net *generator, *discriminator, *search; /* search: z = tanh(W z0 + b) */
    twin *G, *D, *S;
    int image, latent;            /* sizes */
    float *images, *latents, *z0; /* [2 BATCH], [BATCH] and 1 of them */
    double *wide_images, *wide_latents, *wide_z0;
} networks;

static networks *create(const ano_model_config *config)
{
    networks *n = calloc(1, sizeof *n);
    assert_non_null(n);
    const nn_layer_spec search[] = {{NN_DENSE, .name = "dense", .channels = config->latent},
                                    {.kind = NN_TANH, .name = "tanh"}};
    assert_int_equal(model_generator_create(&n->generator, config, NULL), ANO_OK);
    assert_int_equal(model_discriminator_create(&n->discriminator, config, NULL), ANO_OK);
    assert_int_equal(nn_net_create(&n->search, (nn_shape){1, 1, config->latent}, search, 2, NULL),
                     ANO_OK);
    formula_fill_net(n->generator, "generator");
    formula_fill_net(n->discriminator, "discriminator");
    formula_fill_net(n->search, "search");
    n->image = (int)nn_shape_size(n->generator->dst);
    n->latent = config->latent;
    n->images = check_floats(2 * BATCH * n->image);
    n->latents = check_floats(BATCH * n->latent);
    n->z0 = check_floats(n->latent);
    n->wide_images = check_doubles(2 * BATCH * n->image);
    n->wide_latents = check_doubles(BATCH * n->latent);
    n->wide_z0 = check_doubles(n->latent);
    check_random(n->wide_images, 2 * BATCH * n->image, 1);
    check_random(n->wide_latents, BATCH * n->latent, 2);
    check_random(n->wide_z0, n->latent, 3);
    check_narrow(n->images, n->wide_images, 2 * BATCH * n->image);
    check_narrow(n->latents, n->wide_latents, BATCH * n->latent);
    check_narrow(n->z0, n->wide_z0, n->latent);
    return n;
}

static void end(networks *n)
{
    twin *twins[] = {n->G, n->D, n->S};
    for (int i = 0; i < 3; i++)
        if (twins[i] != NULL)
            twin_free(twins[i]);
    nn_net_free(n->generator);
    nn_net_free(n->discriminator);
    nn_net_free(n->search);
    free(n->images);
    free(n->latents);
    free(n->z0);
    free(n->wide_images);
    free(n->wide_latents);
    free(n->wide_z0);
    free(n);
}

static nn_pass *pass(const nn_net *net, int batch, unsigned uses)
{
    nn_pass *made;
    assert_int_equal(nn_pass_create(&made, net, batch, uses, NULL), ANO_OK);
    return made;
}

/* got [n] may be off by `error` of the greatest of expected. */
static void compare_shares(const char *what, const float *got, const double *expected, int n,
                           double error)
{
    const double allowed = error * check_greatest(expected, n);
    double *tolerance = check_doubles(n);
    for (int i = 0; i < n; i++)
        tolerance[i] = allowed;
    check_close(what, got, expected, tolerance, n);
    free(tolerance);
}

/* The central difference of `loss`, a function of *parameter. */
static double difference(networks *n, double (*loss)(networks *n), double *parameter)
{
    const double value = *parameter;
    *parameter = value + STEP;
    const double above = loss(n);
    *parameter = value - STEP;
    const double below = loss(n);
    *parameter = value;
    return (above - below) / (2 * STEP);
}

/* Every gradient of `net` may be off by `error` of the greatest of its layer. */
static void compare_gradients(const nn_net *net, const float *gradients, const double *expected,
                              double error)
{
    for (int i = 0; i < net->n_layers; i++) {
        const nn_layer *layer = &net->layers[i];
        if (layer->n_tensors == 0)
            continue;
        /* kernel and bias, or gamma and beta, lie side by side */
        const nn_tensor *tensors = &net->tensors[layer->first_tensor];
        const size_t first = tensors[0].offset;
        compare_shares(layer->name, gradients + first, expected + first,
                       (int)(tensors[0].size + tensors[1].size), error);
    }
}

/* The same, against finite differences. */
static void compare(const nn_net *net, twin *t, const float *gradients, networks *n,
                    double (*loss)(networks *n), double error)
{
    double *expected = check_doubles((int)net->n_parameters);
    for (size_t i = 0; i < net->n_parameters; i++)
        expected[i] = difference(n, loss, &t->parameters[i]);
    compare_gradients(net, gradients, expected, error);
    free(expected);
}

/* The first half of the images is real, the second generated. */
static double discriminator_loss(networks *n)
{
    const double *logits = twin_forward(n->D, n->wide_images);
    return (reference_cross_entropy(logits, BATCH, 1) +
            reference_cross_entropy(logits + BATCH, BATCH, 0)) /
           2;
}

static void discriminator_step__has_its_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        networks *n = create(&configs[i]);
        const nn_net *net = n->discriminator;
        n->D = twin_create(net, 2 * BATCH, true);
        nn_pass *d = pass(net, 2 * BATCH, NN_TRAINING | NN_WEIGHT_GRADIENTS);
        float *gradients = check_floats((int)net->n_parameters), diff[2 * BATCH];
        double probability;
        const float *logits;
        assert_int_equal(nn_pass_forward(&logits, d, n->images, NULL), ANO_OK);
        const double loss =
            (nn_binary_cross_entropy(diff, &probability, logits, BATCH, 1, 0.5f / BATCH) +
             nn_binary_cross_entropy(diff + BATCH, &probability, logits + BATCH, BATCH, 0,
                                     0.5f / BATCH)) /
            (2 * BATCH);
        assert_int_equal(nn_pass_backward(NULL, d, diff, gradients, NULL), ANO_OK);
        const double error = check_net_error(net, 2 * BATCH);
        assert_true(fabs(loss - discriminator_loss(n)) <= error);
        compare(net, n->D, gradients, n, discriminator_loss, error);
        nn_pass_free(d);
        free(gradients);
        end(n);
    }
}

static double generator_loss(networks *n)
{
    const double *logits = twin_forward(n->D, twin_forward(n->G, n->wide_latents));
    return reference_cross_entropy(logits, BATCH, 1);
}

static void generator_step__has_its_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        networks *n = create(&configs[i]);
        n->G = twin_create(n->generator, BATCH, true);
        n->D = twin_create(n->discriminator, BATCH, true);
        nn_pass *g = pass(n->generator, BATCH, NN_TRAINING | NN_WEIGHT_GRADIENTS);
        nn_pass *d = pass(n->discriminator, BATCH, NN_TRAINING | NN_DATA_GRADIENT);
        float *gradients = check_floats((int)n->generator->n_parameters), diff[BATCH];
        double probability;
        const float *images, *logits, *diff_images;
        assert_int_equal(nn_pass_forward(&images, g, n->latents, NULL), ANO_OK);
        assert_int_equal(nn_pass_forward(&logits, d, images, NULL), ANO_OK);
        const double loss =
            nn_binary_cross_entropy(diff, &probability, logits, BATCH, 1, 1.0f / BATCH) / BATCH;
        assert_int_equal(nn_pass_backward(&diff_images, d, diff, NULL, NULL), ANO_OK);
        assert_int_equal(nn_pass_backward(NULL, g, diff_images, gradients, NULL), ANO_OK);
        const double error =
            check_net_error(n->generator, BATCH) + check_net_error(n->discriminator, BATCH);
        assert_true(fabs(loss - generator_loss(n)) <= error);
        compare(n->generator, n->G, gradients, n, generator_loss, error);
        nn_pass_free(g);
        nn_pass_free(d);
        free(gradients);
        end(n);
    }
}

static double search_loss(networks *n)
{
    const double *generated = twin_forward(n->G, twin_forward(n->S, n->wide_z0));
    return reference_residual(n->wide_images, generated, n->image);
}

/* A pass of the generator as the search has it, folded. */
typedef struct folded_pass {
    detect_folded *generator;
    detect_folded_pass *pass;
} folded_pass;

static folded_pass fold(const nn_net *generator)
{
    folded_pass f;
    assert_int_equal(detect_folded_create(&f.generator, generator, NULL), ANO_OK);
    assert_int_equal(detect_folded_pass_create(&f.pass, f.generator, DETECT_FOLDED_GROUP, NULL),
                     ANO_OK);
    return f;
}

static void fold_end(folded_pass *f)
{
    detect_folded_pass_free(f->pass);
    detect_folded_free(f->generator);
}

static void latent_search__has_its_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        networks *n = create(&configs[i]);
        n->S = twin_create(n->search, 1, false);
        n->G = twin_create(n->generator, 1, false);
        nn_pass *s = pass(n->search, 1, NN_WEIGHT_GRADIENTS);
        folded_pass g = fold(n->generator);
        float *gradients = check_floats((int)n->search->n_parameters);
        float *diff = check_floats(n->image);
        const float *z;
        assert_int_equal(nn_pass_forward(&z, s, n->z0, NULL), ANO_OK);
        const float *generated = detect_folded_forward(g.pass, z, 1);
        const double loss = nn_residual(diff, n->images, generated, (size_t)n->image);
        const float *diff_z = detect_folded_backward(g.pass, diff, 1);
        assert_int_equal(nn_pass_backward(NULL, s, diff_z, gradients, NULL), ANO_OK);
        const double error = check_net_error(n->search, 1) + check_net_error(n->generator, 1);
        assert_true(fabs(loss - search_loss(n)) <= error * sqrt(n->image));
        compare(n->search, n->S, gradients, n, search_loss, error);
        nn_pass_free(s);
        fold_end(&g);
        free(gradients);
        free(diff);
        end(n);
    }
}

/* For groups of every size, and at the real size. */
static void folded_generator__matches_its_twin(void **state)
{
    (void)state;
    const struct {
        ano_model_config config;
        int n;
    } cases[] = {{{8, 1, 3, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, DETECT_FOLDED_GROUP},
                 {{12, 3, 5, 3, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 1},
                 {{20, 2, 17, 9, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 4},
                 {{28, 1, 30, 64, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 2},
                 {{32, 3, 5, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 2},
                 {{64, 1, 3, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nn_net *net;
        assert_int_equal(model_generator_create(&net, &cases[i].config, NULL), ANO_OK);
        formula_fill_net(net, "generator");
        folded_pass folded = fold(net);
        const int most = cases[i].n, latent = cases[i].config.latent;
        const int image = (int)nn_shape_size(net->dst);
        double *z = check_doubles(most * latent), *diff = check_doubles(most * image);
        float *z_floats = check_floats(most * latent), *diff_floats = check_floats(most * image);
        check_random(z, most * latent, 1);
        check_random(diff, most * image, 2);
        check_narrow(z_floats, z, most * latent);
        check_narrow(diff_floats, diff, most * image);
        for (int n = 1; n <= most; n++) {
            twin *t = twin_create(net, n, false);
            const double error = check_net_error(net, n);
            compare_shares("generated", detect_folded_forward(folded.pass, z_floats, (size_t)n),
                           twin_forward(t, z), n * image, error);
            compare_shares("diff_z", detect_folded_backward(folded.pass, diff_floats, (size_t)n),
                           twin_backward(t, diff), n * latent, error);
            twin_free(t);
        }
        fold_end(&folded);
        nn_net_free(net);
        free(z);
        free(diff);
        free(z_floats);
        free(diff_floats);
    }
}

enum { ITERATIONS = 20, IMAGES = 3 };

/* Searches for all images together: their traces, and the weights that the searches end with. */
static void run_searches(float *trace, float *weights, const networks *n,
                         const detect_folded *generator, double rate)
{
    const detect_latent_options how = {.iterations = ITERATIONS, .rate = rate};
    const size_t n_weights = n->search->n_parameters;
    detect_latent_batch *batch;
    assert_int_equal(detect_latent_create(&batch, generator, (size_t)n->latent, (size_t)n->image,
                                          IMAGES, how, NULL),
                     ANO_OK);
    for (size_t i = 0; i < IMAGES; i++)
        detect_latent_add(batch, n->images + i * (size_t)n->image,
                          (detect_latent_start){n->z0, n->search->parameters}, i,
                          trace + i * ITERATIONS);
    while (!detect_latent_is_empty(batch)) {
        assert_int_equal(detect_latent_step(batch, NULL), ANO_OK);
        for (detect_latent_found found; detect_latent_take(&found, batch);)
            memcpy(weights + found.id * n_weights, found.weights, n_weights * sizeof *weights);
    }
    detect_latent_free(batch);
}

/* The whole search, Adam and all, beside a twin of it in double precision. A residual sums the
 * errors of as many pixels, which have no reason to add up; a weight is rounded once an iteration,
 * and moved by the rate as the gradient would have it. */
static void latent_search__follows_its_twin(void **state)
{
    (void)state;
    const reference_adam_options adam = {1e-2, 0.9, 0.999, 1e-7};
    for (int i = 0; i < N_CONFIGS; i++) {
        networks *n = create(&configs[i]);
        const nn_net *net = n->search;
        const nn_tensor *bias = nn_net_find(net, "dense.bias");
        memset(nn_net_data(net, bias), 0, bias->size * sizeof(float));
        const int n_weights = (int)net->n_parameters;
        float trace[IMAGES * ITERATIONS], *weights = check_floats(IMAGES * n_weights);
        folded_pass folded = fold(n->generator);
        run_searches(trace, weights, n, folded.generator, adam.learning_rate);
        const double error = check_net_error(net, 1) + check_net_error(n->generator, 1);
        const double weight_error = ITERATIONS * (FLT_EPSILON / 2 + adam.learning_rate * error);
        n->G = twin_create(n->generator, 1, false);
        double *m = check_doubles(n_weights), *v = check_doubles(n_weights);
        double *diff = check_doubles(n->image), *tolerance = check_doubles(n_weights);
        for (int image = 0; image < IMAGES; image++) {
            const double *x = n->wide_images + image * n->image;
            double expected[ITERATIONS], allowed[ITERATIONS];
            n->S = twin_create(net, 1, false);
            memset(m, 0, (size_t)n_weights * sizeof *m);
            memset(v, 0, (size_t)n_weights * sizeof *v);
            for (int t = 0; t <= ITERATIONS; t++) {
                const double *made = twin_forward(n->G, twin_forward(n->S, n->wide_z0));
                if (t > 0) {
                    expected[t - 1] = reference_residual(x, made, n->image);
                    allowed[t - 1] = error * sqrt(n->image);
                }
                if (t == ITERATIONS)
                    break;
                reference_residual_backward(diff, x, made, n->image);
                twin_backward(n->S, twin_backward(n->G, diff));
                reference_adam(n->S->parameters, m, v, n->S->gradients, n_weights, adam,
                               reference_adam_rate(adam, t + 1));
            }
            for (int k = 0; k < n_weights; k++)
                tolerance[k] = weight_error;
            check_close("trace", trace + image * ITERATIONS, expected, allowed, ITERATIONS);
            check_close("weights", weights + image * n_weights, n->S->parameters, tolerance,
                        n_weights);
            twin_free(n->S);
            n->S = NULL;
        }
        fold_end(&folded);
        free(weights);
        free(m);
        free(v);
        free(diff);
        free(tolerance);
        end(n);
    }
}

/* A training pass of the net, whose numbers are filled in, forward and back, beside its twin's. */
static void check_training_pass(const nn_net *net, int batch, double error)
{
    const int n_src = batch * (int)nn_shape_size(net->src);
    const int n_dst = batch * (int)nn_shape_size(net->dst);
    double *src = check_doubles(n_src), *diff_dst = check_doubles(n_dst);
    float *src_floats = check_floats(n_src), *diff_floats = check_floats(n_dst);
    float *gradients = check_floats((int)net->n_parameters);
    check_random(src, n_src, 1);
    check_random(diff_dst, n_dst, 2);
    check_narrow(src_floats, src, n_src);
    check_narrow(diff_floats, diff_dst, n_dst);
    twin *t = twin_create(net, batch, true);
    nn_pass *p = pass(net, batch, NN_TRAINING | NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS);
    const float *dst, *diff_src;
    assert_int_equal(nn_pass_forward(&dst, p, src_floats, NULL), ANO_OK);
    compare_shares("dst", dst, twin_forward(t, src), n_dst, error);
    assert_int_equal(nn_pass_backward(&diff_src, p, diff_floats, gradients, NULL), ANO_OK);
    compare_shares("diff_src", diff_src, twin_backward(t, diff_dst), n_src, error);
    compare_gradients(net, gradients, t->gradients, error);
    nn_pass_free(p);
    twin_free(t);
    free(src);
    free(diff_dst);
    free(src_floats);
    free(diff_floats);
    free(gradients);
}

/* An order of layers that no model has: activations first, last, and after each other, reshapes
 * between, so that passes cannot have them all work in place. */
static void layers__in_any_order_match_their_twin(void **state)
{
    (void)state;
    const nn_layer_spec specs[] = {
        {NN_LEAKY_RELU, .name = "leaky_relu_1", .slope = 0.3f},
        {.kind = NN_TANH, .name = "tanh_1"},
        {NN_CONV, .name = "conv", .channels = 4, .kernel = 3},
        {.kind = NN_TANH, .name = "tanh_2"},
        {NN_LEAKY_RELU, .name = "leaky_relu_2", .slope = 0.1f},
        {NN_RESHAPE, .name = "reshape_1", .shape = {3, 10, 4}},
        {.kind = NN_BATCH_NORM, .name = "batch_norm_1"},
        {NN_RESHAPE, .name = "reshape_2", .shape = {6, 5, 4}},
        {.kind = NN_TANH, .name = "tanh_3"},
        {NN_MAX_POOL, .name = "max_pool", .kernel = 2},
        {.kind = NN_BATCH_NORM, .name = "batch_norm_2"},
        {NN_CONV_TRANSPOSED, .name = "conv_transposed", .channels = 3, .kernel = 2},
        {NN_DENSE, .name = "dense", .channels = 7},
        {NN_LEAKY_RELU, .name = "leaky_relu_3", .slope = 0.2f},
        {.kind = NN_TANH, .name = "tanh_4"},
    };
    nn_net *net;
    assert_int_equal(
        nn_net_create(&net, (nn_shape){6, 5, 2}, specs, sizeof specs / sizeof *specs, NULL),
        ANO_OK);
    formula_fill_net(net, "layers");
    check_training_pass(net, BATCH, check_net_error(net, BATCH));
    nn_net_free(net);
}

/* Of two blocks and of three. Narrow ones: among few numbers hardly one is so near a kink that
 * rounding takes it to the other side. */
static void larger_networks__match_their_twins(void **state)
{
    (void)state;
    static const ano_model_config larger[] = {{32, 3, 5, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD},
                                              {64, 1, 5, 2, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD}};
    for (int i = 0; i < 2; i++) {
        nn_net *nets[2];
        assert_int_equal(model_generator_create(&nets[0], &larger[i], NULL), ANO_OK);
        assert_int_equal(model_discriminator_create(&nets[1], &larger[i], NULL), ANO_OK);
        formula_fill_net(nets[0], "generator");
        formula_fill_net(nets[1], "discriminator");
        for (int n = 0; n < 2; n++) {
            check_training_pass(nets[n], BATCH, check_net_error(nets[n], BATCH));
            nn_net_free(nets[n]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers__in_any_order_match_their_twin),
        cmocka_unit_test(larger_networks__match_their_twins),
        cmocka_unit_test(discriminator_step__has_its_gradients),
        cmocka_unit_test(generator_step__has_its_gradients),
        cmocka_unit_test(folded_generator__matches_its_twin),
        cmocka_unit_test(latent_search__has_its_gradients),
        cmocka_unit_test(latent_search__follows_its_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
