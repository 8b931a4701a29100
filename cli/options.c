#include "cli/options.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static const char *const group_titles[] = {
    [GROUP_WHERE] = "Files:",
    [GROUP_COMPARED] = "What is compared:",
    [GROUP_DATA] = "Images:",
    [GROUP_TRAIN] = "Training:",
    [GROUP_SEARCH] = "Scores and decisions:",
    [GROUP_PRINT] = "How it runs:",
};

/* What becomes of an option in a run folder. */
typedef enum option_keeping {
    PASSING, /* of this call alone */
    KEPT,    /* in config.json, may be changed by a later call */
    FIXED    /* in config.json, a resumed run cannot change it */
} option_keeping;

enum {
    RUN_TRAINING = CLI_VERB_DEMO | CLI_VERB_TRAIN,
    TRAINING = RUN_TRAINING | CLI_VERB_BENCHMARK,
    SHAPING = CLI_VERB_TRAIN | CLI_VERB_BENCHMARK,
    TESTING = CLI_VERB_DEMO | CLI_VERB_TRAIN | CLI_VERB_EVALUATE,
    SCORING = TESTING | CLI_VERB_SCORE,
    READS_RUN = CLI_VERB_SCORE | CLI_VERB_EVALUATE | CLI_VERB_CALIBRATE,
    SEARCHING = SCORING | CLI_VERB_CALIBRATE | CLI_VERB_BENCHMARK,
    EVERY_VERB = SEARCHING | CLI_VERB_INFO,
    FIRST_KEY = 0x1000 /* argp keys below 256 are short options */
};

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

/* In the order of ano_method. */
#define METHODS "fc|patch|vae|encoder|latent|hybrid"

#define AT(field) offsetof(cli_options, field)

/* clang-format off */
static const option_row rows[] = {
    {"data", "DIR", KIND_TEXT, AT(data), 0, 0, GROUP_WHERE, KEPT, CLI_VERB_DEMO,
     "Folder of IDX files, plain or .gz (default ./data/mnist-1-vs-9, else the one installed "
     "with the program)"},
    {"out", "DIR", KIND_TEXT, AT(out), 0, 0, GROUP_WHERE, PASSING, TESTING | CLI_VERB_BENCHMARK,
     "Folder to write"},
    {"out", "FILE.html", KIND_TEXT, AT(out), 0, 0, GROUP_WHERE, PASSING, CLI_VERB_REPORT,
     "Page to write"},
    {"resume", "RUN", KIND_TEXT, AT(resume), 0, 0, GROUP_WHERE, PASSING, CLI_VERB_TRAIN,
     "Go on with an interrupted or ended run, up to --epochs in all"},
    {"resume", "DIR", KIND_TEXT, AT(resume), 0, 0, GROUP_WHERE, PASSING, CLI_VERB_BENCHMARK,
     "Go on with an interrupted or ended benchmark; what is compared may be changed"},
    {"trace", "FILE.csv", KIND_TEXT, AT(trace), 0, 0, GROUP_WHERE, PASSING, SCORING,
     "Write each image's residual at each iteration of the search"},
    {"maps", "DIR", KIND_TEXT, AT(maps), 0, 0, GROUP_WHERE, PASSING, CLI_VERB_SCORE,
     "Write each image's anomaly map into this folder, the map over the image, and what the generator made of it"},
    {"map-format", "png|tiff", KIND_WORD, AT(map_format), 0, 0, GROUP_WHERE, PASSING, CLI_VERB_SCORE,
     "Maps as 16-bit PNG, all on one scale, or as TIFF of the values themselves"},
    {"watch", "DIR", KIND_TEXT, AT(watch), 0, 0, GROUP_WHERE, PASSING, CLI_VERB_SCORE,
     "Score files as they arrive in this folder, until Ctrl-C"},

    {"methods", "LIST", KIND_TEXT, AT(methods), 0, 0, GROUP_COMPARED, KEPT, CLI_VERB_BENCHMARK,
     "Methods of train's --method, as fc,patch, or all"},
    {"classes", "LIST", KIND_TEXT, AT(classes), 0, 0, GROUP_COMPARED, KEPT, CLI_VERB_BENCHMARK,
     "Classes that are normal in turn, as 8,2, or all that have training images"},
    {"seeds", "N", KIND_WHOLE, AT(seeds), 1, 1000, GROUP_COMPARED, KEPT, CLI_VERB_BENCHMARK,
     "Models of each class and method, with the seeds from --seed on"},
    {"baselines", "all|none", KIND_WORD, AT(baselines), 0, 0, GROUP_COMPARED, KEPT, CLI_VERB_BENCHMARK,
     "Plain baselines in the same table, once for each class"},

    {"normal", "CLASSES", KIND_TEXT, AT(normal), 0, 0, GROUP_DATA, FIXED, TESTING | CLI_VERB_CALIBRATE,
     "Classes that are normal, as 1 or 3,5; when not given those called good, normal or ok, else all"},
    {"normal", "CLASSES", KIND_TEXT, AT(classes), 0, 0, GROUP_DATA, PASSING, CLI_VERB_SCORE,
     "Score only images of these classes, as 1 or 3,5"},
    {"anomaly", "CLASSES", KIND_TEXT, AT(anomaly), 0, 0, GROUP_DATA, KEPT, TESTING,
     "Classes that are anomalous; all that are not normal when not given"},
    {"held-out", "N", KIND_WHOLE, AT(held_out), 0, 1e9, GROUP_DATA, FIXED, TRAINING,
     "Normal training images kept out of training, to set the threshold; 0: a fifth, at most 200"},
    {"count", "N|all", KIND_COUNT, AT(count), 0, 0, GROUP_DATA, KEPT, TESTING | CLI_VERB_BENCHMARK,
     "Test images of each kind, the first in the data's order"},
    {"size", "N", KIND_WHOLE, AT(view.size), 0, 1024, GROUP_DATA, FIXED, SHAPING,
     "Show the networks whole images of N x N pixels; 0: 64, but IDX images as they are"},
    {"fit", "resize|crop|pad", KIND_WORD, AT(view.fit), 0, 0, GROUP_DATA, FIXED, SHAPING,
     "How a whole image becomes a square: stretched, its middle cut out, or edges filled up"},
    {"tile", "N", KIND_WHOLE, AT(tile), 0, 1024, GROUP_DATA, FIXED, SHAPING,
     "Show the networks tiles of N x N pixels, cut from images of any size; 0: whole images"},
    {"stride", "N", KIND_WHOLE, AT(view.stride), 0, 1024, GROUP_DATA, FIXED, SHAPING,
     "Pixels from one tile to the next when scoring; 0: half a tile"},
    {"scale", "S", KIND_REAL, AT(view.scale), 0.001, 16, GROUP_DATA, FIXED, SHAPING,
     "Scale images by this before tiles are cut from them; 0.5 is half as wide"},
    {"channels", "gray|rgb|auto", KIND_COLOUR, AT(view.channels), 0, 0, GROUP_DATA, FIXED, SHAPING,
     "Show the networks gray or colour; auto is colour where any image has some"},
    {"max-pixels", "N", KIND_WHOLE, AT(max_pixels), 1, 2147483647, GROUP_DATA, KEPT, EVERY_VERB,
     "Refuse images of more pixels, height times width, before they are decoded"},
    {"allow-outside", NULL, KIND_FLAG, AT(allow_outside), 0, 0, GROUP_DATA, PASSING, EVERY_VERB,
     "Let a CSV manifest name files outside its folder, by absolute paths or .."},
    {"split", "train|test", KIND_WORD, AT(split), 0, 0, GROUP_DATA, PASSING, CLI_VERB_SCORE | CLI_VERB_CALIBRATE,
     "Which images of a data set that has both"},

    {"method", "auto|fc|patch|vae|encoder", KIND_WORD, AT(method), 0, 0, GROUP_TRAIN, FIXED, CLI_VERB_TRAIN,
     "How anomalies are told: fc searches for the closest image that a GAN can make (AnoGAN), patch "
     "trains a discriminator of patches on anomalies drawn onto normal images (its defaults: 100 "
     "epochs, rate 0.0005, beta1 0.9, base width 32), vae a variational autoencoder (6 epochs, rate "
     "0.001, base width 32), encoder a GAN and an encoder of it, to do without a search (f-AnoGAN: 30 "
     "epochs, rate 0.0001, beta1 0, beta2 0.9); auto is patch for tiles, else fc"},
    {"memory", "auto|none|all|KINDS", KIND_MEMORY, AT(memory), 0, 0, GROUP_TRAIN, FIXED, CLI_VERB_TRAIN,
     "What to remember of the training images, for scores to count how far an image is from them: "
     "histograms, random, features, or some, separated by commas; auto is all of them for patch, none for fc"},
    {"epochs", "N", KIND_WHOLE, AT(train.epochs), 1, 1e6, GROUP_TRAIN, KEPT, TRAINING,
     "Passes over the training images, in all"},
    {"batch", "N", KIND_WHOLE, AT(train.batch), 1, 4096, GROUP_TRAIN, FIXED, TRAINING,
     "Images in a training step"},
    {"conv", "auto|direct|winograd|fft", KIND_WORD, AT(train.conv), 0, 0, GROUP_TRAIN, FIXED, TRAINING,
     "How convolutions are computed; auto takes what is fastest here, measured once"},
    {"rate", "R", KIND_REAL, AT(train.learning_rate), 1e-9, 1, GROUP_TRAIN, FIXED, TRAINING,
     "Adam's learning rate, both networks"},
    {"beta1", "B", KIND_REAL, AT(train.beta1), 0, 0.9999, GROUP_TRAIN, FIXED, TRAINING,
     "Adam's decay of the mean of gradients"},
    {"beta2", "B", KIND_REAL, AT(train.beta2), 0, 0.999999, GROUP_TRAIN, FIXED, TRAINING,
     "Adam's decay of the mean of squared gradients"},
    {"flip", "h|v|h,v", KIND_FLIP, AT(train.augment.flip), 0, 0, GROUP_TRAIN, FIXED, TRAINING,
     "Flip training images at random, horizontally, vertically or both"},
    {"shift", "S", KIND_REAL, AT(train.augment.shift), 0, 0.5, GROUP_TRAIN, FIXED, TRAINING,
     "Shift training images at random, by up to this share of their size"},
    {"rotate", "DEGREES", KIND_REAL, AT(train.augment.rotate), 0, 180, GROUP_TRAIN, FIXED, TRAINING,
     "Turn training images at random, by up to so many degrees either way"},
    {"brightness", "B", KIND_REAL, AT(train.augment.brightness), 0, 1, GROUP_TRAIN, FIXED, TRAINING,
     "Make training images lighter or darker at random, by up to this; black to white is 2"},
    {"contrast", "C", KIND_REAL, AT(train.augment.contrast), 0, 10, GROUP_TRAIN, FIXED, TRAINING,
     "Raise or lower their contrast at random, by a factor of up to 1 + C"},
    {"cache", "MB", KIND_WHOLE, AT(cache), 1, 1e6, GROUP_TRAIN, FIXED, TRAINING,
     "Keep so much of decoded images; more are decoded anew in each epoch, ahead of training"},
    {"latent", "N", KIND_WHOLE, AT(model.latent), 1, 4096, GROUP_TRAIN, FIXED, TRAINING,
     "Length of the latent vector"},
    {"base-width", "N", KIND_WHOLE, AT(model.base_width), 1, 1024, GROUP_TRAIN, FIXED, TRAINING,
     "Channels of the widest maps"},
    {"encoder-loss", "izif|izi|ziz", KIND_WORD, AT(train.encoding), 0, 0, GROUP_TRAIN, FIXED, CLI_VERB_TRAIN,
     "What an encoder is trained for: that images come back, in the critic's eyes too; images alone; latents"},
    {"sample-every", "N", KIND_WHOLE, AT(train.sample_every), 1, 1e6, GROUP_TRAIN, KEPT, TRAINING,
     "Epochs between pictures of generated images"},
    {"weights-every", "N", KIND_WHOLE, AT(train.weights_every), 1, 1e6, GROUP_TRAIN, KEPT, TRAINING,
     "Epochs between files in weights/"},
    {"checkpoint-every", "N|Nm", KIND_PERIOD, AT(train), 1, 1e6, GROUP_TRAIN, KEPT, TRAINING,
     "Epochs between checkpoints, or with an m minutes; training goes on from the last one"},
    {"keep-checkpoints", "N", KIND_WHOLE, AT(train.keep_checkpoints), 1, 100, GROUP_TRAIN, KEPT, TRAINING,
     "Checkpoints to keep, the newest ones: where one is damaged, the one before it serves"},
    {"no-test", NULL, KIND_FLAG, AT(no_test), 0, 0, GROUP_TRAIN, PASSING, RUN_TRAINING,
     "Stop when the model is trained and calibrated"},

    {"method", METHODS, KIND_WORD, AT(search.method), 0, 0, GROUP_SEARCH, PASSING, READS_RUN,
     "Score by another method than the model was calibrated for, one that its networks serve"},
    {"search", "adam|lbfgs", KIND_WORD, AT(search.search), 0, 0, GROUP_SEARCH, KEPT, SEARCHING,
     "How a search goes down; lbfgs needs a third of the iterations"},
    {"iterations", "N", KIND_WHOLE, AT(search.iterations), 1, 1e6, GROUP_SEARCH, KEPT, SEARCHING,
     "Steps of each image's search"},
    {"restarts", "N", KIND_WHOLE, AT(search.restarts), 1, 1000, GROUP_SEARCH, KEPT, SEARCHING,
     "Searches of each image, from different starts; the best is kept"},
    {"tolerance", "T", KIND_REAL, AT(search.tolerance), 0, 0.5, GROUP_SEARCH, KEPT, SEARCHING,
     "End a search when 20 iterations improve its residual by less than this share; 0: never"},
    {"search-rate", "R", KIND_REAL, AT(search.learning_rate), 1e-9, 1, GROUP_SEARCH, KEPT, SEARCHING,
     "The search's learning rate"},
    {"feature-weight", "L", KIND_REAL, AT(search.feature_weight), 0, 1e6, GROUP_SEARCH, KEPT, READS_RUN,
     "What the discriminator's features count for beside the pixels, in latent searches and of encoders"},
    {"feature-block", "N", KIND_WHOLE, AT(search.feature_block), 0, 5, GROUP_SEARCH, KEPT, READS_RUN,
     "The block of the discriminator whose features are compared; 0: the last"},
    {"clip", "clip|tanh|stochastic", KIND_WORD, AT(search.clip), 0, 0, GROUP_SEARCH, KEPT, READS_RUN,
     "What keeps z in its range in latent searches: the end of it, a tanh, or a new draw"},
    {"pool", "POOL", KIND_POOL, 0, 0, 0, GROUP_SEARCH, KEPT, SEARCHING,
     "How an anomaly map becomes a score: sum, mean, max, or top:S, the mean of its highest share S; auto is sum, and for tiles what is chosen when training ends"},
    {"samples", "K", KIND_WHOLE, AT(search.samples), 1, 1e6, GROUP_SEARCH, KEPT, SEARCHING & ~CLI_VERB_DEMO,
     "Latent vectors that vae draws for an image"},
    {"evidence", "elbo|reconstruction|unexplained", KIND_WORD, AT(search.evidence), 0, 0, GROUP_SEARCH, KEPT,
     SEARCHING & ~CLI_VERB_DEMO,
     "What vae scores by: the negative ELBO, the reconstruction probability, or how much contrast is unexplained"},
    {"alpha", "A", KIND_REAL, AT(alpha), 1e-6, 0.5, GROUP_SEARCH, KEPT, SCORING,
     "Share of normal images that may be called anomalous"},
    {"fdr", "Q", KIND_REAL, AT(fdr), 1e-6, 0.5, GROUP_SEARCH, PASSING, CLI_VERB_SCORE,
     "Decide when all images are scored, so that at most this share of those called anomalous is normal; in place of alpha"},

    {"seed", "N", KIND_SEED, AT(seed), 0, 0, GROUP_PRINT, FIXED, SEARCHING,
     "Seed of every random number: the same seed gives the same bytes"},
    {"threads", "N", KIND_WHOLE, AT(threads), 0, 1024, GROUP_PRINT, KEPT, SEARCHING,
     "Threads; 0: one a processor"},
    {"jobs", "N", KIND_WHOLE, AT(jobs), 0, 1024, GROUP_PRINT, PASSING, CLI_VERB_BENCHMARK,
     "Models that are trained and tested at the same time; 0: what processors and memory allow"},
    {"fail-on-anomaly", NULL, KIND_FLAG, AT(fail_on_anomaly), 0, 0, GROUP_PRINT, PASSING, CLI_VERB_SCORE,
     "Exit with 1 when an image is anomalous"},
    {"strict", NULL, KIND_FLAG, AT(strict), 0, 0, GROUP_PRINT, PASSING, CLI_VERB_SCORE,
     "Exit with 3 when an image cannot be read, where it would be skipped"},
    {"json", NULL, KIND_FLAG, AT(json), 0, 0, GROUP_PRINT, PASSING, EVERY_VERB,
     "Print the results as JSON"},
    {"quiet", NULL, KIND_FLAG, AT(quiet), 0, 0, GROUP_PRINT, PASSING, SEARCHING,
     "No progress on stderr, only errors"},
};
/* clang-format on */

enum { ROW_COUNT = sizeof rows / sizeof *rows };
_Static_assert((int)ROW_COUNT <= (int)CLI_MAX_ROWS, "cli_options.given has a place for each row");

cli_options cli_options_default(void)
{
    return (cli_options){
        .split = ANO_SPLIT_TEST,
        .view = {.scale = 1},
        .model = ANO_MODEL_CONFIG_INIT,
        .train = ANO_TRAIN_OPTIONS_INIT,
        .memory = CLI_MEMORY_AUTO,
        .max_pixels = 1 << 28,
        .cache = 1024,
        .methods = "fc",
        .seeds = 1,
        .search = ANO_SCORE_OPTIONS_INIT,
        .chooses_pool = true,
        .alpha = 0.01,
    };
}

void cli_options_free(cli_options *options)
{
    json_decref(options->config);
    options->config = NULL;
    free(options->inputs);
    options->inputs = NULL;
    options->n_inputs = 0;
}

/* ---- a value and its text ------------------------------------------------------------------ */

/* The whole of `text` as a decimal number without sign or blanks before it. */
static bool parse_digits(uint64_t *out, const char *text, uint64_t high)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    *out = strtoumax(text, NULL, 10);
    return errno == 0 && *out <= high;
}

static bool parse_real(double *out, const char *text, double low, double high)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && text[strspn(text, "+-.0123456789eE")] == '\0' &&
           *out >= low && *out <= high;
}

static const char *const flip_names[] = {"none", "h", "v", "h,v"};
static const char *const colour_names[] = {"auto", "gray", "rgb"};
static const int colour_channels[] = {0, 1, 3};
static const uint64_t seed_high = UINT64_C(1) << 53;

static int find_name(const char *const *names, size_t n_names, const char *text)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -1;
}

/* The number of the word `text` among words as "adam|lbfgs", -1 where it is none. */
static int find_word(const char *words, const char *text)
{
    const size_t length = strlen(text);
    int i = 0;
    for (const char *word = words; length > 0; word += strcspn(word, "|") + 1, i++) {
        if (strcspn(word, "|") == length && strncmp(word, text, length) == 0)
            return i;
        if (word[strcspn(word, "|")] == '\0')
            break;
    }
    return -1;
}

/* "auto, direct or fft". */
static void list_words(char *dst, size_t size, const char *words)
{
    size_t used = 0;
    for (const char *at = words; *at != '\0' && used + 1 < size; at++)
        used += (size_t)snprintf(dst + used, size - used, "%s",
                                 *at != '|'                    ? (char[]){*at, '\0'}
                                 : strchr(at + 1, '|') != NULL ? ", "
                                                               : " or ");
}

static json_t *word_json(const char *words, int number)
{
    for (; number > 0; number--)
        words += strcspn(words, "|") + 1;
    return json_stringn(words, strcspn(words, "|"));
}

/* "auto" leaves the pool as it is: another than the run's is nothing to ask for in this way. */
static bool parse_pool(cli_options *options, const char *text)
{
    options->chooses_pool = strcmp(text, "auto") == 0;
    if (options->chooses_pool)
        return true;
    for (ano_pool pool = ANO_POOL_SUM; pool <= ANO_POOL_MAX; pool++) {
        const char *name = ano_pool_name(pool);
        const size_t length = strlen(name);
        if (strncmp(text, name, length) != 0)
            continue;
        options->search.pool = pool;
        if (pool != ANO_POOL_TOP)
            return text[length] == '\0';
        return text[length] == ':' &&
               parse_real(&options->search.pool_share, text + length + 1, 1e-9, 1);
    }
    return false;
}

enum { ALL_MEMORY = (1 << ANO_MEMORIES) - 1 };

/* The kinds whose names `text` lists, separated by commas. */
static bool parse_memory(unsigned *kinds, const char *text)
{
    const bool is_auto = strcmp(text, "auto") == 0, is_all = strcmp(text, "all") == 0;
    *kinds = is_auto ? CLI_MEMORY_AUTO : is_all ? ALL_MEMORY : 0;
    if (is_auto || is_all || strcmp(text, "none") == 0)
        return true;
    for (const char *word = text;; word += strcspn(word, ",") + 1) {
        const size_t length = strcspn(word, ",");
        int kind = 0;
        while (kind < ANO_MEMORIES &&
               (strlen(ano_memory_name((ano_memory)kind)) != length ||
                strncmp(ano_memory_name((ano_memory)kind), word, length) != 0))
            kind++;
        if (kind == ANO_MEMORIES)
            return false;
        *kinds |= 1U << kind;
        if (word[length] == '\0')
            return true;
    }
}

static json_t *memory_json(unsigned kinds)
{
    char text[64] = "";
    size_t used = 0;
    if (kinds == 0 || kinds == CLI_MEMORY_AUTO)
        return json_string(kinds == 0 ? "none" : "auto");
    for (int kind = 0; kind < ANO_MEMORIES; kind++)
        if (kinds >> kind & 1)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? "," : "",
                                     ano_memory_name((ano_memory)kind));
    return json_string(text);
}

/* "5" is every five epochs, "5m" every five minutes. */
static bool parse_period(ano_train_options *options, const char *text, double low, double high)
{
    char number[16];
    const size_t length = strlen(text);
    const bool minutes = length > 0 && text[length - 1] == 'm';
    uint64_t whole;
    if (length >= sizeof number)
        return false;
    strcpy(number, text);
    if (minutes)
        number[length - 1] = '\0';
    if (!parse_digits(&whole, number, (uint64_t)high) || (double)whole < low)
        return false;
    options->checkpoint_every = minutes ? 0 : (int)whole;
    options->checkpoint_minutes = minutes ? (int)whole : 0;
    return true;
}

/* Puts the value that `text` stands for into `options`; says in `expected` what was wanted when
 * it stands for none. `text` is kept by reference. */
static bool set_option(cli_options *options, const option_row *row, const char *text,
                       char *expected, size_t expected_size)
{
    void *field = (char *)options + row->offset;
    uint64_t whole = 0;
    int name;
    switch (row->kind) {
    case KIND_TEXT:
        *(const char **)field = text;
        snprintf(expected, expected_size, "a text that is not empty");
        return *text != '\0';
    case KIND_FLAG:
        *(bool *)field = true;
        return true;
    case KIND_WHOLE:
        snprintf(expected, expected_size, "a whole number from %.0f to %.0f", row->low, row->high);
        if (!parse_digits(&whole, text, (uint64_t)row->high) || (double)whole < row->low)
            return false;
        *(int *)field = (int)whole;
        return true;
    case KIND_REAL:
        snprintf(expected, expected_size, "a number from %g to %g", row->low, row->high);
        return parse_real(field, text, row->low, row->high);
    case KIND_SEED:
        snprintf(expected, expected_size, "a whole number from 0 to %" PRIu64, seed_high);
        return parse_digits(field, text, seed_high);
    case KIND_COUNT:
        snprintf(expected, expected_size, "a whole number from 1, or all");
        if (strcmp(text, "all") != 0 && (!parse_digits(&whole, text, SIZE_MAX) || whole == 0))
            return false;
        *(size_t *)field = (size_t)whole;
        return true;
    case KIND_FLIP:
        snprintf(expected, expected_size, "h, v, h,v or none");
        name = find_name(flip_names, sizeof flip_names / sizeof *flip_names,
                         strcmp(text, "v,h") == 0 ? "h,v" : text);
        if (name < 0)
            return false;
        *(unsigned *)field = (unsigned)name;
        return true;
    case KIND_WORD:
        name = find_word(row->argument, text);
        list_words(expected, expected_size, row->argument);
        if (name < 0)
            return false;
        memcpy(field, &name, sizeof name);
        return true;
    case KIND_COLOUR:
        snprintf(expected, expected_size, "gray, rgb or auto");
        name = find_name(colour_names, sizeof colour_names / sizeof *colour_names, text);
        if (name < 0)
            return false;
        *(int *)field = colour_channels[name];
        return true;
    case KIND_POOL:
        snprintf(expected, expected_size, "auto, sum, mean, max, or top: and a share above 0 to 1");
        return parse_pool(options, text);
    case KIND_MEMORY:
        snprintf(expected, expected_size,
                 "auto, none, all, or some of histograms, random and features");
        return parse_memory(field, text);
    case KIND_PERIOD:
        snprintf(expected, expected_size, "a number of epochs, as 5, or of minutes, as 10m");
        return parse_period(field, text, row->low, row->high);
    }
    return false;
}

/* The value as JSON, null where there is none (a text or a word that is not set); NULL when memory
 * is short. */
static json_t *get_option(const cli_options *options, const option_row *row)
{
    const void *field = (const char *)options + row->offset;
    switch (row->kind) {
    case KIND_TEXT:
        return *(const char *const *)field != NULL ? json_string(*(const char *const *)field)
                                                   : json_null();
    case KIND_FLAG:
        return json_boolean(*(const bool *)field);
    case KIND_WHOLE:
        return json_integer(*(const int *)field);
    case KIND_REAL:
        return json_real(*(const double *)field);
    case KIND_SEED:
        return json_integer((json_int_t) * (const uint64_t *)field);
    case KIND_COUNT:
        return *(const size_t *)field == 0 ? json_string("all")
                                           : json_integer((json_int_t) * (const size_t *)field);
    case KIND_FLIP:
        return json_string(flip_names[*(const unsigned *)field]);
    case KIND_WORD:
        return *(const int *)field >= 0 ? word_json(row->argument, *(const int *)field)
                                        : json_null();
    case KIND_COLOUR:
        return json_string(colour_names[(*(const int *)field + 1) / 2]);
    case KIND_POOL: {
        const cli_pool_text pool = cli_options_pool(&options->search);
        return json_string(options->chooses_pool ? "auto" : pool.text);
    }
    case KIND_MEMORY:
        return memory_json(*(const unsigned *)field);
    case KIND_PERIOD: {
        const ano_train_options *train = field;
        return train->checkpoint_minutes > 0 ? json_sprintf("%dm", train->checkpoint_minutes)
                                             : json_integer(train->checkpoint_every);
    }
    }
    return NULL;
}

/* A JSON scalar as the text that the command line would have; "" when it is no scalar. */
static void json_as_text(char *dst, size_t size, const json_t *value)
{
    dst[0] = '\0';
    if (json_is_integer(value))
        snprintf(dst, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(dst, size, "%.17g", json_real_value(value));
}

/* ---- the command line ---------------------------------------------------------------------- */

typedef struct parse_state {
    cli_options *options;
    cli_options defaults; /* as they were before parsing: what --help prints */
    const cli_command *command;
} parse_state;

static error_t add_input(cli_options *options, const char *text, const struct argp_state *state)
{
    if (options->inputs == NULL)
        options->inputs = calloc((size_t)state->argc, sizeof *options->inputs);
    if (options->inputs == NULL)
        return ENOMEM;
    options->inputs[options->n_inputs++] = text;
    return 0;
}

static error_t parse_key(int key, char *text, struct argp_state *state)
{
    parse_state *parse = state->input;
    const cli_command *command = parse->command;
    const bool two = command->takes_run && command->takes_data;
    if (key >= FIRST_KEY && key < FIRST_KEY + ROW_COUNT) {
        const option_row *row = &rows[key - FIRST_KEY];
        char expected[128];
        if (!set_option(parse->options, row, text, expected, sizeof expected))
            argp_error(state, "--%s: '%s' is not %s", row->name, text, expected);
        parse->options->given[key - FIRST_KEY] = true;
        return 0;
    }
    if (key == ARGP_KEY_NO_ARGS && command->takes_run)
        argp_error(state, "%s: an argument is missing", command->arguments);
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (state->arg_num == 0 && command->takes_run)
        parse->options->run = text;
    else if (state->arg_num == (two ? 1 : 0) && command->takes_data)
        parse->options->data = text;
    else if (command->takes_inputs)
        return add_input(parse->options, text, state);
    else
        argp_error(state, "'%s' is one argument too many", text);
    return 0;
}

/* Appends to an option's help what it is when it is not given. argp frees what this returns. */
static char *describe_default(int key, const char *text, void *input)
{
    const parse_state *parse = input;
    if (parse == NULL || text == NULL || key < FIRST_KEY || key >= FIRST_KEY + ROW_COUNT)
        return (char *)text;
    const option_row *row = &rows[key - FIRST_KEY];
    json_t *value = row->kind == KIND_FLAG ? NULL : get_option(&parse->defaults, row);
    const bool of_run = row->keeping != PASSING && (parse->command->verb & READS_RUN);
    /* An option whose default is none of its values is off. */
    const bool is_off = json_is_real(value) && json_real_value(value) < row->low;
    char number[64];
    json_as_text(number, sizeof number, value);
    if (json_is_real(value))
        snprintf(number, sizeof number, "%g", json_real_value(value));
    char *described = malloc(strlen(text) + sizeof number + 64);
    if (described != NULL && of_run && strstr(text, "default") == NULL)
        sprintf(described, "%s (default: the run's)", text);
    else if (described != NULL && value != NULL && !json_is_null(value) && !of_run && !is_off)
        sprintf(described, "%s (default %s)", text,
                json_is_string(value) ? json_string_value(value) : number);
    else {
        free(described);
        described = (char *)text;
    }
    json_decref(value);
    return described;
}

void cli_options_parse(cli_options *options, const cli_command *command, int argc, char **argv)
{
    struct argp_option table[ROW_COUNT + sizeof group_titles / sizeof *group_titles + 1];
    int n = 0, last_group = -1;
    for (int i = 0; i < ROW_COUNT; i++) {
        if (!(rows[i].verbs & (int)command->verb))
            continue;
        const int group = (int)rows[i].group;
        if (group != last_group)
            table[n++] = (struct argp_option){.doc = group_titles[group], .group = group + 1};
        last_group = group;
        table[n++] = (struct argp_option){.name = rows[i].name,
                                          .key = FIRST_KEY + i,
                                          .arg = rows[i].argument,
                                          .doc = rows[i].help,
                                          .group = group + 1};
    }
    table[n] = (struct argp_option){0};
    const struct argp argp = {.options = table,
                              .parser = parse_key,
                              .args_doc = command->arguments,
                              .doc = command->doc,
                              .help_filter = describe_default};
    parse_state state = {options, *options, command};
    argp_parse(&argp, argc, argv, 0, NULL, &state);
    if (options->normal != NULL && options->anomaly == NULL)
        options->anomaly = "*";
}

/* Of a benchmark all that its figures depend on is fixed: only what is compared may change. */
static bool is_fixed(const option_row *row, cli_verb verb)
{
    const bool of_all = verb == CLI_VERB_BENCHMARK && row->verbs != CLI_VERB_BENCHMARK;
    return row->keeping == FIXED || (row->keeping == KEPT && of_all);
}

/* What methods have for defaults of their own. */
static const struct {
    ano_method method;
    const char *option;
    double value;
} own_defaults[] = {
    {ANO_METHOD_PATCH, "epochs", 100},  {ANO_METHOD_PATCH, "rate", 5e-4},
    {ANO_METHOD_PATCH, "beta1", 0.9},   {ANO_METHOD_PATCH, "base-width", 32},
    {ANO_METHOD_VAE, "epochs", 6},      {ANO_METHOD_VAE, "rate", 1e-3},
    {ANO_METHOD_VAE, "base-width", 32}, {ANO_METHOD_ENCODER, "epochs", 30},
    {ANO_METHOD_ENCODER, "rate", 1e-4}, {ANO_METHOD_ENCODER, "beta1", 0},
    {ANO_METHOD_ENCODER, "beta2", 0.9}, {ANO_METHOD_ENCODER, "feature-weight", 1},
};
enum { OWN_DEFAULTS = sizeof own_defaults / sizeof *own_defaults };

static bool has_own_default(const option_row *row)
{
    for (int i = 0; i < OWN_DEFAULTS; i++)
        if (strcmp(own_defaults[i].option, row->name) == 0)
            return true;
    return false;
}

void cli_options_take_method(cli_options *options, ano_method method)
{
    options->method = 1 + (int)method;
    options->model.method = method;
    for (int k = 0; k < OWN_DEFAULTS; k++)
        for (int i = 0; i < ROW_COUNT; i++) {
            if (own_defaults[k].method != method || options->given[i] ||
                strcmp(own_defaults[k].option, rows[i].name) != 0)
                continue;
            void *field = (char *)options + rows[i].offset;
            if (rows[i].kind == KIND_WHOLE)
                *(int *)field = (int)own_defaults[k].value;
            else
                *(double *)field = own_defaults[k].value;
        }
}

const char *cli_options_fixed_given(const cli_options *options, cli_verb verb)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (is_fixed(&rows[i], verb) && options->given[i])
            return rows[i].name;
    return NULL;
}

/* "fc|patch": the words of --method but the first, auto. */
const char *cli_options_methods(void)
{
    int i = 0;
    while (rows[i].offset != AT(method))
        i++;
    return rows[i].argument + sizeof "auto";
}

bool cli_options_method(ano_method *out, const char *name)
{
    const int found = find_word(cli_options_methods(), name);
    if (found >= 0)
        *out = (ano_method)found;
    return found >= 0;
}

ano_view cli_options_view(const cli_options *options)
{
    ano_view view = options->view;
    if (options->tile > 0) {
        view.size = options->tile;
        view.stride = view.stride > 0 ? view.stride : view.size / 2;
    }
    return view;
}

cli_pool_text cli_options_pool(const ano_score_options *search)
{
    cli_pool_text pool;
    snprintf(pool.text, sizeof pool.text, "%s", ano_pool_name(search->pool));
    if (search->pool == ANO_POOL_TOP)
        snprintf(pool.text, sizeof pool.text, "%s:%g", ano_pool_name(search->pool),
                 search->pool_share);
    return pool;
}

unsigned cli_options_memory(const cli_options *options)
{
    if (options->memory != CLI_MEMORY_AUTO)
        return options->memory;
    return options->method == ANO_METHOD_PATCH + 1 ? ALL_MEMORY : 0;
}

ano_score_options cli_options_search(const cli_options *options)
{
    ano_score_options search = options->search;
    search.seed = options->seed;
    search.threads = options->threads;
    return search;
}

/* ---- config.json --------------------------------------------------------------------------- */

static ano_status load_option(cli_options *options, const option_row *row, json_t *value,
                              const char *path, ano_error *err)
{
    char number[64], expected[128];
    json_as_text(number, sizeof number, value);
    const char *text = json_is_string(value) ? json_string_value(value) : number;
    /* A text is kept by reference, which lasts as long as the config does, but no number. */
    if (row->kind == KIND_TEXT && !json_is_string(value))
        return base_error(err, ANO_FORMAT, "%s: \"%s\" is not a text", path, row->name);
    if (!set_option(options, row, text, expected, sizeof expected))
        return base_error(err, ANO_FORMAT, "%s: \"%s\" is not %s", path, row->name, expected);
    return ANO_OK;
}

ano_status cli_options_load_bytes(cli_options *options, const char *bytes, size_t size,
                                  const char *path, ano_error *err)
{
    json_error_t where;
    json_t *config;
    ano_status status = base_json_read(&config, bytes, size, &where);
    if (status == ANO_NOMEM)
        return base_error_nomem(err, path);
    if (!json_is_object(config)) {
        const bool is_json = config != NULL;
        json_decref(config);
        return is_json ? base_error(err, ANO_FORMAT, "%s: is not a JSON object", path)
                       : base_error(err, ANO_FORMAT, "%s: line %d: is not a JSON object: %s", path,
                                    where.line, where.text);
    }
    cli_options_free(options);
    options->config = config;
    for (int i = 0; i < ROW_COUNT && status == ANO_OK; i++) {
        json_t *value = json_object_get(config, rows[i].name);
        if (rows[i].keeping == PASSING || value == NULL)
            continue;
        status = load_option(options, &rows[i], value, path, err);
        options->given[i] = true;
    }
    return status;
}

ano_status cli_options_load(bool *found, cli_options *options, const char *folder, ano_error *err)
{
    enum { MOST_BYTES = 1 << 20 };
    ano_status status = ANO_OK;
    char *bytes = NULL, *path = base_path_join(folder, "config.json");
    size_t size;
    struct stat info;
    *found = false;
    if (path == NULL)
        return base_error_nomem(err, folder);
    if (stat(path, &info) != 0 && errno == ENOENT)
        goto done;
    if (info.st_size > MOST_BYTES)
        status = base_error(err, ANO_FORMAT,
                            "%s: has %lld bytes, more than the %d that a run's options can take",
                            path, (long long)info.st_size, MOST_BYTES);
    else
        status = base_file_read(&bytes, &size, path, err);
    if (status != ANO_OK)
        goto done;
    *found = true;
    status = cli_options_load_bytes(options, bytes, size, path, err);
done:
    base_free(bytes);
    base_free(path);
    return status;
}

/* A run keeps what any verb that changes it reads, a benchmark what is its own. */
static bool is_kept(const option_row *row, cli_verb verb)
{
    const bool of_verb = verb == CLI_VERB_BENCHMARK
                             ? (row->verbs & CLI_VERB_BENCHMARK) || row->offset == AT(data)
                             : row->verbs != CLI_VERB_BENCHMARK;
    return row->keeping != PASSING && of_verb;
}

ano_status cli_options_save(const cli_options *options, cli_verb verb, const char *folder,
                            ano_error *err)
{
    ano_status status;
    char *path = base_path_join(folder, "config.json");
    base_file file;
    json_t *config = json_pack("{ss}", "anogan", ano_version());
    bool packed = path != NULL && config != NULL;
    for (int i = 0; i < ROW_COUNT && packed; i++) {
        /* A benchmark leaves to each of its methods what was not given. */
        const bool left_open =
            verb == CLI_VERB_BENCHMARK && has_own_default(&rows[i]) && !options->given[i];
        json_t *value =
            is_kept(&rows[i], verb) && !left_open ? get_option(options, &rows[i]) : json_null();
        packed = json_is_null(value) || json_object_set_new(config, rows[i].name, value) == 0;
    }
    char *text = packed ? base_json_text(config, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    status =
        text != NULL ? base_file_create(&file, path, err) : base_error_nomem(err, "config.json");
    if (status == ANO_OK) {
        fprintf(file.stream, "%s\n", text);
        status = base_file_commit(&file, err);
    }
    base_free(text);
    json_decref(config);
    base_free(path);
    return status;
}
