#include "tensor_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>

tensor_file tensor_file_open(const char *path)
{
    char *bytes;
    size_t size;
    uint64_t length;
    tensor_file good;
    if (base_file_read(&bytes, &size, path, NULL) != ANO_OK)
        abort();
    memcpy(&length, bytes, sizeof length);
    good.header = json_loadb(bytes + sizeof length, (size_t)length, 0, NULL);
    good.data_size = size - sizeof length - (size_t)length;
    good.data = malloc(good.data_size);
    if (good.header == NULL || good.data == NULL)
        abort();
    memcpy(good.data, bytes + sizeof length + length, good.data_size);
    base_free(bytes);
    return good;
}

const char *tensor_file_with_header(const tensor_file *good, const char *header, size_t length)
{
    const uint64_t stored = length;
    const size_t size = sizeof stored + length + good->data_size;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        abort();
    memcpy(bytes, &stored, sizeof stored);
    if (length > 0)
        memcpy(bytes + sizeof stored, header, length);
    memcpy(bytes + sizeof stored + length, good->data, good->data_size);
    const char *path = fuzz_memory_file(bytes, size);
    free(bytes);
    return path;
}

const char *tensor_file_with_metadata(const tensor_file *good, const char *text, size_t length)
{
    json_t *metadata = json_stringn(text, length);
    json_t *header = json_copy(good->header);
    if (metadata == NULL || header == NULL ||
        json_object_set_new(header, "__metadata__", json_pack("{s:o}", "anogan", metadata)) != 0) {
        json_decref(header);
        return NULL;
    }
    char *dump = json_dumps(header, JSON_COMPACT);
    const char *path = dump != NULL ? tensor_file_with_header(good, dump, strlen(dump)) : NULL;
    free(dump);
    json_decref(header);
    return path;
}
