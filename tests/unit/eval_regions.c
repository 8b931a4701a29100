#include "eval/regions.h"

#include "base/random.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

enum { MAX_PIXELS = 32 * 32 };

/* Marks the region of the pixel by walking over it; returns its size. */
static int flood(bool *seen, const uint8_t *mask, int height, int width, int y, int x)
{
    if (y < 0 || y >= height || x < 0 || x >= width || mask[y * width + x] == 0 ||
        seen[y * width + x])
        return 0;
    seen[y * width + x] = true;
    int size = 1;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            size += flood(seen, mask, height, width, y + dy, x + dx);
    return size;
}

/* Fails unless the trees are the regions that flood() finds; returns how many there are. */
static int check_regions(const uint8_t *mask, int height, int width)
{
    int32_t regions[MAX_PIXELS];
    bool seen[MAX_PIXELS] = {false};
    eval_regions_join(regions, mask, height, width);
    int n_regions = 0;
    for (int i = 0; i < height * width; i++) {
        if (mask[i] == 0 || seen[i])
            continue;
        n_regions++;
        bool before[MAX_PIXELS];
        memcpy(before, seen, sizeof before);
        const int size = flood(seen, mask, height, width, i / width, i % width);
        const int32_t root = eval_regions_root(regions, i);
        if (regions[root] != -size)
            fail_msg("%d x %d: the region of pixel %d has %d pixels, expected %d", height, width, i,
                     -regions[root], size);
        for (int k = 0; k < height * width; k++)
            if (seen[k] && !before[k] && eval_regions_root(regions, k) != root)
                fail_msg("%d x %d: pixels %d and %d are in two regions", height, width, i, k);
    }
    return n_regions;
}

static void regions__are_those_that_walking_finds(void **state)
{
    (void)state;
    const int sizes[][2] = {{32, 32}, {1, 40}, {40, 1}, {2, 17}, {19, 23}, {1, 1}};
    for (uint64_t stream = 0; stream < 12; stream++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const int n = sizes[i][0] * sizes[i][1];
            float numbers[MAX_PIXELS];
            uint8_t mask[MAX_PIXELS];
            base_random_uniform(numbers, (size_t)n, 0, 12,
                                (base_random){1, BASE_PURPOSE_TEST, stream});
            for (int k = 0; k < n; k++)
                mask[k] = numbers[k] < (float)stream;
            check_regions(mask, sizes[i][0], sizes[i][1]);
        }
    }
}

static void regions__touch_by_corners_but_not_around_the_edge(void **state)
{
    (void)state;
    const uint8_t corners[] = {1, 0, 0, 1, /**/ 0, 1, 1, 0, /**/ 0, 0, 0, 255};
    assert_int_equal(check_regions(corners, 3, 4), 1);
    const uint8_t edges[] = {0, 0, 0, 1, /**/ 1, 0, 0, 0, /**/ 0, 0, 0, 1};
    assert_int_equal(check_regions(edges, 3, 4), 3);
}

static void regions__join_late_where_arms_meet_at_the_bottom(void **state)
{
    (void)state;
    const uint8_t comb[] = {1, 0, 1, 0, 1, /**/ 1, 0, 1, 0, 1, /**/ 1, 1, 1, 1, 1};
    assert_int_equal(check_regions(comb, 3, 5), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions__are_those_that_walking_finds),
        cmocka_unit_test(regions__touch_by_corners_but_not_around_the_edge),
        cmocka_unit_test(regions__join_late_where_arms_meet_at_the_bottom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
