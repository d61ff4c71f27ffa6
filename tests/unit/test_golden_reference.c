/* test_golden_reference.c: every op's plain C against the reference values. SPDX-License-Identifier: MIT */
#include "golden.h"

int main(void) { return golden_main("reference"); }
