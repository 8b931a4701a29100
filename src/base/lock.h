/* A lock on a folder, between processes and within one: flock() of the file FOLDER/.lock, which the
 * kernel drops when a process ends, however it ends. The file stays and holds the number of the
 * process that last had the lock. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/error.h"

typedef struct base_lock base_lock;

/* Does not wait. Errors: IO (another has the lock; the folder cannot be written), UNSUPPORTED (the
 * file system has no locks), NOMEM. */
ano_status base_lock_take(base_lock **out, const char *folder, ano_error *err);
void base_lock_free(base_lock *lock);

#endif
