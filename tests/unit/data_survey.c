#include "data/survey.h"

#include "base/error.h"
#include "data/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { N_IMAGES = 20, SIZE = 8, IMAGE = SIZE * SIZE, BYTES = IMAGE * (int)sizeof(uint16_t) };

/* The linker sends the survey's reading here (--wrap): these images cannot be read. */
static bool is_broken[N_IMAGES];
ano_status __real_data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i,
                                   ano_error *err);
ano_status __wrap_data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i,
                                   ano_error *err);
ano_status __wrap_data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i,
                                   ano_error *err)
{
    if (!is_broken[i])
        return __real_data_reader_open(out, dataset, i, err);
    *out = (data_reader){0};
    return base_error(err, ANO_FORMAT, "image %zu is broken", i);
}

static void break_images(size_t first, size_t n)
{
    for (size_t i = 0; i < N_IMAGES; i++)
        is_broken[i] = i >= first && i < first + n;
}

/* Images of which pixel p of image i is i + p. */
static ano_dataset *images(size_t first)
{
    uint8_t pixels[N_IMAGES * IMAGE];
    for (size_t i = 0; i < N_IMAGES * IMAGE; i++)
        pixels[i] = (uint8_t)(i / IMAGE + i % IMAGE);
    ano_dataset *dataset;
    assert_int_equal(ano_dataset_from_pixels(&dataset, pixels + first * IMAGE, N_IMAGES - first,
                                             (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
                     ANO_OK);
    return dataset;
}

/* What was told: how far, and which were skipped. */
typedef struct told {
    size_t n_calls, stop_at;
    char skipped[512];
} told;

static int tell(size_t n_looked_at, size_t n_images, const char *skipped, void *cookie)
{
    told *t = cookie;
    assert_int_equal(n_images, N_IMAGES);
    assert_int_equal(n_looked_at, ++t->n_calls);
    if (skipped != NULL)
        strcat(strcat(t->skipped, skipped), ";");
    return t->n_calls == t->stop_at;
}

static void survey__finds_what_the_networks_see(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = images(0);
    uLong expected = crc32(0, NULL, 0);
    for (size_t i = 0; i < N_IMAGES; i++) {
        float image[IMAGE];
        ano_dataset_read(image, dataset, &i, 1, NULL);
        expected = crc32(expected, (const Bytef *)image, sizeof image);
    }
    for (int threads = 0; threads <= 3; threads++) {
        data_survey survey;
        told t = {0};
        assert_int_equal(
            data_survey_take(&survey, dataset, N_IMAGES * BYTES, threads, tell, &t, NULL), ANO_OK);
        assert_int_equal(t.n_calls, N_IMAGES);
        assert_string_equal(t.skipped, "");
        assert_int_equal(survey.n_images, N_IMAGES);
        assert_int_equal(survey.crc, expected);
        assert_true(survey.is_kept);
        for (size_t i = 0; i < N_IMAGES; i++) {
            assert_int_equal(survey.images[i].index, i);
            for (size_t p = 0; p < IMAGE; p++)
                assert_int_equal(survey.images[i].pixels[p], 257 * (i + p));
        }
        data_survey_clear(&survey);
    }
    ano_dataset_free(dataset);
}

static void survey__keeps_the_pixels_of_all_images_or_of_none(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = images(0);
    data_survey survey;
    assert_int_equal(data_survey_take(&survey, dataset, N_IMAGES * BYTES - 1, 2, NULL, NULL, NULL),
                     ANO_OK);
    assert_false(survey.is_kept);
    for (size_t i = 0; i < N_IMAGES; i++)
        assert_null(survey.images[i].pixels);
    uint16_t *pixels;
    assert_int_equal(data_image_read(&pixels, &survey.images[7], dataset, NULL), ANO_OK);
    assert_int_equal(pixels[IMAGE - 1], 257 * (7 + IMAGE - 1));
    free(pixels);
    data_survey_clear(&survey);
    ano_dataset_free(dataset);
}

static void survey__is_as_if_broken_images_were_not_there(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = images(0), *rest = images(5);
    data_survey expected, survey;
    told t = {0};
    assert_int_equal(data_survey_take(&expected, rest, 15 * BYTES, 2, NULL, NULL, NULL), ANO_OK);
    break_images(0, 5);
    assert_int_equal(data_survey_take(&survey, dataset, 15 * BYTES, 2, tell, &t, NULL), ANO_OK);
    assert_string_equal(t.skipped, "image 0 is broken;image 1 is broken;image 2 is broken;"
                                   "image 3 is broken;image 4 is broken;");
    assert_int_equal(survey.n_skipped, 5);
    assert_int_equal(survey.n_images, 15);
    assert_int_equal(survey.crc, expected.crc);
    assert_true(survey.is_kept);
    for (size_t i = 0; i < 15; i++) {
        assert_int_equal(survey.images[i].index, i + 5);
        assert_memory_equal(survey.images[i].pixels, expected.images[i].pixels, BYTES);
    }
    data_survey_clear(&survey);
    data_survey_clear(&expected);
    ano_dataset_free(rest);
    ano_dataset_free(dataset);
}

static void survey__says_why_no_image_can_be_read(void **state)
{
    (void)state;
    break_images(0, N_IMAGES);
    ano_dataset *dataset = images(0);
    data_survey survey;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(data_survey_take(&survey, dataset, 1 << 20, 2, NULL, NULL, &err), ANO_FORMAT);
    assert_string_equal(err.message, "none of the 20 images can be read: image 0 is broken");
    data_survey_clear(&survey);
    ano_dataset_free(dataset);
}

static void survey__stops_where_it_is_told_to(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = images(0);
    data_survey survey;
    told t = {.stop_at = 4};
    assert_int_equal(data_survey_take(&survey, dataset, 1 << 20, 2, tell, &t, NULL), ANO_CANCELLED);
    assert_int_equal(t.n_calls, 4);
    data_survey_clear(&survey);
    ano_dataset_free(dataset);
}

static void image__of_another_size_than_before_is_refused(void **state)
{
    (void)state;
    break_images(0, 0);
    ano_dataset *dataset = images(0);
    const data_image image = {.index = 3, .shape = {SIZE, SIZE + 1, 1}};
    uint16_t *pixels;
    assert_int_equal(data_image_read(&pixels, &image, dataset, NULL), ANO_SHAPE);
    assert_null(pixels);
    ano_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survey__finds_what_the_networks_see),
        cmocka_unit_test(survey__keeps_the_pixels_of_all_images_or_of_none),
        cmocka_unit_test(survey__is_as_if_broken_images_were_not_there),
        cmocka_unit_test(survey__says_why_no_image_can_be_read),
        cmocka_unit_test(survey__stops_where_it_is_told_to),
        cmocka_unit_test(image__of_another_size_than_before_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
