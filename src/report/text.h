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

/* Writes a field of CSV (RFC 4180), in quotation marks where it must be. */
void report_csv_field(FILE *stream, const char *text);

#endif
