/* compare.c: runs beside each other: what differs, and how they ended. SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "skipper/status.h"
#include "train/report/seeds.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 256 };

/* Runs that differ in their seeds have the same parts of config.json: the first one's will do. */
static const cJSON *part_of(const struct skp_folder *f, const char *name) {
  return *name ? cJSON_GetObjectItemCaseSensitive(f->config, name) : f->config;
}

static const cJSON *part(const struct skp_seeds *t, const char *name) { return part_of(t->run, name); }

static const char differing[] = "differs";

/* Of runs that were put together by hand, or resumed to be longer, one may differ in an entry all the same. */
static const char *said(char *text, size_t size, const struct skp_seeds *t, const char *of, const char *name) {
  char other[TEXT];
  bool same = true;
  skp__folder_said(text, size, part(t, of), name);
  for (size_t k = 1; k < t->n; k++)
    same = same && !strcmp(text, skp__folder_said(other, sizeof other, part_of(&t->run[k], of), name));
  if (!same && !*of && !strcmp(name, "seed"))
    snprintf(text, size, "%zu seeds", t->n);
  else if (!same)
    snprintf(text, size, "%s", differing);
  return text;
}

/* A line of an entry, if not all runs have the same. */
static bool put_difference(FILE *to, const struct skp_seeds *run, size_t runs, const char *of, const char *name) {
  char first[TEXT], other[TEXT];
  bool differs = !strcmp(said(first, sizeof first, &run[0], of, name), differing);
  for (size_t i = 1; i < runs; i++)
    differs = differs || strcmp(first, said(other, sizeof other, &run[i], of, name)) != 0;
  if (!differs) return false;
  skp_print(to, "%-20s", name);
  for (size_t i = 0; i < runs; i++) {
    said(other, sizeof other, &run[i], of, name);
    skp_print(to, "  %-24s", *other ? other : "-");
  }
  fprintf(to, "\n");
  return true;
}

/* Of all entries that any of the runs has in a part of its config. */
static int put_part(FILE *to, const struct skp_seeds *run, size_t runs, const char *of) {
  int differences = 0;
  for (size_t i = 0; i < runs; i++) {
    const cJSON *item;
    cJSON_ArrayForEach(item, part(&run[i], of)) {
      bool told = false;
      for (size_t before = 0; before < i; before++)
        told = told || cJSON_GetObjectItemCaseSensitive(part(&run[before], of), item->string);
      const bool nested = !*of && (cJSON_IsObject(item) || !strcmp(item->string, "started"));
      if (!told && !nested) differences += put_difference(to, run, runs, of, item->string);
    }
  }
  return differences;
}

/* The images by which a run's epochs are judged; NULL: there are none. */
static const cJSON *judges(const struct skp_folder *f) {
  const cJSON *valid = cJSON_GetObjectItemCaseSensitive(f->config, "valid");
  return valid ? valid : cJSON_GetObjectItemCaseSensitive(f->config, "test");
}

static double judged_by(const struct skp_folder *f) {
  const cJSON *images = cJSON_GetObjectItemCaseSensitive(judges(f), "images");
  return cJSON_IsNumber(images) ? images->valuedouble : 0;
}

/* Half of the interval in which 95 of 100 such accuracies lie, of so many images. */
static double spread(const struct skp_folder *f, double accuracy) {
  const double n = judged_by(f);
  return n > 0 ? 1.96 * sqrt(accuracy * (1 - accuracy) / n) : (double)NAN;
}

static const char *judge_name(const struct skp_folder *f) {
  return cJSON_GetObjectItemCaseSensitive(f->config, "valid") ? "validation" : "test";
}

/* Of all runs, in folders of seeds too. */
static bool judged_alike(const struct skp_seeds *run, size_t runs) {
  bool same = true;
  for (size_t i = 0; i < runs; i++)
    for (size_t k = 0; k < run[i].n; k++) {
      const struct skp_folder *a = run[0].run, *b = &run[i].run[k];
      const cJSON *x = judges(a), *y = judges(b);
      same = same && !strcmp(judge_name(a), judge_name(b)) && (x && y ? cJSON_Compare(x, y, true) : x == y);
    }
  return same;
}

/* Which images accuracies are of. */
static void put_judges(FILE *to, const struct skp_seeds *run, size_t runs) {
  fprintf(to, "%-20s", "judged by");
  for (size_t i = 0; i < runs; i++) {
    char text[64] = "-";
    if (judges(run[i].run))
      snprintf(text, sizeof text, "%.0f %s images", judged_by(run[i].run), judge_name(run[i].run));
    if (!judged_alike(&run[i], 1)) snprintf(text, sizeof text, "%s", differing);
    fprintf(to, "  %-24s", text);
  }
  fprintf(to, "\n");
}

/* Of one run as well as so many images tell; of several with the interval in which their mean lies. */
static void put_accuracy(FILE *to, const struct skp_seeds *run, const struct skp__spread *s, size_t runs) {
  fprintf(to, "%-20s", "best accuracy");
  for (size_t i = 0; i < runs; i++) {
    char text[64] = "-", within[32] = "";
    const double half = s[i].n > 1 ? s[i].half : spread(run[i].run, s[i].mean);
    if (isfinite(half)) snprintf(within, sizeof within, " +- %.2f", 100 * half);
    if (s[i].n) snprintf(text, sizeof text, "%.2f%s %%", 100 * s[i].mean, within);
    fprintf(to, "  %-24s", text);
  }
  fprintf(to, "\n");
}

static void put_seeds(FILE *to, const struct skp_seeds *run, const struct skp__spread *s, size_t runs) {
  bool several = false;
  for (size_t i = 0; i < runs; i++) several = several || run[i].n > 1;
  if (!several) return;
  fprintf(to, "%-20s", "median over seeds");
  for (size_t i = 0; i < runs; i++) {
    char text[64] = "-";
    if (s[i].n)
      snprintf(text, sizeof text, "%.2f (%.2f to %.2f) %%", 100 * s[i].median, 100 * s[i].least, 100 * s[i].most);
    fprintf(to, "  %-24s", text);
  }
  fprintf(to, "\n");
}

/* By how much the others' means are above the first one's, where all are of several runs. */
static void put_gain(FILE *to, const struct skp_seeds *run, const struct skp__spread *s, size_t runs) {
  for (size_t i = 1; i < runs; i++) {
    const double half = skp__spread_difference(&s[0], &s[i]), gain = s[i].mean - s[0].mean;
    if (!isfinite(half)) continue;
    skp_print(to, "%s is %.2f +- %.2f %% %s than %s: %s\n", run[i].path, 100 * fabs(gain), 100 * half,
              gain < 0 ? "worse" : "better", run[0].path,
              fabs(gain) > half ? "more than seeds explain" : "no more than seeds explain");
  }
}

/* Runs that are all the same but for their seeds are several measurements of one thing. */
static skp_status put_same(FILE *to, const struct skp_seeds *run, size_t runs, int differences) {
  char first[TEXT], other[TEXT];
  struct skp_folder all[64] = {{.path = NULL}};
  size_t n = 0;
  const bool seeds = differences == 1 && strcmp(skp__folder_said(first, sizeof first, run[0].run->config, "seed"),
                                                skp__folder_said(other, sizeof other, run[1].run->config, "seed"));
  for (size_t i = 0; i < runs && n < sizeof all / sizeof *all; i++)
    if (run[i].n == 1) all[n++] = run[i].run[0];
  struct skp__spread s;
  SKP_TRY(skp__spread_of(&s, all, n));
  if (seeds && n == runs && s.n == n)
    fprintf(to, "Over these %zu seeds: median %.2f %%, %.2f to %.2f %%, mean %.2f +- %.2f %%.\n", n, 100 * s.median,
            100 * s.least, 100 * s.most, 100 * s.mean, 100 * s.half);
  return SKP_OK;
}

/* A column of results.csv, at the best epoch or at the last. */
static const char *cell(const struct skp_folder *run, const char *column, bool last) {
  const struct skp_table *t = &run->results;
  const size_t row = last ? t->rows.n - (t->rows.n > 0) : skp__folder_best(run);
  return row ? skp__table_cell(t, row, skp__table_column(t, column)) : "";
}

/* Of several runs the mean. */
static void put_figure(FILE *to, const struct skp_seeds *run, size_t runs, const char *what, const char *column,
                       bool last) {
  fprintf(to, "%-20s", what);
  for (size_t i = 0; i < runs; i++) {
    char text[64];
    double sum = 0;
    for (size_t k = 0; k < run[i].n; k++) sum += strtod(cell(&run[i].run[k], column, last), NULL);
    snprintf(text, sizeof text, "%.6g", sum / (double)run[i].n);
    const char *shown = run[i].n > 1 ? text : cell(run[i].run, column, last);
    skp_print(to, "  %-24s", *shown ? shown : "-");
  }
  fprintf(to, "\n");
}

/* `s`: of each. */
static skp_status print(FILE *to, const struct skp_seeds *run, const struct skp__spread *s, size_t runs) {
  int differences = 0;
  static const char *const parts[] = {"", "settings", "recipe"};
  skp_print(to, "%-20s", "");
  for (size_t i = 0; i < runs; i++) skp_print(to, "  %-24s", run[i].path);
  fprintf(to, "\n");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) differences += put_part(to, run, runs, parts[i]);
  if (!differences) fprintf(to, "The same network, recipe, seed and device.\n");
  put_judges(to, run, runs);
  put_accuracy(to, run, s, runs);
  put_seeds(to, run, s, runs);
  put_figure(to, run, runs, "best epoch", "epoch", false);
  put_figure(to, run, runs, "train loss, best", "train_loss", false);
  put_figure(to, run, runs, "epochs done", "epoch", true);
  put_figure(to, run, runs, "seconds", "seconds", true);
  put_figure(to, run, runs, "images/s, last", "img_per_s", true);
  if (!judged_alike(run, runs))
    fprintf(to, "Not all are judged by the same images: their accuracies are no measure of which is better.\n");
  SKP_TRY(put_same(to, run, runs, differences));
  put_gain(to, run, s, runs);
  return SKP_OK;
}

skp_status skp__compare_print(FILE *to, const struct skp_seeds *run, size_t runs) {
  struct skp__spread *s;
  skp_status status = SKP_OK;
  SKP_TRY(skp__alloc(&s, runs, sizeof *s));
  for (size_t i = 0; status == SKP_OK && i < runs; i++) status = skp__spread_of(&s[i], run[i].run, run[i].n);
  if (status == SKP_OK) status = print(to, run, s, runs);
  free(s);
  return status;
}
