/* Text of unknown origin, file names above all, made safe to show. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* Takes one character off the UTF-8 at *text, which is not at its end, and moves past it. What no
 * text has, malformed bytes and control characters, is U+FFFD, a byte at a time. */
uint32_t report_text_next(const char **text);

/* Writes `character` as UTF-8 to dst, without a NUL; returns how many bytes. */
int report_text_encode(char dst[4], uint32_t character);

/* Writes a field of CSV (RFC 4180), in quotation marks where it must be. An apostrophe is put
 * before a text that begins with = + - @ ' a tab or the end of a line: a spreadsheet takes it for
 * text then, not for a formula (OWASP, "CSV Injection"), and who takes one apostrophe off has the
 * text. */
void report_csv_field(FILE *stream, const char *text);

/* FNV-1a of 64 bits (G. Fowler, L. C. Noll, K.-P. Vo). */
uint64_t report_text_sum(const char *text);

/* dst = the text as one part of a file's name, of less than `size` bytes, which is at least
 * REPORT_NAME_LEAST: without slashes and control characters, not beginning with a dot.
 * A text that is none, or is too long, is changed or cut, and gets a sum of it at its end, so that
 * different texts stay different. */
enum { REPORT_NAME_LEAST = 24 };
void report_text_name(char *dst, size_t size, const char *text);

/* Writes the text to a terminal: a control character, which could move its cursor or change its
 * title, is shown as U+FFFD, as is what is no UTF-8. */
void report_text_show(FILE *stream, const char *text);

#endif
