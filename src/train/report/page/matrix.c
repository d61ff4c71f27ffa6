/* matrix.c: the confusion matrix as a figure of its own. SPDX-License-Identifier: MIT */
#include "train/report/page/page.h"
#include <math.h>

enum { MOST = 40, CELL = 34, LEFT = 150, TOP = 130 };

static double count(const struct skp_table *t, size_t row, size_t column) {
  const double n = skp__table_number(t, row, (int)column);
  return isfinite(n) && n > 0 ? n : 0;
}

static void put_cell(FILE *to, const struct skp_table *t, size_t i, size_t k, double sum) {
  const double n = count(t, i, k);
  const int x = LEFT + CELL * (int)(k - 1), y = TOP + CELL * (int)(i - 1);
  fprintf(to,
          "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" style=\"fill:rgb(var(--%s)/%.3f);stroke:var(--line)\"/>",
          x, y, CELL, CELL, i == k ? "hit" : "miss", sum > 0 ? (i == k ? 0.45 : 0.6) * n / sum : 0);
  if (n > 0)
    fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" style=\"fill:var(--fg)\">%.0f</text>", x + CELL / 2,
            y + CELL / 2 + 4, n);
}

static void put_row(FILE *to, const struct skp_table *t, size_t i) {
  double sum = 0;
  for (size_t k = 1; k < t->rows.n; k++) sum += count(t, i, k);
  fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, TOP + CELL * (int)(i - 1) + CELL / 2 + 4);
  skp__page_text(to, skp__table_cell(t, i, 0));
  fprintf(to, "</text>");
  for (size_t k = 1; k < t->rows.n; k++) put_cell(to, t, i, k, sum);
  fprintf(to, "\n");
}

static void put_column(FILE *to, const struct skp_table *t, size_t k) {
  const int x = LEFT + CELL * (int)(k - 1) + CELL / 2 + 4, y = TOP - 8;
  fprintf(to, "<text transform=\"rotate(-60 %d %d)\" x=\"%d\" y=\"%d\">", x, y, x, y);
  skp__page_text(to, skp__table_cell(t, 0, (int)k));
  fprintf(to, "</text>");
}

bool skp__page_matrix(FILE *to, const struct skp_folder *run) {
  const struct skp_table *t = &run->confusion;
  if (t->rows.n < 2 || t->rows.n > MOST + 1) return false;
  const int side = CELL * (int)(t->rows.n - 1);
  skp__page_begin_svg(to, "Confusion: rows are what images are, columns what they were taken for", LEFT + side + 80,
                      TOP + side + 12, true);
  for (size_t k = 1; k < t->rows.n; k++) put_column(to, t, k);
  for (size_t i = 1; i < t->rows.n; i++) put_row(to, t, i);
  fprintf(to, "</svg>\n");
  return true;
}
