/* classes.c: which classes are taken for which, and the images with the highest loss.
 * SPDX-License-Identifier: MIT */
#include "data/image.h"
#include "data/source.h"
#include "io/png.h"
#include "train/report/page/page.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- confusion --------------------------------------------------------------------------------------------------- */

enum { MOST_CLASSES = 60, PAIRS = 12, PICTURES = 24, SIDE = 128 };

static double row_sum(const struct skp_table *t, size_t row) {
  double sum = 0;
  for (size_t k = 1; k < t->rows.at[row].cells.n; k++) sum += fmax(0, skp__table_number(t, row, (int)k));
  return sum;
}

static void put_matrix(FILE *to, const struct skp_table *t) {
  fprintf(to, "<div class=wide tabindex=0 role=region aria-label=\"confusion matrix\"><table class=\"sort matrix\">"
              "<caption>Rows: what an image is; columns: what it was taken for</caption><thead><tr>"
              "<th scope=col aria-sort=none><button>class</button></th>");
  for (size_t k = 1; k < t->rows.at[0].cells.n; k++) {
    fprintf(to, "<th scope=col aria-sort=none><button>");
    skp__page_text(to, skp__table_cell(t, 0, (int)k));
    fprintf(to, "</button></th>");
  }
  fprintf(to, "</tr></thead><tbody>");
  for (size_t i = 1; i < t->rows.n; i++) {
    const double sum = row_sum(t, i);
    fprintf(to, "<tr><th scope=row>");
    skp__page_text(to, skp__table_cell(t, i, 0));
    fprintf(to, "</th>");
    for (size_t k = 1; k < t->rows.at[0].cells.n; k++) {
      const double n = skp__table_number(t, i, (int)k), fraction = sum > 0 && isfinite(n) ? n / sum : 0;
      fprintf(to, "<td style=\"--s:%.3f\" class=%s><span class=count>%.0f</span><span class=share>%.1f %%</span></td>",
              fraction, i == k ? "right" : "wrong", isfinite(n) ? n : 0, 100 * fraction);
    }
    fprintf(to, "</tr>");
  }
  fprintf(to, "</tbody></table></div>\n");
}

struct pair {
  size_t is, taken;
  double n;
};

/* The pairs with the highest counts off the diagonal. */
static size_t find_pairs(struct pair best[PAIRS], const struct skp_table *t) {
  size_t n = 0;
  for (size_t i = 1; i < t->rows.n; i++)
    for (size_t k = 1; k < t->rows.at[0].cells.n; k++) {
      struct pair p = {i, k, skp__table_number(t, i, (int)k)};
      if (i == k || !(p.n > 0) || (n == PAIRS && p.n <= best[n - 1].n)) continue;
      size_t at = n < PAIRS ? n++ : n - 1;
      for (; at > 0 && best[at - 1].n < p.n; at--) best[at] = best[at - 1];
      best[at] = p;
    }
  return n;
}

static void put_pairs(FILE *to, const struct skp_table *t) {
  struct pair pair[PAIRS];
  const size_t n = find_pairs(pair, t);
  if (!n) return;
  fprintf(to, "<h3>Most confused</h3><ol>");
  for (size_t i = 0; i < n; i++) {
    fprintf(to, "<li><b>");
    skp__page_text(to, skp__table_cell(t, pair[i].is, 0));
    fprintf(to, "</b> taken for <b>");
    skp__page_text(to, skp__table_cell(t, 0, (int)pair[i].taken));
    fprintf(to, "</b>: %.0f of %.0f</li>", pair[i].n, row_sum(t, pair[i].is));
  }
  fprintf(to, "</ol>\n");
}

void skp__page_confusion(FILE *to, const struct skp_folder *run) {
  const struct skp_table *t = &run->confusion;
  if (t->rows.n < 2) return;
  if (t->rows.n <= MOST_CLASSES + 1)
    put_matrix(to, t);
  else
    fprintf(to, "<p>%zu classes are too many for a table; confusion.csv has all.</p>\n", t->rows.n - 1);
  put_pairs(to, t);
  skp__page_table(to, "Each class", &run->classes, 2000);
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

static void put_base64(FILE *to, const uint8_t *at, size_t n) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < n; i += 3) {
    const uint32_t three =
        (uint32_t)at[i] << 16 | (i + 1 < n ? (uint32_t)at[i + 1] << 8 : 0) | (i + 2 < n ? (uint32_t)at[i + 2] : 0);
    fputc(letters[three >> 18], to);
    fputc(letters[three >> 12 & 63], to);
    fputc(i + 1 < n ? letters[three >> 6 & 63] : '=', to);
    fputc(i + 2 < n ? letters[three & 63] : '=', to);
  }
}

/* Leaves pixels out until the picture is at most SIDE on a side. */
static void thin(struct skp_image *image) {
  const int larger = image->H > image->W ? image->H : image->W, step = (larger + SIDE - 1) / SIDE;
  const int H = (image->H + step - 1) / step, W = (image->W + step - 1) / step, C = image->C;
  for (int h = 0; h < H; h++)
    for (int w = 0; w < W; w++)
      memmove(image->pixels + ((size_t)h * (size_t)W + (size_t)w) * (size_t)C,
              image->pixels + ((size_t)h * (size_t)step * (size_t)image->W + (size_t)w * (size_t)step) * (size_t)C,
              (size_t)C);
  image->H = H;
  image->W = W;
}

/* The worst images of a run, where they lie, and who knows why. */
struct worst {
  const struct skp_folder *run;
  const struct skp_source *s;
  const struct skp__page_why *why; /* NULL: nobody */
};

/* Columns of worst.csv that earlier versions called otherwise. */
enum worst_column { PREDICTION, CONFIDENCE };
static const char *const worst_columns[][2] = {
    [PREDICTION] = {"prediction", "guess"},
    [CONFIDENCE] = {"confidence", "certainty"},
};

static int worst_column(const struct skp_table *worst, enum worst_column which) {
  const int now = skp__table_column(worst, worst_columns[which][0]);
  return now >= 0 ? now : skp__table_column(worst, worst_columns[which][1]);
}

static void put_prediction(FILE *to, const struct skp_table *worst, size_t row) {
  const char *prediction = skp__table_cell(worst, row, worst_column(worst, PREDICTION));
  if (!*prediction) {
    fprintf(to, ", prediction not finite");
    return;
  }
  fprintf(to, ", taken for <b>");
  skp__page_text(to, prediction);
  fprintf(to, "</b>, confidence %.0f %%", 100 * skp__table_number(worst, row, worst_column(worst, CONFIDENCE)));
}

static void put_caption(FILE *to, const struct skp_folder *run, size_t row) {
  const struct skp_table *t = &run->worst;
  fprintf(to, "<figcaption><b>");
  skp__page_text(to, skp__table_cell(t, row, skp__table_column(t, "class")));
  fprintf(to, "</b>");
  put_prediction(to, t, row);
  fprintf(to, "<br><small>");
  skp__page_text(to, skp__table_cell(t, row, skp__table_column(t, "name")));
  fprintf(to, "</small></figcaption>");
}

static void put_image(FILE *to, const struct skp_folder *run, size_t row, const char *what, const void *png, size_t n) {
  fprintf(to, "<img alt=\"%s", what);
  skp__page_text(to, skp__table_cell(&run->worst, row, skp__table_column(&run->worst, "class")));
  fprintf(to, "\" src=\"data:image/png;base64,");
  put_base64(to, png, n);
  fprintf(to, "\">");
}

/* Beside the image on what its prediction rests; where that cannot be had, as the prediction is not finite, nothing. */
static skp_status put_why(FILE *to, const struct worst *w, int64_t i, size_t row) {
  void *png = NULL;
  size_t size;
  if (!w->why) return SKP_OK;
  skp_status status = w->why->draw(w->why->user, w->run, w->s, i, &png, &size);
  if (png) put_image(to, w->run, row, "on what the prediction rests: ", png, size);
  free(png);
  return status == SKP_NUMERIC ? SKP_OK : status;
}

static skp_status put_picture(FILE *to, const struct worst *w, int64_t i, size_t row) {
  struct skp_image image = {0};
  int32_t label;
  void *png = NULL;
  size_t size = 0;
  skp_status status = w->s->image(w->s, i, &image, &label);
  if (status == SKP_OK && image.H && !image.values) {
    thin(&image);
    status = skp__png_encode(&png, &size, image.pixels, image.H, image.W, image.C);
  }
  if (png) {
    fprintf(to, "<figure class=%s>", w->why ? "\"picture why\"" : "picture");
    put_image(to, w->run, row, "", png, size);
    status = put_why(to, w, i, row);
    put_caption(to, w->run, row);
    fprintf(to, "</figure>\n");
  }
  free(png);
  skp__image_free(&image);
  return status;
}

/* The part of the data that judged; where a fraction of the training images did, its numbers lead nowhere. */
static skp_status open_judged(struct skp_source **out, const struct skp_folder *run) {
  char data[512];
  const bool valid = cJSON_GetObjectItemCaseSensitive(run->config, "valid");
  skp__folder_said(data, sizeof data, cJSON_GetObjectItemCaseSensitive(run->config, "recipe"), "data");
  *out = NULL;
  return *data ? skp__source_open(out, data, valid ? SKP_SPLIT_VALID : SKP_SPLIT_TEST) : SKP_OK;
}

/* The number of the image that a row is about; -1: it is not there, or another one now. */
static int64_t find_image(const struct worst *w, size_t row) {
  const struct skp_table *t = &w->run->worst;
  const double i = skp__table_number(t, row, skp__table_column(t, "image"));
  char text[SKP_SAMPLE_NAME];
  if (!(i >= 0 && i < (double)w->s->n)) return -1;
  const bool same =
      !strcmp(skp__source_name_of(w->s, (int64_t)i, text), skp__table_cell(t, row, skp__table_column(t, "name")));
  return same ? (int64_t)i : -1;
}

static skp_status put_pictures(FILE *to, const struct worst *w) {
  skp_status status = SKP_OK;
  for (size_t row = 1; row < w->run->worst.rows.n && row <= PICTURES && status == SKP_OK; row++) {
    const int64_t i = find_image(w, row);
    if (i >= 0) status = put_picture(to, w, i, row);
  }
  return status;
}

/* Pictures that cannot be had any more are left out: the names are in the table. What was asked for is not. */
skp_status skp__page_pictures(FILE *to, const struct skp_folder *run, const struct skp__page_why *why) {
  struct skp_source *s;
  skp_status status = SKP_OK;
  if (run->worst.rows.n < 2) return SKP_OK;
  fprintf(to, "<h3>Images with the highest loss</h3>\n");
  if (why)
    fprintf(to, "<p>Beside each image: red where covering it takes probability from the predicted class, blue where it "
                "adds some.</p>\n");
  fprintf(to, "<div class=pictures>");
  if (open_judged(&s, run) == SKP_OK && s) {
    status = put_pictures(to, &(struct worst){run, s, why});
    skp__source_destroy(s);
  }
  fprintf(to, "</div>\n");
  skp__page_table(to, "The worst images", &run->worst, 100);
  return why ? status : SKP_OK;
}
