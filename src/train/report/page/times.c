/* times.c: where a step's time goes, layer by layer, by the run's layers.csv. SPDX-License-Identifier: MIT */
#include "train/report/page/page.h"
#include <math.h>

enum { MOST = 20, ROW = 24, LEFT = 250, WIDTH = 640, TOP = 8 };

static double seconds_of(const struct skp_table *t, size_t row) {
  const double ms = skp__table_number(t, row, skp__table_column(t, "milliseconds"));
  return isfinite(ms) && ms > 0 ? ms : 0;
}

/* The table has the slowest first. */
static void put_bar(FILE *to, const struct skp_table *t, size_t row, double total) {
  const double ms = seconds_of(t, row), most = seconds_of(t, 1), length = most > 0 ? ms / most : 0;
  const int y = TOP + ROW * (int)(row - 1);
  fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + 15);
  skp__page_text(to, skp__table_cell(t, row, skp__table_column(t, "layer")));
  fprintf(to, " ");
  skp__page_text(to, skp__table_cell(t, row, skp__table_column(t, "operation")));
  fprintf(
      to,
      "</text><rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/><text x=\"%.1f\" y=\"%d\">%.3g ms, "
      "%.1f %%</text>\n",
      LEFT, y + 3, length * (WIDTH - LEFT - 120), ROW - 8, LEFT + length * (WIDTH - LEFT - 120) + 6, y + 15, ms,
      total > 0 ? 100 * ms / total : 0);
}

bool skp__page_bars(FILE *to, const struct skp_folder *run, bool alone) {
  const struct skp_table *t = &run->layers;
  const size_t rows = t->rows.n > MOST ? MOST : t->rows.n - (t->rows.n > 0);
  double total = 0;
  for (size_t i = 1; i < t->rows.n; i++) total += seconds_of(t, i);
  if (!rows || !(total > 0)) return false;
  skp__page_begin_svg(to, "Time of the slowest layers in a step of training", WIDTH, TOP + ROW * (int)rows + TOP,
                      alone);
  for (size_t i = 1; i <= rows; i++) put_bar(to, t, i, total);
  fprintf(to, "</svg>\n");
  return true;
}

void skp__page_times(FILE *to, const struct skp_folder *run) {
  if (run->layers.rows.n < 2) return;
  fprintf(to, "<details><summary>Time by layer</summary>");
  fprintf(to, "<figure class=wide tabindex=0 role=region aria-label=\"time by layer\">");
  skp__page_bars(to, run, false);
  fprintf(to, "</figure>");
  skp__page_table(to, "The time of each layer", &run->layers, 5000);
  fprintf(to, "</details>\n");
}
