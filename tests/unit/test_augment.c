/* test_augment.c: views are drawn with the right chances, from nothing but (seed, epoch, sample), and rendered exactly.
 * SPDX-License-Identifier: MIT */
#include "data/augment.h"
#include "data/data.h"
#include "test.h"

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
  skp__view_draw(&v, out, out, &image, a, seed, epoch, sample);
  return v;
}

static void check_render(const struct skp__view *v, const struct skp_image *image, const float *want) {
  float got[64];
  int column[16];
  skp__view_render(got, v, image, plain_table(), column);
  for (int i = 0; i < v->H * v->W * image->C; i++)
    ck_assert_msg(got[i] == want[i], "[%d] %g, not %g", i, got[i], want[i]);
}

/* ---- rendering ---------------------------------------------------------------------------------------------------- */

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
  check_render(&(struct skp__view){.H = 2, .W = 3, .hole = {1, 1, 1, 2}}, &image_2x3, want);
}
END_TEST

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

START_TEST(nothing_asked) {
  struct skp_augment none = {.crop = false};
  for (int i = 0; i < 100; i++) {
    struct skp__view v = draw(&none, 8, 8, 1, i, 2 * i);
    ck_assert(v.top == 0 && v.left == 0 && !v.mirror && !v.reflect && v.hole.width == 0);
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

/* The middle of the square is uniform over the input: of 8 · 8 places, a side of 4 covers the corner from 3 · 3 (offsets 0 … 2) and
 * the middle from 4 · 4. */
START_TEST(cuts_out) {
  enum { TRIED = 20000 };
  struct skp_augment a = {.cutout = 4};
  int corner = 0, middle = 0, whole = 0;
  for (int i = 0; i < TRIED; i++) {
    struct skp__box h = draw(&a, 8, 8, 3, 0, i).hole;
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

static bool same(const struct skp__view *a, const struct skp__view *b) {
  return a->top == b->top && a->left == b->left && a->mirror == b->mirror &&
         memcmp(&a->hole, &b->hole, sizeof a->hole) == 0;
}

START_TEST(drawn_from_seed_epoch_and_sample) {
  struct skp_augment all = {.crop = true, .crop_padding = 4, .flip = true, .cutout = 8}, fewer = all;
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

/* ---- mixup -------------------------------------------------------------------------------------------------------- */

START_TEST(mixes_with_the_one_before) {
  enum { N = 3 };
  float x[2 * N] = {1, 10, 2, 20, 3, 30}, last[2], share[N];
  const int32_t labels[N] = {7, 8, 9};
  int32_t other[N];
  const struct skp__mixing m = {N, 2, x, labels, other, share};
  skp__mixup(&m, 1, 1, 2, 3, last);
  const float s = share[0], t = 1 - s;
  ck_assert(s >= 0.5f && s < 1 && share[1] == s && share[2] == s);
  ck_assert(other[0] == 9 && other[1] == 7 && other[2] == 8);
  const float want[2 * N] = {s * 1 + t * 3,   s * 10 + t * 30, s * 2 + t * 1,
                             s * 20 + t * 10, s * 3 + t * 2,   s * 30 + t * 20};
  for (int i = 0; i < 2 * N; i++) ck_assert_float_eq_tol(x[i], want[i], 1e-6f * want[i]);
}
END_TEST

/* Beta(alpha, alpha) has the mean 1/2 and the variance 1 / (8 alpha + 4); folded at 1/2 it keeps the mean square of the distance. */
START_TEST(shares_are_beta) {
  enum { TRIED = 20000 };
  static const double alphas[] = {0.2, 1, 4};
  double sum = 0, variance = 1 / (8 * alphas[_i] + 4);
  for (int i = 0; i < TRIED; i++) {
    float x = 0, last, share;
    int32_t label = 0, other;
    skp__mixup(&(struct skp__mixing){1, 1, &x, &label, &other, &share}, alphas[_i], 3, 0, i, &last);
    ck_assert(share >= 0.5f && share <= 1);
    sum += ((double)share - 0.5) * ((double)share - 0.5);
  }
  ck_assert_double_eq_tol(sum / TRIED, variance, 0.05 * variance);
}
END_TEST

/* ---- in the loader ------------------------------------------------------------------------------------------------ */

enum { SIDE = 8, VALUES = SIDE * SIDE * 3, SAMPLES = 40 };

static skp_status image(const struct skp_source *s, int64_t i, struct skp_image *out, int32_t *label) {
  SKP_TRY(skp__image_room(out, s->H, s->W, s->C));
  for (int p = 0; p < s->H * s->W * s->C; p++) out->pixels[p] = (uint8_t)(i * 31 + p);
  *label = (int32_t)i;
  return SKP_OK;
}

/* Appends to x each batch's images, and its shares where images are mixed. */
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
    ck_assert((batch->share != NULL) == (a->mixup > 0) && (batch->other != NULL) == (a->mixup > 0));
    if (batch->share) memcpy(x, batch->share, 8 * sizeof *x);
    if (batch->share) x += 8;
    skp__loader_give_back(l, batch);
  }
  skp__loader_destroy(l);
}

START_TEST(threads_do_not_matter) {
  enum { EPOCHS = 2, TOTAL = EPOCHS * SAMPLES * VALUES, MIXED = TOTAL + EPOCHS * SAMPLES };
  struct skp_augment a = {.crop = true, .crop_padding = 2, .flip = true, .cutout = 3};
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
  tcase_add_test(c, crops_evenly);
  tcase_add_test(c, flips_half);
  tcase_add_test(c, cuts_out);
  tcase_add_test(c, drawn_from_seed_epoch_and_sample);
  tcase_add_test(c, mixes_with_the_one_before);
  tcase_add_loop_test(c, shares_are_beta, 0, 3);
  tcase_add_test(c, threads_do_not_matter);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
