/* test_file.c: files and folders. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/file.h"
#include "test.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static void make_folder(void) {
  strcpy(folder, "/tmp/skipper_file_XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/file", folder);
}

static void remove_folder(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  ck_assert_int_eq(system(command), 0);
}

static skp_status write_text(const char *to, const char *text) {
  return skp__file_write_atomic(to, &(struct skp__file_part){text, (int64_t)strlen(text)}, 1);
}

static void expect_file(const char *text) {
  void *got;
  int64_t size;
  ck_ok(skp__file_read(&got, &size, path, 1000));
  ck_assert_str_eq(got, text); /* a zero byte follows the content */
  ck_assert_int_eq(size, (int64_t)strlen(text));
  free(got);
}

/* Names in the folder besides "." and "..": a temporary file must not stay. */
static int entries(void) {
  int n = -2;
  DIR *dir = opendir(folder);
  while (readdir(dir)) n++;
  closedir(dir);
  return n;
}

START_TEST(files_are_written_whole) {
  const struct skp__file_part parts[] = {{"one ", 4}, {NULL, 0}, {"two", 3}};
  ck_ok(write_text(path, "old"));
  expect_file("old");
  ck_ok(skp__file_write_atomic(path, parts, 3));
  expect_file("one two");
  ck_ok(skp__file_write_atomic(path, NULL, 0));
  expect_file("");
  ck_assert_int_eq(entries(), 1);
}
END_TEST

/* The temporary file leads to a device that is always full. */
START_TEST(full_disk) {
  char *temporary;
  ck_ok(write_text(path, "old"));
  ck_ok(skp__format(&temporary, "%s.%ld.tmp", path, (long)getpid()));
  if (symlink("/dev/full", temporary)) ck_abort_msg("no link");
  ck_fails(write_text(path, "new text"), SKP_DISK_FULL, "The disk is full");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), path));
  ck_assert_ptr_nonnull(strstr(skp_error_message(), "8 bytes are needed"));
  expect_file("old");
  ck_assert_int_eq(entries(), 1);
  free(temporary);
}
END_TEST

static void *write_elsewhere(void *out) {
  *(skp_status *)out = write_text(path, "theirs");
  return NULL;
}

/* Where this thread's temporary file would be there is something else, which another thread leaves alone. */
START_TEST(threads_write_the_same_file) {
  char *temporary;
  pthread_t thread;
  skp_status status = SKP_INTERNAL;
  ck_ok(skp__format(&temporary, "%s.%ld.tmp", path, (long)getpid()));
  ck_assert_int_eq(mkdir(temporary, 0700), 0);
  ck_assert_int_eq(pthread_create(&thread, NULL, write_elsewhere, &status), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_int_eq(status, SKP_OK);
  expect_file("theirs");
  ck_assert_int_eq(rmdir(temporary), 0);
  ck_ok(write_text(path, "ours"));
  expect_file("ours");
  ck_assert_int_eq(entries(), 1);
  free(temporary);
}
END_TEST

START_TEST(files_are_written_quickly) {
  const struct skp__file_part parts[] = {{"one ", 4}, {"two", 3}};
  ck_ok(skp__file_write_quick(path, parts, 2));
  expect_file("one two");
  ck_assert_int_eq(entries(), 1);
}
END_TEST

/* The disk takes a part of it and no more. */
START_TEST(half_written) {
  enum { size = 1 << 20 };
  const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
  struct rlimit limit = none;
  char *large = calloc(1, size);
  ck_ok(write_text(path, "old"));
  signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = size / 2;
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const skp_status status = skp__file_write_atomic(path, &(struct skp__file_part){large, size}, 1);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
  ck_fails(status, SKP_IO, "File too large");
  expect_file("old");
  ck_assert_int_eq(entries(), 1);
  free(large);
}
END_TEST

START_TEST(no_such_folder) {
  char missing[160];
  snprintf(missing, sizeof missing, "%s/missing/file", folder);
  ck_fails(write_text(missing, "x"), SKP_IO, "No such file or directory");
  ck_assert_ptr_nonnull(strstr(skp_error_message(), missing));
}
END_TEST

/* What is no file stays what it is: root would make one of /dev/null. */
START_TEST(devices_and_pipes) {
  char read_back[8] = "";
  struct stat st;
  ck_assert_int_eq(symlink("/dev/null", path), 0);
  ck_ok(write_text(path, "x"));
  ck_ok(skp__file_try(path));
  ck_assert_int_eq(unlink(path), 0);
  ck_assert_int_eq(symlink("/dev/full", path), 0);
  ck_fails(write_text(path, "x"), SKP_DISK_FULL, "1 bytes are needed");
  ck_assert(!lstat(path, &st) && S_ISLNK(st.st_mode));
  ck_assert_int_eq(unlink(path), 0);
  ck_assert_int_eq(mkfifo(path, 0666), 0);
  ck_fails(write_text(path, "x"), SKP_IO, "No such device");
  const int fd = open(path, O_RDONLY | O_NONBLOCK);
  ck_ok(skp__file_try(path));
  ck_ok(write_text(path, "text"));
  ck_assert_int_eq(read(fd, read_back, sizeof read_back), 4);
  ck_assert_str_eq(read_back, "text");
  close(fd);
  ck_assert_int_eq(entries(), 1);
}
END_TEST

/* What leads to an open file, as /dev/stdout does, goes on leading there. */
START_TEST(what_is_open) {
  char link[160], to[64];
  struct stat st;
  ck_ok(write_text(path, "old, "));
  const int fd = open(path, O_WRONLY);
  snprintf(link, sizeof link, "%s/link", folder);
  snprintf(to, sizeof to, "/proc/self/fd/%d", fd);
  ck_assert_int_eq(symlink(to, link), 0);
  ck_ok(write_text(link, "new"));
  expect_file("old, new");
  ck_assert(!lstat(link, &st) && S_ISLNK(st.st_mode));
  close(fd);
}
END_TEST

/* What will fail is known before. */
START_TEST(tried) {
  ck_fails(skp__file_try(""), SKP_IO, "No such file");
  ck_assert_int_eq(mkdir(path, 0777), 0);
  ck_fails(skp__file_try(path), SKP_IO, "Is a directory");
  ck_assert_int_eq(rmdir(path), 0);
  ck_ok(skp__file_try(path));
  ck_assert_int_eq(entries(), 0);
}
END_TEST

START_TEST(target_is_a_folder) {
  ck_assert_int_eq(mkdir(path, 0777), 0);
  ck_fails(write_text(path, "x"), SKP_IO, "Is a directory");
  ck_assert_int_eq(entries(), 1);
}
END_TEST

/* Root may write everywhere, so it becomes nobody; what it wrote stays. */
START_TEST(read_only_folder) {
  ck_ok(write_text(path, "old"));
  ck_assert_int_eq(chmod(folder, 0555), 0);
  if (geteuid() == 0) ck_assert_int_eq(seteuid(65534), 0);
  const skp_status status = write_text(path, "new");
  ck_fails(status, SKP_IO, "needed. Check the folder's permissions");
  expect_file("old");
  if (getuid() == 0) ck_assert_int_eq(seteuid(0), 0);
  ck_assert_int_eq(chmod(folder, 0755), 0);
  ck_assert_int_eq(entries(), 1);
}
END_TEST

/* A folder that may be written and not read cannot be flushed; the file is there all the same. */
START_TEST(write_only_folder) {
  ck_assert_int_eq(chmod(folder, 0333), 0);
  if (geteuid() == 0) ck_assert_int_eq(seteuid(65534), 0);
  const skp_status status = write_text(path, "new");
  if (getuid() == 0) ck_assert_int_eq(seteuid(0), 0);
  ck_assert_int_eq(chmod(folder, 0755), 0);
  ck_ok(status);
  expect_file("new");
}
END_TEST

START_TEST(reading) {
  void *got;
  int64_t size;
  ck_fails(skp__file_read(&got, &size, path, 100), SKP_IO, "No such file or directory");
  ck_assert_ptr_null(got);
  ck_fails(skp__file_read(&got, &size, folder, 100), SKP_IO, "is not a regular file");
  ck_ok(write_text(path, "12345678"));
  ck_fails(skp__file_read(&got, &size, path, 7), SKP_FORMAT, "has 8 bytes; at most 7 are expected");
  ck_assert_ptr_null(got);
  ck_ok(skp__file_read(&got, &size, path, 8));
  ck_assert_int_eq(size, 8);
  free(got);
}
END_TEST

/* A pipe without a writer must not hang the reader. */
START_TEST(reading_a_pipe) {
  void *got;
  int64_t size;
  ck_assert_int_eq(mkfifo(path, 0666), 0);
  ck_fails(skp__file_read(&got, &size, path, 100), SKP_IO, "is not a regular file");
}
END_TEST

START_TEST(folders) {
  char deep[160], through[160];
  snprintf(deep, sizeof deep, "%s/a//b/c/", folder);
  snprintf(through, sizeof through, "%s/x", path);
  ck_assert(!skp__folder_exists(deep));
  ck_ok(skp__folder_create(deep));
  ck_ok(skp__folder_create(deep));
  ck_assert(skp__folder_exists(deep));
  ck_assert(!skp__file_exists(deep));
  ck_ok(skp__folder_create("/"));
  ck_ok(write_text(path, "x"));
  ck_assert(skp__file_exists(path));
  ck_assert(!skp__folder_exists(path));
  ck_fails(skp__folder_create(path), SKP_IO, "Not a directory");
  ck_fails(skp__folder_create(through), SKP_IO, through);
  ck_fails(skp__folder_create(""), SKP_IO, "Cannot create the folder");
}
END_TEST

START_TEST(paths) {
  char *joined;
  ck_ok(skp__path_join(&joined, "run", "log.jsonl"));
  ck_assert_str_eq(joined, "run/log.jsonl");
  free(joined);
  ck_ok(skp__path_join(&joined, "run/", "log.jsonl"));
  ck_assert_str_eq(joined, "run/log.jsonl");
  free(joined);
}
END_TEST

static void expect_cache(const char *name) {
  char *cache, want[160];
  snprintf(want, sizeof want, "%s/%s", folder, name);
  ck_ok(skp__cache_folder(&cache, want));
  ck_assert_str_eq(cache, want);
  ck_assert(skp__folder_exists(cache));
  free(cache);
}

START_TEST(cache_folder) {
  char *cache;
  expect_cache("own");
  expect_cache("own/kept/in/it");
  ck_fails(skp__cache_folder(&cache, "/dev/null/cache"), SKP_IO, "/dev/null/cache");
  ck_assert_ptr_null(cache);
  setenv("HOME", folder, 1); /* variables do not count */
  if (skp__cache_folder(&cache, NULL) != SKP_OK) return;
  ck_assert_msg(strncmp(cache, folder, strlen(folder)) && strstr(cache, "/.cache/skipper"), "%s", cache);
  free(cache);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("file");
  TCase *files = tcase_create("files");
  tcase_add_checked_fixture(files, make_folder, remove_folder);
  tcase_add_test(files, files_are_written_whole);
  tcase_add_test(files, threads_write_the_same_file);
  tcase_add_test(files, files_are_written_quickly);
  tcase_add_test(files, full_disk);
  tcase_add_test(files, half_written);
  tcase_add_test(files, no_such_folder);
  tcase_add_test(files, devices_and_pipes);
  tcase_add_test(files, what_is_open);
  tcase_add_test(files, tried);
  tcase_add_test(files, target_is_a_folder);
  tcase_add_test(files, read_only_folder);
  tcase_add_test(files, write_only_folder);
  tcase_add_test(files, reading);
  tcase_add_test(files, reading_a_pipe);
  tcase_add_test(files, folders);
  tcase_add_test(files, paths);
  tcase_add_test(files, cache_folder);
  suite_add_tcase(suite, files);
  return skp__test_main(suite);
}
