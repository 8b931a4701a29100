/* Options: one table parses the command line, explains itself in --help, and names what
 * config.json keeps of a run, so that an option is defined once and checked in one place. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <anogan/anogan.h>

#include "report/maps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

typedef enum cli_verb {
    CLI_VERB_DEMO = 1,
    CLI_VERB_TRAIN = 2,
    CLI_VERB_SCORE = 4,
    CLI_VERB_EVALUATE = 8,
    CLI_VERB_INFO = 16,
    CLI_VERB_CALIBRATE = 32,
    CLI_VERB_REPORT = 64,
    CLI_VERB_BENCHMARK = 128
} cli_verb;

enum { CLI_MAX_ROWS = 96 }; /* of the table */

typedef struct cli_options {
    const char *data;   /* the data set's folder */
    const char *run;    /* a run folder or a model file to read */
    const char *out;    /* the folder to write */
    const char *resume; /* a run folder to go on with */
    const char *normal, *anomaly;
    const char *classes; /* that `score` scores, that `benchmark` has; NULL: all */
    const char *methods; /* that `benchmark` compares */
    int seeds;           /* models that it trains of each class and method */
    int baselines;       /* 0: all, 1: none */
    int jobs;            /* of them at the same time; 0: as many as there is room for */
    int held_out;        /* training images kept for calibration; 0: a fifth, at most 200 */
    size_t count;        /* test images of each kind; 0: all */
    ano_split split;     /* that `score` reads */
    uint64_t seed;
    int threads;
    ano_view view; /* what training asks for, but see cli_options_view() */
    int tile;      /* the size of tiles; 0: whole images */
    int method;    /* 0: auto, else 1 + an ano_method; cli_train() puts it into `model` */
    ano_model_config model;
    ano_train_options train;
    unsigned memory;    /* kinds that training remembers, as ano_memorise()'s; or CLI_MEMORY_AUTO */
    int max_pixels;     /* of an image that is read */
    bool allow_outside; /* manifests may name files outside their folders */
    int cache;          /* MB of decoded images that training keeps */
    ano_score_options search;
    bool chooses_pool; /* the program sets search.pool when training has ended: cli/choose.h */
    double alpha;
    double fdr; /* of anomalies by Benjamini and Hochberg; 0: each image for itself, by alpha */
    const char *trace;
    ano_map map;
    const char *maps; /* the folder for anomaly maps */
    report_map_format map_format;
    const char *watch; /* the folder whose new files are scored */
    bool quiet, json, fail_on_anomaly, no_test, strict, z_distance;

    const char **inputs; /* [n_inputs], what is to be scored; the texts are argv's */
    size_t n_inputs;

    struct json_t *config;    /* owns the texts that came from a config.json */
    bool given[CLI_MAX_ROWS]; /* the rows that the command line, or config.json, named */
} cli_options;

/* Every kind; what the method remembers by default. */
enum { CLI_MEMORY_ALL = (1 << ANO_MEMORIES) - 1, CLI_MEMORY_AUTO = 1 << ANO_MEMORIES };

/* How a verb is called. Positional arguments go to `run`, `data` and `inputs`, as
 * `takes_run` and the others say. */
typedef struct cli_command {
    cli_verb verb;
    const char *arguments; /* "RUN [DATA]" */
    const char *doc;
    bool takes_run, takes_data;
    bool takes_inputs; /* any number, after the run */
    bool changes_run;  /* the one that it takes: nobody else may, meanwhile */
} cli_command;

cli_options cli_options_default(void);

/* Reads the command line onto `options`; ends the program with exit code 2 and a message when it
 * is wrong, with 0 after --help. */
void cli_options_parse(cli_options *options, const cli_command *command, int argc, char **argv);

/* Reads FOLDER/config.json onto `options`. False with no error when there is none. */
ano_status cli_options_load(bool *found, cli_options *options, const char *folder, ano_error *err);
/* The same of the bytes of a config.json; `path` is for messages. */
ano_status cli_options_load_bytes(cli_options *options, const char *bytes, size_t size,
                                  const char *path, ano_error *err);
/* Writes FOLDER/config.json: every option that repeats the run, or the benchmark. */
ano_status cli_options_save(const cli_options *options, cli_verb verb, const char *folder,
                            ano_error *err);

/* Makes `method` the one of the training to come, with its defaults for what is not given. */
void cli_options_take_method(cli_options *options, ano_method method);

/* The method of the training to come, where --method leaves it to us too. */
ano_method cli_options_trained_method(const cli_options *options);

/* Where no epochs are given, and the method's are chosen for thousands of images: more for fewer
 * images, up to 20 times as many, that the networks take as many steps as with 4,800. */
void cli_options_settle_epochs(cli_options *options, size_t n_images);

/* Makes `method` the one that scores, with its defaults for what is not given. */
void cli_options_take_search(cli_options *options, ano_method method);

/* Whether the command line, or config.json, named the option. */
bool cli_options_given(const cli_options *options, const char *name);

/* The name of an option that the command line gave although what `verb` resumes cannot change it,
 * or NULL. */
const char *cli_options_fixed_given(const cli_options *options, cli_verb verb);

/* The method of a name, as --method takes it; false where there is none such. */
bool cli_options_method(ano_method *out, const char *name);
/* All names of methods, "fc|patch", in the order of ano_method. */
const char *cli_options_methods(void);

/* The view that training asks for. */
ano_view cli_options_view(const cli_options *options);

/* "sum", "top:0.01" …, as --pool takes it. */
typedef struct cli_pool_text {
    char text[40];
} cli_pool_text;
cli_pool_text cli_options_pool(const ano_score_options *search);

/* The kinds of memory that training asks for, 0 where none. */
unsigned cli_options_memory(const cli_options *options);

/* The search's options, with the run's seed and threads in them. */
ano_score_options cli_options_search(const cli_options *options);

void cli_options_free(cli_options *options);

#endif
