#include "report/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static char *written;
static size_t written_size;

static FILE *begin(void)
{
    free(written);
    written = NULL;
    return open_memstream(&written, &written_size);
}

static void expect(FILE *stream, const char *expected)
{
    fclose(stream);
    assert_string_equal(written, expected);
}

static int free_written(void **state)
{
    (void)state;
    free(written);
    return 0;
}

static void html__escapes_all_that_means_something(void **state)
{
    (void)state;
    FILE *stream = begin();
    report_html_text(stream, "<a href=\"x\" b='y'>&amp; \xC3\xBC");
    expect(stream, "&#60;a href=&#34;x&#34; b=&#39;y&#39;&#62;&#38;amp; \xC3\xBC");
}

static void html__is_utf8_whatever_it_is_given(void **state)
{
    (void)state;
    FILE *stream = begin();
    report_html_text(stream, "a\xFF\xC0\xBC\x1B"
                             "b\xE4\xB8");
    expect(stream, "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
                   "b\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void html__pictures_are_in_the_page(void **state)
{
    (void)state;
    uint8_t bytes[] = {'M', 'a', 'n', 'y', 0xFF};
    const struct {
        size_t size;
        const char *base64;
    } cases[] = {{1, "TQ=="}, {2, "TWE="}, {3, "TWFu"}, {4, "TWFueQ=="}, {5, "TWFuef8="}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const report_png png = {bytes, cases[i].size, 300, 200};
        char expected[200];
        snprintf(expected, sizeof expected,
                 "<img width=\"300\" height=\"200\" alt=\"&#60;a\" "
                 "src=\"data:image/png;base64,%s\">\n",
                 cases[i].base64);
        FILE *stream = begin();
        report_html_png(stream, &png, "<a");
        expect(stream, expected);
    }
    const report_png none = {0};
    FILE *stream = begin();
    report_html_png(stream, &none, "none");
    expect(stream, "");
}

static void html__plots_keep_their_names_apart(void **state)
{
    (void)state;
    char svg[] = "<svg><g id=\"a\"/><use xlink:href=\"#a\" clip-path=\"url(#a)\"/></svg>";
    const report_figure figure = {"title", "words", {svg, sizeof svg - 1}};
    FILE *stream = begin();
    report_html_figure(stream, &figure, 7);
    fclose(stream);
    assert_non_null(strstr(written, "<svg><g id=\"f7-a\"/><use xlink:href=\"#f7-a\" "
                                    "clip-path=\"url(#f7-a)\"/></svg>"));
    assert_non_null(strstr(written, "role=\"img\" aria-label=\"words\""));
}

static void html__tables_have_headings_for_rows_and_columns(void **state)
{
    (void)state;
    const char *const columns[] = {"ours", "<theirs>"};
    const report_cell cells[] = {{"0.9", "0.8 to 1", true}, {NULL, NULL, false}};
    const report_row row = {"A & B", "why", cells};
    const report_table table = {"caption", "metric", columns, 2, &row, 1};
    FILE *stream = begin();
    report_html_table(stream, &table);
    fclose(stream);
    const char *const parts[] = {
        "<caption><span>caption</span>", "<th scope=\"col\">&#60;theirs&#62;</th>",
        "<th scope=\"row\"><bdi>A &#38; B</bdi><small>why</small>",
        "<td class=\"best\">0.9 <small>0.8 to 1</small>", "<td>\xE2\x80\x93</td>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(written, parts[i]) == NULL)
            fail_msg("missing: %s, in: %s", parts[i], written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html__escapes_all_that_means_something),
        cmocka_unit_test(html__is_utf8_whatever_it_is_given),
        cmocka_unit_test(html__pictures_are_in_the_page),
        cmocka_unit_test(html__plots_keep_their_names_apart),
        cmocka_unit_test(html__tables_have_headings_for_rows_and_columns),
    };
    return cmocka_run_group_tests(tests, NULL, free_written);
}
