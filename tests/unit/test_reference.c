/* test_reference.c: the reference backend keeps every promise of backend.h; opening a backend by name.
 * SPDX-License-Identifier: MIT */
#include "backend/backend.h"
#include "base/memory.h"
#include "test.h"

static struct skp_backend *b;

static void open_reference(void) {
  const struct skp_backend_options options = {.backend = "reference"};
  ck_ok(skp__backend_open(&b, &options));
}

static void close_reference(void) { skp__backend_close(b); }

static struct skp_buffer *buffer(int64_t bytes) {
  struct skp_buffer *fresh;
  ck_ok(b->ops->buffer_create(b, &fresh, bytes));
  return fresh;
}

static struct skp_sig add_sig(int64_t n) {
  struct skp_sig sig;
  ck_ok(skp__sig_create(&sig, &skp__op_add, 2));
  sig.in[0] = sig.in[1] = skp__shape1(n);
  ck_ok(skp__op_infer(&sig));
  return sig;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

START_TEST(opening) {
  struct skp_backend *other;
  struct skp_backend_options options = {.backend = "cuda"};
  ck_assert_ptr_eq(b->ops, &skp__backend_reference);
  ck_fails(skp__backend_open(&other, &options), SKP_USAGE, "no backend 'cuda'. Choose opencl or reference");
  ck_assert_ptr_null(other);
  options.backend = "abacus";
  ck_fails(skp__backend_open(&other, &options), SKP_USAGE, "abacus");
  skp__backend_close(NULL);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

START_TEST(fresh_memory_is_zero) {
  char bytes[1000], zero[1000] = {0};
  for (int i = 0; i < 3; i++) { /* memory that was used before too */
    struct skp_buffer *x = buffer(sizeof bytes);
    memset(bytes, 0xff, sizeof bytes);
    ck_ok(skp__backend_read_now(b, x, 0, bytes, sizeof bytes));
    ck_assert_mem_eq(bytes, zero, sizeof bytes);
    memset(bytes, 0xff, sizeof bytes);
    ck_ok(skp__backend_write_now(b, x, 0, bytes, sizeof bytes));
    b->ops->buffer_destroy(b, x);
  }
}
END_TEST

START_TEST(slices_share) {
  struct skp_backend_info info;
  b->ops->info(b, &info);
  ck_assert_int_gt(info.alignment, 0);
  struct skp_buffer *base = buffer(4 * info.alignment), *slice, *inner;
  ck_ok(b->ops->buffer_slice(b, &slice, base, info.alignment, 2 * info.alignment));
  ck_ok(b->ops->buffer_slice(b, &inner, slice, info.alignment, info.alignment));
  int32_t value = 42, got = 0;
  ck_ok(skp__backend_write_now(b, inner, 4, &value, 4));
  ck_ok(skp__backend_read_now(b, base, 2 * info.alignment + 4, &got, 4));
  ck_assert_int_eq(got, 42);
  struct skp_buffer *bad;
  ck_fails(b->ops->buffer_slice(b, &bad, base, info.alignment, 4 * info.alignment), SKP_INTERNAL, "outside");
  ck_fails(b->ops->buffer_slice(b, &bad, base, -info.alignment, 1), SKP_INTERNAL, "outside");
  ck_fails(b->ops->buffer_slice(b, &bad, base, 1, 1), SKP_INTERNAL, "begins at byte 1");
  b->ops->buffer_destroy(b, inner);
  b->ops->buffer_destroy(b, slice);
  b->ops->buffer_destroy(b, base);
  b->ops->buffer_destroy(b, NULL);
}
END_TEST

START_TEST(copies_stay_inside) {
  struct skp_buffer *x = buffer(8);
  char bytes[16] = {0};
  ck_fails(skp__backend_write_now(b, x, 0, bytes, 9), SKP_INTERNAL, "9 bytes at 0 lie outside a buffer of 8");
  ck_fails(skp__backend_write_now(b, x, 8, bytes, 1), SKP_INTERNAL, "outside");
  ck_fails(skp__backend_write_now(b, x, -1, bytes, 1), SKP_INTERNAL, "outside");
  ck_fails(skp__backend_read_now(b, x, 0, bytes, -1), SKP_INTERNAL, "outside");
  ck_fails(skp__backend_read_now(b, x, INT64_MAX, bytes, INT64_MAX), SKP_INTERNAL, "outside");
  ck_ok(skp__backend_read_now(b, x, 8, bytes, 0));
  b->ops->buffer_destroy(b, x);
}
END_TEST

START_TEST(counts_what_is_used) {
  struct skp_backend_info info;
  struct skp_buffer *x = buffer(1000), *y = buffer(24), *slice;
  ck_ok(b->ops->buffer_slice(b, &slice, x, 0, 100));
  b->ops->info(b, &info);
  ck_assert_int_eq(info.used, 1024);
  b->ops->buffer_destroy(b, slice);
  b->ops->buffer_destroy(b, x);
  b->ops->info(b, &info);
  ck_assert_int_eq(info.used, 24);
  b->ops->buffer_destroy(b, y);
  ck_assert_int_gt(info.memory, 0);
  ck_assert_int_gt(info.max_allocation, 0);
  ck_assert_str_ne(info.name, "");
  ck_assert_str_ne(info.driver, "");
}
END_TEST

START_TEST(too_much_memory) {
  struct skp_backend_info info;
  struct skp_buffer *x;
  b->ops->info(b, &info);
  ck_fails(b->ops->buffer_create(b, &x, info.memory + 1), SKP_DEVICE_MEMORY, "and the host has");
  ck_assert_ptr_null(x);
  ck_fails(b->ops->buffer_create(b, &x, INT64_MAX), SKP_DEVICE_MEMORY, "and the host has");
  ck_fails(b->ops->buffer_create(b, &x, -1), SKP_INTERNAL, "-1 bytes");
  b->ops->info(b, &info);
  ck_assert_int_eq(info.used, 0);
}
END_TEST

/* ---- ops --------------------------------------------------------------------------------------------------------- */

START_TEST(runs_in_order) {
  struct skp_sig sig = add_sig(2);
  struct skp_buffer *x = buffer(8), *y = buffer(8), *z = buffer(8);
  struct skp_prepared *list[2];
  for (int i = 0; i < 2; i++) ck_ok(b->ops->prepare(b, &list[i], &sig, NULL));
  skp__sig_free(&sig); /* prepare made a copy */
  ck_assert_int_eq(b->ops->workspace(list[0]), 0);
  ck_assert_str_eq(b->ops->method(list[0]), "reference");
  ck_fails(b->ops->run(b, list, 1), SKP_INTERNAL, "add was run before it was bound");
  ck_ok(b->ops->bind(list[0], (struct skp_buffer *[]){x, x}, (struct skp_buffer *[]){y}, NULL)); /* y = 2x */
  ck_ok(b->ops->bind(list[1], (struct skp_buffer *[]){x, y}, (struct skp_buffer *[]){z}, NULL)); /* z = 3x */
  const float values[2] = {1, -2};
  float got[2];
  uint64_t first, second;
  ck_ok(b->ops->write(b, x, 0, values, 8));
  ck_ok(b->ops->ticket(b, &first));
  ck_ok(b->ops->run(b, list, 2));
  ck_ok(b->ops->read(b, z, 0, got, 8));
  ck_ok(b->ops->ticket(b, &second));
  ck_assert_uint_eq(first, 1);
  ck_assert_uint_eq(second, 2);
  ck_ok(b->ops->wait(b, second));
  ck_ok(b->ops->wait(b, first));
  ck_fails(b->ops->wait(b, 3), SKP_INTERNAL, "Ticket 3");
  ck_assert_float_eq(got[0], 3);
  ck_assert_float_eq(got[1], -6);
  ck_ok(b->ops->bind(list[1], (struct skp_buffer *[]){y, y}, (struct skp_buffer *[]){z}, NULL)); /* again: z = 4x */
  ck_ok(b->ops->run(b, list, 2));
  ck_ok(skp__backend_read_now(b, z, 0, got, 8));
  ck_assert_float_eq(got[0], 4);
  for (int i = 0; i < 2; i++) b->ops->prepared_destroy(list[i]);
  b->ops->prepared_destroy(NULL);
  b->ops->buffer_destroy(b, x);
  b->ops->buffer_destroy(b, y);
  b->ops->buffer_destroy(b, z);
}
END_TEST

START_TEST(binding_checks) {
  struct skp_sig sig = add_sig(2);
  struct skp_buffer *x = buffer(8), *small = buffer(4);
  struct skp_prepared *p;
  ck_ok(b->ops->prepare(b, &p, &sig, "reference"));
  ck_fails(b->ops->bind(p, (struct skp_buffer *[]){x, NULL}, (struct skp_buffer *[]){x}, NULL), SKP_INTERNAL,
           "add: no buffer was given for b");
  ck_fails(b->ops->bind(p, (struct skp_buffer *[]){x, x}, (struct skp_buffer *[]){small}, NULL), SKP_INTERNAL,
           "add: y needs 8 bytes, its buffer has 4");
  ck_fails(b->ops->run(b, &p, 1), SKP_INTERNAL, "before it was bound");
  b->ops->prepared_destroy(p);
  skp__sig_free(&sig);
  b->ops->buffer_destroy(b, x);
  b->ops->buffer_destroy(b, small);
}
END_TEST

START_TEST(updates_in_place) {
  struct skp_sig sig;
  ck_ok(skp__sig_create(&sig, &skp__op_sgd, 0));
  sig.in[0] = sig.in[1] = skp__shape1(2);
  sig.in[3] = skp__shape1(4);
  struct skp_buffer *p = buffer(8), *g = buffer(8), *hyper = buffer(16);
  struct skp_buffer *in[SKP_MAX_IN] = {p, g, NULL, hyper};
  struct skp_prepared *update;
  ck_ok(skp__op_infer(&sig));
  ck_ok(b->ops->prepare(b, &update, &sig, NULL));
  ck_fails(b->ops->bind(update, in, (struct skp_buffer *[SKP_MAX_OUT]){g}, NULL), SKP_INTERNAL,
           "sgd: new_p must share the memory of p");
  ck_ok(b->ops->bind(update, in, (struct skp_buffer *[SKP_MAX_OUT]){p}, NULL));
  const float lr[4] = {0.5f, 0, 0, 0}, gradient[2] = {2, 4};
  float got[2];
  ck_ok(skp__backend_write_now(b, g, 0, gradient, 8));
  ck_ok(skp__backend_write_now(b, hyper, 0, lr, 16));
  ck_ok(b->ops->run(b, &update, 1));
  ck_ok(skp__backend_read_now(b, p, 0, got, 8));
  ck_assert_float_eq(got[0], -1);
  ck_assert_float_eq(got[1], -2);
  b->ops->prepared_destroy(update);
  skp__sig_free(&sig);
  b->ops->buffer_destroy(b, p);
  b->ops->buffer_destroy(b, g);
  b->ops->buffer_destroy(b, hyper);
}
END_TEST

START_TEST(methods) {
  const struct skp_op *op = skp__op((skp_op_id)_i);
  struct skp_sig sig;
  struct skp_prepared *p;
  ck_ok(skp__sig_create(&sig, op, 0));
  if (!op->reference) { /* a view */
    ck_assert_ptr_null(b->ops->method_name(b, op, 0));
    ck_fails(b->ops->prepare(b, &p, &sig, NULL), SKP_UNSUPPORTED, "is a view");
    skp__sig_free(&sig);
    return;
  }
  ck_assert_str_eq(b->ops->method_name(b, op, 0), "reference");
  ck_assert_ptr_null(b->ops->method_name(b, op, 1));
  ck_assert_ptr_null(b->ops->method_refusal(b, &sig, 0));
  ck_assert_ptr_nonnull(b->ops->method_refusal(b, &sig, 1));
  ck_fails(b->ops->prepare(b, &p, &sig, "winograd"), SKP_UNSUPPORTED, "no method 'winograd'");
  ck_assert_ptr_null(p);
  skp__sig_free(&sig);
}
END_TEST

START_TEST(traces) {
  struct skp__memory trace;
  ck_assert(skp__memory_open(&trace));
  const struct skp_backend_options options = {.backend = "reference", .trace = trace.to};
  struct skp_sig sig = add_sig(2);
  struct skp_backend *traced;
  struct skp_prepared *p;
  ck_ok(skp__backend_open(&traced, &options));
  ck_ok(traced->ops->prepare(traced, &p, &sig, NULL));
  traced->ops->prepared_destroy(p);
  skp__backend_close(traced);
  ck_assert(skp__memory_close(&trace));
  ck_assert_str_eq(trace.text, "add: reference\n");
  skp__sig_free(&sig);
  free(trace.text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("reference backend");
  TCase *tc = tcase_create("reference");
  tcase_add_checked_fixture(tc, open_reference, close_reference);
  tcase_add_test(tc, opening);
  tcase_add_test(tc, fresh_memory_is_zero);
  tcase_add_test(tc, slices_share);
  tcase_add_test(tc, copies_stay_inside);
  tcase_add_test(tc, counts_what_is_used);
  tcase_add_test(tc, too_much_memory);
  tcase_add_test(tc, runs_in_order);
  tcase_add_test(tc, binding_checks);
  tcase_add_test(tc, updates_in_place);
  tcase_add_loop_test(tc, methods, 0, SKP_OP_COUNT);
  tcase_add_test(tc, traces);
  suite_add_tcase(suite, tc);
  return skp__test_main(suite);
}
