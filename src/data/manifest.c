#include "data/manifest.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_FIELDS = 64 };

/* A row under way, and where the reader is. */
typedef struct csv_row {
    FILE *file;
    const char *path;              /* of the file, for messages */
    size_t line, next_line;        /* where the row begins, and where the next character is */
    char text[DATA_MANIFEST_LINE]; /* the fields, each ended by a NUL */
    size_t length;
    const char *fields[MAX_FIELDS];
    size_t n_fields; /* 0: the file has ended */
} csv_row;

/* ---- RFC 4180 ----------------------------------------------------------------------------- */

static ano_status refuse(const csv_row *row, const char *what, ano_error *err)
{
    return base_error(err, ANO_FORMAT, "%s:%zu: %s", row->path, row->line, what);
}

static ano_status put(csv_row *row, int c, ano_error *err)
{
    if (row->length == sizeof row->text)
        return base_error(err, ANO_FORMAT, "%s:%zu: is longer than %d bytes", row->path, row->line,
                          DATA_MANIFEST_LINE);
    row->text[row->length++] = (char)c;
    return ANO_OK;
}

/* The next character; the two that end a line are one. */
static int next(csv_row *row)
{
    int c = getc(row->file);
    if (c == '\r') {
        const int following = getc(row->file);
        if (following == '\n')
            c = '\n';
        else
            ungetc(following, row->file);
    }
    row->next_line += c == '\n';
    return c;
}

/* Reads a field up to what ends it, which goes to *end: a comma, a newline or EOF. */
static ano_status read_field(csv_row *row, int *end, ano_error *err)
{
    if (row->n_fields == MAX_FIELDS)
        return refuse(row, "has too many columns", err);
    row->fields[row->n_fields++] = row->text + row->length;
    ano_status status = ANO_OK;
    int c = next(row);
    if (c == '"') {
        for (c = next(row); status == ANO_OK; c = next(row)) {
            if (c == '"' && (c = next(row)) != '"') /* two stand for one */
                break;
            if (c == EOF)
                return refuse(row, "a quote is not closed", err);
            status =
                c == '\0' ? refuse(row, "holds a NUL, which no text does", err) : put(row, c, err);
        }
        if (status == ANO_OK && c != ',' && c != '\n' && c != EOF)
            status = refuse(row, "has text behind a closing quote", err);
    } else {
        for (; status == ANO_OK && c != ',' && c != '\n' && c != EOF; c = next(row))
            status = c == '"'    ? refuse(row, "has a quote in a field that begins with none", err)
                     : c == '\0' ? refuse(row, "holds a NUL, which no text does", err)
                                 : put(row, c, err);
    }
    *end = c;
    return status == ANO_OK ? put(row, '\0', err) : status;
}

/* Reads the next row that is not empty. */
static ano_status read_row(csv_row *row, ano_error *err)
{
    ano_status status = ANO_OK;
    int end;
    do {
        row->line = row->next_line;
        row->n_fields = row->length = 0;
        do
            status = read_field(row, &end, err);
        while (status == ANO_OK && end == ',');
        if (status != ANO_OK)
            return status;
        if (ferror(row->file))
            return base_error_errno(err, errno, row->path, "the manifest cannot be read");
        if (row->length == 1 && end == EOF)
            row->n_fields = 0;
        else if (row->line > DATA_MANIFEST_LINES)
            return refuse(row, "is one line too many", err);
    } while (row->length == 1 && end != EOF);
    return ANO_OK;
}

/* ---- columns ------------------------------------------------------------------------------ */

typedef enum csv_column { PATH, LABEL, SPLIT, MASK, N_COLUMNS } csv_column;

static const char *const column_names[] = {"path", "label", "split", "mask"};

/* Where each column is. */
typedef struct csv_header {
    size_t n_fields, at[N_COLUMNS]; /* MAX_FIELDS: there is none */
} csv_header;

static void skip_byte_order_mark(FILE *file)
{
    if (getc(file) != 0xef || getc(file) != 0xbb || getc(file) != 0xbf)
        rewind(file);
}

static ano_status read_header(csv_header *header, csv_row *row, ano_error *err)
{
    skip_byte_order_mark(row->file);
    ano_status status = read_row(row, err);
    if (status != ANO_OK)
        return status;
    header->n_fields = row->n_fields;
    for (csv_column c = PATH; c < N_COLUMNS; c++) {
        header->at[c] = MAX_FIELDS;
        for (size_t i = 0; i < row->n_fields; i++) {
            if (strcmp(row->fields[i], column_names[c]) != 0)
                continue;
            if (header->at[c] != MAX_FIELDS)
                return base_error(err, ANO_FORMAT, "%s:%zu: names the column %s twice", row->path,
                                  row->line, column_names[c]);
            header->at[c] = i;
        }
    }
    if (header->at[PATH] == MAX_FIELDS || header->at[LABEL] == MAX_FIELDS)
        return refuse(row,
                      "the first line must name the columns path and label, and may name split "
                      "and mask",
                      err);
    return ANO_OK;
}

static const char *field(const csv_row *row, const csv_header *header, csv_column column)
{
    return header->at[column] == MAX_FIELDS ? "" : row->fields[header->at[column]];
}

/* ---- rows --------------------------------------------------------------------------------- */

static bool leaves_folder(const char *path)
{
    if (*path == '/')
        return true;
    for (; *path != '\0'; path += strspn(path, "/")) {
        const size_t length = strcspn(path, "/");
        if (length == 2 && strncmp(path, "..", 2) == 0)
            return true;
        path += length;
    }
    return false;
}

/* *path = a field's path, NULL where it is empty; freed by the caller. */
static ano_status resolve(char **path, const csv_row *row, const char *relative, bool allow_outside,
                          ano_error *err)
{
    *path = NULL;
    if (*relative == '\0')
        return ANO_OK;
    if (leaves_folder(relative) && !allow_outside)
        return base_error(err, ANO_FORMAT,
                          "%s:%zu: %.200s is not in the manifest's folder, to which paths are "
                          "relative; the option allow-outside lets them leave it",
                          row->path, row->line, relative);
    if (*relative == '/')
        return (*path = base_strdup(relative)) != NULL ? ANO_OK : base_error_nomem(err, row->path);
    const char *slash = strrchr(row->path, '/');
    const size_t folder = slash != NULL ? (size_t)(slash + 1 - row->path) : 0;
    *path = base_alloc(folder + strlen(relative) + 1, 1);
    if (*path == NULL)
        return base_error_nomem(err, row->path);
    memcpy(*path, row->path, folder);
    strcpy(*path + folder, relative);
    return ANO_OK;
}

static ano_status add_row(data_list *list, const csv_row *row, const csv_header *header,
                          ano_split split, bool allow_outside, ano_error *err)
{
    static const char *const splits[] = {[ANO_SPLIT_TRAIN] = "train", [ANO_SPLIT_TEST] = "test"};
    if (row->n_fields != header->n_fields)
        return base_error(err, ANO_FORMAT, "%s:%zu: has %zu columns, but the first line names %zu",
                          row->path, row->line, row->n_fields, header->n_fields);
    const char *label = field(row, header, LABEL), *in = field(row, header, SPLIT);
    if (*field(row, header, PATH) == '\0' || *label == '\0')
        return refuse(row, "the path or the label is missing", err);
    if (*in != '\0' && strcmp(in, splits[0]) != 0 && strcmp(in, splits[1]) != 0)
        return base_error(err, ANO_FORMAT, "%s:%zu: split '%s' is neither train nor test",
                          row->path, row->line, in);
    if (strcmp(label, "0") == 0 || strcmp(label, "1") == 0)
        label = *label == '0' ? "normal" : "anomalous";
    list->has_splits = list->has_splits || *in != '\0';
    char *path = NULL, *mask = NULL;
    size_t class_id;
    ano_status status = data_list_class(&class_id, list, label, err);
    if (status != ANO_OK)
        base_error_context(err, "%s:%zu", row->path, row->line);
    if (status == ANO_OK)
        status = resolve(&path, row, field(row, header, PATH), allow_outside, err);
    if (status == ANO_OK)
        status = resolve(&mask, row, field(row, header, MASK), allow_outside, err);
    if (status == ANO_OK && (*in == '\0' || strcmp(in, splits[split]) == 0))
        status = data_list_add(list, path, mask, 0, class_id, err);
    base_free(path);
    base_free(mask);
    return status;
}

ano_status data_manifest_read(data_list *list, FILE *file, const char *path, ano_split split,
                              bool allow_outside, ano_error *err)
{
    csv_row row = {.file = file, .path = path, .line = 1, .next_line = 1};
    csv_header header;
    ano_status status = read_header(&header, &row, err);
    while (status == ANO_OK && (status = read_row(&row, err)) == ANO_OK && row.n_fields > 0)
        status = add_row(list, &row, &header, split, allow_outside, err);
    return status;
}

ano_status data_manifest_open(data_list *list, const char *path, ano_split split,
                              bool allow_outside, ano_error *err)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return base_error_errno(err, errno, path, "the manifest cannot be opened");
    const ano_status status = data_manifest_read(list, file, path, split, allow_outside, err);
    fclose(file);
    return status;
}
