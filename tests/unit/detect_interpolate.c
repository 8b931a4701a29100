#include "detect/interpolate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
    DOWN = 3,
    ACROSS = 4,
    CELL = 3,
    HEIGHT = 11,
    WIDTH = 13
}; /* cells leave 2 rows and 1 column */

static const eval_grid grid = {DOWN, ACROSS, 1, CELL, CELL};
static const float cells[DOWN * ACROSS] = {0, 1, 4, 9, 2, 3, 5, 7, 8, 6, 1, 0};

static void middles_of_cells__have_their_values(void **state)
{
    (void)state;
    float map[HEIGHT * WIDTH] = {0};
    detect_interpolate(map, 0, HEIGHT, WIDTH, cells, grid);
    for (int y = 0; y < DOWN; y++)
        for (int x = 0; x < ACROSS; x++)
            assert_true(map[(y * CELL + 1) * WIDTH + x * CELL + 1] == cells[y * ACROSS + x]);
}

static void between_and_beyond__is_linear_and_level(void **state)
{
    (void)state;
    float map[HEIGHT * WIDTH] = {0};
    detect_interpolate(map, 0, HEIGHT, WIDTH, cells, grid);
    for (int k = 0; k <= CELL; k++) { /* from the second cell of the first row to the third */
        assert_true(fabsf(map[WIDTH + 4 + k] - (1 + 3 * (float)k / CELL)) < 1e-6f);
        assert_true(fabsf(map[(1 + k) * WIDTH + 1] - 2 * (float)k / CELL) < 1e-6f);
    }
    for (int x = 0; x < 2; x++) /* the corners, up and down */
        for (int y = 0; y < 2; y++) {
            assert_true(map[y * WIDTH + x] == cells[0]);
            assert_true(map[(HEIGHT - 1 - y) * WIDTH + WIDTH - 1 - x] == cells[DOWN * ACROSS - 1]);
        }
}

static void rows__are_added_and_those_of_the_whole(void **state)
{
    (void)state;
    float whole[HEIGHT * WIDTH] = {0}, rows[HEIGHT * WIDTH];
    const eval_grid stretched = {DOWN, ACROSS, 1, (float)HEIGHT / DOWN, (float)WIDTH / ACROSS};
    detect_interpolate(whole, 0, HEIGHT, WIDTH, cells, stretched);
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        rows[i] = 16;
    for (int y = 0; y < HEIGHT; y += 4)
        detect_interpolate(rows + y * WIDTH, y, y + 4 < HEIGHT ? 4 : HEIGHT - y, WIDTH, cells,
                           stretched);
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        assert_true(rows[i] == 16 + whole[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(middles_of_cells__have_their_values),
        cmocka_unit_test(between_and_beyond__is_linear_and_level),
        cmocka_unit_test(rows__are_added_and_those_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
