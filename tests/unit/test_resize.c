/* test_resize.c: resizing as Pillow and torchvision do it, of whole images and of windows in them.
 * SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "test.h"

/* The middle channel of a picture of 9 × 7 pixels, resized by Pillow 13 (BILINEAR),
 * which takes the shorter way of two. */
static const struct {
  int h, w;
  uint8_t want[48];
} resized[] = {
    {4, 3, {119, 137, 166, 127, 101, 163, 129, 132, 132, 108, 153, 145}},
    {3, 5, {108, 124, 115, 179, 159, 165, 102, 103, 147, 154, 87, 133, 155, 155, 127}},
    {10, 2, {137, 163, 130, 163, 101, 141, 101, 143, 127, 141, 145, 122, 127, 129, 99, 164, 123, 138, 154, 153}},
    {5, 9, {74,  129, 152, 137, 101, 179, 185, 164, 146, 132, 97,  92,  96,  56,  177,
            156, 137, 188, 201, 194, 125, 54,  92,  130, 135, 146, 179, 94,  85,  95,
            129, 180, 169, 158, 131, 90,  72,  115, 156, 167, 117, 166, 144, 131, 162}},
};

/* The window of an image resized, as bytes. */
static skp_status resize(uint8_t *out, int h, int w, struct skp__box window, uint8_t *in, int in_h, int in_w, int C) {
  const struct skp_image image = {.pixels = in, .H = in_h, .W = in_w, .C = C};
  struct skp_image scaled = {.H = 0};
  skp_status status = skp__image_scale(&scaled, &image, h, w, &window);
  if (status == SKP_OK) memcpy(out, scaled.pixels, (size_t)window.height * (size_t)window.width * (size_t)C);
  skp__image_free(&scaled);
  return status;
}

static struct skp__box whole(int h, int w) { return (struct skp__box){0, 0, h, w}; }

START_TEST(resize_as_pillow) {
  uint8_t in[9 * 7 * 3], out[48 * 3];
  for (int i = 0; i < 9 * 7 * 3; i++) {
    int y = i / 21, x = i / 3 % 7, c = i % 3;
    in[i] = (uint8_t)(y * 37 + x * 91 + c * 53 + x * y * y * 13);
  }
  ck_ok(resize(out, resized[_i].h, resized[_i].w, whole(resized[_i].h, resized[_i].w), in, 9, 7, 3));
  for (int i = 0; i < resized[_i].h * resized[_i].w; i++)
    ck_assert_int_le(abs(out[3 * i + 1] - resized[_i].want[i]), 1);
}
END_TEST

START_TEST(resize_properties) {
  uint8_t in[20 * 20], out[64 * 64];
  for (int i = 0; i < 400; i++) in[i] = (uint8_t)(i * 31);
  ck_ok(resize(out, 20, 20, whole(20, 20), in, 20, 20, 1)); /* the same size: the same picture */
  ck_assert_mem_eq(out, in, 400);
  memset(in, 255, 400);
  for (int side = 1; side <= 64; side += 7) { /* one colour stays that colour */
    ck_ok(resize(out, side, 65 - side, whole(side, 65 - side), in, 20, 20, 1));
    for (int i = 0; i < side * (65 - side); i++) ck_assert_int_eq(out[i], 255);
  }
  ck_ok(resize(out, 1, 1, whole(1, 1), in, 1, 1, 4));
  ck_fails(resize(out, 0, 1, whole(0, 1), in, 1, 1, 1), SKP_SHAPE, "cannot be resized");
  ck_fails(resize(out, 1 << 15, 1 << 15, whole(1 << 15, 1 << 15), in, 1, 1, 1), SKP_SHAPE, "cannot be resized");
  ck_fails(resize(out, 3, 3, (struct skp__box){1, 0, 3, 3}, in, 1, 1, 1), SKP_SHAPE, "cannot be resized");
}
END_TEST

/* A window is that part of the whole. */
START_TEST(resize_window) {
  uint8_t in[20 * 11 * 3], all[17 * 33 * 3], part[5 * 4 * 3];
  for (int i = 0; i < 20 * 11 * 3; i++) in[i] = (uint8_t)(i * i * 7);
  for (int h = 5, w = 33; h <= 17; h += 6, w -= 11) {
    const struct skp__box window = {h - 5, 3, 5, 4};
    ck_ok(resize(all, h, w, whole(h, w), in, 20, 11, 3));
    ck_ok(resize(part, h, w, window, in, 20, 11, 3));
    for (int y = 0; y < 5; y++) ck_assert_mem_eq(part + y * 12, all + ((window.top + y) * w + 3) * 3, 12);
  }
}
END_TEST

/* A line of a million pixels at a thousand times its width: only what is seen is made. */
START_TEST(resize_line) {
  enum { LONG = 1000000, SCALE = 1000, SEEN = 7 };
  uint8_t *in = malloc(LONG), out[SEEN * SEEN];
  for (int i = 0; i < LONG; i++) in[i] = (uint8_t)(i / 4 % 2 ? 200 : 40);
  for (int turned = 0; turned < 2; turned++) {
    const int h = turned ? SCALE : LONG * SCALE, w = turned ? LONG * SCALE : SCALE, middle = 500000 * SCALE + SCALE / 2;
    const struct skp__box window = {turned ? 0 : middle, turned ? middle : 0, SEEN, SEEN};
    ck_ok(resize(out, h, w, window, in, turned ? 1 : LONG, turned ? LONG : 1, 1));
    for (int i = 0; i < SEEN * SEEN; i++) ck_assert_int_eq(out[i], 40);
  }
  free(in);
}
END_TEST

/* Sizes as torchvision's Resize(256) finds them: int(256 · long / short). */
START_TEST(fits_and_cuts) {
  static const int sizes[][5] = {
      {375, 500, 256, 256, 341}, {500, 333, 256, 384, 256}, {32, 32, 120, 120, 120}, {1, 3, 5, 5, 15}};
  for (int i = 0; i < 4; i++) {
    int rows = sizes[i][0], columns = sizes[i][1];
    skp__fit(&rows, &columns, sizes[i][2]);
    ck_assert_msg(rows == sizes[i][3] && columns == sizes[i][4], "%d × %d", rows, columns);
  }
  uint8_t pixels[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}; /* 3 × 3 × 2 */
  static const uint8_t want[] = {8, 9, 10, 11, 14, 15, 16, 17};
  struct skp_image image = {.pixels = pixels, .H = 3, .W = 3, .C = 2};
  skp__image_cut(&image, &(struct skp__box){1, 1, 2, 2});
  ck_assert(image.H == 2 && image.W == 2);
  ck_assert_mem_eq(pixels, want, sizeof want);
  int rows = 1, columns = 1 << 28;
  skp__fit(&rows, &columns, 1 << 14);
  ck_assert(rows == 1 << 14 && columns == 1 << 30);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("resize");
  TCase *c = tcase_create("resize");
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, resize_as_pillow, 0, (int)(sizeof resized / sizeof *resized));
  tcase_add_test(c, resize_properties);
  tcase_add_test(c, resize_window);
  tcase_add_test(c, resize_line);
  tcase_add_test(c, fits_and_cuts);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
