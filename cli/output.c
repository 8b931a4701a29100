#include "cli/output.h"

#include "report/text.h"

#include <jansson.h>
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

static void print_json(json_t *object)
{
    if (object != NULL)
        json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    json_decref(object);
    putchar('\n');
    fflush(stdout);
}

void cli_output_begin(bool json, bool z_distance)
{
    if (!json)
        printf("path,class,score,p_value,decision,seconds%s\n", z_distance ? ",z_distance" : "");
}

static void print_line_as_json(const cli_line *line)
{
    json_t *object = json_pack("{so ss}", "path", text_as_json(line->path), "class", "");
    json_object_set_new(object, "class", text_as_json(line->class_name));
    if (line->error != NULL) {
        json_object_set_new(object, "error", text_as_json(line->error));
    } else {
        const bool known = line->decision != NULL;
        json_object_set_new(object, "score", json_real(line->score));
        json_object_set_new(object, "p_value", known ? json_real(line->p_value) : json_null());
        json_object_set_new(object, "decision", known ? json_string(line->decision) : json_null());
        json_object_set_new(object, "seconds", json_real(line->seconds));
        if (line->has_z_distance)
            json_object_set_new(object, "z_distance", json_real(line->z_distance));
    }
    print_json(object);
}

void cli_output_line(const cli_line *line, bool json)
{
    if (json) {
        print_line_as_json(line);
        return;
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
    fflush(stdout);
}

void cli_output_end(const cli_summary *summary, bool json)
{
    if (!json)
        return;
    json_t *object = json_pack("{sI sI sI sf}", "scored", (json_int_t)summary->n_scored,
                               "anomalous", (json_int_t)summary->n_anomalous, "skipped",
                               (json_int_t)summary->n_skipped, "seconds", summary->seconds);
    if (object != NULL && summary->calibrated)
        json_object_update_new(object,
                               json_pack("{sf sf sb sf}", "alpha", summary->alpha, "threshold",
                                         summary->threshold, "drift", summary->drift,
                                         "drift_evidence", summary->drift_evidence));
    print_json(json_pack("{so}", "summary", object));
}
