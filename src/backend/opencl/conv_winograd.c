/* conv_winograd.c: 3×3 convolution with stride 1 and its gradients by Winograd's algorithm, for CPUs.
 * SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum {
  LANES = 16,             /* floats of a vector: channels come in so many */
  GAP = 16,               /* of winograd.clh */
  GROUPS_PER_UNIT = 4,    /* work-groups that each compute unit should have, to even out */
  KEPT_WEIGHTS = 1 << 20, /* floats of transformed weights that the last cache keeps */
  KEPT_TILES = 24000,     /* floats of transformed tiles that the second cache keeps */
  LEAST_TILES = 24,       /* in a block, to be worth fetching the weights */
  LEAST_TILES_DW = 48,    /* in a block, to be worth fetching the partial results */
  MAX_PARTIAL = 1 << 21,  /* floats of partial results */
  MAX_WEIGHTS = 1 << 25,  /* C·K: indices fit an int */
  WEIGHTS_COST = 100,     /* tiles whose products take as long as transforming weights that no cache keeps */
  WEIGHTS_COST_DW = 200   /* the same for the partial results */
};

static const size_t one[3] = {1, 1, 1};

static int least(int a, int b) { return a < b ? a : b; }

/* ---- how an output map is cut ------------------------------------------------------------------------------------ */

struct skp__winograd skp__winograd_cut(int m, int N, int H, int W) {
  struct skp__winograd w = {.m = m, .places = (m + 2) * (m + 2), .th = skp__ceil_div(H, m), .tw = skp__ceil_div(W, m)};
  w.total = N * w.th * w.tw;
  return w;
}

int64_t skp__winograd_products(const struct skp__winograd *cut) { return (int64_t)cut->places * cut->total; }

int skp__winograd_panel(const struct skp__cl *cl, int channels) {
  return cl->lanes >= LANES && channels % (2 * LANES) == 0 ? 2 * LANES : LANES;
}

int skp__winograd_lanes(const struct skp__cl *cl) { return cl->lanes < LANES ? LANES / 2 : LANES; }

int skp__winograd_begin(const struct skp__axis *a) {
  return a->in_tap < 0 ? a->in_offset + 2 * a->in_tap : a->in_offset;
}

int skp__winograd_way(const struct skp__gather *g) { return g->h.in_tap < 0 ? -1 : 1; }

/* Tiles in blocks that the second cache keeps, `panel` channels of the output at a time. */
struct cut {
  struct skp__winograd w;
  int panel, tiles, blocks; /* tiles of a block; blocks */
  char options[48];
};

static struct cut cut_of(const struct skp__cl *cl, int N, int H, int W, int in, int out, int least_tiles) {
  struct skp__winograd three = skp__winograd_cut(3, N, H, W), four = skp__winograd_cut(4, N, H, W);
  struct cut c = {.w = skp__winograd_products(&three) < skp__winograd_products(&four) ? three : four,
                  .panel = skp__winograd_panel(cl, out)};
  int tile = skp__conv_tile(cl), kept = KEPT_TILES / (c.w.places * (in + out)),
      even = skp__ceil_div(c.w.total, cl->units * GROUPS_PER_UNIT);
  if (kept < least_tiles) kept = least_tiles;
  c.tiles = skp__ceil_div(least(kept, even), tile) * tile;
  c.blocks = skp__ceil_div(c.w.total, c.tiles);
  snprintf(c.options, sizeof c.options, "-DM=%d -DTILE=%d -DLANES=%d", c.w.m, tile, skp__winograd_lanes(cl));
  return c;
}

/* ---- when it serves ---------------------------------------------------------------------------------------------- */

const char *skp__winograd_refuse_kind(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *huge = skp__cl_refuse_huge(cl, sig);
  if (huge) return huge;
  if (g.R != 3 || g.S != 3 || g.stride != 1 || g.dilation != 1 || g.groups != 1) return "not 3×3 with stride 1";
  if (g.C % LANES || g.K % LANES) return "channels are no multiple of 16";
  return (int64_t)g.C * g.K > MAX_WEIGHTS ? "more than 2^25 products of channels" : NULL;
}

/* `weights_cost`: see above. */
static const char *refuse(const struct skp__cl *cl, const struct skp_sig *sig, int weights_cost) {
  struct skp__conv g = skp__conv_of(sig);
  const char *reason = skp__winograd_refuse_kind(cl, sig);
  if (reason) return reason;
  struct cut c = cut_of(cl, g.N, g.P, g.Q, g.C, g.K, 1);
  if ((int64_t)c.w.places * g.C * g.K > KEPT_WEIGHTS &&
      (int64_t)c.w.places * (c.w.total + weights_cost) > (int64_t)9 * g.N * g.P * g.Q)
    return "few tiles for so many weights";
  return NULL;
}

const char *skp__conv_winograd_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  return refuse(cl, sig, WEIGHTS_COST);
}

const char *skp__conv_winograd_dw_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  return refuse(cl, sig, WEIGHTS_COST_DW);
}

/* ---- forward and data gradient ----------------------------------------------------------------------------------- */

static skp_status pack(struct skp_prepared *p, const struct skp__gather *g, const struct cut *c, bool kept) {
  size_t global[2] = {(size_t)(g->Co / c->panel), (size_t)(g->Ci / LANES)};
  int way = skp__winograd_way(g);
  SKP_TRY(skp__cl_launch(p, "conv2d_winograd", "conv2d_winograd_weights", c->options, 2, global, one,
                         SKP_ARGS(SKP_KEPT(packed), SKP_IN(w, 1), SKP_INT(w_at, way < 0 ? 8 * g->tap_step : 0),
                                  SKP_INT(h_step, way * 3 * g->tap_step), SKP_INT(w_step, way * g->tap_step),
                                  SKP_INT(ci_step, g->ci_step), SKP_INT(co_step, g->co_step), SKP_INT(Ci, g->Ci),
                                  SKP_INT(panel, c->panel))));
  if (kept) skp__cl_of_weights(p);
  return SKP_OK;
}

static skp_status gather(struct skp_prepared *p, const struct skp__gather *g, const struct skp__epilogue *e) {
  const struct skp__cl *cl = skp__cl_of(p);
  struct cut c = cut_of(cl, g->N, g->OH, g->OW, g->Ci, g->Co, LEAST_TILES);
  int panels = g->Co / c.panel, packed = c.w.places * g->Ci * g->Co, wanted = cl->units * GROUPS_PER_UNIT;
  int groups = least(c.blocks, wanted), span = skp__ceil_div(panels, skp__ceil_div(wanted, groups));
  int slice = g->Ci + c.w.places * (c.tiles * (g->Ci + span * c.panel) + 2 * GAP);
  size_t global[2] = {(size_t)groups, (size_t)skp__ceil_div(panels, span)};
  bool kept = skp__cl_keep(p, 4 * (int64_t)packed);
  int slices = kept ? 0 : packed;
  skp__cl_need_workspace(p, 4 * (slices + (int64_t)slice * groups * (int64_t)global[1]));
  SKP_TRY(pack(p, g, &c, kept));
  return skp__cl_launch(
      p, "conv2d_winograd", "conv2d_winograd", c.options, 2, global, one,
      SKP_ARGS(SKP_OUT(y, 0), SKP_IN(x, 0), SKP_KEPT(packed), SKP_WORK(workspace), SKP__EPILOGUE(*e),
               SKP_INT(slices, slices), SKP_INT(slice, slice), SKP_INT(tiles, c.tiles), SKP_INT(total, c.w.total),
               SKP_INT(span, span), SKP_INT(TH, c.w.th), SKP_INT(TW, c.w.tw), SKP_INT(h0, skp__winograd_begin(&g->h)),
               SKP_INT(w0, skp__winograd_begin(&g->w)), SKP_INT(IH, g->IH), SKP_INT(IW, g->IW), SKP_INT(Ci, g->Ci),
               SKP_INT(OH, g->OH), SKP_INT(OW, g->OW), SKP_INT(Co, g->Co), SKP_INT(panel, c.panel)));
}

skp_status skp__conv_winograd(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  struct skp__gather g = skp__gather_forward(&conv);
  return gather(p, &g, &e);
}

skp_status skp__conv_winograd_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  struct skp__gather g = skp__gather_dx(&conv, 0, 0);
  return gather(p, &g, &e);
}

/* ---- gradient of weights and bias -------------------------------------------------------------------------------- */

skp_status skp__conv_winograd_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__cl *cl = skp__cl_of(p);
  struct skp__conv g = skp__conv_of(sig);
  struct cut c = cut_of(cl, g.N, g.P, g.Q, g.C, g.K, LEAST_TILES_DW);
  int panels = g.K / c.panel, size = c.w.places * (g.C * g.K + GAP), wanted = cl->units * GROUPS_PER_UNIT;
  int chunks = least(c.blocks, least(wanted, MAX_PARTIAL / size + 1));
  int span = skp__ceil_div(panels, skp__ceil_div(wanted, 2 * chunks));
  int slice = (g.C > g.K ? g.C : g.K) + c.w.places * (c.tiles * (g.C + span * c.panel) + 2 * GAP);
  size_t global[2] = {(size_t)chunks, (size_t)skp__ceil_div(panels, span)};
  size_t sums[2] = {(size_t)(g.K / LANES), (size_t)(g.C / LANES)};
  skp__cl_need_workspace(p, 4 * ((int64_t)size * chunks + (int64_t)slice * chunks * (int64_t)global[1]));
  SKP_TRY(skp__cl_launch(p, "conv2d_winograd", "conv2d_winograd_dw", c.options, 2, global, one,
                         SKP_ARGS(SKP_WORK(workspace), SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(slices, size * chunks),
                                  SKP_INT(slice, slice), SKP_INT(tiles, c.tiles), SKP_INT(total, c.w.total),
                                  SKP_INT(span, span), SKP_INT(TH, c.w.th), SKP_INT(TW, c.w.tw), SKP_INT(h0, -g.pad),
                                  SKP_INT(w0, -g.pad), SKP_INT(H, g.H), SKP_INT(W, g.W), SKP_INT(C, g.C),
                                  SKP_INT(OH, g.P), SKP_INT(OW, g.Q), SKP_INT(K, g.K), SKP_INT(panel, c.panel))));
  SKP_TRY(skp__cl_launch(
      p, "conv2d_winograd", "conv2d_winograd_sum", c.options, 2, sums, one,
      SKP_ARGS(SKP_OUT(dw, 0), SKP_WORK(partial), SKP_INT(chunks, chunks), SKP_INT(C, g.C), SKP_INT(K, g.K))));
  return sig->out[1].rank ? skp__conv_db(p, &g) : SKP_OK;
}
