/* An option's value and its text, on the command line and in JSON. */
#include "cli/option_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole of `text` as a decimal number without sign or blanks before it. */
static bool parse_digits(uint64_t *out, const char *text, uint64_t high)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    *out = strtoumax(text, NULL, 10);
    return errno == 0 && *out <= high;
}

static bool parse_real(double *out, const char *text, double low, double high)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && text[strspn(text, "+-.0123456789eE")] == '\0' &&
           *out >= low && *out <= high;
}

static const char *const flip_names[] = {"none", "h", "v", "h,v"};
static const char *const colour_names[] = {"auto", "gray", "rgb"};
static const int colour_channels[] = {0, 1, 3};
static const uint64_t seed_high = UINT64_C(1) << 53;

static int find_name(const char *const *names, size_t n_names, const char *text)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -1;
}

int cli_option_find_word(const char *words, const char *text)
{
    const size_t length = strlen(text);
    int i = 0;
    for (const char *word = words; length > 0; word += strcspn(word, "|") + 1, i++) {
        if (strcspn(word, "|") == length && strncmp(word, text, length) == 0)
            return i;
        if (word[strcspn(word, "|")] == '\0')
            break;
    }
    return -1;
}

/* "auto, direct or fft". */
static void list_words(char *dst, size_t size, const char *words)
{
    size_t used = 0;
    for (const char *at = words; *at != '\0' && used + 1 < size; at++)
        used += (size_t)snprintf(dst + used, size - used, "%s",
                                 *at != '|'                    ? (char[]){*at, '\0'}
                                 : strchr(at + 1, '|') != NULL ? ", "
                                                               : " or ");
}

static json_t *word_json(const char *words, int number)
{
    for (; number > 0; number--)
        words += strcspn(words, "|") + 1;
    return json_stringn(words, strcspn(words, "|"));
}

/* "auto" leaves the pool as it is: another than the run's is nothing to ask for in this way. */
static bool parse_pool(cli_options *options, const char *text)
{
    options->chooses_pool = strcmp(text, "auto") == 0;
    if (options->chooses_pool)
        return true;
    for (ano_pool pool = ANO_POOL_SUM; pool <= ANO_POOL_MAX; pool++) {
        const char *name = ano_pool_name(pool);
        const size_t length = strlen(name);
        if (strncmp(text, name, length) != 0)
            continue;
        options->search.pool = pool;
        if (pool != ANO_POOL_TOP)
            return text[length] == '\0';
        return text[length] == ':' &&
               parse_real(&options->search.pool_share, text + length + 1, 1e-9, 1);
    }
    return false;
}

/* The kinds whose names `text` lists, separated by commas. */
static bool parse_memory(unsigned *kinds, const char *text)
{
    const bool is_auto = strcmp(text, "auto") == 0, is_all = strcmp(text, "all") == 0;
    *kinds = is_auto ? CLI_MEMORY_AUTO : is_all ? CLI_MEMORY_ALL : 0;
    if (is_auto || is_all || strcmp(text, "none") == 0)
        return true;
    for (const char *word = text;; word += strcspn(word, ",") + 1) {
        const size_t length = strcspn(word, ",");
        int kind = 0;
        while (kind < ANO_MEMORIES &&
               (strlen(ano_memory_name((ano_memory)kind)) != length ||
                strncmp(ano_memory_name((ano_memory)kind), word, length) != 0))
            kind++;
        if (kind == ANO_MEMORIES)
            return false;
        *kinds |= 1U << kind;
        if (word[length] == '\0')
            return true;
    }
}

static json_t *memory_json(unsigned kinds)
{
    char text[64] = "";
    size_t used = 0;
    if (kinds == 0 || kinds == CLI_MEMORY_AUTO)
        return json_string(kinds == 0 ? "none" : "auto");
    for (int kind = 0; kind < ANO_MEMORIES; kind++)
        if (kinds >> kind & 1)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? "," : "",
                                     ano_memory_name((ano_memory)kind));
    return json_string(text);
}

/* "5" is every five epochs, "5m" every five minutes. */
static bool parse_period(ano_train_options *options, const char *text, double low, double high)
{
    char number[16];
    const size_t length = strlen(text);
    const bool minutes = length > 0 && text[length - 1] == 'm';
    uint64_t whole;
    if (length >= sizeof number)
        return false;
    strcpy(number, text);
    if (minutes)
        number[length - 1] = '\0';
    if (!parse_digits(&whole, number, (uint64_t)high) || (double)whole < low)
        return false;
    options->checkpoint_every = minutes ? 0 : (int)whole;
    options->checkpoint_minutes = minutes ? (int)whole : 0;
    return true;
}

bool cli_option_set(cli_options *options, const option_row *row, const char *text, char *expected,
                    size_t expected_size)
{
    void *field = (char *)options + row->offset;
    uint64_t whole = 0;
    int name;
    switch (row->kind) {
    case KIND_TEXT:
        *(const char **)field = text;
        snprintf(expected, expected_size, "a text that is not empty");
        return *text != '\0';
    case KIND_FLAG: /* without a text on the command line */
        *(bool *)field = text == NULL || strcmp(text, "true") == 0;
        snprintf(expected, expected_size, "true or false");
        return *(bool *)field || strcmp(text, "false") == 0;
    case KIND_WHOLE:
        snprintf(expected, expected_size, "a whole number from %.0f to %.0f", row->low, row->high);
        if (!parse_digits(&whole, text, (uint64_t)row->high) || (double)whole < row->low)
            return false;
        *(int *)field = (int)whole;
        return true;
    case KIND_REAL:
        snprintf(expected, expected_size, "a number from %g to %g", row->low, row->high);
        return parse_real(field, text, row->low, row->high);
    case KIND_SEED:
        snprintf(expected, expected_size, "a whole number from 0 to %" PRIu64, seed_high);
        return parse_digits(field, text, seed_high);
    case KIND_COUNT:
        snprintf(expected, expected_size, "a whole number from 1, or all");
        if (strcmp(text, "all") != 0 && (!parse_digits(&whole, text, SIZE_MAX) || whole == 0))
            return false;
        *(size_t *)field = (size_t)whole;
        return true;
    case KIND_FLIP:
        snprintf(expected, expected_size, "h, v, h,v or none");
        name = find_name(flip_names, sizeof flip_names / sizeof *flip_names,
                         strcmp(text, "v,h") == 0 ? "h,v" : text);
        if (name < 0)
            return false;
        *(unsigned *)field = (unsigned)name;
        return true;
    case KIND_WORD:
        name = cli_option_find_word(row->argument, text);
        list_words(expected, expected_size, row->argument);
        if (name < 0)
            return false;
        memcpy(field, &name, sizeof name);
        return true;
    case KIND_COLOUR:
        snprintf(expected, expected_size, "gray, rgb or auto");
        name = find_name(colour_names, sizeof colour_names / sizeof *colour_names, text);
        if (name < 0)
            return false;
        *(int *)field = colour_channels[name];
        return true;
    case KIND_POOL:
        snprintf(expected, expected_size, "auto, sum, mean, max, or top: and a share above 0 to 1");
        return parse_pool(options, text);
    case KIND_MEMORY:
        snprintf(expected, expected_size,
                 "auto, none, all, or some of histograms, random, features and transforms");
        return parse_memory(field, text);
    case KIND_PERIOD:
        snprintf(expected, expected_size, "a number of epochs, as 5, or of minutes, as 10m");
        return parse_period(field, text, row->low, row->high);
    }
    return false;
}

json_t *cli_option_get(const cli_options *options, const option_row *row)
{
    const void *field = (const char *)options + row->offset;
    switch (row->kind) {
    case KIND_TEXT:
        return *(const char *const *)field != NULL ? json_string(*(const char *const *)field)
                                                   : json_null();
    case KIND_FLAG:
        return json_boolean(*(const bool *)field);
    case KIND_WHOLE:
        return json_integer(*(const int *)field);
    case KIND_REAL:
        return json_real(*(const double *)field);
    case KIND_SEED:
        return json_integer((json_int_t) * (const uint64_t *)field);
    case KIND_COUNT:
        return *(const size_t *)field == 0 ? json_string("all")
                                           : json_integer((json_int_t) * (const size_t *)field);
    case KIND_FLIP:
        return json_string(flip_names[*(const unsigned *)field]);
    case KIND_WORD:
        return *(const int *)field >= 0 ? word_json(row->argument, *(const int *)field)
                                        : json_null();
    case KIND_COLOUR:
        return json_string(colour_names[(*(const int *)field + 1) / 2]);
    case KIND_POOL: {
        const cli_pool_text pool = cli_options_pool(&options->search);
        return json_string(options->chooses_pool ? "auto" : pool.text);
    }
    case KIND_MEMORY:
        return memory_json(*(const unsigned *)field);
    case KIND_PERIOD: {
        const ano_train_options *train = field;
        return train->checkpoint_minutes > 0 ? json_sprintf("%dm", train->checkpoint_minutes)
                                             : json_integer(train->checkpoint_every);
    }
    }
    return NULL;
}

void cli_option_json_text(char *dst, size_t size, const json_t *value)
{
    dst[0] = '\0';
    if (json_is_integer(value))
        snprintf(dst, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(dst, size, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(dst, size, "%s", json_is_true(value) ? "true" : "false");
}
