#include "base/file.h"
#include "base/memory.h"
#include "faults.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/anogan-file-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/file", mkdtemp(folder) != NULL ? folder : "");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails where a test left anything else */
}

static void assert_holds(const char *expected)
{
    char *bytes;
    size_t size;
    assert_int_equal(base_file_read(&bytes, &size, path, NULL), ANO_OK);
    assert_string_equal(bytes, expected);
    base_free(bytes);
}

static void writing__leaves_the_old_file_or_the_new_wherever_it_fails(void **state)
{
    (void)state;
    ano_status status = ANO_IO;
    for (long at = 1; status != ANO_OK; at++) {
        assert_int_equal(base_file_write(path, "old", 3, NULL), ANO_OK);
        ano_error err = ANO_ERROR_INIT;
        faults_set((faults_plan){.kind = FAULTS_ONCE, .at = at, .errnum = ENOSPC});
        status = base_file_write(path, "new", 3, &err);
        const long calls = faults_count();
        faults_set((faults_plan){0});
        char *bytes;
        size_t size;
        assert_int_equal(base_file_read(&bytes, &size, path, NULL), ANO_OK);
        assert_true(strcmp(bytes, "old") == 0 || strcmp(bytes, "new") == 0);
        base_free(bytes);
        assert_true(status == ANO_OK || strstr(err.message, path) != NULL);
        assert_true(status == ANO_OK || strstr(err.message, "No space left on device") != NULL);
        assert_true(calls >= at || status == ANO_OK);
    }
    assert_holds("new");
}

static void writing__says_why_it_failed_long_before_the_end(void **state)
{
    (void)state;
    static const char block[1 << 16];
    base_file file;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(base_file_create(&file, path, &err), ANO_OK);
    faults_set((faults_plan){.kind = FAULTS_ONCE, .at = 1, .errnum = ENOSPC});
    for (int i = 0; i < 3; i++)
        fwrite(block, 1, sizeof block, file.stream);
    errno = 0;
    assert_int_equal(base_file_commit(&file, &err), ANO_IO);
    faults_set((faults_plan){0});
    char expected[160];
    snprintf(expected, sizeof expected,
             "%s: cannot be written: No space left on device; make room there", path);
    assert_string_equal(err.message, expected);
}

static void writing__to_a_folder_that_is_gone_says_so(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(base_file_write("/tmp/anogan-nowhere/file", "x", 1, &err), ANO_IO);
    assert_string_equal(err.message, "/tmp/anogan-nowhere/file: cannot be written: No such file or "
                                     "directory; its folder is missing");
}

static void sweeping__removes_what_the_dead_left_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool stays;
    } files[] = {
        {"loss.csv.4711-0.tmp", false},
        {"a.b-1.22-3.tmp", false},
        {"loss.csv", true},
        {"notes.tmp", true},
        {"photo.2024-1.tmp.png", true},
        {"photo.-1.tmp", true},
    };
    enum { N = sizeof files / sizeof *files };
    for (int i = 0; i < N; i++) {
        char *made = base_path_join(folder, files[i].name);
        assert_int_equal(base_file_write(made, "x", 1, NULL), ANO_OK);
        base_free(made);
    }
    base_file_sweep(folder);
    for (int i = 0; i < N; i++) {
        char *made = base_path_join(folder, files[i].name);
        if ((access(made, F_OK) == 0) != files[i].stays)
            fail_msg("%s: expected that it %s", made, files[i].stays ? "stays" : "goes");
        unlink(made);
        base_free(made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing__leaves_the_old_file_or_the_new_wherever_it_fails),
        cmocka_unit_test(writing__says_why_it_failed_long_before_the_end),
        cmocka_unit_test(writing__to_a_folder_that_is_gone_says_so),
        cmocka_unit_test(sweeping__removes_what_the_dead_left_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
