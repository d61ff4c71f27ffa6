/* test_change.c: changes of bytes are those of torchvision on Pillow images, to the bit.
 * SPDX-License-Identifier: MIT */
#include "data/augment.h"
#include "data/image.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__})

/* An image of `n` pixels in a row, changed, is `want`. */
static void check(skp__change_kind kind, double amount, int n, int C, const uint8_t *from, const uint8_t *want) {
  struct skp_image image = {.pixels = NULL}, spare = {.pixels = NULL};
  ck_ok(skp__image_room(&image, 1, n, C));
  memcpy(image.pixels, from, (size_t)(n * C));
  ck_ok(skp__image_change(&image, &spare, &(struct skp__change){kind, amount}));
  for (int i = 0; i < n * C; i++)
    ck_assert_msg(image.pixels[i] == want[i], "change %d by %g: [%d] is %d, not %d", (int)kind, amount, i,
                  image.pixels[i], want[i]);
  skp__image_free(&image);
  skp__image_free(&spare);
}

START_TEST(changes_colours) {
  const uint8_t *some = BYTES(200, 100, 50, 0, 128, 255), *red = BYTES(255, 0, 0, 80, 80, 80);
  check(SKP_BRIGHTNESS, 0.5, 2, 3, some, BYTES(100, 50, 25, 0, 64, 127));
  check(SKP_BRIGHTNESS, 1.5, 2, 3, some, BYTES(255, 150, 75, 0, 192, 255));
  /* greys: (19595·200 + 38470·100 + 7471·50 + 32768) >> 16 = 124, and 104 of the other; their mean is 114 */
  check(SKP_SATURATION, 0, 2, 3, some, BYTES(124, 124, 124, 104, 104, 104));
  check(SKP_SATURATION, 0.5, 2, 3, some, BYTES(162, 112, 87, 52, 116, 179));
  check(SKP_CONTRAST, 0, 2, 3, some, BYTES(114, 114, 114, 114, 114, 114));
  check(SKP_CONTRAST, 2, 2, 3, some, BYTES(255, 86, 0, 0, 142, 255));
  /* A third of the circle makes red green; a sixth nearly yellow: angles are bytes, cut. Grey has no hue. */
  check(SKP_HUE, 1.0 / 3, 2, 3, red, BYTES(0, 255, 0, 80, 80, 80));
  check(SKP_HUE, 1.0 / 6, 2, 3, red, BYTES(255, 252, 0, 80, 80, 80));
  check(SKP_HUE, -1.0 / 3, 2, 3, red, BYTES(6, 0, 255, 80, 80, 80));
  check(SKP_HUE, 0.5, 2, 3, red, BYTES(0, 255, 252, 80, 80, 80));
  check(SKP_HUE, 1.0 / 3, 2, 3, some, BYTES(50, 200, 100, 255, 0, 132));
  check(SKP_HUE, 0.1, 2, 3, BYTES(200, 199, 198, 3, 2, 3), BYTES(200, 200, 198, 3, 2, 2));
}
END_TEST

START_TEST(changes_values) {
  const uint8_t *some = BYTES(10, 20, 200, 110);
  check(SKP_POSTERIZE, 3, 4, 1, some, BYTES(0, 0, 192, 96));
  check(SKP_POSTERIZE, 8, 4, 1, some, some);
  check(SKP_SOLARIZE, 110, 4, 1, some, BYTES(10, 20, 55, 145));
  check(SKP_AUTOCONTRAST, 0, 4, 1, some, BYTES(0, 13, 255, 134));
  check(SKP_EQUALIZE, 0, 4, 1, some, some); /* too few pixels to tell */
  check(SKP_SHARPNESS, 2, 4, 1, some, some);
}
END_TEST

/* No amount, whoever asks for it, is more than a kind knows. */
START_TEST(bounded) {
  const uint8_t *some = BYTES(10, 20, 200, 110), *black = BYTES(0, 0, 0, 0);
  check(SKP_BRIGHTNESS, 1e300, 4, 1, some, BYTES(110, 220, 255, 255));
  check(SKP_BRIGHTNESS, NAN, 4, 1, some, black);
  check(SKP_POSTERIZE, -5, 4, 1, some, black);
  check(SKP_POSTERIZE, 1e9, 4, 1, some, some);
  check(SKP_SOLARIZE, 1e9, 4, 1, some, some);
  check(SKP_TRANSLATE_X, 1e300, 4, 1, some, black);
  check(SKP_SHEAR_X, -1e300, 4, 1, some, BYTES(0, 10, 20, 200));
  check(SKP_BLUR, 0, 4, 1, some, some);
  check(SKP_BLUR, -1e300, 4, 1, some, some);
}
END_TEST

START_TEST(moves) {
  const uint8_t *some = BYTES(10, 20, 200, 110);
  check(SKP_TRANSLATE_X, 1.9, 4, 1, some, BYTES(0, 10, 20, 200));
  check(SKP_TRANSLATE_X, -1.9, 4, 1, some, BYTES(20, 200, 110, 0));
  check(SKP_TRANSLATE_Y, 1, 4, 1, some, BYTES(0, 0, 0, 0));
  check(SKP_ROTATE, 180, 4, 1, some, BYTES(110, 200, 20, 10));
}
END_TEST

START_TEST(blurs_a_line) {
  /* exp(-2 k²) for k = 0, 1, 2 are 1, 0.1353, 0.0003, of 1.2713 in all */
  check(SKP_BLUR, 0.5, 5, 1, BYTES(0, 0, 100, 0, 0), BYTES(0, 11, 79, 11, 0));
  check(SKP_BLUR, 0.5, 2, 1, BYTES(0, 100), BYTES(21, 79)); /* both neighbours of a pixel at an edge are the same one */
  check(SKP_BLUR, 0.1, 3, 1, BYTES(7, 255, 0), BYTES(7, 255, 0));
}
END_TEST

/* ---- against torchvision ----------------------------------------------------------------------------------------- */

enum { WIDTH = 37, HEIGHT = 29 };

static const struct {
  skp__policy policy;
  int which, C;
  bool sign;
  uint64_t hash;
} hashes[] = {
#define X(policy, which, channels, sign, hash) {SKP_##policy, which, channels, sign, hash},
#include "changes.def"
#undef X
};

static void draw_picture(struct skp_image *image, int C) {
  ck_ok(skp__image_room(image, HEIGHT, WIDTH, C));
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++)
      for (int c = 0; c < C; c++)
        image->pixels[(y * WIDTH + x) * C + c] =
            (uint8_t)(30 + (7 * x + 13 * y + 50 * c + (31 * x * y + 17 * c) % 23 * 5) % 180);
}

static uint64_t fnv1a(uint64_t state, const struct skp_image *image) {
  for (int i = 0; i < image->H * image->W * image->C; i++) state = (state ^ image->pixels[i]) * 0x100000001b3;
  return state;
}

/* All strengths of a change, up and down: one hash of all images. */
START_TEST(is_torchvisions) {
  struct skp_image image = {.pixels = NULL}, spare = {.pixels = NULL};
  uint64_t state = 0xcbf29ce484222325;
  for (int level = 0; level < SKP_POLICY_LEVELS; level++)
    for (int minus = 0; minus <= hashes[_i].sign; minus++) {
      struct skp__change change;
      draw_picture(&image, hashes[_i].C);
      ck_assert(skp__policy_change(&change, hashes[_i].policy, hashes[_i].which, level, minus, HEIGHT, WIDTH));
      ck_ok(skp__image_change(&image, &spare, &change));
      ck_assert(image.H == HEIGHT && image.W == WIDTH && image.C == hashes[_i].C);
      state = fnv1a(state, &image);
    }
  ck_assert_msg(state == hashes[_i].hash, "change %d of policy %d, %d channels: another hash", hashes[_i].which,
                (int)hashes[_i].policy, hashes[_i].C);
  skp__image_free(&image);
  skp__image_free(&spare);
}
END_TEST

/* ---- blur, against its formula ----------------------------------------------------------------------------------- */

/* Walks from pixel i by so many steps, and turns round at the ends. */
static int walk(int i, int steps, int n) {
  int way = steps < 0 ? -1 : 1;
  for (int left = abs(steps); left && n > 1; left--) {
    if (i + way < 0 || i + way >= n) way = -way;
    i += way;
  }
  return i;
}

/* The value of a pixel's channel by a sum over the square that reaches 3 sigma to all sides. */
static double blurred(const struct skp_image *image, int y, int x, int c, double sigma) {
  const int reach = (int)ceil(3 * sigma);
  double sum = 0, weights = 0;
  for (int dy = -reach; dy <= reach; dy++)
    for (int dx = -reach; dx <= reach; dx++) {
      const double weight = exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
      const int row = walk(y, dy, image->H), column = walk(x, dx, image->W);
      sum += weight * image->pixels[(row * image->W + column) * image->C + c];
      weights += weight;
    }
  return sum / weights;
}

static const struct {
  int H, W, C;
  double sigma;
} blurs[] = {{HEIGHT, WIDTH, 1, 0.3}, {HEIGHT, WIDTH, 3, 1}, {HEIGHT, WIDTH, 3, 4.7}, {2, 3, 3, 16}, {1, 1, 3, 2}};

START_TEST(blurs_by_the_formula) {
  struct skp_image before = {.pixels = NULL}, image = {.pixels = NULL}, spare = {.pixels = NULL};
  const double sigma = blurs[_i].sigma;
  draw_picture(&before, blurs[_i].C);
  draw_picture(&image, blurs[_i].C);
  before.H = image.H = blurs[_i].H;
  before.W = image.W = blurs[_i].W;
  ck_ok(skp__image_change(&image, &spare, &(struct skp__change){SKP_BLUR, sigma}));
  for (int i = 0; i < image.H * image.W * image.C; i++) {
    const int pixel = i / image.C;
    const double want = blurred(&before, pixel / image.W, pixel % image.W, i % image.C, sigma);
    ck_assert_msg(fabs(image.pixels[i] - want) < 0.501, "[%d] is %d, not %g", i, image.pixels[i], want);
  }
  skp__image_free(&before);
  skp__image_free(&image);
  skp__image_free(&spare);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------------ */

/* Images of a pixel or two have no inside, but edges. */
START_TEST(takes_tiny_images) {
  for (int which = 0; which < SKP_POLICY_CHOICES - 1; which++)
    for (int side = 1; side <= 2; side++) {
      struct skp_image image = {.pixels = NULL}, spare = {.pixels = NULL};
      struct skp__change change;
      ck_assert(skp__policy_change(&change, SKP_TRIVIAL_AUGMENT, which, 30, true, side, side));
      ck_ok(skp__image_room(&image, side, side, 3));
      memset(image.pixels, 100, (size_t)(side * side * 3));
      ck_ok(skp__image_change(&image, &spare, &change));
      ck_assert(image.H == side && image.W == side);
      skp__image_free(&image);
      skp__image_free(&spare);
    }
}
END_TEST

START_TEST(one_choice_is_none) {
  struct skp__change change;
  ck_assert(!skp__policy_change(&change, SKP_RAND_AUGMENT, SKP_POLICY_CHOICES - 1, 9, false, 32, 32));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("change");
  TCase *c = tcase_create("change");
  tcase_add_test(c, changes_colours);
  tcase_add_test(c, changes_values);
  tcase_add_test(c, bounded);
  tcase_add_test(c, moves);
  tcase_add_test(c, blurs_a_line);
  tcase_add_loop_test(c, is_torchvisions, 0, sizeof hashes / sizeof *hashes);
  tcase_add_loop_test(c, blurs_by_the_formula, 0, sizeof blurs / sizeof *blurs);
  tcase_add_test(c, takes_tiny_images);
  tcase_add_test(c, one_choice_is_none);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
