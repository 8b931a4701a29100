#include "peak.h"

#include "base/clock.h"

/* Enough independent chains to hide a multiply-add's latency in two pipes. */
enum { ROUNDS = 5, CHAINS = 12, LOOPS = 2000000 };

#if defined(__x86_64__)
#define REGISTER "x"
#else
#define REGISTER "w"
#endif

/* Compiled with contraction allowed, without which a product and a sum are two instructions. */
#define DEFINE_LOOP(name, attributes, width)                                                       \
    typedef float vector_##name __attribute__((vector_size((width) * sizeof(float))));             \
    attributes static __attribute__((noinline)) double loop_##name(void)                           \
    {                                                                                              \
        vector_##name sum[CHAINS], a = {1e-9f}, b = {1e-9f};                                       \
        for (int i = 0; i < CHAINS; i++)                                                           \
            sum[i] = (vector_##name){(float)i};                                                    \
        const double start = base_seconds();                                                       \
        for (int n = 0; n < LOOPS; n++) {                                                          \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sum[i] += a * b;             \
            __asm__ volatile("" : "+" REGISTER(a), "+" REGISTER(b));                               \
        }                                                                                          \
        const double seconds = base_seconds() - start;                                             \
        for (int i = 0; i < CHAINS; i++)                                                           \
            __asm__ volatile("" : : REGISTER(sum[i]));                                             \
        return 2.0 * (width)*CHAINS * LOOPS / seconds;                                             \
    }

#if defined(__x86_64__)
DEFINE_LOOP(avx512, __attribute__((target("avx512f,avx512vl,fma"))), 16)
DEFINE_LOOP(avx2, __attribute__((target("avx2,fma"))), 8)
#endif
DEFINE_LOOP(generic, , 4)

static double loop(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return loop_avx512();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return loop_avx2();
#endif
    return loop_generic();
}

double peak_measure(void)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double sum = 0;
#pragma omp parallel reduction(+ : sum)
        sum += loop();
        best = sum > best ? sum : best;
    }
    return best;
}
