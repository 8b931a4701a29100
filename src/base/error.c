#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ano_status_name(ano_status status)
{
    static const char *const names[] = {
        [ANO_OK] = "ok",
        [ANO_ARG] = "argument",
        [ANO_NOMEM] = "memory",
        [ANO_IO] = "io",
        [ANO_FORMAT] = "format",
        [ANO_SHAPE] = "shape",
        [ANO_UNSUPPORTED] = "unsupported",
        [ANO_NUMERIC] = "numeric",
        [ANO_BACKEND] = "backend",
        [ANO_CANCELLED] = "cancelled",
    };
    const size_t n_names = sizeof names / sizeof *names;
    return (size_t)status < n_names ? names[status] : "unknown";
}

const char *ano_version(void)
{
    return ANOGAN_VERSION;
}

ano_status base_error(ano_error *err, ano_status status, const char *format, ...)
{
    if (err == NULL || err->status != ANO_OK)
        return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return status;
}

ano_status base_error_context(ano_error *err, const char *format, ...)
{
    if (err == NULL || err->status == ANO_OK)
        return ANO_OK;
    char inner[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof err->message)
        snprintf(err->message + length, sizeof err->message - (size_t)length, ": %s", inner);
    return err->status;
}

ano_status base_error_nomem(ano_error *err, const char *what)
{
    return base_error(err, ANO_NOMEM, "out of memory: %s", what);
}

ano_status base_error_errno(ano_error *err, int errnum, const char *path, const char *what)
{
    return base_error(err, errnum == ENOMEM ? ANO_NOMEM : ANO_IO, "%s: %s: %s", path, what,
                      strerror(errnum));
}
