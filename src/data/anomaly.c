#include "data/anomaly.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define PI 3.14159265358979323846f

/* What the mask calls anomalous: pixels that the shape covers by more than this, not its soft edge,
 * and that change by more than this, of pixels in [-1, 1]: less could not be seen. */
#define COVERED 0.3f
#define VISIBLE 0.03f

/* Blocks of four random words that lie between those of two anomalies: more than one draws. */
enum { BLOCKS = 1 << 18 };

/* Of a drawn shape: the share of the image that it may cover, the pixels that it must, and how many
 * are tried until one does both. */
#define MOST_COVERED 0.75f
enum { FEWEST_PIXELS = 3, TRIES = 16 };

/* Numbers of one stream, one after the other. */
typedef struct numbers {
    base_random random;
    uint32_t block, used;
    uint32_t words[4];
} numbers;

static float unit(numbers *n)
{
    if (n->used % 4 == 0)
        base_random_block(n->words, n->random, n->block++);
    return (float)(n->words[n->used++ % 4] >> 8) * 0x1p-24f;
}

static float between(numbers *n, float low, float high)
{
    return low + (high - low) * unit(n);
}

/* Even on a logarithmic scale. */
static float scale_between(numbers *n, float low, float high)
{
    return low * powf(high / low, unit(n));
}

static int one_of(numbers *n, int count)
{
    return (int)(unit(n) * (float)count);
}

static bool happens(numbers *n, float probability)
{
    return unit(n) < probability;
}

static float clamp(float x, float low, float high)
{
    return fminf(fmaxf(x, low), high);
}

/* ---- shapes: how much of each pixel they cover --------------------------------------------- */

/* A spot of uneven outline. */
static void cover_blob(float *cover, int size, numbers *n)
{
    enum { WAVES = 4 };
    const float side = (float)size, radius = scale_between(n, 1.5f, fmaxf(side / 3, 2));
    const float x0 = between(n, 0, side), y0 = between(n, 0, side);
    const float angle = between(n, 0, PI), stretch = scale_between(n, 0.5f, 2);
    const float edge = between(n, 0.7f, 2);
    float height[WAVES], phase[WAVES];
    for (int i = 0; i < WAVES; i++) {
        height[i] = between(n, -0.25f, 0.25f);
        phase[i] = between(n, 0, 2 * PI);
    }
    const float c = cosf(angle), s = sinf(angle);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            const float u = ((float)x - x0) * c + ((float)y - y0) * s;
            const float v = ((float)y - y0) * c - ((float)x - x0) * s;
            const float around = atan2f(v, u);
            float outline = 1;
            for (int i = 0; i < WAVES; i++)
                outline += height[i] * sinf((float)(i + 1) * around + phase[i]);
            const float distance = hypotf(u / stretch, v * stretch) - radius * outline;
            cover[y * size + x] = clamp(0.5f - distance / edge, 0, 1);
        }
}

/* A rectangle, more often than not along the image's edges. */
static void cover_bar(float *cover, int size, numbers *n)
{
    const float side = (float)size;
    const float x0 = between(n, 0, side), y0 = between(n, 0, side);
    const float half_u = scale_between(n, 1.5f, fmaxf(0.6f * side, 2)),
                half_v = scale_between(n, 1.5f, fmaxf(0.6f * side, 2));
    const float angle = happens(n, 0.6f) ? between(n, -0.25f, 0.25f) : between(n, 0, PI);
    const float edge = between(n, 0.7f, 2), c = cosf(angle), s = sinf(angle);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            const float u = ((float)x - x0) * c + ((float)y - y0) * s;
            const float v = ((float)y - y0) * c - ((float)x - x0) * s;
            const float distance = fmaxf(fabsf(u) - half_u, fabsf(v) - half_v);
            cover[y * size + x] = clamp(0.5f - distance / edge, 0, 1);
        }
}

/* A scratch or a crack: the trace of a walk that turns at random. */
static void cover_line(float *cover, int size, numbers *n)
{
    const float side = (float)size, width = between(n, 0.5f, 2), turn = between(n, 0, 0.6f);
    const int n_steps = (int)scale_between(n, 6, fmaxf(1.5f * side, 8));
    const int reach = (int)width + 2;
    float x = between(n, 0, side), y = between(n, 0, side), angle = between(n, 0, 2 * PI);
    memset(cover, 0, (size_t)size * (size_t)size * sizeof *cover);
    for (int i = 0; i < n_steps; i++) {
        for (int py = (int)y - reach; py <= (int)y + reach; py++)
            for (int px = (int)x - reach; px <= (int)x + reach; px++)
                if (py >= 0 && py < size && px >= 0 && px < size) {
                    const float distance = hypotf((float)px - x, (float)py - y);
                    float *at = &cover[py * size + px];
                    *at = fmaxf(*at, clamp(0.5f + width - distance, 0, 1));
                }
        angle += between(n, -turn, turn);
        x += cosf(angle);
        y += sinf(angle);
    }
}

/* ---- fillings ------------------------------------------------------------------------------ */

static float mean(const float *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    return (float)(sum / (double)n);
}

typedef enum filling_kind { FILL_OTHER, FILL_LIGHT, FILL_TONE, FILL_BLUR, FILL_NOISE } filling_kind;
enum { N_FILLINGS = FILL_NOISE + 1 };

/* What a pixel becomes. */
typedef struct filling {
    filling_kind kind;
    bool turned, mirrored_x, mirrored_y; /* the other image */
    float middle, gain, offset;          /* p becomes middle + gain · (p - middle) + offset */
    int radius;                          /* of the blur's square */
    float noise;                         /* half its range */
} filling;

static filling draw_filling(const float *image, const float *other, size_t n_numbers, numbers *n)
{
    filling f = {.kind = (filling_kind)one_of(n, N_FILLINGS), .gain = 1};
    const float tone = mean(image, n_numbers);
    switch (f.kind) {
    case FILL_OTHER:
        f.turned = happens(n, 0.5f);
        f.mirrored_x = happens(n, 0.5f);
        f.mirrored_y = happens(n, 0.5f);
        if (happens(n, 0.5f)) /* as light as the image */
            f.offset = tone - mean(other, n_numbers);
        break;
    case FILL_LIGHT:
        f.middle = tone;
        f.gain = scale_between(n, 0.4f, 2.5f);
        f.offset = between(n, 0.08f, 0.6f) * (happens(n, 0.5f) ? 1.0f : -1.0f);
        break;
    case FILL_TONE:
        f.offset = happens(n, 0.5f)
                       ? between(n, -1, 1)
                       : tone + between(n, 0.15f, 0.8f) * (happens(n, 0.5f) ? 1.0f : -1.0f);
        f.noise = 0.08f;
        break;
    case FILL_BLUR:
        f.radius = 1 + one_of(n, 3);
        break;
    case FILL_NOISE:
        f.noise = between(n, 0.1f, 0.5f);
        break;
    }
    return f;
}

static float blurred(const float *image, int size, int channels, int x0, int y0, int c, int radius)
{
    float sum = 0;
    int n = 0;
    for (int y = y0 - radius; y <= y0 + radius; y++)
        for (int x = x0 - radius; x <= x0 + radius; x++)
            if (y >= 0 && y < size && x >= 0 && x < size) {
                sum += image[(y * size + x) * channels + c];
                n++;
            }
    return sum / (float)n;
}

static float filled(const filling *f, const float *image, const float *other, int size,
                    int channels, int x, int y, int c, numbers *n)
{
    const float pixel = image[(y * size + x) * channels + c];
    switch (f->kind) {
    case FILL_OTHER: {
        const int mx = f->mirrored_x ? size - 1 - x : x, my = f->mirrored_y ? size - 1 - y : y;
        const int from = f->turned ? mx * size + my : my * size + mx;
        return other[from * channels + c] + f->offset;
    }
    case FILL_LIGHT:
        return f->middle + f->gain * (pixel - f->middle) + f->offset;
    case FILL_TONE:
        return f->offset + between(n, -f->noise, f->noise);
    case FILL_BLUR:
        return blurred(image, size, channels, x, y, c, f->radius);
    case FILL_NOISE:
        return pixel + between(n, -f->noise, f->noise);
    }
    return pixel;
}

/* ---- the anomaly --------------------------------------------------------------------------- */

/* Whether a shape covers something, but not nearly all, of the image. */
static bool is_of_use(const float *cover, size_t n_pixels)
{
    size_t n_covered = 0;
    for (size_t i = 0; i < n_pixels; i++)
        n_covered += cover[i] > 0.5f;
    return n_covered >= FEWEST_PIXELS && (float)n_covered <= MOST_COVERED * (float)n_pixels;
}

static void draw_cover(float *cover, int size, numbers *n)
{
    static void (*const shapes[])(float *, int, numbers *) = {cover_blob, cover_bar, cover_line};
    enum { N_SHAPES = sizeof shapes / sizeof *shapes };
    for (int i = 0; i < TRIES; i++) {
        shapes[one_of(n, N_SHAPES)](cover, size, n);
        if (is_of_use(cover, (size_t)size * (size_t)size))
            return;
    }
}

void data_draw_anomaly(float *image, float *mask, const float *other, int size, int channels,
                       base_random random, uint32_t index, float *scratch)
{
    numbers n = {.random = random, .block = index * BLOCKS};
    const size_t n_pixels = (size_t)size * (size_t)size, n_numbers = n_pixels * (size_t)channels;
    float *cover = scratch, *before = scratch + n_pixels;
    draw_cover(cover, size, &n);
    const filling f = draw_filling(image, other, n_numbers, &n);
    const float opacity = between(&n, 0.35f, 1);
    memcpy(before, image, n_numbers * sizeof *before);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            const int at = y * size + x;
            float change = 0;
            for (int c = 0; c < channels && cover[at] > 0; c++) {
                const float pixel = before[at * channels + c];
                const float other_pixel = filled(&f, before, other, size, channels, x, y, c, &n);
                const float becomes = pixel + opacity * cover[at] * (other_pixel - pixel);
                image[at * channels + c] = clamp(becomes, -1, 1);
                change = fmaxf(change, fabsf(image[at * channels + c] - pixel));
            }
            mask[at] = cover[at] > COVERED && change > VISIBLE ? 1.0f : 0.0f;
        }
}
