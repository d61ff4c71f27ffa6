/* bf16.h: bfloat16, the upper half of a float. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_BF16_H
#define SKP_BASE_BF16_H

#include <stdint.h>

float skp__from_bf16(uint16_t value);
/* Rounds to the nearest, of two that are as near to the even one. NaN stays NaN. */
uint16_t skp__to_bf16(float value);

#endif
