/* layernorm.c: the methods of layer normalisation and its gradient on OpenCL. SPDX-License-Identifier: MIT
 *
 *   rows    a work-item takes rows, in vectors: CPUs
 *   groups  a group shares each row: GPUs
 *   plain   as rows, value by value */
#include "backend/opencl/pixels.h"
#include <stdio.h>

enum {
  GROUP = 64,        /* work-items that share a row */
  SPAN = 64,         /* rows of a work-item that has its own */
  SUMS_LENGTH = 128, /* rows of a partial sum, at least */
  SUMS_MOST = 64     /* partial sums */
};

/* How x is gone through. */
struct way {
  int width, local, span;
};

enum { DX }; /* of layernorm_dx; dgamma and dbeta follow, as mean and rstd in layernorm */

static int want_of(const struct skp_sig *sig) { return (sig->out[1].rank > 0) | (sig->out[2].rank > 0) << 1; }

static skp_status prepare(struct skp_prepared *p, const struct skp_sig *sig, struct way way) {
  const int C = (int)sig->in[1].dim[0], rows = (int)(skp__shape_count(&sig->in[0]) / C);
  const size_t local = (size_t)way.local, global = (size_t)((rows + way.span - 1) / way.span) * local;
  char options[40];
  snprintf(options, sizeof options, "-DWIDTH=%d -DLOCAL=%d", way.width, way.local);
  return skp__cl_launch(p, "layernorm", "layernorm", options, 1, &global, &local,
                        SKP_ARGS(SKP_OUT(y, 0), SKP_OUT(means, 1), SKP_OUT(rstds, 2), SKP_IN(x, 0), SKP_IN(gamma, 1),
                                 SKP_IN(beta, 2), SKP_INT(rows, rows), SKP_INT(C, C), SKP_INT(span, way.span),
                                 SKP_INT(want, want_of(sig)), SKP_FLOAT(eps, sig->attrs.layernorm.eps)));
}

static skp_status launch_sums(struct skp_prepared *p, const struct skp_sig *sig, const char *options, int rows, int C,
                              int width) {
  const int least = (rows + SUMS_MOST - 1) / SUMS_MOST, length = least > SUMS_LENGTH ? least : SUMS_LENGTH;
  const int parts = (rows + length - 1) / length;
  const size_t global = skp__pixels_global(parts, C, width);
  const size_t channels = (size_t)C;
  skp__cl_need_workspace(p, 8 * (int64_t)parts * C);
  SKP_TRY(skp__cl_launch(p, "layernorm", "layernorm_dx_sums", options, 1, &global, NULL,
                         SKP_ARGS(SKP_WORK(partial), SKP_IN(dy, 0), SKP_IN(x, 1), SKP_IN(means, 3), SKP_IN(rstds, 4),
                                  SKP_INT(rows, rows), SKP_INT(C, C), SKP_INT(parts, parts), SKP_INT(length, length))));
  return skp__cl_launch(p, "layernorm", "layernorm_dx_join", options, 1, &channels, NULL,
                        SKP_ARGS(SKP_OUT(dgamma, 1), SKP_OUT(dbeta, 2), SKP_WORK(partial), SKP_INT(C, C),
                                 SKP_INT(parts, parts), SKP_INT(want, want_of(sig))));
}

static skp_status prepare_dx(struct skp_prepared *p, const struct skp_sig *sig, struct way way) {
  const int C = (int)sig->in[2].dim[0], rows = (int)(skp__shape_count(&sig->in[0]) / C);
  const size_t local = (size_t)way.local, global = (size_t)((rows + way.span - 1) / way.span) * local;
  char options[40];
  snprintf(options, sizeof options, "-DWIDTH=%d -DLOCAL=%d", way.width, way.local);
  if (want_of(sig)) SKP_TRY(launch_sums(p, sig, options, rows, C, way.width));
  if (!sig->out[DX].rank) return SKP_OK;
  return skp__cl_launch(p, "layernorm", "layernorm_dx", options, 1, &global, &local,
                        SKP_ARGS(SKP_OUT(dx, 0), SKP_IN(dy, 0), SKP_IN(x, 1), SKP_IN(gamma, 2), SKP_IN(means, 3),
                                 SKP_IN(rstds, 4), SKP_INT(rows, rows), SKP_INT(C, C), SKP_INT(span, way.span)));
}

static struct way rows_way(struct skp_prepared *p, const struct skp_sig *sig) {
  return (struct way){skp__pixels_width(skp__cl_of(p), skp__channels(&sig->in[0])), 1, SPAN};
}

static const struct way groups_way = {1, GROUP, 1}, plain_way = {1, 1, 1};

/* The three methods of each direction. */
#define METHODS(op, PREPARE)                                                                                           \
  static skp_status op##_rows(struct skp_prepared *p, const struct skp_sig *sig) {                                     \
    return PREPARE(p, sig, rows_way(p, sig));                                                                          \
  }                                                                                                                    \
  static skp_status op##_groups(struct skp_prepared *p, const struct skp_sig *sig) {                                   \
    return PREPARE(p, sig, groups_way);                                                                                \
  }                                                                                                                    \
  static skp_status op##_plain(struct skp_prepared *p, const struct skp_sig *sig) {                                    \
    return PREPARE(p, sig, plain_way);                                                                                 \
  }                                                                                                                    \
  const struct skp__cl_method skp__cl_##op[] = {{"rows", SKP_CL_CPU, skp__cl_refuse_huge, op##_rows, 0},               \
                                                {"groups", SKP_CL_GPU, skp__cl_refuse_huge, op##_groups, 0},           \
                                                {"plain", SKP_CL_ANY, skp__cl_refuse_huge, op##_plain, 0},             \
                                                {0}}
METHODS(layernorm, prepare);
METHODS(layernorm_dx, prepare_dx);
