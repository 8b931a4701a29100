/* Spectral normalisation of a net against the plain twin, whose gradient has finite differences in
 * tests/check/reference_gradients.c.
 *
 * Kernels here have a largest singular value well apart from the next, so that 300 steps of the
 * power method end where it turns no further: u and v are off by their rounding, 2⁻²⁴, and what
 * follows from them by a few of it. */
#include "check.h"
#include "nn/spectral.h"
#include "reference/reference.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS = 300 };
static const double SHARE = 1e-6;

static nn_net *create(void)
{
    static const nn_layer_spec specs[] = {
        {NN_CONV, .name = "conv", .channels = 6, .kernel = 3},
        {.kind = NN_BATCH_NORM, .name = "batch_norm"},
        {NN_CONV_TRANSPOSED, .name = "up", .channels = 4, .kernel = 2},
        {NN_DENSE, .name = "dense", .channels = 1},
    };
    nn_net *net;
    assert_int_equal(
        nn_net_create(&net, (nn_shape){4, 5, 2}, specs, sizeof specs / sizeof *specs, NULL),
        ANO_OK);
    base_random_uniform(net->parameters, net->n_parameters, -0.5f, 1,
                        (base_random){1, BASE_PURPOSE_TEST, 0});
    return net;
}

/* The matrix of a tensor; false: it is none. */
static bool matrix_of(int *rows, int *columns, const nn_tensor *tensor)
{
    *columns = (int)tensor->dims[tensor->n_dims - 1];
    *rows = (int)tensor->size / *columns;
    return tensor->trainable && tensor->n_dims > 1;
}

static void check_tensor(const nn_spectral *s, int i, const float *diff, const float *gradients)
{
    const nn_tensor *tensor = &s->net->tensors[i];
    const int size = (int)tensor->size;
    const float *got = s->net->parameters + tensor->offset;
    int rows, columns;
    if (!matrix_of(&rows, &columns, tensor)) {
        assert_memory_equal(got, s->parameters + tensor->offset, tensor->size * sizeof *got);
        assert_memory_equal(gradients + tensor->offset, diff + tensor->offset,
                            tensor->size * sizeof *got);
        return;
    }
    double *kernel = check_doubles(size), *normal = check_doubles(size);
    double *wide_diff = check_doubles(size), *expected = check_doubles(size);
    double *left = check_doubles(rows), *right = check_doubles(columns);
    check_widen(kernel, s->parameters + tensor->offset, size);
    check_widen(wide_diff, diff + tensor->offset, size);
    const double largest = reference_spectral_norm(left, right, kernel, rows, columns);
    for (int k = 0; k < size; k++)
        normal[k] = kernel[k] / largest;
    if (!(fabs(s->largest[i] - largest) <= SHARE * largest))
        fail_msg("%s: a largest singular value of %g, not %g", tensor->name, s->largest[i],
                 largest);
    check_distance(tensor->name, got, normal, size, SHARE);
    reference_spectral_backward(expected, wide_diff, kernel, largest, left, right, rows, columns);
    check_distance(tensor->name, gradients + tensor->offset, expected, size, SHARE);
    free(kernel);
    free(normal);
    free(wide_diff);
    free(expected);
    free(left);
    free(right);
}

static void spectral_normalisation__matches_its_twin(void **state)
{
    (void)state;
    nn_net *net = create();
    nn_spectral s;
    assert_int_equal(nn_spectral_init(&s, net, 2, BASE_PURPOSE_TEST, NULL), ANO_OK);
    nn_spectral_apply(&s, STEPS);
    float *diff = check_floats((int)net->n_parameters);
    float *gradients = check_floats((int)net->n_parameters);
    base_random_uniform(diff, net->n_parameters, -1, 1, (base_random){3, BASE_PURPOSE_TEST, 0});
    memcpy(gradients, diff, net->n_parameters * sizeof *diff);
    nn_spectral_backward(&s, gradients);
    for (int i = 0; i < net->n_tensors; i++)
        if (net->tensors[i].trainable)
            check_tensor(&s, i, diff, gradients);
    free(diff);
    free(gradients);
    nn_spectral_clear(&s);
    nn_net_free(net);
}

/* u is kept, so that a step at a time comes as far as all of them at once. */
static void spectral_normalisation__goes_on_from_the_step_before(void **state)
{
    (void)state;
    nn_net *at_once = create(), *by_steps = create();
    nn_spectral a, b;
    assert_int_equal(nn_spectral_init(&a, at_once, 2, BASE_PURPOSE_TEST, NULL), ANO_OK);
    assert_int_equal(nn_spectral_init(&b, by_steps, 2, BASE_PURPOSE_TEST, NULL), ANO_OK);
    nn_spectral_apply(&a, 7);
    for (int step = 0; step < 7; step++)
        nn_spectral_apply(&b, 1);
    assert_memory_equal(at_once->parameters, by_steps->parameters,
                        at_once->n_parameters * sizeof(float));
    nn_spectral_clear(&a);
    nn_spectral_clear(&b);
    nn_net_free(at_once);
    nn_net_free(by_steps);
}

static void spectral_normalisation__leaves_zeros_alone(void **state)
{
    (void)state;
    nn_net *net = create();
    memset(net->parameters, 0, net->n_parameters * sizeof(float));
    float *gradients = check_floats((int)net->n_parameters);
    nn_spectral s;
    assert_int_equal(nn_spectral_init(&s, net, 2, BASE_PURPOSE_TEST, NULL), ANO_OK);
    nn_spectral_apply(&s, 3);
    nn_spectral_backward(&s, gradients);
    for (size_t i = 0; i < net->n_parameters; i++)
        assert_true(net->parameters[i] == 0 && gradients[i] == 0);
    free(gradients);
    nn_spectral_clear(&s);
    nn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectral_normalisation__matches_its_twin),
        cmocka_unit_test(spectral_normalisation__goes_on_from_the_step_before),
        cmocka_unit_test(spectral_normalisation__leaves_zeros_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
