/* safetensors: see the header for the layout and its source. The JSON header is built and taken
 * apart by jansson; the names and the metadata that a read file lends live in its JSON tree. */
#include "format/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Numbers are copied between file and memory as they are. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors are little-endian");
_Static_assert(sizeof(float) == 4, "F32 takes four bytes");

#define METADATA_FIELD "__metadata__"
#define METADATA_KEY "anogan"

enum {
    LENGTH_SIZE = 8,             /* of the field that precedes the header */
    MAX_HEADER_SIZE = 100000000, /* the format's own limit */
    SHAPE_TEXT_SIZE = 24 * FORMAT_MAX_DIMS + 3
};

struct format_safetensors {
    char *path;
    json_t *header;
    const char *metadata;
    format_tensor *tensors;
    size_t n_tensors;
    float *data;
};

/* Where a tensor lies, in bytes from the start of the data. */
typedef struct entry {
    format_tensor tensor;
    size_t begin, end;
} entry;

static const char *shape_text(char text[SHAPE_TEXT_SIZE], int n_dims, const size_t *dims)
{
    size_t length = (size_t)snprintf(text, SHAPE_TEXT_SIZE, "[");
    for (int i = 0; i < n_dims; i++)
        length += (size_t)snprintf(text + length, SHAPE_TEXT_SIZE - length, "%s%zu",
                                   i > 0 ? ", " : "", dims[i]);
    snprintf(text + length, SHAPE_TEXT_SIZE - length, "]");
    return text;
}

/* The bytes of a tensor of that shape; false when size_t cannot hold them. */
static bool shape_size(size_t *size, int n_dims, const size_t *dims)
{
    *size = sizeof(float);
    for (int i = 0; i < n_dims; i++)
        if (__builtin_mul_overflow(*size, dims[i], size))
            return false;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------ */

static json_t *json_sizes(const size_t *sizes, int n)
{
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        if (json_array_append_new(array, json_integer((json_int_t)sizes[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static ano_status header_add(json_t *header, const format_tensor *tensor, size_t *offset,
                             const char *path, ano_error *err)
{
    const char *name = tensor->name;
    if (*name == '\0' || strcmp(name, METADATA_FIELD) == 0)
        return base_error(err, ANO_ARG, "%s: '%s' cannot name a tensor", path, name);
    if (json_object_get(header, name) != NULL)
        return base_error(err, ANO_ARG, "%s: two tensors have the name '%s'", path, name);
    if (tensor->n_dims < 0 || tensor->n_dims > FORMAT_MAX_DIMS)
        return base_error(err, ANO_ARG, "%s: tensor '%s': %d dimensions, at most %d are possible",
                          path, name, tensor->n_dims, FORMAT_MAX_DIMS);
    size_t size, offsets[2] = {*offset, 0};
    if (!shape_size(&size, tensor->n_dims, tensor->dims) ||
        __builtin_add_overflow(*offset, size, &offsets[1]))
        return base_error(err, ANO_ARG, "%s: tensor '%s': its size overflows", path, name);
    json_t *shape = json_sizes(tensor->dims, tensor->n_dims);
    json_t *data_offsets = json_sizes(offsets, 2);
    json_error_t why;
    json_t *field = json_pack_ex(&why, 0, "{s:{s:s, s:o, s:o}}", name, "dtype", "F32", "shape",
                                 shape, "data_offsets", data_offsets);
    if (field == NULL && json_error_code(&why) == json_error_invalid_utf8)
        return base_error(err, ANO_ARG, "%s: tensor '%s': the name is not UTF-8", path, name);
    if (json_object_update_new(header, field) != 0)
        return base_error_nomem(err, path);
    *offset = offsets[1];
    return ANO_OK;
}

static ano_status header_text(char **out, const format_tensor *tensors, size_t n,
                              const char *metadata, const char *path, ano_error *err)
{
    ano_status status = ANO_OK;
    size_t offset = 0;
    json_error_t why;
    json_t *header = metadata != NULL ? json_pack_ex(&why, 0, "{s:{s:s}}", METADATA_FIELD,
                                                     METADATA_KEY, metadata)
                                      : json_object();
    if (header == NULL)
        return metadata != NULL && json_error_code(&why) == json_error_invalid_utf8
                   ? base_error(err, ANO_ARG, "%s: the metadata is not UTF-8", path)
                   : base_error_nomem(err, path);
    for (size_t i = 0; i < n && status == ANO_OK; i++)
        status = header_add(header, &tensors[i], &offset, path, err);
    if (status == ANO_OK && (*out = base_json_text(header, JSON_COMPACT)) == NULL)
        status = base_error_nomem(err, path);
    json_decref(header);
    return status;
}

ano_status format_safetensors_write(const char *path, const format_tensor *tensors, size_t n,
                                    const char *metadata, ano_error *err)
{
    char *header = NULL;
    base_file file = {0};
    ano_status status = header_text(&header, tensors, n, metadata, path, err);
    if (status != ANO_OK)
        goto done;
    status = base_file_create(&file, path, err);
    if (status != ANO_OK)
        goto done;
    /* Spaces after the header put the numbers at an aligned place for who maps the file. */
    const size_t length = strlen(header);
    const size_t padding =
        (BASE_ALIGNMENT - (LENGTH_SIZE + length) % BASE_ALIGNMENT) % BASE_ALIGNMENT;
    const uint64_t padded = length + padding;
    fwrite(&padded, LENGTH_SIZE, 1, file.stream);
    fwrite(header, 1, length, file.stream);
    fprintf(file.stream, "%*s", (int)padding, "");
    for (size_t i = 0; i < n; i++) {
        size_t size = 0;
        shape_size(&size, tensors[i].n_dims, tensors[i].dims);
        if (size > 0)
            fwrite(tensors[i].data, 1, size, file.stream);
    }
    status = base_file_commit(&file, err);
done:
    base_free(header);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool size_from_json(size_t *out, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (size_t)json_integer_value(value);
    return true;
}

/* One field of the header: "name": {"dtype": "F32", "shape": […], "data_offsets": [begin, end]}. */
static ano_status entry_parse(entry *dst, const char *name, json_t *fields, size_t data_size,
                              const char *path, ano_error *err)
{
    enum { DTYPE, SHAPE, OFFSETS, N_FIELDS };
    static const char *const field_names[] = {"dtype", "shape", "data_offsets"};
    const json_t *found[N_FIELDS];
    *dst = (entry){.tensor.name = name};
    for (int i = 0; i < N_FIELDS; i++)
        if ((found[i] = json_object_get(fields, field_names[i])) == NULL)
            return base_error(err, ANO_FORMAT, "%s: tensor '%s': %s is missing", path, name,
                              field_names[i]);
    if (json_object_size(fields) > N_FIELDS)
        return base_error(err, ANO_FORMAT,
                          "%s: tensor '%s': has fields besides dtype, shape and data_offsets", path,
                          name);
    const char *dtype = json_string_value(found[DTYPE]);
    const json_t *shape = found[SHAPE], *offsets = found[OFFSETS];
    if (dtype == NULL)
        return base_error(err, ANO_FORMAT, "%s: tensor '%s': dtype is not a text", path, name);
    if (strcmp(dtype, "F32") != 0)
        return base_error(err, ANO_UNSUPPORTED,
                          "%s: tensor '%s': dtype is %s, only F32 can be read", path, name, dtype);

    if (!json_is_array(shape))
        return base_error(err, ANO_FORMAT, "%s: tensor '%s': shape is not an array", path, name);
    const size_t n_dims = json_array_size(shape);
    if (n_dims > FORMAT_MAX_DIMS)
        return base_error(err, ANO_UNSUPPORTED,
                          "%s: tensor '%s': shape has %zu dimensions, at most %d can be read", path,
                          name, n_dims, FORMAT_MAX_DIMS);
    dst->tensor.n_dims = (int)n_dims;
    for (size_t i = 0; i < n_dims; i++)
        if (!size_from_json(&dst->tensor.dims[i], json_array_get(shape, i)))
            return base_error(err, ANO_FORMAT,
                              "%s: tensor '%s': shape: dimension %zu is not a whole number", path,
                              name, i);
    size_t size;
    if (!shape_size(&size, dst->tensor.n_dims, dst->tensor.dims))
        return base_error(err, ANO_FORMAT, "%s: tensor '%s': shape: its size overflows", path,
                          name);

    if (json_array_size(offsets) != 2 || !size_from_json(&dst->begin, json_array_get(offsets, 0)) ||
        !size_from_json(&dst->end, json_array_get(offsets, 1)))
        return base_error(err, ANO_FORMAT,
                          "%s: tensor '%s': data_offsets is not a pair of whole numbers", path,
                          name);
    if (dst->begin > dst->end || dst->end > data_size)
        return base_error(err, ANO_FORMAT,
                          "%s: tensor '%s': data_offsets [%zu, %zu] lie outside the file's %zu "
                          "bytes of data",
                          path, name, dst->begin, dst->end, data_size);
    if (dst->end - dst->begin != size) {
        char text[SHAPE_TEXT_SIZE];
        return base_error(err, ANO_FORMAT,
                          "%s: tensor '%s': data_offsets span %zu bytes, shape %s takes %zu", path,
                          name, dst->end - dst->begin,
                          shape_text(text, dst->tensor.n_dims, dst->tensor.dims), size);
    }
    return ANO_OK;
}

static int entry_compare(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

/* The entries, sorted by place, must follow one another and fill the data. */
static ano_status entries_check_places(const entry *entries, size_t n, size_t data_size,
                                       const char *path, ano_error *err)
{
    size_t end = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = entries[i].tensor.name;
        if (entries[i].begin < end)
            return base_error(err, ANO_FORMAT,
                              "%s: tensor '%s': data_offsets overlap those of tensor '%s'", path,
                              name, entries[i - 1].tensor.name);
        if (entries[i].begin > end)
            return base_error(err, ANO_FORMAT,
                              "%s: tensor '%s': data_offsets leave a hole of %zu bytes before it",
                              path, name, entries[i].begin - end);
        end = entries[i].end;
    }
    if (end != data_size)
        return base_error(err, ANO_FORMAT, "%s: %zu trailing bytes after the last tensor", path,
                          data_size - end);
    return ANO_OK;
}

static ano_status metadata_parse(const char **out, const json_t *fields, const char *path,
                                 ano_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(fields))
        return base_error(err, ANO_FORMAT, "%s: " METADATA_FIELD " is not an object", path);
    json_object_foreach((json_t *)fields, key, value) if (!json_is_string(value)) return base_error(
        err, ANO_FORMAT, "%s: " METADATA_FIELD ": '%s' is not a string", path, key);
    *out = json_string_value(json_object_get(fields, METADATA_KEY));
    return ANO_OK;
}

/* Fills the file's metadata and tensors from its JSON header. */
static ano_status header_parse(format_safetensors *file, size_t data_size, ano_error *err)
{
    ano_status status = ANO_OK;
    const size_t n_fields = json_object_size(file->header);
    size_t n = 0;
    entry *entries = base_alloc(n_fields, sizeof *entries);
    file->tensors = base_alloc(n_fields, sizeof *file->tensors);
    if (entries == NULL || file->tensors == NULL) {
        status = base_error_nomem(err, file->path);
        goto done;
    }
    const char *name;
    json_t *fields;
    json_object_foreach(file->header, name, fields)
    {
        status = strcmp(name, METADATA_FIELD) == 0
                     ? metadata_parse(&file->metadata, fields, file->path, err)
                     : entry_parse(&entries[n++], name, fields, data_size, file->path, err);
        if (status != ANO_OK)
            goto done;
    }
    qsort(entries, n, sizeof *entries, entry_compare);
    status = entries_check_places(entries, n, data_size, file->path, err);
    if (status != ANO_OK)
        goto done;
    for (size_t i = 0; i < n; i++) {
        file->tensors[i] = entries[i].tensor;
        file->tensors[i].data = file->data + entries[i].begin / sizeof(float);
    }
    file->n_tensors = n;
done:
    base_free(entries);
    return status;
}

/* Takes the bytes apart into header and data, sizes checked. */
static ano_status bytes_split(json_t **header, const unsigned char **data, size_t *data_size,
                              const unsigned char *bytes, size_t size, const char *path,
                              ano_error *err)
{
    if (size < LENGTH_SIZE)
        return base_error(err, ANO_FORMAT, "%s: %zu bytes are too few for a safetensors file", path,
                          size);
    uint64_t length;
    memcpy(&length, bytes, LENGTH_SIZE);
    if (length > size - LENGTH_SIZE || length > MAX_HEADER_SIZE)
        return base_error(err, ANO_FORMAT,
                          "%s: header length: %llu bytes do not fit the file's %zu: truncated, or "
                          "not a safetensors file",
                          path, (unsigned long long)length, size);
    const char *text = (const char *)bytes + LENGTH_SIZE;
    if (length == 0 || *text != '{')
        return base_error(err, ANO_FORMAT, "%s: header: does not begin with '{'", path);
    json_error_t why;
    const ano_status status = base_json_read(header, text, (size_t)length, &why);
    if (status != ANO_OK)
        return status == ANO_NOMEM ? base_error_nomem(err, path)
                                   : base_error(err, status, "%s: header: byte %d: %s", path,
                                                why.position, why.text);
    *data = bytes + LENGTH_SIZE + length;
    *data_size = size - LENGTH_SIZE - (size_t)length;
    return ANO_OK;
}

ano_status format_safetensors_parse(format_safetensors **out, const void *bytes, size_t size,
                                    const char *path, ano_error *err)
{
    *out = NULL;
    const unsigned char *data;
    size_t data_size;
    format_safetensors *file = base_alloc(1, sizeof *file);
    if (file == NULL)
        return base_error_nomem(err, path);
    ano_status status = bytes_split(&file->header, &data, &data_size, bytes, size, path, err);
    if (status != ANO_OK)
        goto done;
    file->path = base_strdup(path);
    /* A copy, because a header of any length may precede the numbers: here they are aligned. */
    file->data = base_alloc(data_size, 1);
    if (file->path == NULL || file->data == NULL) {
        status = base_error_nomem(err, path);
        goto done;
    }
    memcpy(file->data, data, data_size);
    status = header_parse(file, data_size, err);
done:
    if (status != ANO_OK)
        format_safetensors_free(file);
    else
        *out = file;
    return status;
}

ano_status format_safetensors_open(format_safetensors **out, const char *path, ano_error *err)
{
    char *bytes;
    size_t size;
    *out = NULL;
    ano_status status = base_file_read(&bytes, &size, path, err);
    if (status == ANO_OK)
        status = format_safetensors_parse(out, bytes, size, path, err);
    base_free(bytes);
    return status;
}

void format_safetensors_free(format_safetensors *file)
{
    if (file == NULL)
        return;
    json_decref(file->header);
    base_free(file->path);
    base_free(file->tensors);
    base_free(file->data);
    base_free(file);
}

const char *format_safetensors_metadata(const format_safetensors *file)
{
    return file->metadata;
}

size_t format_safetensors_count(const format_safetensors *file)
{
    return file->n_tensors;
}

const format_tensor *format_safetensors_at(const format_safetensors *file, size_t i)
{
    return &file->tensors[i];
}

static const format_tensor *tensor_find(const format_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

static bool shape_equal(const format_tensor *tensor, int n_dims, const size_t *dims)
{
    if (tensor->n_dims != n_dims)
        return false;
    for (int i = 0; i < n_dims; i++)
        if (tensor->dims[i] != dims[i])
            return false;
    return true;
}

ano_status format_safetensors_check(const format_safetensors *file, const char *name, int n_dims,
                                    const size_t *dims, ano_error *err)
{
    const format_tensor *tensor = tensor_find(file, name);
    if (tensor == NULL)
        return base_error(err, ANO_FORMAT, "%s: tensor '%s' is missing", file->path, name);
    if (!shape_equal(tensor, n_dims, dims)) {
        char found[SHAPE_TEXT_SIZE], expected[SHAPE_TEXT_SIZE];
        return base_error(err, ANO_SHAPE, "%s: tensor '%s': shape is %s, expected %s", file->path,
                          name, shape_text(found, tensor->n_dims, tensor->dims),
                          shape_text(expected, n_dims, dims));
    }
    return ANO_OK;
}

ano_status format_safetensors_copy(float *dst, const format_safetensors *file, const char *name,
                                   int n_dims, const size_t *dims, ano_error *err)
{
    const ano_status status = format_safetensors_check(file, name, n_dims, dims, err);
    size_t size = 0;
    if (status != ANO_OK)
        return status;
    shape_size(&size, n_dims, dims);
    memcpy(dst, tensor_find(file, name)->data, size);
    return ANO_OK;
}
