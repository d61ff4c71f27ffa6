/* judge.c: one node by one method, on known inputs, against known outputs. SPDX-License-Identifier: MIT
 *
 * All values lie in one buffer, as in a plan's arena, with guard words between them:
 *
 *   | guard | in 0 | guard | in 1 | guard | out 0 | guard | workspace | guard |
 *
 * The guard word is skp__case_unknown, a NaN, so what is read from outside a value poisons the result. Outputs are
 * filled with it too, so what is not written shows. After the run everything but the outputs and the workspace must be
 * as it was. */
#include "verify/case.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_BYTES = 512 };

struct arena {
  const struct skp_node *node;
  struct skp_sig sig;
  int64_t *in, *out, workspace; /* byte offsets, 0: absent */
  int64_t workspace_bytes, bytes, alignment;
  uint32_t *before, *after; /* [bytes / 4] */
  struct skp_buffer *buffer;
  struct skp_buffer **slices; /* inputs, outputs, workspace */
};

static int64_t place(struct arena *a, int64_t bytes) {
  if (!bytes) return 0;
  int64_t at = (a->bytes + GUARD_BYTES + a->alignment - 1) / a->alignment * a->alignment;
  a->bytes = (at + bytes + 3) / 4 * 4;
  return at;
}

static int values(const struct arena *a) { return a->node->n_in + a->node->n_out; }

static skp_status create(struct arena *a) {
  SKP_TRY(skp__alloc(&a->in, (size_t)values(a), sizeof *a->in));
  a->out = a->in + a->node->n_in;
  return skp__alloc(&a->slices, (size_t)values(a) + 1, sizeof *a->slices);
}

static void lay_out(struct arena *a) {
  for (int i = 0; i < a->node->n_in; i++) a->in[i] = place(a, skp__shape_bytes(&a->sig.in[i]));
  for (int o = 0; o < a->node->n_out; o++) {
    int from = a->node->op->alias[o] - 1;
    bool there = a->sig.out[o].rank;
    a->out[o] = !there ? 0 : from >= 0 ? a->in[from] : place(a, skp__shape_bytes(&a->sig.out[o]));
  }
  a->workspace = place(a, a->workspace_bytes);
  a->bytes += GUARD_BYTES;
}

static skp_status fill(struct arena *a, const struct skp__case *c) {
  SKP_TRY(skp__alloc(&a->before, (size_t)a->bytes, 1));
  SKP_TRY(skp__alloc(&a->after, (size_t)a->bytes, 1));
  for (int64_t i = 0; i < a->bytes / 4; i++) a->before[i] = skp__case_unknown;
  for (int i = 0; i < a->node->n_in; i++)
    if (a->in[i])
      memcpy(a->before + a->in[i] / 4, c->known.at[a->node->in[i]].data, (size_t)skp__shape_bytes(&a->sig.in[i]));
  return SKP_OK;
}

static skp_status slice(struct arena *a, struct skp_backend *b, int n, int64_t at, int64_t bytes) {
  return at ? b->ops->buffer_slice(b, &a->slices[n], a->buffer, at, bytes) : SKP_OK;
}

static skp_status run_in(struct arena *a, struct skp_backend *b, struct skp_prepared *p, const struct skp__case *c) {
  SKP_TRY(create(a));
  lay_out(a);
  SKP_TRY(fill(a, c));
  SKP_TRY(b->ops->buffer_create(b, &a->buffer, a->bytes));
  struct skp_buffer **in = a->slices, **out = in + a->node->n_in, **workspace = in + values(a);
  for (int i = 0; i < a->node->n_in; i++) SKP_TRY(slice(a, b, i, a->in[i], skp__shape_bytes(&a->sig.in[i])));
  for (int o = 0; o < a->node->n_out; o++)
    SKP_TRY(slice(a, b, a->node->n_in + o, a->out[o], skp__shape_bytes(&a->sig.out[o])));
  SKP_TRY(slice(a, b, values(a), a->workspace, a->workspace_bytes));
  SKP_TRY(skp__backend_write_now(b, a->buffer, 0, a->before, a->bytes));
  SKP_TRY(b->ops->bind(p, in, out, *workspace));
  SKP_TRY(b->ops->run(b, &p, 1));
  return skp__backend_read_now(b, a->buffer, 0, a->after, a->bytes);
}

static void arena_free(struct arena *a, struct skp_backend *b) {
  for (int i = 0; a->slices && i <= values(a); i++)
    if (a->slices[i]) b->ops->buffer_destroy(b, a->slices[i]);
  if (a->buffer) b->ops->buffer_destroy(b, a->buffer);
  free(a->in);
  free(a->slices);
  free(a->before);
  free(a->after);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* "(1, 0, 4)" */
static const char *position(char text[80], const struct skp_shape *s, int64_t index) {
  int64_t at[SKP_MAX_RANK];
  for (int i = s->rank; i-- > 0; index /= s->dim[i]) at[i] = index % s->dim[i];
  int n = snprintf(text, 80, "(");
  for (int i = 0; i < s->rank && n < 70; i++)
    n += snprintf(text + n, (size_t)(80 - n), "%s%lld", i ? ", " : "", (long long)at[i]);
  snprintf(text + n, (size_t)(80 - n), ")");
  return text;
}

static void fail_output(struct skp__verdict *v, const struct arena *a, int o, int64_t worst, int64_t wrong,
                        double allowed) {
  char at[80];
  const struct skp_shape *s = &a->sig.out[o];
  v->passed = false;
  v->index = worst;
  snprintf(v->tensor, sizeof v->tensor, "%s", a->node->op->out[o].name);
  snprintf(v->text, sizeof v->text,
           "%s[%lld] %s: got %.9g, want %.9g, off by %.3g where %.3g is allowed; %lld of %lld wrong", v->tensor,
           (long long)worst, position(at, s, worst), v->got, v->want, fabs(v->got - v->want), allowed, (long long)wrong,
           (long long)skp__shape_count(s));
}

static bool is_known(const void *data, int64_t i, skp_dtype dtype) {
  if (dtype == SKP_BF16) return ((const uint16_t *)data)[i] != (uint16_t)skp__case_unknown;
  return ((const uint32_t *)data)[i] != skp__case_unknown;
}

/* NaN is never near enough. */
static void compare_output(struct skp__verdict *v, const struct arena *a, const struct skp__known *k, int o,
                           double tolerance) {
  const uint32_t *got = a->after + a->out[o] / 4;
  skp_dtype dtype = a->sig.out[o].dtype;
  int64_t count = skp__shape_count(&a->sig.out[o]), worst = -1, wrong = 0;
  double off = -1;
  for (int64_t i = 0; i < count; i++) {
    double is = skp__case_element(got, i, dtype), want = skp__case_element(k->data, i, dtype), d = fabs(is - want);
    if (!is_known(k->data, i, dtype) || d <= tolerance + (dtype == SKP_BF16 ? ldexp(fabs(want), -7) : 0)) continue;
    wrong++;
    if (isnan(d)) d = INFINITY;
    if (d <= off) continue;
    worst = i;
    off = d;
    v->got = is;
    v->want = want;
  }
  if (worst >= 0) fail_output(v, a, o, worst, wrong, tolerance);
}

/* "12 bytes after in 'x'": the nearest value that ends before. */
static void fail_outside(struct skp__verdict *v, const struct arena *a, int64_t at) {
  int64_t nearest = 0;
  const char *name = "the buffer's begin";
  for (int i = 0; i < a->node->n_in; i++)
    if (a->in[i] && a->in[i] <= at && a->in[i] >= nearest) nearest = a->in[i], name = skp__op_in(a->node->op, i)->name;
  for (int o = 0; o < a->node->n_out; o++)
    if (a->out[o] && a->out[o] <= at && a->out[o] >= nearest) nearest = a->out[o], name = a->node->op->out[o].name;
  if (a->workspace && a->workspace <= at && a->workspace >= nearest) nearest = a->workspace, name = "the workspace";
  v->passed = false;
  v->index = (at - nearest) / 4;
  snprintf(v->tensor, sizeof v->tensor, "%s", name);
  snprintf(v->text, sizeof v->text, "%s[%lld] was written: it is no output, or lies behind the end of one", v->tensor,
           (long long)v->index);
}

/* Lets what may change be as it is, then looks for any other change. */
static void compare_outside(struct skp__verdict *v, struct arena *a) {
  for (int o = 0; o < a->node->n_out; o++)
    if (a->out[o])
      memcpy(a->before + a->out[o] / 4, a->after + a->out[o] / 4, (size_t)skp__shape_bytes(&a->sig.out[o]));
  if (a->workspace)
    memcpy((char *)a->before + a->workspace, (char *)a->after + a->workspace, (size_t)a->workspace_bytes);
  for (int64_t i = 0; i < a->bytes / 4 && v->passed; i++)
    if (a->before[i] != a->after[i]) fail_outside(v, a, 4 * i);
}

/* `tolerance`: the method's own. */
static void compare(struct skp__verdict *v, struct arena *a, const struct skp__case *c, double tolerance) {
  v->passed = true;
  for (int o = 0; o < a->node->n_out && v->passed; o++) {
    if (!a->out[o]) continue;
    const struct skp__known *k = &c->known.at[a->node->out[o]];
    const struct skp_shape *s = &a->sig.out[o];
    const double most = tolerance ? skp__case_max(k->data, skp__shape_count(s), s->dtype) : 0;
    compare_output(v, a, k, o, k->tolerance + tolerance * (1 + most));
  }
  if (v->passed) compare_outside(v, a);
}

skp_status skp__judge(struct skp__verdict *out, struct skp_backend *b, const struct skp__case *c, size_t n,
                      const char *method) {
  struct skp_backend_info info;
  struct skp_prepared *p = NULL;
  struct arena a = {.node = &c->g->nodes.at[n]};
  *out = (struct skp__verdict){0};
  a.sig = skp__graph_sig(c->g, a.node);
  b->ops->info(b, &info);
  a.alignment = info.alignment < 4 ? 4 : info.alignment;
  skp_status status = b->ops->prepare(b, &p, &a.sig, method);
  if (status == SKP_OK) {
    a.workspace_bytes = b->ops->workspace(p);
    status = run_in(&a, b, p, c);
  }
  out->ran = status == SKP_OK;
  if (out->ran)
    compare(out, &a, c, b->ops->tolerance(p));
  else
    out->refused = status == SKP_UNSUPPORTED; /* some find out when they run */
  if (status != SKP_OK) snprintf(out->text, sizeof out->text, "%s", skp_error_message());
  if (p) b->ops->prepared_destroy(p);
  arena_free(&a, b);
  return status == SKP_DEVICE || status == SKP_DEVICE_MEMORY || status == SKP_MEMORY ? status : SKP_OK;
}
