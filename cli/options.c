#include "cli/options.h"

#include "cli/option_rows.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const group_titles[] = {
    [GROUP_WHERE] = "Files:",
    [GROUP_COMPARED] = "What is compared:",
    [GROUP_DATA] = "Images:",
    [GROUP_TRAIN] = "Training:",
    [GROUP_SEARCH] = "Scores and decisions:",
    [GROUP_PRINT] = "How it runs:",
};

enum { FIRST_KEY = 0x1000 }; /* argp keys below 256 are short options */

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
        .methods = "auto",
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

/* ---- the command line ---------------------------------------------------------------------- */

typedef struct parse_state {
    cli_options *options;
    cli_options defaults; /* as they were before parsing: what --help prints */
    const cli_command *command;
} parse_state;

static error_t add_input(cli_options *options, const char *text)
{
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
    if (key >= FIRST_KEY && key < FIRST_KEY + cli_option_count) {
        const option_row *row = &cli_option_rows[key - FIRST_KEY];
        char expected[128];
        if (!cli_option_set(parse->options, row, text, expected, sizeof expected))
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
        return add_input(parse->options, text);
    else
        argp_error(state, "'%s' is one argument too many", text);
    return 0;
}

/* Appends to an option's help what it is when it is not given. argp frees what this returns. */
static char *describe_default(int key, const char *text, void *input)
{
    const parse_state *parse = input;
    if (parse == NULL || text == NULL || key < FIRST_KEY || key >= FIRST_KEY + cli_option_count)
        return (char *)text;
    const option_row *row = &cli_option_rows[key - FIRST_KEY];
    json_t *value = row->kind == KIND_FLAG ? NULL : cli_option_get(&parse->defaults, row);
    const bool of_run = row->keeping != PASSING && (parse->command->verb & CLI_READS_RUN);
    /* An option whose default is none of its values is off. */
    const bool is_off = json_is_real(value) && json_real_value(value) < row->low;
    char number[64];
    cli_option_json_text(number, sizeof number, value);
    if (json_is_real(value))
        snprintf(number, sizeof number, "%g", json_real_value(value));
    char *described = malloc(strlen(text) + sizeof number + 64);
    if (described != NULL && of_run && strstr(text, "default") == NULL)
        sprintf(described, "%s (default: the run's)", text);
    else if (described != NULL && parse->command->verb == CLI_VERB_BENCHMARK &&
             cli_option_has_own_default(row))
        sprintf(described, "%s (default: each method's)", text);
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
    struct argp_option table[CLI_MAX_ROWS + sizeof group_titles / sizeof *group_titles + 1];
    int n = 0, last_group = -1;
    for (int i = 0; i < cli_option_count; i++) {
        if (!(cli_option_rows[i].verbs & (int)command->verb))
            continue;
        const int group = (int)cli_option_rows[i].group;
        if (group != last_group)
            table[n++] = (struct argp_option){.doc = group_titles[group], .group = group + 1};
        last_group = group;
        table[n++] = (struct argp_option){.name = cli_option_rows[i].name,
                                          .key = FIRST_KEY + i,
                                          .arg = cli_option_rows[i].argument,
                                          .doc = cli_option_rows[i].help,
                                          .group = group + 1};
    }
    table[n] = (struct argp_option){0};
    const struct argp argp = {.options = table,
                              .parser = parse_key,
                              .args_doc = command->arguments,
                              .doc = command->doc,
                              .help_filter = describe_default};
    if (command->takes_inputs)
        options->inputs = calloc((size_t)argc, sizeof *options->inputs);
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
enum { MOST_OWN_DEFAULTS = 5 };
typedef struct own_default {
    const char *option; /* NULL after the last */
    double value;
} own_default;

static const own_default own_defaults[][MOST_OWN_DEFAULTS + 1] = {
    [ANO_METHOD_PATCH] = {{"epochs", 100}, {"rate", 5e-4}, {"beta1", 0.9}, {"base-width", 32}},
    [ANO_METHOD_VAE] = {{"epochs", 6}, {"rate", 1e-3}, {"base-width", 32}},
    [ANO_METHOD_ENCODER] =
        {{"epochs", 30}, {"rate", 5e-4}, {"beta1", 0}, {"beta2", 0.9}, {"base-width", 32}},
};
enum { OWN_DEFAULTS = sizeof own_defaults / sizeof *own_defaults }; /* methods */

/* The method's own default of an option, NULL where it has none. */
static const own_default *find_own_default(const option_row *row, ano_method method)
{
    if ((int)method >= OWN_DEFAULTS)
        return NULL;
    for (const own_default *own = own_defaults[method]; own->option != NULL; own++)
        if (strcmp(own->option, row->name) == 0)
            return own;
    return NULL;
}

static bool is_of_search(const option_row *row)
{
    const size_t begin = offsetof(cli_options, search), end = begin + sizeof(ano_score_options);
    return row->kind == KIND_POOL || (row->offset >= begin && row->offset < end);
}

bool cli_option_has_own_default(const option_row *row)
{
    if (is_of_search(row))
        return true;
    for (int method = 0; method < OWN_DEFAULTS; method++)
        if (find_own_default(row, (ano_method)method) != NULL)
            return true;
    return false;
}

/* The search's defaults for a method, in place of what is not given. */
static void take_search_defaults(cli_options *options, ano_method method)
{
    const ano_score_options given = options->search;
    options->search = ano_score_options_of(method);
    options->search.method = given.method;
    for (int i = 0; i < cli_option_count; i++) {
        const option_row *row = &cli_option_rows[i];
        const size_t at = row->offset - offsetof(cli_options, search);
        if (!options->given[i] || !is_of_search(row))
            continue;
        if (row->kind == KIND_POOL) {
            options->search.pool = given.pool;
            options->search.pool_share = given.pool_share;
        } else
            memcpy((char *)&options->search + at, (const char *)&given + at,
                   row->kind == KIND_REAL ? sizeof(double) : sizeof(int));
    }
}

void cli_options_take_search(cli_options *options, ano_method method)
{
    take_search_defaults(options, method);
    options->search.method = method;
}

void cli_options_take_method(cli_options *options, ano_method method)
{
    options->method = 1 + (int)method;
    options->model.method = method;
    take_search_defaults(options, method);
    for (int i = 0; i < cli_option_count; i++) {
        const option_row *row = &cli_option_rows[i];
        const own_default *own = find_own_default(row, method);
        void *field = (char *)options + row->offset;
        if (own == NULL || options->given[i])
            continue;
        if (row->kind == KIND_WHOLE)
            *(int *)field = (int)own->value;
        else
            *(double *)field = own->value;
    }
}

ano_method cli_options_trained_method(const cli_options *options)
{
    if (options->method > 0)
        return (ano_method)(options->method - 1);
    return options->tile > 0 ? ANO_METHOD_PATCH : ANO_METHOD_VAE;
}

void cli_options_settle_epochs(cli_options *options, size_t n_images)
{
    enum { IMAGES = 4800, MOST = 20 };
    const bool is_by_steps =
        options->model.method == ANO_METHOD_VAE || options->model.method == ANO_METHOD_ENCODER;
    if (!is_by_steps || cli_options_given(options, "epochs") || n_images >= IMAGES)
        return;
    const size_t n = n_images * MOST > IMAGES ? n_images : IMAGES / MOST;
    options->train.epochs = (int)(((size_t)options->train.epochs * IMAGES + n - 1) / n);
}

bool cli_options_given(const cli_options *options, const char *name)
{
    for (int i = 0; i < cli_option_count; i++)
        if (options->given[i] && strcmp(cli_option_rows[i].name, name) == 0)
            return true;
    return false;
}

const char *cli_options_fixed_given(const cli_options *options, cli_verb verb)
{
    for (int i = 0; i < cli_option_count; i++)
        if (is_fixed(&cli_option_rows[i], verb) && options->given[i])
            return cli_option_rows[i].name;
    return NULL;
}

const char *cli_options_methods(void)
{
    int i = 0;
    while (cli_option_rows[i].offset != offsetof(cli_options, search.method))
        i++;
    return cli_option_rows[i].argument;
}

bool cli_options_method(ano_method *out, const char *name)
{
    const int found = cli_option_find_word(cli_options_methods(), name);
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
    switch (options->model.method) {
    case ANO_METHOD_PATCH:
        return 1U << ANO_MEMORY_HISTOGRAMS | 1U << ANO_MEMORY_RANDOM | 1U << ANO_MEMORY_FEATURES;
    case ANO_METHOD_VAE:
        return 1U << ANO_MEMORY_HISTOGRAMS | 1U << ANO_MEMORY_FEATURES |
               1U << ANO_MEMORY_TRANSFORMS;
    default:
        return 0;
    }
}

ano_score_options cli_options_search(const cli_options *options)
{
    ano_score_options search = options->search;
    search.seed = options->seed;
    search.threads = options->threads;
    return search;
}
