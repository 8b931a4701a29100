/* JSON in memory that may run short. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <anogan/anogan.h>

#include <jansson.h>
#include <stddef.h>

/* Reads a JSON text of `size` bytes that names no key of an object twice; the caller's to
 * json_decref(). Returns FORMAT where it is none, which `why` explains, or NOMEM. *out is NULL
 * then. */
ano_status base_json_read(json_t **out, const char *text, size_t size, json_error_t *why);

/* The text of a value, in jansson's flags; NULL when memory is short, or of NULL. Freed by
 * base_free(). */
char *base_json_text(const json_t *value, size_t flags);

#endif
