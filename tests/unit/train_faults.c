/* A disk that fails at each of the moments of a run at which it can. */
#include "train_runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "faults.h"
#include "format/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static ano_train_options quick(const folder *run)
{
    ano_train_options options = two_epochs(run);
    options.weights_every = 1;
    options.conv = ANO_CONV_DIRECT;
    options.threads = 1;
    return options;
}

/* Every file of a folder, and of those in it, is whole; half-written ones under names of their own
 * are there only where they could not be removed. */
static void assert_whole(const char *path, bool may_leave)
{
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char *file = base_path_join(path, entry->d_name);
        const char *ending = strrchr(entry->d_name, '.');
        struct stat info;
        ano_error err = ANO_ERROR_INIT;
        format_safetensors *tensors;
        assert_int_equal(stat(file, &info), 0);
        if (S_ISDIR(info.st_mode))
            assert_whole(file, may_leave);
        else if (strcmp(ending, ".safetensors") == 0) {
            if (format_safetensors_open(&tensors, file, &err) != ANO_OK)
                fail_msg("%s", err.message);
            format_safetensors_free(tensors);
        } else if (strcmp(ending, ".tmp") == 0 && !may_leave)
            fail_msg("%s is left", file);
        base_free(file);
    }
    closedir(entries);
}

/* Fails a run at its call `at`, and resumes it. Returns false when it had fewer calls. */
static bool fails_and_resumes(const folder *whole, faults_plan plan)
{
    const folder run = temporary_folder();
    ano_dataset *dataset = bright_squares(NULL);
    ano_train_options options = quick(&run);
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    faults_set(plan);
    const ano_status status = ano_train(&model, dataset, &small, &options, &err);
    const bool struck = faults_count() >= plan.at;
    faults_set((faults_plan){0});
    ano_model_free(model);
    if (status != ANO_OK && (status != ANO_IO || strstr(err.message, run.path) == NULL ||
                             strstr(err.message, strerror(plan.errnum)) == NULL))
        fail_msg("call %ld: %s: '%s'", plan.at, ano_status_name(status), err.message);
    assert_true(struck || status == ANO_OK);
    assert_whole(run.path, plan.kind == FAULTS_FROM);

    options.resume = true;
    err = (ano_error)ANO_ERROR_INIT;
    if (ano_train(&model, dataset, &small, &options, &err) != ANO_OK)
        fail_msg("call %ld: cannot be resumed: %s", plan.at, err.message);
    ano_model_free(model);
    ano_dataset_free(dataset);
    assert_whole(run.path, false);
    assert_same_run(whole, &run);
    remove_folder(&run);
    return struck;
}

static void fail_everywhere(faults_kind kind)
{
    static const int errnums[] = {ENOSPC, EIO, EROFS, ENOENT, EACCES};
    const folder whole = temporary_folder();
    const ano_train_options options = quick(&whole);
    train_model(&small, &options, ANO_OK);
    long at = 1;
    while (
        fails_and_resumes(&whole, (faults_plan){.kind = kind, .at = at, .errnum = errnums[at % 5]}))
        at++;
    print_message("failed at each of %ld calls\n", at - 1);
    assert_true(at > 50);
    remove_folder(&whole);
}

static void a_run__survives_any_call_that_fails(void **state)
{
    (void)state;
    fail_everywhere(FAULTS_ONCE);
}

static void a_run__survives_a_disk_that_is_full_or_gone_from_any_call_on(void **state)
{
    (void)state;
    fail_everywhere(FAULTS_FROM);
}

static int remove_in_second_epoch(const ano_train_event *event, void *cookie)
{
    if (event->epoch == 2 && event->step == 1)
        remove_folder(cookie);
    return 0;
}

static void a_run__whose_folder_vanishes_says_so_and_can_begin_again(void **state)
{
    (void)state;
    const folder whole = temporary_folder();
    folder run = temporary_folder();
    ano_dataset *dataset = bright_squares(NULL);
    ano_train_options options = quick(&whole);
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    train_model(&small, &options, ANO_OK);
    options.run_dir = run.path;
    options.callback = remove_in_second_epoch;
    options.cookie = &run;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_IO);
    assert_non_null(strstr(err.message, run.path));
    assert_non_null(strstr(err.message, "its folder is missing"));
    ano_dataset_free(dataset);
    options.resume = true;
    options.callback = NULL;
    train_model(&small, &options, ANO_OK);
    assert_same_run(&whole, &run);
    remove_folder(&whole);
    remove_folder(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run__survives_any_call_that_fails),
        cmocka_unit_test(a_run__survives_a_disk_that_is_full_or_gone_from_any_call_on),
        cmocka_unit_test(a_run__whose_folder_vanishes_says_so_and_can_begin_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
