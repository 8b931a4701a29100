/* The goldens of tests/golden: files of arrays that another program has computed. */
#ifndef GOLDENS_H
#define GOLDENS_H

#include "format/safetensors.h"

/* The only argument of a program, the folder of goldens; ends it with 2 where there is none. */
const char *goldens_folder(int argc, char **argv);

/* FOLDER/NAME.safetensors, for format_safetensors_free(); ends the program where it cannot be read.
 */
format_safetensors *goldens_open(const char *folder, const char *name);

/* The golden "name.part", numbers [n][width], [n] where width is 0 and a single one where both are.
 * Fails the test where it is not there. */
void goldens_read(float *dst, const format_safetensors *goldens, const char *name, const char *part,
                  size_t n, size_t width);

#endif
