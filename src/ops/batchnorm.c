/* batchnorm.c: batch normalisation, with what may follow it fused in, and its gradient. SPDX-License-Identifier: MIT
 * Ioffe & Szegedy 2015, "Batch Normalization", algorithm 1 and section 3.
 *
 *   mean, var   over the M = N·H·W values of a channel (training), else running_mean, running_var
 *   of statistics of x that are given (ops.def), of blocks b of n values each:
 *               mean = sum of n · means[b] / M,  var = sum of (squares[b] + n · (means[b] - mean)²) / M
 *   x^ = (x - mean) · rstd,  rstd = 1 / sqrt(var + eps)
 *   y  = act(gamma · x^ + beta [+ residual])        act: max(·, 0) when a relu is fused
 *   running = (1 - momentum) · running + momentum · (mean, var · M / (M - 1)), as PyTorch: the unbiased variance
 *
 *   dz = dy where y > 0, else 0 (dy itself without relu);  dresidual = dz
 *        Without a residual y is not read: y > 0 where (x - mean) · (gamma · rstd) > -beta, in float, each operation
 *        rounded once, so that every device and the reference agree on it
 *   dbeta = sum of dz,  dgamma = sum of dz · x^
 *   dx = gamma · rstd · (dz - dbeta / M - x^ · dgamma / M) in training;  gamma · rstd · dz else
 *
 * In evaluation new_running_* are the old values. A channel of a single value (M = 1)
 * has variance 0, also as unbiased one. */
#include "ops/check.h"
#include <math.h>

enum { X, GAMMA, BETA, RESIDUAL, RUNNING_MEAN, RUNNING_VAR, MEANS, SQUARES }; /* inputs */
enum { Y, NEW_MEAN, NEW_VAR, MEAN, RSTD };                                    /* outputs */
enum { DX_DY, DX_X, DX_Y, DX_GAMMA, DX_MEAN, DX_RSTD, DX_BETA };              /* inputs of the gradient */
enum { DX, DGAMMA, DBETA, DRESIDUAL };                                        /* its outputs */

static const char *const fuse_names[] = {
    [SKP_FUSE_NONE] = "none", [SKP_FUSE_RELU] = "relu", [SKP_FUSE_ADD_RELU] = "add_relu", NULL};

static const struct skp_attr attrs[] = {
    {"eps", SKP_ATTR_FLOAT, offsetof(struct skp_batchnorm_attrs, eps), 1e-5, NULL},
    {"momentum", SKP_ATTR_FLOAT, offsetof(struct skp_batchnorm_attrs, momentum), 0.1, NULL},
    {"training", SKP_ATTR_BOOL, offsetof(struct skp_batchnorm_attrs, training), 1, NULL},
    {"fuse", SKP_ATTR_CHOICE, offsetof(struct skp_batchnorm_attrs, fuse), SKP_FUSE_NONE, fuse_names},
    {0},
};

/* ---- shapes ------------------------------------------------------------------------------------------------------ */

static skp_status check_attrs(const struct skp_sig *sig) {
  const struct skp_batchnorm_attrs *a = &sig->attrs.batchnorm;
  SKP_TRY(skp__check_within(sig, "eps", (double)a->eps, 0, INFINITY));
  SKP_TRY(skp__check_within(sig, "momentum", (double)a->momentum, 0, 1));
  return skp__check_within(sig, "fuse", a->fuse, SKP_FUSE_NONE, SKP_FUSE_ADD_RELU);
}

static const char one_a_channel[] = "one for each channel of x";

/* Both or neither, and in training alone. */
static skp_status check_statistics(const struct skp_sig *sig) {
  const struct skp_shape want = skp__statistics_shape(&sig->in[X]);
  if (!sig->in[MEANS].rank && !sig->in[SQUARES].rank) return SKP_OK;
  if (!sig->attrs.batchnorm.training) return skp__check_absent(sig, MEANS, "running statistics are used");
  SKP_TRY(skp__check_shape(sig, MEANS, want, "the statistics of x"));
  return skp__check_shape(sig, SQUARES, want, "the statistics of x");
}

static skp_status infer(struct skp_sig *sig) {
  SKP_TRY(check_attrs(sig));
  SKP_TRY(skp__check_rank(sig, X, 4));
  struct skp_shape channels = skp__shape1(sig->in[X].dim[3]);
  static const int vectors[] = {GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
    SKP_TRY(skp__check_shape(sig, vectors[i], channels, one_a_channel));
  if (sig->attrs.batchnorm.fuse == SKP_FUSE_ADD_RELU)
    SKP_TRY(skp__check_shape(sig, RESIDUAL, sig->in[X], "the shape of x, as fuse is add_relu"));
  else
    SKP_TRY(skp__check_absent(sig, RESIDUAL, "fuse is not add_relu"));
  SKP_TRY(check_statistics(sig));
  sig->out[Y] = sig->in[X];
  sig->out[NEW_MEAN] = sig->out[NEW_VAR] = sig->out[MEAN] = sig->out[RSTD] = channels;
  return SKP_OK;
}

static skp_status infer_dx(struct skp_sig *sig) {
  SKP_TRY(check_attrs(sig));
  SKP_TRY(skp__check_rank(sig, DX_X, 4));
  struct skp_shape channels = skp__shape1(sig->in[DX_X].dim[3]);
  SKP_TRY(skp__check_shape(sig, DX_DY, sig->in[DX_X], "the shape of x"));
  if (sig->attrs.batchnorm.fuse == SKP_FUSE_ADD_RELU)
    SKP_TRY(skp__check_shape(sig, DX_Y, sig->in[DX_X], "the shape of x, as fuse is add_relu"));
  else
    SKP_TRY(skp__check_absent(sig, DX_Y, "fuse is not add_relu"));
  if (sig->attrs.batchnorm.fuse == SKP_FUSE_RELU)
    SKP_TRY(skp__check_shape(sig, DX_BETA, channels, one_a_channel));
  else
    SKP_TRY(skp__check_absent(sig, DX_BETA, "fuse is not relu"));
  SKP_TRY(skp__check_shape(sig, DX_GAMMA, channels, one_a_channel));
  SKP_TRY(skp__check_shape(sig, DX_MEAN, channels, one_a_channel));
  SKP_TRY(skp__check_shape(sig, DX_RSTD, channels, one_a_channel));
  sig->out[DX] = sig->in[DX_X];
  sig->out[DGAMMA] = sig->out[DBETA] = channels;
  if (sig->attrs.batchnorm.fuse == SKP_FUSE_ADD_RELU) sig->out[DRESIDUAL] = sig->in[DX_X];
  return SKP_OK;
}

/* ---- gradient and cost ------------------------------------------------------------------------------------------- */

static skp_status gradient(struct skp_grad *g) {
  const int fuse = g->sig->attrs.batchnorm.fuse;
  const skp_value in[] = {
      [DX_DY] = g->dout[Y],
      [DX_X] = g->in[X],
      [DX_Y] = fuse == SKP_FUSE_ADD_RELU ? g->out[Y] : SKP_NONE,
      [DX_GAMMA] = g->in[GAMMA],
      [DX_MEAN] = g->out[MEAN],
      [DX_RSTD] = g->out[RSTD],
      [DX_BETA] = fuse == SKP_FUSE_RELU ? g->in[BETA] : SKP_NONE,
  };
  const bool want[] = {
      [DX] = g->need[X], [DGAMMA] = g->need[GAMMA], [DBETA] = g->need[BETA], [DRESIDUAL] = g->need[RESIDUAL]};
  return g->emit(g, SKP_OP_batchnorm_dx, &g->sig->attrs, in, want, g->din); /* x, gamma, beta, residual in this order */
}

/* For each element: subtract, square-add, sum (statistics, unless given); scale and shift; add; compare. */
static double flops(const struct skp_sig *sig) {
  const struct skp_batchnorm_attrs *a = &sig->attrs.batchnorm;
  int each = (a->training && !sig->in[MEANS].rank ? 4 : 0) + 2 +
             (a->fuse == SKP_FUSE_NONE   ? 0
              : a->fuse == SKP_FUSE_RELU ? 1
                                         : 2);
  return (double)skp__shape_count(&sig->in[X]) * each;
}

/* For each element: mask; normalise, two sums (dgamma, dbeta); dx. */
static double flops_dx(const struct skp_sig *sig) {
  const struct skp_batchnorm_attrs *a = &sig->attrs.batchnorm;
  int each = (a->fuse == SKP_FUSE_NONE ? 0 : 1) + 5 + (a->training ? 5 : 1);
  return (double)skp__shape_count(&sig->in[DX_X]) * each;
}

/* ---- reference --------------------------------------------------------------------------------------------------- */

struct statistics {
  double mean, var;
};

/* Values of the block that begins there. */
static int64_t block_size(int64_t from, int64_t M) {
  return M - from < SKP_STATISTICS_PIXELS ? M - from : SKP_STATISTICS_PIXELS;
}

/* Of channel c; the variance is the biased one. */
static struct statistics of_batch(const float *x, int64_t M, int64_t C, int64_t c) {
  struct statistics t = {0, 0};
  for (int64_t i = 0; i < M; i++) t.mean += x[i * C + c];
  t.mean /= (double)M;
  for (int64_t i = 0; i < M; i++) t.var += (x[i * C + c] - t.mean) * (x[i * C + c] - t.mean);
  t.var /= (double)M;
  return t;
}

/* The same of given ones. */
static struct statistics of_blocks(const float *means, const float *squares, int64_t M, int64_t C, int64_t c) {
  struct statistics t = {0, 0};
  for (int64_t from = 0, i = c; from < M; from += SKP_STATISTICS_PIXELS, i += C)
    t.mean += (double)block_size(from, M) * means[i];
  t.mean /= (double)M;
  for (int64_t from = 0, i = c; from < M; from += SKP_STATISTICS_PIXELS, i += C)
    t.var += squares[i] + (double)block_size(from, M) * (means[i] - t.mean) * (means[i] - t.mean);
  t.var /= (double)M;
  return t;
}

static struct statistics of_channel(const struct skp_call *call, int64_t M, int64_t C, int64_t c) {
  const float *means = call->in[MEANS], *squares = call->in[SQUARES];
  return means ? of_blocks(means, squares, M, C, c) : of_batch(call->in[X], M, C, c);
}

static void put(float *to, int64_t i, double value) {
  if (to) to[i] = (float)value;
}

static void reference(const struct skp_call *call) {
  const struct skp_batchnorm_attrs *a = &call->sig->attrs.batchnorm;
  const int64_t C = call->sig->in[X].dim[3], M = skp__shape_count(&call->sig->in[X]) / C;
  const float *x = call->in[X], *gamma = call->in[GAMMA], *beta = call->in[BETA], *residual = call->in[RESIDUAL];
  const float *running_mean = call->in[RUNNING_MEAN], *running_var = call->in[RUNNING_VAR];
  float *y = call->out[Y];
  for (int64_t c = 0; c < C; c++) {
    const struct statistics old = {running_mean[c], running_var[c]};
    const struct statistics used = a->training ? of_channel(call, M, C, c) : old;
    const double momentum = a->training ? (double)a->momentum : 0;
    const double unbiased = used.var * (double)M / (double)(M > 1 ? M - 1 : 1);
    const double rstd = 1 / sqrt(used.var + (double)a->eps);
    put(call->out[NEW_MEAN], c, (1 - momentum) * old.mean + momentum * used.mean);
    put(call->out[NEW_VAR], c, (1 - momentum) * old.var + momentum * unbiased);
    put(call->out[MEAN], c, used.mean);
    put(call->out[RSTD], c, rstd);
    for (int64_t i = c; i < M * C; i += C) {
      double z = gamma[c] * (x[i] - used.mean) * rstd + beta[c] + (residual ? residual[i] : 0);
      y[i] = (float)(a->fuse != SKP_FUSE_NONE && z < 0 ? 0 : z);
    }
  }
}

/* Value i, of channel c, of dz. */
static double masked(const struct skp_call *call, int64_t i, int64_t c) {
  const float *dy = call->in[DX_DY], *x = call->in[DX_X], *y = call->in[DX_Y], *beta = call->in[DX_BETA];
  if (y) return y[i] > 0 ? dy[i] : 0;
  if (!beta) return dy[i];
  const float *gamma = call->in[DX_GAMMA], *mean = call->in[DX_MEAN], *rstd = call->in[DX_RSTD];
  const float scale = gamma[c] * rstd[c], apart = x[i] - mean[c], scaled = apart * scale;
  return scaled > -beta[c] ? dy[i] : 0;
}

static void reference_dx(const struct skp_call *call) {
  const struct skp_batchnorm_attrs *a = &call->sig->attrs.batchnorm;
  const int64_t C = call->sig->in[DX_X].dim[3], M = skp__shape_count(&call->sig->in[DX_X]) / C;
  const float *x = call->in[DX_X];
  const float *gamma = call->in[DX_GAMMA], *mean = call->in[DX_MEAN], *rstd = call->in[DX_RSTD];
  for (int64_t c = 0; c < C; c++) {
    double dgamma = 0, dbeta = 0;
    for (int64_t i = c; i < M * C; i += C) {
      const double dz = masked(call, i, c);
      dbeta += dz;
      dgamma += dz * ((double)x[i] - mean[c]) * rstd[c];
    }
    put(call->out[DGAMMA], c, dgamma);
    put(call->out[DBETA], c, dbeta);
    for (int64_t i = c; i < M * C; i += C) {
      const double dz = masked(call, i, c), normal = ((double)x[i] - mean[c]) * rstd[c];
      const double through = a->training ? (dbeta + normal * dgamma) / (double)M : 0; /* by way of mean and var */
      put(call->out[DX], i, (double)gamma[c] * rstd[c] * (dz - through));
      put(call->out[DRESIDUAL], i, dz);
    }
  }
}

const struct skp_op skp__op_batchnorm = {
    .name = "batchnorm",
    .kind = SKP_KIND_BATCHNORM,
    .n_in = 8,
    .n_out = 5,
    .in = {{"x", SKP_MAP},
           {"gamma"},
           {"beta"},
           {"residual", SKP_OPTIONAL | SKP_MAP},
           {"running_mean"},
           {"running_var"},
           {"means", SKP_OPTIONAL | SKP_STATISTICS},
           {"squares", SKP_OPTIONAL | SKP_STATISTICS}},
    .out = {{"y", SKP_MAP},
            {"new_running_mean", SKP_OPTIONAL},
            {"new_running_var", SKP_OPTIONAL},
            {"mean", SKP_OPTIONAL},
            {"rstd", SKP_OPTIONAL}},
    .alias = {[NEW_MEAN] = 1 + RUNNING_MEAN, [NEW_VAR] = 1 + RUNNING_VAR},
    .attrs = attrs,
    .infer = infer,
    .gradient = gradient,
    .flops = flops,
    .reference = reference,
};

const struct skp_op skp__op_batchnorm_dx = {
    .name = "batchnorm_dx",
    .kind = SKP_KIND_BATCHNORM,
    .n_in = 7,
    .n_out = 4,
    .in = {{"dy", SKP_MAP},
           {"x", SKP_MAP},
           {"y", SKP_OPTIONAL | SKP_MAP},
           {"gamma"},
           {"mean"},
           {"rstd"},
           {"beta", SKP_OPTIONAL}},
    .out = {{"dx", SKP_OPTIONAL | SKP_MAP},
            {"dgamma", SKP_OPTIONAL},
            {"dbeta", SKP_OPTIONAL},
            {"dresidual", SKP_OPTIONAL | SKP_MAP}},
    .attrs = attrs,
    .infer = infer_dx,
    .flops = flops_dx,
    .reference = reference_dx,
};
