/* conv_igemm.c: convolution and its gradients as products of matrices that are nowhere laid out, in large register
 * tiles, for GPUs: which tile, and in how many parts the depth. SPDX-License-Identifier: MIT */
#include "backend/opencl/conv.h"
#include <math.h>

enum {
  LOCAL_MEMORY = 32768,  /* bytes that a group takes at most, so that several share a compute unit */
  LEAST_STEPS = 8,       /* of a part of the depth */
  CHUNK = 1024,          /* pixels that one partial weight gradient sums at most, if memory allows */
  MAX_PARTIAL = 1 << 25, /* floats in all partial results */
};

/* What the compilers and the hardware of a vendor want (docs/gpu.md). */
static const struct family {
  unsigned vendor; /* PCI's number; 0: any other */
  int depth;       /* of a step */
  int unroll;      /* of its loop, in fours */
  int channels;    /* of a work-item, at most */
  int resident;    /* work-items that a compute unit holds at once; with fewer it waits for memory */
  int single; /* floats that a work-item holds at most where channels are fetched one by one, which takes registers */
} families[] = {
    {0x10de, 8, 2, 8, 384, 96},  /* NVIDIA: everything in one piece */
    {0x1002, 16, 1, 8, 768, 96}, /* AMD: in one piece it would take all registers */
    {0x8086, 8, 1, 4, 64, 40},   /* Intel: 8×8 results do not fit its registers; its units are the smallest */
    {0, 8, 1, 8, 512, 96},
};

/* Tiles: their sides (pixels or rows of dw, output channels), a work-item's part of each, and how much of the
 * arithmetic their loop leaves for multiplications. The last two are for few output channels; few input channels (VIN
 * of the kernels) take any of them. */
static const struct tile {
  int rows, columns, tm, tn;
  double efficiency;
} tiles[] = {
    {128, 128, 8, 8, 0.85}, {128, 64, 8, 8, 0.82}, {64, 64, 8, 8, 0.78}, {128, 32, 8, 4, 0.65}, {128, 16, 4, 4, 0.55},
};
enum { TILES = sizeof tiles / sizeof *tiles };

static const struct family *family_of(const struct skp__cl *cl) {
  const struct family *f = families;
  while (f->vendor && f->vendor != cl->vendor) f++;
  return f;
}

/* Output channels of a work-item. */
static int channels_of(const struct skp__cl *cl, const struct tile *t) {
  int most = family_of(cl)->channels;
  return t->tn < most ? t->tn : most;
}

static int items_of(const struct skp__cl *cl, const struct tile *t) {
  return t->rows / t->tm * (t->columns / channels_of(cl, t));
}

/* Floats of its results, and of what it fetches for the next step. */
static int held_of(const struct skp__cl *cl, const struct tile *t) {
  int items = items_of(cl, t), depth = family_of(cl)->depth;
  return t->tm * channels_of(cl, t) +
         4 * (skp__ceil_div(t->rows * depth / 4, items) + skp__ceil_div(t->columns * depth / 4, items));
}

/* `summed`: channels that the sum goes over, those of x in a weight gradient. */
static bool fits(const struct skp__cl *cl, const struct tile *t, int summed) {
  int64_t local = cl->local_memory < LOCAL_MEMORY ? cl->local_memory : LOCAL_MEMORY;
  return (size_t)items_of(cl, t) <= cl->max_group && (size_t)items_of(cl, t) <= cl->max_items[0] &&
         (summed % 4 == 0 || held_of(cl, t) <= family_of(cl)->single) &&
         2 * family_of(cl)->depth * (t->rows + t->columns) * (int64_t)sizeof(float) <= local;
}

const char *skp__conv_igemm_refuse(const struct skp__cl *cl, const struct skp_sig *sig) {
  struct skp__conv g = skp__conv_of(sig);
  if (g.groups > 1 && (g.C / g.groups < 4 || g.K / g.groups < 4)) return "fewer than 4 channels in a group";
  for (int i = 0; i < TILES; i++)
    if (fits(cl, &tiles[i], 1)) return skp__cl_refuse_huge(cl, sig);
  return "the device's work-groups or local memory are too small for its tiles";
}

/* ---- choosing a tile --------------------------------------------------------------------------------------------- */

/* A product of matrices, `count` times beside each other. */
struct product {
  int64_t rows, columns, depth, count;
  int summed;                  /* channels, as fits takes them */
  int least_parts, most_parts; /* of the depth */
  bool statistics;             /* of the results are wanted */
};

struct choice {
  const struct tile *tile;
  int parts;
};

/* Tiles that are blocks sum their statistics themselves; else the results are gone through once more, as when parts are
 * added, which then does it, too. */
static bool sums_itself(const struct choice *c) { return c->parts == 1 && c->tile->rows == SKP_STATISTICS_PIXELS; }

/* Groups that a compute unit holds at once, as a fraction of what it has room for. */
static double filled(const struct skp__cl *cl, const struct tile *t, double rounds) {
  int items = items_of(cl, t), most = family_of(cl)->resident / items;
  double held = rounds < most ? rounds : most > 1 ? most : 1;
  return fmin(held * items / family_of(cl)->resident, 1);
}

/* How often the results go to memory and back, beyond being written. */
static int passes_of(const struct product *p, const struct choice *c) {
  if (c->parts > 1) return c->parts;
  return p->statistics && !sums_itself(c);
}

/* Waves: how long the busiest compute unit works, in multiply-adds of its lanes. All groups are equal and spread
 * evenly; a unit with few of them cannot hide its waiting for memory; results in parts are written, read and added. */
static double cost_of(const struct skp__cl *cl, const struct product *p, const struct choice *c) {
  const struct tile *t = c->tile;
  double groups = (double)p->count * skp__ceil_div(p->rows, t->rows) * skp__ceil_div(p->columns, t->columns) * c->parts;
  double rounds = ceil(groups / cl->units), busy = sqrt(filled(cl, t, rounds));
  double results = (double)p->count * (double)p->rows * (double)p->columns / cl->units;
  double depth = (double)p->depth / c->parts + 32; /* a tile's beginning and end */
  return rounds * t->rows * t->columns * depth / (t->efficiency * busy) + 16.0 * passes_of(p, c) * results;
}

static struct choice choose(const struct skp__cl *cl, const struct product *p) {
  struct choice best = {NULL, 1};
  double least = 0;
  for (int i = 0; i < TILES; i++) {
    if (!fits(cl, &tiles[i], p->summed)) continue;
    for (int parts = p->least_parts; parts <= p->most_parts; parts += 1 + parts / 8) {
      struct choice c = {&tiles[i], parts};
      double cost = cost_of(cl, p, &c);
      if (!best.tile || cost < least) best = c, least = cost;
    }
  }
  return best;
}

/* n, but at least `least`, and where that allows it at most `most`. */
static int within(int64_t least, int64_t most, int64_t n) {
  if (n > most) n = most;
  return (int)(n < least ? least : n);
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

struct launch {
  char options[160];
  size_t global[3], local[3];
};

/* With the tiles along dimension 0; the others are the direction's. */
static struct launch launch_of(const struct skp__cl *cl, const struct product *p, const struct choice *c, int channels,
                               bool dx) {
  const struct family *f = family_of(cl);
  const struct tile *t = c->tile;
  size_t items = (size_t)items_of(cl, t);
  size_t tiles_of_all = (size_t)skp__ceil_div(p->rows, t->rows) * (size_t)skp__ceil_div(p->columns, t->columns);
  struct launch l = {.global = {tiles_of_all * items, 1, 1}, .local = {items, 1, 1}};
  snprintf(l.options, sizeof l.options,
           "-DBM=%d -DBN=%d -DTM=%d -DTN=%d -DBK=%d -DUNROLL=%d -DVIN=%d -DVOUT=%d -DDX=%d", t->rows, t->columns, t->tm,
           channels_of(cl, t), f->depth, f->unroll, p->summed % 4 ? 1 : 4, channels % 4 ? 1 : 4, dx);
  return l;
}

static struct product gathered(const struct skp__cl *cl, const struct skp_sig *sig, const struct skp__gather *g) {
  const int phases = g->h.step * g->h.step; /* along the other axis the steps are the same */
  const int depth = skp__ceil_div((int64_t)g->R * g->S * g->Ci, phases),
            least_depth = LEAST_STEPS * family_of(cl)->depth;
  return (struct product){.rows = skp__gather_pixels(g),
                          .columns = g->Co,
                          .depth = depth,
                          .count = (int64_t)g->groups * phases,
                          .summed = g->Ci,
                          .least_parts = 1,
                          .most_parts = within(1, MAX_PARTIAL / skp__shape_count(&sig->out[0]), depth / least_depth),
                          .statistics = skp__statistics_of(sig).want};
}

/* Forward and data gradient, all phases of the latter in one launch. */
static skp_status gather(struct skp_prepared *p, const struct skp_sig *sig, const struct skp__gather *g, bool dx) {
  const struct skp__conv conv = skp__conv_of(sig);
  struct skp__cl *cl = skp__cl_of(p);
  const struct skp__axis *a = &g->h;
  const struct skp__statistics s = skp__statistics_of(sig);
  const struct product product = gathered(cl, sig, g);
  const struct choice c = choose(cl, &product);
  struct launch l = launch_of(cl, &product, &c, g->Co, dx);
  l.global[1] = (size_t)g->groups;
  l.global[2] = (size_t)(a->step * a->step * c.parts);
  struct skp__epilogue e = skp__epilogue_of(sig);
  const bool whole = c.parts == 1, sums = sums_itself(&c);
  if (!whole) e.bits = 0; /* what follows comes when the parts are added */
  SKP_TRY(skp__cl_launch(p, "conv2d_igemm", "conv2d_igemm", l.options, 3, l.global, l.local,
                         SKP_ARGS(whole ? SKP_OUT(y, 0) : SKP_WORK(y), SKP_IN(x, 0), SKP_IN(w, 1), s.means, s.squares,
                                  SKP_INT(want, sums ? s.want : 0), SKP__EPILOGUE(e), SKP_INT(parts, c.parts),
                                  SKP_INT(N, g->N), SKP_INT(IH, g->IH), SKP_INT(IW, g->IW), SKP_INT(OH, g->OH),
                                  SKP_INT(OW, g->OW), SKP_INT(Ci, g->Ci), SKP_INT(Co, g->Co), SKP_INT(R, g->R),
                                  SKP_INT(S, g->S), SKP_INT(step, a->step), SKP_INT(shift, dx ? conv.pad : -conv.pad),
                                  SKP_INT(dilation, conv.dilation), SKP_INT(tap_step, a->tap_step),
                                  SKP_INT(in_step, a->in_step), SKP_INT(in_tap, a->in_tap))));
  if (whole) return sums ? SKP_OK : skp__conv_statistics(p, sig);
  skp__cl_need_workspace(p, c.parts * skp__shape_bytes(&sig->out[0]));
  return skp__conv_sum_results(p, sig, c.parts);
}

skp_status skp__conv_igemm(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__gather g = skp__gather_forward(&conv);
  return gather(p, sig, &g, false);
}

skp_status skp__conv_igemm_dx(struct skp_prepared *p, const struct skp_sig *sig) {
  struct skp__conv conv = skp__conv_of(sig);
  struct skp__gather g = skp__gather_dx(&conv, 0, 0);
  return gather(p, sig, &g, true);
}

static struct product weight_gradient(const struct skp__cl *cl, const struct skp__conv *g) {
  const int pixels = g->N * g->P * g->Q, Cg = g->C / g->groups, least_length = LEAST_STEPS * family_of(cl)->depth;
  const int most = MAX_PARTIAL / (skp__conv_weights(g) + g->K) + 1;
  struct product product = {.rows = g->R * g->S * Cg,
                            .columns = g->K / g->groups,
                            .depth = pixels,
                            .count = g->groups,
                            .summed = Cg,
                            .least_parts = within(1, most, skp__ceil_div(pixels, CHUNK))};
  product.most_parts = within(product.least_parts, most, skp__ceil_div(pixels, least_length));
  return product;
}

/* Its parts, each of `length` pixels; their results begin every `size` floats of `partial`. */
static skp_status launch_parts(struct skp_prepared *p, const struct skp__conv *g, const struct product *product,
                               const struct choice *c, int length, int size, struct skp__cl_arg partial) {
  struct launch l = launch_of(skp__cl_of(p), product, c, g->K / g->groups, false);
  l.global[1] = (size_t)g->groups;
  l.global[2] = (size_t)c->parts;
  return skp__cl_launch(
      p, "conv2d_igemm", "conv2d_igemm_dw", l.options, 3, l.global, l.local,
      SKP_ARGS(partial, SKP_IN(x, 0), SKP_IN(dy, 1), SKP_INT(length, length), SKP_INT(size, size), SKP__CONV_INTS(g)));
}

skp_status skp__conv_igemm_dw(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv g = skp__conv_of(sig);
  const struct product product = weight_gradient(skp__cl_of(p), &g);
  const int weights = skp__conv_weights(&g), size = weights + g.K;
  struct choice c = choose(skp__cl_of(p), &product);
  const int length = skp__ceil_div(product.depth, c.parts);
  const bool db = sig->out[1].rank > 0;
  c.parts = skp__ceil_div(product.depth, length);
  if (c.parts == 1 && !db) return launch_parts(p, &g, &product, &c, length, weights, SKP_OUT(partial, 0));
  if (!db) skp__cl_in_parts(p, c.parts);
  skp__cl_need_workspace(p, skp__conv_partial_bytes(&g, c.parts));
  SKP_TRY(launch_parts(p, &g, &product, &c, length, size, SKP_WORK(partial)));
  if (db) SKP_TRY(skp__conv_columns(p, &g, weights, size, c.parts, length));
  return skp__conv_sum(p, &g, c.parts, db);
}

skp_status skp__conv_igemm_dw_parts(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp__conv g = skp__conv_of(sig);
  struct product product = weight_gradient(skp__cl_of(p), &g);
  product.least_parts = product.most_parts = sig->attrs.conv2d.parts;
  const struct choice c = choose(skp__cl_of(p), &product);
  return launch_parts(p, &g, &product, &c, skp__ceil_div(product.depth, c.parts), skp__conv_weights(&g),
                      SKP_OUT(partial, 0));
}
