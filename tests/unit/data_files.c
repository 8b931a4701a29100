/* Data sets of image files, from what is at a path to the images. */
#include "base/file.h"
#include "base/memory.h"
#include "data/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char place[] = "/tmp/anogan_files_XXXXXX";
static const ano_dataset_options training = ANO_DATASET_OPTIONS_INIT,
                                 testing = {.split = ANO_SPLIT_TEST, .anomaly = "*"};

static int make_place(void **state)
{
    (void)state;
    return mkdtemp(place) == NULL || chdir(place) != 0;
}

static int remove_place(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", place);
    return chdir("/") != 0 || system(command) != 0;
}

/* Writes a file, with the folders that it is in. */
static void put(const char *path, const char *bytes)
{
    char *folder = base_strdup(path), *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
        assert_int_equal(base_make_folder(folder, NULL), ANO_OK);
    }
    base_free(folder);
    assert_int_equal(base_file_write(path, bytes, strlen(bytes), NULL), ANO_OK);
}

/* Images of 2 x 1 pixels; libvips knows them by what is in them, whatever their ending. */
static void put_gray(const char *path)
{
    put(path, "P5 1 2 255\nab");
}

static void put_colour(const char *path)
{
    put(path, "P6 1 2 255\nabcdef");
}

static ano_dataset *opened(const char *const *paths, size_t n, const ano_dataset_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    ano_dataset_open_list(&dataset, paths, n, options, &err);
    assert_string_equal(err.message, "");
    return dataset;
}

static void expect_error(const char *path, const ano_dataset_options *options, ano_status status,
                         const char *message)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    ano_dataset_open(&dataset, path, options, &err);
    if (err.status != status || strstr(err.message, message) != err.message)
        fail_msg("expected %s '%s', got %s '%s'", ano_status_name(status), message,
                 ano_status_name(err.status), err.message);
    assert_null(dataset);
}

/* Frees the data set. `expected` is "path class:label mask;" of each image, in order. */
static void expect_images(ano_dataset *dataset, ano_dataset_kind kind, const char *expected)
{
    char found[1024] = "";
    for (size_t i = 0; i < ano_dataset_count(dataset); i++) {
        const char *mask = ano_dataset_mask(dataset, i);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s %s:%d%s%s;",
                 ano_dataset_path(dataset, i), ano_dataset_class(dataset, i),
                 ano_dataset_label(dataset, i), mask != NULL ? " " : "", mask != NULL ? mask : "");
    }
    assert_string_equal(found, expected);
    assert_string_equal(ano_dataset_kind_name(ano_dataset_get_kind(dataset)),
                        ano_dataset_kind_name(kind));
    ano_dataset_free(dataset);
}

static void expect_open(const char *path, const ano_dataset_options *options, ano_dataset_kind kind,
                        const char *expected)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    ano_dataset_open(&dataset, path, options, &err);
    assert_string_equal(err.message, "");
    expect_images(dataset, kind, expected);
}

/* ---- names -------------------------------------------------------------------------------- */

static void compare__orders_numbers_by_their_value(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "0",
                                        "01",
                                        "1",
                                        "2",
                                        "10",
                                        "99999999999999999998",
                                        "99999999999999999999",
                                        "A",
                                        "a1b2",
                                        "a1b10",
                                        "a02b1",
                                        "b",
                                        "part2",
                                        "part2a",
                                        "part10",
                                        "\xc3\xa9"};
    const size_t n = sizeof names / sizeof *names;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const int order = data_files_compare(names[i], names[j]);
            if ((order > 0) - (order < 0) != (i > j) - (i < j))
                fail_msg("'%s' against '%s': %d", names[i], names[j], order);
        }
}

static void ends_in__takes_a_whole_ending_in_any_case(void **state)
{
    (void)state;
    static const char *const images[] = {"a.png", "a.JPEG", "a/b.c.Tif", ".png.webp", "a.jxl"},
                             *const others[] = {"png", "a.pn",  "a.pngx", "a.png/b",
                                                "a.",  "a.txt", "a"};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        assert_true(data_files_ends_in(images[i], DATA_FILES_ENDINGS));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(data_files_ends_in(others[i], DATA_FILES_ENDINGS));
}

/* ---- what is at a path -------------------------------------------------------------------- */

static void folder__gives_its_images_in_natural_order(void **state)
{
    (void)state;
    put_gray("flat/part10.png");
    put_gray("flat/part2.PNG");
    put_gray("flat/.hidden.png");
    put("flat/notes.txt", "no image");
    static const char expected[] = "flat/part2.PNG :0;flat/part10.png :0;";
    expect_open("flat", &training, ANO_DATASET_FOLDER, expected);
    expect_open("flat/", &testing, ANO_DATASET_FOLDER, expected);
}

static void folder__names_the_class_by_the_first_folder(void **state)
{
    (void)state;
    put_gray("classes/good/a.png");
    put_gray("classes/good/deep/er/b.png");
    put_gray("classes/bad/c.png");
    put_gray("classes/.git/d.png");
    put_gray("classes/z.png");
    expect_open("classes", &training, ANO_DATASET_FOLDER,
                "classes/good/a.png good:0;classes/good/deep/er/b.png good:0;");
    expect_open("classes", &testing, ANO_DATASET_FOLDER,
                "classes/bad/c.png bad:1;classes/good/a.png good:0;"
                "classes/good/deep/er/b.png good:0;classes/z.png :1;");
    expect_open("classes", &(ano_dataset_options){.anomaly = "bad", .count = 1}, ANO_DATASET_FOLDER,
                "classes/bad/c.png bad:1;classes/good/a.png good:0;");
    expect_error("classes", &(ano_dataset_options){.normal = "best"}, ANO_ARG,
                 "classes: class 'best' is not there; the classes are bad, good, ");
}

static void folder__follows_links_but_not_in_circles(void **state)
{
    (void)state;
    put_gray("links/a/1.png");
    put_gray("elsewhere/2.png");
    assert_int_equal(symlink("..", "links/a/up"), 0);
    assert_int_equal(symlink(".", "links/self"), 0);
    assert_int_equal(symlink("../elsewhere", "links/b"), 0);
    expect_open("links", &training, ANO_DATASET_FOLDER, "links/a/1.png a:0;links/b/2.png b:0;");
}

static void folder__without_images_is_refused_with_what_is_accepted(void **state)
{
    (void)state;
    put("texts/a.txt", "no image");
    expect_error("texts", &training, ANO_FORMAT,
                 "texts: holds no images; a data set is a folder of images (png, jpg, ");
}

static void tree__gives_a_split_with_its_masks(void **state)
{
    (void)state;
    put_gray("tree/train/good/000.png");
    put_gray("tree/test/good/000.png");
    put_gray("tree/test/cut/000.png");
    put_gray("tree/test/cut/001.tif");
    put_gray("tree/test/hole/sub/9.png");
    put_gray("tree/test/hole/10.png");
    put_gray("tree/ground_truth/cut/000_mask.png");
    put_gray("tree/ground_truth/cut/001.png");
    put_gray("tree/ground_truth/hole/sub/9_mask.png");
    expect_open("tree", &training, ANO_DATASET_TREE, "tree/train/good/000.png good:0;");
    expect_open("tree", &testing, ANO_DATASET_TREE,
                "tree/test/cut/000.png cut:1 tree/ground_truth/cut/000_mask.png;"
                "tree/test/cut/001.tif cut:1 tree/ground_truth/cut/001.png;"
                "tree/test/good/000.png good:0;tree/test/hole/10.png hole:1;"
                "tree/test/hole/sub/9.png hole:1 tree/ground_truth/hole/sub/9_mask.png;");
}

static void tree__needs_no_class_in_both_splits(void **state)
{
    (void)state;
    put_gray("faults/train/good/0.png");
    put_gray("faults/test/cut/0.png");
    expect_open("faults", &(ano_dataset_options){.anomaly = "cut"}, ANO_DATASET_TREE,
                "faults/train/good/0.png good:0;");
    expect_open("faults", &testing, ANO_DATASET_TREE, "faults/test/cut/0.png cut:1;");
    expect_error("faults", &(ano_dataset_options){.split = ANO_SPLIT_TEST}, ANO_ARG,
                 "faults: has no images for testing of the classes asked for, but of ");
}

static void tree__is_one_by_its_splits(void **state)
{
    (void)state;
    put_gray("half/train/good/0.png");
    put_gray("photos/train/0.png");
    put_gray("both/train/0.png");
    put_gray("both/test/0.png");
    expect_open("half", &training, ANO_DATASET_TREE, "half/train/good/0.png good:0;");
    expect_error("half", &testing, ANO_ARG,
                 "half: has no images for testing; they belong into test/CLASS");
    expect_open("photos", &testing, ANO_DATASET_FOLDER, "photos/train/0.png train:0;");
    expect_open("both", &testing, ANO_DATASET_TREE, "both/test/0.png :0;");
}

static void manifest__lists_images_beside_it(void **state)
{
    (void)state;
    put("listed/list.csv", "path,label,split\na.png,0,train\nb.png,1,test\nc.png,0,test\n");
    expect_open("listed/list.csv", &training, ANO_DATASET_MANIFEST, "listed/a.png normal:0;");
    expect_open("listed/list.csv", &testing, ANO_DATASET_MANIFEST,
                "listed/b.png anomalous:1;listed/c.png normal:0;");
    put("list.CSV", "path,label\nd.png,ok\n");
    expect_open("list.CSV", &testing, ANO_DATASET_MANIFEST, "d.png ok:0;");
    put("bad.csv", "path,label\nd.png\n");
    expect_error("bad.csv", &testing, ANO_FORMAT, "bad.csv:2: has 1 columns");
}

static void path__of_nothing_known_is_refused_with_what_is_accepted(void **state)
{
    (void)state;
    put_gray("image.png");
    put_gray("image.dat");
    expect_open("image.png", &testing, ANO_DATASET_FILE, "image.png :0;");
    expect_error("image.dat", &testing, ANO_IO,
                 "image.dat: is no data set; a data set is a folder");
    expect_error("/dev/null", &testing, ANO_IO,
                 "/dev/null: is no data set; a data set is a folder");
    expect_error("nowhere", &testing, ANO_IO,
                 "nowhere: the data set cannot be opened: No such file");
}

static void list__joins_what_is_at_its_paths_in_their_order(void **state)
{
    (void)state;
    put_gray("joined/b.dat");
    put_gray("joined/folder/2.png");
    put_gray("joined/folder/x/1.png");
    put("joined/list.csv", "path,label\na.png,1\n");
    const char *const paths[] = {"joined/list.csv", "joined/folder", "joined/b.dat"};
    expect_images(opened(paths, 3, &testing), ANO_DATASET_FOLDER,
                  "joined/a.png anomalous:0;joined/folder/2.png :0;joined/folder/x/1.png x:0;"
                  "joined/b.dat :0;");
    expect_images(opened(paths + 2, 1, &testing), ANO_DATASET_FILE, "joined/b.dat :0;");
    expect_images(opened(paths, 1, &testing), ANO_DATASET_MANIFEST, "joined/a.png anomalous:0;");
}

static void dataset__tells_of_splits_and_other_files(void **state)
{
    (void)state;
    put_gray("told/train/good/0.png");
    put("told/train/good/notes.txt", "");
    put("told/list.csv", "path,label\na,0\n");
    put("told/split.csv", "path,label,split\na,0,\nb,0,train\n");
    static const struct {
        const char *path;
        bool has_splits;
        size_t n_other_files;
    } cases[] = {{"told", true, 1},
                 {"told/train", false, 1},
                 {"told/list.csv", false, 0},
                 {"told/split.csv", true, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_dataset *dataset = opened(&cases[i].path, 1, &training);
        assert_int_equal(ano_dataset_has_splits(dataset), cases[i].has_splits);
        assert_int_equal(ano_dataset_other_files(dataset), cases[i].n_other_files);
        ano_dataset_free(dataset);
    }
}

static void list__takes_idx_files_alone(void **state)
{
    (void)state;
    put("idx/t10k-labels-idx1-ubyte.gz", "");
    put_gray("single.png");
    const char *const paths[] = {"single.png", "idx"};
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    assert_int_equal(ano_dataset_open_list(&dataset, paths, 2, &training, &err), ANO_ARG);
    assert_string_equal(err.message,
                        "idx: IDX files are not opened beside others; name their folder alone");
    assert_int_equal(ano_dataset_open_list(&dataset, paths, 0, &training, NULL), ANO_ARG);
    assert_null(dataset);
    expect_error("idx", &training, ANO_IO, "idx: train-images-idx3-ubyte is not there");
}

static void list__holds_an_image_that_is_gone_as_one_that_cannot_be_read(void **state)
{
    (void)state;
    put_gray("here.png");
    const char *const paths[] = {"here.png", "gone.png", "gone"};
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset = opened(paths, 2, &training);
    ano_shape shape;
    assert_int_equal(ano_dataset_count(dataset), 2);
    assert_int_equal(ano_dataset_original(&shape, dataset, 0, NULL), ANO_OK);
    assert_int_equal(ano_dataset_original(&shape, dataset, 1, &err), ANO_IO);
    assert_string_equal(err.message, "gone.png: cannot be opened: No such file or directory");
    ano_dataset_free(dataset);
    assert_int_equal(ano_dataset_open_list(&dataset, paths, 3, &training, NULL), ANO_IO);
    expect_error("gone.png", &training, ANO_IO,
                 "gone.png: the data set cannot be opened: No such file or directory");
}

/* ---- the view ----------------------------------------------------------------------------- */

static void expect_view(const char *path, ano_view view, int size, int channels)
{
    ano_dataset *dataset = opened(&path, 1, &(ano_dataset_options){.view = view});
    const ano_shape shape = ano_dataset_shape(dataset);
    ano_dataset_free(dataset);
    assert_int_equal(shape.height, size);
    assert_int_equal(shape.width, size);
    assert_int_equal(shape.channels, channels);
}

static void view__has_colour_where_any_image_has(void **state)
{
    (void)state;
    put_gray("gray/1.png");
    put("gray/2.png", "broken");
    put_gray("mixed/1.png");
    put("mixed/2.png", "broken");
    put_colour("mixed/3.png");
    expect_view("gray", (ano_view){0}, 64, 1);
    expect_view("mixed", (ano_view){0}, 64, 3);
    expect_view("mixed", (ano_view){.size = 32, .channels = 1}, 32, 1);
    expect_view("gray", (ano_view){.size = 16, .stride = 8}, 16, 1);
    expect_error("gray", &(ano_dataset_options){.view = {.stride = 8}}, ANO_ARG,
                 "gray: tiles need a size");
}

/* A file of a network that was away for a moment. */
static void view__of_gray_leaves_out_what_could_not_be_looked_at(void **state)
{
    (void)state;
    const char *const paths[] = {"away/1.png", "away/2.png"};
    put_gray(paths[0]);
    put(paths[1], "broken");
    ano_error err = ANO_ERROR_INIT;
    const ano_dataset_options options = {.view.size = 2};
    ano_dataset *dataset = opened(paths, 2, &options), *rest, *held_out;
    put_colour(paths[1]);
    float image[2 * 2 * 3];
    const size_t second = 1;
    size_t n_dropped;
    assert_int_equal(ano_dataset_shape(dataset).channels, 1);
    assert_int_equal(ano_dataset_read(image, dataset, &second, 1, &err), ANO_IO);
    assert_string_equal(err.message,
                        "away/2.png: can be read, but could not when the data set was opened to "
                        "see whether it has colour; open it again");
    assert_int_equal(ano_dataset_split(&rest, &held_out, dataset, 1, 0, NULL), ANO_OK);
    size_t n = 0;
    assert_int_equal(ano_dataset_drop_unreadable(rest, &n_dropped, NULL), ANO_OK);
    n += n_dropped;
    assert_int_equal(ano_dataset_drop_unreadable(held_out, &n_dropped, NULL), ANO_OK);
    assert_int_equal(n + n_dropped, 1);
    ano_dataset_free(dataset);
    ano_dataset_free(rest);
    ano_dataset_free(held_out);
    expect_view("away", options.view, 2, 3);
}

/* ---- masks -------------------------------------------------------------------------------- */

static void masks__are_1_where_they_are_not_0(void **state)
{
    (void)state;
    put_gray("masked/a.png");
    put("masked/list.csv", "path,label,mask\na.png,1,some.pgm\na.png,0,\na.png,1,wide.pgm\n"
                           "a.png,1,none.pgm\n");
    put("masked/wide.pgm", "P5 2 1 255\nab");
    assert_int_equal(base_file_write("masked/some.pgm", "P5 1 2 255\n\0\1", 13, NULL), ANO_OK);
    const char *const path = "masked/list.csv";
    ano_dataset *dataset =
        opened(&path, 1, &(ano_dataset_options){.split = ANO_SPLIT_TEST, .anomaly = "*"});
    uint8_t mask[2] = {9, 9};
    ano_shape shape;
    assert_int_equal(ano_dataset_original(&shape, dataset, 0, NULL), ANO_OK);
    assert_int_equal(shape.height, 2);
    assert_int_equal(shape.width, 1);
    assert_int_equal(ano_dataset_read_mask(mask, dataset, 0, NULL), ANO_OK);
    assert_true(mask[0] == 0 && mask[1] == 1);
    assert_int_equal(ano_dataset_read_mask(mask, dataset, 1, NULL), ANO_OK);
    assert_true(mask[0] == 0 && mask[1] == 0);
    assert_int_equal(ano_dataset_read_mask(mask, dataset, 2, NULL), ANO_SHAPE);
    assert_int_equal(ano_dataset_read_mask(mask, dataset, 3, NULL), ANO_IO);
    ano_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare__orders_numbers_by_their_value),
        cmocka_unit_test(ends_in__takes_a_whole_ending_in_any_case),
        cmocka_unit_test(folder__gives_its_images_in_natural_order),
        cmocka_unit_test(folder__names_the_class_by_the_first_folder),
        cmocka_unit_test(folder__follows_links_but_not_in_circles),
        cmocka_unit_test(folder__without_images_is_refused_with_what_is_accepted),
        cmocka_unit_test(tree__gives_a_split_with_its_masks),
        cmocka_unit_test(tree__needs_no_class_in_both_splits),
        cmocka_unit_test(tree__is_one_by_its_splits),
        cmocka_unit_test(manifest__lists_images_beside_it),
        cmocka_unit_test(path__of_nothing_known_is_refused_with_what_is_accepted),
        cmocka_unit_test(list__joins_what_is_at_its_paths_in_their_order),
        cmocka_unit_test(dataset__tells_of_splits_and_other_files),
        cmocka_unit_test(list__takes_idx_files_alone),
        cmocka_unit_test(list__holds_an_image_that_is_gone_as_one_that_cannot_be_read),
        cmocka_unit_test(view__has_colour_where_any_image_has),
        cmocka_unit_test(view__of_gray_leaves_out_what_could_not_be_looked_at),
        cmocka_unit_test(masks__are_1_where_they_are_not_0),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
