/* conv_winograd_few.c: Winograd's algorithm where tiles are few and channels many, for
 * CPUs: transformed weights never reach memory.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum {
  LANES = 16,             /* floats of a vector */
  GAP = 16,               /* of winograd.clh */
  BLOCK = 16,             /* of conv2d_winograd_few.cl */
  LINES = 8,              /* the same, at most */
  GROUPS_PER_UNIT = 4,    /* work-groups that each compute unit should have, to even out */
  MOST_TILES = 160,       /* more of them are worth writing transformed weights for */
  LEAST_PIXELS = 160,     /* of y: for fewer, weights that are packed once cost less than transforming them each time */
  LEAST_PRODUCTS = 30000, /* C·K: fewer weights stay in a cache */
  LARGEST = 5             /* a tile's side */
};

static const size_t one[3] = {1, 1, 1};

static int least(int a, int b) { return a < b ? a : b; }

/* All tiles at once, `rows` of them in registers together. */
struct few {
  struct skp__winograd w;
  int panel, padded; /* channels of a panel; tiles, as a multiple of rows */
  char options[48];
};

/* The cut with the fewest products: a whole 5×5 map is one tile. */
static struct few few_of(const struct skp__cl *cl, int N, int H, int W, int channels) {
  struct few f = {.w = skp__winograd_cut(3, N, H, W), .panel = skp__winograd_panel(cl, channels)};
  for (int m = 4; m <= LARGEST; m++) {
    struct skp__winograd other = skp__winograd_cut(m, N, H, W);
    if (skp__winograd_products(&other) < skp__winograd_products(&f.w)) f.w = other;
  }
  int rows = skp__ceil_div(f.w.total, skp__ceil_div(f.w.total, skp__conv_tile(cl))); /* even ones */
  f.padded = (int)skp__cl_round_up(f.w.total, rows);
  snprintf(f.options, sizeof f.options, "-DM=%d -DTILE=%d -DLANES=%d -DVECTORS=%d", f.w.m, rows,
           skp__winograd_lanes(cl), f.panel / LANES);
  return f;
}

const char *skp__conv_few_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *reason = skp__winograd_refuse_kind(cl, sig);
  if (reason) return reason;
  if ((int64_t)g.C * g.K < LEAST_PRODUCTS) return "few weights";
  if (sig->constant && g.N * g.P * g.Q < LEAST_PIXELS) return "few pixels for constant weights";
  struct few f = few_of(cl, g.N, g.P, g.Q, g.K);
  if (f.w.total > MOST_TILES) return "many tiles";
  int panels = least(g.C, g.K) / f.panel;
  return panels < cl->units ? "fewer panels of channels than compute units" : NULL;
}

/* Groups that transform tiles, and how many tiles each. */
struct deal {
  size_t groups[1];
  int each;
};

static struct deal deal_of(const struct skp__cl *cl, int tiles) {
  struct deal d = {.each = skp__ceil_div(tiles, least(cl->units * GROUPS_PER_UNIT, tiles))};
  d.groups[0] = (size_t)skp__ceil_div(tiles, d.each);
  return d;
}

/* ---- forward and data gradient ----------------------------------------------------------------------------------- */

static skp_status gather(struct skp_prepared *p, const struct skp__gather *g, const struct skp__epilogue *e) {
  const struct skp__cl *cl = skp__cl_of(p);
  struct few f = few_of(cl, g->N, g->OH, g->OW, g->Co);
  struct deal d = deal_of(cl, f.padded);
  int at = (int)d.groups[0] * g->Ci, slices = at + f.w.places * (f.padded * g->Ci + GAP);
  int slice = f.w.places * (BLOCK * f.panel + f.padded * f.panel + GAP), way = skp__winograd_way(g);
  size_t panels[1] = {(size_t)(g->Co / f.panel)};
  skp__cl_need_workspace(p, 4 * (slices + (int64_t)slice * (int64_t)panels[0]));
  SKP_TRY(skp__cl_launch(p, "conv2d_winograd_few", "conv2d_winograd_few_inputs", f.options, 1, d.groups, one,
                         SKP_ARGS(SKP_WORK(workspace), SKP_IN(x, 0), SKP_INT(at, at), SKP_INT(row, g->Ci),
                                  SKP_INT(column, LANES), SKP_INT(each, d.each), SKP_INT(tiles, f.padded),
                                  SKP_INT(total, f.w.total), SKP_INT(TH, f.w.th), SKP_INT(TW, f.w.tw),
                                  SKP_INT(h0, skp__winograd_begin(&g->h)), SKP_INT(w0, skp__winograd_begin(&g->w)),
                                  SKP_INT(H, g->IH), SKP_INT(W, g->IW), SKP_INT(C, g->Ci))));
  return skp__cl_launch(p, "conv2d_winograd_few", "conv2d_winograd_few", f.options, 1, panels, one,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_IN(w, 1), SKP_WORK(workspace), SKP__EPILOGUE(*e), SKP_INT(at, at),
                                 SKP_INT(slices, slices), SKP_INT(slice, slice), SKP_INT(padded, f.padded),
                                 SKP_INT(total, f.w.total), SKP_INT(w_at, way < 0 ? 8 * g->tap_step : 0),
                                 SKP_INT(h_step, way * 3 * g->tap_step), SKP_INT(w_step, way * g->tap_step),
                                 SKP_INT(ci_step, g->ci_step), SKP_INT(co_step, g->co_step), SKP_INT(TH, f.w.th),
                                 SKP_INT(TW, f.w.tw), SKP_INT(Ci, g->Ci), SKP_INT(OH, g->OH), SKP_INT(OW, g->OW),
                                 SKP_INT(Co, g->Co)));
}

skp_status skp__conv_few(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  struct skp__gather g = skp__gather_forward(&conv);
  return gather(p, &g, &e);
}

skp_status skp__conv_few_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  struct skp__gather g = skp__gather_dx(&conv, 0, 0);
  return gather(p, &g, &e);
}

/* ---- gradient of weights and bias -------------------------------------------------------------------------------- */

skp_status skp__conv_few_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__cl *cl = skp__cl_of(p);
  struct skp__conv g = skp__conv_of(sig);
  struct few f = few_of(cl, g.N, g.P, g.Q, g.K);
  struct deal d = deal_of(cl, f.w.total);
  int x_at = (int)d.groups[0] * (g.C > g.K ? g.C : g.K), dy_at = x_at + f.w.places * (f.w.total * g.C + GAP);
  int slices = dy_at + f.w.places * (f.w.total * g.K + GAP), slice = f.w.places * LINES * f.panel + GAP;
  size_t panels[1] = {(size_t)(g.K / f.panel)};
  skp__cl_need_workspace(p, 4 * (slices + (int64_t)slice * (int64_t)panels[0]));
  SKP_TRY(
      skp__cl_launch(p, "conv2d_winograd_few", "conv2d_winograd_few_inputs", f.options, 1, d.groups, one,
                     SKP_ARGS(SKP_WORK(workspace), SKP_IN(x, 0), SKP_INT(at, x_at), SKP_INT(row, LANES),
                              SKP_INT(column, LANES * f.w.total), SKP_INT(each, d.each), SKP_INT(tiles, f.w.total),
                              SKP_INT(total, f.w.total), SKP_INT(TH, f.w.th), SKP_INT(TW, f.w.tw), SKP_INT(h0, -g.pad),
                              SKP_INT(w0, -g.pad), SKP_INT(H, g.H), SKP_INT(W, g.W), SKP_INT(C, g.C))));
  SKP_TRY(skp__cl_launch(p, "conv2d_winograd_few", "conv2d_winograd_few_outputs", f.options, 1, d.groups, one,
                         SKP_ARGS(SKP_WORK(workspace), SKP_IN(x, 1), SKP_INT(at, dy_at), SKP_INT(row, LANES),
                                  SKP_INT(column, LANES * f.w.total), SKP_INT(each, d.each), SKP_INT(tiles, f.w.total),
                                  SKP_INT(total, f.w.total), SKP_INT(TH, f.w.th), SKP_INT(TW, f.w.tw), SKP_INT(h0, 0),
                                  SKP_INT(w0, 0), SKP_INT(H, g.P), SKP_INT(W, g.Q), SKP_INT(C, g.K))));
  SKP_TRY(skp__cl_launch(p, "conv2d_winograd_few", "conv2d_winograd_few_dw", f.options, 1, panels, one,
                         SKP_ARGS(SKP_OUT(dw, 0), SKP_WORK(workspace), SKP_INT(x_at, x_at), SKP_INT(dy_at, dy_at),
                                  SKP_INT(slices, slices), SKP_INT(slice, slice), SKP_INT(total, f.w.total),
                                  SKP_INT(C, g.C), SKP_INT(K, g.K))));
  return sig->out[1].rank ? skp__conv_db(p, &g) : SKP_OK;
}
