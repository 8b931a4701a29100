#include "cli/run.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cli_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool cli_exists(const char *folder, const char *name)
{
    char *path = base_path_join(folder, name);
    const bool exists = path != NULL && access(path, F_OK) == 0;
    base_free(path);
    return exists;
}

bool cli_has_checkpoint(const char *folder)
{
    return cli_exists(folder, "checkpoint.safetensors") ||
           cli_exists(folder, "checkpoint_new.safetensors") ||
           cli_exists(folder, "checkpoint_1.safetensors");
}

int cli_run_lock(ano_run_lock **out, const char *folder)
{
    ano_error err = ANO_ERROR_INIT;
    const ano_status status = ano_run_lock_take(out, folder, &err);
    if (status == ANO_OK)
        return CLI_DONE;
    const int code = cli_fail(CLI_ON_RUN, &err);
    return status == ANO_UNSUPPORTED ? CLI_DONE : code;
}

/* Shortens a path to the folder that it is in, "." where it names none. */
static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        strcpy(path, ".");
    else
        slash[slash == path ? 1 : 0] = '\0';
}

/* The run folder that a model file belongs to: the one it is in, or above weights/. */
static char *folder_of(const char *file)
{
    char *folder = base_strdup(file);
    if (folder == NULL)
        return NULL;
    cut_name(folder);
    const char *slash = strrchr(folder, '/');
    if (strcmp(slash != NULL ? slash + 1 : folder, "weights") == 0)
        cut_name(folder);
    return folder;
}

static ano_status load_model(cli_run *run, const char *path, ano_error *err)
{
    if (access(run->model_path, F_OK) != 0 && cli_has_checkpoint(run->folder))
        return base_error(err, ANO_IO,
                          "%s: training has not ended, so there is no model yet; "
                          "\"%s train --resume %s\" goes on with it",
                          path, cli_program(), path);
    if (access(run->model_path, F_OK) != 0 && cli_is_folder(path))
        return base_error(err, ANO_IO, "%s: holds no model.safetensors, so it is not a run folder",
                          path);
    ano_error why = ANO_ERROR_INIT;
    const ano_status status = ano_model_load(&run->model, run->model_path, &why);
    if (status == ANO_OK)
        return ANO_OK;
    const bool is_bad = status == ANO_FORMAT || status == ANO_SHAPE;
    return base_error(err, status, "%s%s", why.message,
                      is_bad ? "; copy it anew from where it was trained, or train again" : "");
}

static int check_networks(const cli_run *run, ano_method method)
{
    for (int i = 0; i < ANO_NETWORKS; i++)
        if (ano_method_needs(method, (ano_network)i) &&
            ano_model_layer_count(run->model, (ano_network)i) == 0)
            return cli_refuse(CLI_BAD_MODEL, "%s: holds no %s to score with", run->model_path,
                              ano_network_name((ano_network)i));
    return CLI_DONE;
}

int cli_run_open(cli_run *run, cli_options *options, const cli_command *command, int argc,
                 char **argv)
{
    *run = (cli_run){0};
    ano_error err = ANO_ERROR_INIT;
    cli_options_parse(options, command, argc, argv);
    const char *path = options->run;
    const ano_method asked = options->search.method;
    const bool is_folder = cli_is_folder(path);
    run->folder = is_folder ? base_strdup(path) : folder_of(path);
    run->model_path = is_folder ? base_path_join(path, "model.safetensors") : base_strdup(path);
    if (run->folder == NULL || run->model_path == NULL) {
        base_error_nomem(&err, path);
        return cli_fail(CLI_ON_MODEL, &err);
    }
    cli_options_free(options);
    *options = cli_options_default();
    bool found;
    if (cli_options_load(&found, options, run->folder, &err) != ANO_OK)
        return cli_fail(CLI_ON_MODEL, &err);
    if (command->changes_run && cli_is_folder(run->folder)) {
        const int code = cli_run_lock(&run->lock, run->folder);
        if (code != CLI_DONE)
            return code;
    }
    if (load_model(run, path, &err) != ANO_OK)
        return cli_fail(CLI_ON_MODEL, &err);
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    const ano_method known =
        calibration.n > 0 ? calibration.how.method : ano_model_get_config(run->model).method;
    if (asked != ANO_METHOD_OF_MODEL && asked != known)
        options->search = ano_score_options_of(asked);
    else if (calibration.n > 0) { /* scores that are made in another way mean nothing by it */
        options->search = calibration.how;
        options->seed = calibration.how.seed;
    }
    run->configured = *options;
    cli_options_parse(options, command, argc, argv);
    options->chooses_pool = run->configured.chooses_pool; /* says which images were trained on */
    return command->verb == CLI_VERB_INFO
               ? CLI_DONE
               : check_networks(run, asked != ANO_METHOD_OF_MODEL ? asked : known);
}

void cli_run_close(cli_run *run)
{
    ano_run_lock_free(run->lock);
    ano_model_free(run->model);
    base_free(run->folder);
    base_free(run->model_path);
    *run = (cli_run){0};
}

ano_status cli_remove_files(const char *folder, const char *prefix, const char *suffix,
                            ano_error *err)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return errno == ENOENT ? ANO_OK : base_error_errno(err, errno, folder, "cannot be listed");
    ano_status status = ANO_OK;
    const size_t head = strlen(prefix), tail = strlen(suffix);
    for (struct dirent *entry; status == ANO_OK && (entry = readdir(entries)) != NULL;) {
        const size_t length = strlen(entry->d_name);
        if (length < head + tail || (tail == 0 && length != head) ||
            strncmp(entry->d_name, prefix, head) != 0 ||
            strcmp(entry->d_name + length - tail, suffix) != 0)
            continue;
        if (unlinkat(dirfd(entries), entry->d_name, 0) != 0)
            status = base_error_errno(err, errno, entry->d_name, "cannot be removed");
    }
    closedir(entries);
    return status;
}

/* The same in a folder of a folder. */
static ano_status remove_in(const char *run, const char *folder, const char *prefix,
                            const char *suffix, ano_error *err)
{
    char *path = base_path_join(run, folder);
    if (path == NULL)
        return base_error_nomem(err, run);
    const ano_status status = cli_remove_files(path, prefix, suffix, err);
    base_free(path);
    return status;
}

ano_status cli_run_clear(const char *folder, ano_error *err)
{
    static const struct {
        const char *folder, *prefix, *suffix;
    } files[] = {
        {".", "config.json", ""},
        {".", "model.safetensors", ""},
        {".", "checkpoint.safetensors", ""},
        {".", "checkpoint_", ".safetensors"},
        {".", "loss.csv", ""},
        {".", "scores.csv", ""},
        {".", "scores_", ".txt"},
        {".", "metrics.json", ""},
        {".", "report.html", ""},
        {".", "histgram.png", ""},
        {".", "histgram.svg", ""},
        {"result", "epoch_", ".png"},
        {"predict", "", ".png"},
    };
    ano_status status = ANO_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == ANO_OK; i++)
        status = remove_in(folder, files[i].folder, files[i].prefix, files[i].suffix, err);
    for (int i = 0; i < ANO_NETWORKS && status == ANO_OK; i++) {
        char prefix[40];
        snprintf(prefix, sizeof prefix, "%s_", ano_network_name((ano_network)i));
        status = remove_in(folder, "weights", prefix, ".safetensors", err);
    }
    return status;
}

/* How many of n normal images are held out: enough for a threshold, but most are to be learnt. */
static size_t count_held_out(size_t n, const cli_options *options)
{
    enum { ENOUGH = 200 };
    if (options->held_out > 0)
        return (size_t)options->held_out;
    return n < 5 ? 1 : n / 5 < ENOUGH ? n / 5 : ENOUGH;
}

/* How many of n normal images are set aside, where n_left are not held out: a tenth within limits,
 * but never most of what could be learnt. */
static size_t count_set_aside(size_t n, size_t n_left, const cli_options *options)
{
    enum { FEWEST = 8, MOST = 60 };
    if ((!options->chooses_pool || options->tile == 0) && cli_options_memory(options) == 0)
        return 0;
    size_t wanted = n / 10 < FEWEST ? FEWEST : n / 10 > MOST ? MOST : n / 10;
    wanted = wanted < n_left / 2 ? wanted : n_left / 2;
    return wanted < FEWEST ? 0 : wanted;
}

ano_status cli_split_training(ano_dataset **training, ano_dataset **held_out,
                              ano_dataset **set_aside, const cli_options *options,
                              const ano_view *view, ano_error *err)
{
    ano_dataset *all = NULL, *left = NULL;
    *training = *held_out = *set_aside = NULL;
    const ano_dataset_options normal = {.split = ANO_SPLIT_TRAIN,
                                        .normal = options->normal,
                                        .view = *view,
                                        .max_pixels = (size_t)options->max_pixels,
                                        .allow_outside = options->allow_outside};
    ano_status status = ano_dataset_open(&all, options->data, &normal, err);
    if (status != ANO_OK)
        return status;
    const size_t n = ano_dataset_count(all), n_held_out = count_held_out(n, options);
    status = ano_dataset_split(&left, held_out, all, n_held_out, options->seed, err);
    ano_dataset_free(all);
    const size_t n_aside = status == ANO_OK ? count_set_aside(n, n - n_held_out, options) : 0;
    if (n_aside == 0) {
        *training = left;
        return status;
    }
    status = ano_dataset_split(training, set_aside, left, n_aside, options->seed, err);
    ano_dataset_free(left);
    if (status != ANO_OK) {
        ano_dataset_free(*held_out);
        *held_out = NULL;
    }
    return status;
}
