/* anogan train: trains a detector, sets its threshold on images held out of training, tests it. */
#include "cli/train.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/choose.h"
#include "cli/cli.h"
#include "cli/memorise.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/score.h"
#include "cli/test.h"
#include "report/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_command command = {
    .verb = CLI_VERB_TRAIN,
    .arguments = "DATA --out RUN\n--resume RUN [DATA]",
    .doc =
        "Trains a detector on the normal images of DATA (a folder of images, an MVTec-style tree, "
        "a CSV manifest, or a folder of IDX files), keeps some of "
        "them out to set the threshold, and tests it on DATA's test images. Everything is "
        "written into the folder RUN. Ctrl-C ends training after the step under way, and "
        "--resume goes on from there as if nothing had happened.",
    .takes_data = true,
};

typedef struct training {
    cli_progress progress;
    bool trains; /* no longer looks at the images */
    size_t n_skipped;
    ano_error err; /* of writing a picture */
    const char *folder;
    ano_method method;
    ano_shape shape;
    size_t batch;
} training;

static ano_status write_samples(const training *t, const ano_train_event *event, ano_error *err)
{
    enum { COLUMNS = 4, SCALE = 4 };
    char name[64];
    snprintf(name, sizeof name, "result/epoch_%04d.png", event->epoch);
    char *path = base_path_join(t->folder, name);
    if (path == NULL)
        return base_error_nomem(err, name);
    const ano_status status =
        report_grid(path, event->samples, ANO_SAMPLE_COUNT, t->shape, COLUMNS, SCALE, err);
    base_free(path);
    return status;
}

/* "epoch   3 of 10  d_loss 0.5312  g_loss 1.1023  d_real 0.691  d_fake 0.309  1.9 s  540 images/s"
 */
static void say_epoch(training *t, const ano_train_event *event)
{
    char losses[160];
    size_t length = 0;
    const char *name;
    for (int i = 0; (name = ano_loss_name(t->method, i)) != NULL && length < sizeof losses; i++)
        length += (size_t)snprintf(losses + length, sizeof losses - length, "%s %.*f  ", name,
                                   strstr(name, "loss") != NULL ? 4 : 3, event->ended->losses[i]);
    cli_progress_say(&t->progress, "epoch %3d of %d  %s%.1f s  %.0f images/s", event->epoch,
                     event->epochs, losses, event->ended->seconds, event->ended->images_per_second);
}

static void on_step(training *t, const ano_train_event *event)
{
    const size_t steps = (size_t)(event->epoch - 1) * (size_t)event->steps + (size_t)event->step;
    const size_t total = (size_t)event->epochs * (size_t)event->steps;
    char title[64];
    snprintf(title, sizeof title, "epoch %d of %d", event->epoch, event->epochs);
    if (!t->trains) {
        cli_progress_end(&t->progress);
        t->progress = cli_progress_begin(t->progress.quiet);
        t->trains = true;
    }
    if (event->ended != NULL)
        say_epoch(t, event);
    cli_progress_update(&t->progress, title, (double)(steps * t->batch), total * t->batch);
}

static int on_train(const ano_train_event *event, void *cookie)
{
    training *t = cookie;
    if (event->skipped != NULL) {
        cli_progress_end(&t->progress);
        cli_say("%s", event->skipped);
        t->n_skipped++;
    }
    if (event->notice != NULL) {
        cli_progress_end(&t->progress);
        cli_say("%s", event->notice);
    } else if (event->epoch == 0)
        cli_progress_update(&t->progress, "looking at the images", event->step,
                            (size_t)event->steps);
    else
        on_step(t, event);
    if (event->samples != NULL && write_samples(t, event, &t->err) != ANO_OK)
        return 1;
    return cli_interrupted();
}

/* Training ends where its folder fails it; the run does not. */
static int fail_to_write(const char *folder, const ano_error *err)
{
    const int code = cli_fail(CLI_ON_RUN, err);
    if (cli_has_checkpoint(folder))
        fprintf(stderr,
                "anogan: what was saved is whole; when that is mended, \"%s train --resume %s\" "
                "goes on from there\n",
                cli_program(), folder);
    return code;
}

/* Trains into the run folder. */
static int train(ano_model **model, const ano_dataset *images, const cli_options *options,
                 const ano_run_lock *lock)
{
    ano_error err = ANO_ERROR_INIT;
    training t = {.progress = cli_progress_begin(options->quiet),
                  .err = ANO_ERROR_INIT,
                  .folder = options->out,
                  .method = options->model.method,
                  .shape = ano_dataset_shape(images),
                  .batch = (size_t)options->train.batch};
    ano_model_config config = options->model;
    config.size = t.shape.height;
    config.channels = t.shape.channels;
    ano_train_options how = options->train;
    how.seed = options->seed;
    how.threads = options->threads;
    how.cache = (size_t)options->cache << 20;
    how.run_dir = options->out;
    how.lock = lock;
    how.callback = on_train;
    how.cookie = &t;
    const ano_status status = ano_train(model, images, &config, &how, &err);
    cli_progress_end(&t.progress);
    if (t.n_skipped > 0)
        fprintf(stderr, "anogan: images left out of training because they could not be read: %zu\n",
                t.n_skipped);
    if (t.err.status != ANO_OK || status == ANO_IO)
        return fail_to_write(options->out, t.err.status != ANO_OK ? &t.err : &err);
    if (status == ANO_SHAPE)
        base_error_context(&err, "%s", options->data);
    const bool on_data = status == ANO_SHAPE || t.n_skipped == ano_dataset_count(images);
    return status == ANO_OK ? CLI_DONE : cli_fail(on_data ? CLI_ON_DATA : CLI_ON_RUN, &err);
}

/* Sets the model's threshold by the scores of images that training has not seen, and saves it. */
static int calibrate(ano_model *model, const ano_dataset *held_out, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    const int code = cli_calibrate_model(model, held_out, options);
    if (code != CLI_DONE)
        return code;
    char *path = base_path_join(options->out, "model.safetensors");
    if (path == NULL)
        base_error_nomem(&err, "model.safetensors");
    else
        ano_model_save(model, path, &err);
    base_free(path);
    return err.status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_RUN, &err);
}

static int prepare_folder(const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    char *result = base_path_join(options->out, "result");
    if (result == NULL)
        base_error_nomem(&err, "result");
    else if (base_make_folder(result, &err) == ANO_OK)
        cli_options_save(options, CLI_VERB_TRAIN, options->out, &err);
    base_free(result);
    return err.status == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_RUN, &err);
}

/* Images in files, of which each may have a size of its own, are made small where nothing is asked;
 * those of IDX files have one already. */
ano_view cli_training_view(const cli_options *options)
{
    enum { SMALL = 64 };
    ano_view view = cli_options_view(options);
    if (view.size == 0 && !cli_exists(options->data, "train-images-idx3-ubyte") &&
        !cli_exists(options->data, "train-images-idx3-ubyte.gz"))
        view.size = SMALL;
    return view;
}

/* Takes the run folder for this process, and refuses one that holds a run. */
static int claim_folder(ano_run_lock **lock, const cli_options *options, bool replaces)
{
    const int code = cli_run_lock(lock, options->out);
    if (code != CLI_DONE || options->resume != NULL || replaces ||
        (!cli_has_checkpoint(options->out) && !cli_exists(options->out, "model.safetensors")))
        return code;
    return cli_refuse(CLI_USAGE,
                      "%s: holds a run already; go on with it by \"%s train --resume %s\", "
                      "or name another folder with --out",
                      options->out, cli_program(), options->out);
}

int cli_train_and_test(cli_options *options, bool replaces)
{
    bool tests = false;
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *images = NULL, *held_out = NULL, *set_aside = NULL;
    ano_model *model = NULL;
    char *absolute = NULL;
    ano_run_lock *lock = NULL;
    const ano_view asked = cli_training_view(options);
    int code = CLI_DONE;
    if (cli_split_training(&images, &held_out, &set_aside, options, &asked, &err) != ANO_OK)
        return cli_fail(CLI_ON_DATA, &err);
    const ano_view view = ano_dataset_get_view(images);
    if (!options->no_test)
        code = cli_test_check(&tests, &view, options);
    if (code == CLI_DONE)
        code = claim_folder(&lock, options, replaces);
    if (code == CLI_DONE && replaces && cli_run_clear(options->out, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    if (code != CLI_DONE)
        goto done;
    cli_options_settle_epochs(options, ano_dataset_count(images));
    absolute = realpath(options->data, NULL);
    options->data = absolute != NULL ? absolute : options->data;
    code = prepare_folder(options);
    if (code == CLI_DONE)
        code = train(&model, images, options, lock);
    if (code == CLI_DONE)
        code = cli_choose_pool(options, model, set_aside);
    if (code == CLI_DONE)
        code = cli_memorise(model, images, set_aside, options);
    if (code == CLI_DONE)
        code = calibrate(model, held_out, options);
    if (code == CLI_DONE && !tests && !options->no_test)
        fputs("anogan: no test: the data has no anomalous images beside the normal ones\n", stderr);
    else if (code == CLI_DONE && tests)
        code = cli_test(model, options);
    if (code == CLI_INTERRUPTED)
        fprintf(stderr, "anogan: stopped; \"%s train --resume %s\" goes on from here\n",
                cli_program(), options->out);
done:
    ano_model_free(model);
    ano_dataset_free(set_aside);
    ano_dataset_free(held_out);
    ano_dataset_free(images);
    ano_run_lock_free(lock);
    free(absolute);
    return code;
}

int cli_check_view(const cli_options *options)
{
    if (options->tile > 0 && options->view.size > 0)
        return cli_refuse(CLI_USAGE, "--size is for whole images, --tile says how large tiles are");
    if (options->tile == 0 && (options->view.stride > 0 || options->view.scale != 1))
        return cli_refuse(CLI_USAGE, "--stride and --scale are for tiles; give --tile");
    return CLI_DONE;
}

/* Makes the options of the run folder the ones that the command line is read onto. */
static int resume(cli_options *options, int argc, char **argv)
{
    ano_error err = ANO_ERROR_INIT;
    bool found;
    const char *folder = options->resume, *fixed = cli_options_fixed_given(options, CLI_VERB_TRAIN);
    if (options->out != NULL)
        return cli_refuse(CLI_USAGE, "--out: a resumed run stays in its folder");
    if (fixed != NULL)
        return cli_refuse(CLI_USAGE, "--%s: a resumed run keeps the one that it began with", fixed);
    *options = cli_options_default();
    if (cli_options_load(&found, options, folder, &err) != ANO_OK)
        return cli_fail(CLI_ON_MODEL, &err);
    if (!found)
        return cli_refuse(CLI_BAD_MODEL, "%s: holds no config.json, so it is not a run folder",
                          folder);
    const bool chooses_pool = options->chooses_pool;
    cli_options_parse(options, &command, argc, argv);
    if (options->tile > 0 && options->chooses_pool != chooses_pool)
        return cli_refuse(CLI_USAGE,
                          "--pool: a resumed run stays with %s, for auto keeps images out of "
                          "training; score and calibrate take another",
                          chooses_pool ? "auto" : "one that is given");
    options->out = options->resume;
    options->train.resume = true; /* one that was ended before its first checkpoint begins again */
    return CLI_DONE;
}

int cli_train(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_options_parse(&options, &command, argc, argv);
    int code = CLI_DONE;
    if (options.resume != NULL)
        code = resume(&options, argc, argv);
    else if (options.data == NULL)
        code = cli_refuse(CLI_USAGE, "train: DATA is missing; see \"anogan train --help\"");
    else if (options.out == NULL)
        code = cli_refuse(CLI_USAGE, "train: --out RUN is missing; see \"anogan train --help\"");
    if (code == CLI_DONE && options.data == NULL)
        code = cli_refuse(CLI_USAGE, "train: config.json names no data; give DATA");
    if (code == CLI_DONE)
        code = cli_check_view(&options);
    cli_options_take_method(&options, cli_options_trained_method(&options));
    if (code == CLI_DONE)
        code = cli_check_trace(&options, options.model.method, options.tile > 0);
    if (code == CLI_DONE)
        code = cli_train_and_test(&options, false);
    cli_options_free(&options);
    return code;
}
