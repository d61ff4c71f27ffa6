/* conv_gather.c: sizes of a convolution, and its forward and data gradient as gathers. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

struct skp__conv skp__conv_of(const struct skp_sig *sig) {
  skp_op_id op = skp__op_id(sig->op);
  const bool dx = op == SKP_OP_conv2d_dx || op == SKP_OP_linear_dx, parts = op == SKP_OP_conv2d_dw_parts;
  const bool dw = op == SKP_OP_conv2d_dw || op == SKP_OP_linear_dw || parts;
  const struct skp_shape *x = dx ? &sig->out[0] : &sig->in[0], *w = dw ? &sig->out[0] : &sig->in[1];
  const struct skp_shape *y = dx ? &sig->in[0] : dw ? &sig->in[1] : &sig->out[0];
  struct skp__conv g = {.N = (int)x->dim[0], .K = (int)skp__channels(y)};
  if (op == SKP_OP_linear || op == SKP_OP_linear_dx || op == SKP_OP_linear_dw) {
    g.H = g.W = g.P = g.Q = g.R = g.S = g.stride = g.dilation = g.groups = 1;
    g.C = (int)skp__shape_count(w) / g.K;
    return g;
  }
  const struct skp_conv2d_attrs *a = &sig->attrs.conv2d;
  g.H = (int)x->dim[1], g.W = (int)x->dim[2], g.C = (int)x->dim[3];
  g.P = (int)y->dim[1], g.Q = (int)y->dim[2];
  g.R = parts ? a->h : (int)w->dim[0], g.S = parts ? a->w : (int)w->dim[1];
  g.stride = a->stride, g.pad = a->pad, g.dilation = a->dilation, g.groups = a->groups;
  return g;
}

/* Input `i`, if the op has it and it is there: then bit `bit` is set. */
static struct skp__cl_arg choose(const struct skp_sig *sig, int *bits, int bit, int i, struct skp__cl_arg given,
                                 struct skp__cl_arg absent) {
  if (!i || !sig->in[i].rank) return absent;
  *bits |= bit;
  return given;
}

struct skp__epilogue skp__epilogue_of(const struct skp_sig *sig) {
  const bool conv = sig->op == &skp__op_conv2d, dx = sig->op == &skp__op_conv2d_dx;
  const int scale = conv ? 3 : 0, bias = conv || sig->op == &skp__op_linear ? 2 : 0;
  const int residual = conv ? 4 : dx ? 2 : 0;
  struct skp__epilogue e = {.bits = conv && sig->attrs.conv2d.relu ? 8 : 0};
  e.scale = choose(sig, &e.bits, 1, scale, SKP_IN(scale, scale), SKP_ABSENT(scale));
  e.bias = choose(sig, &e.bits, 2, bias, SKP_IN(bias, bias), SKP_ABSENT(bias));
  e.residual = choose(sig, &e.bits, 4, residual, SKP_IN(residual, residual), SKP_ABSENT(residual));
  e.mask = choose(sig, &e.bits, 16, dx ? 3 : 0, SKP_IN(mask, 3), SKP_ABSENT(mask));
  return e;
}

struct skp__statistics skp__statistics_of(const struct skp_sig *sig) {
  enum { MEANS = 1, SQUARES };
  struct skp__statistics s = {0, SKP_ABSENT(means), SKP_ABSENT(squares)};
  if (sig->op != &skp__op_conv2d) return s;
  if (sig->out[MEANS].rank) s.want |= 1, s.means = SKP_OUT(means, MEANS);
  if (sig->out[SQUARES].rank) s.want |= 2, s.squares = SKP_OUT(squares, SQUARES);
  return s;
}

static struct skp__axis forward_axis(const struct skp__conv *g, int count, int taps) {
  return (struct skp__axis){.count = count,
                            .step = 1,
                            .in_step = g->stride,
                            .in_offset = -g->pad,
                            .taps = taps,
                            .tap_step = 1,
                            .in_tap = g->dilation};
}

struct skp__gather skp__gather_forward(const struct skp__conv *g) {
  int Cg = g->C / g->groups, Kg = g->K / g->groups;
  return (struct skp__gather){.h = forward_axis(g, g->P, g->R),
                              .w = forward_axis(g, g->Q, g->S),
                              .N = g->N,
                              .IH = g->H,
                              .IW = g->W,
                              .IC = g->C,
                              .OH = g->P,
                              .OW = g->Q,
                              .OC = g->K,
                              .groups = g->groups,
                              .Ci = Cg,
                              .Co = Kg,
                              .R = g->R,
                              .S = g->S,
                              .tap_step = Cg * g->K,
                              .group_step = Kg,
                              .ci_step = g->K,
                              .co_step = 1};
}

/* dx at `phase` + i·stride meets the taps r for which phase + pad - r·dilation is a multiple of the stride: r0, r0 +
 * step, … or none. Tap r0 + a·step then reads dy at i + (phase + pad - r0·dilation) /
 * stride - a·(step·dilation / stride). */
static struct skp__axis dx_axis(const struct skp__conv *g, int count, int kernel, int phase) {
  struct skp__axis a = {.count = (count - phase + g->stride - 1) / g->stride,
                        .start = phase,
                        .step = g->stride,
                        .in_step = 1,
                        .tap_step = 1};
  while (a.tap_step * g->dilation % g->stride) a.tap_step++;
  while (a.tap < a.tap_step && (phase + g->pad - a.tap * g->dilation) % g->stride) a.tap++;
  if (a.tap < a.tap_step && a.tap < kernel) a.taps = (kernel - a.tap + a.tap_step - 1) / a.tap_step;
  a.in_offset = (phase + g->pad - a.tap * g->dilation) / g->stride;
  a.in_tap = -(a.tap_step * g->dilation / g->stride);
  return a;
}

struct skp__gather skp__gather_dx(const struct skp__conv *g, int phase_h, int phase_w) {
  int Cg = g->C / g->groups, Kg = g->K / g->groups;
  return (struct skp__gather){.h = dx_axis(g, g->H, g->R, phase_h),
                              .w = dx_axis(g, g->W, g->S, phase_w),
                              .N = g->N,
                              .IH = g->P,
                              .IW = g->Q,
                              .IC = g->K,
                              .OH = g->H,
                              .OW = g->W,
                              .OC = g->C,
                              .groups = g->groups,
                              .Ci = Kg,
                              .Co = Cg,
                              .R = g->R,
                              .S = g->S,
                              .tap_step = Cg * g->K,
                              .group_step = Kg,
                              .ci_step = 1,
                              .co_step = g->K};
}
