#include "base/lock.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct base_lock {
    int descriptor;
};

enum { TEXT_SIZE = 24 };

/* The number that the lock's owner left in the file, 0 where there is none yet. */
static long owner_of(int descriptor)
{
    char text[TEXT_SIZE] = "";
    const ssize_t size = pread(descriptor, text, sizeof text - 1, 0);
    return size > 0 ? strtol(text, NULL, 10) : 0;
}

static ano_status lock_error(int errnum, int descriptor, const char *folder, ano_error *err)
{
    const long owner = owner_of(descriptor);
    char by[TEXT_SIZE + 16] = "";
    if (owner > 0)
        snprintf(by, sizeof by, " (%ld)", owner);
    switch (errnum) {
    case EWOULDBLOCK:
        return base_error(err, ANO_IO,
                          "%s: is in use by another process%s: wait for it to end, or name another "
                          "folder",
                          folder, by);
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
    case EINVAL:
    case EBADF:
        return base_error(err, ANO_UNSUPPORTED,
                          "%s: is on a file system without locks: take care that nobody else uses "
                          "the folder meanwhile",
                          folder);
    default:
        return base_error_errno(err, errnum, folder, "cannot be locked");
    }
}

ano_status base_lock_take(base_lock **out, const char *folder, ano_error *err)
{
    ano_status status = ANO_OK;
    *out = NULL;
    base_lock *lock = base_alloc(1, sizeof *lock);
    char *path = base_path_join(folder, ".lock");
    if (lock == NULL || path == NULL) {
        status = base_error_nomem(err, folder);
        goto done;
    }
    lock->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock->descriptor < 0) {
        status = base_error_errno(err, errno, path, "cannot be written");
        goto done;
    }
    int result;
    do
        result = flock(lock->descriptor, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0) {
        status = lock_error(errno, lock->descriptor, folder, err);
        close(lock->descriptor);
        goto done;
    }
    /* For a message alone; the lock holds without it. */
    char text[TEXT_SIZE];
    const int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(lock->descriptor, 0) != 0 ||
        pwrite(lock->descriptor, text, (size_t)length, 0) != length)
        errno = 0;
    *out = lock;
    lock = NULL;
done:
    base_free(path);
    base_free(lock);
    return status;
}

void base_lock_free(base_lock *lock)
{
    if (lock == NULL)
        return;
    close(lock->descriptor);
    base_free(lock);
}
