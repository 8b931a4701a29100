#include "detect/rounds.h"

#include "base/threads.h"

/* A round under way. */
typedef struct round {
    const detect_rounds *rounds;
    size_t begin, end;
    detect_look *look;
    void *looking;
} round;

size_t detect_rounds_width(detect_rounds rounds)
{
    return (size_t)rounds.n_threads * rounds.groups * rounds.group;
}

static ano_status look_at_share(int thread, void *cookie, ano_error *err)
{
    const round *r = cookie;
    const size_t group = r->rounds->group, step = (size_t)r->rounds->n_threads * group;
    ano_status status = ANO_OK;
    for (size_t i = r->begin + (size_t)thread * group; i < r->end && status == ANO_OK; i += step)
        status = r->look(thread, i, r->end - i < group ? r->end - i : group, r->looking, err);
    return status;
}

ano_status detect_rounds_run(detect_rounds rounds, size_t n, detect_look *look, void *looking,
                             detect_tick *tick, void *cookie, ano_error *err)
{
    const size_t width = detect_rounds_width(rounds);
    ano_status status = ANO_OK;
    for (size_t begin = 0; begin < n && status == ANO_OK; begin += width) {
        round r = {&rounds, begin, n - begin < width ? n : begin + width, look, looking};
        status = base_threads_each(rounds.n_threads, look_at_share, &r, err);
        if (status == ANO_OK && tick != NULL && tick(r.end, cookie) != 0)
            status = base_error(err, ANO_CANCELLED, "scoring was stopped");
    }
    return status;
}
