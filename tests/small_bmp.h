/* small_bmp.h: the smallest picture that tests write. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_SMALL_BMP_H
#define SKP_TESTS_SMALL_BMP_H

#include <string.h>

enum { SMALL_BMP = 54 + 16 };

/* A BMP of 2 × 2 pixels of one grey. */
static inline void small_bmp(unsigned char out[SMALL_BMP], int grey) {
  static const unsigned char head[54] = {
      'B', 'M', SMALL_BMP, [10] = 54, [14] = 40, [18] = 2, [22] = 2, [26] = 1, [28] = 24};
  memcpy(out, head, sizeof head);
  memset(out + sizeof head, grey, SMALL_BMP - sizeof head);
}

#endif
