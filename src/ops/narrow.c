/* narrow.c: maps in bfloat16: the types of an op's values, the reference on them.
 * SPDX-License-Identifier: MIT
 *
 * The ops themselves know float32 alone. What their shapes are is asked with all maps widened, what they mean is
 * calculated on widened copies; a narrow result is rounded once, when it is stored. */
#include "base/array.h"
#include "base/bf16.h"
#include "ops/check.h"
#include <stdlib.h>

/* ---- types ------------------------------------------------------------------------------------------------------- */

bool skp__sig_narrow(const struct skp_sig *sig) {
  bool narrow = false;
  for (int i = 0; i < sig->n_in; i++) narrow = narrow || (sig->in[i].rank && sig->in[i].dtype == SKP_BF16);
  for (int i = 0; i < sig->n_out; i++) narrow = narrow || (sig->out[i].rank && sig->out[i].dtype == SKP_BF16);
  return narrow;
}

static void widen(struct skp_sig *sig) {
  for (int i = 0; i < sig->n_in; i++)
    if (sig->in[i].dtype == SKP_BF16) sig->in[i].dtype = SKP_F32;
  for (int i = 0; i < sig->n_out; i++)
    if (sig->out[i].dtype == SKP_BF16) sig->out[i].dtype = SKP_F32;
}

/* One type for all maps, float32 for the rest. */
static skp_status check_maps(const struct skp_sig *sig) {
  for (int i = 0; i < sig->n_in; i++) {
    const struct skp_slot *slot = skp__op_in(sig->op, i);
    const bool map = slot->flags & SKP_MAP, is = sig->in[i].dtype == SKP_BF16;
    if (sig->in[i].rank && is != map)
      return skp__op_fail(sig, "%s is %s; bfloat16 are all maps or none, and nothing else.", slot->name,
                          is ? "bfloat16" : "no bfloat16 beside maps that are");
  }
  return SKP_OK;
}

static skp_status infer_narrow(struct skp_sig *sig) {
  struct skp_sig wide;
  SKP_TRY(check_maps(sig));
  SKP_TRY(skp__sig_copy(&wide, sig));
  widen(&wide);
  skp_status status = sig->op->infer(&wide);
  for (int i = 0; i < sig->n_out; i++) {
    sig->out[i] = wide.out[i];
    if (sig->op->out[i].flags & SKP_MAP && sig->out[i].rank) sig->out[i].dtype = SKP_BF16;
  }
  skp__sig_free(&wide);
  return status;
}

skp_status skp__narrow_infer(struct skp_sig *sig) {
  return skp__sig_narrow(sig) ? infer_narrow(sig) : sig->op->infer(sig);
}

/* ---- the reference ----------------------------------------------------------------------------------------------- */

/* A widened copy of a narrow value; else the value itself. */
static skp_status wide_copy(void **out, const struct skp_shape *s, const void *from) {
  const int64_t n = skp__shape_count(s);
  float *f;
  *out = (void *)(uintptr_t)from;
  if (!from || s->dtype != SKP_BF16) return SKP_OK;
  SKP_TRY(skp__alloc(&f, (size_t)n, sizeof *f));
  for (int64_t i = 0; i < n; i++) f[i] = skp__from_bf16(((const uint16_t *)from)[i]);
  *out = f;
  return SKP_OK;
}

static void round_into(uint16_t *to, const float *from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = skp__to_bf16(from[i]);
}

static skp_status widen_values(void **wide, const struct skp_shape *types, int n, const void *const *values) {
  for (int i = 0; i < n; i++) SKP_TRY(wide_copy(&wide[i], &types[i], values[i]));
  return SKP_OK;
}

static void free_copies(void **wide, int n, const void *const *values) {
  for (int i = 0; i < n; i++)
    if (wide[i] != values[i]) free(wide[i]);
}

/* `value` has room for all inputs and outputs. */
static skp_status run_widened(const struct skp_call *call, struct skp_sig *sig, void **value) {
  const struct skp_call wide = {.sig = sig, .in = (const void **)value, .out = value + sig->n_in};
  SKP_TRY(widen_values(value, sig->in, sig->n_in, call->in));
  SKP_TRY(widen_values(wide.out, sig->out, sig->n_out, (const void *const *)call->out));
  widen(sig);
  sig->op->reference(&wide);
  for (int i = 0; i < sig->n_out; i++)
    if (wide.out[i] != call->out[i]) round_into(call->out[i], wide.out[i], skp__shape_count(&sig->out[i]));
  return SKP_OK;
}

static skp_status run_narrow(const struct skp_call *call, struct skp_sig *sig) {
  void **value;
  SKP_TRY(skp__alloc(&value, (size_t)(sig->n_in + sig->n_out), sizeof *value));
  skp_status status = run_widened(call, sig, value);
  free_copies(value, sig->n_in, call->in);
  free_copies(value + sig->n_in, sig->n_out, (const void *const *)call->out);
  free(value);
  return status;
}

skp_status skp__op_run(const struct skp_call *call) {
  struct skp_sig sig;
  if (!skp__sig_narrow(call->sig)) {
    call->sig->op->reference(call);
    return SKP_OK;
  }
  SKP_TRY(skp__sig_copy(&sig, call->sig));
  skp_status status = run_narrow(call, &sig);
  skp__sig_free(&sig);
  return status;
}
