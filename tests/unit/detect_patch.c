/* Anomaly maps by a discriminator of patches. */
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "detect/patch.h"
#include "model/networks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 16, PIXELS = SIZE * SIZE, SIDE = SIZE / MODEL_CELL, N = 21 };

static nn_net *drawn_net(void)
{
    const ano_model_config config = {
        .size = SIZE, .channels = 1, .base_width = 16, .method = ANO_METHOD_PATCH};
    nn_net *net;
    assert_int_equal(model_patch_discriminator_create(&net, &config, NULL), ANO_OK);
    nn_net_initialise(net, 1, BASE_PURPOSE_PATCH_INIT);
    return net;
}

static float tiles[N * PIXELS];

static int draw_tiles(void **state)
{
    (void)state;
    base_random_uniform(tiles, N * PIXELS, -1, 1, (base_random){2, BASE_PURPOSE_TEST, 0});
    return 0;
}

static void map_tiles(float *maps, float *scores, const nn_net *net, const float *images, size_t n,
                      int threads)
{
    const int previous = base_threads_enter(threads);
    detect_patch *patch;
    assert_int_equal(detect_patch_create(&patch, net, NULL), ANO_OK);
    const detect_found found = {.maps = maps, .scores = scores};
    assert_int_equal(detect_patch_run(&found, patch, images, n, NULL, NULL, NULL), ANO_OK);
    detect_patch_free(patch);
    base_threads_leave(previous);
}

/* All weights 0 and a bias at the end: every logit is the bias. */
static void a_map__is_the_surprise(void **state)
{
    (void)state;
    static const float logits[] = {-90, -1, 0, 2.5f, 90};
    nn_net *net = drawn_net();
    memset(net->parameters, 0, net->n_parameters * sizeof(float));
    for (size_t i = 0; i < sizeof logits / sizeof *logits; i++) {
        float map[PIXELS], score;
        *nn_net_data(net, nn_net_find(net, "conv_4.bias")) = logits[i];
        map_tiles(map, &score, net, tiles, 1, 1);
        const double expected = (double)logits[i] > 50 ? 90 : log1p(exp((double)logits[i]));
        for (int k = 0; k < PIXELS; k++)
            assert_true(map[k] >= 0 && fabs((double)map[k] - expected) <= 1e-6 * expected + 1e-30);
        assert_true(fabs((double)score - PIXELS * expected) <= 1e-4 * PIXELS * expected + 1e-30);
    }
    nn_net_free(net);
}

/* The middles of the cells have the cells' values; on a line between them it is their mean. */
static void a_map__goes_evenly_from_cell_to_cell(void **state)
{
    (void)state;
    nn_net *net = drawn_net();
    float map[PIXELS];
    map_tiles(map, NULL, net, tiles, 1, 1);
    nn_pass *pass;
    const float *logits;
    assert_int_equal(nn_pass_create(&pass, net, 1, 0, NULL), ANO_OK);
    assert_int_equal(nn_pass_forward(&logits, pass, tiles, NULL), ANO_OK);
    double cells[SIDE][SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        cells[i / SIDE][i % SIDE] = log1p(exp((double)logits[i]));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            /* The middle of a cell is where its four middle pixels meet. */
            double mean = 0;
            for (int k = 0; k < 4; k++)
                mean += (double)map[(4 * y + 1 + k / 2) * SIZE + 4 * x + 1 + k % 2] / 4;
            const int up = y > 0 ? y - 1 : y, down = y < SIDE - 1 ? y + 1 : y;
            const int left = x > 0 ? x - 1 : x, right = x < SIDE - 1 ? x + 1 : x;
            double expected = 0;
            const int rows[2] = {up, down}, columns[2] = {left, right};
            for (int i = 0; i < 4; i++) { /* an eighth of the way to each neighbour */
                const int r = rows[i / 2], c = columns[i % 2];
                expected += (0.875 * (0.875 * cells[y][x] + 0.125 * cells[y][c]) +
                             0.125 * (0.875 * cells[r][x] + 0.125 * cells[r][c])) /
                            4;
            }
            assert_true(fabs(mean - expected) < 1e-5);
        }
    nn_pass_free(pass);
    nn_net_free(net);
}

static void what_is_found__depends_on_the_tile_alone(void **state)
{
    (void)state;
    static float together[N * PIXELS], alone[PIXELS];
    float scores[N], score;
    nn_net *net = drawn_net();
    for (int threads = 1; threads <= 3; threads += 2) {
        map_tiles(together, scores, net, tiles, N, threads);
        for (int i = 0; i < N; i += 5) {
            map_tiles(alone, &score, net, tiles + i * PIXELS, 1, 1);
            assert_memory_equal(alone, together + i * PIXELS, sizeof alone);
            assert_true(score == scores[i]);
        }
    }
    nn_net_free(net);
}

static int stop(size_t n_done, void *cookie)
{
    *(size_t *)cookie = n_done;
    return 1;
}

static void a_run__can_be_stopped(void **state)
{
    (void)state;
    float scores[N];
    size_t n_done = 0;
    nn_net *net = drawn_net();
    detect_patch *patch;
    ano_error err = ANO_ERROR_INIT;
    const int previous = base_threads_enter(1);
    assert_int_equal(detect_patch_create(&patch, net, NULL), ANO_OK);
    const detect_found found = {.scores = scores};
    assert_int_equal(detect_patch_run(&found, patch, tiles, N, stop, &n_done, &err), ANO_CANCELLED);
    assert_true(n_done > 0 && n_done < N);
    detect_patch_free(patch);
    base_threads_leave(previous);
    nn_net_free(net);
}

static void a_map_that_is_not_finite__is_an_error(void **state)
{
    (void)state;
    float scores[1];
    ano_error err = ANO_ERROR_INIT;
    nn_net *net = drawn_net();
    net->parameters[0] = NAN;
    detect_patch *patch;
    assert_int_equal(detect_patch_create(&patch, net, NULL), ANO_OK);
    const detect_found found = {.scores = scores};
    assert_int_equal(detect_patch_run(&found, patch, tiles, 1, NULL, NULL, &err), ANO_NUMERIC);
    detect_patch_free(patch);
    nn_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map__is_the_surprise),
        cmocka_unit_test(a_map__goes_evenly_from_cell_to_cell),
        cmocka_unit_test(what_is_found__depends_on_the_tile_alone),
        cmocka_unit_test(a_run__can_be_stopped),
        cmocka_unit_test(a_map_that_is_not_finite__is_an_error),
    };
    return cmocka_run_group_tests(tests, draw_tiles, NULL);
}
