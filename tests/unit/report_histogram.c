#include "report/histogram.h"

#include "base/file.h"
#include "base/memory.h"

#include <fcntl.h>
#include <math.h>
#include <png.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static char folder[] = "/tmp/anogan_histogram_XXXXXX";
static char png_path[64], svg_path[64], printed_path[64], drivers_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(png_path, sizeof png_path, "%s/histogram.png", folder);
    snprintf(svg_path, sizeof svg_path, "%s/histogram.svg", folder);
    snprintf(printed_path, sizeof printed_path, "%s/printed", folder);
    snprintf(drivers_path, sizeof drivers_path, "%s/null.driver_info", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(png_path);
    unlink(svg_path);
    unlink(printed_path);
    unlink(drivers_path);
    return rmdir(folder);
}

static const float low[] = {10, 11, 11, 12, 13}, high[] = {30, 35, 36, 36, 50, 52};
static const report_histogram_group groups[] = {{"normal #1", low, 5}, {"anomalous", high, 6}};

/* How many of the picture's pixels are much more red, and much more blue, than else. */
static void count_colours(size_t *red, size_t *blue)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, png_path));
    assert_true(image.width >= 800 && image.height >= 500);
    image.format = PNG_FORMAT_RGB;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    *red = *blue = 0;
    for (size_t i = 0; i < PNG_IMAGE_SIZE(image); i += 3) {
        *red += pixels[i] > pixels[i + 1] + 50 && pixels[i] > pixels[i + 2] + 50;
        *blue += pixels[i + 2] > pixels[i] + 50;
    }
    assert_int_equal(pixels[0] + pixels[1] + pixels[2], 3 * 255);
    free(pixels);
}

static void histogram__draws_the_first_group_red_and_the_second_blue(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    size_t red, blue;
    if (report_histogram(png_path, groups, 2, 20, "scores", &err) != ANO_OK)
        fail_msg("%s", err.message);
    count_colours(&red, &blue);
    if (red < 3000 || blue < 3000)
        fail_msg("both colours expected, got %zu red pixels, %zu blue", red, blue);
    assert_int_equal(report_histogram(png_path, groups, 1, NAN, "scores", NULL), ANO_OK);
    count_colours(&red, &blue);
    if (red < 3000 || blue > 0)
        fail_msg("red alone expected, got %zu red pixels, %zu blue", red, blue);
}

static void histogram__writes_svg_where_the_name_says_so(void **state)
{
    (void)state;
    assert_int_equal(report_histogram(svg_path, groups, 2, 20, "scores", NULL), ANO_OK);
    char *text;
    size_t size;
    assert_int_equal(base_file_read(&text, &size, svg_path, NULL), ANO_OK);
    assert_non_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "</svg>"));
    base_free(text);
}

static void histogram__prints_nothing(void **state)
{
    (void)state;
    fflush(stdout);
    fflush(stderr);
    const int out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
    const int printed = open(printed_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(printed, STDOUT_FILENO);
    dup2(printed, STDERR_FILENO);
    const ano_status drawn = report_histogram(png_path, groups, 2, 20, "scores", NULL);
    const ano_status refused = report_histogram("/nowhere/at/all.png", groups, 2, 20, "", NULL);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    const off_t size = lseek(printed, 0, SEEK_END);
    close(out);
    close(error);
    close(printed);
    assert_int_equal(drawn, ANO_OK);
    assert_int_equal(refused, ANO_IO);
    assert_int_equal(size, 0);
}

static void histogram__draws_what_is_hardly_a_histogram(void **state)
{
    (void)state;
    const float same[] = {7, 7, 7}, far_apart[] = {-3e38f, 0, 3e38f}, close[] = {1, 1.0000001f};
    const report_histogram_group cases[] = {
        {"same", same, 3}, {"far apart", far_apart, 3}, {"close", close, 2}};
    for (size_t i = 0; i < 3; i++) {
        ano_error err = ANO_ERROR_INIT;
        if (report_histogram(png_path, &cases[i], 1, NAN, "", &err) != ANO_OK)
            fail_msg("%s: %s", cases[i].name, err.message);
        size_t red, blue;
        count_colours(&red, &blue);
        if (red < 300)
            fail_msg("%s: %zu red pixels", cases[i].name, red);
    }
}

static void histogram__refuses_what_it_cannot_draw(void **state)
{
    (void)state;
    const float scores[] = {1, INFINITY};
    const report_histogram_group infinite = {"normal", scores, 2}, empty = {"normal", scores, 0};
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(report_histogram("scores.jpg", groups, 2, 20, "", NULL), ANO_ARG);
    assert_int_equal(report_histogram(png_path, groups, 0, 20, "", NULL), ANO_ARG);
    assert_int_equal(report_histogram(png_path, &empty, 1, NAN, "", NULL), ANO_ARG);
    assert_int_equal(report_histogram(png_path, &infinite, 1, 20, "", &err), ANO_NUMERIC);
    assert_non_null(strstr(err.message, "score 1 of normal"));
    assert_non_null(strstr(err.message, png_path));
}

static void histogram__says_which_package_is_missing(void **state)
{
    (void)state;
    /* A folder of drivers with none but the one that draws nothing. */
    const char null_driver[] = "null:Null device:-1:null:42:null\n";
    assert_int_equal(base_file_write(drivers_path, null_driver, strlen(null_driver), NULL), ANO_OK);
    setenv("PLPLOT_DRV_DIR", folder, 1);
    ano_error err = ANO_ERROR_INIT;
    const ano_status status = report_histogram(png_path, groups, 2, 20, "", &err);
    unsetenv("PLPLOT_DRV_DIR");
    assert_int_equal(status, ANO_UNSUPPORTED);
    assert_non_null(strstr(err.message, "plplot-driver-cairo"));
    assert_int_equal(report_histogram(png_path, groups, 2, 20, "", NULL), ANO_OK);
}

static void histogram_rows__draw_every_group_by_itself(void **state)
{
    (void)state;
    enum { N = 12 };
    report_histogram_group rows[N];
    for (int i = 0; i < N; i++)
        rows[i] = groups[i % 2];
    rows[2].n = 0;
    rows[3].name = "#<\xFF";
    ano_error err = ANO_ERROR_INIT;
    report_svg svg, lower;
    if (report_histogram_rows(&svg, rows, N, 1, 20, &err) != ANO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(report_histogram_rows(&lower, rows, 2, 1, NAN, NULL), ANO_OK);
    assert_non_null(strstr(svg.text, "fill:rgb(9.803922%")); /* the normal group */
    int anomalous = 0;
    for (const char *place = svg.text; (place = strstr(place, "fill:rgb(80.392157%")); place++)
        anomalous++;
    assert_int_equal(anomalous, N - 2);
    assert_true(svg.size > lower.size);
    report_svg_free(&svg);
    report_svg_free(&lower);
    assert_int_equal(report_histogram_rows(&svg, rows, 0, 0, 20, NULL), ANO_ARG);
    assert_int_equal(report_histogram_rows(&svg, rows + 2, 1, 0, NAN, NULL), ANO_ARG);
    assert_null(svg.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histogram__draws_the_first_group_red_and_the_second_blue),
        cmocka_unit_test(histogram__writes_svg_where_the_name_says_so),
        cmocka_unit_test(histogram__prints_nothing),
        cmocka_unit_test(histogram__draws_what_is_hardly_a_histogram),
        cmocka_unit_test(histogram__refuses_what_it_cannot_draw),
        cmocka_unit_test(histogram__says_which_package_is_missing),
        cmocka_unit_test(histogram_rows__draw_every_group_by_itself),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
