/* The run folder: where it is, what is in it, and the model that it holds. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/options.h"

/* A run to read: RUN is its folder, or a model file in it. */
typedef struct cli_run {
    char *folder, *model_path;
    cli_options configured; /* what config.json says, or the defaults where there is none; its
                               texts live as long as the options read onto it */
    ano_model *model;
    ano_run_lock *lock; /* on the folder, for a verb that changes the run */
} cli_run;

/* Reads the command line of a verb that takes RUN: options that it does not give are those of the
 * run's config.json, and of the search those that the model is calibrated for. Returns an exit
 * code; cli_run_close() in every case. */
int cli_run_open(cli_run *run, cli_options *options, const cli_command *command, int argc,
                 char **argv);
void cli_run_close(cli_run *run);

/* Takes the lock of a run folder to write; where its file system has none, that is said on stderr,
 * and *out is NULL. Returns an exit code. */
int cli_run_lock(ano_run_lock **out, const char *folder);

/* Whether a run in FOLDER can be gone on with. */
bool cli_has_checkpoint(const char *folder);

bool cli_is_folder(const char *path);
bool cli_exists(const char *folder, const char *name);

/* Removes the files of FOLDER whose names begin and end so, or are `prefix` where `suffix` is
 * empty; no folder is no error. */
ano_status cli_remove_files(const char *folder, const char *prefix, const char *suffix,
                            ano_error *err);
/* Removes what an earlier run left in FOLDER, and nothing else. */
ano_status cli_run_clear(const char *folder, ano_error *err);

/* Opens the data set's training images of the normal classes in a view, and parts by options->seed
 * those held out, for calibration, and those set aside for cli_choose_pool() and cli_memorise()
 * from the others. The latter are NULL where nothing is to be chosen, or too few would be left to
 * train on. */
ano_status cli_split_training(ano_dataset **training, ano_dataset **held_out,
                              ano_dataset **set_aside, const cli_options *options,
                              const ano_view *view, ano_error *err);

#endif
