/* test_csv.c: lists of pictures with their labels. SPDX-License-Identifier: MIT */
#include "data/damage.h"
#include "data/source.h"
#include "folder.h"
#include "small_bmp.h"

static void save(const char *name, const void *bytes, size_t n) {
  FILE *f = fopen(in(name), "wb");
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void picture(const char *name, int grey) {
  unsigned char bytes[SMALL_BMP];
  small_bmp(bytes, grey);
  save(name, bytes, sizeof bytes);
}

static void four_pictures(void) {
  ck_assert_int_eq(skp__make_folder(in("deep")), 0);
  picture("a.bmp", 10);
  picture("b, b.bmp", 20);
  picture("deep/c.bmp", 30);
  picture("d.bmp", 40);
}

static struct skp_source *open_list(const char *text, skp_split split) {
  struct skp_source *s;
  save("list.csv", text, strlen(text));
  ck_ok(skp__source_open(&s, in("list.csv"), split));
  return s;
}

/* Columns in any order, with others between; quotes; a mark of UTF-8 and line ends of spreadsheets; parts in several
 * spellings, each with classes of its own. */
START_TEST(reads) {
  static const char text[] = "\xef\xbb\xbf"
                             "Label,note,PATH,Split\r\nzebra,,a.bmp,train\r\n\"ant, \"\"red\"\"\",x,\"b, b.bmp\","
                             "Training\r\n\r\nzebra,,deep/c.bmp,test\r\nzebra,,d.bmp,TRAIN\r\n";
  four_pictures();
  struct skp_source *train = open_list(text, SKP_SPLIT_TRAIN), *test = open_list(text, SKP_SPLIT_TEST);
  ck_assert_ptr_null(open_list(text, SKP_SPLIT_VALID));
  ck_assert(train->n == 3 && train->classes == 2 && test->n == 1 && test->classes == 1);
  ck_assert_str_eq(train->name, in("list.csv"));
  ck_assert_str_eq(train->class_names[0], "ant, \"red\"");
  ck_assert_str_eq(train->name_of(train, 1), "b, b.bmp");
  check_small_bmp(train, 0, "zebra", 10);
  check_small_bmp(train, 1, "ant, \"red\"", 20);
  check_small_bmp(train, 2, "zebra", 40);
  check_small_bmp(test, 0, "zebra", 30);
  skp__source_destroy(train);
  skp__source_destroy(test);
}
END_TEST

/* Without a column for it all rows are to train on; a path may begin at the root of the file system. */
START_TEST(one_part) {
  char text[512];
  four_pictures();
  snprintf(text, sizeof text, "file,class\na.bmp,1\n%s,0\n", in("d.bmp"));
  struct skp_source *s = open_list(text, SKP_SPLIT_TRAIN);
  ck_assert_ptr_null(open_list(text, SKP_SPLIT_TEST));
  check_small_bmp(s, 0, "1", 10);
  check_small_bmp(s, 1, "0", 40);
  skp__source_destroy(s);
}
END_TEST

/* A picture that is missing, or is none, is damage. */
START_TEST(damage) {
  four_pictures();
  struct skp_source *s =
      open_list("path,label\na.bmp,x\nnowhere.bmp,x\nlist.csv,y\nd.bmp,y\ndeep/c.bmp,y\n", SKP_SPLIT_TRAIN);
  struct skp__text text = {.n = 0};
  ck_assert_int_eq(skp__damage_list(s->damage, 0, &text), 2);
  ck_assert_ptr_nonnull(strstr(text.at, "nowhere.bmp"));
  skp__source_destroy(s);
}
END_TEST

static const struct {
  const char *text, *says;
} refused[] = {
    {"", "no column path"},
    {"path;label\na.bmp;x\n", "no column path"},
    {"path,what\na.bmp,x\n", "no column label"},
    {"path,label\na.bmp,x\nd.bmp\n", "row 3: there is no label"},
    {"path,label\n,x\n", "row 2: there is no path"},
    {"path,label,split\na.bmp,x,trian\n", "row 2: the column split says"},
    {"path,label\na.bmp,x\nb.bmp,\"y\nc.bmp,x\nd.bmp,y\n", "row 3: the quote that opens there is never closed"},
    {"path,label\na.bmp,x\nb.bmp,\"x\"y\nd.bmp,y\n", "row 3: there is text behind a closing quote"},
    {"path,label\na.bmp,x\nb.bmp,a\"b\nd.bmp,y\n", "row 3: there is a quote within a cell"},
    {"path,label,Label\na.bmp,x,y\n", "two columns label"},
    {"path,label\n", "no pictures to train on"},
    {"path,label,split\na.bmp,x,test\n", "no pictures to train on"},
};

START_TEST(refuses) {
  struct skp_source *s;
  four_pictures();
  save("list.csv", refused[_i].text, strlen(refused[_i].text));
  ck_assert_int_eq(skp__source_open(&s, in("list.csv"), SKP_SPLIT_TRAIN), SKP_FORMAT);
  ck_assert_msg(strstr(skp_error_message(), refused[_i].says), "%s", skp_error_message());
  ck_assert_ptr_null(s);
}
END_TEST

/* What a file ends with is not what lies before a byte 0. */
START_TEST(refuses_zeros) {
  static const char text[] = "path,label\na.bmp,x\nd.bmp,y\0\ndeep/c.bmp,y\n";
  struct skp_source *s;
  four_pictures();
  save("list.csv", text, sizeof text - 1);
  ck_assert_int_eq(skp__source_open(&s, in("list.csv"), SKP_SPLIT_TRAIN), SKP_FORMAT);
  ck_assert_msg(strstr(skp_error_message(), "row 3: there is a byte 0"), "%s", skp_error_message());
}
END_TEST

int main(void) {
  Suite *suite = suite_create("csv");
  TCase *c = tcase_create("csv");
  tcase_add_checked_fixture(c, make_folder, remove_folder);
  tcase_add_test(c, reads);
  tcase_add_test(c, one_part);
  tcase_add_test(c, damage);
  tcase_add_test(c, refuses_zeros);
  tcase_add_loop_test(c, refuses, 0, sizeof refused / sizeof *refused);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
