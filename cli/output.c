#include "cli/output.h"

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/text.h"

#include <stdio.h>

enum { DIGITS = 9 }; /* hold a float exactly */

/* File names are bytes, JSON is UTF-8: what is none becomes U+FFFD. */
static json_t *text_as_json(const char *text)
{
    json_t *plain = json_string(text);
    if (plain != NULL)
        return plain;
    char clean[4096];
    size_t n = 0;
    while (*text != '\0' && n + 4 < sizeof clean)
        n += (size_t)report_text_encode(clean + n, report_text_next(&text));
    return json_stringn(clean, n);
}

ano_status cli_output_flush(ano_error *err)
{
    return fflush(stdout) == 0 && !ferror(stdout)
               ? ANO_OK
               : base_error(err, ANO_IO, "standard output cannot be written: its disk may be full");
}

ano_status cli_output_json(const json_t *value, size_t flags, ano_error *err)
{
    char *text = base_json_text(value, flags | JSON_REAL_PRECISION(DIGITS));
    if (text == NULL)
        return base_error_nomem(err, "what is to be printed");
    puts(text);
    base_free(text);
    return cli_output_flush(err);
}

void cli_output_begin(bool json, bool z_distance)
{
    if (!json)
        printf("path,class,score,p_value,decision,seconds%s\n", z_distance ? ",z_distance" : "");
}

static json_t *line_as_json(const cli_line *line)
{
    json_t *path = text_as_json(line->path), *class_name = text_as_json(line->class_name);
    if (line->error != NULL)
        return json_pack("{so so so}", "path", path, "class", class_name, "error",
                         text_as_json(line->error));
    const bool known = line->decision != NULL;
    json_t *object =
        json_pack("{so so sf so so sf}", "path", path, "class", class_name, "score", line->score,
                  "p_value", known ? json_real(line->p_value) : json_null(), "decision",
                  known ? json_string(line->decision) : json_null(), "seconds", line->seconds);
    if (object != NULL && line->has_z_distance &&
        json_object_set_new(object, "z_distance", json_real(line->z_distance)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

ano_status cli_output_line(const cli_line *line, bool json, ano_error *err)
{
    if (json) {
        json_t *object = line_as_json(line);
        const ano_status status = cli_output_json(object, JSON_COMPACT, err);
        json_decref(object);
        return status;
    }
    report_csv_field(stdout, line->path);
    putchar(',');
    report_csv_field(stdout, line->class_name);
    if (line->error != NULL)
        fputs(",,,unreadable,", stdout);
    else if (line->decision == NULL)
        printf(",%.*g,,,%.3f", DIGITS, line->score, line->seconds);
    else
        printf(",%.*g,%.6g,%s,%.3f", DIGITS, line->score, line->p_value, line->decision,
               line->seconds);
    if (line->has_z_distance && line->error != NULL)
        putchar(',');
    else if (line->has_z_distance)
        printf(",%.*g", DIGITS, line->z_distance);
    putchar('\n');
    return cli_output_flush(err);
}

ano_status cli_output_end(const cli_summary *summary, bool json, ano_error *err)
{
    if (!json)
        return ANO_OK;
    json_t *object = json_pack("{sI sI sI sf}", "scored", (json_int_t)summary->n_scored,
                               "anomalous", (json_int_t)summary->n_anomalous, "skipped",
                               (json_int_t)summary->n_skipped, "seconds", summary->seconds);
    if (object != NULL && summary->calibrated &&
        json_object_update_new(object,
                               json_pack("{sf sf sb sf}", "alpha", summary->alpha, "threshold",
                                         summary->threshold, "drift", summary->drift,
                                         "drift_evidence", summary->drift_evidence)) != 0) {
        json_decref(object);
        object = NULL;
    }
    object = json_pack("{so}", "summary", object);
    const ano_status status = cli_output_json(object, JSON_COMPACT, err);
    json_decref(object);
    return status;
}
