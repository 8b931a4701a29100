/* A fuzz target: one parser, fed any bytes. It returns 0, or aborts when the parser breaks a
 * promise of its header; memory errors are for the sanitizers to find. The name is libFuzzer's. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
