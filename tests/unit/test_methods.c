/* test_methods.c: the calls of a network keep the methods that they were given. SPDX-License-Identifier: MIT */
#include "plan/methods.h"
#include "test.h"
#include <string.h>

/* The plain backend, of which every op has two methods; the better one may fail. */
static struct skp_backend_ops ops;
static skp_status best; /* what comes of it; SKP_OK: it is there */
static bool forced;
static const char *got;

static const char *name_of(const struct skp_backend *b, const struct skp_op *op, int n) {
  static const char *const names[] = {"best", "plain"};
  (void)b, (void)op;
  return n < 2 ? names[n] : NULL;
}

static skp_status prepare(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                          const char *method) {
  if (method && !strcmp(method, "best") && best != SKP_OK) return skp__fail(best, "not now");
  got = method ? method : best == SKP_OK && !forced ? "best" : "plain";
  return skp__backend_reference.prepare(b, out, sig, NULL);
}

static const char *method_of(const struct skp_prepared *p) {
  (void)p;
  return got;
}

static void info(struct skp_backend *b, struct skp_backend_info *out) {
  skp__backend_reference.info(b, out);
  out->forced = forced;
}

static struct skp_backend *open_backend(void) {
  struct skp_backend *b;
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ops = *b->ops;
  ops.method_name = name_of;
  ops.prepare = prepare;
  ops.method = method_of;
  ops.info = info;
  b->ops = &ops;
  best = SKP_OK;
  forced = false;
  return b;
}

static skp_status prepare_relu(struct skp__methods *m, struct skp_backend *b, int64_t n) {
  struct skp_sig sig;
  struct skp_prepared *p;
  ck_ok(skp__sig_create(&sig, skp__op_by_name("relu"), 1));
  sig.in[0] = skp__shape1(n);
  ck_ok(skp__op_infer(&sig));
  skp_status status = skp__methods_prepare(m, b, &p, &sig);
  if (status == SKP_OK) b->ops->prepared_destroy(p);
  skp__sig_free(&sig);
  return status;
}

START_TEST(a_method_that_took_anothers_place_stays) {
  struct skp_backend *b = open_backend();
  struct skp__methods m = {.missed = 0};
  best = SKP_BUILD;
  ck_ok(prepare_relu(&m, b, 5));
  best = SKP_OK;
  ck_ok(prepare_relu(&m, b, 5));
  ck_assert_str_eq(got, "plain");
  ck_ok(prepare_relu(&m, b, 6)); /* another call */
  ck_assert_str_eq(got, "best");
  ck_assert_uint_eq(m.notes.n, 2);
  ck_assert_int_eq(m.missed, 0);
  skp__methods_free(&m);
  skp__backend_close(b);
}
END_TEST

START_TEST(what_cannot_be_had_again_is_named_once) {
  static const struct {
    skp_status best;
    bool forced;
    const char *text;
  } cases[] = {{SKP_BUILD, false, "relu 5 -> 5, by best (does not compile), now plain"},
               {SKP_UNSUPPORTED, false, "relu 5 -> 5, by best (is refused), now plain"},
               {SKP_OK, true, "relu 5 -> 5, by best (another is forced), now plain"}};
  struct skp_backend *b = open_backend();
  struct skp__methods m = {.missed = 0};
  ck_ok(prepare_relu(&m, b, 5));
  best = cases[_i].best;
  forced = cases[_i].forced;
  for (int again = 0; again < 2; again++) ck_ok(prepare_relu(&m, b, 5));
  ck_assert_str_eq(got, "plain");
  ck_assert_int_eq(m.missed, 1);
  ck_assert_str_eq(m.names.at, cases[_i].text);
  skp__methods_free(&m);
  skp__backend_close(b);
}
END_TEST

START_TEST(some_are_named_and_all_are_counted) {
  struct skp_backend *b = open_backend();
  struct skp__methods m = {.missed = 0};
  for (int64_t n = 1; n <= 5; n++) ck_ok(prepare_relu(&m, b, n));
  best = SKP_BUILD;
  for (int64_t n = 1; n <= 5; n++) ck_ok(prepare_relu(&m, b, n));
  ck_assert_int_eq(m.missed, 5);
  ck_assert_ptr_nonnull(strstr(m.names.at, "relu 3 -> 3"));
  ck_assert_ptr_null(strstr(m.names.at, "relu 4 -> 4"));
  skp__methods_free(&m);
  skp__backend_close(b);
}
END_TEST

START_TEST(a_device_that_fails_is_no_missing_method) {
  struct skp_backend *b = open_backend();
  struct skp__methods m = {.missed = 0};
  ck_ok(prepare_relu(&m, b, 5));
  best = SKP_DEVICE;
  ck_fails(prepare_relu(&m, b, 5), SKP_DEVICE, "not now");
  ck_assert_int_eq(m.missed, 0);
  skp__methods_free(&m);
  skp__backend_close(b);
}
END_TEST

START_TEST(an_op_with_one_method_needs_no_note) {
  struct skp__methods m = {.missed = 0};
  struct skp_backend *b;
  ck_ok(skp__backend_open(&b, &(struct skp_backend_options){.backend = "reference"}));
  ck_ok(prepare_relu(&m, b, 5));
  ck_assert_uint_eq(m.notes.n, 0);
  skp__backend_close(b);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("methods");
  TCase *c = tcase_create("methods");
  tcase_add_test(c, a_method_that_took_anothers_place_stays);
  tcase_add_loop_test(c, what_cannot_be_had_again_is_named_once, 0, 3);
  tcase_add_test(c, some_are_named_and_all_are_counted);
  tcase_add_test(c, a_device_that_fails_is_no_missing_method);
  tcase_add_test(c, an_op_with_one_method_needs_no_note);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
