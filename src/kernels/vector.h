/* Vectors of floats as wide as the target's registers, by the compiler's vector extension. */
#ifndef KERNELS_VECTOR_H
#define KERNELS_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

enum { LANES = VECTOR_BYTES / 4 };

typedef float vector __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t vector_int __attribute__((vector_size(VECTOR_BYTES)));
typedef uint8_t vector_byte __attribute__((vector_size(VECTOR_BYTES / 4)));

/* For bodies that are to be made anew for each constant argument. */
#define INLINE static inline __attribute__((always_inline))

/* p needs no alignment. */
INLINE vector vector_load(const float *p)
{
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* All lanes x. */
INLINE vector vector_fill(float x)
{
    return x - (vector){0};
}

/* p[0], p[stride], p[2 stride] …; whoever gathers a matrix takes 16 columns of it in turn, which
 * share their lines of the cache. */
INLINE vector vector_gather(const float *p, size_t stride)
{
    float lanes[LANES];
    for (size_t i = 0; i < LANES; i++)
        lanes[i] = p[i * stride];
    return vector_load(lanes);
}

INLINE void vector_store(float *p, vector v)
{
    memcpy(p, &v, sizeof v);
}

/* Loads from one of many matrices that are walked through side by side, more than the processor's
 * own prefetching can follow: asks for the line after it. */
INLINE vector vector_load_stream(const float *p)
{
    __builtin_prefetch(p + LANES);
    return vector_load(p);
}

/* Stores likewise. */
INLINE void vector_store_stream(float *p, vector v)
{
    __builtin_prefetch(p + LANES, 1);
    vector_store(p, v);
}

/* What a product fetches of the next product's operands, a line of the cache with every step of k:
 * operands that wait in an outer cache would cost a third of the time. */
typedef struct prefetch {
    const float *line;
    size_t step; /* floats to the next */
} prefetch;

static const float vector_nothing[1];
#define NO_PREFETCH ((prefetch){vector_nothing, 0})

INLINE void prefetch_line(prefetch *ahead)
{
    __builtin_prefetch(ahead->line, 0, 2);
    ahead->line += ahead->step;
}

INLINE float vector_sum(vector v)
{
    typedef float four __attribute__((vector_size(16)));
    four parts[LANES / 4];
    memcpy(parts, &v, sizeof v);
    for (int i = 1; i < LANES / 4; i++)
        parts[0] += parts[i];
    return (parts[0][0] + parts[0][1]) + (parts[0][2] + parts[0][3]);
}

/* Lane by lane: `then` where the mask is all ones, `otherwise` where it is zero. */
INLINE vector_int vector_select_int(vector_int mask, vector_int then, vector_int otherwise)
{
    return (mask & then) | (~mask & otherwise);
}

INLINE vector vector_select(vector_int mask, vector then, vector otherwise)
{
    return (vector)vector_select_int(mask, (vector_int)then, (vector_int)otherwise);
}

INLINE vector vector_leaky_relu(vector v, float slope)
{
    return vector_select(v > 0, v, v * slope);
}

/* Max pooling of the n values of a window: the largest, and the place of the first that is. */
INLINE void vector_max_store(float *dst, uint8_t *argmax, const vector values[], int n)
{
    vector largest = values[0];
    vector_int place = {0};
    for (int i = 1; i < n; i++) {
        const vector_int greater = values[i] > largest;
        largest = vector_select(greater, values[i], largest);
        place = vector_select_int(greater, (vector_int){0} + i, place);
    }
    const vector_byte bytes = __builtin_convertvector(place, vector_byte);
    vector_store(dst, largest);
    memcpy(argmax, &bytes, sizeof bytes);
}

#endif
