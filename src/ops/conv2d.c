/* conv2d.c: two-dimensional convolution (in truth a correlation, as everywhere in deep learning) and its gradients.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,p,q,k]  = act(scale[k] · (sum over r,s,c of  x[n,h,w,c'] · w[r,s,c,k]) + b[k] + residual[n,p,q,k])
 *                 h = p·stride - pad + r·dilation,  w = q·stride - pad + s·dilation,  zero outside the image
 *                 c' = (group of k)·C/groups + c
 *                 act: max(·, 0) when a relu is fused
 *   means[b,k]  = mean of y[i,k] over the pixels i of block b;  squares[b,k] = sum of (y[i,k] - means[b,k])²
 *   dx[n,h,w,c'] = residual[n,h,w,c'] + sum over all r,s,k that met it of  dy[n,p,q,k] · w[r,s,c,k];  with a relu 0
 *                 where mask[n,h,w,c'], what the relu before the convolution made, is not above 0
 *   dw[r,s,c,k] = sum over n,p,q of  dy[n,p,q,k] · x[n,h,w,c']
 *   db[k]       = sum over n,p,q of  dy[n,p,q,k]
 *
 * dy stands for what is left of the gradient behind act. A scale comes from batchnorm in evaluation (plan/fuse.c), of
 * which nobody wants gradients. */
#include "ops/check.h"

enum { BIAS = 2, SCALE, RESIDUAL }; /* inputs of conv2d */
enum { MEANS = 1, SQUARES };        /* its outputs, beside y */
enum { DX_RESIDUAL = 2, DX_MASK };  /* inputs of conv2d_dx */

#define ATTR(field, fallback)                                                                                          \
  { #field, SKP_ATTR_INT, offsetof(struct skp_conv2d_attrs, field), fallback, NULL }
#define ATTRS ATTR(stride, 1), ATTR(pad, 0), ATTR(dilation, 1), ATTR(groups, 1)

#define RELU                                                                                                           \
  { "relu", SKP_ATTR_BOOL, offsetof(struct skp_conv2d_attrs, relu), 0, NULL }

#define STATISTICS                                                                                                     \
  { "statistics", SKP_ATTR_BOOL, offsetof(struct skp_conv2d_attrs, statistics), 0, NULL }

static const struct skp_attr attrs_forward[] = {ATTRS, RELU, STATISTICS, {0}};
static const struct skp_attr attrs_dx[] = {ATTRS, ATTR(h, 0), ATTR(w, 0), RELU, {0}};
static const struct skp_attr attrs_dw[] = {ATTRS, ATTR(h, 0), ATTR(w, 0), {0}};

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static skp_status check_attrs(const struct skp_sig *sig) {
  const struct skp_conv2d_attrs *a = &sig->attrs.conv2d;
  SKP_TRY(skp__check_least(sig, "stride", a->stride, 1));
  SKP_TRY(skp__check_least(sig, "pad", a->pad, 0));
  SKP_TRY(skp__check_least(sig, "dilation", a->dilation, 1));
  return skp__check_least(sig, "groups", a->groups, 1);
}

/* The result's shape for an image x and weights w, after checking that they fit. */
static skp_status forward_shape(struct skp_shape *y, const struct skp_sig *sig, const struct skp_shape *x,
                                const struct skp_shape *w) {
  const struct skp_conv2d_attrs *a = &sig->attrs.conv2d;
  char tx[100], tw[100];
  skp__shape_text(tx, sizeof tx, x);
  skp__shape_text(tw, sizeof tw, w);
  if (x->dim[3] != w->dim[2] * a->groups)
    return skp__op_fail(sig, "x %s has %lld channels, w %s expects %lld (groups %d).", tx, (long long)x->dim[3], tw,
                        (long long)(w->dim[2] * a->groups), a->groups);
  if (w->dim[3] % a->groups)
    return skp__op_fail(sig, "w %s makes %lld channels, which groups %d does not divide.", tw, (long long)w->dim[3],
                        a->groups);
  *y = skp__shape4(x->dim[0], skp__window_extent(x->dim[1], (int)w->dim[0], a->stride, a->pad, a->dilation),
                   skp__window_extent(x->dim[2], (int)w->dim[1], a->stride, a->pad, a->dilation), w->dim[3]);
  if (y->dim[1] < 1 || y->dim[2] < 1)
    return skp__op_fail(sig, "the window of w %s (dilation %d) is larger than x %s with padding %d.", tw, a->dilation,
                        tx, a->pad);
  return SKP_OK;
}

static skp_status check_residual(const struct skp_sig *sig, int i, const char *because) {
  return sig->in[i].rank ? skp__check_shape(sig, i, sig->out[0], because) : SKP_OK;
}

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(check_attrs(sig));
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_rank(sig, 1, 4));
  SKP_TRY(forward_shape(&sig->out[0], sig, &sig->in[0], &sig->in[1]));
  if (sig->attrs.conv2d.statistics) sig->out[MEANS] = sig->out[SQUARES] = skp__statistics_shape(&sig->out[0]);
  for (int i = BIAS; i <= SCALE; i++)
    if (sig->in[i].rank)
      SKP_TRY(skp__check_shape(sig, i, skp__shape1(sig->in[1].dim[3]), "one for each channel that w makes"));
  return check_residual(sig, RESIDUAL, "the shape of y");
}

static skp_status infer_dx(struct skp_sig *sig) {
  const struct skp_conv2d_attrs *a = &sig->attrs.conv2d;
  struct skp_shape y;
  SKP_TRY(check_attrs(sig));
  SKP_TRY(skp__check_least(sig, "h", a->h, 1));
  SKP_TRY(skp__check_least(sig, "w", a->w, 1));
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_rank(sig, 1, 4));
  struct skp_shape x = skp__shape4(sig->in[0].dim[0], a->h, a->w, sig->in[1].dim[2] * a->groups);
  SKP_TRY(forward_shape(&y, sig, &x, &sig->in[1]));
  SKP_TRY(skp__check_shape(sig, 0, y, "what conv2d makes of dx and w"));
  sig->out[0] = x;
  SKP_TRY(a->relu ? skp__check_shape(sig, DX_MASK, x, "the shape of dx, as there is a relu")
                  : skp__check_absent(sig, DX_MASK, "there is no relu"));
  return check_residual(sig, DX_RESIDUAL, "the shape of dx");
}

static skp_status infer_dw(struct skp_sig *sig) {
  const struct skp_conv2d_attrs *a = &sig->attrs.conv2d;
  struct skp_shape y;
  SKP_TRY(check_attrs(sig));
  SKP_TRY(skp__check_least(sig, "h", a->h, 1));
  SKP_TRY(skp__check_least(sig, "w", a->w, 1));
  SKP_TRY(skp__check_rank(sig, 0, 4));
  SKP_TRY(skp__check_rank(sig, 1, 4));
  struct skp_shape w = skp__shape4(a->h, a->w, sig->in[0].dim[3] / a->groups, sig->in[1].dim[3]);
  SKP_TRY(forward_shape(&y, sig, &sig->in[0], &w));
  SKP_TRY(skp__check_shape(sig, 1, y, "what conv2d makes of x and dw"));
  sig->out[0] = w;
  sig->out[1] = skp__shape1(w.dim[3]);
  return SKP_OK;
}

/* ---- gradient and cost ------------------------------------------------------------------------------------------- */

static skp_status gradient(struct skp_grad *g) {
  const struct skp_shape *x = &g->sig->in[0], *w = &g->sig->in[1];
  union skp_attrs attrs = g->sig->attrs;
  skp_value dy = g->dout[0];
  attrs.conv2d.statistics = 0;
  if (g->in[SCALE] != SKP_NONE) return skp__fail(SKP_UNSUPPORTED, "conv2d has no gradient where it scales its sums.");
  if (attrs.conv2d.relu) {
    const skp_value in[] = {g->dout[0], g->out[0]};
    SKP_TRY(g->emit(g, SKP_OP_relu_dx, NULL, in, NULL, &dy));
    attrs.conv2d.relu = 0;
  }
  if (g->need[RESIDUAL]) g->din[RESIDUAL] = dy;
  if (g->need[0]) {
    attrs.conv2d.h = (int)x->dim[1];
    attrs.conv2d.w = (int)x->dim[2];
    const skp_value in[] = {dy, g->in[1], SKP_NONE, SKP_NONE};
    SKP_TRY(g->emit(g, SKP_OP_conv2d_dx, &attrs, in, NULL, &g->din[0]));
  }
  if (g->need[1] || g->need[BIAS]) {
    attrs.conv2d.h = (int)w->dim[0];
    attrs.conv2d.w = (int)w->dim[1];
    const skp_value in[] = {g->in[0], dy};
    const bool want[] = {true, g->need[BIAS]};
    skp_value out[2];
    SKP_TRY(g->emit(g, SKP_OP_conv2d_dw, &attrs, in, want, out));
    g->din[1] = out[0];
    g->din[BIAS] = out[1];
  }
  return SKP_OK;
}

/* A multiply-add for each element of y and of its window; and `more` for each element of y. */
static double flops_of(const struct skp_shape *y, const struct skp_shape *w, int more) {
  double window = (double)(w->dim[0] * w->dim[1] * w->dim[2]);
  return (double)skp__shape_count(y) * (2 * window + more);
}

static int given(const struct skp_sig *sig, int i) { return sig->in[i].rank > 0; }

static double flops(const struct skp_sig *sig) {
  int more = given(sig, BIAS) + given(sig, SCALE) + given(sig, RESIDUAL) + sig->attrs.conv2d.relu;
  more += 4 * sig->attrs.conv2d.statistics; /* add; subtract, square-add */
  return flops_of(&sig->out[0], &sig->in[1], more);
}

static double flops_dx(const struct skp_sig *sig) {
  const int more = given(sig, DX_RESIDUAL) + sig->attrs.conv2d.relu;
  return flops_of(&sig->in[0], &sig->in[1], 0) + more * (double)skp__shape_count(&sig->out[0]);
}

static double flops_dw(const struct skp_sig *sig) { return flops_of(&sig->in[1], &sig->out[0], sig->out[1].rank > 0); }

/* ---- products in bfloat16 ---------------------------------------------------------------------------------------- */

/* Two channels are multiplied at a time; of few there is nothing to gain. */
static bool pays(const struct skp_shape *w, int groups) {
  const int64_t K = w->dim[3] / groups;
  return (w->dim[2] % 2 == 0 || groups == 1) && K % 2 == 0 && K >= 8;
}

static bool narrow(const struct skp_sig *sig) { return pays(&sig->in[1], sig->attrs.conv2d.groups); }

static bool narrow_dw(const struct skp_sig *sig) { return pays(&sig->out[0], sig->attrs.conv2d.groups); }

/* ---- reference --------------------------------------------------------------------------------------------------- */

/* Of as many blocks as the output has: the means, or the sums of squared distances. */
static void put_statistics(const struct skp_call *call, int output) {
  const struct skp_shape *shape = &call->sig->out[0], *blocks = &call->sig->out[output];
  const float *y = call->out[0];
  float *to = call->out[output];
  const int64_t K = shape->dim[3], pixels = skp__shape_count(shape) / K;
  for (int64_t i = 0; i < skp__shape_count(blocks); i++) {
    const int64_t from = i / K * SKP_STATISTICS_PIXELS, k = i % K, rest = pixels - from;
    const int64_t n = rest < SKP_STATISTICS_PIXELS ? rest : SKP_STATISTICS_PIXELS;
    double mean = 0, square = 0;
    for (int64_t p = from; p < from + n; p++) mean += y[p * K + k];
    mean /= (double)n;
    for (int64_t p = from; p < from + n; p++) square += (y[p * K + k] - mean) * (y[p * K + k] - mean);
    to[i] = (float)(output == MEANS ? mean : square);
  }
}

static void reference(const struct skp_call *call) {
  const struct skp_conv2d_attrs *a = &call->sig->attrs.conv2d;
  const struct skp_shape *X = &call->sig->in[0], *W = &call->sig->in[1], *Y = &call->sig->out[0];
  const float *x = call->in[0], *w = call->in[1], *b = call->in[BIAS], *scale = call->in[SCALE];
  const float *residual = call->in[RESIDUAL];
  float *y = call->out[0];
  const int64_t Cg = W->dim[2], Kg = W->dim[3] / a->groups; /* channels of a group */
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t p = 0; p < Y->dim[1]; p++)
      for (int64_t q = 0; q < Y->dim[2]; q++)
        for (int64_t k = 0; k < Y->dim[3]; k++) {
          const int64_t at = skp__at(Y, n, p, q, k);
          double sum = 0;
          for (int64_t r = 0; r < W->dim[0]; r++)
            for (int64_t s = 0; s < W->dim[1]; s++) {
              int64_t h = p * a->stride - a->pad + r * a->dilation, v = q * a->stride - a->pad + s * a->dilation;
              if (h < 0 || h >= X->dim[1] || v < 0 || v >= X->dim[2]) continue;
              for (int64_t c = 0; c < Cg; c++)
                sum += (double)x[skp__at(X, n, h, v, k / Kg * Cg + c)] * w[skp__at(W, r, s, c, k)];
            }
          sum = (scale ? scale[k] : 1) * sum + (b ? b[k] : 0) + (residual ? residual[at] : 0);
          y[at] = (float)(a->relu && sum < 0 ? 0 : sum);
        }
  put_statistics(call, MEANS);
  put_statistics(call, SQUARES);
}

/* The output position whose window puts its element `r` on `h`, or -1. */
static int64_t origin(int64_t h, int64_t r, const struct skp_conv2d_attrs *a, int64_t extent) {
  int64_t at = h + a->pad - r * a->dilation;
  return at < 0 || at % a->stride || at / a->stride >= extent ? -1 : at / a->stride;
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_conv2d_attrs *a = &call->sig->attrs.conv2d;
  const struct skp_shape *Y = &call->sig->in[0], *W = &call->sig->in[1], *X = &call->sig->out[0];
  const float *dy = call->in[0], *w = call->in[1], *residual = call->in[DX_RESIDUAL];
  const float *mask = call->in[DX_MASK];
  float *dx = call->out[0];
  const int64_t Cg = W->dim[2], Kg = W->dim[3] / a->groups;
  for (int64_t n = 0; n < X->dim[0]; n++)
    for (int64_t h = 0; h < X->dim[1]; h++)
      for (int64_t v = 0; v < X->dim[2]; v++)
        for (int64_t c = 0; c < X->dim[3]; c++) {
          const int64_t at = skp__at(X, n, h, v, c);
          double sum = residual ? residual[at] : 0;
          for (int64_t r = 0; r < W->dim[0]; r++)
            for (int64_t s = 0; s < W->dim[1]; s++) {
              int64_t p = origin(h, r, a, Y->dim[1]), q = origin(v, s, a, Y->dim[2]);
              if (p < 0 || q < 0) continue;
              for (int64_t k = c / Cg * Kg; k < (c / Cg + 1) * Kg; k++)
                sum += (double)dy[skp__at(Y, n, p, q, k)] * w[skp__at(W, r, s, c % Cg, k)];
            }
          dx[at] = (float)(mask && !(mask[at] > 0) ? 0 : sum);
        }
}

/* One element of dw. */
static double weight_gradient(const struct skp_call *call, int64_t r, int64_t s, int64_t c, int64_t k) {
  const struct skp_conv2d_attrs *a = &call->sig->attrs.conv2d;
  const struct skp_shape *X = &call->sig->in[0], *Y = &call->sig->in[1];
  const float *x = call->in[0], *dy = call->in[1];
  double sum = 0;
  for (int64_t n = 0; n < Y->dim[0]; n++)
    for (int64_t p = 0; p < Y->dim[1]; p++)
      for (int64_t q = 0; q < Y->dim[2]; q++) {
        int64_t h = p * a->stride - a->pad + r * a->dilation, v = q * a->stride - a->pad + s * a->dilation;
        if (h < 0 || h >= X->dim[1] || v < 0 || v >= X->dim[2]) continue;
        sum += (double)x[skp__at(X, n, h, v, c)] * dy[skp__at(Y, n, p, q, k)];
      }
  return sum;
}

static void reference_dw(const struct skp_call *call) {
  const struct skp_shape *Y = &call->sig->in[1], *W = &call->sig->out[0];
  const float *dy = call->in[1];
  float *dw = call->out[0], *db = call->out[1];
  const int64_t Cg = W->dim[2], K = W->dim[3], Kg = K / call->sig->attrs.conv2d.groups;
  for (int64_t r = 0; r < W->dim[0]; r++)
    for (int64_t s = 0; s < W->dim[1]; s++)
      for (int64_t c = 0; c < Cg; c++)
        for (int64_t k = 0; k < K; k++)
          dw[skp__at(W, r, s, c, k)] = (float)weight_gradient(call, r, s, k / Kg * Cg + c, k);
  for (int64_t k = 0; db && k < K; k++) {
    double sum = 0;
    for (int64_t i = k; i < skp__shape_count(Y); i += K) sum += dy[i];
    db[k] = (float)sum;
  }
}

const struct skp_op skp__op_conv2d = {
    .name = "conv2d",
    .kind = SKP_KIND_CONVOLUTION,
    .n_in = 5,
    .n_out = 3,
    .in = {{"x", SKP_MAP}, {"w"}, {"b", SKP_OPTIONAL}, {"scale", SKP_OPTIONAL}, {"residual", SKP_OPTIONAL | SKP_MAP}},
    .out = {{"y", SKP_MAP}, {"means", SKP_OPTIONAL | SKP_STATISTICS}, {"squares", SKP_OPTIONAL | SKP_STATISTICS}},
    .attrs = attrs_forward,
    .narrow = narrow,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_conv2d_dx = {
    .name = "conv2d_dx",
    .kind = SKP_KIND_CONVOLUTION,
    .pass = SKP_PASS_DATA,
    .n_in = 4,
    .n_out = 1,
    .in = {{"dy", SKP_MAP}, {"w"}, {"residual", SKP_OPTIONAL | SKP_MAP}, {"mask", SKP_OPTIONAL | SKP_MAP}},
    .out = {{"dx", SKP_MAP}},
    .attrs = attrs_dx,
    .narrow = narrow,
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};

const struct skp_op skp__op_conv2d_dw = {
    .name = "conv2d_dw",
    .kind = SKP_KIND_CONVOLUTION,
    .pass = SKP_PASS_WEIGHTS,
    .n_in = 2,
    .n_out = 2,
    .in = {{"x", SKP_MAP}, {"dy", SKP_MAP}},
    .out = {{"dw"}, {"db", SKP_OPTIONAL}},
    .attrs = attrs_dw,
    .narrow = narrow_dw,
    .infer = infer_dw,
    .flops = flops_dw,
    .reference = reference_dw,
};
