#include "data/manifest.h"

#include <stdarg.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static ano_status read_text(data_list *list, const char *text, size_t size, ano_split split,
                            ano_error *err)
{
    FILE *file = fmemopen((void *)(size_t)text, size, "r");
    assert_non_null(file);
    const ano_status status = data_manifest_read(list, file, "set/list.csv", split, false, err);
    fclose(file);
    return status;
}

/* `expected` is "path class mask;" of each image, in order. */
static void expect_images(const char *text, ano_split split, const char *expected)
{
    char found[512] = "";
    ano_error err = ANO_ERROR_INIT;
    data_list list = {0};
    read_text(&list, text, strlen(text), split, &err);
    assert_string_equal(err.message, "");
    for (size_t i = 0; i < list.n_items; i++) {
        const data_item *item = &list.items[i];
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s %s %s;", item->path,
                 list.classes[item->class_id], item->mask != NULL ? item->mask : "-");
    }
    data_list_clear(&list);
    assert_string_equal(found, expected);
}

static void expect_error_of(const char *text, size_t size, const char *message)
{
    ano_error err = ANO_ERROR_INIT;
    data_list list = {0};
    const ano_status status = read_text(&list, text, size, ANO_SPLIT_TRAIN, &err);
    data_list_clear(&list);
    if (status != ANO_FORMAT || strstr(err.message, message) != err.message)
        fail_msg("expected '%s', got %s '%s'", message, ano_status_name(status), err.message);
}

static void read__takes_columns_in_any_order_and_passes_over_others(void **state)
{
    (void)state;
    expect_images("path,label\na.png,good\nsub/b.png,bad\n", ANO_SPLIT_TRAIN,
                  "set/a.png good -;set/sub/b.png bad -;");
    expect_images("mask,id,label,split,path\nm.png,7,bad,test,a.png\n,8,good,train,b.png\n",
                  ANO_SPLIT_TEST, "set/a.png bad set/m.png;");
}

static void read__takes_fields_as_rfc_4180_quotes_them(void **state)
{
    (void)state;
    expect_images("path,label\r\n\"a,b.png\",good\r\n\"say \"\"c\"\".png\",\"two\nlines\"\r\n",
                  ANO_SPLIT_TRAIN, "set/a,b.png good -;set/say \"c\".png two\nlines -;");
    expect_images("\xef\xbb\xbf\"path\",label\n\n\na.png,good", ANO_SPLIT_TRAIN,
                  "set/a.png good -;");
    expect_images("path,label,mask\na.png,good,\"\"\n", ANO_SPLIT_TRAIN, "set/a.png good -;");
}

static void read__takes_0_for_normal_and_1_for_anomalous(void **state)
{
    (void)state;
    expect_images("path,label\na,0\nb,1\nc,2\nd,01\n", ANO_SPLIT_TRAIN,
                  "set/a normal -;set/b anomalous -;set/c 2 -;set/d 01 -;");
}

static void read__takes_an_empty_split_for_both(void **state)
{
    (void)state;
    static const char text[] = "path,label,split\na,0,train\nb,0,test\nc,0,\n";
    expect_images(text, ANO_SPLIT_TRAIN, "set/a normal -;set/c normal -;");
    expect_images(text, ANO_SPLIT_TEST, "set/b normal -;set/c normal -;");
}

static void read__names_the_line_that_is_bad(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "set/list.csv:1: the first line must name the columns path and label"},
        {"a.png,good\n", "set/list.csv:1: the first line must name the columns path and label"},
        {"path,mask\n", "set/list.csv:1: the first line must name the columns path and label"},
        {"path,label,path\n", "set/list.csv:1: names the column path twice"},
        {"path,label\na\n", "set/list.csv:2: has 1 columns, but the first line names 2"},
        {"path,label\na,0\nb,0,1\n", "set/list.csv:3: has 3 columns, but the first line names 2"},
        {"path,label\n,0\n", "set/list.csv:2: the path or the label is missing"},
        {"path,label\na,\n", "set/list.csv:2: the path or the label is missing"},
        {"path,label,split\na,0,val\n", "set/list.csv:2: split 'val' is neither train nor test"},
        {"path,label\n\"a\nb\",0\nc\"d,0\n",
         "set/list.csv:4: has a quote in a field that begins with none"},
        {"path,label\n\"a\"b,0\n", "set/list.csv:2: has text behind a closing quote"},
        {"path,label\na,0\n\"b,0\nc,0\n", "set/list.csv:3: a quote is not closed"},
        {"path,label\n/etc/a.png,0\n", "set/list.csv:2: /etc/a.png is not in the manifest's"},
        {"path,label\n../a.png,0\n", "set/list.csv:2: ../a.png is not in the manifest's"},
        {"path,label\na//../../b,0\n", "set/list.csv:2: a//../../b is not in the manifest's"},
        {"path,label\na/..,0\n", "set/list.csv:2: a/.. is not in the manifest's"},
        {"path,label,mask\na..b/..c/...,0,\nb,0,../c\n", "set/list.csv:3: ../c is not in the"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_error_of(cases[i].text, strlen(cases[i].text), cases[i].message);
    static const char nul[] = "path,label\na\0b,0\n", quoted_nul[] = "path,label\n\"a\0b\",0\n";
    expect_error_of(nul, sizeof nul - 1, "set/list.csv:2: holds a NUL");
    expect_error_of(quoted_nul, sizeof quoted_nul - 1, "set/list.csv:2: holds a NUL");
}

/* "path,label\n" and a row that its path makes `length` bytes long, with a NUL for every field. */
static char *with_row_of(size_t length)
{
    static const char header[] = "path,label\n";
    char *text = malloc(sizeof header + length);
    assert_non_null(text);
    strcpy(text, header);
    memset(text + sizeof header - 1, 'a', length);
    strcpy(text + sizeof header - 1 + length - 3, ",0");
    return text;
}

static void read__limits_the_length_of_a_row(void **state)
{
    (void)state;
    char *longest = with_row_of(DATA_MANIFEST_LINE), *longer = with_row_of(DATA_MANIFEST_LINE + 1);
    ano_error err = ANO_ERROR_INIT;
    data_list list = {0};
    read_text(&list, longest, strlen(longest), ANO_SPLIT_TRAIN, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(list.n_items, 1);
    data_list_clear(&list);
    expect_error_of(longer, strlen(longer), "set/list.csv:2: is longer than 16384 bytes");
    free(longest);
    free(longer);

    char columns[256];
    memset(columns, ',', sizeof columns);
    expect_error_of(columns, sizeof columns, "set/list.csv:1: has too many columns");
}

static void read__limits_the_number_of_lines(void **state)
{
    (void)state;
    static const char header[] = "path,label", row[] = "a,0";
    const size_t size = sizeof header - 1 + DATA_MANIFEST_LINES + sizeof row;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    memcpy(text, header, sizeof header - 1);
    strcpy(text + size - sizeof row, row);
    expect_error_of(text, size - 1, "set/list.csv:10000001: is one line too many");
    text[size - sizeof row] = '\0'; /* as many lines as may be, each ended */
    expect_images(text, ANO_SPLIT_TRAIN, "");
    free(text);
}

static void read__lets_paths_leave_the_folder_only_where_that_is_allowed(void **state)
{
    (void)state;
    static const char text[] = "path,label,mask\n/a.png,good,\n../b.png,bad,/c/m.png\n";
    static const char *const paths[] = {"/a.png", "set/../b.png"};
    expect_error_of(text, strlen(text), "set/list.csv:2: /a.png is not in the manifest's folder");
    ano_error err = ANO_ERROR_INIT;
    data_list list = {0};
    FILE *file = fmemopen((void *)(size_t)text, strlen(text), "r");
    assert_non_null(file);
    data_manifest_read(&list, file, "set/list.csv", ANO_SPLIT_TEST, true, &err);
    fclose(file);
    assert_string_equal(err.message, "");
    assert_int_equal(list.n_items, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(list.items[i].path, paths[i]);
    assert_string_equal(list.items[1].mask, "/c/m.png");
    data_list_clear(&list);
}

static void read__limits_the_number_of_classes(void **state)
{
    (void)state;
    enum { ROW_SIZE = 16, SIZE = (DATA_LIST_CLASSES + 2) * ROW_SIZE };
    char *text = malloc(SIZE);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "path,label\n");
    for (int i = 0; i <= DATA_LIST_CLASSES; i++)
        n += (size_t)sprintf(text + n, "a,c%d\n", i);
    expect_error_of(text, n, "set/list.csv:10002: 'c10000' is one class too many");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__takes_columns_in_any_order_and_passes_over_others),
        cmocka_unit_test(read__takes_fields_as_rfc_4180_quotes_them),
        cmocka_unit_test(read__takes_0_for_normal_and_1_for_anomalous),
        cmocka_unit_test(read__takes_an_empty_split_for_both),
        cmocka_unit_test(read__names_the_line_that_is_bad),
        cmocka_unit_test(read__limits_the_length_of_a_row),
        cmocka_unit_test(read__limits_the_number_of_lines),
        cmocka_unit_test(read__lets_paths_leave_the_folder_only_where_that_is_allowed),
        cmocka_unit_test(read__limits_the_number_of_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
