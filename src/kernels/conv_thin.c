/* Convolutions between an image of few channels and one of many, vectorised over the many: one pass
 * each way over the wide image. Stride 1, zero padding that keeps the size. The weights
 * [kernel][kernel][thin][wide] are read in order or, turned, from the last tap to the first. */
#include "kernels/target.h"
#include "kernels/vector.h"

enum {
    MAX_KERNEL = KERNELS_THIN_MAX_KERNEL,
    BLOCK = VECTOR_BYTES == 64 ? 4 : 2,         /* vectors of channels taken together */
    NARROW_PIXELS = VECTOR_BYTES == 64 ? 8 : 4, /* results of a row taken together */
    SEGMENT = 32                                /* pixels of a row between two stores of sums */
};

static size_t tap_begin(const kernels_thin *conv, int ky, int kx, bool turned)
{
    const int tap = ky * conv->kernel + kx, last = conv->kernel * conv->kernel - 1;
    return (size_t)(turned ? last - tap : tap) * (size_t)conv->thin * conv->wide;
}

static kernels_epilogue epilogue_at(kernels_epilogue epilogue, size_t channel)
{
    if (epilogue.bias)
        epilogue.bias += channel;
    if (epilogue.argmax)
        epilogue.argmax += channel;
    return epilogue;
}

/* ---- from few channels to many ------------------------------------------------------------- */

/* What 2 × 2 pixels of dst are made of: kernel + 1 rows of as many pixels. */
typedef struct patch {
    const float *at;
    size_t row;
    float copy[(MAX_KERNEL + 1) * (MAX_KERNEL + 1) * KERNELS_MAX_THIN];
} patch;

/* Points into src, or, where the patch reaches out of the image, to a copy with zeros. */
static void patch_take(patch *p, const float *src, const kernels_thin *conv, int y, int x)
{
    const int size = conv->kernel + 1, top = y - conv->kernel / 2, left = x - conv->kernel / 2;
    const int thin = conv->thin, width = conv->width;
    if (top >= 0 && left >= 0 && top + size <= conv->height && left + size <= width) {
        p->at = src + ((size_t)top * (size_t)width + (size_t)left) * (size_t)thin;
        p->row = (size_t)(width * thin);
        return;
    }
    p->at = p->copy;
    p->row = (size_t)(size * thin);
    memset(p->copy, 0, (size_t)size * p->row * sizeof *p->copy);
    const int begin = left < 0 ? -left : 0, end = left + size > width ? width - left : size;
    for (int i = 0; i < size; i++)
        if (top + i >= 0 && top + i < conv->height)
            memcpy(p->copy + (i * size + begin) * thin,
                   src + ((ptrdiff_t)(top + i) * width + left + begin) * thin,
                   (size_t)((end - begin) * thin) * sizeof *src);
}

/* 2 × 2 pixels of dst, `vectors` of channels; dst and weights begin at the first. */
INLINE void widen_block(float *dst, const patch *p, const float *weights, const kernels_thin *conv,
                        bool turned, kernels_epilogue epilogue, int y, int x, size_t vectors)
{
    const size_t thin = (size_t)conv->thin, width = (size_t)conv->width;
    vector sum[BLOCK][4] = {0};
    for (int ky = 0; ky < conv->kernel; ky++) {
        for (int kx = 0; kx < conv->kernel; kx++) {
            const float *tap = weights + tap_begin(conv, ky, kx, turned);
            const float *pixel = p->at + (size_t)ky * p->row + (size_t)kx * thin;
            for (size_t c = 0; c < thin; c++, tap += conv->wide, pixel++) {
                for (size_t v = 0; v < vectors; v++) {
                    const vector weight = vector_load(tap + v * LANES);
                    sum[v][0] += pixel[0] * weight;
                    sum[v][1] += pixel[thin] * weight;
                    sum[v][2] += pixel[p->row] * weight;
                    sum[v][3] += pixel[p->row + thin] * weight;
                }
            }
        }
    }
    for (size_t v = 0; v < vectors; v++) {
        const vector bias = epilogue.bias ? vector_load(epilogue.bias + v * LANES) : (vector){0};
        for (int i = 0; i < 4; i++)
            sum[v][i] = vector_leaky_relu(sum[v][i] + bias, epilogue.slope);
        if (epilogue.argmax) {
            const size_t at =
                ((size_t)(y / 2) * (width / 2) + (size_t)(x / 2)) * conv->wide + v * LANES;
            vector_max_store(dst + at, epilogue.argmax + at, sum[v], 4);
            continue;
        }
        for (int i = 0; i < 4; i++)
            if (y + i / 2 < conv->height && x + i % 2 < conv->width)
                vector_store(dst +
                                 ((size_t)(y + i / 2) * width + (size_t)(x + i % 2)) * conv->wide +
                                 v * LANES,
                             sum[v][i]);
    }
}

void KERNEL(thin_widen)(float *dst, const float *src, const float *weights, kernels_thin conv,
                        bool turned, kernels_epilogue epilogue)
{
    /* With pooling, what is over at the right and the bottom is dropped. */
    const int height = epilogue.argmax ? conv.height - 1 : conv.height;
    const int width = epilogue.argmax ? conv.width - 1 : conv.width;
    for (int y = 0; y < height; y += 2) {
        for (int x = 0; x < width; x += 2) {
            patch p;
            patch_take(&p, src, &conv, y, x);
            size_t c = 0;
            for (; c + BLOCK * LANES <= conv.wide; c += BLOCK * LANES)
                widen_block(dst + c, &p, weights + c, &conv, turned, epilogue_at(epilogue, c), y, x,
                            BLOCK);
            for (; c < conv.wide; c += LANES)
                widen_block(dst + c, &p, weights + c, &conv, turned, epilogue_at(epilogue, c), y, x,
                            1);
        }
    }
}

/* ---- from many channels to few ------------------------------------------------------------- */

static const float zeros[LANES];

/* One channel of NARROW_PIXELS pixels of dst, from (y, x) on; those out of the image are left.
 * inside: all pixels of src that they are made of are in its rows. */
INLINE void narrow_pixels(float *dst, const float *src, const float *weights, float bias,
                          const kernels_thin *conv, bool turned, int y, int x, int kernel,
                          bool inside)
{
    const int top = y - kernel / 2, left = x - kernel / 2;
    const ptrdiff_t wide = (ptrdiff_t)conv->wide;
    vector sum[NARROW_PIXELS] = {0};
    for (int ky = 0; ky < kernel; ky++) {
        if (top + ky < 0 || top + ky >= conv->height)
            continue;
        const float *row = src + ((ptrdiff_t)(top + ky) * conv->width + left) * wide;
        for (ptrdiff_t c = 0; c < wide; c += LANES) {
            vector pixels[NARROW_PIXELS + MAX_KERNEL - 1];
            for (int i = 0; i < NARROW_PIXELS + kernel - 1; i++)
                pixels[i] = vector_load(inside || (left + i >= 0 && left + i < conv->width)
                                            ? row + i * wide + c
                                            : zeros);
            for (int kx = 0; kx < kernel; kx++) {
                const vector weight = vector_load(weights + tap_begin(conv, ky, kx, turned) + c);
                for (int i = 0; i < NARROW_PIXELS; i++)
                    sum[i] += pixels[kx + i] * weight;
            }
        }
    }
    for (int i = 0; i < NARROW_PIXELS && x + i < conv->width; i++)
        dst[(y * conv->width + x + i) * conv->thin] = bias + vector_sum(sum[i]);
}

INLINE void narrow(float *dst, const float *src, const float *weights, const float *bias,
                   const kernels_thin *conv, bool turned, int kernel)
{
    const int margin = kernel / 2;
    for (int y = 0; y < conv->height; y++) {
        for (int x = 0; x < conv->width; x += NARROW_PIXELS) {
            const bool inside = x >= margin && x + NARROW_PIXELS + margin <= conv->width;
            for (int c = 0; c < conv->thin; c++) {
                const float *taps = weights + (size_t)c * conv->wide;
                const float shift = bias ? bias[c] : 0;
                if (inside)
                    narrow_pixels(dst + c, src, taps, shift, conv, turned, y, x, kernel, true);
                else
                    narrow_pixels(dst + c, src, taps, shift, conv, turned, y, x, kernel, false);
            }
        }
    }
}

void KERNEL(thin_narrow)(float *dst, const float *src, const float *weights, const float *bias,
                         kernels_thin conv, bool turned)
{
    switch (conv.kernel) {
    case 3:
        narrow(dst, src, weights, bias, &conv, turned, 3);
        break;
    case 5:
        narrow(dst, src, weights, bias, &conv, turned, 5);
        break;
    default:
        narrow(dst, src, weights, bias, &conv, turned, 7);
    }
}

/* ---- the gradient by the weights ----------------------------------------------------------- */

/* The taps of one row of the kernel, over `pixels` of a row of the images. thin is padded. */
INLINE void correlate_row(float *diff_weights, const float *thin, const float *wide,
                          const kernels_thin *conv, bool turned, int ky, int pixels, int kernel,
                          size_t vectors)
{
    vector sum[MAX_KERNEL][BLOCK] = {0};
    for (int x = 0; x < pixels; x++) {
        for (size_t v = 0; v < vectors; v++) {
            const vector pixel = vector_load(wide + (size_t)x * conv->wide + v * LANES);
            for (int kx = 0; kx < kernel; kx++)
                sum[kx][v] += thin[x + kx] * pixel;
        }
    }
    for (int kx = 0; kx < kernel; kx++) {
        float *tap = diff_weights + tap_begin(conv, ky, kx, turned);
        for (size_t v = 0; v < vectors; v++)
            vector_store(tap + v * LANES, vector_load(tap + v * LANES) + sum[kx][v]);
    }
}

/* One channel of a row of the thin image, from x on, with zeros out of the image. */
static void pad_row(float padded[], const float *thin, const kernels_thin *conv, int y, int x,
                    int n)
{
    for (int i = 0; i < n; i++)
        padded[i] = x + i >= 0 && x + i < conv->width
                        ? thin[((ptrdiff_t)y * conv->width + x + i) * conv->thin]
                        : 0;
}

INLINE void correlate(float *diff_weights, const float *thin, const float *wide,
                      const kernels_thin *conv, bool turned, int kernel)
{
    const int margin = kernel / 2;
    for (int y = 0; y < conv->height; y++) {
        for (int x = 0; x < conv->width; x += SEGMENT) {
            const int pixels = conv->width - x < SEGMENT ? conv->width - x : SEGMENT;
            const float *row = wide + ((size_t)y * (size_t)conv->width + (size_t)x) * conv->wide;
            for (int ky = 0; ky < kernel; ky++) {
                if (y + ky < margin || y + ky - margin >= conv->height)
                    continue;
                for (int f = 0; f < conv->thin; f++) {
                    float padded[SEGMENT + MAX_KERNEL - 1];
                    pad_row(padded, thin + f, conv, y + ky - margin, x - margin,
                            pixels + kernel - 1);
                    float *diff = diff_weights + (size_t)f * conv->wide;
                    size_t c = 0;
                    for (; c + BLOCK * LANES <= conv->wide; c += BLOCK * LANES)
                        correlate_row(diff + c, padded, row + c, conv, turned, ky, pixels, kernel,
                                      BLOCK);
                    for (; c < conv->wide; c += LANES)
                        correlate_row(diff + c, padded, row + c, conv, turned, ky, pixels, kernel,
                                      1);
                }
            }
        }
    }
}

void KERNEL(thin_diff_weights)(float *diff_weights, const float *thin, const float *wide,
                               kernels_thin conv, bool turned)
{
    switch (conv.kernel) {
    case 3:
        correlate(diff_weights, thin, wide, &conv, turned, 3);
        break;
    case 5:
        correlate(diff_weights, thin, wide, &conv, turned, 5);
        break;
    default:
        correlate(diff_weights, thin, wide, &conv, turned, 7);
    }
}
