/* transpose.c: the features of each row, seen as a matrix, in the order of its columns. SPDX-License-Identifier: MIT
 *
 *   y[n, c·R + r] = x[n, r·C + c],  R = rows, C = columns;   dx is the same op on dy, with R and C exchanged
 *
 * A flattened map has R = H·W pixels of C channels in memory; y has them as files count them, C·H·W. */
#include "ops/check.h"

static const struct skp_attr attrs[] = {
    {"rows", SKP_ATTR_INT, offsetof(struct skp_transpose_attrs, rows), 1, NULL},
    {"columns", SKP_ATTR_INT, offsetof(struct skp_transpose_attrs, columns), 1, NULL},
    {0},
};

static skp_status infer(struct skp_sig *sig) {
  const struct skp_transpose_attrs *a = &sig->attrs.transpose;
  char text[100];
  SKP_TRY(skp__check_rank(sig, 0, 2));
  SKP_TRY(skp__check_least(sig, "rows", a->rows, 1));
  SKP_TRY(skp__check_least(sig, "columns", a->columns, 1));
  if ((int64_t)a->rows * a->columns != sig->in[0].dim[1])
    return skp__op_fail(sig, "the features of x %s are no matrix of %d×%d.",
                        skp__shape_text(text, sizeof text, &sig->in[0]), a->rows, a->columns);
  sig->out[0] = sig->in[0];
  return SKP_OK;
}

static skp_status gradient(struct skp_grad *g) {
  const struct skp_transpose_attrs *a = &g->sig->attrs.transpose;
  const union skp_attrs back = {.transpose = {a->columns, a->rows}};
  return g->emit(g, SKP_OP_transpose, &back, &g->dout[0], NULL, &g->din[0]);
}

static void reference(const struct skp_call *call) {
  const int64_t rows = call->sig->attrs.transpose.rows, columns = call->sig->attrs.transpose.columns;
  const float *x = call->in[0];
  float *y = call->out[0];
  for (int64_t n = 0; n < call->sig->in[0].dim[0]; n++)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++)
        y[n * rows * columns + c * rows + r] = x[n * rows * columns + r * columns + c];
}

const struct skp_op skp__op_transpose = {
    .name = "transpose",
    .n_in = 1,
    .n_out = 1,
    .in = {{"x"}},
    .out = {{"y"}},
    .attrs = attrs,
    .infer = infer,
    .gradient = gradient,
    .reference = reference,
};
