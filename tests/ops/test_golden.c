/* test_golden.c: every op against the reference values, on the device that the environment chooses.
 * SPDX-License-Identifier: MIT */
#include "golden.h"

int main(void) { return golden_main(NULL); }
