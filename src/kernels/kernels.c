#include "kernels/kernels.h"

#include <stdbool.h>

extern const kernels kernels_generic;

#if defined(__x86_64__)
extern const kernels kernels_avx2, kernels_avx512;

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

int kernels_available(const kernels *sets[], int max)
{
    const kernels *all[3] = {&kernels_generic};
    int n = 1;
#if defined(__x86_64__)
    if (has_avx2())
        all[n++] = &kernels_avx2;
    if (has_avx512())
        all[n++] = &kernels_avx512;
#endif
    if (n > max)
        n = max;
    for (int i = 0; i < n; i++)
        sets[i] = all[i];
    return n;
}

const kernels *kernels_get(void)
{
    const kernels *sets[3];
    return sets[kernels_available(sets, 3) - 1];
}
