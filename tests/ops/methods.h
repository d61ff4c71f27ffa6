/* methods.h: an op with its gradients by every method of their tables, against the ops' plain C.
 * SPDX-License-Identifier: MIT */
#ifndef SKP_TESTS_OPS_METHODS_H
#define SKP_TESTS_OPS_METHODS_H

#include "base/bf16.h"
#include "base/random.h"
#include "test.h"
#include "verify/case.h"
#include "where.h"
#include <math.h>

static struct skp_backend *b;

static inline float *noise(int64_t n, uint64_t stream) {
  float *data;
  struct skp__random random = skp__random_start(4, stream);
  ck_ok(skp__alloc(&data, (size_t)n, sizeof *data));
  for (int64_t i = 0; i < n; i++) data[i] = (float)skp__random_normal(&random);
  return data;
}

static inline skp_value input(struct skp__case *c, struct skp_shape shape, uint64_t stream) {
  skp_value v;
  float *data = noise(skp__shape_count(&shape), stream);
  for (int64_t i = 0; shape.dtype == SKP_BF16 && i < skp__shape_count(&shape); i++)
    ((uint16_t *)data)[i] = skp__to_bf16(data[i]);
  ck_ok(skp__case_input(c, &v, shape, data));
  return v;
}

/* Integers from 0 to n - 1, as a float or an int each. */
static inline void *digits(int64_t count, uint32_t n, skp_dtype dtype, uint64_t stream) {
  float *data;
  struct skp__random random = skp__random_start(5, stream);
  ck_ok(skp__alloc(&data, (size_t)count, sizeof *data));
  for (int64_t i = 0; i < count; i++) {
    int32_t digit = (int32_t)skp__random_below(&random, n);
    data[i] = (float)digit;
    if (dtype == SKP_I32) memcpy(&data[i], &digit, sizeof digit);
  }
  return data;
}

/* An input of that content, which is taken over. */
static inline skp_value given(struct skp__case *c, struct skp_shape shape, void *data) {
  skp_value v;
  ck_ok(skp__case_input(c, &v, shape, data));
  return v;
}

/* The case of one forward op {x, w, b?}, with its gradients. */
static inline void make_case(struct skp__case *c, const char *id, const struct skp_op *op, const union skp_attrs *attrs,
                             struct skp_shape x, struct skp_shape w, bool bias) {
  bool need[SKP_MAX_IN] = {true, true, bias};
  skp_value in[SKP_MAX_IN], out[SKP_MAX_OUT], din[SKP_MAX_IN];
  ck_ok(skp__case_create(c, op->name, id));
  for (int i = 0; i < SKP_MAX_IN; i++) in[i] = SKP_NONE;
  in[0] = input(c, x, 1);
  in[1] = input(c, w, 2);
  in[2] = bias ? input(c, skp__shape1(w.dim[3]), 3) : SKP_NONE;
  ck_ok(skp__case_node(c, op, attrs, in, NULL, out));
  skp_value dy = input(c, c->g->tensors.at[out[0]].shape, 4);
  ck_ok(skp__case_gradient(c, c->g->nodes.n - 1, dy, need, din));
  ck_ok(skp__case_complete(c));
}

/* Each node of the case by each method that takes it. */
static inline void judge_all(const struct skp__case *c) {
  for (size_t n = 0; n < c->g->nodes.n; n++) {
    struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[n]);
    const char *method;
    int judged = 0;
    for (int m = 0; (method = b->ops->method_name(b, sig.op, m)); m++) {
      struct skp__verdict v;
      if (b->ops->method_refusal(b, &sig, m)) continue;
      ck_ok(skp__judge(&v, b, c, n, method));
      ck_assert_msg(v.passed || v.refused, "%s: %s by %s: %s", c->id, sig.op->name, method, v.text);
      judged += v.passed;
    }
    ck_assert_msg(judged || !sig.op->reference, "%s: no method takes %s", c->id, sig.op->name);
  }
}

static inline void open_device(void) {
  const struct skp_backend_options where = where_else((struct skp_backend_options){0});
  ck_ok(skp__backend_open(&b, &where));
}
static inline void close_device(void) { skp__backend_close(b); }

/* What node `n` of the case makes by `method`, all outputs in one piece; NULL where the device turns out too small for
 * its kernels. free() it. */
static inline void *run_node(const struct skp__case *c, size_t n, const char *method, int64_t *bytes) {
  struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[n]);
  const struct skp_node *node = &c->g->nodes.at[n];
  struct skp_buffer *in[SKP_MAX_IN] = {0}, *out[SKP_MAX_OUT] = {0}, *workspace = NULL;
  struct skp_prepared *p;
  char *result;
  *bytes = 0;
  skp_status status = b->ops->prepare(b, &p, &sig, method);
  if (status == SKP_UNSUPPORTED) return NULL;
  ck_ok(status);
  for (int i = 0; i < sig.op->n_in; i++) {
    int64_t size = 4 * skp__shape_count(&sig.in[i]);
    if (!size) continue;
    ck_ok(b->ops->buffer_create(b, &in[i], size));
    ck_ok(skp__backend_write_now(b, in[i], 0, c->known.at[node->in[i]].data, size));
  }
  for (int i = 0; i < sig.op->n_out; i++) {
    int64_t size = 4 * skp__shape_count(&sig.out[i]);
    *bytes += size;
    if (size) ck_ok(b->ops->buffer_create(b, &out[i], size));
  }
  if (b->ops->workspace(p)) ck_ok(b->ops->buffer_create(b, &workspace, b->ops->workspace(p)));
  ck_ok(b->ops->bind(p, in, out, workspace));
  ck_ok(b->ops->run(b, &p, 1));
  ck_ok(skp__alloc(&result, (size_t)*bytes, 1));
  char *at = result;
  for (int i = 0; i < sig.op->n_out; i++) {
    int64_t size = 4 * skp__shape_count(&sig.out[i]);
    if (size) ck_ok(skp__backend_read_now(b, out[i], 0, at, size));
    at += size;
  }
  b->ops->prepared_destroy(p);
  for (int i = 0; i < SKP_MAX_IN; i++)
    if (in[i]) b->ops->buffer_destroy(b, in[i]);
  for (int i = 0; i < SKP_MAX_OUT; i++)
    if (out[i]) b->ops->buffer_destroy(b, out[i]);
  if (workspace) b->ops->buffer_destroy(b, workspace);
  return result;
}

/* Two runs give the same bits, by every method. */
static inline void judge_repeats(const struct skp__case *c) {
  for (size_t n = 0; n < c->g->nodes.n; n++) {
    struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[n]);
    const char *method;
    for (int m = 0; (method = b->ops->method_name(b, sig.op, m)); m++) {
      int64_t bytes;
      if (b->ops->method_refusal(b, &sig, m)) continue;
      void *one = run_node(c, n, method, &bytes), *two = run_node(c, n, method, &bytes);
      ck_assert_msg(!one == !two && (!one || !memcmp(one, two, (size_t)bytes)), "%s: %s by %s differs from run to run",
                    c->id, sig.op->name, method);
      free(one);
      free(two);
    }
  }
}

/* Each node of the case by each method that takes it, where the plain C makes NaN too:
 * those have to be NaN, all others right. */
static inline void judge_nan(const struct skp__case *c) {
  for (size_t n = 0; n < c->g->nodes.n; n++) {
    struct skp_sig sig = skp__graph_sig(c->g, &c->g->nodes.at[n]);
    const char *method;
    for (int m = 0; (method = b->ops->method_name(b, sig.op, m)); m++) {
      int64_t bytes, at = 0;
      if (b->ops->method_refusal(b, &sig, m)) continue;
      float *got = run_node(c, n, method, &bytes);
      for (int o = 0; got && o < sig.op->n_out; o++) {
        if (!sig.out[o].rank) continue;
        const struct skp__known *k = &c->known.at[c->g->nodes.at[n].out[o]];
        for (int64_t i = 0; sig.out[o].dtype == SKP_F32 && i < skp__shape_count(&sig.out[o]); i++) {
          double want = (double)((const float *)k->data)[i], is = (double)got[at + i];
          ck_assert_msg(isnan(want) ? isnan(is) : fabs(is - want) <= k->tolerance,
                        "%s: %s by %s: %s[%lld] is %g, not %g", c->id, sig.op->name, method, sig.op->out[o].name,
                        (long long)i, is, want);
        }
        at += skp__shape_count(&sig.out[o]);
      }
      free(got);
    }
  }
}

/* A suite of one fixture: the device that the environment chooses. */
static inline int run_on_device(const char *name, void (*add)(TCase *)) {
  Suite *suite = suite_create(name);
  TCase *device = tcase_create("device");
  tcase_set_timeout(device, 0);
  tcase_add_checked_fixture(device, open_device, close_device);
  add(device);
  suite_add_tcase(suite, device);
  return skp__test_main(suite);
}

#endif
