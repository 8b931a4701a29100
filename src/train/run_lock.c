/* The lock of a run folder, and what may be done by who has it: tidying up after the dead. */
#include "base/file.h"
#include "base/lock.h"
#include "base/memory.h"

struct ano_run_lock {
    base_lock *lock;
};

static void sweep(const char *run_dir)
{
    static const char *const folders[] = {".", "weights", "result", "predict"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *path = base_path_join(run_dir, folders[i]);
        if (path != NULL)
            base_file_sweep(path);
        base_free(path);
    }
}

ano_status ano_run_lock_take(ano_run_lock **out, const char *run_dir, ano_error *err)
{
    *out = NULL;
    ano_run_lock *lock = base_alloc(1, sizeof *lock);
    ano_status status =
        lock != NULL ? base_make_folder(run_dir, err) : base_error_nomem(err, run_dir);
    if (status == ANO_OK)
        status = base_lock_take(&lock->lock, run_dir, err);
    if (status != ANO_OK) {
        base_free(lock);
        return status;
    }
    sweep(run_dir);
    *out = lock;
    return ANO_OK;
}

void ano_run_lock_free(ano_run_lock *lock)
{
    if (lock == NULL)
        return;
    base_lock_free(lock->lock);
    base_free(lock);
}
