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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__gives_every_character_back),
        cmocka_unit_test(text__replaces_what_is_not_text_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
