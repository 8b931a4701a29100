#include "report/results.h"

#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_results_XXXXXX";
static const char *const names[] = {"scores.csv", "scores_1.txt", "scores_9.txt", "metrics.json"};

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = base_path_join(folder, names[i]);
        unlink(path);
        base_free(path);
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static char *read_text(const char *name)
{
    char *path = base_path_join(folder, name), *text;
    size_t size;
    ano_error err = ANO_ERROR_INIT;
    if (base_file_read(&text, &size, path, &err) != ANO_OK)
        fail_msg("%s", err.message);
    base_free(path);
    return text;
}

static void expect_text(const char *name, const char *expected)
{
    char *text = read_text(name);
    assert_string_equal(text, expected);
    base_free(text);
}

static report_results make_results(void)
{
    static const size_t indices[] = {2, 5, 7, 12};
    static const char *const paths[] = {"a.png", "b, \"c\".png", "a.png", "d.png"};
    static const char *const classes[] = {"1", "9", "1", "9"};
    static const int labels[] = {0, 1, 0, 1};
    static const float scores[] = {20.1f, 41, 0.333333343f, 1e-7f};
    return (report_results){
        .n = 4,
        .paths = paths,
        .indices = indices,
        .classes = classes,
        .labels = labels,
        .n_methods = 3,
        .methods = {{.name = "anogan",
                     .scores = scores,
                     .metrics = {0.9994, 0.998, 0.9999, 0.99, 0.97, 28, 36.25, 0.875, 0.9, 0.6},
                     .threshold = 31.4000015,
                     .at_threshold = {30, 2, 48, 1, 0.9625, 0.9375, 0.96875, 0.953125}},
                    {.name = "PCA, 30 components",
                     .key = "pca",
                     .metrics = {0.95, 0.94, 0.96, 0.93, 0.92, 1, 2, 0, 0, 0},
                     .threshold = 1.5,
                     .at_threshold = {.accuracy = 0.91}},
                    {.name = "nearest neighbour",
                     .key = "nearest",
                     .metrics = {0.85, 0.84, 0.86, 0.83, 0.82, 3, 4, 0, 0, 0},
                     .threshold = 3.5,
                     .at_threshold = {.accuracy = 0.81}}},
        .normal = "1",
        .anomaly = "9",
        .alpha = 0.01,
        .iterations = 300,
        .restarts = 2,
        .tolerance = 0.25,
        .search = ANO_SEARCH_LBFGS,
        .seed = 1ull << 53,
    };
}

static void results__list_every_score_exactly(void **state)
{
    (void)state;
    const report_results results = make_results();
    assert_int_equal(report_write_results(folder, &results, NULL), ANO_OK);
    expect_text("scores.csv", "index,class,label,score,path\n"
                              "2,1,0,20.1000004,a.png\n"
                              "5,9,1,41,\"b, \"\"c\"\".png\"\n"
                              "7,1,0,0.333333343,a.png\n"
                              "12,9,1,1.00000001e-07,d.png\n");
    expect_text("scores_1.txt", "20.1000004\n0.333333343\n");
    expect_text("scores_9.txt", "41\n1.00000001e-07\n");
}

static void expect_number(const json_t *object, const char *key, double expected)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value) || fabs(json_number_value(value) - expected) > 1e-8)
        fail_msg("%s: expected %.9g, got %.9g", key, expected, json_number_value(value));
}

static void results__hold_the_figures_of_every_method(void **state)
{
    (void)state;
    const report_results results = make_results();
    assert_int_equal(report_write_results(folder, &results, NULL), ANO_OK);
    char *text = read_text("metrics.json");
    json_t *root = json_loads(text, 0, NULL);
    base_free(text);
    expect_number(root, "auroc", 0.9994);
    expect_number(root, "auroc_low", 0.998);
    expect_number(root, "auroc_high", 0.9999);
    expect_number(root, "aupr", 0.99);
    expect_number(root, "accuracy_best", 0.97);
    expect_number(root, "threshold_best_low", 28);
    expect_number(root, "threshold_best_high", 36.25);
    expect_number(root, "accuracy_calibrated", 0.9625);
    expect_number(root, "threshold", 31.4000015);
    expect_number(root, "tpr_at_fpr_1", 0.875);
    expect_number(root, "tpr_at_fpr_5", 0.9);
    expect_number(root, "f1", 0.953125);
    expect_number(root, "tp", 30);
    expect_number(root, "fn", 1);
    assert_null(json_object_get(root, "pixel_auroc"));
    expect_number(root, "alpha", 0.01);
    expect_number(root, "n_normal", 2);
    expect_number(root, "n_anomalous", 2);
    expect_number(root, "iterations", 300);
    expect_number(root, "restarts", 2);
    expect_number(root, "tolerance", 0.25);
    assert_true(json_integer_value(json_object_get(root, "seed")) == 1ll << 53);
    const json_t *baselines = json_object_get(root, "baselines");
    expect_number(json_object_get(baselines, "pca"), "auroc", 0.95);
    expect_number(json_object_get(baselines, "pca"), "accuracy_calibrated", 0.91);
    expect_number(json_object_get(baselines, "nearest"), "threshold_best_high", 4);
    expect_number(json_object_get(baselines, "nearest"), "threshold", 3.5);
    expect_number(baselines, "f1_all_positive", 0.6);
    json_decref(root);
}

/* Two kinds of anomaly, and maps that were compared with masks. */
static report_results make_kinds(void)
{
    static const report_class kinds[] = {{"good", 0, 60, 2, 0, 0, 0},
                                         {"crack", 1, 20, 15, 0.875, 0.8, 0.9},
                                         {"a kind of a long name", 1, 3, 3, 1, 0.75, 1}};
    static const ano_pixel_result pixels = {0.625, 0.5, 1e-5, 2e-5, 1000, 50, 7};
    report_results results = make_results();
    results.kinds = kinds;
    results.n_kinds = 3;
    results.pixels = &pixels;
    results.map = ANO_MAP_FEATURES;
    return results;
}

static void results__hold_each_kind_of_anomaly_and_the_pixels(void **state)
{
    (void)state;
    const report_results results = make_kinds();
    assert_int_equal(report_write_results(folder, &results, NULL), ANO_OK);
    char *text = read_text("metrics.json");
    json_t *root = json_loads(text, 0, NULL);
    base_free(text);
    const json_t *kinds = json_object_get(root, "classes");
    expect_number(json_object_get(kinds, "crack"), "auroc", 0.875);
    expect_number(json_object_get(kinds, "crack"), "flagged", 15);
    assert_null(json_object_get(json_object_get(kinds, "good"), "auroc"));
    expect_number(root, "pixel_auroc", 0.625);
    assert_string_equal(json_string_value(json_object_get(root, "map")), "features");
    expect_number(root, "aupro", 0.5);
    expect_number(root, "regions", 7);
    json_decref(root);
}

static void results__leave_no_metrics_behind_when_a_figure_is_not_finite(void **state)
{
    (void)state;
    report_results results = make_results();
    results.methods[2].threshold = NAN;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_write_results(folder, &results, &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "threshold is"));
    char *path = base_path_join(folder, "metrics.json");
    assert_int_not_equal(access(path, F_OK), 0);
    base_free(path);
}

static void table__has_a_row_for_each_method(void **state)
{
    (void)state;
    const report_results results = make_results();
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    report_print_table(stream, &results);
    fclose(stream);
    assert_string_equal(
        text, "2 normal (1) and 2 anomalous (9) test images:\n"
              "\n"
              "                    AUROC [95 % interval]    AUPR    best accuracy (threshold)"
              "  accuracy (threshold) *\n"
              "anogan              0.9994 [0.9980, 0.9999]  0.9900  0.9700 (28 to 36.25)     "
              "  0.9625 (31.4)\n"
              "PCA, 30 components  0.9500 [0.9400, 0.9600]  0.9300  0.9200 (1 to 2)          "
              "  0.9100 (1.5)\n"
              "nearest neighbour   0.8500 [0.8400, 0.8600]  0.8300  0.8200 (3 to 4)          "
              "  0.8100 (3.5)\n"
              "\n"
              "* at the threshold fixed on held-out normal images (alpha 0.01), not on these\n");
    free(text);
}

static void table__has_a_row_for_each_kind(void **state)
{
    (void)state;
    const report_results results = make_kinds();
    char *text;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    report_print_table(stream, &results);
    fclose(stream);
    const char *kinds = strstr(text, "                    images");
    assert_non_null(kinds);
    assert_string_equal(
        kinds, "                    images  AUROC [95 % interval]    called anomalous *\n"
               "good                    60                           2\n"
               "crack                   20  0.8750 [0.8000, 0.9000]  15\n"
               "a kind of a long na      3  1.0000 [0.7500, 1.0000]  3\n"
               "\n"
               "pixels, by the map of features: AUROC 0.6250, AUPRO to an FPR of 0.3 0.5000, over "
               "7 regions\n"
               "\n"
               "* at the threshold fixed on held-out normal images (alpha 0.01), not on these\n");
    free(text);
}

static void score_title__is_of_the_method(void **state)
{
    (void)state;
    const ano_evidence elbo = ANO_EVIDENCE_ELBO;
    assert_string_equal(report_score_title(ANO_METHOD_FC, elbo, false),
                        "Residual of the latent search");
    for (int i = ANO_METHOD_FC; i <= ANO_METHOD_HYBRID; i++) {
        const char *title = report_score_title((ano_method)i, elbo, false);
        assert_int_equal(strstr(title, "latent search") != NULL,
                         ano_method_searches((ano_method)i));
    }
    assert_string_equal(report_score_title(ANO_METHOD_VAE, elbo, false), "Negative ELBO");
    assert_non_null(strstr(report_score_title(ANO_METHOD_FC, elbo, true), "remembered"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_title__is_of_the_method),
        cmocka_unit_test_teardown(results__list_every_score_exactly, remove_files),
        cmocka_unit_test_teardown(results__hold_the_figures_of_every_method, remove_files),
        cmocka_unit_test_teardown(results__leave_no_metrics_behind_when_a_figure_is_not_finite,
                                  remove_files),
        cmocka_unit_test_teardown(results__hold_each_kind_of_anomaly_and_the_pixels, remove_files),
        cmocka_unit_test(table__has_a_row_for_each_method),
        cmocka_unit_test(table__has_a_row_for_each_kind),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
