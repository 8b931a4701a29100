/* What refuse_each.c refuses calls of: scenes, each an operation of the library on data and models
 * that the stage has. */
#ifndef TESTS_SCENES_H
#define TESTS_SCENES_H

#include <anogan/anogan.h>

#include <stddef.h>
#include <stdint.h>

/* ---- what came of a scene ------------------------------------------------------------------- */

typedef struct outcome {
    uint32_t sum;    /* CRC-32 of what it made */
    int n_lost;      /* images that were told of as not to be read … */
    char lost[1024]; /* … and why the last of them was not */
} outcome;

void add(outcome *out, const void *bytes, size_t size);
void add_file(outcome *out, const char *path);
void add_lost(outcome *out, const char *why);

/* ---- the stage ------------------------------------------------------------------------------ */

/* The sides of images and of the ones that are scored in tiles, and how many there are. */
enum { SIZE = 8, TILED = 13, N_NORMAL = 12, N_HELD_OUT = 9, N_TILED = 3 };

typedef struct stage_set {
    ano_dataset *normal, *held_out, *tiled, *tiled_aside; /* in memory */
    ano_model *models[ANO_METHOD_HYBRID + 1];             /* of the methods that are trained */
    const char *folder;                                   /* of files */
} stage_set;

extern stage_set stage;

/* Makes the data, trains and saves a model for each method, `at(its name)`; and removes all. */
void stage_prepare(void);
void stage_remove(void);

/* A path in the folder of the stage; good until the next four. */
const char *at(const char *name);
void remove_folder(const char *path);
/* Ends the process unless all files in the folder are whole, and none is a temporary one. */
void check_files(const char *path);

ano_model_config config_of(ano_method method);
ano_train_options training(const char *run_dir);
ano_score_options scoring(ano_method method);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* What must not fail; `why` is its error. */
#define CHECK(call)                                                                                \
    do {                                                                                           \
        ano_error why = ANO_ERROR_INIT;                                                            \
        if ((call) != ANO_OK)                                                                      \
            die("%s: %s", #call, why.message);                                                     \
    } while (false)

/* ---- the scenes ----------------------------------------------------------------------------- */

ano_status scene_idx(outcome *out, ano_error *err);
ano_status scene_tree(outcome *out, ano_error *err);
ano_status scene_manifest(outcome *out, ano_error *err);
ano_status scene_folder(outcome *out, ano_error *err);
ano_status scene_cmyk(outcome *out, ano_error *err);
ano_status scene_list(outcome *out, ano_error *err);
ano_status scene_model_file(outcome *out, ano_error *err);
ano_status scene_train_fc(outcome *out, ano_error *err);
ano_status scene_train_patch(outcome *out, ano_error *err);
ano_status scene_train_vae(outcome *out, ano_error *err);
ano_status scene_train_encoder(outcome *out, ano_error *err);
ano_status scene_train_files(outcome *out, ano_error *err);
ano_status scene_score_fc(outcome *out, ano_error *err);
ano_status scene_score_lbfgs(outcome *out, ano_error *err);
ano_status scene_score_patch(outcome *out, ano_error *err);
ano_status scene_score_vae(outcome *out, ano_error *err);
ano_status scene_score_encoder(outcome *out, ano_error *err);
ano_status scene_score_latent(outcome *out, ano_error *err);
ano_status scene_score_hybrid(outcome *out, ano_error *err);
ano_status scene_score_files(outcome *out, ano_error *err);
ano_status scene_calibrate_whole(outcome *out, ano_error *err);
ano_status scene_calibrate_tiles(outcome *out, ano_error *err);
ano_status scene_baselines(outcome *out, ano_error *err);
ano_status scene_evaluate(outcome *out, ano_error *err);

#endif
