/* conv_amx.c: convolution and its gradients of maps in bfloat16, by the tiles of CPUs that have them (AMX). What a grid
 * is, and what a phase, says cl/conv2d_amx.cl. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"

enum {
  LANES = 16,             /* a tile's rows, and the columns of its sums */
  DEPTH = 32,             /* values of bfloat16 in a tile's row */
  SUMS = 1024,            /* that are made at a time */
  GROUPS_PER_UNIT = 4,    /* work-groups that each compute unit should have, to even out */
  KEPT_WEIGHTS = 1 << 19, /* values of weights that the second cache keeps while pixels go through */
  LEAST_CHUNK = 512,      /* positions of a chunk of conv2d_amx_dw.cl, and … */
  MOST_CHUNK = 2048,      /* … the most, … */
  KEPT_CHUNK = 640 << 10, /* … whose values the second cache keeps: dw is then gone through less often */
  PIECE = 1 << 17,        /* weights of a work-group, rather than partial sums of more */
  MOST_STRIDE = 4,
  MOST_VALUES = 1 << 30
};

static const size_t one[3] = {1, 1, 1};

static int least(int a, int b) { return a < b ? a : b; }
static int most(int a, int b) { return a > b ? a : b; }

const char *skp__conv_amx_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *huge = skp__cl_refuse_huge(cl, sig);
  const double cells = (double)(g.N + 1) * (g.H + 2 * g.pad + g.stride) * (g.W + 2 * g.pad + g.stride);
  if (huge) return huge;
  if (!skp__sig_narrow(sig)) return "made for bfloat16";
  if (g.groups > 1 || g.dilation > 1) return "groups, or dilation";
  if (g.stride > MOST_STRIDE) return "a stride of more than 4";
  if (cells * 2 * (most(g.C, g.K) + 32) > MOST_VALUES ||
      (double)(g.R + g.stride) * (g.S + g.stride) * (g.C + 32) * (g.K + 32) > MOST_VALUES)
    return "more than 2^30 values in a grid, or in panels";
  return NULL;
}

static const char *options_of(const struct skp__cl *cl, int panel) {
  if (panel == LANES) return cl->amx ? "-DPANEL=16 -DAMX" : "-DPANEL=16";
  return cl->amx ? "-DAMX" : "";
}

/* ---- grids ------------------------------------------------------------------------------------------------------- */

/* One axis of a grid. */
struct side {
  int at;     /* the pixel of cell 0 */
  int last;   /* the farthest pixel that a position reads, from its own cell */
  int count;  /* positions */
  int cells;  /* of an image */
  int phases; /* that are read */
};

struct grid {
  struct side h, w;
  int N, C;
  int step;  /* pixels from a cell to the next */
  int rows;  /* cells h of all images, and zeros behind them */
  bool same; /* as the map */
};

static int first_pixel(const struct skp__axis *a) { return a->in_offset + least(0, (a->taps - 1) * a->in_tap); }
static int last_pixel(const struct skp__axis *a) { return a->in_offset + most(0, (a->taps - 1) * a->in_tap); }

/* Lets the side hold what an axis reads as well. */
static void add_axis(struct side *s, const struct skp__axis *a) {
  s->count = most(s->count, a->count);
  if (!a->taps || !a->count) return;
  const int end = most(s->at + s->last, last_pixel(a));
  s->at = least(s->at, first_pixel(a));
  s->last = end - s->at;
}

/* Zeros behind a row pass for those before the next one. */
static void count_cells(struct side *s, int step, int extent) {
  const int behind = s->at + s->count + s->last - extent;
  s->phases = least(step, s->last + 1);
  s->cells = s->count + s->last / step;
  if (step == 1 && s->at < 0 && behind > 0) s->cells -= least(least(-s->at, behind), s->last);
}

static int cells_behind(const struct grid *g) { return g->h.last / g->step * g->w.cells + g->w.last / g->step; }

/* Of one or several gathers that read the same map. */
static struct grid grid_of(const struct skp__gather *gathers, int n) {
  struct grid g = {.N = gathers->N, .C = gathers->Ci, .step = gathers->h.in_step};
  for (int i = 0; i < n; i++) {
    if (!i) g.h.at = first_pixel(&gathers->h), g.w.at = first_pixel(&gathers->w);
    add_axis(&g.h, &gathers[i].h);
    add_axis(&g.w, &gathers[i].w);
  }
  count_cells(&g.h, g.step, gathers->IH);
  count_cells(&g.w, g.step, gathers->IW);
  g.same = g.step == 1 && !g.h.at && !g.w.at && !g.h.last && !g.w.last && g.h.cells == gathers->IH &&
           g.w.cells == gathers->IW && g.C % DEPTH == 0 && g.N * g.h.cells * g.w.cells >= SUMS / LANES;
  g.rows = g.N * g.h.cells;
  if (!g.same) g.rows += skp__ceil_div(SUMS / LANES + cells_behind(&g) + DEPTH / g.C + 1, g.w.cells);
  return g;
}

static int positions_of(const struct grid *g) { return g->N * g->h.cells * g->w.cells; }

/* Floats that a copy takes. */
static int64_t grid_floats(const struct grid *g) {
  if (g->same) return 0;
  return ((int64_t)g->h.phases * g->w.phases * g->rows * g->w.cells * g->C + DEPTH) / 2;
}

/* Copies x, float `at` on. */
static skp_status make_grid(struct skp_prepared *p, const struct grid *g, const struct skp__gather *from, int at) {
  const size_t global[2] = {(size_t)g->rows, (size_t)(g->h.phases * g->w.phases)};
  if (g->same) return SKP_OK;
  skp__cl_need_workspace(p, 4 * (at + grid_floats(g)));
  return skp__cl_launch(p, "conv2d_amx", "conv2d_amx_grid", options_of(skp__cl_of(p), 2 * LANES), 2, global, one,
                        SKP_ARGS(SKP_WORK(grid), SKP_IN(x, 0), SKP_INT(grid_at, 2 * at), SKP_INT(N, g->N),
                                 SKP_INT(IH, from->IH), SKP_INT(IW, from->IW), SKP_INT(C, g->C),
                                 SKP_INT(rows, g->h.cells), SKP_INT(columns, g->w.cells), SKP_INT(step, g->step),
                                 SKP_INT(phases_w, g->w.phases), SKP_INT(h_at, g->h.at), SKP_INT(w_at, g->w.at)));
}

/* ---- forward and data gradient ----------------------------------------------------------------------------------- */

/* A gather over a grid, with panels of so many channels. */
struct product {
  const struct skp__gather *gather;
  const struct grid *grid;
  int panel, panels;
  int last;      /* of its own taps of a row; -1: it has none */
  int chunks;    /* of DEPTH values in a row of taps */
  int packed_at; /* floats before its weights */
};

static int chunks_of(const struct grid *g, int last) {
  int chunks = 0;
  for (int f = 0; f < g->w.phases && f <= last; f++) chunks += skp__ceil_div(((last - f) / g->step + 1) * g->C, DEPTH);
  return chunks;
}

static struct product product_of(const struct skp__gather *gather, const struct grid *grid, int packed_at) {
  struct product t = {.gather = gather, .grid = grid, .packed_at = packed_at};
  t.panel = gather->Co <= LANES ? LANES : 2 * LANES;
  t.panels = skp__ceil_div(gather->Co, t.panel);
  t.last = gather->w.taps ? last_pixel(&gather->w) - grid->w.at : -1;
  t.chunks = chunks_of(grid, t.last);
  return t;
}

/* Floats, half as many as values, of its weights. */
static int packed_floats(const struct product *t) {
  return t->panels * t->gather->h.taps * t->chunks * DEPTH / 2 * t->panel;
}

static skp_status pack(struct skp_prepared *p, const struct product *t, bool kept) {
  const struct skp__gather *g = t->gather;
  const size_t global[2] = {(size_t)t->panels, (size_t)g->h.taps};
  if (!packed_floats(t)) return SKP_OK;
  SKP_TRY(skp__cl_launch(p, "conv2d_amx", "conv2d_amx_pack", options_of(skp__cl_of(p), t->panel), 2, global, one,
                         SKP_ARGS(SKP_KEPT(packed), SKP_IN(w, 1), SKP_INT(packed_at, t->packed_at),
                                  SKP_INT(step, t->grid->step), SKP_INT(phases_w, t->grid->w.phases),
                                  SKP_INT(first, g->w.in_offset - t->grid->w.at), SKP_INT(last, t->last),
                                  SKP_INT(C, g->Ci), SKP_INT(Co, g->Co), SKP_INT(taps_w, g->S),
                                  SKP_INT(tap_step, g->tap_step), SKP_INT(ci_step, g->ci_step),
                                  SKP_INT(co_step, g->co_step), SKP__AXIS_INTS(h, g->h), SKP__AXIS_INTS(w, g->w))));
  if (kept) skp__cl_of_weights(p);
  return SKP_OK;
}

/* How the work is split: each work-group takes `span` panels and `length` times as many positions as are taken at a
 * time, `block` times of them by all its panels. */
struct portion {
  int span, length, block;
};

static struct portion portion_of(const struct skp__cl *cl, const struct product *t) {
  const int positions = SUMS / t->panel, tiles = skp__ceil_div(positions_of(t->grid), positions);
  const int groups = cl->units * GROUPS_PER_UNIT;
  struct portion s = {.span = 2 * packed_floats(t) <= KEPT_WEIGHTS ? t->panels : 1};
  while (s.span > 1 && (int64_t)tiles * skp__ceil_div(t->panels, s.span) < groups) s.span = skp__ceil_div(s.span, 2);
  s.length = skp__ceil_div((int64_t)tiles * skp__ceil_div(t->panels, s.span), groups);
  s.block = s.span == 1 ? s.length : 1;
  return s;
}

static skp_status multiply(struct skp_prepared *p, const struct product *t, int grid_at,
                           const struct skp__epilogue *e) {
  const struct skp__gather *g = t->gather;
  const struct grid *grid = t->grid;
  const struct portion s = portion_of(skp__cl_of(p), t);
  const int M = positions_of(grid), tiles = skp__ceil_div(M, SUMS / t->panel);
  const size_t global[2] = {(size_t)skp__ceil_div(t->panels, s.span), (size_t)skp__ceil_div(tiles, s.length)};
  if (!skp__gather_pixels(g)) return SKP_OK; /* a phase without positions: the image is smaller than the stride */
  return skp__cl_launch(
      p, "conv2d_amx", "conv2d_amx", options_of(skp__cl_of(p), t->panel), 2, global, one,
      SKP_ARGS(SKP_OUT(y, 0), grid->same ? SKP_IN(x, 0) : SKP_WORK(x), SKP_KEPT(packed), SKP__EPILOGUE(*e),
               SKP_INT(packed_at, t->packed_at), SKP_INT(grid_at, grid->same ? 0 : 2 * grid_at),
               SKP_INT(length, s.length), SKP_INT(block, s.block), SKP_INT(span, s.span), SKP_INT(M, M),
               SKP_INT(rows, grid->h.cells), SKP_INT(columns, grid->w.cells), SKP_INT(grid_rows, grid->rows),
               SKP_INT(step, grid->step), SKP_INT(phases_w, grid->w.phases), SKP_INT(h_at, grid->h.at),
               SKP_INT(last, t->last), SKP_INT(C, g->Ci), SKP_INT(OH, g->OH), SKP_INT(OW, g->OW), SKP_INT(Co, g->Co),
               SKP_INT(panels, t->panels), SKP__AXIS_INTS(h, g->h), SKP__AXIS_INTS(w, g->w)));
}

/* All gathers of an op, which read the same map. */
static skp_status multiply_all(struct skp_prepared *p, const struct skp_sig *sig, const struct skp__gather *gathers,
                               int n) {
  const struct skp__epilogue e = skp__epilogue_of(sig);
  const struct grid grid = grid_of(gathers, n);
  int all = 0;
  for (int i = 0; i < n; i++) {
    const struct product t = product_of(&gathers[i], &grid, all);
    all += packed_floats(&t);
  }
  const bool kept = skp__cl_keep(p, 4 * (int64_t)all);
  const int grid_at = kept ? 0 : (int)skp__cl_round_up(all, LANES);
  SKP_TRY(make_grid(p, &grid, gathers, grid_at));
  for (int i = 0, at = 0; i < n; i++) {
    const struct product t = product_of(&gathers[i], &grid, at);
    SKP_TRY(pack(p, &t, kept));
    SKP_TRY(multiply(p, &t, grid_at, &e));
    at += packed_floats(&t);
  }
  return SKP_OK;
}

skp_status skp__conv_amx(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv conv = skp__conv_of(sig);
  const struct skp__gather g = skp__gather_forward(&conv);
  return multiply_all(p, sig, &g, 1);
}

skp_status skp__conv_amx_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv conv = skp__conv_of(sig);
  struct skp__gather phases[MOST_STRIDE * MOST_STRIDE];
  int n = 0;
  for (int h = 0; h < conv.stride; h++)
    for (int w = 0; w < conv.stride; w++) phases[n++] = skp__gather_dx(&conv, h, w);
  return multiply_all(p, sig, phases, n);
}

/* ---- gradient of weights ----------------------------------------------------------------------------------------- */

/* How the work is split: each work-group takes `length` pairs of 16 rows of dw, and `part_chunks` chunks. */
struct split {
  int chunk, chunks; /* positions of a chunk; how many there are */
  int halo;          /* positions behind a chunk that its taps read */
  int rows, length;  /* pairs of 16 rows of dw, of a work-group */
  int parts, part_chunks;
  bool own; /* each work-group lays out its chunks, one after the other, in its own place: the cache keeps that */
};

static struct split split_dw(const struct skp__cl *cl, const struct skp__conv *conv, const struct grid *g) {
  struct split s = {.halo = (int)skp__cl_round_up(cells_behind(g), DEPTH)};
  const int wanted = cl->units * GROUPS_PER_UNIT, M = positions_of(g);
  s.chunk = least(MOST_CHUNK, KEPT_CHUNK / (conv->C + conv->K) / DEPTH * DEPTH);
  s.chunk = least(most(most(LEAST_CHUNK, s.chunk), 4 * s.halo), (int)skp__cl_round_up(M, DEPTH));
  s.chunks = skp__ceil_div(M, s.chunk);
  s.rows = skp__ceil_div(conv->R * conv->S * skp__ceil_div(conv->C, LANES), 2);
  int pieces = least(s.rows, skp__ceil_div(skp__conv_weights(conv), PIECE));
  s.parts = least(s.chunks, skp__ceil_div(wanted, pieces));
  pieces = least(s.rows, most(pieces, skp__ceil_div(wanted, s.parts)));
  s.part_chunks = skp__ceil_div(s.chunks, s.parts);
  s.parts = skp__ceil_div(s.chunks, s.part_chunks);
  s.length = skp__ceil_div(s.rows, pieces);
  s.own = s.length == s.rows;
  return s;
}

/* Where things lie in the workspace, in floats. */
struct places {
  int across, pairs;
  int64_t all;
};

static struct places places_of(const struct skp__conv *conv, const struct grid *g, const struct split *s) {
  const int64_t slots = s->own ? s->parts : s->chunks, row = s->chunk + s->halo + DEPTH;
  struct places at = {0};
  if (s->parts > 1) at.across = (int)skp__cl_round_up((int64_t)s->parts * (skp__conv_weights(conv) + conv->K), LANES);
  at.pairs = at.across + (int)(g->h.phases * g->w.phases * slots * (int64_t)skp__cl_round_up(conv->C, LANES) * row / 2);
  at.all = at.pairs + slots * (int64_t)skp__cl_round_up(conv->K, LANES) * s->chunk / 2;
  return at;
}

#define LAYOUT_INTS(conv, g, s)                                                                                        \
  SKP_INT(N, (conv)->N), SKP_INT(H, (conv)->H), SKP_INT(W, (conv)->W), SKP_INT(C, (conv)->C), SKP_INT(P, (conv)->P),   \
      SKP_INT(Q, (conv)->Q), SKP_INT(K, (conv)->K), SKP_INT(rows, (g)->h.cells), SKP_INT(columns, (g)->w.cells),       \
      SKP_INT(step, (g)->step), SKP_INT(phases_h, (g)->h.phases), SKP_INT(phases_w, (g)->w.phases),                    \
      SKP_INT(h_at, (g)->h.at), SKP_INT(w_at, (g)->w.at), SKP_INT(length, (s)->chunk), SKP_INT(halo, (s)->halo)

static skp_status lay_out(struct skp_prepared *p, const struct skp__conv *conv, const struct grid *g,
                          const struct split *s, const struct places *at) {
  const size_t global = (size_t)s->chunks;
  if (s->own) return SKP_OK;
  return skp__cl_launch(p, "conv2d_amx_dw", "conv2d_amx_lay_out", options_of(skp__cl_of(p), 2 * LANES), 1, &global, one,
                        SKP_ARGS(SKP_WORK(across), SKP_WORK(pairs), SKP_IN(x, 0), SKP_IN(dy, 1),
                                 SKP_INT(across_at, 2 * at->across), SKP_INT(pairs_at, 2 * at->pairs),
                                 LAYOUT_INTS(conv, g, s)));
}

skp_status skp__conv_amx_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv conv = skp__conv_of(sig);
  const struct skp__gather gather = skp__gather_forward(&conv);
  const struct grid g = grid_of(&gather, 1);
  const struct split s = split_dw(skp__cl_of(p), &conv, &g);
  const struct places at = places_of(&conv, &g, &s);
  const size_t global[2] = {(size_t)skp__ceil_div(s.rows, s.length), (size_t)s.parts};
  const bool whole = s.parts == 1;
  skp__cl_need_workspace(p, 4 * at.all);
  SKP_TRY(lay_out(p, &conv, &g, &s, &at));
  SKP_TRY(
      skp__cl_launch(p, "conv2d_amx_dw", "conv2d_amx_dw", options_of(skp__cl_of(p), 2 * LANES), 2, global, one,
                     SKP_ARGS(whole ? SKP_OUT(dw, 0) : SKP_WORK(dw), SKP_WORK(across), SKP_WORK(pairs), SKP_IN(x, 0),
                              SKP_IN(dy, 1), SKP_INT(across_at, 2 * at.across), SKP_INT(pairs_at, 2 * at.pairs),
                              SKP_INT(own, s.own), SKP_INT(pieces, s.length), SKP_INT(chunks, s.part_chunks),
                              SKP_INT(all_chunks, s.chunks), SKP_INT(size, skp__conv_weights(&conv) + conv.K),
                              SKP_INT(R, conv.R), SKP_INT(S, conv.S), LAYOUT_INTS(&conv, &g, &s))));
  if (!whole) SKP_TRY(skp__conv_sum(p, &conv, s.parts, false));
  return sig->out[1].rank ? skp__conv_db(p, &conv) : SKP_OK;
}
