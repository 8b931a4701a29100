/* Libraries that refuse, for tests: the linker sends what the project asks of the C library and
 * zlib for memory, what src/nn/onednn.c asks of oneDNN and what src/data/decode.c and
 * src/report/maps.c ask of libvips here (--wrap, tests/faults/meson.build), and jansson is given an
 * allocator.
 *
 * A program that is linked with it takes its orders from the environment:
 *   ANOGAN_REFUSALS=memory:K     (or onednn, vips) the k-th call is refused, once
 *   ANOGAN_REFUSALS_COUNT=FILE   writes how many calls there were, when the program ends */
#ifndef TESTS_REFUSALS_H
#define TESTS_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum refusals_kind { REFUSALS_MEMORY, REFUSALS_ONEDNN, REFUSALS_VIPS } refusals_kind;
enum { REFUSALS_KINDS = REFUSALS_VIPS + 1 };

/* Counts calls of a kind from 0 again, and has the k-th, from 1, refused; 0: none. */
void refusals_set(refusals_kind kind, long k);
/* The same, but none is refused, and of each its place is noted. */
void refusals_note_places(refusals_kind kind);
/* Where the k-th call noted, from 1, came from: all callers, up to main(), in one number. After
 * 65,536 calls each is taken for a place of its own. */
uint64_t refusals_place(long k);
/* From here on calls are neither refused nor counted. */
void refusals_end(void);
/* The calls that were counted. */
long refusals_count(void);
/* The call that was refused, by its function's name; "" where none was. */
const char *refusals_name(void);
/* Blocks of memory that are the engine's or jansson's now. */
long refusals_live(void);

/* For the layer: counts a call, and says whether it is to be refused. */
bool refusals_strike(refusals_kind kind, const char *name);

#endif
