/* figures.c: curves as SVG. Runs differ in colour and in their dashes. SPDX-License-Identifier: MIT */
#include "train/report/page/page.h"
#include <math.h>

enum { WIDTH = 640, HEIGHT = 260, LEFT = 96, TOP = 12, BOTTOM = 34, RIGHT = 12, ROW = 20, STYLES = 6 };
static const char *const dashes[STYLES] = {"none", "8 3", "2 3", "10 3 2 3", "4 4", "1 2"};

/* Where a curve's numbers are, and what they lie over. */
static const struct skp_table *table_of(const struct skp_folder *run, const struct skp__page_curve *curve) {
  return curve->steps ? &run->steps : &run->results;
}

static int over(const struct skp_table *t, const struct skp__page_curve *curve) {
  return skp__table_column(t, curve->steps ? "step" : "epoch");
}

struct range {
  double low, high, last; /* of the values; of the epochs */
};

static struct range find_range(const struct skp__page_curve *curve, const struct skp_folder *run, size_t runs) {
  struct range r = {INFINITY, -INFINITY, 1};
  for (size_t k = 0; k < runs; k++) {
    const struct skp_table *t = table_of(&run[k], curve);
    const int c = skp__table_column(t, curve->column), epoch = over(t, curve);
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

/* Between two lines of the grid: 1, 2 or 5 of a power of ten, for 3 to 8 lines. */
static double grid_step(const struct range *r) {
  const double most = (r->high - r->low) / 3, ten = pow(10, floor(log10(most))), n = most / ten;
  return ten * (n < 2 ? 1 : n < 5 ? 2 : 5);
}

static void put_axes(FILE *to, const struct skp__page_curve *curve, const struct range *r) {
  const double step = grid_step(r);
  for (double i = ceil(r->low / step); i * step <= r->high; i++) {
    const double y = i * step + 0.0; /* never -0 */
    fprintf(to, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT, at_y(r, y),
            at_y(r, y));
    fprintf(to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>", LEFT - 6, at_y(r, y) + 5, y);
  }
  fprintf(to, "<text x=\"%d\" y=\"%d\">%s 1</text>", LEFT, HEIGHT - 10, curve->steps ? "step" : "epoch");
  if (r->last > 1)
    fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f</text>", WIDTH - RIGHT, HEIGHT - 10, r->last);
}

static void put_line(FILE *to, const struct skp__page_curve *curve, const struct skp_folder *run, size_t number,
                     const struct range *r) {
  const struct skp_table *t = table_of(run, curve);
  const int c = skp__table_column(t, curve->column), epoch = over(t, curve);
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
      fprintf(to, "<circle class=\"dot c%zu\" r=\"2.5\" cx=\"%.1f\" cy=\"%.1f\"><title>%.0f: %.5g</title></circle>",
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

const struct skp__page_curve skp__page_all_curves[] = {
    {"loss-steps", "Training loss of each step", "loss", true},
    {"learning-rate", "Learning rate", "lr", true},
    {"train-loss", "Training loss of each epoch", "train_loss", false},
    {"accuracy", "Accuracy", "_accuracy", false},
    {"loss", "Loss of the images that judge", "t_loss", false},
    {"images-a-second", "Images a second", "img_per_s", false},
    {.title = NULL},
};

/* The names of the runs below the curves of a file. */
static void put_names(FILE *to, const struct skp_folder *run, size_t runs) {
  for (size_t k = 0; k < runs; k++) {
    const int y = HEIGHT + ROW * (int)k + ROW / 2;
    fprintf(to,
            "<line class=\"line c%zu\" stroke-dasharray=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>"
            "<text x=\"%d\" y=\"%d\">",
            k % STYLES, dashes[k % STYLES], LEFT, LEFT + 34, y, y, LEFT + 42, y + 4);
    skp__page_text(to, run[k].path);
    fprintf(to, "</text>");
  }
}

bool skp__page_curve(FILE *to, const struct skp__page_curve *curve, const struct skp_folder *run, size_t runs,
                     bool alone) {
  const struct range r = find_range(curve, run, runs);
  char label[160];
  if (!isfinite(r.low)) return false;
  snprintf(label, sizeof label, "%s over the %s, from %.4g to %.4g", curve->title, curve->steps ? "steps" : "epochs",
           r.low, r.high);
  skp__page_begin_svg(to, label, WIDTH, HEIGHT + (alone ? ROW * (int)runs + ROW / 2 : 0), alone);
  put_axes(to, curve, &r);
  for (size_t k = 0; k < runs; k++) put_line(to, curve, &run[k], k, &r);
  if (alone) put_names(to, run, runs);
  fprintf(to, "</svg>\n");
  return true;
}

void skp__page_curves(FILE *to, const struct skp__page_curve *curve, const struct skp_folder *run, size_t runs) {
  if (!isfinite(find_range(curve, run, runs).low)) return;
  fprintf(to, "<figure><figcaption>%s</figcaption>", curve->title);
  skp__page_curve(to, curve, run, runs, false);
  put_legend(to, run, runs);
  fprintf(to, "</figure>\n");
}
