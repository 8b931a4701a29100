/* ano_choose_pool(), on images whose normal variation leaves one pool alone able to see what is
 * drawn. The networks are untrained: what they make is a faint texture, so that a map is about an
 * image's distance from gray. */
#include "base/file.h"
#include "data/decode.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 24, SIZE = 8, SIDE = 40, PIXELS = SIDE * SIDE, SEED = 2, GRAY = 127 };

static uint8_t pixels[N * PIXELS];

/* Of each image a share of the pixels, from `low` to `high` and another in each, is as far from
 * gray as `ink`: exactly that share, scattered. */
static void paint(double low, double high, int ink)
{
    for (int i = 0; i < N; i++) {
        const double share = low + (high - low) * (i * 7 % N) / N;
        for (int k = 0; k < PIXELS; k++)
            pixels[i * PIXELS + k] =
                (uint8_t)((k * 37 + i * 411) % PIXELS <= share * PIXELS ? GRAY + ink : GRAY);
    }
}

static ano_model *untrained_model(void)
{
    const ano_model_config config = {.size = SIZE, .channels = 1, .latent = 3, .base_width = 4};
    ano_model *model;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    return model;
}

static ano_dataset *painted(void)
{
    const ano_view view = {.size = SIZE, .channels = 1, .stride = SIZE};
    ano_dataset *dataset;
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, pixels, N, (ano_shape){SIDE, SIDE, 1}, &view, NULL),
        ANO_OK);
    return dataset;
}

static ano_score_options brief(void)
{
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.iterations = 2;
    options.restarts = 1;
    return options;
}

static int keep_score(const ano_result *result, void *cookie)
{
    assert_int_equal(result->status, ANO_OK);
    ((float *)cookie)[result->image] = result->score;
    return 0;
}

/* What scoring with the options tells apart. */
static double measure(const ano_model *model, const ano_dataset *normals, const ano_dataset *drawn,
                      const ano_score_options *options)
{
    float scores[2 * N];
    int labels[2 * N] = {0};
    ano_metrics metrics;
    for (int i = N; i < 2 * N; i++)
        labels[i] = 1;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            ano_score_images(model, i == 0 ? normals : drawn, options,
                             &(ano_score_sink){.on_result = keep_score, .cookie = scores + i * N},
                             NULL),
            ANO_OK);
    assert_int_equal(ano_evaluate(&metrics, scores, labels, 2 * N, NULL), ANO_OK);
    return metrics.auroc;
}

/* Chooses on what is painted, and checks that no candidate is better and no earlier one as good. */
static ano_score_options choose(void)
{
    static const struct {
        ano_pool pool;
        double share;
    } candidates[ANO_POOL_CANDIDATES] = {
        {ANO_POOL_MEAN, 1},   {ANO_POOL_TOP, 0.1},   {ANO_POOL_TOP, 0.03},
        {ANO_POOL_TOP, 0.01}, {ANO_POOL_TOP, 0.003}, {ANO_POOL_MAX, 1},
    };
    ano_model *model = untrained_model();
    ano_dataset *normals = painted(), *drawn;
    assert_int_equal(ano_dataset_draw_anomalies(&drawn, normals, SEED, NULL), ANO_OK);
    ano_score_options chosen = brief(), options = brief();
    double auroc = 0;
    size_t n = 0;
    assert_int_equal(ano_choose_pool(&chosen, &auroc, &n, model, normals, SEED, NULL), ANO_OK);
    assert_int_equal(n, N);
    bool found = false;
    for (int i = 0; i < ANO_POOL_CANDIDATES; i++) {
        options.pool = candidates[i].pool;
        options.pool_share = candidates[i].share;
        const double measured = measure(model, normals, drawn, &options);
        const bool is_it = chosen.pool == options.pool && chosen.pool_share == options.pool_share;
        if (is_it ? measured != auroc : measured > auroc || (!found && measured == auroc))
            fail_msg("candidate %d: measured %f, the chosen one's is %f", i, measured, auroc);
        found = found || is_it;
    }
    assert_true(found);
    ano_dataset_free(normals);
    ano_dataset_free(drawn);
    ano_model_free(model);
    return chosen;
}

static void max__wins_where_the_highest_alone_is_alike_in_all_normal_images(void **state)
{
    (void)state;
    paint(0, 0.5, 40);
    assert_int_equal(choose().pool, ANO_POOL_MAX);
}

static void mean__wins_where_every_normal_image_has_the_highest_there_is(void **state)
{
    (void)state;
    paint(0.15, 0.15, 128);
    assert_int_equal(choose().pool, ANO_POOL_MEAN);
}

static void choice__is_the_same_again_and_sets_the_pool_alone(void **state)
{
    (void)state;
    ano_score_options chosen = brief(), again = brief();
    double auroc[2];
    size_t n;
    ano_model *model = untrained_model();
    paint(0, 0.5, 40);
    ano_dataset *normals = painted();
    again.threads = 2;
    assert_int_equal(ano_choose_pool(&chosen, &auroc[0], &n, model, normals, SEED, NULL), ANO_OK);
    assert_int_equal(ano_choose_pool(&again, &auroc[1], &n, model, normals, SEED, NULL), ANO_OK);
    assert_true(auroc[0] == auroc[1]);
    assert_true(again.pool == chosen.pool && again.pool_share == chosen.pool_share);
    assert_true(again.threads == 2 && again.callback == NULL && again.cookie == NULL);
    assert_true(again.search == brief().search && again.iterations == brief().iterations &&
                again.restarts == brief().restarts && again.tolerance == brief().tolerance &&
                again.learning_rate == brief().learning_rate && again.seed == brief().seed);
    ano_dataset_free(normals);
    ano_model_free(model);
}

typedef struct news {
    double done, stop_at; /* images */
} news;

static int on_progress(double done, size_t n, void *cookie)
{
    news *seen = cookie;
    assert_int_equal(n, 2 * N);
    assert_true(done >= seen->done && done <= 2 * N);
    seen->done = done;
    return done >= seen->stop_at;
}

static void callback__sees_both_halves_and_can_stop_the_work(void **state)
{
    (void)state;
    ano_model *model = untrained_model();
    paint(0, 0.5, 40);
    ano_dataset *normals = painted();
    news seen = {.stop_at = INFINITY};
    ano_score_options options = brief();
    double auroc = -1;
    size_t n;
    options.callback = on_progress;
    options.cookie = &seen;
    assert_int_equal(ano_choose_pool(&options, &auroc, &n, model, normals, SEED, NULL), ANO_OK);
    assert_true(seen.done == 2 * N);
    options = brief();
    options.callback = on_progress;
    options.cookie = &seen;
    seen = (news){.stop_at = N + 1};
    auroc = -1;
    assert_int_equal(ano_choose_pool(&options, &auroc, &n, model, normals, SEED, NULL),
                     ANO_CANCELLED);
    assert_true(auroc == -1 && options.pool == brief().pool);
    ano_dataset_free(normals);
    ano_model_free(model);
}

static void put_image(const char *name, int share)
{
    uint8_t bytes[64 + PIXELS];
    const int header = snprintf((char *)bytes, sizeof bytes, "P5 %d %d 255\n", SIDE, SIDE);
    memcpy(bytes + header, pixels, (size_t)(PIXELS * share));
    assert_int_equal(base_file_write(name, bytes, (size_t)(header + PIXELS * share), NULL), ANO_OK);
}

static void images_that_cannot_be_read__are_left_out(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pgm", "gone.pgm", "none.pgm", "b.pgm"};
    const ano_dataset_options which = {.view = {SIZE, 1, ANO_FIT_RESIZE, SIZE, 1}};
    char place[] = "/tmp/anogan_choose_XXXXXX", command[64];
    if (data_decode_check(NULL) != ANO_OK)
        skip();
    assert_true(mkdtemp(place) != NULL && chdir(place) == 0);
    paint(0, 0.5, 40);
    put_image("a.pgm", 1);
    put_image("none.pgm", 0);
    put_image("b.pgm", 1);
    for (size_t first = 0; first < 2; first++) {
        ano_dataset *normals;
        ano_model *model = untrained_model();
        ano_score_options options = brief();
        ano_error err = ANO_ERROR_INIT;
        double auroc;
        size_t n;
        /* All four, then those in the middle alone. */
        assert_int_equal(
            ano_dataset_open_list(&normals, names + first, first == 0 ? 4 : 2, &which, NULL),
            ANO_OK);
        const ano_status status = ano_choose_pool(&options, &auroc, &n, model, normals, SEED, &err);
        assert_int_equal(status, first == 0 ? ANO_OK : ANO_ARG);
        if (first == 0)
            assert_int_equal(n, 2);
        else
            assert_non_null(strstr(err.message, "no image could be read"));
        ano_dataset_free(normals);
        ano_model_free(model);
    }
    snprintf(command, sizeof command, "rm -r '%s'", place);
    assert_true(chdir("/") == 0 && system(command) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max__wins_where_the_highest_alone_is_alike_in_all_normal_images),
        cmocka_unit_test(mean__wins_where_every_normal_image_has_the_highest_there_is),
        cmocka_unit_test(choice__is_the_same_again_and_sets_the_pool_alone),
        cmocka_unit_test(images_that_cannot_be_read__are_left_out),
        cmocka_unit_test(callback__sees_both_halves_and_can_stop_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
