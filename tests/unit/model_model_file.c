#include "model/model_file.h"

#include "base/file.h"
#include "model/networks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const ano_model_config config = {.size = 8, .channels = 1, .latent = 3, .base_width = 2};
/* Three blocks. */
static const ano_model_config larger = {.size = 64, .channels = 3, .latent = 3, .base_width = 2};
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

static ano_model *drawn_model(const ano_model_config *of)
{
    ano_model *model;
    assert_int_equal(ano_model_create(&model, of, 5, NULL), ANO_OK);
    return model;
}

static const float calibration_scores[] = {2.5f, 0.125f, 31.25f};

static ano_calibration drawn_calibration(void)
{
    ano_calibration calibration = {
        .scores = calibration_scores, .n = 3, .map_high = 0.75f, .how = ANO_SCORE_OPTIONS_INIT};
    calibration.how.iterations = 7;
    calibration.how.tolerance = 0.125;
    calibration.how.search = ANO_SEARCH_LBFGS;
    calibration.how.seed = 1ULL << 52;
    calibration.how.pool = ANO_POOL_TOP;
    calibration.how.pool_share = 0.05;
    return calibration;
}

static void check_round_trip(const ano_model_config *of)
{
    ano_model *model = drawn_model(of), *loaded;
    ano_calibration calibration = drawn_calibration();
    assert_int_equal(ano_model_set_calibration(model, &calibration, NULL), ANO_OK);
    assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
    const ano_calibration found = ano_model_get_calibration(loaded);
    assert_int_equal(found.n, 3);
    assert_true(found.scores[0] == 0.125f && found.scores[1] == 2.5f && found.scores[2] == 31.25f);
    assert_true(found.map_high == 0.75f && ano_calibration_holds(&found, &calibration.how));
    calibration.how.restarts++;
    assert_false(ano_calibration_holds(&found, &calibration.how));
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++) {
        const nn_net *a = model->networks[i], *b = loaded->networks[i];
        assert_memory_equal(a->parameters, b->parameters, a->n_parameters * sizeof(float));
        assert_memory_equal(a->statistics, b->statistics, a->n_statistics * sizeof(float));
    }
    ano_model_free(model);
    ano_model_free(loaded);
}

static void saved_model__comes_back_whole(void **state)
{
    (void)state;
    check_round_trip(&config);
    check_round_trip(&larger);
}

static void network_saved_alone__comes_back_without_the_other(void **state)
{
    (void)state;
    ano_model *model = drawn_model(&config), *loaded;
    assert_int_equal(model_save_network(model, ANO_GENERATOR, path, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
    assert_int_equal(ano_model_layer_count(loaded, ANO_GENERATOR),
                     ano_model_layer_count(model, ANO_GENERATOR));
    assert_int_equal(ano_model_layer_count(loaded, ANO_DISCRIMINATOR), 0);
    ano_model_free(model);
    ano_model_free(loaded);
}

static void saved_model__keeps_its_view(void **state)
{
    (void)state;
    static const ano_view views[] = {
        {8, 1, ANO_FIT_RESIZE, 0, 1},
        {8, 1, ANO_FIT_PAD, 0, 1},
        {8, 1, ANO_FIT_CROP, 3, 0.1},
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        ano_model *model = drawn_model(&config), *loaded;
        model->view = views[i];
        assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
        assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
        const ano_view view = ano_model_get_view(loaded);
        assert_int_equal(view.size, 8);
        assert_int_equal(view.channels, 1);
        assert_int_equal(view.fit, views[i].fit);
        assert_int_equal(view.stride, views[i].stride);
        assert_true(view.scale == views[i].scale);
        ano_model_free(model);
        ano_model_free(loaded);
    }
}

/* A model without numbers, of the metadata's text. */
static ano_model *described(const char *text, ano_error *err)
{
    json_t *metadata = json_loads(text, 0, NULL);
    assert_non_null(metadata);
    ano_model *model;
    model_from_metadata(&model, metadata, err);
    json_decref(metadata);
    return model;
}

static void saved_model__keeps_its_prior(void **state)
{
    (void)state;
    static const ano_method gans[] = {ANO_METHOD_FC, ANO_METHOD_ENCODER};
    for (ano_prior prior = ANO_PRIOR_UNIFORM; prior <= ANO_PRIOR_NORMAL; prior++)
        for (int i = 0; i < 2; i++) {
            ano_model_config of = config;
            ano_model *model, *loaded;
            of.method = gans[i];
            of.prior = prior;
            assert_int_equal(ano_model_create(&model, &of, 1, NULL), ANO_OK);
            assert_int_equal(ano_model_save(model, path, NULL), ANO_OK);
            assert_int_equal(ano_model_load(&loaded, path, NULL), ANO_OK);
            assert_int_equal(ano_model_get_config(loaded).prior, prior);
            for (int n = 0; n < ANO_NETWORKS; n++)
                assert_int_equal(ano_model_layer_count(loaded, (ano_network)n),
                                 ano_model_layer_count(model, (ano_network)n));
            ano_model_free(model);
            ano_model_free(loaded);
        }
}

/* They have no prior. */
static void first_files__have_the_prior_of_their_method(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        ano_prior prior;
    } cases[] = {
        {"fc", ANO_PRIOR_UNIFORM}, {"encoder", ANO_PRIOR_UNIFORM}, {"vae", ANO_PRIOR_NORMAL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        ano_error err = ANO_ERROR_INIT;
        snprintf(text, sizeof text,
                 "{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"method\": \"%s\", "
                 "\"size\": 12, \"channels\": 3, \"latent\": 2, \"base_width\": 2}, "
                 "\"preprocessing\": {\"from\": [0, 255], \"to\": [-1.0, 1.0]}}",
                 cases[i].method);
        ano_model *model = described(text, &err);
        assert_string_equal(err.message, "");
        assert_int_equal(ano_model_get_config(model).prior, cases[i].prior);
        ano_model_free(model);
    }
}

static void first_files__are_seen_whole(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    ano_model *model = described(
        "{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"size\": 12, \"channels\": 3, "
        "\"latent\": 2, \"base_width\": 2}, "
        "\"preprocessing\": {\"from\": [0, 255], \"to\": [-1.0, 1.0]}}",
        &err);
    assert_string_equal(err.message, "");
    const ano_view view = ano_model_get_view(model);
    assert_int_equal(view.size, 12);
    assert_int_equal(view.channels, 3);
    assert_int_equal(view.fit, ANO_FIT_RESIZE);
    assert_int_equal(view.stride, 0);
    assert_true(view.scale == 1);
    ano_model_free(model);
}

static void loading__refuses_a_view_out_of_range_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *preprocessing, *word;
    } cases[] = {
        {"{\"fit\": \"squeeze\"}", "fit"},
        {"{\"fit\": 1}", "fit"},
        {"{\"stride\": -1}", "stride"},
        {"{\"stride\": 2.5}", "stride"},
        {"{\"stride\": 9}", "gaps"},
        {"{\"stride\": 4, \"scale\": \"half\"}", "scale"},
        {"{\"stride\": 4, \"scale\": -1}", "scale"},
        {"{\"stride\": 4, \"scale\": 1e9}", "scale"},
        {"{\"scale\": 0.5}", "scale is for tiles"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"size\": 8, "
                 "\"channels\": 1, \"latent\": 2, \"base_width\": 2}, \"preprocessing\": %s}",
                 cases[i].preprocessing);
        ano_error err = ANO_ERROR_INIT;
        assert_null(described(text, &err));
        if (err.status != ANO_FORMAT || strstr(err.message, cases[i].word) == NULL)
            fail_msg("%s: got %s '%s'", cases[i].preprocessing, ano_status_name(err.status),
                     err.message);
    }
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
    check_refused(260, 3, 2, "size");
    check_refused(8, 0, 2, "latent");
    check_refused(8, 3, 5000, "base_width");
    check_refused(252, 4096, 1024, "parameters");
    check_refused(8, 3, 2, "no network of its method");
}

static void a_calibration_that_no_file_can_hold__is_refused(void **state)
{
    (void)state;
    ano_model *model = drawn_model(&config);
    ano_calibration calibration = drawn_calibration();
    calibration.scores = (const float[]){1, INFINITY, 2};
    assert_int_equal(ano_model_set_calibration(model, &calibration, NULL), ANO_ARG);
    calibration = drawn_calibration();
    calibration.map_high = NAN;
    assert_int_equal(ano_model_set_calibration(model, &calibration, NULL), ANO_ARG);
    assert_int_equal(ano_model_get_calibration(model).n, 0);
    ano_model_free(model);
}

/* Writes the model's file with another calibration in its metadata, or none of its scores. */
static void check_calibration_refused(const char *calibration, bool has_scores, ano_status status,
                                      const char *word)
{
    char metadata[1024];
    snprintf(metadata, sizeof metadata,
             "{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"size\": 8, "
             "\"channels\": 1, \"latent\": 3, \"base_width\": 2}, \"calibration\": {%s}}",
             calibration);
    ano_model *model = drawn_model(&config), *loaded;
    format_tensor tensors[64];
    static model_tensor_name names[64];
    size_t n = model_list_tensors(tensors, names, model, ANO_GENERATOR);
    if (has_scores)
        tensors[n++] = (format_tensor){
            .name = "calibration.scores", .n_dims = 1, .dims = {3}, .data = calibration_scores};
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(format_safetensors_write(path, tensors, n, metadata, NULL), ANO_OK);
    assert_int_equal(ano_model_load(&loaded, path, &err), status);
    assert_non_null(strstr(err.message, word));
    ano_model_free(loaded);
    ano_model_free(model);
}

#define CALIBRATION(n, pool)                                                                       \
    "\"n\": " n ", \"map_high\": 1.5, \"search\": \"adam\", \"iterations\": 3, \"restarts\": 1, "  \
    "\"learning_rate\": 0.1, \"tolerance\": 0, \"seed\": 0, \"pool_share\": 0.5, \"pool\": " pool

static void loading__refuses_a_calibration_that_is_not_whole(void **state)
{
    (void)state;
    check_calibration_refused(CALIBRATION("3", "\"max\""), true, ANO_OK, "");
    check_calibration_refused("\"n\": 3", true, ANO_FORMAT, "map_high");
    check_calibration_refused(CALIBRATION("3", "\"least\""), true, ANO_FORMAT, "pool");
    check_calibration_refused(CALIBRATION("3", "\"max\""), false, ANO_FORMAT, "no scores");
    check_calibration_refused(CALIBRATION("4", "\"max\""), true, ANO_SHAPE, "not of 4");
    check_calibration_refused("\"threshold\": 3", false, ANO_OK, "");
}

#define SMALL                                                                                      \
    "\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"size\": 8, \"channels\": 1, "       \
    "\"latent\": 3, \"base_width\": 2}"

enum { MOST_TENSORS = 64 };

/* A file's tensors on their way to be spoilt. */
typedef struct contents {
    format_tensor tensors[MOST_TENSORS];
    model_tensor_name names[MOST_TENSORS];
    size_t n;
} contents;

static size_t find(const contents *c, const char *name)
{
    size_t i = 0;
    while (i < c->n && strcmp(c->tensors[i].name, name) != 0)
        i++;
    assert_true(i < c->n);
    return i;
}

static void leave_out_a_tensor(contents *c)
{
    c->tensors[find(c, "generator.conv_1.bias")] = c->tensors[--c->n];
}

static void add_a_tensor(contents *c)
{
    static const float number = 1;
    c->tensors[c->n++] =
        (format_tensor){.name = "generator.conv_9.bias", .n_dims = 1, .dims = {1}, .data = &number};
}

static void add_another_methods_network(contents *c)
{
    add_a_tensor(c);
    c->tensors[c->n - 1].name = "patch_discriminator.conv_1.bias";
}

static void add_scores_that_nothing_speaks_of(contents *c)
{
    add_a_tensor(c);
    c->tensors[c->n - 1].name = "calibration.scores";
}

static void turn_a_kernel(contents *c)
{
    size_t *dims = c->tensors[find(c, "generator.dense.kernel")].dims;
    const size_t rows = dims[0];
    dims[0] = dims[1];
    dims[1] = rows;
}

static void put(contents *c, const char *name, float number)
{
    ((float *)(uintptr_t)c->tensors[find(c, name)].data)[1] = number;
}

static void put_a_nan(contents *c)
{
    put(c, "discriminator.conv_2.kernel", NAN);
}

static void put_an_infinity(contents *c)
{
    put(c, "generator.dense.bias", -INFINITY);
}

static void put_a_negative_variance(contents *c)
{
    put(c, "generator.batch_norm_1.moving_variance", -1);
}

static void loading__refuses_tensors_that_are_not_the_models(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(contents *);
        ano_status status;
        const char *word;
    } cases[] = {
        {leave_out_a_tensor, ANO_FORMAT, "'generator.conv_1.bias' is missing"},
        {add_a_tensor, ANO_FORMAT, "'generator.conv_9.bias' is not of the model"},
        {add_another_methods_network, ANO_FORMAT, "'patch_discriminator.conv_1.bias' is not of"},
        {add_scores_that_nothing_speaks_of, ANO_FORMAT, "'calibration.scores' is not of"},
        {turn_a_kernel, ANO_SHAPE, "expected [3, 16]"},
        {put_a_nan, ANO_FORMAT, "'discriminator.conv_2.kernel': number 1 is nan"},
        {put_an_infinity, ANO_FORMAT, "'generator.dense.bias': number 1 is -inf"},
        {put_a_negative_variance, ANO_FORMAT, "moving_variance': number 1 is -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_model *model = drawn_model(&config), *loaded;
        static contents c;
        c.n = model_list_tensors(c.tensors, c.names, model, ANO_GENERATOR);
        c.n += model_list_tensors(c.tensors + c.n, c.names + c.n, model, ANO_DISCRIMINATOR);
        cases[i].spoil(&c);
        ano_error err = ANO_ERROR_INIT;
        assert_int_equal(format_safetensors_write(path, c.tensors, c.n, "{" SMALL "}", NULL),
                         ANO_OK);
        if (ano_model_load(&loaded, path, &err) != cases[i].status || loaded != NULL ||
            strstr(err.message, cases[i].word) == NULL || strstr(err.message, path) == NULL)
            fail_msg("'%s': got %s '%s'", cases[i].word, ano_status_name(err.status), err.message);
        ano_model_free(model);
    }
}

static void loading__refuses_what_is_no_model_of_this_version_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        ano_status status;
        const char *word;
    } cases[] = {
        {"{\"version\": 2}", ANO_UNSUPPORTED, "version 2"},
        {"{\"version\": 1.5}", ANO_FORMAT, "version"},
        {"[]", ANO_FORMAT, "version"},
        {"{" SMALL ", \"training\": {}}", ANO_UNSUPPORTED, "checkpoint"},
        {"{\"version\": 1, \"architecture\": {\"kind\": \"vae\"}}", ANO_UNSUPPORTED, "vae"},
        {"{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"method\": \"later\"}}",
         ANO_UNSUPPORTED, "method"},
        {"{\"version\": 1, \"architecture\": {\"kind\": \"dcgan\", \"prior\": \"later\"}}",
         ANO_UNSUPPORTED, "prior"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_model *loaded;
        ano_error err = ANO_ERROR_INIT;
        assert_int_equal(format_safetensors_write(path, NULL, 0, cases[i].metadata, NULL), ANO_OK);
        if (ano_model_load(&loaded, path, &err) != cases[i].status || loaded != NULL ||
            strstr(err.message, cases[i].word) == NULL || strstr(err.message, path) == NULL)
            fail_msg("%s: got %s '%s'", cases[i].metadata, ano_status_name(err.status),
                     err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_model__comes_back_whole),
        cmocka_unit_test(saved_model__keeps_its_view),
        cmocka_unit_test(saved_model__keeps_its_prior),
        cmocka_unit_test(first_files__have_the_prior_of_their_method),
        cmocka_unit_test(first_files__are_seen_whole),
        cmocka_unit_test(loading__refuses_a_view_out_of_range_by_name),
        cmocka_unit_test(network_saved_alone__comes_back_without_the_other),
        cmocka_unit_test(loading__refuses_an_architecture_out_of_range_by_name),
        cmocka_unit_test(a_calibration_that_no_file_can_hold__is_refused),
        cmocka_unit_test(loading__refuses_a_calibration_that_is_not_whole),
        cmocka_unit_test(loading__refuses_tensors_that_are_not_the_models),
        cmocka_unit_test(loading__refuses_what_is_no_model_of_this_version_by_name),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
