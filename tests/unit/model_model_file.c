#include "model/model_file.h"

#include "base/file.h"
#include "model/networks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const ano_model_config config = {.size = 8, .channels = 1, .latent = 3, .base_width = 2};
static char path[] = "/tmp/anogan_model_XXXXXX";

static int make_file(void **state)
{
    (void)state;
    const int descriptor = mkstemp(path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static ano_model *drawn_model(void)
{
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 5, NULL), ANO_OK);
    return model;
}

static void saved_model__comes_back_whole(void **state)
{
    (void)state;
    ano_model *model = drawn_model(), *loaded;
    const ano_calibration calibration = {.alpha = 0.05,
                                         .threshold = 31.25,
                                         .n = 40,
                                         .iterations = 7,
                                         .restarts = 3,
                                         .tolerance = 0.125,
                                         .search = ANO_SEARCH_LBFGS};
    ano_model_set_calibration(model, &calibration);
    assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
    const ano_calibration found = ano_model_get_calibration(loaded);
    assert_true(found.alpha == calibration.alpha && found.threshold == calibration.threshold);
    assert_true(found.n == 40 && found.iterations == 7 && found.restarts == 3 &&
                found.tolerance == 0.125 && found.search == ANO_SEARCH_LBFGS);
    for (int i = 0; i < MODEL_NETWORKS; i++) {
        const nn_net *a = model->networks[i], *b = loaded->networks[i];
        assert_memory_equal(a->parameters, b->parameters, a->n_parameters * sizeof(float));
        assert_memory_equal(a->statistics, b->statistics, a->n_statistics * sizeof(float));
    }
    ano_model_free(model);
    ano_model_free(loaded);
}

static void network_saved_alone__comes_back_without_the_other(void **state)
{
    (void)state;
    ano_model *model = drawn_model(), *loaded;
    assert_int_equal(model_save_network(model, ANO_GENERATOR, path, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
    assert_int_equal(ano_model_layer_count(loaded, ANO_GENERATOR),
                     ano_model_layer_count(model, ANO_GENERATOR));
    assert_int_equal(ano_model_layer_count(loaded, ANO_DISCRIMINATOR), 0);
    ano_model_free(model);
    ano_model_free(loaded);
}

/* Loads a file without tensors and with this architecture. */
static void check_refused(int size, int latent, int base_width, const char *word)
{
    char metadata[256];
    snprintf(metadata, sizeof metadata,
             "{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"size\": %d, "
             "\"channels\": 1, \"latent\": %d, \"base_width\": %d}}",
             size, latent, base_width);
    ano_error err = ANO_ERROR_INIT;
    ano_model *model;
    assert_int_equal(format_safetensors_write(path, NULL, 0, metadata, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&model, path, &err), ANO_FORMAT);
    assert_int_equal(err.status, ANO_FORMAT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, word));
    assert_null(model);
}

static void loading__refuses_an_architecture_out_of_range_by_name(void **state)
{
    (void)state;
    check_refused(10, 3, 2, "size");
    check_refused(8, 0, 2, "latent");
    check_refused(8, 3, 5000, "base_width");
    check_refused(1024, 4096, 1024, "parameters");
    check_refused(8, 3, 2, "neither a generator nor a discriminator");
}

static void saving__refuses_a_calibration_that_no_file_can_hold(void **state)
{
    (void)state;
    ano_model *model = drawn_model();
    ano_model_set_calibration(model,
                              &(ano_calibration){.alpha = 0.01, .threshold = INFINITY, .n = 1});
    assert_int_equal(ano_model_save(model, path, NULL), ANO_ARG);
    ano_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_model__comes_back_whole),
        cmocka_unit_test(network_saved_alone__comes_back_without_the_other),
        cmocka_unit_test(loading__refuses_an_architecture_out_of_range_by_name),
        cmocka_unit_test(saving__refuses_a_calibration_that_no_file_can_hold),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
