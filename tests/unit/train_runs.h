/* Small runs of training, for the tests of what becomes of them. */
#ifndef TESTS_UNIT_TRAIN_RUNS_H
#define TESTS_UNIT_TRAIN_RUNS_H

#include <anogan/anogan.h>

enum { N_IMAGES = 50, SIZE = 8, BATCH = 16 };

extern const ano_model_config small;

typedef struct folder {
    char path[64];
} folder;

folder temporary_folder(void);
void remove_folder(const folder *f);
void assert_same_file(const folder *a, const folder *b, const char *name);

/* The results of two_epochs(). */
void assert_same_run(const folder *a, const folder *b);

/* The training set [N_IMAGES] of SIZE x SIZE. */
ano_dataset *bright_squares(const ano_view *view);
/* Of BATCH images a step, into `run`. */
ano_train_options two_epochs(const folder *run);
void train_model(const ano_model_config *config, const ano_train_options *options,
                 ano_status expected);

#endif
