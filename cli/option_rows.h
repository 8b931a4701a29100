/* What the files of options share: the rows of the table, and what a row makes of a text. */
#ifndef CLI_OPTION_ROWS_H
#define CLI_OPTION_ROWS_H

#include "cli/options.h"

/* How an option's text becomes a value. */
typedef enum option_kind {
    KIND_TEXT,   /* const char * */
    KIND_WHOLE,  /* int in [low, high] */
    KIND_REAL,   /* double in [low, high] */
    KIND_SEED,   /* uint64_t, 0 … 2^53, which JSON holds exactly everywhere */
    KIND_COUNT,  /* size_t, 1 … or "all", which is 0 */
    KIND_FLIP,   /* unsigned, "h", "v", "h,v" or "none" */
    KIND_WORD,   /* an enumeration, by the words of the row's argument: the first is 0 */
    KIND_COLOUR, /* int, channels: "auto", which is 0, "gray" or "rgb" */
    KIND_POOL,   /* cli_options' chooses_pool, "auto", or search.pool and search.pool_share, "sum",
                    "mean", "top:SHARE" or "max" */
    KIND_MEMORY, /* unsigned, "auto", "none", "all" or kinds of memory, "histograms,features" */
    KIND_PERIOD, /* ano_train_options' checkpoint_every or, with an m, checkpoint_minutes */
    KIND_FLAG    /* bool, takes no argument */
} option_kind;

typedef enum option_group {
    GROUP_WHERE,
    GROUP_COMPARED,
    GROUP_DATA,
    GROUP_TRAIN,
    GROUP_SEARCH,
    GROUP_PRINT
} option_group;

/* What becomes of an option in a run folder. */
typedef enum option_keeping {
    PASSING, /* of this call alone */
    KEPT,    /* in config.json, may be changed by a later call */
    FIXED    /* in config.json, a resumed run cannot change it */
} option_keeping;

/* Verbs that take what is not given from the run. */
enum { CLI_READS_RUN = CLI_VERB_SCORE | CLI_VERB_EVALUATE | CLI_VERB_CALIBRATE };

typedef struct option_row {
    const char *name, *argument;
    option_kind kind;
    size_t offset; /* in cli_options */
    double low, high;
    option_group group;
    option_keeping keeping;
    int verbs;
    const char *help;
} option_row;

extern const option_row cli_option_rows[];
extern const int cli_option_count; /* of rows, at most CLI_MAX_ROWS */

/* Whether methods may have defaults of their own for it. */
bool cli_option_has_own_default(const option_row *row);

/* Puts the value that `text` stands for into `options`; says in `expected` what was wanted when
 * it stands for none. `text` is kept by reference. */
bool cli_option_set(cli_options *options, const option_row *row, const char *text, char *expected,
                    size_t expected_size);
/* The value as JSON, or NULL where there is none (a text or a word that is not set). */
struct json_t *cli_option_get(const cli_options *options, const option_row *row);
/* A JSON scalar as the text that the command line would have; "" when it is no number. */
void cli_option_json_text(char *dst, size_t size, const struct json_t *value);
/* The number of the word `text` among words as "adam|lbfgs", -1 where it is none. */
int cli_option_find_word(const char *words, const char *text);

#endif
