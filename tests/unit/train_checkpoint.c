/* Which checkpoints there are, and what becomes of a run whose newest one is damaged. */
#include "train_runs.h"

#include "base/file.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The linker sends the engine's looks at the clock here (--wrap): each finds it this much on. */
static double seconds_a_look = 1e-3;
double __wrap_base_seconds(void);
double __wrap_base_seconds(void)
{
    static double now;
    return now += seconds_a_look;
}

static bool holds(const folder *run, const char *name)
{
    char *path = base_path_join(run->path, name);
    const bool there = access(path, F_OK) == 0;
    base_free(path);
    return there;
}

static void copy_folder(const folder *from, const folder *to)
{
    char command[256];
    snprintf(command, sizeof command, "cp -r '%s/.' '%s'", from->path, to->path);
    assert_int_equal(system(command), 0);
}

/* How many there are, if they are the newest ones. */
static int count_checkpoints(const folder *run)
{
    int n = 0;
    char name[48] = "checkpoint.safetensors";
    assert_false(holds(run, "checkpoint_new.safetensors"));
    while (holds(run, name))
        snprintf(name, sizeof name, "checkpoint_%d.safetensors", ++n);
    snprintf(name, sizeof name, "checkpoint_%d.safetensors", n + 1);
    assert_false(holds(run, name));
    return n;
}

static ano_train_options quick(const folder *run, int epochs)
{
    ano_train_options options = two_epochs(run);
    options.epochs = epochs;
    options.conv = ANO_CONV_DIRECT;
    options.threads = 1;
    return options;
}

static void checkpoints__are_kept_as_many_as_asked_for(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_train_options options = quick(&run, 5);
    options.keep_checkpoints = 3;
    train_model(&small, &options, ANO_OK);
    assert_int_equal(count_checkpoints(&run), 3);
    options.resume = true;
    options.epochs = 6;
    options.keep_checkpoints = 1;
    train_model(&small, &options, ANO_OK);
    assert_int_equal(count_checkpoints(&run), 1);
    remove_folder(&run);
}

static void checkpoints__come_every_so_many_epochs_and_last(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_train_options options = quick(&run, 5);
    options.keep_checkpoints = 100;
    options.checkpoint_every = 2; /* after 2, 4 and 5 */
    train_model(&small, &options, ANO_OK);
    assert_int_equal(count_checkpoints(&run), 3);
    remove_folder(&run);
}

typedef struct killed_run {
    const folder *run, *copy;
} killed_run;

/* Copies what a process killed now would leave behind. */
static int copy_in_second_epoch(const ano_train_event *event, void *cookie)
{
    const killed_run *killed = cookie;
    if (event->epoch == 2 && event->step == 2 && event->ended == NULL)
        copy_folder(killed->run, killed->copy);
    return 0;
}

static void checkpoints__by_minutes_come_within_epochs_and_resume_to_the_bit(void **state)
{
    (void)state;
    const folder whole = temporary_folder(), killed = temporary_folder();
    ano_train_options options = quick(&whole, 2);
    options.keep_checkpoints = 100;
    options.checkpoint_every = 0;
    options.checkpoint_minutes = 1;
    options.callback = copy_in_second_epoch;
    options.cookie = &(killed_run){&whole, &killed};
    seconds_a_look = 61;
    train_model(&small, &options, ANO_OK);
    assert_int_equal(count_checkpoints(&whole), 2 * (N_IMAGES / BATCH));
    assert_int_equal(count_checkpoints(&killed), N_IMAGES / BATCH + 1);
    options = quick(&killed, 2);
    options.resume = true;
    train_model(&small, &options, ANO_OK);
    seconds_a_look = 1e-3;
    assert_same_run(&whole, &killed);
    remove_folder(&whole);
    remove_folder(&killed);
}

/* ---- damage ------------------------------------------------------------------------------- */

static int stop_in_second_epoch(const ano_train_event *event, void *cookie)
{
    (void)cookie;
    return event->epoch == 2 && event->step == 1;
}

/* Keeps the last notice. The run does not begin again. */
static int keep_notice(const ano_train_event *event, void *cookie)
{
    if (event->notice != NULL)
        snprintf(cookie, sizeof(ano_error), "%s", event->notice);
    else if (event->epoch > 0)
        assert_int_equal(event->epoch, 2);
    return 0;
}

typedef struct stopped_run {
    folder whole, stopped;
    char *bytes; /* of the newest checkpoint */
    size_t size;
} stopped_run;

static stopped_run stop_a_run(void)
{
    stopped_run s = {.whole = temporary_folder(), .stopped = temporary_folder()};
    ano_train_options options = quick(&s.whole, 2);
    train_model(&small, &options, ANO_OK);
    options.run_dir = s.stopped.path;
    options.callback = stop_in_second_epoch;
    train_model(&small, &options, ANO_CANCELLED);
    assert_int_equal(count_checkpoints(&s.stopped), 2);
    char *path = base_path_join(s.stopped.path, "checkpoint.safetensors");
    assert_int_equal(base_file_read(&s.bytes, &s.size, path, NULL), ANO_OK);
    base_free(path);
    return s;
}

/* Puts other bytes in place of the newest checkpoint of a copy; its run must tell, go on from the
 * one before and end as if nothing had been. */
static void resumes_without(const stopped_run *s, const char *bytes, size_t size)
{
    const folder run = temporary_folder();
    char notice[sizeof(ano_error)] = "";
    copy_folder(&s->stopped, &run);
    char *path = base_path_join(run.path, "checkpoint.safetensors");
    assert_int_equal(base_file_write(path, bytes, size, NULL), ANO_OK);
    ano_train_options options = quick(&run, 2);
    options.resume = true;
    options.callback = keep_notice;
    options.cookie = notice;
    train_model(&small, &options, ANO_OK);
    if (strstr(notice, path) == NULL || strstr(notice, "the checkpoint before it") == NULL)
        fail_msg("expected to be told of %s, was told '%s'", path, notice);
    assert_same_run(&s->whole, &run);
    base_free(path);
    remove_folder(&run);
}

static void resume__goes_on_from_the_checkpoint_before_a_damaged_one(void **state)
{
    (void)state;
    enum { PLACES = 12 };
    stopped_run s = stop_a_run();
    for (size_t i = 0; i < PLACES; i++) {
        resumes_without(&s, s.bytes, i * s.size / PLACES);
        const size_t place = i * s.size / PLACES + 9; /* not the padding after the header */
        const char before = s.bytes[place];
        s.bytes[place] = (char)(before ^ 4);
        resumes_without(&s, s.bytes, s.size);
        s.bytes[place] = before;
    }
    base_free(s.bytes);
    remove_folder(&s.whole);
    remove_folder(&s.stopped);
}

static void resume__takes_a_checkpoint_that_was_not_yet_in_its_place(void **state)
{
    (void)state;
    stopped_run s = stop_a_run();
    char *last = base_path_join(s.stopped.path, "checkpoint.safetensors");
    char *before = base_path_join(s.stopped.path, "checkpoint_1.safetensors");
    char *new = base_path_join(s.stopped.path, "checkpoint_new.safetensors");
    assert_int_equal(rename(last, new), 0); /* as if killed before the last of the moves */
    assert_int_equal(unlink(before), 0);
    ano_train_options options = quick(&s.stopped, 2);
    options.resume = true;
    options.callback = keep_notice;
    char notice[sizeof(ano_error)] = "";
    options.cookie = notice;
    train_model(&small, &options, ANO_OK);
    assert_string_equal(notice, "");
    assert_same_run(&s.whole, &s.stopped);
    base_free(last);
    base_free(before);
    base_free(new);
    base_free(s.bytes);
    remove_folder(&s.whole);
    remove_folder(&s.stopped);
}

static void resume__says_so_when_no_checkpoint_is_whole(void **state)
{
    (void)state;
    stopped_run s = stop_a_run();
    for (int i = 0; i < 2; i++) {
        char *path = base_path_join(s.stopped.path,
                                    i == 0 ? "checkpoint.safetensors" : "checkpoint_1.safetensors");
        assert_int_equal(base_file_write(path, s.bytes, s.size / 2, NULL), ANO_OK);
        base_free(path);
    }
    ano_dataset *dataset = bright_squares(NULL);
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    ano_train_options options = quick(&s.stopped, 2);
    options.resume = true;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_FORMAT);
    assert_non_null(strstr(err.message, "checkpoint_1.safetensors: "));
    assert_non_null(strstr(err.message, "; there is no other checkpoint to go on from"));
    ano_dataset_free(dataset);
    base_free(s.bytes);
    remove_folder(&s.whole);
    remove_folder(&s.stopped);
}

static void resume__begins_where_nothing_was_saved_yet(void **state)
{
    (void)state;
    const folder whole = temporary_folder(), empty = temporary_folder();
    ano_train_options options = quick(&whole, 2);
    train_model(&small, &options, ANO_OK);
    options.run_dir = empty.path;
    options.resume = true;
    train_model(&small, &options, ANO_OK);
    assert_same_run(&whole, &empty);
    remove_folder(&whole);
    remove_folder(&empty);
}

static int no_checkpoint_is_left(const ano_train_event *event, void *cookie)
{
    if (event->epoch == 1)
        assert_int_equal(count_checkpoints(cookie), 0);
    return 0;
}

static void training__anew_keeps_no_checkpoint_of_an_earlier_run(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_train_options options = quick(&run, 2);
    train_model(&small, &options, ANO_OK);
    options.callback = no_checkpoint_is_left;
    folder same = run;
    options.cookie = &same;
    train_model(&small, &options, ANO_OK);
    remove_folder(&run);
}

static void training__is_refused_in_a_folder_that_is_in_use(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_run_lock *lock;
    assert_int_equal(ano_run_lock_take(&lock, run.path, NULL), ANO_OK);
    ano_train_options options = quick(&run, 2);
    train_model(&small, &options, ANO_IO);
    options.lock = lock;
    train_model(&small, &options, ANO_OK);
    ano_run_lock_free(lock);
    options.lock = NULL;
    train_model(&small, &options, ANO_OK);
    remove_folder(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoints__are_kept_as_many_as_asked_for),
        cmocka_unit_test(checkpoints__come_every_so_many_epochs_and_last),
        cmocka_unit_test(checkpoints__by_minutes_come_within_epochs_and_resume_to_the_bit),
        cmocka_unit_test(resume__goes_on_from_the_checkpoint_before_a_damaged_one),
        cmocka_unit_test(resume__takes_a_checkpoint_that_was_not_yet_in_its_place),
        cmocka_unit_test(resume__says_so_when_no_checkpoint_is_whole),
        cmocka_unit_test(resume__begins_where_nothing_was_saved_yet),
        cmocka_unit_test(training__anew_keeps_no_checkpoint_of_an_earlier_run),
        cmocka_unit_test(training__is_refused_in_a_folder_that_is_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
