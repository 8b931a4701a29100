#define _GNU_SOURCE /* fopencookie() */
#include "refusals.h"

#include <dirent.h>
#include <dnnl.h>
#include <errno.h>
#include <execinfo.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST_NOTED = 1 << 16, MOST_CALLERS = 64 };

static refusals_kind counted;
static long refused; /* the number of the call, 0: none */
static bool has_ended, notes_places;
static uint64_t places[MOST_NOTED];
static atomic_long count, live;
static const char *struck = "";

void refusals_set(refusals_kind kind, long k)
{
    counted = kind;
    refused = k;
    count = 0;
    struck = "";
    has_ended = notes_places = false;
}

void refusals_note_places(refusals_kind kind)
{
    backtrace((void *[1]){NULL}, 1); /* takes memory the first time */
    refusals_set(kind, 0);
    notes_places = true;
}

uint64_t refusals_place(long k)
{
    return k <= MOST_NOTED ? places[k - 1] : (uint64_t)k;
}

/* FNV-1a of the return addresses (Fowler, Noll, Vo). */
static uint64_t place_of_caller(void)
{
    void *callers[MOST_CALLERS];
    const int n = backtrace(callers, MOST_CALLERS);
    uint64_t hash = 0xcbf29ce484222325;
    for (int i = 0; i < n; i++)
        hash = (hash ^ (uintptr_t)callers[i]) * 0x100000001b3;
    return hash;
}

void refusals_end(void)
{
    has_ended = true;
}

long refusals_count(void)
{
    return count;
}

const char *refusals_name(void)
{
    return struck;
}

long refusals_live(void)
{
    return live;
}

bool refusals_strike(refusals_kind kind, const char *name)
{
    if (has_ended || kind != counted)
        return false;
    const long k = ++count;
    if (notes_places && k <= MOST_NOTED)
        places[k - 1] = place_of_caller();
    if (k != refused)
        return false;
    struck = name;
    return true;
}

/* ---- memory ------------------------------------------------------------------------------- */

/* A function of the C library that takes memory: refused, it says so by errno and `failure`. */
#define MEMORY(name, type, failure, parameters, arguments)                                         \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        if (!refusals_strike(REFUSALS_MEMORY, #name))                                              \
            return __real_##name arguments;                                                        \
        errno = ENOMEM;                                                                            \
        return failure;                                                                            \
    }
typedef int is_wanted(const struct dirent *entry);
typedef int is_before(const struct dirent **a, const struct dirent **b);
typedef void *thread_start(void *shared);

MEMORY(malloc, void *, NULL, (size_t size), (size))
MEMORY(calloc, void *, NULL, (size_t n, size_t size), (n, size))
MEMORY(realloc, void *, NULL, (void *old, size_t size), (old, size))
MEMORY(fopen, FILE *, NULL, (const char *path, const char *mode), (path, mode))
MEMORY(fopen64, FILE *, NULL, (const char *path, const char *mode), (path, mode))
MEMORY(fopencookie, FILE *, NULL, (void *cookie, const char *mode, cookie_io_functions_t calls),
       (cookie, mode, calls))
MEMORY(open_memstream, FILE *, NULL, (char **text, size_t *size), (text, size))
MEMORY(opendir, DIR *, NULL, (const char *path), (path))
MEMORY(scandir, int, -1,
       (const char *path, struct dirent ***entries, is_wanted *wanted, is_before *before),
       (path, entries, wanted, before))
MEMORY(scandir64, int, -1,
       (const char *path, struct dirent ***entries, is_wanted *wanted, is_before *before),
       (path, entries, wanted, before))
MEMORY(getline, ssize_t, -1, (char **line, size_t *size, FILE *file), (line, size, file))
MEMORY(realpath, char *, NULL, (const char *path, char *resolved), (path, resolved))
MEMORY(pthread_create, int, EAGAIN,
       (pthread_t * thread, const pthread_attr_t *how, thread_start *start, void *shared),
       (thread, how, start, shared))
#pragma GCC visibility push(default) /* the linker wants it so of what libraries call, too */
MEMORY(inflateInit2_, int, Z_MEM_ERROR, (z_streamp stream, int bits, const char *version, int size),
       (stream, bits, version, size))
#pragma GCC visibility pop

/* base_alloc() and base_free(), whose blocks are counted. */
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (refusals_strike(REFUSALS_MEMORY, "posix_memalign"))
        return ENOMEM;
    const int failed = __real_posix_memalign(memory, alignment, size);
    live += failed == 0;
    return failed;
}

void __real_base_free(void *memory);
void __wrap_base_free(void *memory);
void __wrap_base_free(void *memory)
{
    live -= memory != NULL;
    __real_base_free(memory);
}

static _Thread_local bool reads_json;

/* jansson must have its memory while it reads: src/base/json.c says why, and asks for it. */
json_t *__real_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *why)
{
    reads_json = true;
    json_t *json = __real_json_loadb(text, size, flags, why);
    reads_json = false;
    return json;
}

static void *json_take(size_t size)
{
    const bool refuses = !reads_json && refusals_strike(REFUSALS_MEMORY, "jansson");
    void *memory = refuses ? NULL : __real_malloc(size);
    live += memory != NULL;
    return memory;
}

static void json_give(void *memory)
{
    live -= memory != NULL;
    free(memory);
}

/* Not in truth: no test here can tell. */
int __wrap_fsync(int descriptor);
int __wrap_fsync(int descriptor)
{
    (void)descriptor;
    return 0;
}

/* ---- oneDNN ------------------------------------------------------------------------------- */

/* Every second call is refused for want of memory, the others for reasons of oneDNN's own. */
#define ONEDNN(name, parameters, arguments)                                                        \
    dnnl_status_t __real_##name parameters;                                                        \
    dnnl_status_t __wrap_##name parameters;                                                        \
    dnnl_status_t __wrap_##name parameters                                                         \
    {                                                                                              \
        if (!refusals_strike(REFUSALS_ONEDNN, #name))                                              \
            return __real_##name arguments;                                                        \
        return refused % 2 == 0 ? dnnl_out_of_memory : dnnl_runtime_error;                         \
    }
typedef const dnnl_memory_desc_t *memory_desc;
typedef const dnnl_dim_t *dimensions;

ONEDNN(dnnl_engine_create, (dnnl_engine_t * out, dnnl_engine_kind_t kind, size_t i), (out, kind, i))
ONEDNN(dnnl_stream_create, (dnnl_stream_t * out, dnnl_engine_t engine, unsigned flags),
       (out, engine, flags))
ONEDNN(dnnl_memory_create,
       (dnnl_memory_t * out, memory_desc desc, dnnl_engine_t engine, void *handle),
       (out, desc, engine, handle))
ONEDNN(dnnl_memory_set_data_handle_v2, (dnnl_memory_t memory, void *handle, dnnl_stream_t stream),
       (memory, handle, stream))
ONEDNN(dnnl_memory_get_memory_desc, (const_dnnl_memory_t memory, memory_desc *out), (memory, out))
ONEDNN(dnnl_memory_desc_init_by_strides,
       (dnnl_memory_desc_t * out, int n, dimensions dims, dnnl_data_type_t type,
        dimensions strides),
       (out, n, dims, type, strides))
ONEDNN(dnnl_memory_desc_init_by_tag,
       (dnnl_memory_desc_t * out, int n, dimensions dims, dnnl_data_type_t type,
        dnnl_format_tag_t tag),
       (out, n, dims, type, tag))
ONEDNN(dnnl_matmul_desc_init,
       (dnnl_matmul_desc_t * out, memory_desc a, memory_desc b, memory_desc bias, memory_desc dst),
       (out, a, b, bias, dst))
ONEDNN(dnnl_convolution_forward_desc_init,
       (dnnl_convolution_desc_t * out, dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
        memory_desc src, memory_desc weights, memory_desc bias, memory_desc dst, dimensions strides,
        dimensions left, dimensions right),
       (out, kind, algorithm, src, weights, bias, dst, strides, left, right))
ONEDNN(dnnl_convolution_backward_data_desc_init,
       (dnnl_convolution_desc_t * out, dnnl_alg_kind_t algorithm, memory_desc src,
        memory_desc weights, memory_desc dst, dimensions strides, dimensions left,
        dimensions right),
       (out, algorithm, src, weights, dst, strides, left, right))
ONEDNN(dnnl_convolution_backward_weights_desc_init,
       (dnnl_convolution_desc_t * out, dnnl_alg_kind_t algorithm, memory_desc src,
        memory_desc weights, memory_desc bias, memory_desc dst, dimensions strides, dimensions left,
        dimensions right),
       (out, algorithm, src, weights, bias, dst, strides, left, right))
ONEDNN(dnnl_primitive_attr_create, (dnnl_primitive_attr_t * out), (out))
ONEDNN(dnnl_primitive_attr_set_scratchpad_mode,
       (dnnl_primitive_attr_t attributes, dnnl_scratchpad_mode_t mode), (attributes, mode))
ONEDNN(dnnl_primitive_desc_create,
       (dnnl_primitive_desc_t * out, const_dnnl_op_desc_t op, const_dnnl_primitive_attr_t how,
        dnnl_engine_t engine, const_dnnl_primitive_desc_t hint),
       (out, op, how, engine, hint))
ONEDNN(dnnl_reorder_primitive_desc_create,
       (dnnl_primitive_desc_t * out, memory_desc from, dnnl_engine_t from_engine, memory_desc to,
        dnnl_engine_t to_engine, const_dnnl_primitive_attr_t how),
       (out, from, from_engine, to, to_engine, how))
ONEDNN(dnnl_primitive_create, (dnnl_primitive_t * out, const_dnnl_primitive_desc_t desc),
       (out, desc))
ONEDNN(dnnl_primitive_execute,
       (const_dnnl_primitive_t primitive, dnnl_stream_t stream, int n,
        const dnnl_exec_arg_t *arguments),
       (primitive, stream, n, arguments))

/* ---- orders from the environment ------------------------------------------------------------ */

__attribute__((constructor)) static void take_orders(void)
{
    static const char *const kinds[] = {
        [REFUSALS_MEMORY] = "memory", [REFUSALS_ONEDNN] = "onednn", [REFUSALS_VIPS] = "vips"};
    const char *orders = getenv("ANOGAN_REFUSALS");
    char name[8];
    long k;
    json_set_alloc_funcs(json_take, json_give);
    if (orders == NULL || sscanf(orders, "%7[a-z]:%ld", name, &k) != 2)
        return;
    for (int i = 0; i < REFUSALS_KINDS; i++)
        if (strcmp(name, kinds[i]) == 0)
            refusals_set((refusals_kind)i, k);
}

__attribute__((destructor)) static void report_count(void)
{
    const char *path = getenv("ANOGAN_REFUSALS_COUNT");
    FILE *file = path != NULL ? __real_fopen(path, "w") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", (long)count);
    fclose(file);
}
