/* replay.c: see replay.h. SPDX-License-Identifier: MIT */
#include "verify/replay.h"
#include "base/bf16.h"
#include "base/random.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double REFERENCE_FLOPS = 1e6; /* that plain C does, twice */
enum { LEAST = 4 };                        /* of an extent that is cut */

static int values(const struct skp_sig *sig) { return sig->n_in + sig->n_out; }

static const struct skp_shape *type(const struct skp_sig *sig, int i) {
  return i < sig->n_in ? &sig->in[i] : &sig->out[i - sig->n_in];
}

/* ---- open, close ------------------------------------------------------------------------------------------------- */

static skp_status create_values(char ***out, const struct skp_sig *sig) {
  SKP_TRY(skp__alloc(out, (size_t)values(sig), sizeof **out));
  for (int i = 0; i < values(sig); i++)
    if (type(sig, i)->rank) SKP_TRY(skp__alloc(&(*out)[i], (size_t)skp__shape_bytes(type(sig, i)), 1));
  return SKP_OK;
}

static void free_values(char **value, const struct skp_sig *sig) {
  for (int i = 0; value && i < values(sig); i++) free(value[i]);
  free(value);
}

skp_status skp__replay_open(struct skp__replay *r, const struct skp_sig *sig) {
  *r = (struct skp__replay){.value = NULL};
  SKP_TRY(skp__sig_copy(&r->sig, sig));
  r->slice = skp__slice_of(sig, REFERENCE_FLOPS, LEAST);
  return create_values(&r->value, &r->sig);
}

void skp__replay_close(struct skp__replay *r) {
  free_values(r->value, &r->sig);
  skp__sig_free(&r->sig);
}

void skp__replay_hold(struct skp__replay *r, int o, int64_t at) { skp__slice_hold(&r->slice, &r->sig, o, at); }

void skp__replay_range(const struct skp__replay *r, int i, int64_t *from, int64_t *bytes) {
  const struct skp_shape *s = type(&r->sig, i);
  int64_t first, count;
  *from = *bytes = 0;
  if (!s->rank) return;
  const int64_t row = skp__shape_bytes(s) / s->dim[0];
  skp__slice_rows(&r->sig, i, &r->slice, &first, &count);
  *from = first * row;
  *bytes = count * row;
}

int64_t skp__replay_bytes(const struct skp__replay *r) {
  int64_t all = 0;
  for (int i = 0; i < values(&r->sig); i++) {
    int64_t from, bytes;
    skp__replay_range(r, i, &from, &bytes);
    all += bytes;
  }
  return all;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

/* The part, as it came and as plain C has it. */
struct part {
  struct skp_sig sig;
  char **got, **exact, **changed; /* changed: with other inputs */
};

static skp_status cut(char ***out, const struct part *p, const struct skp__replay *r) {
  SKP_TRY(create_values(out, &p->sig));
  for (int i = 0; i < values(&r->sig); i++)
    if ((*out)[i]) skp__slice_cut((*out)[i], r->value[i], &r->sig, i, &r->slice);
  return SKP_OK;
}

/* By how much inputs are changed, of their own size: what a float sum of so many terms may lose (see case.c). */
static double change_of(const struct skp_sig *sig, double tolerance) {
  const double terms = skp__op_flops(sig) / 2 / (double)skp__shape_count(&sig->out[0]);
  const double narrow = skp__sig_narrow(sig) ? ldexp(1, -8) : 0;
  return 2e-6 + 2.4e-7 * sqrt(terms) + tolerance + narrow;
}

static void change(void *data, const struct skp_shape *s, double by, struct skp__random *random) {
  for (int64_t i = 0; i < skp__shape_count(s) && !skp__dtype_whole(s->dtype); i++) {
    const double factor = 1 + (skp__random_below(random, 2) ? by : -by);
    if (s->dtype == SKP_BF16)
      ((uint16_t *)data)[i] = skp__to_bf16(skp__from_bf16(((uint16_t *)data)[i]) * (float)factor);
    else
      ((float *)data)[i] *= (float)factor;
  }
}

/* An output that takes over an input's storage begins as a copy of it. */
static skp_status run_reference(char **value, const struct skp_sig *sig) {
  const void **in;
  SKP_TRY(skp__alloc(&in, (size_t)sig->n_in, sizeof *in));
  for (int i = 0; i < sig->n_in; i++) in[i] = value[i];
  for (int o = 0; o < sig->n_out; o++) {
    const int from = sig->op->alias[o] - 1;
    char *out = value[sig->n_in + o];
    if (from < 0 || !out) continue;
    memcpy(out, value[from], (size_t)skp__shape_bytes(&sig->out[o]));
    in[from] = out;
  }
  skp_status status = skp__op_run(&(struct skp_call){.sig = sig, .in = in, .out = (void **)(value + sig->n_in)});
  free(in);
  return status;
}

static skp_status calculate(struct part *p, const struct skp__replay *r, double tolerance) {
  struct skp__random random = skp__random_start(1, 0);
  SKP_TRY(skp__slice_sig(&p->sig, &r->sig, &r->slice));
  SKP_TRY(cut(&p->got, p, r));
  SKP_TRY(cut(&p->exact, p, r));
  SKP_TRY(cut(&p->changed, p, r));
  for (int i = 0; i < p->sig.n_in; i++)
    if (p->changed[i]) change(p->changed[i], &p->sig.in[i], change_of(&p->sig, tolerance), &random);
  SKP_TRY(run_reference(p->exact, &p->sig));
  return run_reference(p->changed, &p->sig);
}

/* The largest change of an output, and what the last digit of its largest value costs. */
static double allowed(const struct part *p, int at, const struct skp_shape *s) {
  double most = 0;
  if (skp__dtype_whole(s->dtype)) return 0;
  for (int64_t i = 0; i < skp__shape_count(s); i++) {
    const double d =
        fabs(skp__case_element(p->exact[at], i, s->dtype) - skp__case_element(p->changed[at], i, s->dtype));
    if (isfinite(d)) most = fmax(most, d);
  }
  return 4 * most + 1e-6 * skp__case_max(p->exact[at], skp__shape_count(s), s->dtype) + (double)FLT_MIN;
}

static void compare(struct skp__verdict *v, const struct part *p, int o) {
  const struct skp_shape *s = &p->sig.out[o];
  const int at = p->sig.n_in + o;
  const double most = allowed(p, at, s);
  int64_t wrong = 0;
  double off = -1;
  for (int64_t i = 0; i < skp__shape_count(s); i++) {
    const double got = skp__case_element(p->got[at], i, s->dtype), want = skp__case_element(p->exact[at], i, s->dtype);
    double d = fabs(got - want);
    if (!isfinite(want) || d <= most + (s->dtype == SKP_BF16 ? ldexp(fabs(want), -7) : 0)) continue;
    wrong++;
    if (isnan(d)) d = INFINITY;
    if (d <= off) continue;
    off = d;
    v->index = i;
    v->got = got;
    v->want = want;
  }
  if (!wrong) return;
  v->passed = false;
  snprintf(v->tensor, sizeof v->tensor, "%s", p->sig.op->out[o].name);
  snprintf(v->text, sizeof v->text,
           "%s: got %.9g, want %.9g, off by %.3g where %.3g is allowed; %lld of the %lld values compared are wrong",
           v->tensor, v->got, v->want, off, most, (long long)wrong, (long long)skp__shape_count(s));
}

skp_status skp__replay_judge(struct skp__verdict *out, const struct skp__replay *r, double tolerance) {
  struct part p = {.got = NULL};
  *out = (struct skp__verdict){.passed = true};
  skp_status status = calculate(&p, r, tolerance);
  for (int o = 0; o < p.sig.n_out && status == SKP_OK && out->passed; o++)
    if (p.sig.out[o].rank) compare(out, &p, o);
  free_values(p.got, &p.sig);
  free_values(p.exact, &p.sig);
  free_values(p.changed, &p.sig);
  skp__sig_free(&p.sig);
  return status;
}
