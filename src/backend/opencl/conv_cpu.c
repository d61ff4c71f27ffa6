/* conv_cpu.c: convolution and its gradients in registers, for CPUs: each work-group is
 * one work-item that keeps a tile of results in vectors.
 * SPDX-License-Identifier: MIT
 *
 * Where the input has few channels, a row of S taps is taken as one tap of S·C channels: they lie side by side in
 * memory. The image is first copied with its padding, so that no such run leaves it. */
#include "backend/opencl/conv.h"

enum {
  BLOCK = 128,           /* of conv2d_cpu_dw.cl */
  LANES = 16,            /* floats of a vector */
  MERGE_BELOW = 12,      /* input channels: fewer are taken with their neighbours */
  CHUNK_BLOCKS = 32,     /* blocks of pixels that one chunk of a weight gradient has at most, if memory allows */
  MAX_PARTIAL = 1 << 25, /* floats in all chunks */
  GROUPS_PER_UNIT = 4,   /* work-groups that each compute unit should have, to even out */
  GROUP_FLOPS = 2000000, /* a work-group should have so much to do, to be worth its start */
  LEAST_TILES = 8,       /* and so many tiles, to be worth fetching its weights */
  KEPT_WEIGHTS = 40000,  /* floats of weights that the second cache keeps while all panels are gone through */
  KEPT_PIXELS = 4096,    /* floats of pixels that the first cache keeps meanwhile */
  KEPT_CHANNELS = 256,   /* of a weight gradient's x or dy: of so many the second cache keeps a block, and results */
  MOST_FLOATS = 1 << 30  /* in panels, or with padding */
};
#define MOSTLY_INSIDE 0.8 /* of the taps */

static const size_t one[3] = {1, 1, 1};

/* Few channels: a row of taps is taken as one. */
static bool has_runs(const struct skp__conv *g) {
  return g->groups == 1 && g->dilation == 1 && g->S > 1 && g->C < MERGE_BELOW;
}

/* Floats of all weights in the widest panels; of the padded image. */
static int64_t most_packed(const struct skp__conv *g, int out, int in) {
  return (int64_t)g->groups * (int64_t)skp__cl_round_up(out / g->groups, 2 * LANES) * g->R * g->S * (in / g->groups);
}

static int64_t padded_floats(const struct skp__conv *g) {
  return (int64_t)g->N * (g->H + 2 * g->pad) * (g->W + 2 * g->pad) * g->C;
}

const char *skp__conv_cpu_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  const char *huge = skp__cl_refuse_huge(cl, sig);
  const bool narrow = skp__sig_narrow(sig);
  if (huge) return huge;
  if (g.groups > 1 && (g.C / g.groups < 4 || g.K / g.groups < 4)) return "fewer than 4 channels in a group";
  if (most_packed(&g, g.K, g.C) > MOST_FLOATS || most_packed(&g, g.C, g.K) > MOST_FLOATS ||
      ((has_runs(&g) || narrow) && padded_floats(&g) > MOST_FLOATS))
    return "more than 2^30 weights in panels, or values with padding"; /* positions in both together are ints */
  if (narrow && (g.K / g.groups % 2 || (g.C / g.groups % 2 && !has_runs(&g)))) return "an odd number of channels";
  return NULL;
}

/* The register tile of a product: `rows` pixels, or input channels in a weight gradient,
 * by `width` output channels, a panel of them. */
struct tile {
  int rows, width, pair; /* pair: how many values of a map are multiplied at a time, PAIR of dot.clh */
  char options[32];      /* for the compiler */
};

static struct tile tile_of(const struct skp_sig *sig, int rows, int width) {
  struct tile t = {.rows = rows, .width = width, .pair = skp__sig_narrow(sig) ? 2 : 1};
  snprintf(t.options, sizeof t.options, "-DTILE=%d -DVECTORS=%d", rows, width / LANES);
  return t;
}

/* Two vectors of output channels instead of one where registers are plenty and at most one in eight channels would be
 * empty: a value of x then serves for twice as many products, and is fetched half as often. */
static int width_for(const struct skp__cl *cl, int channels) {
  int wide = (int)skp__cl_round_up(channels, 2 * LANES);
  return cl->lanes >= LANES && wide - channels <= channels / 8 ? 2 * LANES : LANES;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* The convolution of a padded copy of x: one tap a row, of S·C channels. A pixel of the
 * copy still takes g->C floats. */
static struct skp__conv runs_of(const struct skp__conv *g) {
  struct skp__conv runs = *g;
  runs.H += 2 * g->pad, runs.W += 2 * g->pad, runs.pad = 0;
  runs.C *= g->S, runs.S = 1;
  return runs;
}

static skp_status copy_padded(struct skp_prepared *p, const struct skp__conv *g, int at) {
  size_t global[1] = {(size_t)g->N};
  skp__cl_need_workspace(p, 4 * (at + padded_floats(g) + 1));
  return skp__cl_launch(p, "conv2d_pack", "conv2d_pad", "", 1, global, one,
                        SKP_ARGS(SKP_WORK(padded), SKP_IN(x, 0), SKP_INT(at, at), SKP_INT(H, g->H),
                                 SKP_INT(WC, g->W * g->C), SKP_INT(pad, g->pad), SKP_INT(padC, g->pad * g->C)));
}

/* ---- forward and data gradient ----------------------------------------------------------------------------------- */

static struct tile gather_tile(const struct skp__cl *cl, const struct skp_sig *sig, const struct skp__gather *g) {
  return tile_of(sig, skp__conv_tile(cl), width_for(cl, g->Co));
}

static int panels_of(const struct skp__gather *g, const struct tile *t) {
  return g->groups * skp__ceil_div(g->Co, t->width);
}
static int packed_floats(const struct skp__gather *g, const struct tile *t) {
  return (int)skp__cl_round_up(panels_of(g, t) * g->R * g->S * skp__ceil_div(g->Ci, t->pair) * t->width + g->Ci, LANES);
}

/* *used: the floats of the workspace that it takes. */
static skp_status pack(struct skp_prepared *p, const struct skp__gather *g, const struct tile *t, int *used) {
  size_t global[2] = {(size_t)panels_of(g, t), (size_t)(g->R * g->S)};
  *used = skp__cl_keep(p, 4 * (int64_t)packed_floats(g, t)) ? 0 : packed_floats(g, t);
  SKP_TRY(
      skp__cl_launch(p, "conv2d_pack", "conv2d_pack", "", 2, global, one,
                     SKP_ARGS(SKP_KEPT(packed), SKP_IN(w, 1), SKP_INT(size, t->width), SKP_INT(panels, panels_of(g, t)),
                              SKP_INT(taps, g->R * g->S), SKP_INT(Ci, g->Ci), SKP_INT(Co, g->Co),
                              SKP_INT(tap_step, g->tap_step), SKP_INT(group_step, g->group_step),
                              SKP_INT(ci_step, g->ci_step), SKP_INT(co_step, g->co_step), SKP_INT(zeros, g->Ci))));
  if (!*used) skp__cl_of_weights(p);
  return SKP_OK;
}

/* How the work is split: each work-group takes `span` panels and `length` tiles of
 * pixels, `block` of them at a time. */
struct portion {
  int span, length, block;
};

static struct portion portion_of(const struct skp__cl *cl, const struct skp__gather *g, const struct tile *t) {
  int tiles = skp__ceil_div(skp__gather_pixels(g), t->rows), panels = panels_of(g, t),
      groups = cl->units * GROUPS_PER_UNIT;
  struct portion s = {.span = packed_floats(g, t) <= KEPT_WEIGHTS ? panels : 1};
  while (s.span > 1 && (int64_t)tiles * skp__ceil_div(panels, s.span) < groups) s.span = skp__ceil_div(s.span, 2);
  double flops = 2.0 * t->rows * t->width * s.span * (g->h.taps * g->w.taps * g->Ci + 8);
  int wanted = (int)(GROUP_FLOPS / flops) + LEAST_TILES,
      most = skp__ceil_div((int64_t)tiles * skp__ceil_div(panels, s.span), groups);
  s.length = wanted < most ? wanted : most;
  s.block = s.span == 1 ? s.length : KEPT_PIXELS * t->pair / (t->rows * g->Ci) + 1;
  return s;
}

/* The fraction of an axis's taps that lie inside the input. */
static double fraction_inside(const struct skp__axis *a, int extent) {
  int inside = 0;
  for (int i = 0; i < a->count; i++)
    for (int tap = 0; tap < a->taps; tap++) {
      int at = i * a->in_step + a->in_offset + tap * a->in_tap;
      inside += at >= 0 && at < extent;
    }
  return (double)inside / ((double)a->count * a->taps);
}

/* Whether tiles go along the pixels of an image; else along the same pixel of all images. Of small maps many taps lie
 * outside, which are left out where they do so for the whole tile. */
static bool by_image(const struct skp__gather *g, const struct tile *t) {
  return g->N < t->rows || fraction_inside(&g->h, g->IH) * fraction_inside(&g->w, g->IW) > MOSTLY_INSIDE;
}

/* `x`: the image, or the padded copy at x_at in the workspace. */
static skp_status gather(struct skp_prepared *p, const struct skp__gather *g, const struct tile *t,
                         struct skp__cl_arg x, int x_at, const struct skp__epilogue *e) {
  int M = skp__gather_pixels(g), panels = panels_of(g, t);
  if (!M) return SKP_OK; /* a phase without positions: the image is smaller than the stride */
  struct portion s = portion_of(skp__cl_of(p), g, t);
  size_t global[2] = {(size_t)skp__ceil_div(panels, s.span),
                      (size_t)skp__ceil_div(skp__ceil_div(M, t->rows), s.length)};
  return skp__cl_launch(
      p, "conv2d_cpu", "conv2d_cpu", t->options, 2, global, one,
      SKP_ARGS(SKP_OUT(y, 0), x, SKP_KEPT(packed), SKP__EPILOGUE(*e), SKP_INT(x_at, x_at), SKP_INT(length, s.length),
               SKP_INT(block, s.block), SKP_INT(span, s.span), SKP_INT(by_image, by_image(g, t)), SKP_INT(M, M),
               SKP_INT(N, g->N), SKP_INT(IH, g->IH), SKP_INT(IW, g->IW), SKP_INT(IC, g->IC), SKP_INT(OH, g->OH),
               SKP_INT(OW, g->OW), SKP_INT(OC, g->OC), SKP_INT(Ci, g->Ci), SKP_INT(Co, g->Co), SKP_INT(panels, panels),
               SKP_INT(taps, g->R * g->S), SKP_INT(taps_w, g->S), SKP__AXIS_INTS(h, g->h), SKP__AXIS_INTS(w, g->w)));
}

skp_status skp__conv_cpu(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig), runs = runs_of(&conv);
  struct skp__epilogue e = skp__epilogue_of(sig);
  bool copied = has_runs(&conv);
  struct skp__gather g = skp__gather_forward(copied ? &runs : &conv);
  struct tile t = gather_tile(skp__cl_of(p), sig, &g);
  int x_at;
  g.IC = conv.C;
  SKP_TRY(pack(p, &g, &t, &x_at));
  if (copied) SKP_TRY(copy_padded(p, &conv, x_at));
  return gather(p, &g, &t, copied ? SKP_WORK(x) : SKP_IN(x, 0), copied ? x_at : 0, &e);
}

skp_status skp__conv_cpu_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__epilogue e = skp__epilogue_of(sig);
  struct skp__gather g = skp__gather_dx(&conv, 0, 0);
  struct tile t = gather_tile(skp__cl_of(p), sig, &g);
  int used;
  SKP_TRY(pack(p, &g, &t, &used));
  for (int h = 0; h < conv.stride; h++)
    for (int w = 0; w < conv.stride; w++) {
      g = skp__gather_dx(&conv, h, w);
      SKP_TRY(gather(p, &g, &t, SKP_IN(x, 0), 0, &e));
    }
  return SKP_OK;
}

/* ---- gradient of weights and bias -------------------------------------------------------------------------------- */

/* Rows of a weight gradient's tile: the most or two thirds of them, whichever leaves
 * fewer rows over; so most networks need one program. */
static int rows_for(const struct skp__cl *cl, int channels) {
  int most = skp__conv_tile(cl), fewer = most * 2 / 3;
  if (channels <= most) return channels;
  return skp__cl_round_up(channels, fewer) < skp__cl_round_up(channels, most) ? fewer : most;
}

/* How the work is split. */
struct split {
  int blocks, chunks; /* blocks of pixels a chunk, chunks */
  int span, panels;   /* panels of channels k a work-item, so many times */
  int tiles, parts;   /* tiles of channels c a part, parts */
  int step;           /* terms of a gathered pixel; 0: none are */
};

/* The most of n that even parts have, each of at most `most`. */
static int even_share(int n, int most) { return skp__ceil_div(n, skp__ceil_div(n, most)); }

static struct split split_dw(const struct skp__cl *cl, const struct skp__conv *g, const struct tile *t) {
  int blocks = skp__ceil_div((int64_t)g->N * g->P * g->Q, BLOCK), tiles = skp__ceil_div(g->C / g->groups, t->rows);
  int panels = skp__ceil_div(g->K / g->groups, t->width), wanted = cl->units * GROUPS_PER_UNIT;
  int least = skp__ceil_div((int64_t)blocks * skp__conv_weights(g), MAX_PARTIAL);
  bool gathered = g->R * g->S == 1 && tiles > 1 && panels > 1; /* of few channels x is as quickly read as copied */
  struct split s = {.span = gathered ? even_share(panels, KEPT_CHANNELS / t->width) : 1};
  s.panels = g->groups * skp__ceil_div(panels, s.span);
  s.parts = gathered ? skp__ceil_div(tiles, KEPT_CHANNELS / t->rows) : 1;
  s.blocks = blocks < CHUNK_BLOCKS ? blocks : CHUNK_BLOCKS;
  int even = skp__ceil_div((int64_t)blocks * s.panels * s.parts, wanted); /* fewer, for enough work-groups */
  if (s.blocks > even) s.blocks = even;
  if (s.blocks < least) s.blocks = least;
  s.chunks = skp__ceil_div(blocks, s.blocks);
  int more = skp__ceil_div(wanted, s.chunks * s.panels);
  if (s.parts < more) s.parts = more;
  s.tiles = skp__ceil_div(tiles, s.parts < tiles ? s.parts : tiles);
  s.parts = skp__ceil_div(tiles, s.tiles);
  if (s.span > 1) s.step = (int)skp__cl_round_up(s.tiles * t->rows, LANES) + LANES;
  return s;
}

/* Pairs of images, for sums over them two at a time. */
static skp_status pair_images(struct skp_prepared *p, const struct skp__conv *g, int at) {
  int H = g->H + 2 * g->pad, W = g->W + 2 * g->pad, pairs = skp__ceil_div(g->N, 2);
  size_t global[2] = {(size_t)H, (size_t)pairs};
  skp__cl_need_workspace(p, 4 * ((int64_t)at + (int64_t)pairs * H * W * g->C));
  return skp__cl_launch(p, "conv2d_pair", "conv2d_pair", "", 2, global, one,
                        SKP_ARGS(SKP_WORK(pairs), SKP_IN(x, 0), SKP_INT(at, at), SKP_INT(N, g->N), SKP_INT(H, g->H),
                                 SKP_INT(WC, g->W * g->C), SKP_INT(pad, g->pad), SKP_INT(padC, g->pad * g->C)));
}

skp_status skp__conv_cpu_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  bool db = sig->out[1].rank > 0, runs = has_runs(&conv), narrow = skp__sig_narrow(sig), copied = runs || narrow;
  struct skp__conv g = runs ? runs_of(&conv) : conv, source = conv;
  int weights = skp__conv_weights(&g), size = weights + g.K, images = g.N;
  if (narrow) g.N = skp__ceil_div(images, 2); /* of pairs */
  const struct skp__cl *cl = skp__cl_of(p);
  struct tile t = tile_of(sig, rows_for(cl, g.C / g.groups), width_for(cl, g.K / g.groups));
  struct split s = split_dw(cl, &g, &t);
  bool whole = s.chunks == 1; /* then no partial results are needed */
  int gathered_at = whole ? 0 : s.chunks * size, x_at = gathered_at + s.panels * s.chunks * s.parts * BLOCK * s.step;
  size_t global[3] = {(size_t)s.panels, (size_t)s.chunks, (size_t)s.parts};
  skp__cl_need_workspace(p, 4 * (int64_t)x_at);
  if (!runs) source.pad = 0;
  if (copied) SKP_TRY(narrow ? pair_images(p, &source, x_at) : copy_padded(p, &source, x_at));
  SKP_TRY(skp__cl_launch(
      p, "conv2d_cpu_dw", "conv2d_cpu_dw", t.options, 3, global, one,
      SKP_ARGS(whole ? SKP_OUT(dw, 0) : SKP_WORK(dw), whole ? SKP_OUT(db, 1) : SKP_WORK(db),
               copied ? SKP_WORK(x) : SKP_IN(x, 0), SKP_IN(dy, 1), s.step ? SKP_WORK(gathered) : SKP_ABSENT(gathered),
               SKP_INT(db_at, whole ? 0 : weights), SKP_INT(x_at, copied ? x_at : 0), SKP_INT(x_step, conv.C),
               SKP_INT(gathered_at, gathered_at), SKP_INT(step, s.step), SKP_INT(span, s.span),
               SKP_INT(blocks, s.blocks), SKP_INT(tiles, s.tiles), SKP_INT(size, size), SKP_INT(has_db, db),
               SKP_INT(images, images), SKP_INT(M, g.N * g.P * g.Q), SKP__CONV_INTS(&g))));
  return whole ? SKP_OK : skp__conv_sum(p, &g, s.chunks, db);
}
