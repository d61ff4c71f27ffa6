/* small_bmp.h: the smallest picture that tests write, and find again in a set. SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_SMALL_BMP_H
#define SKP_TESTS_SMALL_BMP_H

#include "data/source.h"
#include "test.h"
#include <string.h>

enum { SMALL_BMP = 54 + 16 };

/* A BMP of 2 × 2 pixels of one grey. */
static inline void small_bmp(unsigned char out[SMALL_BMP], int grey) {
  static const unsigned char head[54] = {
      'B', 'M', SMALL_BMP, [10] = 54, [14] = 40, [18] = 2, [22] = 2, [26] = 1, [28] = 24};
  memcpy(out, head, sizeof head);
  memset(out + sizeof head, grey, SMALL_BMP - sizeof head);
}

/* Image i is that, and its class is called so. */
static inline void check_small_bmp(const struct skp_source *s, int64_t i, const char *class, int grey) {
  struct skp_image image = {.H = 0};
  int32_t label;
  ck_ok(s->image(s, i, &image, &label));
  ck_assert_str_eq(s->class_names[label], class);
  ck_assert(image.H == 2 && image.W == 2);
  ck_assert_int_eq(image.pixels[0], grey);
  skp__image_free(&image);
}

#endif
