/* test_augment.c: views are drawn with the right chances, from nothing but (seed, epoch, sample), and rendered exactly.
 * SPDX-License-Identifier: MIT */
#include "data/augment.h"
#include "data/loader.h"
#include "test.h"
#include <math.h>

/* ---- images ------------------------------------------------------------------------------------------------------ */

/* table[c][v] = v + 1000 c, so that values tell bytes and channels; black is 0, 1000, 2000. */
static const float (*plain_table(void))[SKP_LEVELS] {
  static float table[4][SKP_LEVELS];
  for (int c = 0; c < 4; c++)
    for (int v = 0; v < SKP_LEVELS; v++) table[c][v] = (float)(v + 1000 * c);
  return (const float(*)[SKP_LEVELS])table;
}

static struct skp__view draw(const struct skp_augment *a, int in, int out, uint64_t seed, int64_t epoch,
                             int64_t sample) {
  const struct skp_image image = {.H = in, .W = in, .C = 3};
  struct skp__view v;
  skp__view_draw(&v, out, out, 0, &image, a, seed, epoch, sample);
  return v;
}

static void copy(struct skp_image *to, const struct skp_image *from) {
  ck_ok(skp__image_room(to, from->H, from->W, from->C));
  memcpy(to->pixels, from->pixels, (size_t)(from->H * from->W * from->C));
}

/* A view that says nothing of a part takes the whole image as it is. */
static void check_render(const struct skp__view *given, const struct skp_image *image, const float *want) {
  float got[64];
  int column[16];
  struct skp_image used = {.pixels = NULL}, spare = {.pixels = NULL};
  struct skp__view v = *given;
  if (!v.part.width) {
    v.part = (struct skp__box){0, 0, image->H, image->W};
    v.scaled_h = image->H;
    v.scaled_w = image->W;
  }
  copy(&used, image);
  ck_ok(skp__view_render(got, &v, &used, &spare, plain_table(), column));
  for (int i = 0; i < v.H * v.W * image->C; i++)
    ck_assert_msg(got[i] == want[i], "[%d] %g, not %g", i, got[i], want[i]);
  skp__image_free(&used);
  skp__image_free(&spare);
}

/* ---- rendering --------------------------------------------------------------------------------------------------- */

static uint8_t grey[] = {1, 2, 3, 4, 5, 6};
static const struct skp_image image_2x3 = {.pixels = grey, .H = 2, .W = 3, .C = 1};

START_TEST(renders_as_it_is) {
  static const float want[] = {1, 2, 3, 4, 5, 6};
  check_render(&(struct skp__view){.H = 2, .W = 3}, &image_2x3, want);
}
END_TEST

START_TEST(renders_mirrored) {
  static const float want[] = {3, 2, 1, 6, 5, 4};
  check_render(&(struct skp__view){.H = 2, .W = 3, .mirror = true}, &image_2x3, want);
}
END_TEST

START_TEST(renders_padding) {
  static const float black[] = {0, 0, 0, 0, 1, 2, 0, 4, 5}, mirrored[] = {0, 0, 0, 2, 1, 0, 5, 4, 0};
  struct skp__view v = {.H = 3, .W = 3, .top = -1, .left = -1};
  check_render(&v, &image_2x3, black);
  v.mirror = true;
  check_render(&v, &image_2x3, mirrored);
}
END_TEST

/* As torch.nn.functional.pad(mode="reflect"): the edge itself is not repeated. */
START_TEST(renders_reflection) {
  static const float want[] = {6, 5, 4, 5, 6, 5, 4, 3, 2, 1, 2, 3, 2, 1, 6, 5, 4, 5, 6, 5, 4, 3, 2, 1, 2, 3, 2, 1};
  check_render(&(struct skp__view){.H = 4, .W = 7, .top = -1, .left = -2, .reflect = true}, &image_2x3, want);
  static const float dot[] = {9, 9, 9, 9};
  static uint8_t nine[] = {9};
  check_render(&(struct skp__view){.H = 2, .W = 2, .top = -1, .left = -1, .reflect = true},
               &(struct skp_image){.pixels = nine, .H = 1, .W = 1, .C = 1}, dot);
}
END_TEST

START_TEST(renders_channels) {
  static uint8_t pixels[] = {1, 2, 3, 4, 5, 6, 7, 8};
  static const float rgb[] = {4, 1005, 2006, 1, 1002, 2003}, four[] = {0, 1000, 2000, 3000, 1, 1002, 2003, 3004};
  check_render(&(struct skp__view){.H = 1, .W = 2, .mirror = true},
               &(struct skp_image){.pixels = pixels, .H = 1, .W = 2, .C = 3}, rgb);
  check_render(&(struct skp__view){.H = 1, .W = 2, .left = -1},
               &(struct skp_image){.pixels = pixels, .H = 1, .W = 2, .C = 4}, four);
}
END_TEST

START_TEST(renders_a_hole) {
  static const float want[] = {1, 2, 3, 4, 0, 0};
  check_render(&(struct skp__view){.H = 2, .W = 3, .hole = {{1, 1, 1, 2}}}, &image_2x3, want);
}
END_TEST

/* The second row becomes a pixel; its first two, scaled to twice their width, a window that reaches beyond them. */
START_TEST(renders_a_part) {
  static const float mean[] = {5};
  check_render(&(struct skp__view){.part = {1, 0, 1, 3}, .scaled_h = 1, .scaled_w = 1, .H = 1, .W = 1}, &image_2x3,
               mean);
  struct skp__view v = {.part = {1, 0, 1, 2}, .scaled_h = 1, .scaled_w = 4, .H = 1, .W = 4, .left = -1};
  check_render(&v, &image_2x3, (const float[]){0, 4, 4, 5});
  v.left = 1;
  check_render(&v, &image_2x3, (const float[]){4, 5, 5, 0});
}
END_TEST

/* ---- colours ----------------------------------------------------------------------------------------------------- */

/* One after the other, in the window: brightness and contrast do not commute. */
START_TEST(changes_in_order) {
  static uint8_t two[] = {100, 200, 7};
  const struct skp_image pixels = {.pixels = two, .H = 1, .W = 3, .C = 1};
  const struct skp__change brighter = {SKP_BRIGHTNESS, 2}, flatter = {SKP_CONTRAST, 0.5};
  struct skp__view v = {.H = 1, .W = 2, .part = {0, 0, 1, 3}, .scaled_h = 1, .scaled_w = 3, .changes = 2};
  v.change[0] = brighter, v.change[1] = flatter; /* 200, 255; mean 228 */
  check_render(&v, &pixels, (const float[]){214, 241});
  v.change[0] = flatter, v.change[1] = brighter; /* 125, 175 */
  check_render(&v, &pixels, (const float[]){250, 255});
}
END_TEST

/* ---- drawing ----------------------------------------------------------------------------------------------------- */

START_TEST(nothing_asked) {
  struct skp_augment none = {.crop = false};
  for (int i = 0; i < 100; i++) {
    struct skp__view v = draw(&none, 8, 8, 1, i, 2 * i);
    ck_assert(v.top == 0 && v.left == 0 && !v.mirror && !v.reflect && v.hole[0].width == 0 && v.hole[1].width == 0);
  }
}
END_TEST

/* The middle as torchvision's center_crop finds it: int(round((n - size) / 2.0)), which rounds to even. */
START_TEST(takes_the_middle) {
  static const int left[] = {0, 0, 1, 2, 2, 2, 3, 4, 4};
  struct skp_augment none = {.crop = false};
  for (int more = 0; more < 9; more++) ck_assert_int_eq(draw(&none, 8 + more, 8, 1, 0, 0).left, left[more]);
  ck_assert_int_eq(draw(&none, 5, 8, 1, 0, 0).left, -1);
}
END_TEST

/* By epoch, whatever the sample; what lies beyond the edge is mirrored. */
START_TEST(fixed_views) {
  static const struct { int at, mirror; } want[] = {{1, 0}, {3, 1}, {1, 1}, {3, 0}};
  for (int views = 2; views <= 4; views++) {
    struct skp_augment a = {.views = views};
    for (int epoch = 0; epoch < 2 * views; epoch++) {
      struct skp__view v = draw(&a, 12, 8, 1, epoch, 7 * epoch);
      int i = epoch % views;
      ck_assert(v.top == want[i].at && v.left == want[i].at && v.mirror == want[i].mirror && v.reflect);
    }
  }
}
END_TEST

/* Chi-square of counts that should be equal: about its degrees of freedom, with a deviation of sqrt(2 · those). */
static double chi_square(const int *count, int cells, int total) {
  double mean = (double)total / cells, sum = 0;
  for (int i = 0; i < cells; i++) sum += (count[i] - mean) * (count[i] - mean) / mean;
  return sum;
}

START_TEST(crops_evenly) {
  enum { PAD = 2, OFFSETS = 2 * PAD + 2, TRIED = 36000 }; /* 9 pixels cropped to 8, with padding: 6 offsets each way */
  struct skp_augment a = {.crop = true, .crop_padding = PAD};
  int count[OFFSETS * OFFSETS] = {0};
  for (int i = 0; i < TRIED; i++) {
    struct skp__view v = draw(&a, 9, 8, 3, i % 7, i);
    ck_assert(v.top >= -PAD && v.top < OFFSETS - PAD && v.left >= -PAD && v.left < OFFSETS - PAD);
    count[(v.top + PAD) * OFFSETS + v.left + PAD]++;
  }
  double chi = chi_square(count, OFFSETS * OFFSETS, TRIED);
  ck_assert_msg(chi < 80, "chi-square %g of 35 degrees of freedom", chi); /* 5 deviations */
}
END_TEST

START_TEST(flips_half) {
  struct skp_augment a = {.flip = true};
  int flipped = 0;
  for (int i = 0; i < 10000; i++) flipped += draw(&a, 8, 8, 3, 0, i).mirror;
  ck_assert_msg(flipped > 4750 && flipped < 5250, "%d", flipped); /* 5 deviations */
}
END_TEST

/* The middle of the square is uniform over the input: of 8 · 8 places, a side of 4 covers the corner from 3 · 3
 * (offsets 0 … 2) and the middle from 4 · 4. */
START_TEST(cuts_out) {
  enum { TRIED = 20000 };
  struct skp_augment a = {.cutout = 4};
  int corner = 0, middle = 0, whole = 0;
  for (int i = 0; i < TRIED; i++) {
    struct skp__box h = draw(&a, 8, 8, 3, 0, i).hole[0];
    ck_assert(h.top >= 0 && h.left >= 0 && h.height >= 2 && h.width >= 2 && h.top + h.height <= 8 &&
              h.left + h.width <= 8);
    corner += h.top == 0 && h.left == 0;
    middle += h.top <= 4 && h.top + h.height > 4 && h.left <= 4 && h.left + h.width > 4;
    whole += h.height == 4 && h.width == 4;
  }
  ck_assert_double_eq_tol(corner / (double)TRIED, 9 / 64.0, 0.013);
  ck_assert_double_eq_tol(middle / (double)TRIED, 16 / 64.0, 0.016);
  ck_assert_double_eq_tol(whole / (double)TRIED, 25 / 64.0, 0.018);
}
END_TEST

/* A part of 8 % or more of the image, from 3:4 to 4:3 but for rounding, inside it and anywhere. */
START_TEST(parts_are_of_all_sizes) {
  const struct skp_image image = {.H = 60, .W = 80, .C = 3};
  const struct skp_augment a = {.random_resized_crop = 0.08};
  double smallest = 1, largest = 0;
  int left = 0, right = 0;
  for (int i = 0; i < 5000; i++) {
    struct skp__view v;
    skp__view_draw(&v, 32, 32, 0, &image, &a, 1, 0, i);
    const struct skp__box *p = &v.part;
    double area = p->height * p->width / 4800.0;
    ck_assert(v.scaled_h == 32 && v.scaled_w == 32 && v.top == 0 && v.left == 0);
    ck_assert(p->top >= 0 && p->left >= 0 && p->top + p->height <= 60 && p->left + p->width <= 80);
    ck_assert(area > 0.07 && p->width + 0.5 >= 0.75 * (p->height - 0.5) && p->height + 0.5 >= 0.75 * (p->width - 0.5));
    smallest = area < smallest ? area : smallest;
    largest = area > largest ? area : largest;
    left += p->left + p->width <= 40;
    right += p->left >= 40;
  }
  ck_assert_msg(smallest < 0.1 && largest > 0.9, "areas from %g to %g", smallest, largest);
  ck_assert(left > 200 && right > 200 && left < 2 * right && right < 2 * left);
}
END_TEST

/* Where no part fits, torchvision takes the middle: 4:3 of a strip of 10 × 100, 3:4 of one of 100 × 10. */
START_TEST(parts_of_strips) {
  const struct skp_image flat = {.H = 10, .W = 100, .C = 3}, high = {.H = 100, .W = 10, .C = 3};
  const struct skp_augment whole = {.random_resized_crop = 1};
  struct skp__view v;
  skp__view_draw(&v, 8, 8, 0, &flat, &whole, 1, 0, 0);
  ck_assert(v.part.top == 0 && v.part.left == 43 && v.part.height == 10 && v.part.width == 13);
  skp__view_draw(&v, 8, 8, 0, &high, &whole, 1, 0, 0);
  ck_assert(v.part.top == 43 && v.part.left == 0 && v.part.height == 13 && v.part.width == 10);
}
END_TEST

/* 60 × 30 becomes 32 × 16, of which a window of 8 × 8 is taken. */
START_TEST(crops_what_was_resized) {
  const struct skp_image image = {.H = 60, .W = 30, .C = 3};
  struct skp_augment a = {.crop = false};
  struct skp__view v;
  skp__view_draw(&v, 8, 8, 16, &image, &a, 1, 0, 0);
  ck_assert(v.scaled_h == 32 && v.scaled_w == 16 && v.top == 12 && v.left == 4);
  a.crop = true;
  int most_top = 0, most_left = 0;
  for (int i = 0; i < 1000; i++) {
    skp__view_draw(&v, 8, 8, 16, &image, &a, 1, 0, i);
    ck_assert(v.top >= 0 && v.left >= 0);
    most_top = v.top > most_top ? v.top : most_top;
    most_left = v.left > most_left ? v.left : most_left;
  }
  ck_assert(most_top == 24 && most_left == 8);
}
END_TEST

START_TEST(erases) {
  const struct skp_augment a = {.erasing = 0.4};
  int erased = 0;
  for (int i = 0; i < 5000; i++) {
    struct skp__box h = draw(&a, 32, 32, 1, 0, i).hole[1];
    if (!h.height) continue;
    erased++;
    double area = h.height * h.width / 1024.0;
    ck_assert(h.top >= 0 && h.left >= 0 && h.top + h.height <= 32 && h.left + h.width <= 32);
    ck_assert_msg(area > 0.013 && area < 0.36, "%d × %d", h.height, h.width);
    ck_assert(h.height - 0.5 <= 3.3 * (h.width + 0.5) && h.height + 0.5 >= 0.3 * (h.width - 0.5));
  }
  ck_assert_msg(erased > 1826 && erased < 2174, "%d", erased); /* 5 deviations */
}
END_TEST

/* Which of the changes in a view is of this kind; -1: none. */
static int place_of(const struct skp__view *v, skp__change_kind kind) {
  for (int i = 0; i < v->changes; i++)
    if (v->change[i].kind == kind) return i;
  return -1;
}

START_TEST(jitters) {
  enum { TRIED = 5000 };
  const struct skp_augment a = {.brightness = 0.4, .contrast = 2, .saturation = 0, .hue = 0.1};
  int first[3] = {0};
  double sum[4] = {0};
  for (int i = 0; i < TRIED; i++) {
    const struct skp__view v = draw(&a, 8, 8, 1, 0, i);
    ck_assert(v.changes == 3 && place_of(&v, SKP_SATURATION) < 0);
    for (int k = 0; k < 3; k++) sum[v.change[k].kind] += v.change[k].amount;
    first[place_of(&v, SKP_HUE)]++;
    const double light = v.change[place_of(&v, SKP_BRIGHTNESS)].amount, hue = v.change[place_of(&v, SKP_HUE)].amount;
    const double contrast = v.change[place_of(&v, SKP_CONTRAST)].amount;
    ck_assert(light >= 0.6 && light <= 1.4 && contrast >= 0 && contrast <= 3 && hue >= -0.1 && hue <= 0.1);
  }
  ck_assert(chi_square(first, 3, TRIED) < 14); /* 5 deviations */
  ck_assert_double_eq_tol(sum[SKP_BRIGHTNESS] / TRIED, 1, 0.02);
  ck_assert_double_eq_tol(sum[SKP_CONTRAST] / TRIED, 1.5, 0.07); /* from 0, not from -1 */
  ck_assert_double_eq_tol(sum[SKP_HUE] / TRIED, 0, 0.005);
}
END_TEST

/* However many changes are asked for, a view holds as many as it has room for. */
START_TEST(changes_find_room) {
  const struct skp_augment a = {
      .brightness = 1, .contrast = 1, .hue = 0.5, .trivial_augment = true, .rand_augment = 9, .rand_augment_ops = 1000};
  for (int i = 0; i < 20; i++) ck_assert_int_eq(draw(&a, 8, 8, 1, 0, i).changes, SKP_CHANGES_MOST);
}
END_TEST

START_TEST(blurs_at_random) {
  enum { TRIED = 5000 };
  double sum = 0;
  for (int i = 0; i < TRIED; i++) {
    const struct skp__view v = draw(&(struct skp_augment){.blur = 2}, 8, 8, 1, 0, i);
    ck_assert(v.changes == 1 && v.change[0].kind == SKP_BLUR);
    ck_assert(v.change[0].amount >= 0.1 && v.change[0].amount <= 2);
    sum += v.change[0].amount;
  }
  ck_assert_double_eq_tol(sum / TRIED, 1.05, 0.04); /* 5 deviations of 0.55 / sqrt(5000) */
  const struct skp__view little = draw(&(struct skp_augment){.blur = 0.01}, 8, 8, 1, 0, 0);
  ck_assert(little.change[0].amount == 0.01);
}
END_TEST

START_TEST(rotates_at_random) {
  enum { TRIED = 5000 };
  double sum = 0, squares = 0;
  for (int i = 0; i < TRIED; i++) {
    const struct skp__view v = draw(&(struct skp_augment){.rotate = 30}, 8, 8, 1, 0, i);
    ck_assert(v.changes == 1 && v.change[0].kind == SKP_ROTATE && fabs(v.change[0].amount) <= 30);
    sum += v.change[0].amount;
    squares += v.change[0].amount * v.change[0].amount;
  }
  ck_assert_double_eq_tol(sum / TRIED, 0, 1.3);        /* 5 deviations of 30 / sqrt(3 · 5000) */
  ck_assert_double_eq_tol(squares / TRIED, 300, 19.5); /* 5 of 30² · sqrt(4 / 45 / 5000) */
}
END_TEST

/* One of 14 choices, all as likely; one leaves the image as it is. Strengths are of all levels, to both sides. */
START_TEST(draws_trivial_changes) {
  enum { TRIED = 14000 };
  const struct skp_augment a = {.trivial_augment = true};
  int count[SKP_CHANGE_KINDS] = {0}, none = 0, right = 0, levels[33] = {0};
  for (int i = 0; i < TRIED; i++) {
    const struct skp__view v = draw(&a, 64, 64, 1, 0, i);
    ck_assert_int_le(v.changes, 1);
    if (!v.changes) none++;
    if (v.changes) count[v.change[0].kind]++;
    if (!v.changes || v.change[0].kind != SKP_TRANSLATE_X) continue;
    right += v.change[0].amount > 0;
    levels[(int)fabs(v.change[0].amount)]++;
  }
  ck_assert(none > 850 && none < 1150); /* 5 deviations */
  for (int k = 0; k < SKP_CHANGE_KINDS; k++)
    ck_assert(k == SKP_HUE || k == SKP_BLUR ? count[k] == 0 : count[k] > 850 && count[k] < 1150);
  ck_assert(right > 350 && right < 620 && levels[0] && levels[15] && levels[32] && !levels[16]);
}
END_TEST

/* So many of one strength, which follows the size of the image where torchvision's does. */
START_TEST(draws_rand_changes) {
  const struct skp_augment a = {.rand_augment = 30, .rand_augment_ops = 3};
  int most = 0;
  for (int i = 0; i < 500; i++) {
    const struct skp__view v = draw(&a, 64, 64, 1, 0, i);
    const int moved = place_of(&v, SKP_TRANSLATE_X);
    ck_assert_int_le(v.changes, 3);
    most += v.changes == 3;
    if (moved >= 0) ck_assert_double_eq_tol(fabs(v.change[moved].amount), 150.0 / 331 * 64, 1e-5);
  }
  ck_assert(most > 350 && most < 450); /* (13/14)³ of them, 401 */
}
END_TEST

START_TEST(describes_itself) {
  const struct skp_augment a = {.crop = true,
                                .crop_padding = 2,
                                .trivial_augment = true,
                                .rand_augment = 9,
                                .rand_augment_ops = 2,
                                .mixup = 0.2,
                                .cutmix = 1,
                                .blur = 1.5,
                                .rotate = 15,
                                .hue = 0.1};
  struct skp__text text = {.n = 0};
  skp__augment_describe(&text, &a);
  ck_assert_str_eq(text.at, "random crop with 2 pixels around, colour jitter 0/0/0/0.1, TrivialAugment, "
                            "RandAugment 2 times at 9, mixup 0.2, cutmix 1, blur 1.5, rotation by up to 15 degrees");
}
END_TEST

static bool same_changes(const struct skp__view *a, const struct skp__view *b) {
  for (int i = 0; i < a->changes; i++)
    if (a->change[i].kind != b->change[i].kind || a->change[i].amount != b->change[i].amount) return false;
  return a->changes == b->changes;
}

static bool same(const struct skp__view *a, const struct skp__view *b) {
  return a->top == b->top && a->left == b->left && a->mirror == b->mirror &&
         memcmp(a->hole, b->hole, sizeof a->hole) == 0 && same_changes(a, b);
}

START_TEST(drawn_from_seed_epoch_and_sample) {
  struct skp_augment all = {.crop = true,
                            .crop_padding = 4,
                            .flip = true,
                            .brightness = 1,
                            .contrast = 1,
                            .saturation = 1,
                            .hue = 0.5,
                            .trivial_augment = true,
                            .cutout = 8,
                            .erasing = 0.5},
                     fewer = all;
  fewer.flip = false;
  int changed[3] = {0};
  for (int i = 0; i < 100; i++) {
    struct skp__view v = draw(&all, 32, 32, 5, 6, i), again = draw(&all, 32, 32, 5, 6, i);
    struct skp__view other[3] = {draw(&all, 32, 32, 6, 6, i), draw(&all, 32, 32, 5, 7, i),
                                 draw(&all, 32, 32, 5, 6, i + 100)};
    ck_assert(same(&v, &again));
    for (int k = 0; k < 3; k++) changed[k] += v.top != other[k].top || v.left != other[k].left;
    again = draw(&fewer, 32, 32, 5, 6, i); /* switching one off leaves the others */
    again.mirror = v.mirror;
    ck_assert(same(&v, &again));
  }
  for (int k = 0; k < 3; k++) ck_assert_int_gt(changed[k], 90);
}
END_TEST

/* ---- in the loader ----------------------------------------------------------------------------------------------- */

enum { SIDE = 8, VALUES = SIDE * SIDE * 3, SAMPLES = 40 };

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  SKP_TRY(skp__image_room(out, s->H, s->W, s->C));
  for (int p = 0; p < s->H * s->W * s->C; p++) out->pixels[p] = (uint8_t)(i * 31 + p);
  *label = (int32_t)i;
  return SKP_OK;
}

/* Appends to x each batch's images, and its lambdas where images are mixed. */
static void load(float *x, const struct skp_augment *a, int threads, int epochs) {
  struct skp_source s = {.name = (char *)"numbers", .n = SAMPLES, .H = SIDE, .W = SIDE, .C = 3, .image = image};
  struct skp_loader_options o = {.batch = 8, .seed = 3, .threads = threads, .depth = 2 + threads, .augment = *a};
  o.n_norm = 3;
  for (int c = 0; c < 3; c++) o.mean[c] = 0.5f, o.std[c] = 0.25f;
  struct skp_loader *l;
  ck_ok(skp__loader_create(&l, &s, &o));
  for (int b = 0; b < epochs * SAMPLES / 8; b++) {
    struct skp_batch *batch;
    ck_ok(skp__loader_next(l, &batch, NULL));
    memcpy(x, batch->x, 8 * VALUES * sizeof *x);
    x += 8 * VALUES;
    ck_assert((batch->lambda != NULL) == skp__augment_mixes(a) && (batch->other != NULL) == skp__augment_mixes(a));
    if (batch->lambda) memcpy(x, batch->lambda, 8 * sizeof *x);
    if (batch->lambda) x += 8;
    skp__loader_give_back(l, batch);
  }
  skp__loader_destroy(l);
}

START_TEST(threads_do_not_matter) {
  enum { EPOCHS = 2, TOTAL = EPOCHS * SAMPLES * VALUES, MIXED = TOTAL + EPOCHS * SAMPLES };
  struct skp_augment a = {.random_resized_crop = 0.3,
                          .crop = true,
                          .crop_padding = 2,
                          .flip = true,
                          .cutout = 3,
                          .brightness = 0.2,
                          .contrast = 0.2,
                          .saturation = 0.2,
                          .hue = 0.1,
                          .blur = 1.5,
                          .rotate = 20,
                          .trivial_augment = true};
  static float one[MIXED], two[MIXED], four[MIXED], plain[TOTAL];
  load(one, &a, 1, EPOCHS);
  load(two, &a, 2, EPOCHS);
  load(four, &a, 4, EPOCHS);
  load(plain, &(struct skp_augment){.crop = false}, 2, EPOCHS);
  ck_assert_mem_eq(one, two, sizeof one);
  ck_assert_mem_eq(one, four, sizeof one);
  ck_assert(memcmp(one, one + TOTAL / 2, sizeof plain / 2)); /* another epoch, other views */
  ck_assert_mem_eq(plain, plain + TOTAL / 2, sizeof plain / 2);
  int64_t zeros = 0; /* that only holes make: no byte is normalised to 0 */
  for (int i = 0; i < TOTAL; i++) zeros += one[i] == 0;
  ck_assert_int_gt(zeros, 4 * 3 * EPOCHS * SAMPLES / 2);
  a.mixup = 0.4;
  a.cutmix = 1;
  a.rand_augment = 9;
  a.rand_augment_ops = 2;
  load(one, &a, 1, EPOCHS);
  load(four, &a, 4, EPOCHS);
  ck_assert_mem_eq(one, four, sizeof one);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("augment");
  TCase *c = tcase_create("augment");
  tcase_set_timeout(c, 60);
  tcase_add_test(c, renders_as_it_is);
  tcase_add_test(c, renders_mirrored);
  tcase_add_test(c, renders_padding);
  tcase_add_test(c, renders_reflection);
  tcase_add_test(c, renders_channels);
  tcase_add_test(c, renders_a_hole);
  tcase_add_test(c, nothing_asked);
  tcase_add_test(c, takes_the_middle);
  tcase_add_test(c, fixed_views);
  tcase_add_test(c, crops_evenly);
  tcase_add_test(c, flips_half);
  tcase_add_test(c, cuts_out);
  tcase_add_test(c, renders_a_part);
  tcase_add_test(c, changes_in_order);
  tcase_add_test(c, parts_are_of_all_sizes);
  tcase_add_test(c, parts_of_strips);
  tcase_add_test(c, crops_what_was_resized);
  tcase_add_test(c, erases);
  tcase_add_test(c, jitters);
  tcase_add_test(c, changes_find_room);
  tcase_add_test(c, blurs_at_random);
  tcase_add_test(c, rotates_at_random);
  tcase_add_test(c, draws_trivial_changes);
  tcase_add_test(c, draws_rand_changes);
  tcase_add_test(c, describes_itself);
  tcase_add_test(c, drawn_from_seed_epoch_and_sample);
  tcase_add_test(c, threads_do_not_matter);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
