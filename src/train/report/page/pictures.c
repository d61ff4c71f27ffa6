/* pictures.c: images of a run's tables: those with the highest loss, and of pairs that are mixed up.
 * SPDX-License-Identifier: MIT
 *
 *   a table's row ─> the image that it is about, if it is there still ─> a small PNG within the page */
#include "base/pairs.h"
#include "data/image.h"
#include "data/source.h"
#include "io/png.h"
#include "train/report/page/page.h"
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 24, SIDE = 128 };

/* ---- where they lie ---------------------------------------------------------------------------------------------- */

/* The part of the data that judged; where a fraction of the training images did, its numbers lead nowhere. Large data
 * take their time to open: where no table names an image, nobody looks. */
void skp__page_images_open(struct skp__page_images *out, const struct skp_folder *run) {
  char data[512];
  const bool valid = cJSON_GetObjectItemCaseSensitive(run->config, "valid");
  skp__folder_said(data, sizeof data, cJSON_GetObjectItemCaseSensitive(run->config, "recipe"), "data");
  *out = (struct skp__page_images){.run = run};
  if (run->worst.rows.n < 2 && run->confused.rows.n < 2) return;
  if (*data && skp__source_open(&out->s, data, valid ? SKP_SPLIT_VALID : SKP_SPLIT_TEST) != SKP_OK) out->s = NULL;
}

void skp__page_images_close(struct skp__page_images *images) { skp__source_destroy(images->s); }

/* A row of worst.csv or confused.csv. */
struct row {
  const struct skp__page_images *from;
  const struct skp_table *t;
  size_t at;
};

static const char *cell(const struct row *r, const char *column) {
  return skp__table_cell(r->t, r->at, skp__table_column(r->t, column));
}

/* The number of the image that a row is about; -1: it is not there, or another one now. */
static int64_t find_image(const struct row *r) {
  const struct skp_source *s = r->from->s;
  const double i = skp__table_number(r->t, r->at, skp__table_column(r->t, "image"));
  char text[SKP_SAMPLE_NAME];
  if (!s || !(i >= 0 && i < (double)s->n)) return -1;
  return !strcmp(skp__source_name_of(s, (int64_t)i, text), cell(r, "name")) ? (int64_t)i : -1;
}

/* ---- one picture ------------------------------------------------------------------------------------------------- */

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

/* As a PNG in fresh memory; NULL: it is none that can be shown. */
static skp_status encode(void **png, size_t *size, const struct skp_source *s, int64_t i) {
  struct skp_image image = {0};
  int32_t label;
  *png = NULL;
  skp_status status = s->image(s, i, &image, &label);
  if (status == SKP_OK && image.H && !image.values) {
    thin(&image);
    status = skp__png_encode(png, size, image.pixels, image.H, image.W, image.C);
  }
  skp__image_free(&image);
  return status;
}

/* ---- what is said of it ------------------------------------------------------------------------------------------ */

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

/* As per cent; nothing where it is no share of 1. */
static void put_confidence(FILE *to, const struct row *r, const char *before, const char *after) {
  const double x = skp__table_number(r->t, r->at, worst_column(r->t, CONFIDENCE));
  if (x >= 0 && x <= 1) fprintf(to, "%s%.0f %%%s", before, 100 * x, after);
}

/* The class and what it was taken for, which stand between `open` and `close`. */
static void put_told(FILE *to, const struct row *r, const char *open, const char *close) {
  const char *prediction = skp__table_cell(r->t, r->at, worst_column(r->t, PREDICTION));
  fputs(open, to);
  skp__page_text(to, cell(r, "class"));
  fputs(close, to);
  if (!*prediction) {
    fprintf(to, ", prediction not finite");
    return;
  }
  fprintf(to, ", taken for %s", open);
  skp__page_text(to, prediction);
  fputs(close, to);
  put_confidence(to, r, ", confidence ", "");
}

static void put_image(FILE *to, const struct row *r, const char *what, const void *png, size_t n) {
  fprintf(to, "<img alt=\"%s", what);
  put_told(to, r, "", "");
  fprintf(to, "\" src=\"data:image/png;base64,");
  put_base64(to, png, n);
  fprintf(to, "\">");
}

static void put_name(FILE *to, const struct row *r) {
  fprintf(to, "<br><small>");
  skp__page_text(to, cell(r, "name"));
  fprintf(to, "</small></figcaption></figure>\n");
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

static bool is_of(const struct row *r, const char *is, const char *taken) {
  return !strcmp(cell(r, "class"), is) && !strcmp(cell(r, "prediction"), taken);
}

static void put_example(FILE *to, const struct row *r) {
  const int64_t i = find_image(r);
  void *png = NULL;
  size_t size;
  if (i >= 0 && encode(&png, &size, r->from->s, i) == SKP_OK && png) {
    fprintf(to, "<figure class=\"picture pair\">");
    put_image(to, r, "", png, size);
    fprintf(to, "<figcaption>");
    put_confidence(to, r, "", " sure");
    put_name(to, r);
  }
  free(png);
}

void skp__page_pair(FILE *to, const struct skp__page_images *images, const char *is, const char *taken) {
  const struct skp_table *t = &images->run->confused;
  if (t->rows.n < 2) return;
  fprintf(to, "<div class=pictures>");
  for (size_t row = 1, n = 0; row < t->rows.n && n < SKP_PAIR_IMAGES; row++) {
    const struct row r = {images, t, row};
    if (!is_of(&r, is, taken)) continue;
    put_example(to, &r);
    n++;
  }
  fprintf(to, "</div>");
}

/* ---- the worst images -------------------------------------------------------------------------------------------- */

/* Beside the image on what its prediction rests; where that cannot be had, as the prediction is not finite, nothing. */
static skp_status put_why(FILE *to, const struct row *r, int64_t i, const struct skp__page_why *why) {
  void *png = NULL;
  size_t size;
  if (!why) return SKP_OK;
  skp_status status = why->draw(why->user, r->from->run, r->from->s, i, &png, &size);
  if (png) put_image(to, r, "on what the prediction rests: ", png, size);
  free(png);
  return status == SKP_NUMERIC ? SKP_OK : status;
}

static skp_status put_picture(FILE *to, const struct row *r, const struct skp__page_why *why) {
  const int64_t i = find_image(r);
  void *png;
  size_t size = 0;
  if (i < 0) return SKP_OK;
  skp_status status = encode(&png, &size, r->from->s, i);
  if (png) {
    fprintf(to, "<figure class=%s>", why ? "\"picture why\"" : "picture");
    put_image(to, r, "", png, size);
    status = put_why(to, r, i, why);
    fprintf(to, "<figcaption>");
    put_told(to, r, "<b>", "</b>");
    put_name(to, r);
  }
  free(png);
  return status;
}

/* Pictures that cannot be had any more are left out: the names are in the table. What was asked for is not. */
skp_status skp__page_worst(FILE *to, const struct skp__page_images *images, const struct skp__page_why *why) {
  const struct skp_table *t = &images->run->worst;
  skp_status status = SKP_OK;
  if (t->rows.n < 2) return SKP_OK;
  fprintf(to, "<h3>Images with the highest loss</h3>\n");
  if (why)
    fprintf(to, "<p>Beside each image: red where covering it takes probability from the predicted class, blue where it "
                "adds some.</p>\n");
  fprintf(to, "<div class=pictures>");
  for (size_t row = 1; row < t->rows.n && row <= PICTURES && status == SKP_OK; row++)
    status = put_picture(to, &(struct row){images, t, row}, why);
  fprintf(to, "</div>\n");
  skp__page_table(to, "The worst images", t, 100);
  return why ? status : SKP_OK;
}

/* ---- as files ---------------------------------------------------------------------------------------------------- */

enum { CELL_WIDTH = 310, CELL_HEIGHT = 180, ACROSS = 3 };

static void put_cell(FILE *to, const struct row *r, int64_t number, const void *png, size_t size) {
  fprintf(to,
          "<svg x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><image width=\"%d\" height=\"%d\" "
          "style=\"image-rendering:pixelated\" href=\"data:image/png;base64,",
          10 + CELL_WIDTH * (int)(number % ACROSS), 10 + CELL_HEIGHT * (int)(number / ACROSS), CELL_WIDTH - 10,
          CELL_HEIGHT, SIDE, SIDE);
  put_base64(to, png, size);
  fprintf(to, "\"/><text y=\"%d\">", SIDE + 16);
  put_told(to, r, "", "");
  fprintf(to, "</text><text y=\"%d\">", SIDE + 32);
  skp__page_text(to, cell(r, "name"));
  fprintf(to, "</text></svg>\n");
}

/* The images of a table's first rows side by side; false: there are none. */
static bool put_sheet(FILE *to, const struct skp_folder *run, const struct skp_table *t, size_t most,
                      const char *label) {
  struct skp__page_images images;
  int64_t n = 0, put = 0;
  skp__page_images_open(&images, run);
  for (size_t row = 1; row < t->rows.n && row <= most; row++) n += find_image(&(struct row){&images, t, row}) >= 0;
  const int64_t lines = (n + ACROSS - 1) / ACROSS;
  if (n) skp__page_begin_svg(to, label, 10 + CELL_WIDTH * ACROSS, 10 + CELL_HEIGHT * (int)lines, true);
  for (size_t row = 1; row < t->rows.n && row <= most; row++) {
    const struct row r = {&images, t, row};
    const int64_t i = find_image(&r);
    void *png = NULL;
    size_t size;
    if (i >= 0 && encode(&png, &size, images.s, i) == SKP_OK && png) put_cell(to, &r, put++, png, size);
    free(png);
  }
  if (n) fprintf(to, "</svg>\n");
  skp__page_images_close(&images);
  return put > 0;
}

bool skp__page_confused_sheet(FILE *to, const struct skp_folder *run) {
  return put_sheet(to, run, &run->confused, SKP_PAIRS * SKP_PAIR_IMAGES,
                   "Images of the classes that are mixed up most");
}

bool skp__page_worst_sheet(FILE *to, const struct skp_folder *run) {
  return put_sheet(to, run, &run->worst, PICTURES, "Images with the highest loss");
}
