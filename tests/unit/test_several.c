/* test_several.c: several sets as one. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "data/damage.h"
#include "data/source.h"
#include "folder.h"
#include <stdlib.h>
#include <string.h>

/* A bitmap of one colour, of 24 bits a pixel, or of 8 with a grey palette. */
static void bitmap(const char *name, int H, int W, bool grey, int value) {
  char path[256];
  const int row = ((grey ? W : 3 * W) + 3) / 4 * 4, palette = grey ? 1024 : 0;
  const uint32_t head[] = {(uint32_t)(54 + palette + row * H),
                           0,
                           (uint32_t)(54 + palette),
                           40,
                           (uint32_t)W,
                           (uint32_t)H,
                           grey ? 0x80001 : 0x180001,
                           0,
                           0,
                           0,
                           0,
                           0,
                           0};
  snprintf(path, sizeof path, "%s", in(name));
  *strrchr(path, '/') = 0;
  ck_ok(skp__folder_create(path));
  FILE *f = fopen(in(name), "wb");
  ck_assert_ptr_nonnull(f);
  fwrite("BM", 1, 2, f);
  fwrite(head, 1, sizeof head, f);
  for (int i = 0; i < palette / 4; i++) fprintf(f, "%c%c%c%c", i, i, i, 0);
  for (int i = 0; i < row * H; i++) fputc(value, f);
  fclose(f);
}

static const char *both(void) {
  static char names[512];
  snprintf(names, sizeof names, "%s/a + %s/b", folder, folder);
  return names;
}

static void begin(void) {
  make_folder();
  bitmap("a/train/cat/1.bmp", 2, 3, true, 10);
  bitmap("a/train/dog/2.bmp", 2, 3, true, 20);
  bitmap("a/test/dog/3.bmp", 2, 3, true, 30);
  bitmap("b/train/dog/4.bmp", 2, 3, false, 40);
  bitmap("b/train/ape/5.bmp", 2, 3, false, 50);
}

static struct skp_source *open_both(skp_split split) {
  struct skp_source *s;
  ck_ok(skp__source_open(&s, both(), split));
  return s;
}

START_TEST(images_and_classes) {
  static const struct {
    int label, value;
    const char *name;
  } want[] = {{0, 10, "cat/1.bmp"}, {1, 20, "dog/2.bmp"}, {2, 50, "ape/5.bmp"}, {1, 40, "dog/4.bmp"}};
  static const char *const classes[] = {"cat", "dog", "ape"};
  struct skp_source *s = open_both(SKP_SPLIT_TRAIN);
  struct skp_image image = {.H = 0};
  ck_assert_str_eq(s->name, both());
  ck_assert_int_eq(s->n, 4);
  ck_assert_int_eq(s->classes, 3);
  for (int c = 0; c < 3; c++) ck_assert_str_eq(s->class_names[c], classes[c]);
  ck_assert(s->H == 2 && s->W == 3 && s->C == 3 && !s->numbered);
  for (int i = 0; i < 4; i++) {
    int32_t label;
    ck_ok(s->image(s, i, &image, &label));
    ck_assert_int_eq(label, want[i].label);
    ck_assert(image.H == 2 && image.W == 3 && image.C == 3); /* grey ones, too */
    for (int k = 0; k < 18; k++) ck_assert_int_eq(image.pixels[k], want[i].value);
    ck_assert_str_eq(s->name_of(s, i), want[i].name);
    ck_ok(s->image(s, i, NULL, &label));
    ck_assert_int_eq(label, want[i].label);
  }
  skp__image_free(&image);
  skp__source_destroy(s);
}
END_TEST

START_TEST(parts_that_one_lacks) {
  struct skp_source *s = open_both(SKP_SPLIT_TEST);
  ck_assert_int_eq(s->n, 1);
  ck_assert_str_eq(s->class_names[0], "dog");
  skp__source_destroy(s);
  ck_assert_ptr_null(open_both(SKP_SPLIT_VALID));
}
END_TEST

START_TEST(sizes_that_differ) {
  bitmap("b/train/dog/6.bmp", 5, 4, false, 60);
  struct skp_source *s = open_both(SKP_SPLIT_TRAIN);
  ck_assert(s->H == 0 && s->W == 0);
  skp__source_destroy(s);
}
END_TEST

/* Damage of any of them counts as that of all: where it was found when it was opened, and later. */
START_TEST(damage) {
  struct skp__text list = {.n = 0};
  struct skp_image image = {.H = 0};
  int32_t label;
  bitmap("b/train/ape/bad.bmp", 2, 3, false, 0);
  ck_assert_int_eq(truncate(in("b/train/ape/bad.bmp"), 30), 0);
  struct skp_source *s = open_both(SKP_SPLIT_TRAIN);
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &list), 1);
  ck_assert_ptr_nonnull(strstr(list.at, "bad.bmp"));
  ck_assert(skp__damage_known(s->damage, 3));
  ck_ok(s->image(s, 3, &image, &label));
  ck_assert_int_eq(image.H, 0);
  ck_ok(s->image(s, 0, &image, &label));
  skp__fail(SKP_FORMAT, "It is odd.");
  ck_ok(s->spoilt(s, 0, SKP_FORMAT));
  ck_assert(skp__damage_known(s->damage, 0));
  ck_fails(skp__damage_bear(s->damage, 1), SKP_FORMAT, "2 of the 5 images of ");
  skp__image_free(&image);
  skp__source_destroy(s);
}
END_TEST

/* What one set has of a class does for it; without one sound image anywhere it cannot be learned. */
START_TEST(a_class_that_is_damaged) {
  struct skp_source *s;
  ck_assert_int_eq(truncate(in("b/train/dog/4.bmp"), 30), 0);
  ck_fails(skp__source_open(&s, in("b"), SKP_SPLIT_TRAIN), SKP_FORMAT, "Not one picture of the class dog in ");
  s = open_both(SKP_SPLIT_TRAIN);
  ck_assert(skp__damage_known(s->damage, 3));
  skp__source_destroy(s);
  ck_assert_int_eq(truncate(in("b/train/ape/5.bmp"), 30), 0);
  ck_fails(skp__source_open(&s, both(), SKP_SPLIT_TRAIN), SKP_FORMAT, "Not one picture of the class ape in ");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "4.bmp"));
}
END_TEST

/* What is called so is one set. */
START_TEST(a_folder_with_a_plus) {
  struct skp_source *s;
  skp__names names;
  bitmap("x + y/one/1.bmp", 2, 3, false, 40);
  ck_ok(skp__source_names(&names, in("x + y")));
  ck_assert_uint_eq(names.n, 1);
  skp__names_free(&names);
  ck_ok(skp__source_open(&s, in("x + y"), SKP_SPLIT_TRAIN));
  ck_assert_int_eq(s->n, 1);
  skp__source_destroy(s);
}
END_TEST

/* As much as something is called by is one name, wherever it stands. */
START_TEST(a_plus_in_one_of_them) {
  static const char *const want[] = {"x + y", "a", "x + y"};
  struct skp_source *s;
  skp__names names;
  char data[600], *whole;
  bitmap("x + y/one/1.bmp", 2, 3, false, 40);
  bitmap("x/one/1.bmp", 2, 3, false, 40);
  snprintf(data, sizeof data, "%s/x + y + %s/a + %s/x + y", folder, folder, folder);
  ck_ok(skp__source_names(&names, data));
  ck_assert_uint_eq(names.n, 3);
  for (int i = 0; i < 3; i++) ck_assert_str_eq(names.at[i] + strlen(folder) + 1, want[i]);
  skp__names_free(&names);
  ck_ok(skp__source_absolute(&whole, data));
  ck_assert_str_eq(whole, data);
  free(whole);
  ck_ok(skp__source_open(&s, data, SKP_SPLIT_TRAIN));
  ck_assert_int_eq(s->n, 4);
  skp__source_destroy(s);
}
END_TEST

/* Somebody's own pictures are what all of them are. */
START_TEST(own_pictures) {
  struct skp_source *s = open_both(SKP_SPLIT_TRAIN);
  char names[300];
  ck_assert(s->gathered);
  skp__source_destroy(s);
  bitmap("n/3/1.bmp", 2, 3, false, 40);
  snprintf(names, sizeof names, "digits + %s", in("n"));
  ck_ok(skp__source_open(&s, names, SKP_SPLIT_TRAIN));
  ck_assert(!s->gathered);
  skp__source_destroy(s);
}
END_TEST

START_TEST(paths) {
  char *whole, here[200], want[300];
  ck_ok(skp__source_absolute(&whole, "digits + /x/y + z"));
  ck_assert_ptr_nonnull(getcwd(here, sizeof here));
  snprintf(want, sizeof want, "digits + /x/y + %s/z", here);
  ck_assert_str_eq(whole, want);
  free(whole);
  ck_assert(skp__source_there(both()));
  ck_assert(!skp__source_there("digits + nowhere"));
}
END_TEST

/* Numbers in any spelling are one class; names beside mere numbers are none. */
START_TEST(numbers) {
  struct skp_source *s;
  char names[300];
  bitmap("n/03/1.bmp", 2, 3, false, 40);
  bitmap("n/x/2.bmp", 2, 3, false, 40);
  snprintf(names, sizeof names, "digits + %s", in("n"));
  ck_fails(skp__source_open(&s, names, SKP_SPLIT_TRAIN), SKP_FORMAT, "have names");
  char from[256];
  snprintf(from, sizeof from, "%s", in("n/x"));
  ck_assert_int_eq(rename(from, in("n/11")), 0);
  ck_ok(skp__source_open(&s, names, SKP_SPLIT_TRAIN));
  ck_assert_int_eq(s->classes, 11);
  ck_assert_str_eq(s->class_names[10], "11");
  int32_t label;
  ck_ok(s->image(s, s->n - 2, NULL, &label));
  ck_assert_int_eq(label, 3);
  skp__source_destroy(s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("several");
  TCase *c = tcase_create("several");
  tcase_set_timeout(c, 60);
  tcase_add_checked_fixture(c, begin, remove_folder);
  tcase_add_test(c, images_and_classes);
  tcase_add_test(c, parts_that_one_lacks);
  tcase_add_test(c, sizes_that_differ);
  tcase_add_test(c, damage);
  tcase_add_test(c, a_class_that_is_damaged);
  tcase_add_test(c, a_folder_with_a_plus);
  tcase_add_test(c, a_plus_in_one_of_them);
  tcase_add_test(c, own_pictures);
  tcase_add_test(c, paths);
  tcase_add_test(c, numbers);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
