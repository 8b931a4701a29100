/* Connected components by a disjoint-set forest with union by size and path halving (R. Tarjan,
 * J. van Leeuwen, "Worst-Case Analysis of Set Union Algorithms", 1984), in one array of the size
 * of the image. */
#include "eval/regions.h"

int32_t eval_regions_root(int32_t *regions, int32_t pixel)
{
    while (regions[pixel] >= 0) {
        const int32_t above = regions[pixel];
        if (regions[above] < 0)
            return above;
        regions[pixel] = regions[above];
        pixel = regions[above];
    }
    return pixel;
}

static void join(int32_t *regions, int32_t a, int32_t b)
{
    int32_t larger = eval_regions_root(regions, a), smaller = eval_regions_root(regions, b);
    if (larger == smaller)
        return;
    if (regions[larger] > regions[smaller]) { /* sizes are negative */
        const int32_t other = larger;
        larger = smaller;
        smaller = other;
    }
    regions[larger] += regions[smaller];
    regions[smaller] = larger;
}

void eval_regions_join(int32_t *regions, const uint8_t *mask, int height, int width)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const int32_t pixel = y * width + x;
            if (mask[pixel] == 0)
                continue;
            regions[pixel] = -1;
            /* Of the eight neighbours, the four that come before; the others will find this one. */
            const int first = x > 0 ? x - 1 : 0, last = x + 1 < width ? x + 1 : x;
            for (int nx = first; nx <= last && y > 0; nx++)
                if (mask[pixel - width + nx - x] != 0)
                    join(regions, pixel, pixel - width + nx - x);
            if (x > 0 && mask[pixel - 1] != 0)
                join(regions, pixel, pixel - 1);
        }
    }
}
