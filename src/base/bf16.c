/* bf16.c: see bf16.h. SPDX-License-Identifier: MIT */
#include "base/bf16.h"
#include <math.h>
#include <string.h>

float skp__from_bf16(uint16_t value) {
  const uint32_t bits = (uint32_t)value << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

uint16_t skp__to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (isnan(value))
    return (uint16_t)(bits >> 16 | 0x40); /* else the digits that are cut off may be all that make it NaN */
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
