#include "base/threads.h"

#include <omp.h>

ano_status base_threads_check(int threads, ano_error *err)
{
    if (threads >= 0 && threads <= BASE_MAX_THREADS)
        return ANO_OK;
    return base_error(err, ANO_ARG, "threads is %d, but must be from 0 to %d", threads,
                      BASE_MAX_THREADS);
}

int base_threads_enter(int threads)
{
    const int previous = omp_get_max_threads();
    omp_set_num_threads(threads > 0 ? threads : omp_get_num_procs());
    return previous;
}

int base_threads(void)
{
    return omp_get_max_threads();
}

void base_threads_leave(int previous)
{
    omp_set_num_threads(previous);
}

ano_status base_threads_each(int n, base_threads_work *work, void *cookie, ano_error *err)
{
    ano_status first = ANO_OK;
#pragma omp parallel for schedule(static, 1) num_threads(n)
    for (int thread = 0; thread < n; thread++) {
        ano_error own = ANO_ERROR_INIT;
        const ano_status status = work(thread, cookie, &own);
        if (status != ANO_OK) {
#pragma omp critical
            if (first == ANO_OK)
                first = base_error(err, status, "%s", own.message);
        }
    }
    return first;
}
