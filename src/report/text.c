/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "report/text.h"

#include <stdbool.h>
#include <string.h>

enum { REPLACEMENT = 0xFFFD };

/* How many bytes a character takes, by its first: 0 where none begins so. */
static int length_by_first_byte(unsigned char first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

static bool is_shown(uint32_t character)
{
    const bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
    const bool surrogate = character >= 0xD800 && character < 0xE000;
    return !control && !surrogate && character <= 0x10FFFF;
}

uint32_t report_text_next(const char **text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)*text;
    const int length = length_by_first_byte(*bytes);
    (*text)++;
    if (length == 0)
        return REPLACEMENT;
    uint32_t character = length == 1 ? *bytes : *bytes & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) /* the text's NUL ends it too */
            return REPLACEMENT;
        character = character << 6 | (bytes[i] & 0x3Fu);
    }
    if (character < least[length] || !is_shown(character))
        return REPLACEMENT;
    *text += length - 1;
    return character;
}

int report_text_encode(char dst[4], uint32_t character)
{
    if (character < 0x80) {
        dst[0] = (char)character;
        return 1;
    }
    const int length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (int i = length - 1; i > 0; i--, character >>= 6)
        dst[i] = (char)(0x80 | (character & 0x3F));
    dst[0] = (char)((0xF00u >> length & 0xFF) | character);
    return length;
}

void report_csv_field(FILE *stream, const char *text)
{
    const bool quoted = text[strcspn(text, ",\"\r\n")] != '\0';
    if (quoted)
        fputc('"', stream);
    if (*text != '\0' && strchr("=+-@'\t\r\n", *text) != NULL)
        fputc('\'', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    if (quoted)
        fputc('"', stream);
}

uint64_t report_text_sum(const char *text)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (; *text != '\0'; text++)
        sum = (sum ^ (unsigned char)*text) * 0x100000001b3;
    return sum;
}

void report_text_name(char *dst, size_t size, const char *text)
{
    enum { SUM_SIZE = sizeof "-01234567", MOST_BYTES = 4 };
    size_t n = 0;
    bool same = true;
    const char *at = text;
    while (*at != '\0' && n + MOST_BYTES + SUM_SIZE <= size) {
        const uint32_t character = report_text_next(&at);
        const bool fits =
            character != REPLACEMENT && character != '/' && (n > 0 || character != '.');
        n += (size_t)report_text_encode(dst + n, fits ? character : '_');
        same = same && fits;
    }
    same = same && *at == '\0';
    dst[n] = '\0';
    if (!same)
        snprintf(dst + n, size - n, "-%08x", (unsigned)report_text_sum(text));
}

void report_text_show(FILE *stream, const char *text)
{
    char bytes[4];
    while (*text != '\0')
        fwrite(bytes, 1, (size_t)report_text_encode(bytes, report_text_next(&text)), stream);
}
