#include "report/page.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_page_XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/report.html", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static char *read_page(void)
{
    char *text;
    size_t size;
    ano_error err = ANO_ERROR_INIT;
    if (base_file_read(&text, &size, path, &err) != ANO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(strlen(text), size);
    return text;
}

static void expect(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("not on the page: %s", part);
}

static void expect_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("on the page: %s", part);
}

static char *write_page(const report_page *page)
{
    ano_error err = ANO_ERROR_INIT;
    if (report_page_write(path, page, &err) != ANO_OK)
        fail_msg("%s", err.message);
    return read_page();
}

/* Text that would be more than text if one place did not escape it. */
static const char hostile[] = "\"'><script>alert(1)</script>&\xFF\xC0";

static void page__holds_no_text_that_is_not_escaped(void **state)
{
    (void)state;
    uint8_t bytes[] = {1, 2, 3};
    char svg[] = "<svg></svg>";
    const char *const texts[] = {hostile, hostile};
    const report_cell cells[] = {{hostile, hostile, true}};
    const report_row row = {hostile, hostile, cells};
    const report_table table = {hostile, hostile, texts, 1, &row, 1};
    const report_png png = {bytes, sizeof bytes, 1, 1};
    const report_example example = {hostile, hostile, 1, png, png, png};
    const report_figure figure = {hostile, hostile, {svg, sizeof svg - 1}};
    const report_setting setting = {hostile, hostile};
    const report_threshold threshold = {0.01, 1, 200};
    const report_page page = {
        .title = hostile,
        .verdict = texts,
        .n_verdict = 2,
        .metrics = table,
        .threshold = &threshold,
        .classes = table,
        .figures = &figure,
        .n_figures = 1,
        .false_alarms = &example,
        .n_false_alarms = 1,
        .misses = &example,
        .n_misses = 1,
        .settings = &setting,
        .n_settings = 1,
    };
    char *text = write_page(&page);
    expect_not(text, "<script");
    expect_not(text, "\xFF");
    expect_not(text, "\"'>");
    expect(text, "&#34;&#39;&#62;&#60;script&#62;");
    expect(text, "default-src 'none'");
    expect(text, "name=\"viewport\"");
    base_free(text);
}

static void page__says_what_the_threshold_promises(void **state)
{
    (void)state;
    report_threshold threshold = {0.01, 31.25, 99};
    const report_page page = {.title = "t", .threshold = &threshold};
    char *text = write_page(&page);
    expect(text, "above <strong>31.25</strong>. 99 held-out normal images");
    expect(text, "with a probability of at most 1&#8239;%");
    base_free(text);
    threshold.n_held_out = 98;
    text = write_page(&page);
    expect(text, "the highest score of 98 held-out normal images");
    expect(text, "that takes 99.");
    expect_not(text, "with a probability");
    base_free(text);
}

static void page__counts_what_is_right_and_wrong(void **state)
{
    (void)state;
    const report_threshold threshold = {0.01, 1, 200};
    const report_confusion confusion = {
        .normal_accepted = 30, .normal_flagged = 10, .anomalous_missed = 0, .anomalous_found = 7};
    const report_page page = {.title = "t", .threshold = &threshold, .confusion = &confusion};
    char *text = write_page(&page);
    expect(text, "40 normal</th><td class=\"right\">30 <small>75&#8239;%</small></td>"
                 "<td class=\"wrong\">10 <small>25&#8239;%</small></td>");
    expect(text, "7 anomalous</th><td class=\"wrong\">0 <small>0&#8239;%</small></td>"
                 "<td class=\"right\">7 <small>100&#8239;%</small></td>");
    expect(text, "Every anomalous image is above the threshold.");
    expect_not(text, "No normal image is above");
    base_free(text);
}

static void page__leaves_out_what_it_was_not_given(void **state)
{
    (void)state;
    const report_page page = {.title = "t"};
    char *text = write_page(&page);
    expect(text, "<h1>t</h1>");
    expect(text, "</html>\n");
    expect_not(text, "<h2>");
    expect_not(text, "<table>");
    base_free(text);
}

static void comparison_page__sets_apart_the_settings_that_differ(void **state)
{
    (void)state;
    const char *const metrics[] = {"AUROC"};
    const char *const settings[] = {"epochs", "seed", "latent", "only none"};
    const char *const first[] = {"10", "1", "30", NULL}, *const second[] = {"20", "1", NULL, NULL};
    const report_cell worse = {"0.8", NULL, false}, better = {"0.9", NULL, true};
    const report_run both[] = {{"a", &worse, first}, {hostile, &better, second}};
    const report_runs runs = {.title = "runs",
                              .metrics = metrics,
                              .n_metrics = 1,
                              .settings = settings,
                              .n_settings = 4,
                              .runs = both,
                              .n_runs = 2};
    assert_int_equal(report_comparison_page(path, &runs, NULL), ANO_OK);
    char *text = read_page();
    expect(text, "<th scope=\"col\">AUROC</th>\n<th scope=\"col\">epochs</th>\n"
                 "<th scope=\"col\">latent</th>\n</tr>");
    expect(text, "<td>0.8</td><td>10</td><td>30</td></tr>");
    expect(text, "<td class=\"best\">0.9</td><td>20</td><td>\xE2\x80\x93</td></tr>");
    expect(text, "<dt>seed</dt>\n<dd><bdi>1</bdi></dd>");
    expect_not(text, "only none");
    expect_not(text, "<script");
    base_free(text);
    const report_runs none = {.title = "none"};
    assert_int_equal(report_comparison_page(path, &none, NULL), ANO_ARG);
}

static void pages__name_the_file_that_cannot_be_written(void **state)
{
    (void)state;
    const report_page page = {.title = "t"};
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_page_write("/nowhere/at/all.html", &page, &err), ANO_IO);
    assert_non_null(strstr(err.message, "/nowhere/at/all.html"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__holds_no_text_that_is_not_escaped),
        cmocka_unit_test(page__says_what_the_threshold_promises),
        cmocka_unit_test(page__counts_what_is_right_and_wrong),
        cmocka_unit_test(page__leaves_out_what_it_was_not_given),
        cmocka_unit_test(comparison_page__sets_apart_the_settings_that_differ),
        cmocka_unit_test(pages__name_the_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
