#include "data/augment.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

static ano_status check_range(double value, double high, const char *name, ano_error *err)
{
    if (value >= 0 && value <= high)
        return ANO_OK;
    return base_error(err, ANO_ARG, "%s is %g, but must be from 0 to %g", name, value, high);
}

ano_status data_augment_check(const ano_augment *augment, ano_error *err)
{
    if ((augment->flip & ~(unsigned)(ANO_FLIP_HORIZONTAL | ANO_FLIP_VERTICAL)) != 0)
        return base_error(err, ANO_ARG, "flip: there is no flip number %u", augment->flip);
    if (check_range(augment->shift, 0.5, "shift", err) != ANO_OK ||
        check_range(augment->rotate, 180, "rotate", err) != ANO_OK ||
        check_range(augment->brightness, 1, "brightness", err) != ANO_OK ||
        check_range(augment->contrast, 10, "contrast", err) != ANO_OK)
        return ANO_ARG;
    return ANO_OK;
}

/* ---- what is drawn ------------------------------------------------------------------------ */

/* A word as a number in [-1, 1). */
static double signed_unit(uint32_t word)
{
    return (double)word * 0x1p-31 - 1;
}

/* A whole number from -most to most. */
static double whole(uint32_t word, uint32_t most)
{
    return (double)(((uint64_t)word * (2 * (uint64_t)most + 1)) >> 32) - most;
}

data_change data_draw_change(const ano_augment *augment, int size, uint64_t seed, uint64_t step,
                             size_t index)
{
    const base_random flips = {seed, BASE_PURPOSE_FLIP, step};
    const base_random changes = {seed, BASE_PURPOSE_AUGMENT, step};
    const uint32_t block = (uint32_t)index, most = (uint32_t)(augment->shift * size);
    uint32_t flip[4], move[4], light[4];
    base_random_block(flip, flips, block);
    base_random_block(move, changes, 2 * block);
    base_random_block(light, changes, 2 * block + 1);
    const double radians = augment->rotate * 3.14159265358979323846 / 180;
    return (data_change){
        .horizontal = (augment->flip & ANO_FLIP_HORIZONTAL) && (flip[0] & 1),
        .vertical = (augment->flip & ANO_FLIP_VERTICAL) && (flip[1] & 1),
        .shift_x = whole(move[0], most),
        .shift_y = whole(move[1], most),
        .angle = radians * signed_unit(move[2]),
        /* Even on a logarithmic scale, so that lower is as likely as higher. */
        .gain = pow(1 + augment->contrast, signed_unit(light[0])),
        .offset = augment->brightness * signed_unit(light[1]),
    };
}

/* ---- what is done ------------------------------------------------------------------------- */

/* Mirrors an image [size][size][channels] in place. */
static void flip_image(float *image, size_t size, size_t channels, bool horizontal, bool vertical)
{
    for (size_t y = 0; y < size; y++)
        for (size_t x = 0; x < size; x++) {
            const size_t to_y = vertical ? size - 1 - y : y, to_x = horizontal ? size - 1 - x : x;
            const size_t from = y * size + x, to = to_y * size + to_x;
            for (size_t c = 0; c < channels && from < to; c++) {
                const float kept = image[from * channels + c];
                image[from * channels + c] = image[to * channels + c];
                image[to * channels + c] = kept;
            }
        }
}

/* A place between two pixels of a row or column; beyond the edge is the edge's pixel. */
typedef struct place {
    size_t low, high;
    float share; /* of the high one */
} place;

static place place_at(double position, size_t size)
{
    const double last = (double)(size - 1);
    position = position < 0 ? 0 : position > last ? last : position;
    const size_t low = (size_t)position;
    return (place){low, low + 1 < size ? low + 1 : low, (float)(position - (double)low)};
}

/* dst = src turned and then shifted, in one resampling: each pixel of dst looks up where it came
 * from and interpolates between the four pixels there. */
static void move_image(float *dst, const float *src, size_t size, size_t channels,
                       const data_change *change)
{
    const double centre = ((double)size - 1) / 2;
    const double cosine = cos(change->angle), sine = sin(change->angle);
    for (size_t y = 0; y < size; y++)
        for (size_t x = 0; x < size; x++, dst += channels) {
            const double right = (double)x - centre - change->shift_x;
            const double down = (double)y - centre - change->shift_y;
            const place px = place_at(cosine * right + sine * down + centre, size);
            const place py = place_at(cosine * down - sine * right + centre, size);
            const float *above = src + py.low * size * channels;
            const float *below = src + py.high * size * channels;
            for (size_t c = 0; c < channels; c++) {
                const size_t left = px.low * channels + c, next = px.high * channels + c;
                const float top = above[left] + px.share * (above[next] - above[left]);
                const float bottom = below[left] + px.share * (below[next] - below[left]);
                dst[c] = top + py.share * (bottom - top);
            }
        }
}

static void light_image(float *image, size_t n, float gain, float offset)
{
    for (size_t i = 0; i < n; i++)
        image[i] = fminf(fmaxf(gain * image[i] + offset, -1), 1);
}

void data_change_image(float *image, int size, int channels, const data_change *change,
                       float *scratch)
{
    const size_t side = (size_t)size, depth = (size_t)channels, n = side * side * depth;
    if (change->horizontal || change->vertical)
        flip_image(image, side, depth, change->horizontal, change->vertical);
    if (change->shift_x != 0 || change->shift_y != 0 || change->angle != 0) {
        memcpy(scratch, image, n * sizeof *image);
        move_image(image, scratch, side, depth, change);
    }
    if (change->gain != 1 || change->offset != 0)
        light_image(image, n, (float)change->gain, (float)change->offset);
}
