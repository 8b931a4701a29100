#include <anogan/anogan.h>

#include "base/file.h"
#include "base/memory.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_dataset_XXXXXX";
static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/* Six training images of 1 x 2 pixels, {2i, 2i + 1}, and their classes; one test image. */
static const uint8_t train_images[] = {0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 1, 0,  0,
                                       0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t train_labels[] = {0, 0, 8, 1, 0, 0, 0, 6, 1, 9, 1, 4, 9, 1};
static const uint8_t test_images[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 255, 127};
static const uint8_t test_labels[] = {0, 0, 8, 1, 0, 0, 0, 1, 10};

static void put(const char *name, const uint8_t *bytes, size_t size)
{
    char *path = base_path_join(folder, name);
    assert_int_equal(base_file_write(path, bytes, size, NULL), ANO_OK);
    base_free(path);
}

static void remove_file(const char *name)
{
    char *path = base_path_join(folder, name);
    unlink(path);
    base_free(path);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    put(names[0], train_images, sizeof train_images);
    put(names[1], train_labels, sizeof train_labels);
    put(names[2], test_images, sizeof test_images);
    put(names[3], test_labels, sizeof test_labels);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        remove_file(names[i]);
    return rmdir(folder);
}

static ano_dataset *opened(const ano_dataset_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    ano_dataset_open(&dataset, folder, options, &err);
    assert_string_equal(err.message, "");
    return dataset;
}

static void expect_open_error(const char *path, const ano_dataset_options *options,
                              ano_status status, const char *message)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    ano_dataset_open(&dataset, path, options, &err);
    if (err.status != status || strstr(err.message, message) == NULL ||
        strstr(err.message, path) != err.message)
        fail_msg("expected %s '%s', got %s '%s'", ano_status_name(status), message,
                 ano_status_name(err.status), err.message);
    assert_null(dataset);
}

/* `expected` is "class:label@index" of each image, in order. */
static void expect_images(const ano_dataset *dataset, const char *expected)
{
    char found[256] = "";
    for (size_t i = 0; i < ano_dataset_count(dataset); i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s:%d@%zu",
                 i > 0 ? " " : "", ano_dataset_class(dataset, i), ano_dataset_label(dataset, i),
                 ano_dataset_index(dataset, i));
    assert_string_equal(found, expected);
}

static void open__takes_all_images_as_normal(void **state)
{
    (void)state;
    ano_dataset *dataset = opened(&(ano_dataset_options)ANO_DATASET_OPTIONS_INIT);
    expect_images(dataset, "1:0@0 9:0@1 1:0@2 4:0@3 9:0@4 1:0@5");
    const ano_shape shape = ano_dataset_shape(dataset);
    assert_int_equal(shape.height, 1);
    assert_int_equal(shape.width, 2);
    assert_int_equal(shape.channels, 1);
    ano_dataset_free(dataset);
}

static void open__picks_classes_and_counts_in_the_order_of_the_file(void **state)
{
    (void)state;
    static const struct {
        ano_dataset_options options;
        const char *images;
    } cases[] = {
        {{.normal = "1"}, "1:0@0 1:0@2 1:0@5"},
        {{.normal = "4,1"}, "1:0@0 1:0@2 4:0@3 1:0@5"},
        {{.normal = "1", .anomaly = "9"}, "1:0@0 9:1@1 1:0@2 9:1@4 1:0@5"},
        {{.normal = "1", .anomaly = "9", .count = 1}, "1:0@0 9:1@1"},
        {{.normal = "1", .anomaly = "*", .count = 2}, "1:0@0 9:1@1 1:0@2 4:1@3"},
        {{.anomaly = "*", .count = 2}, "1:0@0 9:0@1"},
        {{.split = ANO_SPLIT_TEST}, "10:0@0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_dataset *dataset = opened(&cases[i].options);
        expect_images(dataset, cases[i].images);
        ano_dataset_free(dataset);
    }
}

static void open__names_the_class_that_is_not_there(void **state)
{
    (void)state;
    static const struct {
        ano_dataset_options options;
        const char *message;
    } cases[] = {
        {{.normal = "3"}, "class '3' is not there; the classes are 1, 4, 9"},
        {{.normal = "1,,9"}, "class '' is not there"},
        {{.normal = "1,"}, "class '' is not there"},
        {{.normal = ""}, "class '' is not there"},
        {{.normal = "01"}, "class '01' is not there"},
        {{.normal = "256"}, "class '256' is not there"},
        {{.normal = "1", .anomaly = "one"}, "class 'one' is not there"},
        {{.normal = "1", .split = ANO_SPLIT_TEST}, "class '1' is not there; the classes are 10"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_open_error(folder, &cases[i].options, ANO_ARG, cases[i].message);
}

static void open__refuses_a_class_both_normal_and_anomalous(void **state)
{
    (void)state;
    expect_open_error(folder, &(ano_dataset_options){.normal = "1,9", .anomaly = "9"}, ANO_ARG,
                      "class '9' is both normal and anomalous");
    expect_open_error(folder, &(ano_dataset_options){.anomaly = "9"}, ANO_ARG,
                      "class '9' is both normal and anomalous");
}

static void open__names_both_files_and_counts_when_they_differ(void **state)
{
    (void)state;
    const ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    const uint8_t five[] = {0, 0, 8, 1, 0, 0, 0, 5, 1, 9, 1, 4, 9};
    put(names[1], five, sizeof five);
    expect_open_error(folder, &options, ANO_FORMAT,
                      "/train-labels-idx1-ubyte: count: 5 labels, but ");
    expect_open_error(folder, &options, ANO_FORMAT, "/train-images-idx3-ubyte has 6 images");
    put(names[1], train_labels, sizeof train_labels);
}

static void open__says_which_files_it_looks_for(void **state)
{
    (void)state;
    const ano_dataset_options options = {.split = ANO_SPLIT_TEST};
    remove_file(names[3]);
    expect_open_error(folder, &options, ANO_IO, ": t10k-labels-idx1-ubyte is not there");
    for (size_t i = 0; i < 4; i++)
        expect_open_error(folder, &options, ANO_IO, names[i]);
    put(names[3], test_labels, sizeof test_labels);
    expect_open_error("/nowhere", &options, ANO_IO, "No such file");
    expect_open_error("/dev/null", &options, ANO_IO, "is no data set; a data set is a folder");
}

static void open__names_the_file_that_is_bad(void **state)
{
    (void)state;
    put(names[2], test_images, sizeof test_images - 1);
    expect_open_error(folder, &(ano_dataset_options){.split = ANO_SPLIT_TEST}, ANO_FORMAT,
                      "/t10k-images-idx3-ubyte: pixels: truncated");
    put(names[2], test_images, sizeof test_images);
}

static void open__finds_files_that_end_in_gz(void **state)
{
    (void)state;
    remove_file(names[2]);
    put("t10k-images-idx3-ubyte.gz", test_images, sizeof test_images);
    ano_dataset *dataset = opened(&(ano_dataset_options){.split = ANO_SPLIT_TEST});
    remove_file("t10k-images-idx3-ubyte.gz");
    put(names[2], test_images, sizeof test_images);
    assert_int_equal(ano_dataset_count(dataset), 1);
    ano_dataset_free(dataset);
}

static void mnist_1_vs_9__holds_the_digits_of_the_full_set(void **state)
{
    (void)state;
    const char *data = getenv("ANOGAN_DATA");
    if (data == NULL)
        fail_msg("ANOGAN_DATA is not set: run this by meson test");
    char *path = base_path_join(data, "mnist-1-vs-9");
    ano_dataset *train, *test;
    ano_error err = ANO_ERROR_INIT;
    ano_dataset_open(&train, path, &(ano_dataset_options){.normal = "1"}, &err);
    ano_dataset_open(&test, path,
                     &(ano_dataset_options){.split = ANO_SPLIT_TEST, .normal = "1", .anomaly = "9"},
                     &err);
    base_free(path);
    assert_string_equal(err.message, "");
    assert_int_equal(ano_dataset_count(train), 6742);
    assert_int_equal(ano_dataset_count(test), 1135 + 1009);
    assert_int_equal(ano_dataset_shape(train).height, 28);
    assert_int_equal(ano_dataset_shape(test).width, 28);
    size_t n_anomalous = 0;
    for (size_t i = 0; i < ano_dataset_count(test); i++) {
        n_anomalous += (size_t)ano_dataset_label(test, i);
        assert_string_equal(ano_dataset_class(test, i), ano_dataset_label(test, i) ? "9" : "1");
    }
    assert_int_equal(n_anomalous, 1009);
    ano_dataset_free(train);
    ano_dataset_free(test);
}

static void read__scales_bytes_to_minus_one_and_one(void **state)
{
    (void)state;
    uint8_t pixels[256];
    float dst[256];
    for (size_t i = 0; i < 256; i++)
        pixels[i] = (uint8_t)i;
    ano_dataset *dataset;
    const ano_shape shape = {16, 16, 1};
    assert_int_equal(ano_dataset_from_pixels(&dataset, pixels, 1, shape, NULL, NULL), ANO_OK);
    assert_int_equal(ano_dataset_read(dst, dataset, (size_t[]){0}, 1, NULL), ANO_OK);
    assert_true(dst[0] == -1 && dst[255] == 1);
    for (size_t i = 0; i < 256; i++)
        assert_float_equal(dst[i], (float)i / 127.5f - 1, 1e-7);
    ano_dataset_free(dataset);
}

static void read__takes_images_in_the_order_asked_for(void **state)
{
    (void)state;
    float dst[6];
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset = opened(&(ano_dataset_options){.normal = "9,4"});
    ano_dataset_read(dst, dataset, (size_t[]){2, 0, 2}, 3, &err);
    assert_string_equal(err.message, "");
    const float expected[] = {8, 9, 2, 3, 8, 9};
    for (size_t i = 0; i < 6; i++)
        assert_float_equal(dst[i], expected[i] / 127.5f - 1, 1e-7);
    ano_dataset_read(dst, dataset, (size_t[]){0, 3}, 2, &err);
    assert_int_equal(err.status, ANO_ARG);
    assert_string_equal(err.message, "image 3 is asked for, there are 3");
    ano_dataset_free(dataset);
}

static void from_pixels__refuses_shapes_without_pixels(void **state)
{
    (void)state;
    const uint8_t pixel = 0;
    ano_dataset *dataset;
    static const struct {
        size_t n;
        ano_shape shape;
    } cases[] = {{0, {1, 1, 1}}, {1, {0, 1, 1}},        {1, {1, -1, 1}},
                 {1, {1, 1, 0}}, {SIZE_MAX, {2, 1, 1}}, {1, {INT32_MAX, INT32_MAX, INT32_MAX}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            ano_dataset_from_pixels(&dataset, &pixel, cases[i].n, cases[i].shape, NULL, NULL),
            ANO_ARG);
        assert_null(dataset);
    }
}

static ano_dataset *numbered(uint8_t n)
{
    uint8_t pixels[256];
    for (uint8_t i = 0; i < n; i++)
        pixels[i] = i;
    ano_dataset *dataset;
    assert_int_equal(ano_dataset_from_pixels(&dataset, pixels, n, (ano_shape){1, 1, 1}, NULL, NULL),
                     ANO_OK);
    return dataset;
}

static void split__parts_each_image_once_and_keeps_their_order(void **state)
{
    (void)state;
    enum { N = 200, N_HELD_OUT = 30 };
    ano_dataset *whole = numbered(N), *parts[2];
    ano_error err = ANO_ERROR_INIT;
    ano_dataset_split(&parts[0], &parts[1], whole, N_HELD_OUT, 7, &err);
    ano_dataset_free(whole);
    assert_string_equal(err.message, "");
    assert_int_equal(ano_dataset_count(parts[1]), N_HELD_OUT);
    int seen[N] = {0};
    for (size_t part = 0; part < 2; part++) {
        for (size_t i = 0; i < ano_dataset_count(parts[part]); i++) {
            float pixel;
            const size_t index = ano_dataset_index(parts[part], i);
            assert_int_equal(ano_dataset_read(&pixel, parts[part], &i, 1, NULL), ANO_OK);
            assert_float_equal(pixel, (float)index / 127.5f - 1, 1e-6);
            assert_int_equal(seen[index]++, 0);
            assert_true(i == 0 || index > ano_dataset_index(parts[part], i - 1));
        }
        ano_dataset_free(parts[part]);
    }
    for (size_t i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
}

static size_t held_out_sum(uint64_t seed)
{
    ano_dataset *whole = numbered(200), *rest, *held_out;
    assert_int_equal(ano_dataset_split(&rest, &held_out, whole, 20, seed, NULL), ANO_OK);
    size_t sum = 0;
    for (size_t i = 0; i < ano_dataset_count(held_out); i++)
        sum = sum * 31 + ano_dataset_index(held_out, i);
    ano_dataset_free(whole);
    ano_dataset_free(rest);
    ano_dataset_free(held_out);
    return sum;
}

static void split__depends_on_the_seed_alone(void **state)
{
    (void)state;
    assert_int_equal(held_out_sum(1), held_out_sum(1));
    assert_int_not_equal(held_out_sum(1), held_out_sum(2));
}

static void split__leaves_at_least_one_image(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *whole = numbered(3), *rest, *held_out;
    ano_dataset_split(&rest, &held_out, whole, 2, 0, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(ano_dataset_count(rest), 1);
    ano_dataset_free(rest);
    ano_dataset_free(held_out);
    ano_dataset_split(&rest, &held_out, whole, 3, 0, &err);
    assert_int_equal(err.status, ANO_ARG);
    assert_string_equal(err.message,
                        "3 of 3 images cannot be held out: none would be left; hold out fewer, or "
                        "find more");
    assert_null(rest);
    assert_null(held_out);
    ano_dataset_free(whole);
    ano_dataset_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open__takes_all_images_as_normal),
        cmocka_unit_test(open__picks_classes_and_counts_in_the_order_of_the_file),
        cmocka_unit_test(open__names_the_class_that_is_not_there),
        cmocka_unit_test(open__refuses_a_class_both_normal_and_anomalous),
        cmocka_unit_test(open__names_both_files_and_counts_when_they_differ),
        cmocka_unit_test(open__says_which_files_it_looks_for),
        cmocka_unit_test(open__names_the_file_that_is_bad),
        cmocka_unit_test(open__finds_files_that_end_in_gz),
        cmocka_unit_test(mnist_1_vs_9__holds_the_digits_of_the_full_set),
        cmocka_unit_test(read__scales_bytes_to_minus_one_and_one),
        cmocka_unit_test(read__takes_images_in_the_order_asked_for),
        cmocka_unit_test(from_pixels__refuses_shapes_without_pixels),
        cmocka_unit_test(split__parts_each_image_once_and_keeps_their_order),
        cmocka_unit_test(split__depends_on_the_seed_alone),
        cmocka_unit_test(split__leaves_at_least_one_image),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
