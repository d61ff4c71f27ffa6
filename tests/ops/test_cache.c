/* test_cache.c: compiled programs on disk, and those that are compiled ahead by other processes.
 * SPDX-License-Identifier: MIT */
#include "base/progress.h"
#include "device.h"
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

/* ---- the disk cache ---------------------------------------------------------------------------------------------- */

/* Opens, runs a kernel, closes. True if its program came from the cache. */
static bool from_cache(void) {
  char trace[2000] = "";
  FILE *to = fmemopen(trace, sizeof trace, "w");
  open_with((struct skp_backend_options){.trace = to});
  check_relu(100);
  close_device();
  fclose(to);
  bool cached = strstr(trace, "from the cache"), compiled = strstr(trace, "compiled in");
  ck_assert_msg(cached != compiled, "trace: %s", trace);
  return cached;
}

/* The path of the only file in the cache. */
static const char *entry(void) {
  static char path[600];
  char kernels[300];
  int n = 0;
  snprintf(kernels, sizeof kernels, "%s/kernels", folder);
  DIR *dir = opendir(kernels);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (e->d_name[0] != '.') snprintf(path, sizeof path, "%s/%s", kernels, e->d_name), n++;
  if (dir) closedir(dir);
  ck_assert_int_eq(n, 1);
  return path;
}

START_TEST(the_cache_serves) {
  ck_assert(!from_cache());
  ck_assert(from_cache());
  entry();
  setenv("SKIPPER_CACHE", "", 1);
  ck_assert(!from_cache());
}
END_TEST

static void damage(const char *path, long at, char change) {
  FILE *f = fopen(path, "r+");
  ck_assert_ptr_nonnull(f);
  if (at < 0) {
    ck_assert_int_eq(fseek(f, at, SEEK_END), 0);
    at = ftell(f);
  }
  ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
  int byte = fgetc(f);
  fseek(f, at, SEEK_SET);
  fputc(byte ^ change, f);
  ck_assert_int_eq(fclose(f), 0);
}

START_TEST(damaged_entries_are_replaced) {
  const long places[] = {0, 8, 20, 24, 40, 48, 100, -1};
  ck_assert(!from_cache());
  const char *path = entry();
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    damage(path, places[i], 0x10);
    ck_assert_msg(!from_cache(), "byte %ld", places[i]);
  }
  const off_t lengths[] = {0, 3, 47, 48, 1000};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    ck_assert_int_eq(truncate(path, lengths[i]), 0);
    ck_assert_msg(!from_cache(), "length %ld", (long)lengths[i]);
  }
  FILE *f = fopen(path, "w");
  for (int i = 0; i < 5000; i++) fputc(i * 37 >> 3, f);
  fclose(f);
  ck_assert(!from_cache());
  ck_assert(from_cache());
}
END_TEST

START_TEST(no_folder_no_cache) {
  setenv("SKIPPER_CACHE", "/proc/nowhere", 1);
  ck_assert(!from_cache());
}
END_TEST

START_TEST(processes_share_the_cache) {
  pid_t children[4];
  for (int i = 0; i < 4; i++)
    if (!(children[i] = fork())) {
      from_cache();
      _exit(0);
    }
  for (int i = 0; i < 4; i++) {
    int state;
    ck_assert_int_eq(waitpid(children[i], &state, 0), children[i]);
    ck_assert_msg(WIFEXITED(state) && !WEXITSTATUS(state), "process %d: state %d", i, state);
  }
  ck_assert(from_cache());
  entry();
}
END_TEST

START_TEST(the_cache_has_a_limit) {
  char path[300];
  snprintf(path, sizeof path, "%s/kernels", folder);
  ck_assert_int_eq(mkdir(path, 0777), 0);
  snprintf(path, sizeof path, "%s/kernels/old.bin", folder);
  fclose(fopen(path, "w"));
  ck_assert_int_eq(truncate(path, (off_t)300 << 20), 0); /* a hole */
  ck_assert(!from_cache());
  ck_assert_int_ne(access(path, F_OK), 0);
  ck_assert(from_cache());
}
END_TEST

/* ---- programs compiled ahead ------------------------------------------------------------------------------------- */

static int told, told_of, programs; /* by the last call; calls; of how many programs at once they may tell */

static void note_progress(void *user, const struct skp_progress *p) {
  (void)user;
  ck_assert_str_eq(p->doing, "compiling kernels");
  ck_assert(p->done >= 0 && p->done <= p->all && p->all == programs);
  told = (int)p->done;
  told_of++;
}

/* Says that relu and add come, then prepares them. True if both programs came from the cache. */
static bool expected(FILE *to, char *trace) {
  struct skp_sig sigs[2] = {relu_of(100)};
  ck_ok(skp__sig_create(&sigs[1], &skp__op_add, 2));
  sigs[1].in[0] = sigs[1].in[1] = sigs[1].out[0] = skp__shape1(100);
  ops->expect(b, sigs, 2);
  for (int i = 0; i < 2; i++) {
    struct skp_prepared *p;
    ck_ok(ops->prepare(b, &p, &sigs[i], NULL));
    ops->prepared_destroy(p);
    skp__sig_free(&sigs[i]);
  }
  check_relu(100);
  fflush(to);
  return !strstr(trace, "compiled in");
}

static pid_t children[16];

/* This process's children, as the kernel lists them. */
static int find_children(void) {
  int n = 0;
  char path[100];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE *f = fopen(path, "r");
  while (f && n < 16 && fscanf(f, "%d", &children[n]) == 1) n++;
  if (f) fclose(f);
  return n;
}

START_TEST(programs_are_compiled_ahead) {
  char trace[4000] = "";
  FILE *to = fmemopen(trace, sizeof trace, "w");
  skp__progress_listen(note_progress, NULL);
  open_with((struct skp_backend_options){.trace = to});
  bool ahead = cl->compilers;
  programs = ahead ? 2 : 1;
  bool cached = expected(to, trace);
  if (ahead) {
    ck_assert(cached && strstr(trace, "2 of 2 programs compiled ahead"));
    ck_assert(told == 2 && told_of > 1);
  } else
    ck_assert_int_eq(told_of, 4); /* another driver, or a single processor: begin and end of each */
  told_of = 0;
  expected(to, trace);
  ck_assert_int_eq(told_of, 0);
  close_device();
  fclose(to);
  ck_assert_int_eq(find_children(), 0);
}
END_TEST

START_TEST(killed_compilers_cost_only_time) {
  char trace[4000] = "";
  FILE *to = fmemopen(trace, sizeof trace, "w");
  open_with((struct skp_backend_options){.trace = to});
  int n = find_children();
  for (int i = 0; i < n; i++) ck_assert_int_eq(kill(children[i], i ? SIGKILL : SIGSEGV), 0);
  ck_assert(!expected(to, trace) || n == 0);
  close_device();
  fclose(to);
  ck_assert_int_eq(find_children(), 0);
}
END_TEST

int main(void) {
  if (!there_is_a_device()) return SKP_TEST_SKIPPED;
  Suite *suite = suite_create("cache");
  TCase *cache = tcase_create("cache");
  tcase_add_checked_fixture(cache, fresh_folder, remove_folder);
  tcase_add_test(cache, the_cache_serves);
  tcase_add_test(cache, damaged_entries_are_replaced);
  tcase_add_test(cache, no_folder_no_cache);
  tcase_add_test(cache, processes_share_the_cache);
  tcase_add_test(cache, the_cache_has_a_limit);
  tcase_add_test(cache, programs_are_compiled_ahead);
  tcase_add_test(cache, killed_compilers_cost_only_time);
  tcase_set_timeout(cache, 240);
  suite_add_tcase(suite, cache);
  return skp__test_main(suite);
}
