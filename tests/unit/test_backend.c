/* test_backend.c: a backend of its own, made as docs/adding-a-backend.md says: it puts off all that is queued until
 * somebody waits, and then lets the plain C do it. What is written above the contract must not notice.
 * SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "base/memory.h"
#include "test.h"
#include "verify/verify.h"

/* What was queued: a copy in or out, or an op. */
struct work {
  struct skp_buffer *to, *from;
  void *host;
  int64_t offset, bytes;
  struct skp_prepared *op;
};

struct late {
  struct skp_backend base;
  struct skp_backend *plain;
  SKP_ARRAY(struct work) queue;
  uint64_t tickets;
  int put_off;
};

static struct late *late; /* slots for buffers and ops are given no backend */

static skp_status push(struct work w) {
  SKP_TRY(SKP_GROW(&late->queue));
  late->queue.at[late->queue.n - 1] = w;
  late->put_off++;
  return SKP_OK;
}

static skp_status do_work(const struct work *w) {
  struct skp_backend *b = late->plain;
  if (w->op) return b->ops->run(b, &w->op, 1);
  return w->to ? b->ops->write(b, w->to, w->offset, w->host, w->bytes)
               : b->ops->read(b, w->from, w->offset, w->host, w->bytes);
}

static skp_status catch_up(void) {
  skp_status status = SKP_OK;
  for (size_t i = 0; i < late->queue.n && status == SKP_OK; i++) status = do_work(&late->queue.at[i]);
  late->queue.n = 0;
  return status;
}

static void info(struct skp_backend *b, struct skp_backend_info *out) {
  (void)b;
  late->plain->ops->info(late->plain, out);
  snprintf(out->name, sizeof out->name, "late");
}

static skp_status create(struct skp_backend *b, struct skp_buffer **out, int64_t bytes) {
  (void)b;
  return late->plain->ops->buffer_create(late->plain, out, bytes);
}

static skp_status slice(struct skp_backend *b, struct skp_buffer **out, struct skp_buffer *whole, int64_t offset,
                        int64_t bytes) {
  (void)b;
  return late->plain->ops->buffer_slice(late->plain, out, whole, offset, bytes);
}

static void destroy(struct skp_backend *b, struct skp_buffer *buffer) {
  (void)b;
  ck_ok(catch_up()); /* what is queued may need it */
  late->plain->ops->buffer_destroy(late->plain, buffer);
}

static skp_status copy_in(struct skp_backend *b, struct skp_buffer *to, int64_t offset, const void *from,
                          int64_t bytes) {
  (void)b;
  return push((struct work){.to = to, .host = (void *)(uintptr_t)from, .offset = offset, .bytes = bytes});
}

static skp_status copy_out(struct skp_backend *b, struct skp_buffer *from, int64_t offset, void *to, int64_t bytes) {
  (void)b;
  return push((struct work){.from = from, .host = to, .offset = offset, .bytes = bytes});
}

static skp_status prepare(struct skp_backend *b, struct skp_prepared **out, const struct skp_sig *sig,
                          const char *method) {
  (void)b;
  return late->plain->ops->prepare(late->plain, out, sig, method);
}

static void prepared_destroy(struct skp_prepared *p) {
  ck_ok(catch_up());
  late->plain->ops->prepared_destroy(p);
}

static skp_status run(struct skp_backend *b, struct skp_prepared *const *list, size_t n) {
  (void)b;
  for (size_t i = 0; i < n; i++) SKP_TRY(push((struct work){.op = list[i]}));
  return SKP_OK;
}

static skp_status ticket(struct skp_backend *b, uint64_t *out) {
  (void)b;
  *out = ++late->tickets;
  return SKP_OK;
}

static skp_status wait_for(struct skp_backend *b, uint64_t taken) {
  (void)b;
  ck_assert_uint_le(taken, late->tickets);
  return catch_up();
}

static const char *method_name(const struct skp_backend *b, const struct skp_op *op, int n) {
  (void)b;
  return late->plain->ops->method_name(late->plain, op, n);
}

static const char *refusal(struct skp_backend *b, const struct skp_sig *sig, int n) {
  (void)b;
  return late->plain->ops->method_refusal(late->plain, sig, n);
}

START_TEST(puts_off) {
  const struct skp_backend_options where = {.backend = "reference"};
  struct late own = {.base.ops = NULL};
  late = &own;
  ck_ok(skp__backend_open(&own.plain, &where));
  struct skp_backend_ops ops = *own.plain->ops; /* workspace, method, tolerance, bind: the same */
  ops.name = "late";
  ops.info = info;
  ops.buffer_create = create, ops.buffer_slice = slice, ops.buffer_destroy = destroy;
  ops.write = copy_in, ops.read = copy_out;
  ops.prepare = prepare, ops.prepared_destroy = prepared_destroy;
  ops.run = run, ops.ticket = ticket, ops.wait = wait_for;
  ops.method_name = method_name, ops.method_refusal = refusal;
  own.base.ops = &ops;
  struct skp_verify_result result;
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  ck_ok(skp__verify(&result, &own.base, &(struct skp_verify_options){.seed = 3, .quick = true, .to = said.to}));
  ck_assert_int_eq(result.failed, 0);
  ck_assert_int_gt(result.passed, 30);
  ck_assert_int_ge(own.put_off, 3 * result.passed); /* in, op, out */
  ck_assert_uint_eq(own.queue.n, 0);
  ck_assert(skp__memory_close(&said));
  free(said.text);
  SKP_FREE(&own.queue);
  skp__backend_close(own.plain);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("backend");
  TCase *c = tcase_create("backend");
  tcase_add_test(c, puts_off);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
