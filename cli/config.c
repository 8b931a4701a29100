/* config.json: the options that repeat a run, or a benchmark, by their names on the command line.
 */
#include "cli/option_rows.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static ano_status load_option(cli_options *options, const option_row *row, json_t *value,
                              const char *path, ano_error *err)
{
    char number[64], expected[128];
    cli_option_json_text(number, sizeof number, value);
    const char *text = json_is_string(value) ? json_string_value(value) : number;
    /* A text is kept by reference, which lasts as long as the config does, but no number. */
    if (row->kind == KIND_TEXT && !json_is_string(value))
        return base_error(err, ANO_FORMAT, "%s: \"%s\" is not a text", path, row->name);
    if (!cli_option_set(options, row, text, expected, sizeof expected))
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
    for (int i = 0; i < cli_option_count && status == ANO_OK; i++) {
        json_t *value = json_object_get(config, cli_option_rows[i].name);
        if (cli_option_rows[i].keeping == PASSING || value == NULL)
            continue;
        status = load_option(options, &cli_option_rows[i], value, path, err);
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
    const bool of_verb = verb == CLI_VERB_BENCHMARK ? (row->verbs & CLI_VERB_BENCHMARK) ||
                                                          row->offset == offsetof(cli_options, data)
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
    for (int i = 0; i < cli_option_count && packed; i++) {
        /* A benchmark leaves to each of its methods what was not given. */
        const bool left_open = verb == CLI_VERB_BENCHMARK &&
                               cli_option_has_own_default(&cli_option_rows[i]) &&
                               !options->given[i];
        json_t *value = is_kept(&cli_option_rows[i], verb) && !left_open
                            ? cli_option_get(options, &cli_option_rows[i])
                            : json_null();
        packed =
            json_is_null(value) || json_object_set_new(config, cli_option_rows[i].name, value) == 0;
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
