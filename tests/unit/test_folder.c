/* test_folder.c: image folders as people have them, damaged pictures, and the memory of decoded ones. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "data/data.h"
#include "folder.h"
#include <spng.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

/* ---- files written by the tests ---------------------------------------------------------------------------------- */

static const char *in(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* Writes a file and the folders above it. */
static void save(const char *name, const void *bytes, size_t n) {
  char path[256];
  snprintf(path, sizeof path, "%s", in(name));
  *strrchr(path, '/') = 0;
  ck_ok(skp__folder_create(path));
  FILE *f = fopen(in(name), "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

enum { MOST = 64 * 64 * 3 };

/* A picture of one colour, grey when C is 1. */
static void jpeg(const char *name, int H, int W, int C, int value) {
  unsigned char pixels[MOST], *at = NULL;
  unsigned long n = 0;
  memset(pixels, value, sizeof pixels);
  tjhandle encoder = tjInitCompress();
  ck_assert_int_eq(tjCompress2(encoder, pixels, W, 0, H, C == 1 ? TJPF_GRAY : TJPF_RGB, &at, &n,
                               C == 1 ? TJSAMP_GRAY : TJSAMP_420, 95, 0),
                   0);
  save(name, at, n);
  tjFree(at);
  tjDestroy(encoder);
}

static void png(const char *name, int H, int W, int C, int value) {
  unsigned char pixels[MOST];
  size_t n;
  int error;
  memset(pixels, value, sizeof pixels);
  spng_ctx *encoder = spng_ctx_new(SPNG_CTX_ENCODER);
  struct spng_ihdr header = {.width = (uint32_t)W, .height = (uint32_t)H, .bit_depth = 8};
  header.color_type = C == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR;
  spng_set_option(encoder, SPNG_ENCODE_TO_BUFFER, 1);
  spng_set_ihdr(encoder, &header);
  ck_assert_int_eq(spng_encode_image(encoder, pixels, (size_t)(H * W * C), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
  void *at = spng_get_png_buffer(encoder, &n, &error);
  save(name, at, n);
  free(at);
  spng_ctx_free(encoder);
}

/* Leaves the first n bytes of a file. */
static void cut(const char *name, off_t n) { ck_assert_int_eq(truncate(in(name), n), 0); }

static struct skp_source *open_split(skp_split split) {
  struct skp_source *s;
  ck_ok(skp__source_open(&s, folder, split));
  return s;
}

/* Sample i has this label, and pixels near this value. */
static void check(const struct skp_source *s, int64_t i, int H, int W, int label, int value) {
  struct skp_image image = {.H = 0};
  int32_t got, again;
  ck_ok(s->image(s, i, &image, &got));
  ck_ok(s->image(s, i, NULL, &again));
  ck_assert_int_eq(got, label);
  ck_assert_int_eq(again, label);
  ck_assert(image.H == H && image.W == W && image.C == s->C);
  for (int p = 0; p < H * W * s->C; p++) ck_assert_int_le(abs(image.pixels[p] - value), 2);
  skp__image_free(&image);
}

/* ---- sound folders ------------------------------------------------------------------------------------------------ */

START_TEST(reads) {
  static const char *const tests[] = {"test", "val", "valid", "validation"};
  char name[64];
  jpeg("train/dog/b.JPEG", 8, 6, 3, 40);
  jpeg("train/dog/a.jpg", 10, 20, 1, 80);
  png("train/Cat/x.png", 5, 5, 3, 120);
  png("train/bird/10.PNG", 7, 9, 1, 160);
  png("train/bird/9.png", 7, 9, 1, 200);
  save("train/bird/notes.txt", "no picture", 10);
  save("train/bird/.hidden.png", "no picture", 10);
  save("train/list.txt", "no class", 8);
  snprintf(name, sizeof name, "%s/dog/z.png", tests[_i]);
  png(name, 3, 4, 3, 10);
  struct skp_source *train = open_split(SKP_SPLIT_TRAIN), *test = open_split(SKP_SPLIT_TEST);
  ck_assert(train->n == 5 && train->H == 0 && train->W == 0 && train->C == 3 && train->classes == 3);
  ck_assert_str_eq(train->name, folder);
  ck_assert_str_eq(train->class_names[0], "Cat");
  ck_assert_str_eq(train->class_names[1], "bird");
  ck_assert_str_eq(train->class_names[2], "dog");
  ck_assert_str_eq(train->name_of(train, 4), "dog/b.JPEG");
  for (int again = 0; again < 2; again++) {
    check(train, 0, 5, 5, 0, 120);
    check(train, 1, 7, 9, 1, 160);
    check(train, 2, 7, 9, 1, 200);
    check(train, 3, 10, 20, 2, 80);
    check(train, 4, 8, 6, 2, 40);
  }
  ck_assert(test->n == 1 && test->H == 3 && test->W == 4 && test->classes == 1);
  check(test, 0, 3, 4, 0, 10);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* Without train and test, and all pictures grey and of one size. */
START_TEST(classes_alone) {
  struct skp_source *test;
  png("one/a.png", 4, 6, 1, 50);
  jpeg("two/b.jpg", 4, 6, 1, 60);
  struct skp_source *train = open_split(SKP_SPLIT_TRAIN);
  ck_ok(skp__source_open(&test, folder, SKP_SPLIT_TEST));
  ck_assert_ptr_null(test);
  ck_assert(train->n == 2 && train->H == 4 && train->W == 6 && train->C == 1 && train->classes == 2);
  check(train, 0, 4, 6, 0, 50);
  check(train, 1, 4, 6, 1, 60);
  skp__source_destroy(train);
}
END_TEST

START_TEST(kept_in_memory) {
  png("one/a.png", 4, 6, 1, 50);
  jpeg("two/b.jpg", 4, 6, 3, 60);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  check(s, 0, 4, 6, 0, 50);
  unlink(in("one/a.png"));
  check(s, 0, 4, 6, 0, 50);
  skp__source_destroy(s);
}
END_TEST

/* Two folders whose names are the same text, as file systems of several makers write it, are one class. */
START_TEST(forms_of_a_name) {
  png("caf\xc3\xa9/a.png", 2, 2, 3, 10);
  png("cafe\xcc\x81/b.png", 2, 2, 3, 20);
  png("cafz/c.png", 2, 2, 3, 30);
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_assert(s->n == 3 && s->classes == 2);
  check(s, 0, 2, 2, 0, 20);
  check(s, 1, 2, 2, 1, 30);
  check(s, 2, 2, 2, 0, 10);
  ck_assert_str_eq(s->class_names[0], "cafe\xcc\x81");
  skp__source_destroy(s);
}
END_TEST

/* ---- folders that cannot be used ---------------------------------------------------------------------------------- */

START_TEST(refuses) {
  struct skp_source *s;
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "image folders");
  save("one/a.txt", "text", 4);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "What lies there: one");
  png("one/a.png", 2, 2, 3, 0);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN)); /* one class is enough to test with */
  ck_assert_int_eq(s->classes, 1);
  skp__source_destroy(s);
  ck_ok(skp__folder_create(in("two")));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "/two holds no pictures (.jpg ");
  png("two/a.png", 2, 2, 3, 0);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  skp__source_destroy(s);
}
END_TEST

START_TEST(refuses_splits) {
  struct skp_source *s;
  png("test/one/a.png", 2, 2, 3, 0);
  png("test/two/a.png", 2, 2, 3, 0);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "lacks the folder train");
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST)); /* enough to evaluate */
  skp__source_destroy(s);
  png("train/one/a.png", 2, 2, 3, 0);
  png("train/three/a.png", 2, 2, 3, 0);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  skp__source_destroy(s);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST)); /* each part has classes of its own */
  ck_assert_str_eq(s->class_names[1], "two");
  skp__source_destroy(s);
}
END_TEST

START_TEST(bomb) {
  /* A PNG header that tells of 200 000 × 200 000 pixels. */
  static const uint8_t bytes[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\3\r@\0\3\r@\b\2\0\0\0\x5f\x9a\x2a\x1d";
  struct skp_source *s;
  png("one/a.png", 2, 2, 3, 0);
  save("two/bomb.png", bytes, sizeof bytes - 1);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "two/bomb.png");
  ck_assert_ptr_null(s);
}
END_TEST

/* ---- damaged pictures ---------------------------------------------------------------------------------------------- */

enum { N = 230 };

/* N pictures, alternately of two classes; the value of each is its number. */
static void make_many(void) {
  char name[64];
  for (int i = 0; i < N; i++) {
    snprintf(name, sizeof name, "%d/%03d.png", i >= N / 2, i);
    png(name, 8, 8, 3, i);
  }
}

/* The first value and the label of each sample of two epochs. */
struct seen {
  int value[2 * N], label[2 * N];
};

static skp_status load(struct seen *out, const struct skp_source *s, int threads, bool stand_in) {
  struct skp_loader_options o = {.size = 8,
                                 .batch = 7,
                                 .shuffle = true,
                                 .seed = 5,
                                 .threads = threads,
                                 .depth = threads + 2,
                                 .stand_in = stand_in};
  struct skp_loader *l;
  int64_t n = 0;
  ck_ok(skp__loader_create(&l, s, &o));
  skp_status status = SKP_OK;
  for (int b = 0; b < 2 * skp__loader_batches(l) && status == SKP_OK; b++) {
    struct skp_batch *batch;
    status = skp__loader_next(l, &batch, NULL);
    for (int64_t i = 0; status == SKP_OK && i < batch->n; i++, n++) {
      out->value[n] = (int)(batch->x[i * 192] * 255.0f + 0.5f);
      out->label[n] = batch->labels[i];
    }
    skp__loader_give_back(l, batch);
  }
  skp__loader_destroy(l);
  return status;
}

/* A picture whose header is sound and one without a header: others stand in, all the rest stays as it was. */
START_TEST(passed_over) {
  static struct seen sound, damaged;
  struct skp__text text = {.n = 0};
  make_many();
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_ok(load(&sound, s, 1, true));
  skp__source_destroy(s);
  cut("0/003.png", 60);
  cut("1/200.png", 0);
  s = open_split(SKP_SPLIT_TRAIN);
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 1); /* the other one shows when it is decoded */
  for (int threads = 1; threads <= 4; threads += 3) {
    ck_ok(load(&damaged, s, threads, true));
    for (int i = 0; i < 2 * N; i++) {
      int want = sound.value[i] == 3 || sound.value[i] == 200 ? sound.value[i] + 1 : sound.value[i];
      ck_assert_int_eq(damaged.value[i], want);
      ck_assert_int_eq(damaged.label[i], want >= N / 2);
    }
  }
  text.n = 0;
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 2);
  ck_assert_ptr_nonnull(strstr(text.at, "1/200.png is no picture of the formats"));
  ck_assert_ptr_nonnull(strstr(text.at, "0/003.png is truncated"));
  ck_ok(load(&damaged, s, 2, false)); /* where nothing may stand in: without a label */
  for (int i = 0; i < 2 * N; i++) {
    bool bad = sound.value[i] == 3 || sound.value[i] == 200;
    ck_assert_int_eq(damaged.value[i], bad ? 0 : sound.value[i]);
    ck_assert_int_eq(damaged.label[i], bad ? -1 : sound.value[i] >= N / 2);
  }
  ck_fails(skp__damage_be_strict(s->damage), SKP_FORMAT, "has damaged images:\n");
  skp__source_destroy(s);
}
END_TEST

START_TEST(too_many_damaged) {
  static struct seen seen;
  struct skp_source *s;
  make_many();
  for (int i = 0; i < 3; i++) {
    char name[16];
    snprintf(name, sizeof name, "0/%03d.png", 10 * i + 10);
    cut(name, 60);
  }
  s = open_split(SKP_SPLIT_TRAIN);
  ck_ok(skp__damage_be_strict(NULL));
  ck_fails(load(&seen, s, 2, true), SKP_FORMAT, "3 of the 230 images of");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "0/030.png is truncated"));
  skp__source_destroy(s);
  for (int i = 0; i < 3; i++) {
    char name[16];
    snprintf(name, sizeof name, "0/%03d.png", 10 * i + 10);
    cut(name, 10);
  }
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "more than 1 in 100");
}
END_TEST

START_TEST(strict) {
  static struct seen seen;
  make_many();
  struct skp_source *s = open_split(SKP_SPLIT_TRAIN);
  ck_ok(skp__damage_be_strict(s->damage));
  cut("0/003.png", 60);
  ck_fails(load(&seen, s, 2, true), SKP_FORMAT, "0/003.png is truncated");
  skp__source_destroy(s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("folder");
  TCase *c = tcase_create("folder");
  tcase_set_timeout(c, 60);
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, reads, 0, 4);
  tcase_add_test(c, classes_alone);
  tcase_add_test(c, kept_in_memory);
  tcase_add_test(c, forms_of_a_name);
  tcase_add_test(c, refuses);
  tcase_add_test(c, refuses_splits);
  tcase_add_test(c, bomb);
  tcase_add_test(c, passed_over);
  tcase_add_test(c, too_many_damaged);
  tcase_add_test(c, strict);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
