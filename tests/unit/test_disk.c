/* test_disk.c: what systems do each in their own way, by what they must have in common. SPDX-License-Identifier: MIT */
#include "base/disk.h"
#include "base/file.h"
#include "base/held.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/pattern.h"
#include "data/walk.h"
#include "folder.h"
#include "train/prepare/place.h"
#include "train/run/aside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#ifndef _WIN32
#include <dlfcn.h>
#endif

static void save(const char *name, const char *text) {
  ck_ok(skp__file_write_atomic(in(name), &(struct skp__file_part){text, (int64_t)strlen(text)}, 1));
}

START_TEST(facts_tell_what_is_there) {
  struct skp__facts file, again, dir, none;
  save("a", "one\r\n\x1a two\n");
  ck_assert(skp__facts(&file, in("a")) && skp__facts(&again, in("./a")) && skp__facts(&dir, folder));
  ck_assert_int_eq(file.kind, SKP_FILE);
  ck_assert_int_eq(file.bytes, 11);
  ck_assert_int_eq(dir.kind, SKP_FOLDER);
  ck_assert(file.device == again.device && file.number == again.number && file.number != dir.number);
  ck_assert_int_le(llabs(file.time / 1000000000 - (int64_t)time(NULL)), 60);
  ck_assert(!skp__facts(&none, in("b")));
  ck_assert_int_eq(errno, ENOENT);
  ck_assert_int_eq(none.kind, SKP_NOTHING);
  skp__touch(in("a"));
  ck_assert(skp__facts(&again, in("a")) && again.time >= file.time);
}
END_TEST

START_TEST(entries_are_what_they_are) {
  int files = 0, folders = 0;
  save("a", "");
  ck_assert_int_eq(skp__make_folder(in("b")), 0);
  ck_assert_int_eq(skp__make_folder(in("b")), -1);
  ck_assert_int_eq(errno, EEXIST);
  DIR *dir = opendir(folder);
  for (struct dirent *e; (e = readdir(dir));) {
    files += *e->d_name == 'a' && skp__entry_kind(dir, folder, e) == SKP_FILE;
    folders += *e->d_name == 'b' && skp__entry_kind(dir, folder, e) == SKP_FOLDER;
  }
  closedir(dir);
  ck_assert(files == 1 && folders == 1);
}
END_TEST

START_TEST(bytes_stay_as_they_are) {
  static const char text[] = "a\nb\r\n\x1a"
                             "c\n";
  char got[16];
  int file = skp__open(in("a"), O_RDWR | O_CREAT | O_APPEND);
  ck_assert_int_ge(file, 0);
  ck_assert_int_eq(write(file, text, sizeof text - 1), sizeof text - 1);
  ck_assert_int_eq(skp__sync(file), 0);
  ck_assert_int_eq(skp__read_at(file, got, sizeof got, 2), sizeof text - 3);
  ck_assert_mem_eq(got, text + 2, sizeof text - 3);
  ck_assert_int_eq(skp__read_at(file, got, sizeof got, 100), 0);
  ck_assert_int_eq(lseek(file, 0, SEEK_END), sizeof text - 1);
  ck_assert_int_eq(skp__rename(in("a"), in("a")), 0);
  close(file);
  ck_assert_int_lt(skp__open(in("none"), O_RDONLY), 0);
  ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(renames_replace) {
  void *text;
  int64_t size;
  char from[256];
  save("a", "new");
  save("b", "old");
  snprintf(from, sizeof from, "%s", in("a"));
  ck_assert_int_eq(skp__rename(from, in("b")), 0);
  ck_ok(skp__file_read(&text, &size, in("b"), 100));
  ck_assert_str_eq(text, "new");
  free(text);
  ck_assert(!skp__file_exists(from));
}
END_TEST

START_TEST(room_is_tried_and_given_back) {
  ck_assert_int_eq(skp__try_room(in("a"), 100000), 0);
  ck_assert(!skp__file_exists(in("a")));
  ck_assert_int_ne(skp__try_room(in("none/a"), 1), 0);
  ck_assert_int_ne(skp__try_room(in("a"), INT64_MAX / 2), 0);
  ck_assert(!skp__file_exists(in("a")));
}
END_TEST

START_TEST(a_held_folder_is_held_once) {
  struct skp__held *held, *other;
  char from[256];
  ck_assert(!skp__is_held(folder));
  ck_assert_int_eq(skp__hold(&held, folder, true), 0);
  ck_assert_int_eq(skp__hold(&other, folder, false), EWOULDBLOCK);
  ck_assert_ptr_null(other);
  ck_assert(skp__is_held(folder));
  save("a", "x");
  ck_assert_int_eq(skp__make_folder(in("b")), 0);
  snprintf(from, sizeof from, "%s", in("b/c"));
  save("b/c", "y");
  ck_assert(skp__held_receive(held, from, "d") && skp__file_exists(in("d")));
  ck_assert(skp__held_remove(held, "a") && !skp__file_exists(in("a")));
  ck_assert(!skp__held_remove(held, "a"));
  skp__let_go(held);
  ck_assert(!skp__is_held(folder));
  ck_assert_int_eq(skp__hold(&held, folder, false), 0);
  skp__let_go(held);
  ck_assert_int_eq(skp__hold(&held, in("none"), false), ENOENT);
  ck_assert_ptr_null(held);
}
END_TEST

START_TEST(texts_of_any_length_are_printed) {
  enum { LINES = 20000 };
  struct skp__memory m;
  ck_assert(skp__memory_open(&m));
  for (int i = 0; i < LINES; i++) fprintf(m.to, "%07d\n", i);
  ck_assert(skp__memory_close(&m));
  ck_assert_uint_eq(m.bytes, 8 * LINES);
  ck_assert_uint_eq(strlen(m.text), 8 * LINES);
  ck_assert_int_eq(atoi(m.text + 8 * 12345), 12345);
  free(m.text);
  ck_assert(skp__memory_open(&m) && skp__memory_close(&m));
  ck_assert_str_eq(m.text, "");
  free(m.text);
  ck_assert(!skp__memory_close(&(struct skp__memory){.to = NULL}));
}
END_TEST

START_TEST(names_are_sorted_by_their_bytes) {
  skp__names names = {NULL, 0, 0};
  save("b", "");
  save("a", "");
  save(".hidden", "");
  save("10", "");
  save("9", "");
  ck_ok(skp__names_in(&names, folder));
  ck_assert_uint_eq(names.n, 4);
  ck_assert_str_eq(names.at[0], "10");
  ck_assert_str_eq(names.at[3], "b");
  skp__names_free(&names);
  ck_fails(skp__names_in(&names, in("none")), SKP_IO, "cannot be listed");
  skp__names_free(&names);
}
END_TEST

#ifndef _WIN32
/* Instead of the system's: it may end before the list does, as a disk or a network does. */
static int entries_left = -1;
struct dirent *readdir(DIR *dir) {
  struct dirent *(*own)(DIR *);
  *(void **)&own = dlsym(RTLD_NEXT, "readdir");
  if (entries_left) return entries_left -= entries_left > 0, own(dir);
  errno = EIO;
  return NULL;
}

/* Moves a folder away once it is open. */
static const char *moving;
DIR *opendir(const char *path) {
  char to[300];
  DIR *(*own)(const char *);
  *(void **)&own = dlsym(RTLD_NEXT, "opendir");
  DIR *dir = own(path);
  if (!moving || strcmp(path, moving) != 0) return dir;
  snprintf(to, sizeof to, "%s.moved", path);
  ck_assert(!rename(path, to));
  moving = NULL;
  return dir;
}

static skp_status list_names(void) {
  skp__names names = {NULL, 0, 0};
  ck_ok(skp__names_add(&names, "x"));
  skp_status status = skp__names_in(&names, folder);
  ck_assert_uint_eq(names.n, status == SKP_OK ? 4 : 1);
  skp__names_free(&names);
  return status;
}

static skp_status walk(void) {
  skp__names pictures = {NULL, 0, 0};
  struct skp__tally passed = {0};
  skp_status status = skp__walk(&pictures, &passed, folder, "");
  skp__names_free(&pictures);
  skp__tally_free(&passed);
  return status;
}

static skp_status walk_top(void) {
  skp__names names[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
  struct skp__tally passed = {0};
  skp_status status = skp__walk_top(&names[0], &names[1], &passed, folder);
  skp__names_free(&names[0]);
  skp__names_free(&names[1]);
  skp__tally_free(&passed);
  return status;
}

static skp_status look_for_pictures(void) {
  bool any;
  skp_status status = skp__holds_pictures_below(&any, folder);
  ck_assert(!any);
  return status;
}

static skp_status take_for_a_run(void) {
  struct skp__aside a;
  skp_status status = skp__aside_take(&a, folder);
  skp__aside_release(&a);
  return status;
}

static skp_status find_latest_run(void) {
  char *path;
  skp_status status = skp__place_latest(&path, folder);
  return status == SKP_USAGE ? SKP_OK : status; /* there is none */
}

static skp_status (*const lists[])(void) = {list_names,        walk,           walk_top,
                                            look_for_pictures, take_for_a_run, find_latest_run};

/* What goes through a folder says so where it can read a part of it alone. */
START_TEST(a_part_is_no_list) {
  save("a", "");
  save("b", "");
  save("c", "");
  ck_ok(lists[_i]());
  for (int i = 0; i < 5; i++) { /* of . and .. and the three */
    entries_left = i;
    const skp_status status = lists[_i]();
    entries_left = -1;
    ck_fails(status, SKP_IO, "cannot be listed");
  }
}
END_TEST

/* What was opened is walked, whatever its path leads to by now. */
START_TEST(a_folder_that_is_open_is_the_one) {
  char path[256];
  skp__names pictures = {NULL, 0, 0};
  struct skp__tally passed = {0};
  snprintf(path, sizeof path, "%s", in("cats"));
  ck_assert_int_eq(skp__make_folder(path), 0);
  save("cats/a.png", "");
  moving = path;
  ck_ok(skp__walk(&pictures, &passed, folder, ""));
  ck_assert_uint_eq(pictures.n, 1);
  ck_assert_str_eq(pictures.at[0], "cats/a.png");
  skp__names_free(&pictures);
  skp__tally_free(&passed);
}
END_TEST

START_TEST(times_of_wrong_clocks_keep_their_order) {
  static const int64_t years[] = {-20000, -1000, -1, 0, 1, 200, 400, 20000}; /* from 1970 on */
  int64_t last = INT64_MIN;
  save("a", "");
  for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
    const struct timespec at = {.tv_sec = years[i] * 31556952};
    struct skp__facts there;
    if (utimensat(AT_FDCWD, in("a"), (struct timespec[]){at, at}, 0)) continue; /* the file system knows none such */
    ck_assert(skp__facts(&there, in("a")) && there.time >= last);
    last = there.time;
  }
  ck_assert_int_gt(last, 0);
}
END_TEST
#endif

START_TEST(patterns_fit_as_in_a_shell) {
  static const struct {
    const char *pattern, *name;
    bool fits;
  } rows[] = {{"", "", true},
              {"", "a", false},
              {"a", "", false},
              {"*", "", true},
              {"*", "abc", true},
              {"a*c", "abbc", true},
              {"a*c", "abcd", false},
              {"*b*", "abc", true},
              {"**", "x", true},
              {"a*b*c", "a1b2b3c", true},
              {"?", "a", true},
              {"?", "", false},
              {"a?", "a", false},
              {"layer[12].*", "layer2.0", true},
              {"layer[12].*", "layer3.0", false},
              {"[a-c]x", "bx", true},
              {"[a-c]x", "dx", false},
              {"[!a-c]x", "dx", true},
              {"[!a-c]x", "ax", false},
              {"[]]", "]", true},
              {"[]a]", "a", true},
              {"[a-]", "-", true},
              {"[a-]", "b", false},
              {"layer[[:digit:]]", "layer7", true},
              {"layer[[:digit:]]", "layer:", false},
              {"layer[[:digit:]]", "layerd]", false},
              {"[[:upper:]_[:digit:]]", "_", true},
              {"[[:upper:]_[:digit:]]", "4", true},
              {"[[:upper:]_[:digit:]]", "a", false},
              {"[![:alpha:]]", "4", true},
              {"[![:alpha:]]", "q", false},
              {"[[:xdigit:]]", "f", true},
              {"[[:xdigit:]]", "g", false},
              {"[[:digit:]x", "[4x", false}, /* nothing closes the set */
              {"[:digit:]", "d", true},      /* a set of these bytes */
              {"\\*", "*", true},
              {"\\*", "a", false},
              {"\\?x", "?x", true},
              {"[", "[", true},
              {"[a", "[a", true},
              {"[a", "a", false},
              {"*.weight", "fc.weight", true},
              {"*.weight", "fc.bias", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ck_assert_msg(skp__pattern_fits(rows[i].pattern, rows[i].name) == rows[i].fits, "%s, %s", rows[i].pattern,
                  rows[i].name);
}
END_TEST

START_TEST(words_are_found_whatever_their_case) {
  ck_assert(skp__text_has("Mesa Rusticl", "rusticl") && skp__text_has("abc", "C") && skp__text_has("x", ""));
  ck_assert(!skp__text_has("ab", "abc") && !skp__text_has("", "a") && skp__text_has("", ""));
}
END_TEST

START_TEST(the_machine_is_known) {
  char name[64] = "";
  char *home;
  ck_assert_int_ge(skp__machine_cores(), 1);
  ck_assert_int_ge(skp__machine_memory(), INT64_C(1) << 26);
  skp__machine_name(name, sizeof name);
  ck_assert(*name);
  ck_ok(skp__home(&home));
  ck_assert(skp__path_whole(home) && !skp__path_whole("runs"));
  free(home);
  void *at = skp__aligned(4096, 8192);
  ck_assert(at && (uintptr_t)at % 4096 == 0);
  skp__aligned_free(at);
  skp__variable_set("SKP_TEST_OF_VARIABLES", "one", 0);
  skp__variable_set("SKP_TEST_OF_VARIABLES", "two", 0);
  ck_assert_str_eq(getenv("SKP_TEST_OF_VARIABLES"), "one");
  skp__variable_set("SKP_TEST_OF_VARIABLES", "two", 1);
  ck_assert_str_eq(getenv("SKP_TEST_OF_VARIABLES"), "two");
}
END_TEST

START_TEST(threads_have_numbers) {
  ck_assert_int_gt(skp__thread_number(), 0);
  ck_assert(!skp__thread_gone(skp__thread_number()));
  ck_assert(skp__thread_gone(2147483646));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("disk");
  TCase *disk = tcase_create("disk");
  tcase_add_checked_fixture(disk, make_folder, remove_folder);
  tcase_add_test(disk, facts_tell_what_is_there);
  tcase_add_test(disk, entries_are_what_they_are);
  tcase_add_test(disk, bytes_stay_as_they_are);
  tcase_add_test(disk, renames_replace);
  tcase_add_test(disk, room_is_tried_and_given_back);
  tcase_add_test(disk, a_held_folder_is_held_once);
  tcase_add_test(disk, texts_of_any_length_are_printed);
  tcase_add_test(disk, names_are_sorted_by_their_bytes);
#ifndef _WIN32
  tcase_add_loop_test(disk, a_part_is_no_list, 0, sizeof lists / sizeof *lists);
  tcase_add_test(disk, a_folder_that_is_open_is_the_one);
  tcase_add_test(disk, times_of_wrong_clocks_keep_their_order);
#endif
  tcase_add_test(disk, patterns_fit_as_in_a_shell);
  tcase_add_test(disk, words_are_found_whatever_their_case);
  tcase_add_test(disk, the_machine_is_known);
  tcase_add_test(disk, threads_have_numbers);
  suite_add_tcase(suite, disk);
  return skp__test_main(suite);
}
