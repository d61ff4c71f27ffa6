/* conv.h: what the methods of conv2d and linear share. A linear layer is a convolution of 1×1 images by a 1×1 kernel,
 * so each method of a direction is written once and stands in both ops' tables. SPDX-License-Identifier: MIT */
#ifndef SKP_BACKEND_OPENCL_CONV_H
#define SKP_BACKEND_OPENCL_CONV_H

#include "backend/opencl/cl.h"

/* The sizes of a convolution, whichever of its three directions is asked for. All
 * products fit an int (skp__cl_refuse_huge). */
struct skp__conv {
  int N, H, W, C; /* x: {N, H, W, C} */
  int P, Q, K;    /* y: {N, P, Q, K} */
  int R, S;       /* w: {R, S, C/groups, K} */
  int stride, pad, dilation, groups;
};
struct skp__conv skp__conv_of(const struct skp_sig *sig);

/* All of them as kernel arguments. */
#define SKP__CONV_INTS(g)                                                                                              \
  SKP_INT(N, (g)->N), SKP_INT(H, (g)->H), SKP_INT(W, (g)->W), SKP_INT(C, (g)->C), SKP_INT(P, (g)->P),                  \
      SKP_INT(Q, (g)->Q), SKP_INT(K, (g)->K), SKP_INT(R, (g)->R), SKP_INT(S, (g)->S), SKP_INT(stride, (g)->stride),    \
      SKP_INT(pad, (g)->pad), SKP_INT(dilation, (g)->dilation), SKP_INT(groups, (g)->groups)

/* What the forward convolution and the data gradient do to a sum before they write it: cl/epilogue.clh. */
struct skp__epilogue {
  int bits; /* 0: nothing */
  struct skp__cl_arg scale, bias, residual, mask;
};
#define SKP__EPILOGUE(e) (e).scale, (e).bias, (e).residual, (e).mask, SKP_INT(epilogue, (e).bits)
struct skp__epilogue skp__epilogue_of(const struct skp_sig *sig);

/* Which statistics of its result the forward convolution is asked for. */
struct skp__statistics {
  int want; /* 1 means, 2 squares; 0: none */
  struct skp__cl_arg means, squares;
};
struct skp__statistics skp__statistics_of(const struct skp_sig *sig);

static inline int skp__conv_weights(const struct skp__conv *g) { return g->R * g->S * (g->C / g->groups) * g->K; }

/* n / step, rounded up: how many pieces of `step` cover n. */
static inline int skp__ceil_div(int64_t n, int64_t step) { return (int)((n + step - 1) / step); }

/* On CPUs, the most rows of 16 floats that stay in registers together: TILE of the kernels. Vectors of 16 floats
 * (AVX-512) come with twice as many registers. */
static inline int skp__conv_tile(const struct skp__cl *cl) { return cl->lanes < 16 ? 6 : 12; }

/* conv_sum.c: the end of a weight gradient: dw and db from `chunks` partial results in the workspace, each of weights
 * and then K bias entries, added in a fixed order. `db`: the op asks for db. */
int64_t skp__conv_partial_bytes(const struct skp__conv *g, int chunks);
skp_status skp__conv_sum(struct skp_prepared *p, const struct skp__conv *g, int chunks, bool db);
/* The partial sums of dy for db, `length` of the N·P·Q pixels a chunk: K floats from
 * `offset` on, again every `size` floats. */
skp_status skp__conv_columns(struct skp_prepared *p, const struct skp__conv *g, int offset, int size, int chunks,
                             int length);
/* The end of an op of one map: that of `parts` partial ones in the workspace, one behind the other, with its statistics
 * where they are asked for, and of sums that stand in the output already. */
skp_status skp__conv_sum_results(struct skp_prepared *p, const struct skp_sig *sig, int parts);
skp_status skp__conv_finish(struct skp_prepared *p, const struct skp_sig *sig);
/* The statistics of the finished output, if they are asked for: it is read once more. */
skp_status skp__conv_statistics(struct skp_prepared *p, const struct skp_sig *sig);
/* db alone, from its own partial results. */
skp_status skp__conv_db(struct skp_prepared *p, const struct skp__conv *g);

/* conv_gather.c: the forward convolution and the data gradient as one thing: each
 * position of an output map collects from an input map
 *
 *   out[h.start + i·h.step, …, co] = sum over taps a, ci of in[i·h.in_step + h.in_offset
 *   + a·h.in_tap, …, ci] · w[h.tap + a·h.tap_step, …]
 *
 * along both axes. The forward convolution is one gather. In the data gradient by a stride of 2, even and odd positions
 * of dx meet different taps: there are stride² phases, each a gather over every stride-th position. */
struct skp__axis {
  int count, start, step;          /* positions in the output */
  int in_step, in_offset;          /* where in the input a position begins */
  int taps, tap, tap_step, in_tap; /* which taps it meets, and how far apart they lie in the input */
};
struct skp__gather {
  struct skp__axis h, w;
  int N, IH, IW, IC, OH, OW, OC; /* the maps */
  int groups, Ci, Co, R, S;      /* channels of a group; all taps of w */
  int tap_step, group_step, ci_step,
      co_step; /* w's element: tap·tap_step + group·group_step + ci·ci_step + co·co_step */
};
struct skp__gather skp__gather_forward(const struct skp__conv *g);
struct skp__gather skp__gather_dx(const struct skp__conv *g, int phase_h, int phase_w); /* phases 0 … stride - 1 */
static inline int skp__gather_pixels(const struct skp__gather *g) { return g->N * g->h.count * g->w.count; }

/* One as kernel arguments, whose names begin with `name`. */
#define SKP__AXIS_INTS(name, a)                                                                                        \
  SKP_INT(name##_count, (a).count), SKP_INT(name##_start, (a).start), SKP_INT(name##_step, (a).step),                  \
      SKP_INT(name##_in_step, (a).in_step), SKP_INT(name##_in_offset, (a).in_offset), SKP_INT(name##_taps, (a).taps),  \
      SKP_INT(name##_tap, (a).tap), SKP_INT(name##_tap_step, (a).tap_step), SKP_INT(name##_in_tap, (a).in_tap)

/* conv_cpu.c: register tiles, groups of one work-item. */
const char *skp__conv_cpu_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_cpu(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_cpu_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_cpu_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_amx.c: tiles of bfloat16, for CPUs that multiply them. */
const char *skp__conv_amx_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_amx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_amx_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_amx_dw(struct skp_prepared *p, const struct skp_sig *sig);

#define SKP__WINOGRAD_TOLERANCE 2e-5 /* the transforms cost digits */

/* conv_winograd.c: 3×3 with fewer multiplications. How a map is cut into tiles of m×m pixels: */
struct skp__winograd {
  int m, places;     /* a tile's side in the output; its pixels in the input */
  int th, tw, total; /* tiles of an image; of all */
};
struct skp__winograd skp__winograd_cut(int m, int N, int H, int W);
/* The multiplications for a channel of the input and one of the output. */
int64_t skp__winograd_products(const struct skp__winograd *cut);
/* Channels of a panel, of `channels` in all, a multiple of 16. */
int skp__winograd_panel(const struct skp__cl *cl, int channels);
/* Floats of a transform's vectors. */
int skp__winograd_lanes(const struct skp__cl *cl);
/* Where a tile's input begins, and the way through the taps as they lie there: the
 * first, and from row to row; -1: the other way. */
int skp__winograd_begin(const struct skp__axis *a);
int skp__winograd_way(const struct skp__gather *g);
/* A reason why none of this serves, whatever the sizes; NULL: it may. */
const char *skp__winograd_refuse_kind(const struct skp__cl *cl, const struct skp_sig *sig);
const char *skp__conv_winograd_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
const char *skp__conv_winograd_dw_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_winograd(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_winograd_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_winograd_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_winograd_few.c: the same for few tiles and many channels. */
const char *skp__conv_few_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_few(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_few_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_few_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_rows.c: linear layers of few rows and many weights, for CPUs. */
const char *skp__conv_rows_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
const char *skp__conv_rows_dx_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
const char *skp__conv_rows_dw_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_rows(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_rows_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_rows_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_thin.c: whole images in private memory, all sizes constant. */
const char *skp__conv_thin_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
const char *skp__conv_thin_dx_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
const char *skp__conv_thin_dw_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_thin(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_thin_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_thin_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_depthwise.c: a filter for each channel. */
const char *skp__conv_depthwise_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_depthwise(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_depthwise_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_depthwise_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_igemm.c: large tiles in registers, fed through local memory. */
const char *skp__conv_igemm_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_igemm(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_igemm_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_igemm_dw(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_igemm_dw_parts(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_tiled.c: tiles in local memory, groups of 16 × 16. */
skp_status skp__conv_tiled(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_tiled_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_tiled_dw(struct skp_prepared *p, const struct skp_sig *sig);

/* conv_clblast.c: where a convolution is a product of matrices. */
const char *skp__conv_clblast_refuse(const struct skp__cl *cl, const struct skp_sig *sig);
skp_status skp__conv_clblast(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_clblast_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_clblast_dw(struct skp_prepared *p, const struct skp_sig *sig);
/* Gives back what CLBlast keeps, for whichever device. */
void skp__conv_clblast_forget(struct skp__cl *cl);

/* conv_direct.c: an element at a time; takes everything. */
skp_status skp__conv_direct(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_direct_dx(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_direct_dw(struct skp_prepared *p, const struct skp_sig *sig);
skp_status skp__conv_direct_dw_parts(struct skp_prepared *p, const struct skp_sig *sig);

#endif
