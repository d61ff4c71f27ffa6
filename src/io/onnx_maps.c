/* onnx_maps.c: ONNX's operators that join and reorder maps, as layers of model files.
 * SPDX-License-Identifier: MIT */
#include "io/onnx_network.h"
#include <stdlib.h>
#include <string.h>

typedef struct skp__onnx_network network;
typedef struct skp__onnx_value value;

/* ---- to rows ----------------------------------------------------------------------------------------------------- */

static skp_status put_flat(network *w, const value *from) {
  const value x = *from;
  if (!x.map) return skp__onnx_make(w, &x);
  if (x.last) return skp__onnx_refuse(w, "its channels come last, and would be flattened in another order");
  value y = {.form = SKP__FORM_PLAIN, .factor = 1, .C = x.C * x.H * x.W};
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "flatten(v[%d])\n", x.lua);
  return skp__onnx_make(w, &y);
}

static skp_status flatten(network *w) {
  value *x;
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  if (skp__onnx_int(w, "axis", 1) != 1) return skp__onnx_refuse(w, "only all axes from the second on are flattened");
  return put_flat(w, x);
}

/* Axes, as numbers from 0 on of four, from an attribute or input 1. */
static skp_status read_axes(const network *w, bool axes[4]) {
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, "axes");
  const Skp__TensorProto *t = skp__onnx_input_constant(w, 1);
  int64_t at[4], n = a ? (int64_t)a->n_ints : 0;
  memset(axes, 0, 4 * sizeof *axes);
  if (t) SKP_TRY(skp__onnx_read_ints(t, at, 4, &n));
  if (n < 1 || n > 4) return skp__onnx_refuse(w, "its axes are not said by constants");
  for (int64_t i = 0; i < n; i++) {
    const int64_t axis = t ? at[i] : a->ints[i];
    if (axis < -4 || axis > 3) return skp__onnx_refuse(w, "it has an axis %lld", (long long)axis);
    axes[axis < 0 ? axis + 4 : axis] = true;
  }
  return SKP_OK;
}

/* The mean over rows and columns. */
static skp_status reduce_mean(network *w) {
  bool axes[4];
  value *x;
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  SKP_TRY(read_axes(w, axes));
  const int first = x->last ? 1 : 2;
  if (!x->map || !axes[first] || !axes[first + 1] || axes[0] || axes[x->last ? 3 : 1])
    return skp__onnx_refuse(w, "only the mean over the pixels of a map is known");
  const bool keep = skp__onnx_int(w, "keepdims", 1) != 0;
  const struct skp__onnx_name *out = w->node->n_output ? skp__onnx_find(w->file, w->node->output[0]) : NULL;
  SKP_TRY(skp__onnx_adaptive_pool(w, x, 1));
  if (keep || !out) return SKP_OK;
  value small = w->value[out->number];
  small.last = false; /* of a single pixel there is one order */
  return put_flat(w, &small);
}

static skp_status squeeze(network *w) {
  bool axes[4];
  value *x;
  SKP_TRY(skp__onnx_input_value(w, 0, &x));
  if (x->form == SKP__FORM_EXTENT) return skp__onnx_make(w, x);
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  SKP_TRY(read_axes(w, axes));
  if (!x->map || x->last || x->H != 1 || x->W != 1 || !axes[2] || !axes[3] || axes[0] || axes[1])
    return skp__onnx_refuse(w, "only the two axes of a single pixel are taken away");
  return put_flat(w, x);
}

/* Rows: N × anything, where N is 0, -1, the number of images, or made of a shape. */
static skp_status reshape(network *w) {
  value *x, *shape;
  int64_t to[4], n;
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  const int64_t all = x->map ? x->C * x->H * x->W : x->C;
  const Skp__TensorProto *t = skp__onnx_input_constant(w, 1);
  if (!t) {
    SKP_TRY(skp__onnx_input_value(w, 1, &shape));
    const struct skp__onnx_name *made = skp__onnx_find(w->file, w->node->input[1]);
    const bool pair =
        made->maker && made->maker->op_type && !strcmp(made->maker->op_type, "Concat") && made->maker->n_input == 2;
    if (shape->form == SKP__FORM_EXTENT && pair) return put_flat(w, x);
    return skp__onnx_refuse(w, "its shape is no constant");
  }
  SKP_TRY(skp__onnx_read_ints(t, to, 4, &n));
  const bool same = n == 4 && x->map && to[1] == (x->last ? x->H : x->C) && to[3] == (x->last ? x->C : x->W);
  if (same) return skp__onnx_make(w, x);
  if (n == 2 && (to[1] == -1 || to[1] == all || (to[1] == 0 && !x->map))) return put_flat(w, x);
  return skp__onnx_refuse(w, "only maps that become rows of %lld numbers are known", (long long)all);
}

/* ---- order, size, joining ---------------------------------------------------------------------------------------- */

/* Channels go to the end and come back; in between layers work on each pixel. */
static skp_status transpose(network *w) {
  static const int64_t to_end[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
  const Skp__AttributeProto *a = skp__onnx_attribute(w->node, "perm");
  value *x;
  if (skp__onnx_input_constant(w, 0)) return SKP_OK; /* weights: who reads them looks */
  SKP_TRY(skp__onnx_input_plain(w, 0, &x));
  value y = *x;
  const int64_t *want = y.last ? back : to_end;
  if (!y.map || !a || a->n_ints != 4 || memcmp(a->ints, want, sizeof to_end))
    return skp__onnx_refuse(w, "only channels that go to the end, and back, are known");
  y.last = !y.last;
  return skp__onnx_make(w, &y);
}

static skp_status resize(network *w) {
  value *x;
  float *at;
  int64_t n;
  const bool old = !strcmp(w->node->op_type, "Upsample");
  const Skp__TensorProto *t = skp__onnx_input_constant(w, old ? 1 : 2);
  SKP_TRY(skp__onnx_input_map(w, 0, &x));
  if (!t) return skp__onnx_refuse(w, "its scale is no constant");
  SKP_TRY(skp__onnx_read_floats(w->file, t, &at, &n));
  const bool even = n == 4 && at[0] == 1 && at[1] == 1 && at[2] == at[3] && at[2] >= 1 && at[2] <= 1024;
  const int scale = even ? (int)at[2] : 0;
  const bool whole = even && at[2] == (float)scale;
  free(at);
  const bool repeats = skp__onnx_is(w, "coordinate_transformation_mode", "asymmetric", old) &&
                       (old || skp__onnx_is(w, "nearest_mode", "floor", false));
  if (!whole || !repeats || !skp__onnx_is(w, "mode", "nearest", true) || x->H > (1 << 20) / scale)
    return skp__onnx_refuse(w, "only pixels that become squares (nearest, asymmetric, floor) are known");
  const value from = *x;
  const int lua = skp__onnx_line(w);
  fprintf(w->to, "upsample_nearest(v[%d], {scale = %d})\n", from.lua, scale);
  const value y = skp__onnx_map(&from, lua, from.C, from.H * scale, from.W * scale);
  return skp__onnx_make(w, &y);
}

/* Whether an input is a number of shapes, of which no layer is made. */
static bool is_extent(const network *w, size_t i) {
  const struct skp__onnx_name *row = i < w->node->n_input ? skp__onnx_find(w->file, w->node->input[i]) : NULL;
  return row && w->value[row->number].form == SKP__FORM_EXTENT;
}

static skp_status extent(network *w) { return skp__onnx_make(w, &(value){.form = SKP__FORM_EXTENT}); }

static skp_status of_extents(network *w) {
  bool any = false, constant = w->node->n_input > 0;
  for (size_t i = 0; i < w->node->n_input; i++) any = any || is_extent(w, i);
  for (size_t i = 0; i < w->node->n_input; i++) constant = constant && skp__onnx_input_constant(w, i);
  return any || constant ? extent(w) : skp__onnx_refuse(w, "it is known of shapes alone");
}

static skp_status concat(network *w) {
  value *first, *x;
  for (size_t i = 0; i < w->node->n_input; i++)
    if (is_extent(w, i)) return extent(w);
  if (w->node->n_input < 1) return skp__onnx_refuse(w, "it joins nothing");
  SKP_TRY(skp__onnx_input_plain(w, 0, &first));
  value y = *first;
  const int64_t axis = skp__onnx_int(w, "axis", 1), last = y.map ? 3 : 1;
  if ((axis < 0 ? axis + last + 1 : axis) != (y.last ? 3 : 1)) return skp__onnx_refuse(w, "only channels are joined");
  for (size_t i = 1; i < w->node->n_input; i++) {
    SKP_TRY(skp__onnx_input_plain(w, i, &x));
    if (x->map != y.map || x->last != y.last || x->H != y.H || x->W != y.W || x->C > INT32_MAX - y.C)
      return skp__onnx_refuse(w, "its maps have different sizes");
    y.C += x->C;
  }
  y.lua = skp__onnx_line(w);
  fprintf(w->to, "concat(");
  for (size_t i = 0; i < w->node->n_input; i++) {
    SKP_TRY(skp__onnx_input_value(w, i, &x));
    fprintf(w->to, "%sv[%d]", i ? ", " : "", x->lua);
  }
  fprintf(w->to, ")\n");
  return skp__onnx_make(w, &y);
}

static skp_status nothing(network *w) { /* it is looked at where it is read */
  (void)w;
  return SKP_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

const struct skp__onnx_row skp__onnx_maps[] = {
    {"ReduceMean", reduce_mean}, {"Flatten", flatten}, {"Reshape", reshape},   {"Squeeze", squeeze},
    {"Transpose", transpose},    {"Resize", resize},   {"Upsample", resize},   {"Concat", concat},
    {"Constant", nothing},       {"Shape", extent},    {"Gather", of_extents}, {"Slice", of_extents},
    {"Unsqueeze", of_extents},   {NULL, NULL},
};
