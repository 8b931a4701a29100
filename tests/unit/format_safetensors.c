#include "format/safetensors.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/anogan_safetensors_XXXXXX";

static int make_place(void **state)
{
    (void)state;
    const int descriptor = mkstemp(path);
    return descriptor < 0 || close(descriptor) != 0;
}

static int remove_place(void **state)
{
    (void)state;
    return unlink(path);
}

static const float kernel[6] = {1, -2, 3.5f, 0, 1e-30f, -7};
static const float bias[1] = {0.25f};
static const format_tensor two_tensors[] = {
    {.name = "dense.kernel", .n_dims = 2, .dims = {2, 3}, .data = kernel},
    {.name = "bias", .n_dims = 1, .dims = {1}, .data = bias},
};

static format_safetensors *written(const format_tensor *tensors, size_t n, const char *metadata)
{
    ano_error err = ANO_ERROR_INIT;
    format_safetensors *file = NULL;
    format_safetensors_write(path, tensors, n, metadata, &err);
    assert_string_equal(err.message, "");
    format_safetensors_open(&file, path, &err);
    assert_string_equal(err.message, "");
    return file;
}

static void safetensors__gives_back_what_was_written(void **state)
{
    (void)state;
    const char *metadata = "{\"latent\": 30, \"name\": \"\xc3\xa9\"}";
    format_safetensors *file = written(two_tensors, 2, metadata);
    assert_string_equal(format_safetensors_metadata(file), metadata);
    assert_int_equal(format_safetensors_count(file), 2);
    for (size_t i = 0; i < 2; i++) {
        const format_tensor *tensor = format_safetensors_at(file, i);
        assert_string_equal(tensor->name, two_tensors[i].name);
        assert_int_equal(tensor->n_dims, two_tensors[i].n_dims);
        assert_memory_equal(tensor->dims, two_tensors[i].dims, sizeof tensor->dims);
    }
    assert_memory_equal(format_safetensors_at(file, 0)->data, kernel, sizeof kernel);
    assert_memory_equal(format_safetensors_at(file, 1)->data, bias, sizeof bias);
    format_safetensors_free(file);
}

static void safetensors__keeps_single_numbers_and_empty_tensors(void **state)
{
    (void)state;
    const format_tensor tensors[] = {
        {.name = "empty", .n_dims = 2, .dims = {0, 3}},
        {.name = "step", .n_dims = 0, .data = bias},
    };
    format_safetensors *file = written(tensors, 2, NULL);
    float step = 0;
    assert_null(format_safetensors_metadata(file));
    assert_int_equal(format_safetensors_copy(&step, file, "step", 0, NULL, NULL), ANO_OK);
    assert_true(step == bias[0]);
    assert_int_equal(format_safetensors_at(file, 0)->dims[1], 3);
    format_safetensors_free(file);
}

static void safetensors__begins_the_numbers_at_an_aligned_place(void **state)
{
    (void)state;
    for (size_t length = 1; length < 70; length++) {
        char name[80] = "";
        memset(name, 'n', length);
        const format_tensor tensor = {.name = name, .n_dims = 1, .dims = {1}, .data = bias};
        assert_int_equal(format_safetensors_write(path, &tensor, 1, NULL, NULL), ANO_OK);
        char *bytes;
        size_t size;
        uint64_t header_length;
        assert_int_equal(base_file_read(&bytes, &size, path, NULL), ANO_OK);
        memcpy(&header_length, bytes, sizeof header_length);
        assert_int_equal((sizeof header_length + header_length) % BASE_ALIGNMENT, 0);
        assert_int_equal(sizeof header_length + header_length + sizeof bias, size);
        base_free(bytes);
    }
}

static void copy__names_the_tensor_and_both_shapes_when_they_differ(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    float dst[6] = {0};
    format_safetensors *file = written(two_tensors, 2, NULL);
    format_safetensors_copy(dst, file, "dense.kernel", 2, (size_t[]){2, 3}, &err);
    assert_string_equal(err.message, "");
    assert_memory_equal(dst, kernel, sizeof kernel);
    format_safetensors_copy(dst, file, "dense.kernel", 2, (size_t[]){3, 2}, &err);
    assert_int_equal(err.status, ANO_SHAPE);
    assert_non_null(
        strstr(err.message, ": tensor 'dense.kernel': shape is [2, 3], expected [3, 2]"));
    assert_ptr_equal(strstr(err.message, path), err.message);
    assert_int_equal(format_safetensors_copy(dst, file, "bias", 2, (size_t[]){1, 1}, NULL),
                     ANO_SHAPE);
    format_safetensors_free(file);
}

static void copy__says_which_tensor_is_missing(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    float dst;
    format_safetensors *file = written(two_tensors, 2, NULL);
    format_safetensors_copy(&dst, file, "gamma", 1, (size_t[]){1}, &err);
    assert_int_equal(err.status, ANO_FORMAT);
    assert_non_null(strstr(err.message, ": tensor 'gamma' is missing"));
    format_safetensors_free(file);
}

static void write__refuses_what_could_not_be_read_back(void **state)
{
    (void)state;
    const struct {
        format_tensor tensors[2];
        const char *metadata, *message;
    } cases[] = {
        {{{.name = ""}}, NULL, "'' cannot name a tensor"},
        {{{.name = "__metadata__"}}, NULL, "'__metadata__' cannot name a tensor"},
        {{{.name = "a"}, {.name = "a"}}, NULL, "two tensors have the name 'a'"},
        {{{.name = "\xff"}}, NULL, "the name is not UTF-8"},
        {{{.name = "a"}}, "\xff", "the metadata is not UTF-8"},
        {{{.name = "a", .n_dims = 5}}, NULL, "5 dimensions, at most 4"},
        {{{.name = "a", .n_dims = 2, .dims = {SIZE_MAX, 2}}}, NULL, "size overflows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_error err = ANO_ERROR_INIT;
        format_tensor tensors[2] = {cases[i].tensors[0], cases[i].tensors[1]};
        tensors[0].data = tensors[1].data = bias;
        format_safetensors_write(path, tensors, tensors[1].name != NULL ? 2 : 1, cases[i].metadata,
                                 &err);
        if (err.status != ANO_ARG || strstr(err.message, cases[i].message) == NULL)
            fail_msg("case %zu: expected '%s', got '%s'", i, cases[i].message, err.message);
    }
}

/* A file made of a header and n_data zero bytes. */
static ano_status parse(const char *header, size_t n_data, ano_error *err)
{
    const uint64_t length = strlen(header);
    const size_t size = sizeof length + (size_t)length + n_data;
    char *bytes = base_alloc(size, 1);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, header, (size_t)length);
    format_safetensors *file;
    const ano_status status = format_safetensors_parse(&file, bytes, size, "bad.safetensors", err);
    assert_true((status == ANO_OK) == (file != NULL));
    format_safetensors_free(file);
    base_free(bytes);
    return status;
}

#define F32(name, shape, offsets)                                                                  \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void parse__takes_tensors_in_any_order_of_their_header(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    parse("{" F32("b", "[1,2]", "[4,12]") "," F32("a", "[1]", "[0,4]") "}  ", 12, &err);
    assert_string_equal(err.message, "");
    parse("{}", 0, &err);
    assert_string_equal(err.message, "");
}

static void parse__names_the_field_of_a_bad_header(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n_data;
        ano_status status;
        const char *message;
    } cases[] = {
        {"", 0, ANO_FORMAT, "header: does not begin with '{'"},
        {" {}", 0, ANO_FORMAT, "header: does not begin with '{'"},
        {"[]", 0, ANO_FORMAT, "header: does not begin with '{'"},
        {"{\"a\":", 0, ANO_FORMAT, "header: byte"},
        {"{} x", 0, ANO_FORMAT, "header: byte"},
        {"{\"a\\u0000\":1}", 0, ANO_FORMAT, "header: byte"},
        {"{\"\xff\":1}", 0, ANO_FORMAT, "header: byte"},
        {"{\"a\":1}", 0, ANO_FORMAT, "tensor 'a': dtype is missing"},
        {"{\"a\":{}}", 0, ANO_FORMAT, "tensor 'a': dtype is missing"},
        {"{\"a\":{\"dtype\":\"F32\"}}", 0, ANO_FORMAT, "tensor 'a': shape is missing"},
        {"{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, ANO_FORMAT,
         "tensor 'a': dtype is not a text"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}", 4, ANO_FORMAT,
         "tensor 'a': has fields besides dtype"},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, ANO_UNSUPPORTED,
         "tensor 'a': dtype is F16"},
        {"{" F32("a", "1", "[0,4]") "}", 4, ANO_FORMAT, "tensor 'a': shape is not an array"},
        {"{" F32("a", "[-1]", "[0,4]") "}", 4, ANO_FORMAT, "tensor 'a': shape: dimension 0"},
        {"{" F32("a", "[1,1.0]", "[0,4]") "}", 4, ANO_FORMAT, "tensor 'a': shape: dimension 1"},
        {"{" F32("a", "[1,1,1,1,1]", "[0,4]") "}", 4, ANO_UNSUPPORTED,
         "tensor 'a': shape has 5 dimensions"},
        {"{" F32("a", "[4294967296,4294967296]", "[0,0]") "}", 0, ANO_FORMAT,
         "tensor 'a': shape: its size overflows"},
        {"{" F32("a", "[1]", "[0]") "}", 4, ANO_FORMAT, "tensor 'a': data_offsets is not a pair"},
        {"{" F32("a", "[1]", "[0,\"4\"]") "}", 4, ANO_FORMAT,
         "tensor 'a': data_offsets is not a pair"},
        {"{" F32("a", "[1]", "[4,0]") "}", 4, ANO_FORMAT, "tensor 'a': data_offsets [4, 0] lie"},
        {"{" F32("a", "[1]", "[0,4]") "}", 3, ANO_FORMAT, "tensor 'a': data_offsets [0, 4] lie"},
        {"{" F32("a", "[2]", "[0,4]") "}", 4, ANO_FORMAT,
         "tensor 'a': data_offsets span 4 bytes, shape [2] takes 8"},
        {"{" F32("a", "[2]", "[0,8]") "," F32("b", "[1]", "[4,8]") "}", 8, ANO_FORMAT,
         "tensor 'b': data_offsets overlap those of tensor 'a'"},
        {"{" F32("a", "[1]", "[0,4]") "," F32("b", "[1]", "[8,12]") "}", 12, ANO_FORMAT,
         "tensor 'b': data_offsets leave a hole of 4 bytes"},
        {"{" F32("a", "[1]", "[4,8]") "}", 8, ANO_FORMAT,
         "tensor 'a': data_offsets leave a hole of 4 bytes"},
        {"{" F32("a", "[1]", "[0,4]") "}", 5, ANO_FORMAT, "1 trailing bytes"},
        {"{}", 1, ANO_FORMAT, "1 trailing bytes"},
        {"{" F32("a", "[1]", "[0,4]") "," F32("a", "[1]", "[4,8]") "}", 8, ANO_FORMAT,
         "duplicate object key near '\"a\"'"},
        {"{\"__metadata__\":[]}", 0, ANO_FORMAT, "__metadata__ is not an object"},
        {"{\"__metadata__\":{\"format\":\"pt\",\"n\":1}}", 0, ANO_FORMAT,
         "__metadata__: 'n' is not a string"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ano_error err = ANO_ERROR_INIT;
        parse(cases[i].header, cases[i].n_data, &err);
        if (err.status != cases[i].status || strstr(err.message, cases[i].message) == NULL ||
            strstr(err.message, "bad.safetensors: ") != err.message)
            fail_msg("case %zu, %s: expected %s '%s', got %s '%s'", i, cases[i].header,
                     ano_status_name(cases[i].status), cases[i].message,
                     ano_status_name(err.status), err.message);
    }
}

static void parse__refuses_a_file_cut_anywhere(void **state)
{
    (void)state;
    char *bytes;
    size_t size;
    assert_int_equal(format_safetensors_write(path, two_tensors, 2, NULL, NULL), ANO_OK);
    assert_int_equal(base_file_read(&bytes, &size, path, NULL), ANO_OK);
    format_safetensors *file;
    for (size_t cut = 0; cut < size; cut++) {
        ano_error err = ANO_ERROR_INIT;
        if (format_safetensors_parse(&file, bytes, cut, path, &err) != ANO_FORMAT)
            fail_msg("cut at %zu of %zu: expected format, got '%s'", cut, size, err.message);
        assert_null(file);
    }
    base_free(bytes);
}

static void parse__refuses_a_header_longer_than_the_file(void **state)
{
    (void)state;
    const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 8, INT64_MAX, 1u << 31, 3};
    format_safetensors *file;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char bytes[10] = "????????{}";
        memcpy(bytes, &lengths[i], sizeof lengths[i]);
        ano_error err = ANO_ERROR_INIT;
        format_safetensors_parse(&file, bytes, sizeof bytes, "bad.safetensors", &err);
        if (err.status != ANO_FORMAT || strstr(err.message, ": header length: ") == NULL)
            fail_msg("length %llu: got '%s'", (unsigned long long)lengths[i], err.message);
    }
}

static void open__says_when_there_is_no_file(void **state)
{
    (void)state;
    ano_error err = ANO_ERROR_INIT;
    format_safetensors *file;
    format_safetensors_open(&file, "/nowhere/model.safetensors", &err);
    assert_int_equal(err.status, ANO_IO);
    assert_non_null(strstr(err.message, "/nowhere/model.safetensors"));
    assert_null(file);
    format_safetensors_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors__gives_back_what_was_written),
        cmocka_unit_test(safetensors__keeps_single_numbers_and_empty_tensors),
        cmocka_unit_test(safetensors__begins_the_numbers_at_an_aligned_place),
        cmocka_unit_test(copy__names_the_tensor_and_both_shapes_when_they_differ),
        cmocka_unit_test(copy__says_which_tensor_is_missing),
        cmocka_unit_test(write__refuses_what_could_not_be_read_back),
        cmocka_unit_test(parse__takes_tensors_in_any_order_of_their_header),
        cmocka_unit_test(parse__names_the_field_of_a_bad_header),
        cmocka_unit_test(parse__refuses_a_file_cut_anywhere),
        cmocka_unit_test(parse__refuses_a_header_longer_than_the_file),
        cmocka_unit_test(open__says_when_there_is_no_file),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
