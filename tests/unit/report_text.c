#include "report/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static void text__gives_every_character_back(void **state)
{
    (void)state;
    const char text[] = "a~\xC2\xA0\xC3\xBC\xE0\xA0\x80\xE4\xB8\xAD\xEF\xBF\xBD\xF0\x9F\x98\x80";
    const uint32_t expected[] = {'a', '~', 0xA0, 0xFC, 0x800, 0x4E2D, 0xFFFD, 0x1F600};
    const char *place = text;
    char again[sizeof text] = "";
    for (size_t i = 0, length = 0; i < sizeof expected / sizeof *expected; i++) {
        const uint32_t got = report_text_next(&place);
        if (got != expected[i])
            fail_msg("character %zu: expected U+%04X, got U+%04X", i, expected[i], got);
        length += (size_t)report_text_encode(again + length, got);
    }
    assert_int_equal(*place, 0);
    assert_string_equal(again, text);
}

static void text__replaces_what_is_not_text_byte_by_byte(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int n; /* characters that it gives */
    } cases[] = {
        {"\xFF", 1},
        {"\x80", 1},
        {"\xC3", 1},
        {"\xC0\xAF", 2},
        {"\xE0\x80\xAF", 3},
        {"\xED\xA0\x80", 3},
        {"\xE4\xB8", 2},
        {"\xF4\x90\x80\x80", 4},
        {"\xF5\x80\x80\x80", 4},
        {"\x01\n\x1B\x7F", 4},
        {"\xC2\x9B", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *place = cases[i].text;
        int n = 0;
        for (; *place != '\0'; n++) {
            const uint32_t got = report_text_next(&place);
            if (got != 0xFFFD)
                fail_msg("case %zu: expected U+FFFD, got U+%04X", i, got);
        }
        if (n != cases[i].n)
            fail_msg("case %zu: expected %d characters, got %d", i, cases[i].n, n);
    }
}

static const char *csv_of(const char *text)
{
    static char field[100];
    *field = '\0';
    FILE *stream = fmemopen(field, sizeof field, "w");
    assert_non_null(stream);
    report_csv_field(stream, text);
    fclose(stream);
    return field;
}

static void csv__holds_no_formula_and_gives_the_text_back(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a.png", "a.png"},
        {"", ""},
        {"a,\"b\"", "\"a,\"\"b\"\"\""},
        {"=1+1", "'=1+1"},
        {"+1", "'+1"},
        {"-1", "'-1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\t=1", "'\t=1"},
        {"\r=1", "\"'\r=1\""},
        {"\n=1", "\"'\n=1\""},
        {"'quoted'", "''quoted'"},
        {"=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""},
        {"a=1", "a=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(csv_of(cases[i][0]), cases[i][1]);
}

static void name__stays_one_part_of_a_path(void **state)
{
    (void)state;
    static const char *const hostile[] = {"../../etc/passwd", "/etc/passwd", "..",   ".",
                                          ".hidden",          "a/b",         "a\nb", "a\x1B]0;b",
                                          "\xFF\xFE",         "a\x7F",       "/",    "a_b/"};
    enum { N = sizeof hostile / sizeof *hostile, SIZE = 40 };
    char names[N][SIZE];
    for (size_t i = 0; i < N; i++) {
        report_text_name(names[i], SIZE, hostile[i]);
        if (*names[i] == '\0' || *names[i] == '.' || strchr(names[i], '/') != NULL)
            fail_msg("'%s' became '%s'", hostile[i], names[i]);
        for (const char *at = names[i]; *at != '\0';)
            assert_true(report_text_next(&at) != 0xFFFD);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(names[i], names[k]);
    }
}

static void name__leaves_a_usual_text_as_it_is(void **state)
{
    (void)state;
    static const char *const usual[] = {"good", "", "9", "thread side", "\xC3\xBC.tar.gz", "-1"};
    char name[40];
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        report_text_name(name, sizeof name, usual[i]);
        assert_string_equal(name, usual[i]);
    }
}

static void name__fits_whatever_its_length_and_stays_different(void **state)
{
    (void)state;
    char text[600], name[40], other[40];
    for (size_t size = REPORT_NAME_LEAST; size <= sizeof name; size++)
        for (size_t length = 0; length + 1 < sizeof text; length += 2) {
            memset(text, 0, sizeof text);
            for (size_t k = 0; k < length; k += 2)
                memcpy(text + k, "\xC3\xBC", 2);
            memset(name, '#', sizeof name);
            report_text_name(name, size, text);
            assert_true(strlen(name) < size);
            for (const char *at = name; *at != '\0';)
                assert_true(report_text_next(&at) != 0xFFFD);
            text[length] = 'x';
            report_text_name(other, size, text);
            assert_string_not_equal(name, other);
        }
}

static void what_is_shown__cannot_move_a_terminals_cursor(void **state)
{
    (void)state;
    char shown[100];
    FILE *stream = fmemopen(shown, sizeof shown, "w");
    assert_non_null(stream);
    report_text_show(stream, "a\x1B[2J\r\n\x9B\xC3\xBC");
    fclose(stream);
    assert_string_equal(shown, "a\xEF\xBF\xBD[2J\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xBC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__gives_every_character_back),
        cmocka_unit_test(text__replaces_what_is_not_text_byte_by_byte),
        cmocka_unit_test(csv__holds_no_formula_and_gives_the_text_back),
        cmocka_unit_test(name__stays_one_part_of_a_path),
        cmocka_unit_test(name__leaves_a_usual_text_as_it_is),
        cmocka_unit_test(name__fits_whatever_its_length_and_stays_different),
        cmocka_unit_test(what_is_shown__cannot_move_a_terminals_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
