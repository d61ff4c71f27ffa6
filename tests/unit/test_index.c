/* test_index.c: what the headers of many pictures said, kept. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/host.h"
#include "data/index.h"
#include "folder.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <utime.h>

enum { PICTURES = SKP_INDEX_LEAST, FEW = 200 };

static void save(const char *name, const char *text, long time) {
  FILE *f = fopen(in(name), "wb");
  ck_assert_ptr_nonnull(f);
  fputs(text, f);
  fclose(f);
  ck_assert_int_eq(utime(in(name), &(struct utimbuf){time, time}), 0);
}

static void begin(void) {
  make_folder();
  ck_ok(skp__host_set(&(struct skp__host){.index = in("kept")}));
  save("a", "a file", 1000);
  save("b", "another", 1000);
}

static void end(void) {
  ck_ok(skp__host_set(&(struct skp__host){.index = NULL}));
  remove_folder();
}

/* Asks for so many of a set's pictures, the first half of them all in file a; those not known are 5 + i high. Returns
 * how many were known. */
static int ask_some(const char *first, int64_t pictures, int asked) {
  struct skp__index *x;
  int known = 0;
  ck_ok(skp__index_open(&x, folder, first, pictures));
  for (int i = 0; i < asked; i++) {
    char name[32], file[512];
    struct skp_image image = {.H = 0};
    snprintf(name, sizeof name, "class/%d.jpg", i);
    snprintf(file, sizeof file, "%s", in(i < PICTURES / 2 ? "a" : "b"));
    if (skp__index_find(x, &image, name, file, i % 3)) {
      ck_assert_int_eq(image.H, 5 + i);
      ck_assert_int_eq(image.W, 7);
      ck_assert_int_eq(image.C, 1 + i % 4);
      known++;
    } else if (i % 100) { /* the others are damaged */
      skp__index_note(x, &(struct skp_image){.H = 5 + i, .W = 7, .C = 1 + i % 4});
    }
  }
  skp__index_close(x);
  return known;
}

static int ask(const char *first, int64_t pictures) { return ask_some(first, pictures, PICTURES); }

static void path_of_kept(char path[512]) {
  DIR *dir = opendir(in("kept"));
  ck_assert_ptr_nonnull(dir);
  for (struct dirent *e; (e = readdir(dir));)
    if (*e->d_name != '.') snprintf(path, 512, "%s/%s", in("kept"), e->d_name);
  closedir(dir);
}

START_TEST(keeps) {
  ck_assert_int_eq(ask("first", PICTURES), 0);
  ck_assert_int_eq(ask("first", PICTURES), PICTURES / 100 * 99);
  ck_assert_int_eq(ask("another set at the same place", PICTURES), 0);
  save("a", "a FILE", 1001); /* of the same size, later */
  ck_assert_int_eq(ask("first", PICTURES), PICTURES / 200 * 99);
  save("b", "another of the same time", 1000);
  ck_assert_int_eq(ask("first", PICTURES), PICTURES / 200 * 99);
  ck_assert_int_eq(ask("first", PICTURES), PICTURES / 100 * 99);
}
END_TEST

START_TEST(small_sets_are_not_kept) {
  ck_assert_int_eq(ask("first", PICTURES - 1), 0);
  ck_assert(!skp__folder_exists(in("kept")));
}
END_TEST

START_TEST(without_a_folder) {
  ck_ok(skp__host_set(&(struct skp__host){.index = NULL}));
  ck_assert_int_eq(ask("first", PICTURES), 0);
  save("kept", "in the way", 1);
  ck_ok(skp__host_set(&(struct skp__host){.index = in("kept")}));
  ck_assert_int_eq(ask("first", PICTURES), 0);
}
END_TEST

/* A changed byte anywhere, a cut and a longer file are as good as none. Of those that are cut few are asked for: each
 * is a file that is looked at, which is slow under Wine. */
START_TEST(damaged) {
  static const long places[] = {0, 9, 17, 24, 33, 45, 4000, -1, -9};
  char path[512];
  void *bytes;
  int64_t size;
  ask("first", PICTURES);
  path_of_kept(path);
  ck_ok(skp__file_read(&bytes, &size, path, 1 << 24));
  const long at = places[_i] < 0 ? (long)size + places[_i] : places[_i];
  ((uint8_t *)bytes)[at] ^= 1;
  ck_ok(skp__file_write_atomic(path, &(struct skp__file_part){bytes, size}, 1));
  ck_assert_int_eq(ask("first", PICTURES), 0);
  free(bytes);
  ck_ok(skp__file_read(&bytes, &size, path, 1 << 24)); /* written anew */
  for (int64_t cut = 0; cut < 64; cut += 7) {
    ck_ok(skp__file_write_atomic(path, &(struct skp__file_part){bytes, cut}, 1));
    ck_assert_int_eq(ask_some("first", PICTURES, FEW), 0);
  }
  free(bytes);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("index");
  TCase *c = tcase_create("index");
  tcase_set_timeout(c, 60);
  tcase_add_checked_fixture(c, begin, end);
  tcase_add_test(c, keeps);
  tcase_add_test(c, small_sets_are_not_kept);
  tcase_add_test(c, without_a_folder);
  tcase_add_loop_test(c, damaged, 0, 9);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
