#include "goldens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const char *goldens_folder(int argc, char **argv)
{
    if (argc == 2)
        return argv[1];
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    exit(2);
}

format_safetensors *goldens_open(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    ano_error err = ANO_ERROR_INIT;
    format_safetensors *goldens;
    if (format_safetensors_open(&goldens, path, &err) == ANO_OK)
        return goldens;
    fprintf(stderr, "%s\n", err.message);
    exit(1);
}

void goldens_read(float *dst, const format_safetensors *goldens, const char *name, const char *part,
                  size_t n, size_t width)
{
    char full[64];
    snprintf(full, sizeof full, "%s.%s", name, part);
    const size_t dims[] = {n, width};
    ano_error err = ANO_ERROR_INIT;
    if (format_safetensors_copy(dst, goldens, full, (n > 0) + (width > 0), dims, &err) != ANO_OK)
        fail_msg("%s", err.message);
}
