/* page_figures.c: curves as SVG. Runs differ in colour and in their dashes. SPDX-License-Identifier: MIT */
#include "train/page.h"
#include <math.h>

enum { WIDTH = 640, HEIGHT = 260, LEFT = 58, TOP = 12, BOTTOM = 34, RIGHT = 12, STYLES = 6 };
static const char *const dashes[STYLES] = {"none", "8 3", "2 3", "10 3 2 3", "4 4", "1 2"};

struct range {
  double low, high, last; /* of the values; of the epochs */
};

static struct range find_range(const struct skp_folder *run, size_t runs, const char *column) {
  struct range r = {INFINITY, -INFINITY, 1};
  for (size_t k = 0; k < runs; k++) {
    const struct skp_table *t = &run[k].results;
    const int c = skp__table_column(t, column), epoch = skp__table_column(t, "epoch");
    for (size_t i = 1; i < t->rows.n; i++) {
      const double y = skp__table_number(t, i, c), x = skp__table_number(t, i, epoch);
      if (isfinite(y)) r.low = fmin(r.low, y);
      if (isfinite(y)) r.high = fmax(r.high, y);
      if (isfinite(x)) r.last = fmax(r.last, x);
    }
  }
  if (r.high - r.low < 1e-12 * fmax(fabs(r.high), 1)) { /* a level line lies in the middle */
    r.low -= 0.5 * fmax(fabs(r.high), 1e-6);
    r.high += 0.5 * fmax(fabs(r.high), 1e-6);
  }
  return r;
}

static double at_x(const struct range *r, double epoch) {
  return LEFT + (r->last > 1 ? (epoch - 1) / (r->last - 1) : 0.5) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const struct range *r, double y) {
  return TOP + (r->high - y) / (r->high - r->low) * (HEIGHT - TOP - BOTTOM);
}

static void put_axes(FILE *to, const struct range *r) {
  enum { LINES = 4 };
  for (int i = 0; i <= LINES; i++) {
    const double y = r->low + (r->high - r->low) * i / LINES;
    fprintf(to, "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f />", LEFT, WIDTH - RIGHT, at_y(r, y), at_y(r, y));
    fprintf(to, "<text x=%d y=%.1f text-anchor=end>%.4g</text>", LEFT - 6, at_y(r, y) + 4, y);
  }
  fprintf(to, "<text x=%d y=%d>epoch 1</text>", LEFT, HEIGHT - 10);
  if (r->last > 1) fprintf(to, "<text x=%d y=%d text-anchor=end>%.0f</text>", WIDTH - RIGHT, HEIGHT - 10, r->last);
}

static void put_line(FILE *to, const struct skp_folder *run, size_t number, const struct range *r, const char *column) {
  const struct skp_table *t = &run->results;
  const int c = skp__table_column(t, column), epoch = skp__table_column(t, "epoch");
  fprintf(to, "<polyline class=\"line c%zu\" stroke-dasharray=\"%s\" points=\"", number % STYLES,
          dashes[number % STYLES]);
  for (size_t i = 1; i < t->rows.n; i++) {
    const double y = skp__table_number(t, i, c), x = skp__table_number(t, i, epoch);
    if (isfinite(y) && isfinite(x)) fprintf(to, "%.1f,%.1f ", at_x(r, x), at_y(r, y));
  }
  fprintf(to, "\"/>");
  for (size_t i = 1; i < t->rows.n && t->rows.n < 40; i++) {
    const double y = skp__table_number(t, i, c), x = skp__table_number(t, i, epoch);
    if (isfinite(y) && isfinite(x))
      fprintf(to, "<circle class=\"dot c%zu\" r=2.5 cx=%.1f cy=%.1f><title>epoch %.0f: %.5g</title></circle>",
              number % STYLES, at_x(r, x), at_y(r, y), x, y);
  }
}

static void put_legend(FILE *to, const struct skp_folder *run, size_t runs) {
  fprintf(to, "<ul class=legend>");
  for (size_t k = 0; k < runs; k++) {
    fprintf(to,
            "<li><svg width=34 height=10 aria-hidden=true><line class=\"line c%zu\" stroke-dasharray=\"%s\" x1=0 x2=34 "
            "y1=5 y2=5 /></svg> ",
            k % STYLES, dashes[k % STYLES]);
    skp__page_text(to, run[k].path);
    fprintf(to, "</li>");
  }
  fprintf(to, "</ul>\n");
}

void skp__page_curves(FILE *to, const char *title, const struct skp_folder *run, size_t runs, const char *column) {
  const struct range r = find_range(run, runs, column);
  if (!isfinite(r.low)) return;
  fprintf(to,
          "<figure><figcaption>%s</figcaption><svg role=img aria-label=\"%s over the epochs, from %.4g to %.4g\" "
          "viewBox=\"0 0 %d %d\">",
          title, title, r.low, r.high, WIDTH, HEIGHT);
  put_axes(to, &r);
  for (size_t k = 0; k < runs; k++) put_line(to, &run[k], k, &r, column);
  fprintf(to, "</svg>");
  put_legend(to, run, runs);
  fprintf(to, "</figure>\n");
}
