/* batchnorm.c: the methods of batch normalisation and its gradient on OpenCL. SPDX-License-Identifier: MIT
 *
 *   cpu     a few work-items that walk over rows of vectors
 *   tiled   groups that take tiles of such rows
 *   plain   sums by a work-item for each channel, then each value by itself
 *
 * In both cpu and tiled the second of two launches joins the first one's partial results itself.
 * Evaluation needs no sums: one launch; nor does training where the convolution before has left statistics. Gradients
 * need them unless dx in evaluation, or dresidual, is all that is wanted. */
#include "backend/opencl/cl.h"
#include <math.h>
#include <stdio.h>

enum { X, GAMMA, BETA, RESIDUAL, RUNNING_MEAN, RUNNING_VAR, MEANS, SQUARES }; /* inputs of batchnorm */
enum { DX_DY, DX_X };                                                         /* of batchnorm_dx */
enum { DX, DGAMMA, DBETA, DRESIDUAL };                                        /* outputs of batchnorm_dx */

/* What kernels and sizes depend on. */
struct problem {
  int C, P, total, fuse;                /* channels, pixels, values; 1: relu, 2: + residual, relu */
  bool gradient, training, sums, given; /* given: statistics of x */
  int want;                             /* a bit for each output that is there; in batchnorm from the second one on */
};

/* Bits that say which outputs from number `from` on are there. */
static int wanted(const struct skp_sig *sig, int from) {
  int bits = 0;
  for (int i = from; i < sig->op->n_out; i++) bits |= (sig->out[i].rank > 0) << (i - from);
  return bits;
}

static struct problem problem_of(const struct skp_sig *sig, bool gradient) {
  const struct skp_batchnorm_attrs *a = &sig->attrs.batchnorm;
  const struct skp_shape *x = &sig->in[gradient ? DX_X : X];
  struct problem b = {.C = (int)x->dim[3], .total = (int)skp__shape_count(x), .gradient = gradient};
  b.P = b.total / b.C;
  b.fuse = a->fuse;
  b.training = a->training;
  b.want = wanted(sig, gradient ? 0 : 1);
  b.given = !gradient && sig->in[MEANS].rank;
  b.sums = gradient ? (a->training && sig->out[DX].rank) || sig->out[DGAMMA].rank || sig->out[DBETA].rank : a->training;
  return b;
}

/* ---- rows of columns: cpu and tiled ------------------------------------------------------------------------------ */

enum { STRIP = 32, BLOCK = 32 }; /* columns at a time; rows of a chunk at least; see batchnorm_cpu.cl */
enum { COLUMNS_MOST = 1 << 12 }; /* of which a work-item keeps tables: MOST of batchnorm_cpu.cl */
enum { VALUES_MOST = 1 << 30 };  /* so that positions a chunk beyond the end are ints too */

/* x as rows of a whole number of pixels that STRIP divides, the rows in chunks. */
struct rows {
  int columns, chunk_rows, chunks;
};

static int pixels_of_row(int64_t C) {
  int pixels = STRIP;
  while (pixels > 1 && C % 2 == 0) pixels /= 2, C /= 2;
  return pixels;
}

/* At most `chunks`, of `least` rows or more. */
static struct rows rows_of(const struct problem *b, int64_t chunks, int least) {
  struct rows r = {.columns = pixels_of_row(b->C) * b->C};
  const int64_t rows = ((int64_t)b->total + r.columns - 1) / r.columns;
  const int64_t most = rows / least < chunks ? rows / least : chunks;
  r.chunk_rows = most > 1 ? (int)((rows + most - 1) / most) : (int)rows;
  r.chunks = (int)((rows + r.chunk_rows - 1) / r.chunk_rows);
  return r;
}

static int64_t partial_bytes(const struct rows *r) {
  return 2 * (int64_t)r->chunks * r->columns * (int64_t)sizeof(float);
}

/* ---- cpu --------------------------------------------------------------------------------------------------------- */

/* What the kernels of cpu and tiled that apply have in common: maps and vectors; sizes; how. Neither has options of its
 * own: one program serves all shapes. */
#define APPLY_VALUES                                                                                                   \
  SKP_OUT(y, 0), SKP_OUT(new_running_mean, 1), SKP_OUT(new_running_var, 2), SKP_OUT(mean_out, 3),                      \
      SKP_OUT(rstd_out, 4), SKP_IN(x, 0), SKP_IN(gamma, 1), SKP_IN(beta, 2), SKP_IN(residual, 3),                      \
      SKP_IN(running_mean, 4), SKP_IN(running_var, 5)
#define APPLY_SIZES(b, r)                                                                                              \
  SKP_INT(C, (b)->C), SKP_INT(columns, (r)->columns), SKP_INT(fuse, (b)->fuse), SKP_INT(total, (b)->total),            \
      SKP_INT(chunk_rows, (r)->chunk_rows)
#define APPLY_HOW(b, a)                                                                                                \
  SKP_INT(training, (b)->training), SKP_INT(want, (b)->want), SKP_FLOAT(eps, (a)->eps),                                \
      SKP_FLOAT(momentum, (a)->momentum)

static skp_status prepare_cpu(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct problem b = problem_of(sig, sig->op == &skp__op_batchnorm_dx);
  const struct rows r = rows_of(&b, 2 * (int64_t)skp__cl_of(p)->units, BLOCK);
  const size_t global = (size_t)r.chunks, one = 1;
  const char *file = "batchnorm_cpu", *same = ""; /* one program for all shapes: it is compiled once */
  if (b.sums) {
    skp__cl_need_workspace(p, partial_bytes(&r));
    SKP_TRY(b.gradient ? skp__cl_launch(p, file, "batchnorm_dx_sums", same, 1, &global, &one,
                                        SKP_ARGS(SKP_WORK(partial), SKP_OUT(dresidual, 3), SKP_IN(dy, 0), SKP_IN(x, 1),
                                                 SKP_IN(y, 2), SKP_IN(gamma, 3), SKP_IN(mean, 4), SKP_IN(rstd, 5),
                                                 SKP_IN(beta, 6), SKP_INT(C, b.C), SKP_INT(columns, r.columns),
                                                 SKP_INT(fuse, b.fuse), SKP_INT(total, b.total),
                                                 SKP_INT(chunk_rows, r.chunk_rows), SKP_INT(want, b.want)))
                       : skp__cl_launch(p, file, "batchnorm_statistics", same, 1, &global, &one,
                                        SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_INT(columns, r.columns),
                                                 SKP_INT(total, b.total), SKP_INT(chunk_rows, r.chunk_rows))));
  }
  if (b.gradient)
    return skp__cl_launch(p, file, "batchnorm_dx_apply", same, 1, &global, &one,
                          SKP_ARGS(SKP_OUT(dx, 0), SKP_OUT(dgamma, 1), SKP_OUT(dbeta, 2), SKP_OUT(dresidual, 3),
                                   SKP_IN(dy, 0), SKP_IN(x, 1), SKP_IN(y, 2), SKP_IN(gamma, 3), SKP_IN(mean, 4),
                                   SKP_IN(rstd, 5), SKP_IN(beta, 6), SKP_WORK(partial), SKP_INT(C, b.C),
                                   SKP_INT(columns, r.columns), SKP_INT(fuse, b.fuse), SKP_INT(total, b.total),
                                   SKP_INT(chunk_rows, r.chunk_rows), SKP_INT(chunks, r.chunks),
                                   SKP_INT(training, b.training), SKP_INT(joins, b.sums), SKP_INT(want, b.want)));
  return skp__cl_launch(p, file, "batchnorm_apply", same, 1, &global, &one,
                        SKP_ARGS(APPLY_VALUES, SKP_WORK(partial), APPLY_SIZES(&b, &r), SKP_INT(chunks, r.chunks),
                                 APPLY_HOW(&b, &sig->attrs.batchnorm)));
}

/* ---- plain ------------------------------------------------------------------------------------------------------- */

static skp_status apply_plain(struct skp_prepared *p, const struct skp_sig *sig, const struct problem *b,
                              const char *options) {
  const size_t global = (size_t)b->total;
  if (!b->gradient)
    return skp__cl_launch(p, "batchnorm", "batchnorm_apply", options, 1, &global, NULL,
                          SKP_ARGS(SKP_OUT(y, 0), SKP_OUT(mean_out, 3), SKP_OUT(rstd_out, 4), SKP_IN(x, 0),
                                   SKP_IN(gamma, 1), SKP_IN(beta, 2), SKP_IN(residual, 3), SKP_WORK(table),
                                   SKP_IN(running_mean, 4), SKP_IN(running_var, 5), SKP_INT(P, b->P),
                                   SKP_INT(training, b->training), SKP_INT(want, b->want),
                                   SKP_FLOAT(eps, sig->attrs.batchnorm.eps)));
  if (!sig->out[DX].rank && !sig->out[DRESIDUAL].rank) return SKP_OK;
  return skp__cl_launch(p, "batchnorm", "batchnorm_dx_apply", options, 1, &global, NULL,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_OUT(dresidual, 3), SKP_IN(dy, 0), SKP_IN(x, 1), SKP_IN(y, 2),
                                 SKP_IN(gamma, 3), SKP_IN(mean, 4), SKP_IN(rstd, 5), SKP_IN(beta, 6), SKP_WORK(table),
                                 SKP_INT(P, b->P), SKP_INT(training, b->training), SKP_INT(want, b->want)));
}

static skp_status prepare_plain(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct skp_batchnorm_attrs *a = &sig->attrs.batchnorm;
  const struct problem b = problem_of(sig, sig->op == &skp__op_batchnorm_dx);
  const size_t global = (size_t)b.C, one = 1;
  char options[60];
  snprintf(options, sizeof options, "-DC=%d -DFUSE=%d", b.C, b.fuse);
  if (b.sums) {
    skp__cl_need_workspace(p, 2 * (int64_t)b.C * (int64_t)sizeof(float));
    SKP_TRY(b.gradient
                ? skp__cl_launch(p, "batchnorm", "batchnorm_dx_sums", options, 1, &global, &one,
                                 SKP_ARGS(SKP_WORK(table), SKP_OUT(dgamma, 1), SKP_OUT(dbeta, 2), SKP_IN(dy, 0),
                                          SKP_IN(x, 1), SKP_IN(y, 2), SKP_IN(gamma, 3), SKP_IN(mean, 4),
                                          SKP_IN(rstd, 5), SKP_IN(beta, 6), SKP_INT(P, b.P), SKP_INT(want, b.want)))
                : skp__cl_launch(p, "batchnorm", "batchnorm_statistics", options, 1, &global, &one,
                                 SKP_ARGS(SKP_WORK(table), SKP_OUT(new_running_mean, 1), SKP_OUT(new_running_var, 2),
                                          SKP_OUT(mean_out, 3), SKP_OUT(rstd_out, 4), SKP_IN(x, 0),
                                          SKP_IN(running_mean, 4), SKP_IN(running_var, 5), SKP_IN(means, MEANS),
                                          SKP_IN(squares, SQUARES), SKP_INT(given, b.given ? SKP_STATISTICS_PIXELS : 0),
                                          SKP_INT(P, b.P), SKP_INT(want, b.want), SKP_FLOAT(eps, a->eps),
                                          SKP_FLOAT(momentum, a->momentum))));
  }
  return apply_plain(p, sig, &b, options);
}

/* ---- tiled ------------------------------------------------------------------------------------------------------- */

enum { LANES = STRIP, ROWS = 8 }; /* of a group */

static int blocks_of(const struct problem *b) { return (b->P + SKP_STATISTICS_PIXELS - 1) / SKP_STATISTICS_PIXELS; }

/* Enough to fill the device several times over; but a group reads all partial results of its channels, two values each,
 * beside its own values twice, and that is to be at most half as much; of given statistics, which are many and stay in
 * the cache, as much. */
static struct rows tiles_of(const struct skp__cl *cl, const struct problem *b) {
  const int pixels = pixels_of_row(b->C);
  const double rows = (double)b->P / pixels, shared = b->given ? rows / blocks_of(b) : sqrt(rows / (2 * pixels));
  const int64_t filling = 8 * (int64_t)cl->units * LANES / ((int64_t)b->C * pixels);
  return rows_of(b, shared < (double)filling ? (int64_t)shared : filling, 4 * ROWS);
}

static skp_status tiled_sums(struct skp_prepared *p, const struct problem *b, const struct rows *r,
                             const size_t *global, const size_t *local) {
  const char *file = "batchnorm_tiled", *same = ""; /* one program for all shapes */
  skp__cl_need_workspace(p, partial_bytes(r));
  if (b->gradient)
    return skp__cl_launch(p, file, "batchnorm_dx_tiles", same, 2, global, local,
                          SKP_ARGS(SKP_WORK(partial), SKP_OUT(dresidual, 3), SKP_IN(dy, 0), SKP_IN(x, 1), SKP_IN(y, 2),
                                   SKP_IN(gamma, 3), SKP_IN(mean, 4), SKP_IN(rstd, 5), SKP_IN(beta, 6),
                                   SKP_INT(C, b->C), SKP_INT(columns, r->columns), SKP_INT(fuse, b->fuse),
                                   SKP_INT(total, b->total), SKP_INT(chunk_rows, r->chunk_rows),
                                   SKP_INT(want, b->want)));
  return skp__cl_launch(p, file, "batchnorm_tiles", same, 2, global, local,
                        SKP_ARGS(SKP_WORK(partial), SKP_IN(x, 0), SKP_INT(columns, r->columns),
                                 SKP_INT(total, b->total), SKP_INT(chunk_rows, r->chunk_rows)));
}

static skp_status tiled_apply_dx(struct skp_prepared *p, const struct problem *b, const struct rows *r,
                                 const size_t *global, const size_t *local) {
  const bool ready = b->sums && (b->want & 1 << DRESIDUAL); /* dz stands there already */
  return skp__cl_launch(p, "batchnorm_tiled", "batchnorm_dx_apply", "", 2, global, local,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_OUT(dgamma, 1), SKP_OUT(dbeta, 2), SKP_OUT(dresidual, 3),
                                 ready ? SKP_ABSENT(dy) : SKP_IN(dy, 0), SKP_IN(x, 1),
                                 ready ? SKP_ABSENT(y) : SKP_IN(y, 2), SKP_IN(gamma, 3), SKP_IN(mean, 4),
                                 SKP_IN(rstd, 5), SKP_IN(beta, 6), SKP_WORK(partial), SKP_INT(C, b->C),
                                 SKP_INT(columns, r->columns), SKP_INT(fuse, b->fuse), SKP_INT(total, b->total),
                                 SKP_INT(chunk_rows, r->chunk_rows), SKP_INT(chunks, r->chunks),
                                 SKP_INT(training, b->training), SKP_INT(joins, b->sums), SKP_INT(want, b->want)));
}

/* What is joined lies in rows of C: of a block each where statistics are given, else of a pixel of a chunk's row. */
static skp_status tiled_apply(struct skp_prepared *p, const struct skp_sig *sig, const struct problem *b,
                              const struct rows *r, const size_t *global, const size_t *local) {
  const int entries = b->given ? blocks_of(b) : r->chunks * (r->columns / b->C);
  return skp__cl_launch(p, "batchnorm_tiled", "batchnorm_apply", "", 2, global, local,
                        SKP_ARGS(APPLY_VALUES, b->given ? SKP_IN(means, MEANS) : SKP_WORK(means),
                                 b->given ? SKP_IN(squares, SQUARES) : SKP_WORK(squares),
                                 SKP_INT(squares_from, b->given ? 0 : entries * b->C), SKP_INT(entries, entries),
                                 SKP_INT(entry_columns, b->given ? b->C : r->columns),
                                 SKP_INT(entry_rows, b->given ? SKP_STATISTICS_PIXELS : r->chunk_rows),
                                 APPLY_SIZES(b, r), APPLY_HOW(b, &sig->attrs.batchnorm)));
}

static skp_status prepare_tiled(struct skp_prepared *p, const struct skp_sig *sig) {
  const struct problem b = problem_of(sig, sig->op == &skp__op_batchnorm_dx);
  const struct rows r = tiles_of(skp__cl_of(p), &b);
  const size_t global[] = {(size_t)r.columns, (size_t)r.chunks * ROWS}, local[] = {LANES, ROWS};
  if (b.sums && !b.given) SKP_TRY(tiled_sums(p, &b, &r, global, local));
  if (b.gradient) return tiled_apply_dx(p, &b, &r, global, local);
  return tiled_apply(p, sig, &b, &r, global, local);
}

static const char *refuse_tiled(const struct skp__cl *cl, const struct skp_sig *sig) {
  (void)cl;
  return skp__shape_count(&sig->in[X]) > VALUES_MOST ? "more than 2^30 values" : NULL;
}

static const char *refuse_cpu(const struct skp__cl *cl, const struct skp_sig *sig) {
  const int64_t C = skp__channels(&sig->in[DX_X]); /* in batchnorm this is gamma, of as many */
  return C * pixels_of_row(C) > COLUMNS_MOST ? "too many channels, or an odd number" : refuse_tiled(cl, sig);
}

#define METHODS                                                                                                        \
  {                                                                                                                    \
    {"cpu", SKP_CL_CPU | SKP_CL_NARROW, refuse_cpu, prepare_cpu, 0},                                                   \
        {"tiled", SKP_CL_GPU | SKP_CL_STATISTICS, refuse_tiled, prepare_tiled, 0},                                     \
        {"plain", SKP_CL_ANY | SKP_CL_NARROW | SKP_CL_STATISTICS, skp__cl_refuse_huge, prepare_plain, 0}, {            \
      0                                                                                                                \
    }                                                                                                                  \
  }
const struct skp__cl_method skp__cl_batchnorm[] = METHODS;
const struct skp__cl_method skp__cl_batchnorm_dx[] = METHODS;
