#include "nn/average.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static nn_net *create(uint64_t seed)
{
    static const nn_layer_spec specs[] = {{NN_DENSE, .name = "dense", .channels = 3},
                                          {.kind = NN_BATCH_NORM, .name = "batch_norm"}};
    nn_net *net;
    assert_int_equal(nn_net_create(&net, (nn_shape){1, 1, 5}, specs, 2, NULL), ANO_OK);
    base_random_uniform(net->parameters, net->n_parameters, -1, 1,
                        (base_random){seed, BASE_PURPOSE_TEST, 0});
    base_random_uniform(net->statistics, net->n_statistics, 0, 1,
                        (base_random){seed, BASE_PURPOSE_TEST, 1});
    return net;
}

/* After steps on nets a, b, c from the start s: d³ s + (1 - d) (d² a + d b + c). Each step rounds
 * three times, to 2⁻²⁴ of numbers up to 2. */
static void average__weighs_steps_by_powers_of_the_decay(void **state)
{
    (void)state;
    enum { STEPS = 3 };
    const double decay = 0.9;
    nn_net *average = create(0), *start = create(0), *nets[STEPS];
    for (int i = 0; i < STEPS; i++) {
        nets[i] = create((uint64_t)i + 1);
        nn_average_step(average, nets[i], decay);
    }
    for (int part = 0; part < 2; part++) {
        const size_t n = part == 0 ? start->n_parameters : start->n_statistics;
        for (size_t i = 0; i < n; i++) {
            double expected = (double)(part == 0 ? start->parameters : start->statistics)[i];
            for (int k = 0; k < STEPS; k++) {
                const float *values = part == 0 ? nets[k]->parameters : nets[k]->statistics;
                expected = decay * expected + (1 - decay) * (double)values[i];
            }
            const float got = (part == 0 ? average->parameters : average->statistics)[i];
            if (!(fabs((double)got - expected) <= STEPS * 3 * 0x1p-23))
                fail_msg("part %d, %zu: expected %.9g, got %.9g", part, i, expected, (double)got);
        }
    }
    nn_net_free(average);
    nn_net_free(start);
    for (int i = 0; i < STEPS; i++)
        nn_net_free(nets[i]);
}

static void average__of_a_net_that_stands_still_is_that_net(void **state)
{
    (void)state;
    nn_net *average = create(1), *net = create(1);
    for (int i = 0; i < 10; i++)
        nn_average_step(average, net, 0.999);
    assert_memory_equal(average->parameters, net->parameters, net->n_parameters * sizeof(float));
    assert_memory_equal(average->statistics, net->statistics, net->n_statistics * sizeof(float));
    nn_net_free(average);
    nn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(average__weighs_steps_by_powers_of_the_decay),
        cmocka_unit_test(average__of_a_net_that_stands_still_is_that_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
