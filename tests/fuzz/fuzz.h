/* fuzz.h: what a fuzzing target defines; libFuzzer's interface, which replay.c calls too.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_FUZZ_H
#define SKP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts when a promise is broken; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
