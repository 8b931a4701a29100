/* Discrete Fourier transforms of 16 numbers and of planes of 16 × 16 real ones, vector by vector of
 * channels: X[k] = Σ_n x[n] w^(k n), w = e^(-2πi / 16), by two steps of four (J. Cooley, J. Tukey,
 * Math. Comp. 19, 1965): n = j + 4 m and k = p + 4 q give
 *     X[p + 4 q] = Σ_j (-i)^(q j) · w^(p j) · Σ_m (-i)^(p m) x[j + 4 m].
 * Of a real sequence's transform, X[16 - k] is the conjugate of X[k]; 9 of its numbers say it all,
 * and 130 of a plane's. Nothing is divided by 16 on the way back. */
#ifndef KERNELS_FFT_TRANSFORM_H
#define KERNELS_FFT_TRANSFORM_H

#include "kernels/kernels.h"
#include "kernels/vector.h"

enum { SIDE = KERNELS_FFT_SIDE, HALF = SIDE / 2 + 1 };

/* w^k = cosine[k] - i · sine[k] */
static const float cosine[10] = {1,  .923879533f,  .707106781f,  .382683432f,
                                 0,  -.382683432f, -.707106781f, -.923879533f,
                                 -1, -.923879533f};
static const float sine[10] = {0,           .382683432f, .707106781f, .923879533f, 1,
                               .923879533f, .707106781f, .382683432f, 0,           -.382683432f};

typedef struct complex_vector {
    vector re, im;
} complex_vector;

INLINE complex_vector complex_add(complex_vector a, complex_vector b)
{
    return (complex_vector){a.re + b.re, a.im + b.im};
}

INLINE complex_vector complex_subtract(complex_vector a, complex_vector b)
{
    return (complex_vector){a.re - b.re, a.im - b.im};
}

/* a · w^k */
INLINE complex_vector complex_turn(complex_vector a, int k)
{
    if (k == 0)
        return a;
    if (k == 4)
        return (complex_vector){a.im, -a.re};
    return (complex_vector){a.re * cosine[k] + a.im * sine[k], a.im * cosine[k] - a.re * sine[k]};
}

/* The transform of 4, in place. */
INLINE void transform_4(complex_vector x[4])
{
    const complex_vector even = complex_add(x[0], x[2]), odd = complex_add(x[1], x[3]);
    const complex_vector a = complex_subtract(x[0], x[2]), b = complex_subtract(x[1], x[3]);
    x[0] = complex_add(even, odd);
    x[2] = complex_subtract(even, odd);
    x[1] = (complex_vector){a.re + b.im, a.im - b.re};
    x[3] = (complex_vector){a.re - b.im, a.im + b.re};
}

/* x becomes its transform. */
INLINE void transform_complex(complex_vector x[SIDE])
{
    complex_vector parts[4][4]; /* [p][j] */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        complex_vector part[4] = {x[j], x[j + 4], x[j + 8], x[j + 12]};
        transform_4(part);
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++)
            parts[p][j] = complex_turn(part[p], p * j);
    }
#pragma GCC unroll 4
    for (int p = 0; p < 4; p++) {
        transform_4(parts[p]);
#pragma GCC unroll 4
        for (int q = 0; q < 4; q++)
            x[p + 4 * q] = parts[p][q];
    }
}

/* The way back is the way there with the real and the imaginary parts exchanged. */
INLINE void inverse_complex(complex_vector x[SIDE])
{
#pragma GCC unroll 16
    for (int k = 0; k < SIDE; k++)
        x[k] = (complex_vector){x[k].im, x[k].re};
    transform_complex(x);
#pragma GCC unroll 16
    for (int k = 0; k < SIDE; k++)
        x[k] = (complex_vector){x[k].im, x[k].re};
}

/* spectrum[k] for k = 0 … 8, of real x. */
INLINE void transform_real(complex_vector spectrum[HALF], const vector x[SIDE])
{
    const vector zero = {0};
    vector first[4], third[4]; /* p = 0 and 2, which are real */
    complex_vector second[4];  /* p = 1 */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const vector even = x[j] + x[j + 8], odd = x[j + 4] + x[j + 12];
        first[j] = even + odd;
        third[j] = even - odd;
        second[j] = complex_turn((complex_vector){x[j] - x[j + 8], x[j + 12] - x[j + 4]}, j);
    }
    const vector even = first[0] + first[2], odd = first[1] + first[3];
    spectrum[0] = (complex_vector){even + odd, zero};
    spectrum[8] = (complex_vector){even - odd, zero};
    spectrum[4] = (complex_vector){first[0] - first[2], first[3] - first[1]};
    transform_4(second); /* X[1], X[5], X[9], X[13] */
    spectrum[1] = second[0];
    spectrum[5] = second[1];
    spectrum[7] = (complex_vector){second[2].re, -second[2].im};
    spectrum[3] = (complex_vector){second[3].re, -second[3].im};
    const vector re = cosine[2] * (third[1] - third[3]), im = cosine[2] * (third[1] + third[3]);
    spectrum[2] = (complex_vector){third[0] + re, -third[2] - im};
    spectrum[6] = (complex_vector){third[0] - re, third[2] - im};
}

/* 16 · x from spectrum[k], k = 0 … 8; the imaginary parts of the first and the last, which are
 * zero, are not read. The steps of transform_real() the other way round. */
INLINE void inverse_real(vector x[SIDE], const complex_vector spectrum[HALF])
{
    vector first[4], third[4];
    const vector even = spectrum[0].re + spectrum[8].re, odd = spectrum[0].re - spectrum[8].re;
    const vector re_4 = 2 * spectrum[4].re, im_4 = 2 * spectrum[4].im;
    first[0] = even + re_4;
    first[2] = even - re_4;
    first[1] = odd - im_4;
    first[3] = odd + im_4;
    /* Exchanged parts, for the way back. */
    complex_vector second[4] = {{spectrum[1].im, spectrum[1].re},
                                {spectrum[5].im, spectrum[5].re},
                                {-spectrum[7].im, spectrum[7].re},
                                {-spectrum[3].im, spectrum[3].re}};
    transform_4(second);
    const vector re_2 = spectrum[2].re - spectrum[6].re, im_2 = spectrum[2].im + spectrum[6].im;
    third[0] = 2 * (spectrum[2].re + spectrum[6].re);
    third[2] = 2 * (spectrum[6].im - spectrum[2].im);
    third[1] = (2 * cosine[2]) * (re_2 - im_2);
    third[3] = (-2 * cosine[2]) * (re_2 + im_2);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const complex_vector turned = complex_turn(second[j], j);
        const vector re = 2 * turned.im, im = 2 * turned.re;
        const vector sum = first[j] + third[j], difference = first[j] - third[j];
        x[j] = sum + re;
        x[j + 4] = difference - im;
        x[j + 8] = sum - re;
        x[j + 12] = difference + im;
    }
}

/* The place of bin (ky, kx) among a plane's: of the columns 0 and 8, whose rows are real, ky = 0 …
 * 8 come first; then of the others all 16. */
INLINE int bin_of(int ky, int kx)
{
    if (kx == 0)
        return ky;
    if (kx == HALF - 1)
        return HALF + ky;
    return 2 * HALF + (kx - 1) * SIDE + ky;
}

/* The real and imaginary parts of a plane's bins, one vector of channels, `stride` floats apart. */
INLINE void store_bin(float *bins, size_t stride, int bin, complex_vector value)
{
    vector_store_stream(bins + (size_t)(2 * bin) * stride, value.re);
    vector_store_stream(bins + (size_t)(2 * bin + 1) * stride, value.im);
}

INLINE complex_vector load_bin(const float *bins, size_t stride, int bin)
{
    return (complex_vector){vector_load_stream(bins + (size_t)(2 * bin) * stride),
                            vector_load_stream(bins + (size_t)(2 * bin + 1) * stride)};
}

/* From the transforms of a plane's rows to its bins. */
INLINE void transform_columns(float *bins, size_t stride, complex_vector rows[SIDE][HALF])
{
    for (int kx = 0; kx < HALF; kx += HALF - 1) {
        vector column[SIDE];
        complex_vector spectrum[HALF];
        for (int y = 0; y < SIDE; y++)
            column[y] = rows[y][kx].re;
        transform_real(spectrum, column);
        for (int ky = 0; ky < HALF; ky++)
            store_bin(bins, stride, bin_of(ky, kx), spectrum[ky]);
    }
    for (int kx = 1; kx < HALF - 1; kx++) {
        complex_vector column[SIDE];
        for (int y = 0; y < SIDE; y++)
            column[y] = rows[y][kx];
        transform_complex(column);
        for (int ky = 0; ky < SIDE; ky++)
            store_bin(bins, stride, bin_of(ky, kx), column[ky]);
    }
}

/* From a plane's bins to 16 times the transforms of its rows. */
INLINE void inverse_columns(complex_vector rows[SIDE][HALF], const float *bins, size_t stride)
{
    for (int kx = 0; kx < HALF; kx += HALF - 1) {
        vector column[SIDE];
        complex_vector spectrum[HALF];
        for (int ky = 0; ky < HALF; ky++)
            spectrum[ky] = load_bin(bins, stride, bin_of(ky, kx));
        inverse_real(column, spectrum);
        for (int y = 0; y < SIDE; y++)
            rows[y][kx].re = column[y];
    }
    for (int kx = 1; kx < HALF - 1; kx++) {
        complex_vector column[SIDE];
        for (int ky = 0; ky < SIDE; ky++)
            column[ky] = load_bin(bins, stride, bin_of(ky, kx));
        inverse_complex(column);
        for (int y = 0; y < SIDE; y++)
            rows[y][kx] = column[y];
    }
}

#endif
