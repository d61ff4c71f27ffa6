/* test_admit.c: methods are compared before they run: the smaller calls are sound, parts of calls are parts of their
 * results, and what is wrong is refused and said. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "test.h"
#include "verify/admit.h"
#include "verify/letters.h"
#include "verify/slice.h"
#include <string.h>

static struct skp_backend *b;

static void start(void) {
  const struct skp_backend_options where = {.backend = "reference"};
  ck_ok(skp__backend_open(&b, &where));
}
static void stop(void) { skp__backend_close(b); }

START_TEST(letters) {
  for (int id = 0; id < SKP_OP_COUNT; id++) {
    const struct skp_op *op = skp__op((skp_op_id)id);
    ck_assert_str_eq(skp__letters_of(op)->op, op->name);
  }
}
END_TEST

/* ---- smaller calls ----------------------------------------------------------------------------------------------- */

static int64_t values(const struct skp_sig *sig) {
  int64_t n = 0;
  for (int i = 0; i < sig->n_in; i++) n += skp__shape_count(&sig->in[i]);
  return n;
}

static void judge(const struct skp__case *c) {
  struct skp__verdict v;
  ck_ok(skp__judge(&v, b, c, 0, "reference"));
  ck_assert_msg(v.passed, "%s %s: %s", c->op, c->id, v.text);
}

/* The smaller call is of the same kind, and its case can be judged. */
static skp_status check_small(void *user, const struct skp__case *c) {
  int *checked = user;
  for (size_t n = 0; n < c->g->nodes.n; n++) {
    const struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[n]);
    struct skp_sig small;
    struct skp__case own;
    if (!sig.op->reference) continue;
    ck_ok(skp__case_shrink(&small, &sig, b, "reference"));
    ck_assert_int_le(values(&small), values(&sig));
    for (int i = 0; i < sig.n_in; i++)
      ck_assert(small.in[i].rank == sig.in[i].rank && small.in[i].dtype == sig.in[i].dtype);
    for (int o = 0; o < sig.n_out; o++) ck_assert(small.out[o].rank == sig.out[o].rank);
    ck_ok(skp__case_of(&own, &small, n));
    judge(&own);
    skp__case_free(&own);
    skp__sig_free(&small);
    ++*checked;
  }
  return SKP_OK;
}

START_TEST(small) {
  int checked = 0;
  ck_ok(skp__generated_each(NULL, 5, false, check_small, &checked));
  ck_assert_int_gt(checked, 300);
}
END_TEST

/* Rests stay: 57 pixels at a stride of 2 leave 29, and 29 by steps of 12 leaves 17; 200 channels leave 40. */
START_TEST(rests) {
  struct skp_sig sig, out;
  ck_ok(skp__sig_create(&sig, &skp__op_conv2d, 2));
  sig.attrs.conv2d = (struct skp_conv2d_attrs){.stride = 2, .pad = 1, .dilation = 1, .groups = 1};
  sig.in[0] = skp__shape4(64, 57, 113, 200);
  sig.in[1] = skp__shape4(3, 3, 200, 72);
  ck_ok(skp__op_infer(&sig));
  ck_ok(skp__case_shrink(&out, &sig, b, "reference"));
  const struct skp_shape x = skp__shape4(2, 33, 41, 40), w = skp__shape4(3, 3, 40, 40), y = skp__shape4(2, 17, 21, 40);
  ck_assert(skp__shape_equal(&out.in[0], &x) && skp__shape_equal(&out.in[1], &w) && skp__shape_equal(&out.out[0], &y));
  skp__sig_free(&out);
  skp__sig_free(&sig);
}
END_TEST

/* Of what stays large however it is cut, two images are compared, not all. */
START_TEST(large) {
  struct skp_sig sig, out;
  ck_ok(skp__sig_create(&sig, &skp__op_layernorm_dx, 5));
  sig.in[0] = sig.in[1] = skp__shape4(8, 1024, 1024, 96);
  sig.in[2] = skp__shape1(96);
  sig.in[3] = sig.in[4] = skp__shape1(8 << 20);
  ck_ok(skp__op_infer(&sig));
  ck_ok(skp__case_shrink(&out, &sig, b, "reference"));
  const struct skp_shape x = skp__shape4(2, 1024, 1024, 32), mean = skp__shape1(2 << 20);
  ck_assert(skp__shape_equal(&out.in[1], &x) && skp__shape_equal(&out.in[3], &mean));
  skp__sig_free(&out);
  skp__sig_free(&sig);
}
END_TEST

/* ---- parts of calls ---------------------------------------------------------------------------------------------- */

static bool is_known(const struct skp__case *c, skp_value v, int64_t i) {
  const size_t bytes = c->g->tensors.at[v].shape.dtype == SKP_BF16 ? 2 : 4;
  return memcmp((const char *)c->known.at[v].data + (size_t)i * bytes, &skp__case_unknown, bytes) != 0;
}

static int64_t known(const struct skp__case *c, const struct skp_node *node) {
  int64_t n = 0;
  for (int o = 0; o < node->n_out; o++) {
    if (node->out[o] == SKP_NONE) continue;
    const int64_t count = skp__shape_count(&c->g->tensors.at[node->out[o]].shape);
    for (int64_t i = 0; i < count; i++) n += is_known(c, node->out[o], i);
  }
  return n;
}

/* Where a part is to be: at the ends, or so that it holds a value from the beginning, the middle or the end. */
static int place;

/* What plain C makes of a part of each call is the same part of what it makes of the whole. */
static skp_status check_slice(void *user, const struct skp__case *c) {
  int64_t *cut = user;
  const struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[0]);
  struct skp__case whole;
  if (!sig.op->reference) return SKP_OK;
  ck_ok(skp__case_of(&whole, &sig, 3));
  const struct skp_node *node = &whole.g->nodes.at[0];
  const int64_t all = known(&whole, node);
  struct skp__slice slice = skp__slice_of(&sig, 1, 1);
  const int64_t at = (skp__shape_count(&sig.out[0]) - 1) * (place - 1) / 2;
  if (place) skp__slice_hold(&slice, &sig, 0, at);
  for (int o = 0; o < node->n_out; o++) {
    if (node->out[o] == SKP_NONE) continue;
    free(whole.known.at[node->out[o]].data);
    whole.known.at[node->out[o]].data = NULL;
  }
  ck_ok(skp__slice_complete(&whole, 0, &slice));
  const int64_t some = known(&whole, node);
  ck_assert(some > 0 && some <= all);
  if (place)
    ck_assert_msg(is_known(&whole, node->out[0], at), "%s: value %d is not in the part", sig.op->name, (int)at);
  cut[some < all]++;
  judge(&whole);
  skp__case_free(&whole);
  return SKP_OK;
}

START_TEST(slices) {
  int64_t cut[2] = {0, 0};
  place = _i;
  ck_ok(skp__generated_each(NULL, 6, false, check_slice, cut));
  ck_assert_int_gt(cut[1], 40);
}
END_TEST

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* A backend that is wrong for one op, by its first method. */
static struct skp_backend_ops wrong_ops;
static int compared;

static skp_status run_wrong(struct skp_backend *w, struct skp_prepared *const *list, size_t n) {
  compared++;
  return strcmp(b->ops->method(list[0]), "reference") == 0 && n == 1 && w->ops == &wrong_ops ? SKP_OK : SKP_INTERNAL;
}

/* The backend runs everything by `run`, until it is right again. */
static const struct skp_backend_ops *right;
static void pose(skp_status (*run)(struct skp_backend *, struct skp_prepared *const *, size_t)) {
  right = b->ops;
  wrong_ops = *right;
  wrong_ops.run = run;
  b->ops = &wrong_ops;
}

static struct skp_sig relu_of(int64_t n) {
  struct skp_sig sig;
  ck_ok(skp__sig_create(&sig, &skp__op_relu, 1));
  sig.in[0] = skp__shape4(n, 5, 5, 7);
  ck_ok(skp__op_infer(&sig));
  return sig;
}

static bool wrong; /* what the last one said of it */

static skp_status ask(struct skp_backend_check *check, int64_t n) {
  struct skp_sig sig = relu_of(n);
  wrong = false;
  skp_status status = check->ask(&wrong, check, b, &sig, "reference");
  skp__sig_free(&sig);
  return status;
}

START_TEST(asks) {
  struct skp_backend_check *check;
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  ck_ok(skp__admission_create(&check, said.to));
  ck_ok(ask(check, 4));
  pose(run_wrong); /* does nothing */
  compared = 0;
  ck_ok(ask(check, 4)); /* known */
  ck_ok(ask(check, 6)); /* of the same kind as 4 */
  ck_assert_int_eq(compared, 0);
  ck_fails(ask(check, 5), SKP_UNSUPPORTED, "computes wrongly: y[");
  ck_assert(wrong);
  ck_fails(ask(check, 7), SKP_UNSUPPORTED, "computes wrongly: y["); /* of the same kind as 5: said once */
  ck_assert(wrong);
  ck_assert_int_eq(compared, 1);
  b->ops = right;
  check->close(check);
  ck_assert(skp__memory_close(&said));
  const char *text = said.text;
  ck_assert_msg(strstr(text, "Wrong results: ") == text && strstr(text, "relu 3×5×5×7 -> 3×5×5×7 by reference: y[") &&
                    strchr(text, '\n') == text + strlen(text) - 1,
                "%s", text);
  free(said.text);
}
END_TEST

static skp_status run_unbuilt(struct skp_backend *w, struct skp_prepared *const *list, size_t n) {
  (void)w, (void)list, (void)n;
  return skp__fail(SKP_BUILD, "The kernel relu does not compile.");
}

/* What did not run computed nothing wrongly. */
START_TEST(not_compiled) {
  struct skp_backend_check *check;
  struct skp__memory said;
  ck_assert(skp__memory_open(&said));
  ck_ok(skp__admission_create(&check, said.to));
  pose(run_unbuilt);
  ck_fails(ask(check, 4), SKP_UNSUPPORTED, "does not compile");
  ck_assert(!wrong);
  b->ops = right;
  ck_ok(ask(check, 4)); /* now it does */
  check->close(check);
  ck_assert(skp__memory_close(&said));
  ck_assert_str_eq(said.text, "");
  free(said.text);
}
END_TEST

/* A driver whose compiler takes each number for a finite one is found out. */
START_TEST(numbers_that_are_none) {
  struct skp_backend_check *check;
  struct skp_sig sig;
  ck_ok(skp__admission_create(&check, NULL));
  ck_ok(skp__sig_create(&sig, &skp__op_all_finite, 3));
  sig.in[0] = skp__shape1(100);
  sig.in[1] = sig.in[2] = skp__shape1(1);
  ck_ok(skp__op_infer(&sig));
  pose(run_wrong); /* leaves `broken` at 0 */
  ck_fails(check->ask(&wrong, check, b, &sig, "reference"), SKP_UNSUPPORTED,
           "computes wrongly: new_broken[0] (0): got 0, want 1");
  b->ops = right;
  check->close(check);
  skp__sig_free(&sig);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("admit");
  TCase *c = tcase_create("admit");
  tcase_add_checked_fixture(c, start, stop);
  tcase_add_test(c, letters);
  tcase_add_test(c, small);
  tcase_add_test(c, rests);
  tcase_add_test(c, large);
  tcase_add_loop_test(c, slices, 0, 4);
  tcase_add_test(c, asks);
  tcase_add_test(c, not_compiled);
  tcase_add_test(c, numbers_that_are_none);
  suite_add_tcase(suite, c);
  return skp__test_main(suite);
}
