#include "report/benchmark.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N_CLASSES = 2, N_SEEDS = 2, TEN = 10 };

static const char *const classes[N_CLASSES] = {"2", "8"};
/* Of a baseline: without a threshold and without parts. */
#define CELL(auroc, train, test, image)                                                            \
    {                                                                                              \
        true, auroc, train, test, image, NAN, NAN, NAN, NAN, NAN                                   \
    }

/* [class][seed] */
static const report_benchmark_cell method_cells[] = {
    CELL(0.90, 10, 2, 0.02), CELL(0.92, 20, 2, 0.04), CELL(0.70, 30, 2, 0.02),
    CELL(0.76, 40, 2, 0.04)};
static const report_benchmark_cell partial_cells[] = {
    CELL(0.99, 10, 2, 0.02), {false}, {false}, {false}};
static const report_benchmark_cell low_cells[] = {CELL(0.8, 1, 1, 0.01), CELL(0.6, 1, 1, 0.01)};
static const report_benchmark_cell high_cells[] = {CELL(0.85, 1, 1, 0.01), CELL(0.95, 1, 1, 0.01)};

static const report_contender rows[] = {
    {.name = "fc", .n_seeds = N_SEEDS, .cells = method_cells},
    {.name = "patch", .n_seeds = N_SEEDS, .cells = partial_cells},
    {.name = "pca", .baseline = true, .n_seeds = 1, .cells = low_cells},
    {.name = "nearest", .baseline = true, .n_seeds = 1, .cells = high_cells}};

/* A method whose models remember, and what only scores by them. */
static const report_benchmark_cell remembering_cells[] = {
    {true, 0.96, 10, 2, 0.02, 0.9, 0.02, 0.88, 0.8, 0.95},
    {true, 0.92, 20, 3, 0.04, 0.8, 0.04, 0.78, 0.7, 0.94}};
static const report_contender parts[] = {
    {.name = "vae", .n_seeds = 1, .cells = remembering_cells},
    {.name = "vae alone",
     .n_seeds = 1,
     .cells = remembering_cells,
     .part = REPORT_ALONE,
     .of = "vae"},
    {.name = "vae unlearned",
     .n_seeds = 1,
     .cells = remembering_cells,
     .part = REPORT_UNLEARNED,
     .of = "vae"},
    {.name = "latent", .n_seeds = 1, .cells = low_cells, .trained = "fc"}};
static const report_benchmark of_parts = {
    .data = "digits", .classes = classes, .n_classes = N_CLASSES, .rows = parts, .n_rows = 4};

static report_benchmark of_rows(size_t first, size_t n)
{
    return (report_benchmark){.data = "digits",
                              .classes = classes,
                              .n_classes = N_CLASSES,
                              .rows = rows + first,
                              .n_rows = n,
                              .seed = 5};
}

static void assert_near(double got, double expected)
{
    const double rounding = 1e-12;
    if (!(fabs(got - expected) <= rounding))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static char *printed(void (*print)(FILE *, const report_benchmark *),
                     const report_benchmark *benchmark)
{
    static char *text; /* which the compiler would take for dangling on the stack */
    static size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    print(stream, benchmark);
    fclose(stream);
    return text;
}

static void print_json(FILE *stream, const report_benchmark *benchmark)
{
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_benchmark_json(stream, benchmark, &err), ANO_OK);
}

static void benchmark__spreads_are_over_seeds_of_the_mean_over_classes(void **state)
{
    (void)state;
    const report_benchmark benchmark = of_rows(0, 4);
    const report_standing standing = report_standing_of(&benchmark, &rows[0]);
    /* The seeds' means are 0.80 and 0.84. */
    assert_near(standing.auroc.mean, 0.82);
    assert_near(standing.auroc.deviation, 0.04 / sqrt(2));
    assert_near(standing.worst, 0.73);
    assert_int_equal(standing.worst_class, 1);
    assert_near(standing.train_seconds, 25);
    assert_near(standing.image_seconds, 0.03);
    const report_spread eight = report_class_spread(&rows[0], 1);
    assert_near(eight.mean, 0.73);
    assert_near(eight.deviation, 0.06 / sqrt(2));
}

static void benchmark__a_single_seed_has_no_spread(void **state)
{
    (void)state;
    const report_benchmark benchmark = of_rows(0, 4);
    assert_true(isnan(report_standing_of(&benchmark, &rows[2]).auroc.deviation));
    assert_true(isnan(report_class_spread(&rows[2], 0).deviation));
}

static void benchmark__a_row_with_a_missing_cell_has_no_mean(void **state)
{
    (void)state;
    const report_benchmark benchmark = of_rows(0, 4);
    const report_standing standing = report_standing_of(&benchmark, &rows[1]);
    assert_true(isnan(standing.auroc.mean));
    assert_true(isnan(standing.worst));
    assert_near(standing.train_seconds, 10); /* of what is there */
}

static void benchmark__says_where_the_best_method_stands(void **state)
{
    (void)state;
    char verdict[REPORT_SENTENCES];
    const report_benchmark all = of_rows(0, 4), below = of_rows(0, 3), alone = of_rows(0, 2),
                           none = of_rows(1, 3);
    report_benchmark_verdict(verdict, sizeof verdict, &all);
    assert_string_equal(verdict,
                        "fc has the highest mean AUROC of the methods, 0.8200: 0.0800 below the "
                        "best baseline, nearest, and better than it on 1 of 2 classes. It is above "
                        "pca on 2 and nearest on 1 of 2 classes.");
    report_benchmark_verdict(verdict, sizeof verdict, &below);
    assert_string_equal(verdict,
                        "fc has the highest mean AUROC of the methods, 0.8200: 0.1200 above the "
                        "best baseline, pca, and better than it on 2 of 2 classes. It is above pca "
                        "on 2 of 2 classes.");
    report_benchmark_verdict(verdict, sizeof verdict, &alone);
    assert_string_equal(verdict, "fc has the highest mean AUROC of the methods, 0.8200.");
    report_benchmark_verdict(verdict, sizeof verdict, &none);
    assert_string_equal(verdict, "No method has been tested on all classes.");
}

static void benchmark__tables_show_what_is_missing_by_dashes(void **state)
{
    (void)state;
    const report_benchmark benchmark = of_rows(0, 3);
    char *text = printed(report_benchmark_print, &benchmark);
    assert_string_equal(
        text,
        "AUROC                   mean  spread   worst  (class)            train s   ms/image\n"
        "fc                    0.8200  0.0283  0.7300  (8)                  25.00    30.0000\n"
        "patch                      -       -       -                       10.00    20.0000\n"
        "pca                   0.7000       -  0.6000  (8)                   1.00    10.0000\n"
        "\n"
        "AUROC by class             2      8\n"
        "fc                    0.9100 0.7300\n"
        "  spread              0.0141 0.0424\n"
        "patch                      -      -\n"
        "  spread                   -      -\n"
        "pca                   0.8000 0.6000\n"
        "\n"
        "fc has the highest mean AUROC of the methods, 0.8200: 0.1200 above the best "
        "baseline, pca, and better than it on 2 of 2 classes. It is above pca on 2 of 2 classes.\n"
        "fc: 4 cells, 100 s of training, 8 s of scoring\n"
        "patch: 1 cell, 10 s of training, 2 s of scoring\n");
    free(text);
}

static void benchmark__tells_what_a_score_is_without_its_parts(void **state)
{
    (void)state;
    char sentence[REPORT_SENTENCES];
    assert_near(report_standing_of(&of_parts, &parts[0]).auroc.mean, 0.94);
    assert_near(report_standing_of(&of_parts, &parts[1]).auroc.mean, 0.75);
    assert_near(report_standing_of(&of_parts, &parts[2]).auroc.mean, 0.945);
    report_benchmark_learned(sentence, sizeof sentence, &of_parts, &parts[0]);
    assert_string_equal(sentence, "Without its learned parts vae gains 0.0050 in the mean.");
    report_benchmark_learned(sentence, sizeof sentence, &of_parts, &parts[3]);
    assert_string_equal(sentence, "");
    report_benchmark_verdict(sentence, sizeof sentence, &of_parts); /* a part is no method */
    assert_string_equal(sentence, "vae has the highest mean AUROC of the methods, 0.9400.");
    report_benchmark_cost(sentence, sizeof sentence, &of_parts, &parts[3]);
    assert_string_equal(sentence, "latent: 2 cells, 2 s of training (fc's), 2 s of scoring");
}

static void benchmark__has_a_threshold_for_whole_scores_only(void **state)
{
    (void)state;
    const report_standing whole = report_standing_of(&of_parts, &parts[0]),
                          part = report_standing_of(&of_parts, &parts[2]);
    assert_near(whole.accuracy, 0.85);
    assert_near(whole.false_alarms, 0.03);
    assert_near(whole.detected, 0.83);
    assert_near(whole.all_train_seconds, 30);
    assert_near(whole.all_test_seconds, 5);
    assert_int_equal(whole.n_cells, 2);
    assert_true(isnan(part.accuracy) && isnan(part.false_alarms) && isnan(part.detected));
    assert_true(isnan(part.train_seconds) && isnan(part.all_test_seconds));
    assert_int_equal(part.n_cells, 2);
    char *text = printed(print_json, &of_parts);
    const char *of = strstr(strstr(text, "\"vae alone\""), "\"part_of\": \"vae\"");
    assert_non_null(of);
    assert_non_null(strstr(of, "\"accuracy\": null"));
    assert_non_null(strstr(text, "\"accuracy\": 0.85"));
    free(text);
}

/* Of the two tables, which end before an empty line and the verdict. */
static size_t longest_line(const char *text)
{
    size_t longest = 0;
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        if ((size_t)(end - text) > longest && strncmp(text, "fc has", 6) != 0)
            longest = (size_t)(end - text);
    return longest;
}

static void benchmark__tables_have_at_most_100_columns(void **state)
{
    (void)state;
    static const char *const digits[TEN] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    static const char *const long_names[TEN] = {
        "bottle", "cable",    "capsule", "carpet",
        "grid",   "hazelnut", "leather", "metal nut with a name without end",
        "pill",   "screw"};
    report_benchmark_cell cells[TEN];
    for (size_t i = 0; i < TEN; i++)
        cells[i] = (report_benchmark_cell)CELL(1, 12345.6, 1, 123.4);
    const report_contender row = {.name = "fc", .n_seeds = 1, .cells = cells};
    report_benchmark benchmark = {
        .data = "d", .classes = digits, .n_classes = TEN, .rows = &row, .n_rows = 1};
    char *text = printed(report_benchmark_print, &benchmark);
    assert_in_range(longest_line(text), 80, 100);
    assert_null(strstr(strstr(text, "by class") + 1, "by class")); /* one block of ten */
    free(text);
    benchmark.classes = long_names;
    text = printed(report_benchmark_print, &benchmark);
    assert_in_range(longest_line(text), 80, 100);
    for (size_t i = 0; i < TEN; i++) { /* all are there, in some block */
        char name[21];
        snprintf(name, sizeof name, "%s", long_names[i]);
        assert_non_null(strstr(text, name));
    }
    free(text);
}

static void benchmark__json_has_a_cell_for_each_that_is_done(void **state)
{
    (void)state;
    const report_benchmark benchmark = of_rows(1, 2);
    char *text = printed(print_json, &benchmark);
    assert_non_null(strstr(text, "\"data\": \"digits\""));
    const char *cells = strstr(text, "\"cells\"");
    assert_non_null(cells);
    size_t n = 0;
    for (const char *at = cells; (at = strstr(at, "\"seed\"")) != NULL; at++)
        n++;
    assert_int_equal(n, 3);
    const char *first = strstr(cells, "\"class\": \"2\"");
    assert_non_null(first);
    assert_non_null(strstr(cells, "\"method\": \"patch\""));
    assert_non_null(strstr(cells, "\"seed\": 5"));
    assert_non_null(strstr(cells, "\"baseline\": false"));
    assert_non_null(strstr(cells, "\"baseline\": true"));
    assert_non_null(strstr(cells, "\"seconds\": 12.0"));
    assert_non_null(strstr(text, "\"worst_class\": null")); /* patch lacks cells */
    assert_null(strstr(text, "nan"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(benchmark__spreads_are_over_seeds_of_the_mean_over_classes),
        cmocka_unit_test(benchmark__a_single_seed_has_no_spread),
        cmocka_unit_test(benchmark__a_row_with_a_missing_cell_has_no_mean),
        cmocka_unit_test(benchmark__says_where_the_best_method_stands),
        cmocka_unit_test(benchmark__tells_what_a_score_is_without_its_parts),
        cmocka_unit_test(benchmark__has_a_threshold_for_whole_scores_only),
        cmocka_unit_test(benchmark__tables_show_what_is_missing_by_dashes),
        cmocka_unit_test(benchmark__tables_have_at_most_100_columns),
        cmocka_unit_test(benchmark__json_has_a_cell_for_each_that_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
