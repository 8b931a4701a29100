#include "base/lock.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/anogan-lock-XXXXXX";

/* The linker sends the engine's calls here (--wrap). */
static int flock_errno;
int __real_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation);
int __wrap_flock(int descriptor, int operation)
{
    errno = flock_errno;
    return flock_errno != 0 ? -1 : __real_flock(descriptor, operation);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/.lock", folder);
    unlink(path);
    return rmdir(folder);
}

static void lock__refuses_a_second_and_names_folder_and_process(void **state)
{
    (void)state;
    base_lock *first, *second;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(base_lock_take(&first, folder, NULL), ANO_OK);
    assert_int_equal(base_lock_take(&second, folder, &err), ANO_IO);
    assert_null(second);
    char expected[160];
    snprintf(expected, sizeof expected,
             "%s: is in use by another process (%ld): wait for it to end, or name another "
             "folder",
             folder, (long)getpid());
    assert_string_equal(err.message, expected);
    base_lock_free(first);
    assert_int_equal(base_lock_take(&second, folder, NULL), ANO_OK);
    base_lock_free(second);
}

/* A process that takes the lock, tells so through the pipe, and waits for its end. */
static pid_t start_owner(void)
{
    int ends[2];
    char taken = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t owner = fork();
    if (owner == 0) {
        base_lock *lock;
        taken = base_lock_take(&lock, folder, NULL) == ANO_OK;
        if (write(ends[1], &taken, 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(owner > 0);
    assert_int_equal(read(ends[0], &taken, 1), 1);
    assert_true(taken);
    close(ends[0]);
    close(ends[1]);
    return owner;
}

static void lock__ends_with_the_process_however_it_dies(void **state)
{
    (void)state;
    base_lock *lock;
    const pid_t owner = start_owner();
    assert_int_equal(base_lock_take(&lock, folder, NULL), ANO_IO);
    kill(owner, SIGKILL);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    assert_int_equal(base_lock_take(&lock, folder, NULL), ANO_OK);
    base_lock_free(lock);
}

static void lock__tells_of_a_file_system_without_locks(void **state)
{
    (void)state;
    base_lock *lock;
    ano_error err = ANO_ERROR_INIT;
    flock_errno = ENOLCK;
    assert_int_equal(base_lock_take(&lock, folder, &err), ANO_UNSUPPORTED);
    flock_errno = 0;
    assert_non_null(strstr(err.message, "is on a file system without locks"));
    assert_null(lock);
}

static void lock__in_a_folder_that_is_missing_names_it(void **state)
{
    (void)state;
    base_lock *lock;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(base_lock_take(&lock, "/tmp/anogan-nowhere", &err), ANO_IO);
    assert_non_null(strstr(err.message, "/tmp/anogan-nowhere/.lock: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock__refuses_a_second_and_names_folder_and_process),
        cmocka_unit_test(lock__ends_with_the_process_however_it_dies),
        cmocka_unit_test(lock__tells_of_a_file_system_without_locks),
        cmocka_unit_test(lock__in_a_folder_that_is_missing_names_it),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
