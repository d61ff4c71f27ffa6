/* onnx_pools.c: windows of ONNX's convolutions and pools, and its operators that pool, as layers of model files.
 * SPDX-License-Identifier: MIT */
#include "io/onnx_network.h"
#include <math.h>
#include <stdlib.h>

typedef struct skp__onnx_network network;
typedef struct skp__onnx_value value;

/* ---- windows ----------------------------------------------------------------------------------------------------- */

/* An attribute of two equal numbers. */
static skp_status read_pair(const network *w, const char *name, int64_t *out, int64_t usual) {
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, name);
  *out = a && a->n_ints == 2 ? a->ints[0] : usual;
  if (!a || (a->n_ints == 2 && a->ints[0] == a->ints[1] && a->ints[0] >= 1 && a->ints[0] <= 1 << 20)) return SKP_OK;
  return skp__onnx_refuse(w, "%s is not the same, from 1 on, along both axes", name);
}

static bool pads_by_itself(const network *w) {
  return !skp__onnx_is(w, "auto_pad", "NOTSET", true) && !skp__onnx_is(w, "auto_pad", "VALID", false);
}

static skp_status read_pads(const network *w, struct skp__onnx_window *o) {
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, "pads");
  if (pads_by_itself(w))
    return skp__onnx_refuse(w, "its padding is left to the runtime (auto_pad); write it with numbers");
  if (!a) return SKP_OK;
  bool sound = a->n_ints == 4 && a->ints[0] == a->ints[1];
  for (size_t i = 0; i < a->n_ints; i++) sound = sound && a->ints[i] >= 0 && a->ints[i] <= 1 << 20;
  if (!sound) return skp__onnx_refuse(w, "its padding is not the same above and at the left");
  o->pad = a->ints[0];
  o->behind[0] = a->ints[2];
  o->behind[1] = a->ints[3];
  return SKP_OK;
}

skp_status skp__onnx_read_window(const network *w, struct skp__onnx_window *o, int64_t kernel) {
  *o = (struct skp__onnx_window){0};
  SKP_TRY(read_pair(w, "kernel_shape", &o->kernel, kernel));
  SKP_TRY(read_pair(w, "strides", &o->stride, 1));
  SKP_TRY(read_pair(w, "dilations", &o->dilation, 1));
  return read_pads(w, o);
}

int64_t skp__onnx_extent(const struct skp__onnx_window *o, int64_t in, int64_t behind, bool ceil) {
  const int64_t room = in + o->pad + behind - o->dilation * (o->kernel - 1) - 1;
  if (room < 0) return 0;
  const int64_t n = (room + (ceil ? o->stride - 1 : 0)) / o->stride + 1;
  return ceil && (n - 1) * o->stride >= in + o->pad ? n - 1 : n;
}

/* Whether Skipper's windows, evenly padded, are as many as the node's. */
static bool fits(const network *w, const struct skp__onnx_window *o, const value *x, bool ceil) {
  const bool theirs = skp__onnx_int(w, "ceil_mode", 0) != 0;
  return skp__onnx_extent(o, x->H, o->pad, ceil) == skp__onnx_extent(o, x->H, o->behind[0], theirs) &&
         skp__onnx_extent(o, x->W, o->pad, ceil) == skp__onnx_extent(o, x->W, o->behind[1], theirs);
}

/* ---- pools ------------------------------------------------------------------------------------------------------- */

skp_status skp__onnx_adaptive_pool(network *w, const value *from, int64_t size) {
  const value x = *from;
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "adaptive_avgpool2d(v[%d], %lld)\n", x.lua, (long long)size);
  const value y = skp__onnx_map(&x, lua, x.C, size, size);
  return skp__onnx_make(w, &y);
}

static skp_status global_avgpool(network *w) {
  value *x;
  SKP_TRY(skp__onnx_input_map(w, 0, &x));
  return skp__onnx_adaptive_pool(w, x, 1);
}

static skp_status maxpool(network *w) {
  struct skp__onnx_window o;
  value *x;
  SKP_TRY(skp__onnx_input_map(w, 0, &x));
  SKP_TRY(skp__onnx_read_window(w, &o, 0));
  const bool ceil = !fits(w, &o, x, false);
  if (o.dilation != 1 || o.kernel < 1 || 2 * o.pad > o.kernel || (ceil && !fits(w, &o, x, true)))
    return skp__onnx_refuse(w, "its windows lie otherwise than they can here");
  const value from = *x;
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "maxpool2d(v[%d], {kernel = %lld, stride = %lld, padding = %lld, ceil_mode = %s})\n", from.lua,
          (long long)o.kernel, (long long)o.stride, (long long)o.pad, ceil ? "true" : "false");
  const value y = skp__onnx_map(&from, lua, from.C, skp__onnx_extent(&o, from.H, o.pad, ceil),
                                skp__onnx_extent(&o, from.W, o.pad, ceil));
  return skp__onnx_make(w, &y);
}

/* Windows that divide the map without a rest, and may not be square, are the adaptive pool's. */
static bool divides(const network *w, const value *x, int64_t *size) {
  const Skp__AttributeProto *kernel = skp__onnx_attribute(w->node, "kernel_shape"),
                            *stride = skp__onnx_attribute(w->node, "strides"),
                            *pads = skp__onnx_attribute(w->node, "pads"),
                            *dilations = skp__onnx_attribute(w->node, "dilations");
  bool sound = !pads_by_itself(w) && kernel && kernel->n_ints == 2 && kernel->ints[0] > 0 && kernel->ints[1] > 0;
  for (size_t i = 0; pads && i < pads->n_ints; i++) sound = sound && pads->ints[i] == 0;
  for (size_t i = 0; dilations && i < dilations->n_ints; i++) sound = sound && dilations->ints[i] == 1;
  if (!sound || x->H % kernel->ints[0] || x->W % kernel->ints[1]) return false;
  *size = x->H / kernel->ints[0];
  const bool whole = *size == 1 && x->W == kernel->ints[1];
  const bool next =
      stride && stride->n_ints == 2 && stride->ints[0] == kernel->ints[0] && stride->ints[1] == kernel->ints[1];
  return x->W / kernel->ints[1] == *size && (whole || next);
}

static skp_status avgpool(network *w) {
  struct skp__onnx_window o;
  value *x;
  int64_t size;
  SKP_TRY(skp__onnx_input_map(w, 0, &x));
  const Skp__AttributeProto *kernel = skp__onnx_attribute(w->node, "kernel_shape");
  const bool square = kernel && kernel->n_ints == 2 && kernel->ints[0] == kernel->ints[1] && x->H == x->W;
  if (divides(w, x, &size) && (size == 1 || !square)) return skp__onnx_adaptive_pool(w, x, size);
  SKP_TRY(skp__onnx_read_window(w, &o, 0));
  if (o.dilation != 1 || o.kernel < 1 || 2 * o.pad > o.kernel || !fits(w, &o, x, false) || o.behind[0] != o.pad ||
      o.behind[1] != o.pad)
    return skp__onnx_refuse(w, "its windows lie otherwise than they can here");
  const value from = *x;
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "avgpool2d(v[%d], {kernel = %lld, stride = %lld, padding = %lld, count_include_pad = %s})\n", from.lua,
          (long long)o.kernel, (long long)o.stride, (long long)o.pad,
          skp__onnx_int(w, "count_include_pad", 0) ? "true" : "false");
  const value y = skp__onnx_map(&from, lua, from.C, skp__onnx_extent(&o, from.H, o.pad, false),
                                skp__onnx_extent(&o, from.W, o.pad, false));
  return skp__onnx_make(w, &y);
}

/* ---- pools as products ------------------------------------------------------------------------------------------- */

/* Whether input i is the matrix of the windows of a pool, {size, extent}, or `turned` {extent, size}. */
static skp_status match_windows(const network *w, size_t i, bool turned, int64_t extent, int64_t *size, bool *same) {
  const Skp__TensorProto *t = skp__onnx_input_constant(w, i);
  float *at, *want;
  int64_t n;
  *same = t && t->n_dims == 2 && t->dims[turned ? 0 : 1] == extent && t->dims[turned] >= 1;
  if (!*same) return SKP_OK;
  *size = t->dims[turned];
  SKP_TRY(skp__onnx_read_floats(w->file, t, &at, &n));
  skp_status status = skp__alloc(&want, (size_t)n, sizeof *want);
  if (status == SKP_OK) skp__onnx_windows(want, *size, extent);
  for (int64_t k = 0; status == SKP_OK && k < n; k++) {
    const int64_t p = turned ? k % *size * extent + k / *size : k;
    *same = *same && fabsf(at[k] - want[p]) <= 1e-6f;
  }
  free(want);
  free(at);
  return status;
}

/* Of constant times map, or of what that made times constant. */
bool skp__onnx_is_half_pool(const network *w) {
  const struct skp__onnx_name *row = skp__onnx_find(w->file, w->node->input[0]);
  return skp__onnx_input_constant(w, 0) || (row && w->value[row->number].form == SKP__FORM_WINDOWS);
}

static skp_status pool_columns(network *w) {
  value *x, y;
  bool same;
  SKP_TRY(skp__onnx_input_map(w, 1, &x));
  y = *x;
  SKP_TRY(match_windows(w, 0, false, x->H, &y.H, &same));
  if (!same) return skp__onnx_refuse(w, "it multiplies by a matrix that is not the windows of a pool");
  y.form = SKP__FORM_WINDOWS;
  return skp__onnx_make(w, &y);
}

static skp_status pool_rows(network *w) {
  value *x;
  int64_t size;
  bool same;
  SKP_TRY(skp__onnx_input_value(w, 0, &x));
  SKP_TRY(match_windows(w, 1, true, x->W, &size, &same));
  if (!same || size != x->H) return skp__onnx_refuse(w, "it ends a pool with other windows than it began with");
  return skp__onnx_adaptive_pool(w, x, size);
}

skp_status skp__onnx_half_pool(network *w) { return skp__onnx_input_constant(w, 0) ? pool_columns(w) : pool_rows(w); }

/* ---- the table --------------------------------------------------------------------------------------------------- */

const struct skp__onnx_row skp__onnx_pools[] = {
    {"MaxPool", maxpool},
    {"AveragePool", avgpool},
    {"GlobalAveragePool", global_avgpool},
    {NULL, NULL},
};
