/* test_shards.c: pictures in tar archives. SPDX-License-Identifier: MIT */
#include "data/damage.h"
#include "data/source.h"
#include "folder.h"
#include "small_bmp.h"

/* ---- archives ---------------------------------------------------------------------------------------------------- */

static FILE *tar;

static void begin(const char *name) {
  tar = fopen(in(name), "wb");
  ck_assert_ptr_nonnull(tar);
}

static void fill(void) {
  while (ftell(tar) % 512) putc(0, tar);
}

/* POSIX's ustar header (IEEE Std 1003.1, pax): numbers in octal, the sum of all bytes with blanks for itself. */
static void put_kind(char kind, const char *name, const char *to, const void *bytes, size_t n) {
  char head[512] = "";
  unsigned sum = 0;
  snprintf(head, 100, "%s", name);
  snprintf(head + 100, 8, "%07o", 0644u);
  snprintf(head + 124, 12, "%011o", (unsigned)n);
  memcpy(head + 257, "ustar\00000", 8);
  head[156] = kind;
  snprintf(head + 157, 100, "%s", to);
  memset(head + 148, ' ', 8);
  for (size_t i = 0; i < sizeof head; i++) sum += (unsigned char)head[i];
  snprintf(head + 148, 8, "%06o", sum);
  fwrite(head, 1, sizeof head, tar);
  if (n) fwrite(bytes, 1, n, tar);
  fill();
}

static void put(const char *name, const void *bytes, size_t n) { put_kind('0', name, "", bytes, n); }
static void put_text(const char *name, const char *text) { put(name, text, strlen(text)); }

static void put_picture(const char *name, int grey) {
  unsigned char bytes[SMALL_BMP];
  small_bmp(bytes, grey);
  put(name, bytes, sizeof bytes);
}

static void end(void) {
  static const char nothing[1024];
  fwrite(nothing, 1, sizeof nothing, tar);
  ck_assert_int_eq(fclose(tar), 0);
}

static struct skp_source *open_part(const char *name, skp_split split) {
  struct skp_source *s;
  ck_ok(skp__source_open(&s, in(name), split));
  return s;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

/* Several shards of each part, by their names; labels before and behind their pictures; class 10 behind class 9. */
START_TEST(shards) {
  begin("a-train-000001.tar");
  put_text("x/two.cls", " 10\n");
  put_picture("x/two.bmp", 2);
  end();
  begin("a-train-000000.tar");
  put_text("one.json", "{}");
  put_picture("one.bmp", 1);
  put_text("one.cls", "9");
  put_picture("none.bmp", 5);
  put_text(".hidden.cls", "3");
  end();
  begin("a-val-000000.tar");
  put_picture("one.left.bmp", 3);
  put_picture("one.right.bmp", 4);
  put_text("one.cls", "9");
  end();
  struct skp_source *train = open_part(".", SKP_SPLIT_TRAIN), *valid = open_part(".", SKP_SPLIT_VALID);
  ck_assert_ptr_null(open_part(".", SKP_SPLIT_TEST));
  ck_assert(train->n == 2 && train->classes == 2 && train->H == 2 && valid->n == 1);
  check_small_bmp(train, 0, "9", 1);
  check_small_bmp(train, 1, "10", 2);
  check_small_bmp(valid, 0, "9", 3);
  ck_assert_str_eq(train->class_names[1], "10");
  ck_assert_str_eq(train->name_of(train, 1), "a-train-000001.tar/x/two.bmp");
  ck_assert_ptr_nonnull(strstr(train->remarks, "1 pictures without a class"));
  ck_assert_ptr_nonnull(strstr(valid->remarks, "1 further pictures of one key"));
  skp__source_destroy(train);
  skp__source_destroy(valid);
}
END_TEST

/* A set in folders that was packed: parts and classes by folders, at any depth. */
START_TEST(packed) {
  begin("all.tar");
  put_picture("set/train/cat/deep/a.bmp", 1);
  put_picture("set/train/ant/b.bmp", 2);
  put_picture("set/test/cat/c.bmp", 3);
  put_text("set/train/ant/notes.txt", "x");
  put_picture("loose.bmp", 4);
  end();
  struct skp_source *train = open_part("all.tar", SKP_SPLIT_TRAIN), *test = open_part("all.tar", SKP_SPLIT_TEST);
  ck_assert(train->n == 2 && train->classes == 2 && test->n == 1);
  check_small_bmp(train, 0, "cat", 1);
  check_small_bmp(train, 1, "ant", 2);
  check_small_bmp(test, 0, "cat", 3);
  ck_assert_str_eq(train->class_names[0], "ant");
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* Folders of parts hold archives; without any part all is to train on, the last folder the class. */
/* Links, hard and symbolic, hold no pictures; how many there are is said with the part that they are in. */
START_TEST(links) {
  begin("set.tar");
  put_picture("set/train/cat/one.bmp", 1);
  put_picture("set/train/dog/two.bmp", 2);
  put_kind('1', "set/train/dog/three.bmp", "set/train/dog/two.bmp", NULL, 0);
  put_kind('2', "set/train/dog/four.bmp", "two.bmp", NULL, 0);
  put_kind('2', "set/train/.five.bmp", "two.bmp", NULL, 0);
  put_picture("set/test/dog/six.bmp", 2);
  end();
  struct skp_source *train = open_part("set.tar", SKP_SPLIT_TRAIN), *test = open_part("set.tar", SKP_SPLIT_TEST);
  ck_assert_int_eq(train->n, 2);
  ck_assert_ptr_nonnull(strstr(train->remarks, "2 links"));
  ck_assert_ptr_null(test->remarks);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

START_TEST(parts) {
  ck_assert_int_eq(skp__make_folder(in("test")), 0);
  begin("0.tar");
  put_picture("x/ant/a.bmp", 1);
  end();
  begin("test/0.tar");
  put_picture("x/ant/a.bmp", 2);
  end();
  struct skp_source *train = open_part(".", SKP_SPLIT_TRAIN), *test = open_part(".", SKP_SPLIT_TEST);
  ck_assert(train->n == 1 && test->n == 1);
  check_small_bmp(train, 0, "ant", 1);
  check_small_bmp(test, 0, "ant", 2);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* An archive of several parts is gone through once for all of them: damage to it that came later is not met. */
START_TEST(gone_through_once) {
  struct skp__opening *opening;
  struct skp_source *train, *test, *fresh;
  char garbage[512];
  begin("all.tar");
  put_text("notes.txt", "x");
  put_picture("train/ant/a.bmp", 1);
  put_picture("test/ant/b.bmp", 2);
  end();
  ck_ok(skp__opening_begin(&opening, in("all.tar")));
  ck_ok(skp__opening_part(&train, opening, SKP_SPLIT_TRAIN));
  tar = fopen(in("all.tar"), "r+b");
  memset(garbage, 'x', sizeof garbage);
  ck_assert_uint_eq(fwrite(garbage, 1, sizeof garbage, tar), sizeof garbage);
  ck_assert_int_eq(fclose(tar), 0);
  ck_ok(skp__opening_part(&test, opening, SKP_SPLIT_TEST));
  ck_ok(skp__opening_part(&fresh, opening, SKP_SPLIT_VALID));
  ck_assert_ptr_null(fresh);
  skp__opening_end(opening);
  check_small_bmp(train, 0, "ant", 1);
  check_small_bmp(test, 0, "ant", 2);
  ck_fails(skp__source_open(&fresh, in("all.tar"), SKP_SPLIT_TEST), SKP_FORMAT, "no tar archive");
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* A picture that is none is damage; so is one in an archive that has been cut since. */
START_TEST(damage) {
  begin("a.tar");
  put_text("x/a.bmp", "no picture");
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "x/b%d.bmp", i);
    put_picture(name, i);
  }
  end();
  struct skp_source *s = open_part("a.tar", SKP_SPLIT_TRAIN);
  struct skp__text text = {.n = 0};
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 1);
  ck_assert_ptr_nonnull(strstr(text.at, "a.tar/x/a.bmp"));
  check_small_bmp(s, 1, "x", 0);
  skp__source_destroy(s);
}
END_TEST

START_TEST(refuses_cut) {
  struct skp_source *s;
  begin("a.tar");
  put_picture("x/a.bmp", 1);
  put_picture("x/b.bmp", 2);
  ck_assert_int_eq(fclose(tar), 0);
  ck_assert_int_eq(truncate(in("a.tar"), 1024 + 512 + 20), 0);
  ck_fails(skp__source_open(&s, in("a.tar"), SKP_SPLIT_TRAIN), SKP_FORMAT,
           "a.tar is cut off, or damaged: it ends within x/b.bmp");
  ck_assert_ptr_null(s);
}
END_TEST

START_TEST(refuses_others) {
  struct skp_source *s;
  begin("a.tar");
  for (int i = 0; i < 600; i++) fputs("no archive ", tar);
  end();
  ck_fails(skp__source_open(&s, in("a.tar"), SKP_SPLIT_TRAIN), SKP_FORMAT, "no tar archive");
  begin("a.tar");
  put_picture("a.bmp", 1);
  end();
  ck_fails(skp__source_open(&s, in("a.tar"), SKP_SPLIT_TRAIN), SKP_FORMAT,
           "no pictures to train on whose class is known");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shards");
  TCase *c = tcase_create("shards");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_test(c, shards);
  tcase_add_test(c, packed);
  tcase_add_test(c, links);
  tcase_add_test(c, parts);
  tcase_add_test(c, gone_through_once);
  tcase_add_test(c, damage);
  tcase_add_test(c, refuses_cut);
  tcase_add_test(c, refuses_others);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
