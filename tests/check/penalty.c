/* The gradient penalty of WGAN-GP and nn_pass_tangent() under it: with every way of convolving and
 * every set of kernels against the plain twin, and that against central finite differences of the
 * penalty in double precision, which know nothing of tangents.
 *
 * Where a leaky ReLU or a maximum turns, the gradient by an image jumps and the penalty has no
 * derivative. So images are drawn until one lies further from every kink than a share MARGIN of its
 * layer's root mean square: more than rounding and the steps of the differences reach.
 *
 * Distances of all numbers of a tensor are compared with their length. A convolution's rounding may
 * make a share of it, as in tests/check/fused.c; a gradient here comes from a chain of L products
 * down, one of L up and one of weights, whose errors have no reason to add up and do so as squares:
 * √(2 L + 1). What g is off by, v is off by check_penalty_amplification() times. */
#include "check.h"
#include "formula.h"
#include "kernels/kernels.h"
#include "model/networks.h"
#include "nn/choose.h"
#include "reference/reference.h"
#include "train/penalty.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MAX_SETS = 8, WIDE = 64 };
static const double WEIGHT = 10;

/* kernels_get() gives this set: the program is linked so that all calls of it come here. */
static const kernels *set;
const kernels *__wrap_kernels_get(void);
const kernels *__wrap_kernels_get(void)
{
    return set;
}

static const kernels *fastest(void)
{
    const kernels *sets[MAX_SETS];
    return sets[kernels_available(sets, MAX_SETS) - 1];
}

static const struct way {
    ano_conv conv;
    const char *name;
    double share; /* that rounding may make */
    double kinks; /* the least margin that rounding does not cross */
} ways[] = {{ANO_CONV_DIRECT, "direct", 1e-6, 1e-5},
            {ANO_CONV_WINOGRAD, "winograd", 1e-5, 3e-4},
            {ANO_CONV_FFT, "fft", 1e-6, 1e-5}};
enum { N_WAYS = sizeof ways / sizeof *ways };

/* ---- images between pairs, away from kinks -------------------------------------------------- */

/* n pairs, their shares e, and the images between them, which `margin` keeps from kinks. */
typedef struct pairs {
    int n, image;
    float *real, *generated, *e;
    double *mixed;
} pairs;

static pairs pairs_create(const nn_net *critic, int n, double margin)
{
    enum { MOST_DRAWS = 200 };
    const int image = (int)nn_shape_size(critic->src);
    pairs p = {n,
               image,
               check_floats(n * image),
               check_floats(n * image),
               check_floats(n),
               check_doubles(n * image)};
    twin *t = twin_create(critic, 1, true);
    double *numbers = check_doubles(2 * image + 1);
    uint64_t stream = 0;
    for (int i = 0; i < n; i++) {
        float *real = p.real + i * image, *generated = p.generated + i * image;
        do {
            if (++stream == MOST_DRAWS)
                fail_msg("no image lies %g from the kinks", margin);
            check_random(numbers, 2 * image + 1, stream);
            check_narrow(real, numbers, image);
            check_narrow(generated, numbers + image, image);
            p.e[i] = (float)(numbers[2 * image] / 2 + 0.5);
            for (int k = 0; k < image; k++)
                p.mixed[i * image + k] =
                    (double)p.e[i] * (double)real[k] + (1 - (double)p.e[i]) * (double)generated[k];
            twin_forward(t, p.mixed + i * image);
        } while (!(twin_distance_from_kinks(t) >= margin));
    }
    twin_free(t);
    free(numbers);
    return p;
}

static void pairs_free(pairs *p)
{
    free(p->real);
    free(p->generated);
    free(p->e);
    free(p->mixed);
}

/* ---- the twin ------------------------------------------------------------------------------ */

/* The gradients of the outputs by their own images, lent. */
static const double *twin_gradients(twin *t, const pairs *p)
{
    double *ones = check_doubles(p->n);
    for (int i = 0; i < p->n; i++)
        ones[i] = 1;
    twin_forward(t, p->mixed);
    const double *g = twin_backward(t, ones);
    free(ones);
    return g;
}

/* A twin and the images between pairs. */
typedef struct penalised {
    twin *twin;
    const pairs *pairs;
} penalised;

static double twin_penalty(void *cookie)
{
    const penalised *of = cookie;
    const pairs *p = of->pairs;
    return reference_penalty(twin_gradients(of->twin, p), p->n, p->image, WEIGHT);
}

/* The penalty's gradient by the parameters, into t->gradients. */
static void twin_penalty_backward(twin *t, const pairs *p)
{
    double *v = check_doubles(p->n * p->image);
    reference_penalty_backward(v, twin_gradients(t, p), p->n, p->image, WEIGHT);
    twin_tangent(t, v);
    free(v);
}

static double mean_norm(const double *g, const pairs *p)
{
    double sum = 0;
    for (int i = 0; i < p->n; i++)
        sum += check_length(g + i * p->image, p->image);
    return sum / p->n;
}

/* ---- critics ------------------------------------------------------------------------------- */

static nn_net *critic_create(int size, int channels, int width)
{
    const ano_model_config config = {
        .size = size, .channels = channels, .latent = 1, .base_width = width};
    nn_net *net;
    assert_int_equal(model_discriminator_create(&net, &config, NULL), ANO_OK);
    formula_fill_net(net, "discriminator");
    return net;
}

static int layers_with_weights(const nn_net *net)
{
    int n = 0;
    for (int i = 0; i < net->n_layers; i++)
        n += net->layers[i].n_tensors > 0;
    return n;
}

/* The engine's penalty and its gradient [n_parameters]: half of what two calls add, to the bit. */
static train_penalty_result run_penalty(float *gradients, const nn_net *net, const pairs *p)
{
    ano_error err = ANO_ERROR_INIT;
    train_penalty *penalty;
    train_penalty_result result;
    memset(gradients, 0, net->n_parameters * sizeof *gradients);
    if (train_penalty_create(&penalty, net, p->n, &err) != ANO_OK)
        fail_msg("%s", err.message);
    for (int call = 0; call < 2; call++)
        assert_int_equal(train_penalty_add(&result, penalty, p->real, p->generated, p->e, WEIGHT,
                                           gradients, &err),
                         ANO_OK);
    for (size_t i = 0; i < net->n_parameters; i++)
        gradients[i] /= 2;
    train_penalty_free(penalty);
    return result;
}

/* The engine's penalty and its gradient, against the twin's: the gradients g by the images and
 * those by the parameters. */
static void check_penalty(nn_net *net, const pairs *p, const double *g, const double *expected,
                          const struct way *way)
{
    print_message("%s kernels, %s, %dx%dx%dx%d\n", set->name, way->name, p->n, net->src.h,
                  net->src.w, net->src.c);
    float *gradients = check_floats((int)net->n_parameters);
    assert_int_equal(nn_choose_methods(net, way->conv, p->n, NULL), ANO_OK);
    const train_penalty_result result = run_penalty(gradients, net, p);
    const double share = way->share * sqrt(2 * layers_with_weights(net) + 1);
    const double tolerance = share * check_penalty_amplification(g, p->n, p->image);
    const double norm = mean_norm(g, p), penalty = reference_penalty(g, p->n, p->image, WEIGHT);
    if (!(fabs(result.norm - norm) <= share * norm))
        fail_msg("a mean norm of %g, not %g", result.norm, norm);
    if (!(fabs(result.penalty - penalty) <= 2 * tolerance * penalty)) /* it is a square */
        fail_msg("a penalty of %g, not %g", result.penalty, penalty);
    for (int i = 0; i < net->n_tensors; i++)
        check_distance(net->tensors[i].name, gradients + net->tensors[i].offset,
                       expected + net->tensors[i].offset, (int)net->tensors[i].size, tolerance);
    free(gradients);
}

/* Every set of kernels and every way that stays clear of kinks; the twin against differences too.
 */
static void check_critic(int size, int channels, int width, int batch, double margin)
{
    const kernels *sets[MAX_SETS];
    const int n_sets = kernels_available(sets, MAX_SETS);
    nn_net *net = critic_create(size, channels, width);
    const int n_parameters = (int)net->n_parameters;
    pairs p = pairs_create(net, batch, margin);
    twin *t = twin_create(net, batch, true);
    double *expected = check_doubles(n_parameters), *g = check_doubles(batch * p.image);
    twin_penalty_backward(t, &p);
    memcpy(expected, t->gradients, net->n_parameters * sizeof *expected);
    memcpy(g, t->diff_src, (size_t)(batch * p.image) * sizeof *g);
    if (width < WIDE) {
        penalised of = {t, &p};
        twin_check_differences(t, expected, twin_penalty, &of, 1e-8 * twin_penalty(&of));
    }
    for (int s = 0; s < n_sets; s++)
        for (int i = 0; i < N_WAYS; i++) {
            set = sets[s];
            if (ways[i].kinks <= margin)
                check_penalty(net, &p, g, expected, &ways[i]);
        }
    free(expected);
    free(g);
    twin_free(t);
    pairs_free(&p);
    nn_net_free(net);
}

static void gradient_penalty__has_its_gradient(void **state)
{
    (void)state;
    check_critic(8, 1, 16, 3, 3e-4);
    check_critic(12, 3, 16, 2, 3e-4);
}

/* Among so many numbers none is further from its kink than Winograd's rounding. */
static void gradient_penalty__has_its_gradient_at_the_real_size(void **state)
{
    (void)state;
    check_critic(28, 1, WIDE, 2, 1e-5);
}

/* |g| has no gradient at 0; a critic of zero weights is a place to start from, not an error. */
static void gradient_penalty__of_a_constant_critic_is_its_weight(void **state)
{
    (void)state;
    set = fastest();
    nn_net *net = critic_create(8, 1, 2);
    memset(net->parameters, 0, net->n_parameters * sizeof *net->parameters);
    pairs p = pairs_create(net, 2, -INFINITY);
    float *gradients = check_floats((int)net->n_parameters);
    const train_penalty_result result = run_penalty(gradients, net, &p);
    assert_true(result.penalty == WEIGHT && result.norm == 0);
    for (size_t i = 0; i < net->n_parameters; i++)
        assert_true(gradients[i] == 0);
    free(gradients);
    pairs_free(&p);
    nn_net_free(net);
}

static void check_refusal(const nn_layer_spec *specs, int n_specs, ano_status status,
                          const char *message)
{
    ano_error err = ANO_ERROR_INIT;
    nn_net *net;
    train_penalty *penalty;
    assert_int_equal(nn_net_create(&net, (nn_shape){4, 4, 1}, specs, n_specs, NULL), ANO_OK);
    assert_int_equal(train_penalty_create(&penalty, net, 2, &err), status);
    assert_null(penalty);
    assert_string_equal(err.message, message);
    nn_net_free(net);
}

static void gradient_penalty__refuses_critics_that_it_has_no_gradient_of(void **state)
{
    (void)state;
    set = fastest();
    check_refusal((nn_layer_spec[]){{.kind = NN_BATCH_NORM, .name = "batch_norm"},
                                    {NN_DENSE, .name = "dense", .channels = 1}},
                  2, ANO_UNSUPPORTED,
                  "gradient penalty: layer batch_norm: no gradient of its gradient is computed");
    check_refusal((nn_layer_spec[]){{NN_DENSE, .name = "dense", .channels = 1},
                                    {.kind = NN_TANH, .name = "tanh"}},
                  2, ANO_UNSUPPORTED,
                  "gradient penalty: layer tanh: no gradient of its gradient is computed");
    check_refusal((nn_layer_spec[]){{NN_DENSE, .name = "dense", .channels = 2}}, 1, ANO_SHAPE,
                  "a critic has one output, not 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_penalty__has_its_gradient),
        cmocka_unit_test(gradient_penalty__has_its_gradient_at_the_real_size),
        cmocka_unit_test(gradient_penalty__of_a_constant_critic_is_its_weight),
        cmocka_unit_test(gradient_penalty__refuses_critics_that_it_has_no_gradient_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
