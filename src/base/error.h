/* Errors: what a failing function leaves in its caller's ano_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <anogan/anogan.h>

/* Records `status` and a message, unless `err` is NULL or holds an error already (the first
 * wins). Returns `status`, so that a function can end in `return base_error(…)`. */
ano_status base_error(ano_error *err, ano_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message that `err` holds; nothing when it holds none.
 * Returns the status held (ANO_OK when none, or when err is NULL). */
ano_status base_error_context(ano_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Records NOMEM: "out of memory: what". */
ano_status base_error_nomem(ano_error *err, const char *what);

/* Records IO with the text of `errnum` (an errno): "path: what: No such file or directory". */
ano_status base_error_errno(ano_error *err, int errnum, const char *path, const char *what);

#endif
