/* test_mpi.c: MPI as a program meets it that mpirun did not start: it begins, carries bytes, and ends once.
 * SPDX-License-Identifier: MIT */
#include "ranks/wire.h"
#include "test.h"

/* Open MPI keeps some memory of its own until the process ends, in modules that are gone by then. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }

/* Each test is a process of its own: MPI begins once in each. false: this library was built without it, and says so. */
static bool open_alone(struct skp__wire **w) {
  const skp_status status = skp__wire_mpi(w, 5);
  if (status == SKP_UNSUPPORTED) ck_assert_ptr_nonnull(strstr(skp_error_message(), "this build has no MPI"));
  if (status != SKP_UNSUPPORTED) ck_ok(status);
  return status == SKP_OK;
}

START_TEST(alone_it_carries_bytes) {
  struct skp__wire *w;
  char all[4] = "", dealt[4] = "", handed[4] = "abc";
  if (!open_alone(&w)) return;
  ck_assert_int_eq(w->size, 1);
  ck_assert_int_eq(w->neighbours, 1);
  ck_ok(w->gather(w, all, "abc", 4));
  ck_ok(w->deal(w, dealt, "abc", 4));
  ck_ok(w->hand_out(w, 0, handed, 4));
  ck_assert_str_eq(all, "abc");
  ck_assert_str_eq(dealt, "abc");
  ck_assert_str_eq(handed, "abc");
  w->close(w, true);
}
END_TEST

/* MPI's answer to a wrong call is the end of the program unless it is told otherwise. */
START_TEST(what_mpi_refuses_is_an_error) {
  struct skp__wire *w;
  char what[4] = "abc";
  if (!open_alone(&w)) return;
  ck_assert_int_eq(w->hand_out(w, 7, what, 4), SKP_IO);
  ck_assert_msg(strstr(skp_error_message(), "cannot reach each other (MPI: "), "%s", skp_error_message());
  ck_assert_int_eq(w->gather(w, what, what, (size_t)1 << 31), SKP_INTERNAL);
  w->close(w, true);
}
END_TEST

START_TEST(it_ends_once) {
  struct skp__wire *w;
  if (!open_alone(&w)) return;
  w->close(w, true);
  ck_assert_int_eq(skp__wire_mpi(&w, 5), SKP_USAGE);
  ck_assert_ptr_null(w);
  ck_assert_msg(strstr(skp_error_message(), "MPI has ended in this process"), "%s", skp_error_message());
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mpi");
  TCase *tests = tcase_create("mpi");
  tcase_add_test(tests, alone_it_carries_bytes);
  tcase_add_test(tests, what_mpi_refuses_is_an_error);
  tcase_add_test(tests, it_ends_once);
  suite_add_tcase(suite, tests);
  return skp__test_main(suite);
}
