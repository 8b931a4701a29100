/* f-AnoGAN's score, against plain passes over the networks, and its independence of company. */
#include "detect/encode.h"

#include "base/memory.h"
#include "base/threads.h"
#include "model/networks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 12, PIXELS = SIZE * SIZE, IMAGES = 61, LATENT = 5 };

typedef struct fixture {
    ano_model *model;
    float tiles[IMAGES * PIXELS];
} fixture;

typedef struct outcome {
    float scores[IMAGES], generated[IMAGES * PIXELS], z[IMAGES * LATENT];
    float distances[IMAGES];
} outcome;

static void create(fixture *f, int width)
{
    const ano_model_config config = {SIZE, 1, LATENT, width, ANO_METHOD_ENCODER};
    assert_int_equal(ano_model_create(&f->model, &config, 3, NULL), ANO_OK);
    base_random_uniform(f->tiles, IMAGES * PIXELS, -1, 1, (base_random){1, BASE_PURPOSE_TEST, 0});
}

/* Tiles [first, first + n), to the start of `out`. */
static void run(outcome *out, const fixture *f, size_t first, size_t n, int threads, double weight)
{
    ano_score_options options = ano_score_options_of(ANO_METHOD_ENCODER);
    options.feature_weight = weight;
    const int previous = base_threads_enter(threads);
    detect_encode *encode;
    const float *tiles = f->tiles + first * PIXELS;
    const detect_found found = {
        .scores = out->scores, .generated = out->generated, .z_distances = out->distances};
    assert_int_equal(detect_encode_create(&encode, f->model, &options, NULL), ANO_OK);
    assert_int_equal(detect_encode_run(&found, encode, tiles, n, NULL, NULL, NULL), ANO_OK);
    assert_int_equal(detect_encode_latents(out->z, encode, tiles, n, NULL), ANO_OK);
    detect_encode_free(encode);
    base_threads_leave(previous);
}

/* What a pass of one image makes of src, to dst. */
static void pass_one(float *dst, const nn_net *net, const float *src)
{
    nn_pass *pass;
    const float *out;
    assert_int_equal(nn_pass_create(&pass, net, 1, 0, NULL), ANO_OK);
    assert_int_equal(nn_pass_forward(&out, pass, src, NULL), ANO_OK);
    memcpy(dst, out, nn_shape_size(net->dst) * sizeof *dst);
    nn_pass_free(pass);
}

static double mean_square(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum / (double)n;
}

/* Both ways round differently: sums of some hundred terms, and Winograd's, are off by less than a
 * share of 1e-4. */
static void check_score(int width, double weight)
{
    enum { CHECKED = 3 };
    fixture *f = base_alloc(1, sizeof *f);
    outcome *out = base_alloc(1, sizeof *out);
    create(f, width);
    run(out, f, 0, CHECKED, 1, weight);
    const nn_net *critic = f->model->networks[ANO_DISCRIMINATOR];
    const nn_net head = nn_net_head(critic, model_feature_layers(critic, 0));
    const size_t size = nn_shape_size(head.dst);
    float *seen = base_alloc(2 * size, sizeof(float));
    for (size_t i = 0; i < CHECKED; i++) {
        const float *x = f->tiles + i * PIXELS;
        float z[LATENT], back[LATENT], generated[PIXELS];
        pass_one(z, f->model->networks[ANO_ENCODER], x);
        pass_one(generated, f->model->networks[ANO_GENERATOR], z);
        pass_one(seen, &head, x);
        pass_one(seen + size, &head, generated);
        const double expected =
            mean_square(x, generated, PIXELS) + weight * mean_square(seen, seen + size, size);
        if (!(fabs((double)out->scores[i] - expected) <= 1e-4 * expected))
            fail_msg("width %d, weight %g, image %zu: expected %.9g, got %.9g", width, weight, i,
                     expected, (double)out->scores[i]);
        for (size_t k = 0; k < LATENT; k++)
            assert_true(fabsf(out->z[i * LATENT + k] - z[k]) < 1e-4f);
        pass_one(back, f->model->networks[ANO_ENCODER], generated);
        const double distance = sqrt(LATENT * mean_square(z, back, LATENT));
        assert_true(fabs((double)out->distances[i] - distance) < 1e-4 * (1 + distance));
    }
    base_free(seen);
    base_free(out);
    ano_model_free(f->model);
    base_free(f);
}

static void encoders_score__is_the_papers(void **state)
{
    (void)state;
    check_score(3, 1);
    check_score(16, 1);
    check_score(16, 0);
    check_score(16, 20);
}

static void check_company(int width)
{
    fixture *f = base_alloc(1, sizeof *f);
    outcome *together = base_alloc(1, sizeof *together), *alone = base_alloc(1, sizeof *alone);
    create(f, width);
    run(together, f, 0, IMAGES, 2, 1);
    const struct {
        size_t first, n;
    } parts[] = {{0, 1}, {60, 1}, {1, 15}, {13, 2}, {5, 40}};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        const size_t first = parts[p].first, n = parts[p].n;
        run(alone, f, first, n, 1 + (int)p % 3, 1);
        assert_memory_equal(alone->scores, together->scores + first, n * sizeof(float));
        assert_memory_equal(alone->generated, together->generated + first * PIXELS,
                            n * PIXELS * sizeof(float));
        assert_memory_equal(alone->distances, together->distances + first, n * sizeof(float));
        assert_memory_equal(alone->z, together->z + first * LATENT, n * LATENT * sizeof(float));
    }
    base_free(together);
    base_free(alone);
    ano_model_free(f->model);
    base_free(f);
}

static void encoders_score__depends_on_the_image_alone(void **state)
{
    (void)state;
    check_company(3);
    check_company(16);
    check_company(64);
}

static int on_result(const ano_result *result, void *cookie)
{
    float *distances = cookie;
    distances[result->image] = result->z_distance;
    return 0;
}

/* By an encoder, and by the search that begins where it says; else, and where it is not asked for,
 * NaN. */
static void z_distance__stands_beside_the_score_where_it_is_asked_for(void **state)
{
    (void)state;
    enum { N = 3 };
    static const ano_method methods[] = {ANO_METHOD_ENCODER, ANO_METHOD_HYBRID, ANO_METHOD_FC};
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER};
    uint8_t pixels[N * PIXELS];
    float distances[N];
    ano_model *model;
    ano_dataset *images;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 37 % 251);
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    assert_int_equal(
        ano_dataset_from_pixels(&images, pixels, N, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    for (int m = 0; m < 3; m++)
        for (int asked = 0; asked < 2; asked++) {
            ano_score_options options = ano_score_options_of(methods[m]);
            options.iterations = 3;
            const ano_score_sink sink = {
                .on_result = on_result, .cookie = distances, .z_distances = asked == 1};
            assert_int_equal(ano_score_images(model, images, &options, &sink, NULL), ANO_OK);
            for (int i = 0; i < N; i++)
                assert_true(m < 2 && asked == 1 ? distances[i] > 0 : isnan(distances[i]));
        }
    ano_dataset_free(images);
    ano_model_free(model);
}

static void score__has_no_trace_where_there_is_no_search(void **state)
{
    (void)state;
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER};
    const ano_score_options options = ano_score_options_of(ANO_METHOD_ENCODER);
    const uint8_t pixels[PIXELS] = {0};
    float score, trace[1000];
    ano_error err = ANO_ERROR_INIT;
    ano_model *model;
    ano_dataset *images;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    assert_int_equal(
        ano_dataset_from_pixels(&images, pixels, 1, (ano_shape){SIZE, SIZE, 1}, NULL, NULL),
        ANO_OK);
    assert_int_equal(ano_score(&score, NULL, trace, model, images, &options, &err), ANO_ARG);
    assert_string_equal(err.message, "the method encoder does not search, so there is no trace");
    ano_dataset_free(images);
    ano_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_score__is_the_papers),
        cmocka_unit_test(encoders_score__depends_on_the_image_alone),
        cmocka_unit_test(z_distance__stands_beside_the_score_where_it_is_asked_for),
        cmocka_unit_test(score__has_no_trace_where_there_is_no_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
