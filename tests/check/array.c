#include "array.h"

#include "check.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { BEFORE = 64 + sizeof(float), AFTER = 64 };

/* Byte i of a guard. Every four are a signalling NaN: arithmetic on it makes it another NaN, so
 * that even a number read beyond one array's end and written beyond another's is seen. */
static unsigned char guard_byte(const guarded *g, size_t i)
{
    const unsigned char signalling_nan[] = {g->mark, 0xa5, 0xbf, 0xff}; /* little-endian */
    return signalling_nan[i % 4];
}

guarded guard(size_t size, unsigned char mark)
{
    guarded g = {malloc(BEFORE + size + AFTER), NULL, size, mark};
    assert_non_null(g.memory);
    for (size_t i = 0; i < BEFORE + size + AFTER; i++)
        g.memory[i] = guard_byte(&g, i);
    g.bytes = g.memory + BEFORE;
    return g;
}

void guard_end(guarded *g)
{
    for (size_t i = 0; i < BEFORE; i++)
        if (g->memory[i] != guard_byte(g, i))
            fail_msg("byte %zu before the array was written", BEFORE - i);
    for (size_t i = BEFORE + g->size; i < BEFORE + g->size + AFTER; i++)
        if (g->memory[i] != guard_byte(g, i))
            fail_msg("byte %zu after the array was written", i - BEFORE - g->size);
    free(g->memory);
}

array array_create(int n, unsigned char stream)
{
    array a = {.memory = guard((size_t)n * sizeof(float), stream), .n = n};
    a.narrow = a.memory.bytes;
    a.wide = check_doubles(n);
    a.tolerance = check_doubles(n);
    check_random(a.wide, n, stream);
    check_narrow(a.narrow, a.wide, n);
    return a;
}

void array_free(array *a)
{
    guard_end(&a->memory);
    free(a->wide);
    free(a->tolerance);
}

void array_check(const kernels *k, const char *what, const array *a)
{
    char name[128];
    snprintf(name, sizeof name, "%s of %s, %d long", what, k->name, a->n);
    check_close(name, a->narrow, a->wide, a->tolerance, a->n);
}

void array_check_accuracy(const kernels *k, const char *what, array *a, double accuracy)
{
    double square = 0, greatest = 0;
    int n = 0;
    for (int i = 0; i < a->n; i++) {
        square += a->wide[i] * a->wide[i];
        n += a->wide[i] != 0;
    }
    const double deviation = sqrt(square / n);
    for (int i = 0; i < a->n; i++) {
        a->tolerance[i] = accuracy * deviation;
        greatest = fmax(greatest, fabs(a->narrow[i] - a->wide[i]));
    }
    print_message("%s of %s: largest error %.1e\n", what, k->name, greatest / deviation);
    array_check(k, what, a);
}

void check_same_bits(const kernels *k, const char *what, const void *expected, const void *got,
                     size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (((const unsigned char *)expected)[i] != ((const unsigned char *)got)[i])
            fail_msg("%s of %s: byte %zu of %zu differs", what, k->name, i, bytes);
}
