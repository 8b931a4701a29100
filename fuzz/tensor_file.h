/* A good file of tensors, to be spoilt: its parts, and what is made of some of them and others. */
#ifndef FUZZ_TENSOR_FILE_H
#define FUZZ_TENSOR_FILE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tensor_file {
    json_t *header;
    uint8_t *data;
    size_t data_size;
} tensor_file;

/* Takes the safetensors file at `path` apart; aborts where it is none. */
tensor_file tensor_file_open(const char *path);

/* The good data behind that header. Returns the path of the file that is made. */
const char *tensor_file_with_header(const tensor_file *good, const char *header, size_t length);
/* The good file with that text as its metadata, NULL where that is not UTF-8. */
const char *tensor_file_with_metadata(const tensor_file *good, const char *text, size_t length);

#endif
