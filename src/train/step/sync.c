/* sync.c: see sync.h. SPDX-License-Identifier: MIT
 *
 *   device ─> host ─> each rank's statistics, or sums, to all ─> put together in the order of ranks ─> device
 *
 * Means and variances are put together by their counts, as PyTorch's SyncBatchNorm does it, in double. Of gradients
 * each rank has those of the mean over its own images, so its sums count by its part of them. */
#include "train/step/sync.h"
#include "base/array.h"
#include "base/trace.h"
#include "train/step/exchange.h"
#include <math.h>
#include <stdlib.h>

enum { VALUES = 4 }; /* of a point: see struct skp_sync */

/* ---- the numbers ------------------------------------------------------------------------------------------------- */

/* One channel: what the ranks say of it, {mean, var} or {dgamma, dbeta}. */
struct said {
  const double *all; /* of each rank: M, then all channels of the one and of the other */
  int64_t C, c;
  int ranks;
  double M; /* of all */
};

static double count_of(const struct said *s, int q) { return s->all[q * (1 + 2 * s->C)]; }
static double word_of(const struct said *s, int q, int which) {
  return s->all[q * (1 + 2 * s->C) + 1 + which * s->C + s->c];
}

/* The mean of the ranks' words, by their counts. */
static double mean_of(const struct said *s, int which) {
  double sum = 0;
  for (int q = 0; q < s->ranks; q++)
    if (count_of(s, q) > 0) sum += count_of(s, q) * word_of(s, q, which);
  return sum / s->M;
}

static double var_of(const struct said *s, double mean) {
  double sum = 0;
  for (int q = 0; q < s->ranks; q++) {
    const double away = word_of(s, q, 0) - mean;
    if (count_of(s, q) > 0) sum += count_of(s, q) * (word_of(s, q, 1) + away * away);
  }
  return sum / s->M;
}

static float moved(float old, double momentum, double to) {
  return (float)((1 - momentum) * (double)old + momentum * to);
}

/* v: mean, rstd, running mean and variance of each channel become mean, var, and the new running ones. */
static void join_statistics(const struct skp_sync *point, const struct said *s, float *v) {
  const double mean = mean_of(s, 0), var = var_of(s, mean), momentum = (double)point->attrs.momentum;
  const double unbiased = s->M > 1 ? var * s->M / (s->M - 1) : var;
  v[0] = (float)mean;
  v[s->C] = (float)var;
  v[2 * s->C] = moved(v[2 * s->C], momentum, mean);
  v[3 * s->C] = moved(v[3 * s->C], momentum, unbiased);
}

/* v: dgamma, dbeta, gamma, var become what is missing in dx: see graph/sync.c. */
static void join_sums(const struct skp_sync *point, const struct said *s, float *v) {
  const double eps = (double)point->attrs.eps;
  const double scale = (double)v[2 * s->C] / sqrt((double)v[3 * s->C] + eps) / (double)point->M;
  v[0] = (float)(-scale * mean_of(s, 0));
  v[s->C] = (float)(-scale * mean_of(s, 1));
}

/* What a rank says: of rstd the variance. */
static void say(double *message, const struct skp_sync *point, const float *v) {
  const double eps = (double)point->attrs.eps;
  message[0] = (double)point->M;
  for (int64_t i = 0; i < 2 * point->C; i++) {
    double word = (double)v[i];
    if (!point->gradient && i >= point->C) word = 1 / (word * word) - eps;
    message[1 + i] = !point->gradient && i >= point->C && word < 0 ? 0 : word;
  }
}

static void join(const struct skp_sync *point, const double *all, int ranks, float *v) {
  struct said s = {.all = all, .C = point->C, .ranks = ranks};
  for (int q = 0; q < ranks; q++) s.M += count_of(&s, q);
  for (; s.c < s.C; s.c++) (point->gradient ? join_sums : join_statistics)(point, &s, v + s.c);
}

/* ---- an exchange ------------------------------------------------------------------------------------------------- */

static skp_status make_room(struct skp__sync *x, int64_t C) {
  if (C <= x->room) return SKP_OK;
  const size_t words = (size_t)(1 + 2 * C);
  SKP_TRY(skp__backend_finish(x->s->b)); /* writes from the last one's */
  struct skp_session *s = x->s;
  const int64_t left = x->left;
  skp__sync_close(x);
  *x = (struct skp__sync){.s = s, .left = left};
  SKP_TRY(skp__alloc(&x->values, (size_t)(VALUES * C), sizeof *x->values));
  SKP_TRY(skp__alloc(&x->message, words, sizeof *x->message));
  SKP_TRY(skp__alloc(&x->all, words * (size_t)skp__ranks_size(s->ranks), sizeof *x->all));
  x->room = C;
  return SKP_OK;
}

static skp_status collect(struct skp__sync *x, struct skp_plan *p, const struct skp_sync *point) {
  SKP_TRY(make_room(x, point->C));
  for (int i = 0; p && i < VALUES; i++)
    SKP_TRY(x->s->b->ops->read(x->s->b, skp__plan_buffer(p, point->in[i]), 0, x->values + i * point->C, 4 * point->C));
  if (p) SKP_TRY(skp__backend_finish(x->s->b));
  if (p)
    say(x->message, point, x->values);
  else
    x->message[0] = 0; /* whatever the rest says */
  return SKP_OK;
}

/* From here on either all ranks go on or all know why not. */
static skp_status tell(struct skp__sync *x, const struct skp_sync *point, skp_status status) {
  x->left--;
  status = skp__exchange_agree(x->s, status);
  if (status == SKP_OK)
    status = skp__ranks_gather(x->s->ranks, x->all, x->message, (size_t)(1 + 2 * point->C) * sizeof *x->message);
  x->told = status != SKP_OK;
  return status;
}

/* p NULL: of a rank without images. */
static skp_status exchange(struct skp__sync *x, struct skp_plan *p, const struct skp_sync *point) {
  SKP_TRY(tell(x, point, collect(x, p, point)));
  if (!p) return SKP_OK;
  join(point, x->all, skp__ranks_size(x->s->ranks), x->values);
  for (int i = 0; i < VALUES; i++)
    if (point->out[i] != SKP_NONE)
      SKP_TRY(
          x->s->b->ops->write(x->s->b, skp__plan_buffer(p, point->out[i]), 0, x->values + i * point->C, 4 * point->C));
  return SKP_OK;
}

static skp_status traced(struct skp__sync *x, struct skp_plan *p, const struct skp_sync *point) {
  const double begin = skp__trace_begin();
  skp_status status = exchange(x, p, point);
  skp__trace_end("wait", "exchange a batchnorm's statistics with the other ranks", begin);
  return status;
}

skp_status skp__sync_after(struct skp__sync *x, struct skp_plan *p, size_t n) {
  const struct skp_graph *g = skp__plan_graph(p);
  for (size_t i = 0; i < g->syncs.n; i++)
    if (g->tensors.at[g->syncs.at[i].in[0]].producer == (int)n) SKP_TRY(traced(x, p, &g->syncs.at[i]));
  return SKP_OK;
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

void skp__sync_begin(struct skp__sync *x, struct skp_session *s, const struct skp_plan *p, int64_t runs) {
  x->s = s;
  x->told = false;
  x->left = runs * (int64_t)skp__plan_graph(p)->syncs.n;
}

skp_status skp__sync_idle(struct skp__sync *x, struct skp_plan *p) {
  const struct skp_graph *g = skp__plan_graph(p);
  for (size_t i = 0; i < g->syncs.n; i++) SKP_TRY(exchange(x, NULL, &g->syncs.at[i]));
  return SKP_OK;
}

skp_status skp__sync_end(struct skp__sync *x, skp_status status) {
  return status != SKP_OK && x->left && !x->told ? skp__exchange_agree(x->s, status) : status;
}

void skp__sync_close(struct skp__sync *x) {
  free(x->values);
  free(x->message);
  free(x->all);
  *x = (struct skp__sync){.s = NULL};
}
