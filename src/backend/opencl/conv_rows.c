/* conv_rows.c: linear layers of few rows and many weights, for CPUs: the weights are read and written as they lie.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"
#include <stdio.h>

enum {
  LANES = 16,         /* floats of a vector */
  LEAST_COLUMNS = 64, /* for fewer, runs are short and vectors half empty */
  KEPT_SUMS = 4096,   /* floats of sums that the first cache keeps */
  GROUPS_PER_UNIT = 4 /* work-groups that each compute unit should have, to even out */
};

static const size_t one[3] = {1, 1, 1};

/* For how many rows this pays in a direction: for more, panels are worth packing, the sooner the fewer weights there
 * are. Measured: docs/performance.md. */
struct limit {
  int rows;    /* at most, and of any direction MOST_ROWS of linear_rows.cl */
  int weights; /* times the square of the rows, at least */
};
static const struct limit forward = {32, 1 << 12}, dx = {64, 1 << 10}, dw = {64, 1 << 14};

static const char *refuse(const struct skp__cl *cl, const struct skp_sig *sig, struct limit limit) {
  const struct skp__conv g = skp__conv_of(sig);
  const char *huge = skp__cl_refuse_huge(cl, sig);
  if (huge) return huge;
  if (g.C < LEAST_COLUMNS || g.K < LEAST_COLUMNS) return "few columns";
  if (g.N > limit.rows || g.N * g.N * limit.weights > skp__conv_weights(&g)) return "many rows for its weights";
  return NULL;
}

const char *skp__conv_rows_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  return refuse(cl, sig, forward);
}
const char *skp__conv_rows_dx_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  return refuse(cl, sig, dx);
}
const char *skp__conv_rows_dw_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  return refuse(cl, sig, dw);
}

/* Rows of w that are multiplied together, by as many vectors of sums as registers hold beside them. */
static int lines_of(const struct skp__cl *cl) { return cl->lanes < LANES ? 4 : 8; }

/* Rows of w a work-item, which n of them share. */
static int share_of(int rows, int n, int lines) {
  return (int)skp__cl_round_up(skp__ceil_div(rows, n < rows ? n : rows), lines);
}

static int least(int a, int b) { return a < b ? a : b; }

skp_status skp__conv_rows(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__cl *cl = skp__cl_of(p);
  const struct skp__conv g = skp__conv_of(sig);
  const int lines = lines_of(cl);
  const int span = (int)skp__cl_round_up(least(KEPT_SUMS / g.N / LANES * LANES, g.K), LANES);
  const int spans = skp__ceil_div(g.K, span);
  const int rows = share_of(g.C, skp__ceil_div(cl->units * GROUPS_PER_UNIT, spans), lines);
  const int parts = skp__ceil_div(g.C, rows), slices = (int)skp__cl_round_up(parts * g.N * g.K, LANES);
  const size_t global[2] = {(size_t)spans, (size_t)parts};
  char options[32];
  snprintf(options, sizeof options, "-DLINES=%d", lines);
  skp__cl_need_workspace(p, 4 * (slices + (int64_t)parts * spans * g.N * span));
  SKP_TRY(skp__cl_launch(p, "linear_rows", "linear_rows", options, 2, global, one,
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_IN(w, 1), SKP_INT(slices, slices),
                                  SKP_INT(span, span), SKP_INT(rows, rows), SKP_INT(N, g.N), SKP_INT(C, g.C),
                                  SKP_INT(K, g.K))));
  return skp__conv_sum_results(p, sig, parts);
}

skp_status skp__conv_rows_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__cl *cl = skp__cl_of(p);
  const struct skp__conv g = skp__conv_of(sig);
  const struct skp__epilogue e = skp__epilogue_of(sig);
  const int lines = lines_of(cl) / 2, most = cl->lanes < LANES ? 2 : 6;
  const int tile = skp__ceil_div(g.N, skp__ceil_div(g.N, most)); /* even ones */
  const int rows = share_of(g.C, cl->units * GROUPS_PER_UNIT, lines);
  const size_t global = (size_t)skp__ceil_div(g.C, rows);
  char options[32];
  snprintf(options, sizeof options, "-DLINES=%d -DTILE=%d", lines, tile);
  return skp__cl_launch(p, "linear_rows", "linear_rows_dx", options, 1, &global, one,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(w, 1), SKP__EPILOGUE(e), SKP_INT(rows, rows),
                                 SKP_INT(N, g.N), SKP_INT(C, g.C), SKP_INT(K, g.K)));
}

skp_status skp__conv_rows_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__cl *cl = skp__cl_of(p);
  const struct skp__conv g = skp__conv_of(sig);
  const int lines = lines_of(cl), rows = share_of(g.C, cl->units * GROUPS_PER_UNIT, lines);
  const size_t global = (size_t)skp__ceil_div(g.C, rows);
  char options[32];
  snprintf(options, sizeof options, "-DLINES=%d", lines);
  SKP_TRY(skp__cl_launch(p, "linear_rows", "linear_rows_dw", options, 1, &global, one,
                         SKP_ARGS(SKP_OUT(dw, 0), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(rows, rows), SKP_INT(N, g.N),
                                  SKP_INT(C, g.C), SKP_INT(K, g.K))));
  return sig->out[1].rank ? skp__conv_db(p, &g) : SKP_OK;
}
