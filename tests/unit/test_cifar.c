/* test_cifar.c: CIFAR's binary files as they come, and as they must not come. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/random.h"
#include "data/source.h"
#include "folder.h"
#include <unistd.h>

/* ---- files written by the tests ---------------------------------------------------------------------------------- */

enum { PLANE = 32 * 32, MOST = 12 };

struct bytes {
  uint8_t at[MOST * (2 + 3 * PLANE)];
  size_t n;
};

static uint8_t pixel(int64_t record, int c, int p) { return (uint8_t)(record * 31 + c * 101 + p * 7 + p / 32); }

/* n records whose numbers start at `first`; the class of each is its number. `labels` bytes come before the pixels. */
static struct bytes records(int first, int n, int labels) {
  struct bytes b = {.n = 0};
  for (int r = first; r < first + n; r++) {
    if (labels == 2) b.at[b.n++] = (uint8_t)(19 - r);
    b.at[b.n++] = (uint8_t)r;
    for (int i = 0; i < 3 * PLANE; i++) b.at[b.n++] = pixel(r, i / PLANE, i % PLANE);
  }
  return b;
}

static void save_bytes(const char *name, const void *at, size_t n) {
  char *path;
  struct skp__file_part part = {at, (int64_t)n};
  ck_ok(skp__path_join(&path, folder, name));
  ck_ok(skp__file_write_atomic(path, &part, 1));
  free(path);
}

static void save(const char *name, struct bytes b) { save_bytes(name, b.at, b.n); }
static void save_text(const char *name, const char *text) { save_bytes(name, text, strlen(text)); }

/* ---- sound ones -------------------------------------------------------------------------------------------------- */

/* That the source has the records 0 … n-1, each with its number as class. */
static void check(struct skp_source *s, int n, int classes) {
  struct skp_image image = {.H = 0};
  int32_t label, again;
  ck_assert(s->n == n && s->H == 32 && s->W == 32 && s->C == 3 && s->classes == classes);
  ck_assert_str_eq(s->name, folder);
  for (int r = n - 1; r >= 0; r--) {
    ck_ok(s->image(s, r, &image, &label));
    ck_ok(s->image(s, r, NULL, &again));
    ck_assert(image.H == 32 && image.W == 32 && image.C == 3 && label == r && again == r);
    for (int i = 0; i < 3 * PLANE; i++) ck_assert_int_eq(image.pixels[i], pixel(r, i % 3, i / 3));
  }
  skp__image_free(&image);
}

#define BATCHES                                                                                                        \
  { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin" }

static const struct {
  const char *folder; /* in the folder that is opened */
  const char *train[5], *test;
  int labels, classes;
} sets[] = {
    {"", BATCHES, "test_batch.bin", 1, 10},
    {"", {"data_batch_1.bin"}, "test_batch.bin", 1, 10},
    {"cifar-10-batches-bin", BATCHES, "test_batch.bin", 1, 10},
    {"", {"train.bin"}, "test.bin", 2, 100},
    {"cifar-100-binary", {"train.bin"}, "test.bin", 2, 100},
};
enum { SETS = sizeof sets / sizeof *sets };

START_TEST(reads) {
  char name[64];
  struct skp_source *train, *test;
  snprintf(name, sizeof name, "%s/%s", folder, sets[_i].folder);
  (void)skp__make_folder(name);
  int files = 0;
  for (; files < 5 && sets[_i].train[files]; files++) {
    snprintf(name, sizeof name, "%s/%s", sets[_i].folder, sets[_i].train[files]);
    save(name, records(2 * files, 2, sets[_i].labels));
  }
  ck_ok(skp__source_open(&test, folder, SKP_SPLIT_TEST));
  ck_assert_ptr_null(test);
  snprintf(name, sizeof name, "%s/%s", sets[_i].folder, sets[_i].test);
  save(name, records(0, 3, sets[_i].labels));
  ck_ok(skp__source_open(&train, folder, SKP_SPLIT_TRAIN));
  ck_ok(skp__source_open(&test, folder, SKP_SPLIT_TEST));
  check(train, 2 * files, sets[_i].classes);
  check(test, 3, sets[_i].classes);
  ck_assert_str_eq(train->class_names[9], "9");
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

START_TEST(names) {
  struct skp_source *s;
  save("data_batch_1.bin", records(0, 10, 1));
  save_text("batches.meta.txt", "airplane\nautomobile\nbird\ncat\r\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  ck_assert_str_eq(s->class_names[0], "airplane");
  ck_assert_str_eq(s->class_names[3], "cat");
  ck_assert_str_eq(s->class_names[9], "truck");
  skp__source_destroy(s);
  save_text("batches.meta.txt", "airplane\nautomobile\n");
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "batches.meta.txt names 2 classes; there are 10");
  save_text("batches.meta.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "names 11 classes");
}
END_TEST

/* ---- others ------------------------------------------------------------------------------------------------------ */

static const struct {
  const char *file;
  int labels;
  int64_t size, at; /* of the file; where a byte is wrong, -1: nowhere */
  uint8_t byte;
  const char *text;
} damaged[] = {
    {"data_batch_1.bin", 1, 0, -1, 0,
     "data_batch_1.bin has 0 bytes; a file of CIFAR-10 is made of records of 3073 bytes"},
    {"data_batch_1.bin", 1, 3072, -1, 0, "data_batch_1.bin has 3072 bytes"},
    {"data_batch_1.bin", 1, 3 * 3073 + 1, -1, 0, "has 9220 bytes"},
    {"data_batch_1.bin", 2, 4 * 3074, -1, 0, "It is truncated, or something else"},
    {"data_batch_1.bin", 1, 4 * 3073, 2 * 3073, 10,
     "data_batch_1.bin: record 2 has the label 10; CIFAR-10 has labels from 0 to 9"},
    {"data_batch_1.bin", 1, 4 * 3073, 0, 255, "record 0 has the label 255"},
    {"train.bin", 2, 0, -1, 0, "records of 3074 bytes"},
    {"train.bin", 1, 4 * 3073, -1, 0, "train.bin has 12292 bytes"},
    {"train.bin", 2, 4 * 3074, 3 * 3074 + 1, 100, "record 3 has the label 100; CIFAR-100 has labels from 0 to 99"},
    {"train.bin", 2, 4 * 3074, 3 * 3074, 20, "record 3 has the label 20; CIFAR-100 has labels from 0 to 19"},
};
enum { DAMAGED = sizeof damaged / sizeof *damaged };

START_TEST(refuses) {
  struct skp_source *s;
  struct bytes b = records(0, 5, damaged[_i].labels);
  b.n = (size_t)damaged[_i].size;
  if (damaged[_i].at >= 0) b.at[damaged[_i].at] = damaged[_i].byte;
  save(damaged[_i].file, b);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, damaged[_i].text);
  ck_assert_ptr_null(s);
}
END_TEST

/* Whatever the size and the bytes: a text that names the file, or images with labels below the classes. */
START_TEST(any_bytes) {
  static const char *const files[] = {"data_batch_1.bin", "train.bin"};
  struct skp__random r = skp__random_start(1, 0);
  for (int round = 0; round < 60; round++) {
    struct bytes b = {.n = skp__random_below(&r, 4) * (size_t)(3073 + round % 2)};
    if (skp__random_below(&r, 4) == 0) b.n += skp__random_below(&r, 3);
    for (size_t i = 0; i < b.n; i++) b.at[i] = (uint8_t)skp__random_below(&r, round % 3 ? 10 : 11);
    save(files[round % 2], b);
    struct skp_source *s;
    struct skp_image image = {.H = 0};
    int32_t label;
    if (skp__source_open(&s, folder, SKP_SPLIT_TRAIN) == SKP_OK) {
      for (int64_t i = 0; i < s->n; i++) {
        ck_ok(s->image(s, i, &image, &label));
        ck_assert(label >= 0 && label < s->classes);
      }
    } else {
      ck_assert_ptr_nonnull(strstr(skp_error_message(), files[round % 2]));
    }
    skp__source_destroy(s);
    skp__image_free(&image);
    char *path;
    ck_ok(skp__path_join(&path, folder, files[round % 2]));
    unlink(path);
    free(path);
  }
}
END_TEST

START_TEST(training_files_are_needed) {
  struct skp_source *s;
  save("test_batch.bin", records(0, 3, 1));
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, "lacks data_batch_1.bin");
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST));
  skp__source_destroy(s);
}
END_TEST

/* Whichever of the series was lost, it is named; the images to test with need none of them. */
START_TEST(a_lost_file_is_named) {
  static const char *const batches[] = BATCHES;
  char text[64];
  struct skp_source *s;
  for (int f = 0; f < 5; f++)
    if (f != _i) save(batches[f], records(0, 2, 1));
  save("test_batch.bin", records(0, 3, 1));
  snprintf(text, sizeof text, "lacks %s, whereas others", batches[_i]);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_FORMAT, text);
  ck_assert_ptr_null(s);
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TEST));
  skp__source_destroy(s);
  save(batches[_i], records(0, 2, 1));
  ck_ok(skp__source_open(&s, folder, SKP_SPLIT_TRAIN));
  skp__source_destroy(s);
}
END_TEST

/* The version for Python is named, with what to do. */
START_TEST(pickles) {
  static const struct {
    const char *folder, *files[2], *text;
  } python[] = {{"", {"data_batch_1", "batches.meta"}, "CIFAR-10 as Python pickles"},
                {"cifar-10-batches-py", {"data_batch_1", "batches.meta"}, "tools/download cifar10"},
                {"cifar-100-python", {"train", "meta"}, "tools/download cifar100"}};
  char name[64];
  struct skp_source *s;
  snprintf(name, sizeof name, "%s/%s", folder, python[_i].folder);
  (void)skp__make_folder(name);
  for (int f = 0; f < 2; f++) {
    snprintf(name, sizeof name, "%s/%s", python[_i].folder, python[_i].files[f]);
    save_text(name, "x");
  }
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TRAIN), SKP_UNSUPPORTED, python[_i].text);
  ck_fails(skp__source_open(&s, folder, SKP_SPLIT_TEST), SKP_UNSUPPORTED, python[_i].text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cifar");
  TCase *c = tcase_create("cifar");
  tcase_set_timeout(c, 60);
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_loop_test(c, reads, 0, SETS);
  tcase_add_test(c, names);
  tcase_add_loop_test(c, refuses, 0, DAMAGED);
  tcase_add_test(c, any_bytes);
  tcase_add_test(c, training_files_are_needed);
  tcase_add_loop_test(c, a_lost_file_is_named, 0, 5);
  tcase_add_loop_test(c, pickles, 0, 3);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
