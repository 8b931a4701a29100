#include "train/weights.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static ano_model *create(void)
{
    const ano_model_config config = {8, 1, 3, 4, ANO_METHOD_FC, ANO_PRIOR_OF_METHOD};
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 3, NULL), ANO_OK);
    return model;
}

static void weights__are_the_models_where_nothing_is_asked(void **state)
{
    (void)state;
    train_weights_array arrays[TRAIN_WEIGHTS_ARRAYS];
    ano_model *model = create();
    train_weights weights;
    assert_int_equal(
        train_weights_init(&weights, model, &(ano_train_options)ANO_TRAIN_OPTIONS_INIT, NULL),
        ANO_OK);
    assert_ptr_equal(train_weights_generator(&weights), model->networks[ANO_GENERATOR]);
    assert_ptr_equal(train_weights_discriminator(&weights),
                     model->networks[ANO_DISCRIMINATOR]->parameters);
    assert_int_equal(train_weights_arrays(arrays, &weights), 0);
    train_weights_clear(&weights);
    ano_model_free(model);
}

/* With values 2, 3, 5 and decay d the average is (d² · 2 + d · 3 + 5) / (d² + d + 1): what there
 * was before the first counts for nothing. In single precision, of some steps' roundings. */
static void average__is_that_of_all_steps_and_of_nothing_before(void **state)
{
    (void)state;
    const float values[] = {2, 3, 5};
    const double decay = 0.75;
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.average = decay;
    ano_model *model = create();
    train_weights weights;
    assert_int_equal(train_weights_init(&weights, model, &options, NULL), ANO_OK);
    const nn_net *average = model->networks[ANO_GENERATOR];
    nn_net *trained = train_weights_generator(&weights);
    assert_ptr_not_equal(trained, average);
    assert_memory_equal(trained->parameters, average->parameters,
                        average->n_parameters * sizeof(float));
    assert_memory_equal(trained->statistics, average->statistics,
                        average->n_statistics * sizeof(float));
    double sum = 0, count = 0;
    for (uint64_t n = 1; n <= 3; n++) {
        for (size_t i = 0; i < trained->n_parameters; i++)
            trained->parameters[i] = values[n - 1];
        for (size_t i = 0; i < trained->n_statistics; i++)
            trained->statistics[i] = -values[n - 1];
        train_weights_average(&weights, n);
        sum = decay * sum + (double)values[n - 1];
        count = decay * count + 1;
        for (size_t i = 0; i < average->n_parameters; i++)
            assert_true(fabs((double)average->parameters[i] - sum / count) < 4 * 0x1p-23 * 5);
        for (size_t i = 0; i < average->n_statistics; i++)
            assert_true(fabs((double)average->statistics[i] + sum / count) < 4 * 0x1p-23 * 5);
    }
    train_weights_clear(&weights);
    ano_model_free(model);
}

/* All columns of a kernel at once have a length of at most √columns times the greatest singular
 * value, which is 1 but for what 15 steps of the power method leave. */
static void normalised_kernels__are_those_that_are_trained_divided(void **state)
{
    (void)state;
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.spectral_norm = true;
    ano_model *model = create();
    const nn_net *net = model->networks[ANO_DISCRIMINATOR];
    float *before = base_alloc(net->n_parameters, sizeof(float));
    memcpy(before, net->parameters, net->n_parameters * sizeof(float));
    train_weights weights;
    assert_int_equal(train_weights_init(&weights, model, &options, NULL), ANO_OK);
    const float *trained = train_weights_discriminator(&weights);
    assert_memory_equal(trained, before, net->n_parameters * sizeof(float));
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        const float *kernel = net->parameters + tensor->offset, *raw = trained + tensor->offset;
        if (tensor->n_dims == 1) {
            assert_memory_equal(kernel, raw, tensor->size * sizeof *kernel);
            continue;
        }
        double squares = 0;
        for (size_t k = 0; k < tensor->size; k++) {
            squares += (double)kernel[k] * (double)kernel[k];
            assert_true(fabsf(kernel[k] * raw[0] - raw[k] * kernel[0]) < 1e-5f);
        }
        const double columns = (double)tensor->dims[tensor->n_dims - 1];
        assert_true(squares > 0.99 && squares < 1.2 * columns);
    }
    train_weights_clear(&weights);
    base_free(before);
    ano_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights__are_the_models_where_nothing_is_asked),
        cmocka_unit_test(average__is_that_of_all_steps_and_of_nothing_before),
        cmocka_unit_test(normalised_kernels__are_those_that_are_trained_divided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
