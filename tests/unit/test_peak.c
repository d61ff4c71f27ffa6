/* test_peak.c: what a device does at best is measured once; a file that is torn, another's or that says what no device
 * does is as good as none. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "folder.h"
#include "train/measure/peak.h"
#include <stdlib.h>

static struct skp_backend *b;
static struct skp_backend_ops made_up;
static const struct skp_backend_ops *plain;
static int measured, units;
static const struct skp_device *listed; /* the device is this one of the list; NULL: none of it */
static skp_status outcome;
static const struct skp_backend_peaks right = {2.5e11, 0, 1.25e10, 2e10, 2.25e10, 1e-6};
static struct skp_backend_peaks given;

static void info(struct skp_backend *of, struct skp_backend_info *out) {
  plain->info(of, out);
  if (listed) skp__devices_describe(out, listed);
  out->cache = folder;
  out->units = units;
}

static skp_status measure(struct skp_backend *of, struct skp_backend_peaks *out) {
  (void)of;
  measured++;
  *out = given;
  return outcome;
}

static void start(void) {
  make_folder();
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  plain = b->ops;
  made_up = *plain;
  made_up.info = info;
  made_up.measure = measure;
  b->ops = &made_up;
  given = right;
  outcome = SKP_OK;
  measured = 0;
  units = 2;
  listed = NULL;
}

static void stop(void) {
  b->ops = plain;
  skp__backend_close(b);
  remove_folder();
}

/* How often that measured; what was found is right. *path is to be freed. */
static int find(char **path, bool anew) {
  struct skp_backend_peaks p;
  const int before = measured;
  ck_ok(skp__peak_find(&p, path, b, anew));
  ck_assert(p.fma == right.fma && p.narrow == right.narrow && p.triad == right.triad && p.launch == right.launch);
  return measured - before;
}

START_TEST(once) {
  char *path;
  ck_assert_int_eq(find(NULL, false), 1);
  ck_assert_int_eq(find(NULL, false), 0);
  ck_assert_int_eq(find(NULL, true), 1);
  ck_assert_int_eq(find(&path, false), 0);
  ck_assert(skp__file_exists(path));
  free(path);
  units = 1; /* another part of the device */
  ck_assert_int_eq(find(NULL, false), 1);
  units = 2;
  ck_assert_int_eq(find(NULL, false), 0);
}
END_TEST

static void write_text(const char *path, const char *text, size_t n) {
  FILE *f = fopen(path, "w");
  ck_assert_uint_eq(fwrite(text, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

START_TEST(torn) {
  char *path;
  void *text;
  int64_t size;
  find(&path, false);
  ck_ok(skp__file_read(&text, &size, path, 1 << 12));
  for (int64_t n = 0; n<size; n += size - n> 50 ? 31 : 1) {
    write_text(path, text, (size_t)n);
    ck_assert_int_eq(find(NULL, false), 1);
  }
  write_text(path, text, (size_t)size);
  ck_assert_int_eq(find(NULL, false), 0);
  free(text);
  free(path);
}
END_TEST

static const struct {
  const char *find, *put;
} changes[] = {{"fma 2.5e+11", "fma 0"},     {"fma 2.5e+11", "fma nan"},         {"fma 2.5e+11", "fma -1"},
               {"fma 2.5e+11", "fma 1e999"}, {"fma 2.5e+11", "fma 2.5e+11 and"}, {"on ", "on another "},
               {"triad ", "tried "},         {"narrow 0", "narrow 3"},           {"launch 1e-06", "launch 7"}};

START_TEST(hostile) {
  char *path, *text, other[2000];
  int64_t size;
  find(&path, false);
  ck_ok(skp__file_read((void **)&text, &size, path, 1 << 12));
  const char *at = strstr(text, changes[_i].find);
  ck_assert_ptr_nonnull(at);
  snprintf(other, sizeof other, "%.*s%s%s", (int)(at - text), text, changes[_i].put, at + strlen(changes[_i].find));
  write_text(path, other, strlen(other));
  ck_assert_int_eq(find(NULL, false), 1);
  ck_assert_int_eq(find(NULL, false), 0);
  free(text);
  free(path);
}
END_TEST

START_TEST(failures) {
  struct skp_backend_peaks p;
  outcome = skp__fail(SKP_UNSUPPORTED, "no clock");
  ck_fails(skp__peak_find(&p, NULL, b, false), SKP_UNSUPPORTED, "no clock");
  outcome = SKP_OK;
  given.fma = 3;
  ck_fails(skp__peak_find(&p, NULL, b, false), SKP_UNSUPPORTED, "gave 3 float operations a second");
  ck_assert(p.fma == 0);
  given = right;
  ck_assert_int_eq(find(NULL, false), 1); /* nothing of that was kept */
}
END_TEST

/* What was kept of a device is found without opening it. */
START_TEST(of_a_listed_device) {
  struct skp_device d = {.units = 2, .name = "Card", .platform_name = "Makers", .version = "1.2", .driver = "7"};
  struct skp_backend_peaks p;
  listed = &d;
  ck_assert(skp__peak_listed(&p, &d, folder) == 0);
  ck_assert_int_eq(find(NULL, false), 1);
  ck_assert(skp__peak_listed(&p, &d, folder) == skp__peak_seconds(&right));
  ck_assert(p.fma == right.fma && p.triad == right.triad && p.launch == right.launch);
  ck_assert(skp__peak_listed(&p, &d, "") == 0);
  strcpy(d.driver, "8");
  ck_assert(skp__peak_listed(&p, &d, folder) == 0 && p.fma == 0);
}
END_TEST

/* That it cannot be measured is kept, too, but of this driver alone, and until it can. */
START_TEST(of_one_that_cannot_be_measured) {
  struct skp_device d = {.units = 2, .name = "Card", .platform_name = "Makers", .version = "1.2", .driver = "7"};
  struct skp_backend_peaks p;
  listed = &d;
  ck_assert(skp__peak_listed(NULL, &d, folder) == 0);
  ck_ok(skp__peak_give_up(&d, folder));
  ck_assert(skp__peak_listed(&p, &d, folder) < 0);
  ck_assert(p.fma == 0);
  strcpy(d.driver, "8");
  ck_assert(skp__peak_listed(NULL, &d, folder) == 0);
  strcpy(d.driver, "7");
  ck_assert(skp__peak_listed(NULL, &d, folder) < 0);
  ck_assert_int_eq(find(NULL, false), 1);
  ck_assert(skp__peak_listed(NULL, &d, folder) == skp__peak_seconds(&right));
  ck_ok(skp__peak_give_up(&d, "")); /* which keeps nothing */
  ck_assert(skp__peak_listed(NULL, &d, "") == 0);
}
END_TEST

/* Each of the three peaks counts. */
START_TEST(less_is_better) {
  const double usual = skp__peak_seconds(&right);
  struct skp_backend_peaks p[] = {right, right, right};
  p[0].fma /= 2, p[1].triad /= 2, p[2].launch *= 1000;
  for (int i = 0; i < 3; i++) ck_assert_double_gt(skp__peak_seconds(&p[i]), 1.05 * usual);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("peak");
  TCase *c = tcase_create("peak");
  tcase_add_checked_fixture(c, start, stop);
  tcase_add_test(c, once);
  tcase_add_test(c, torn);
  tcase_add_loop_test(c, hostile, 0, sizeof changes / sizeof *changes);
  tcase_add_test(c, failures);
  tcase_add_test(c, of_a_listed_device);
  tcase_add_test(c, of_one_that_cannot_be_measured);
  tcase_add_test(c, less_is_better);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
